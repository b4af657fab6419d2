"""Values as JSON holds them; shapes of messages that have the same findings."""
from __future__ import annotations

import json
import random
from ipaddress import IPv4Address, IPv6Address
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import fastcodec as fc
from fastcodec.json_text import as_json, as_object, object_heads
from fastcodec.lint_shape import lint_shape
from fastcodec.plain import address_text, encodable, plain, plain_pairs

FILE = json.loads((Path(__file__).parents[1] / "vectors" / "mobileip.json").read_text())
MESSAGES = [bytes.fromhex(v["message_hex"]) for v in FILE["vectors"]]


@given(st.integers(0, 2**32 - 1))
def test_ipv4_addresses_are_written_as_python_writes_them(number: int) -> None:
    assert address_text(IPv4Address(number)) == plain(IPv4Address(number)) == str(IPv4Address(number))


@given(st.ip_addresses())
def test_addresses_are_written_as_python_writes_them(address: IPv4Address | IPv6Address) -> None:
    assert address_text(address) == plain(address) == str(address)


@pytest.mark.parametrize(("value", "made"), [
    (None, None), (True, True), (7, 7), (1.5, 1.5), ("text", "text"), ("caf\xe9", "caf\xe9"), ("\udcff", {"octets": "ff"}),
    (b"\x01\xff", "01ff"), (bytearray(b"a"), "61"), (memoryview(b"a"), "61"), ([b"a", (1, b"b")], ["61", [1, "62"]]),
    (fc.Hidden(b"\x09"), "09"), (fc.Nai("a@b"), {"class": "Nai", "nai": "a@b"}), (fc.ReplyCode.ACCEPTED, 0),
    (IPv6Address("::1"), "::1"), ([fc.Nai("\udcfe")], [{"class": "Nai", "nai": {"octets": "fe"}}])])
def test_values_become_what_json_can_hold(value: object, made: object) -> None:
    assert plain(value) == made
    json.dumps(plain(value))


def test_octets_in_pairs_are_told_from_text() -> None:
    pairs = [("A", b"\x01"), ("B", fc.Hidden(b"\x02")), ("C", [("D", b"\x03")]), ("E", "text"), ("F", IPv4Address(1)), ("G", [])]
    assert plain_pairs(pairs) == [["A", {"octets": "01"}], ["B", {"hidden": "02"}], ["C", [["D", {"octets": "03"}]]],
                                  ["E", "text"], ["F", "0.0.0.1"], ["G", []]]


@given(st.text())
def test_encodable(text: str) -> None:
    assert encodable(text) == (not any("\ud800" <= c <= "\udfff" for c in text))
    assert encodable(text + "\udc80") is False


def test_messages_of_one_shape_have_the_same_findings() -> None:
    """Every mutation that leaves the shape leaves the findings, and enough do that shapes are worth keeping."""
    chance, shapes, kept = random.Random(3), dict[bytes, list[str]](), 0
    for _ in range(30_000):
        octets = bytearray(chance.choice(MESSAGES))
        for _ in range(chance.randint(0, 3)):
            octets[chance.randrange(len(octets))] = chance.choice((0, 1, 255, chance.randrange(256)))
        shape = lint_shape(bytes(octets))
        found = list(map(str, fc.lint(bytes(octets))))
        kept += shape in shapes
        assert shapes.setdefault(shape, found) == found, octets.hex()
    assert kept > 5000


# ---- written at once

TEXTS = st.text(max_size=20) | st.sampled_from(['"', "\\", "\x00\x1f\x7f", "caf\xe9", "\u2028", "\udcff"])


@given(TEXTS, st.integers(-2**70, 2**70), st.binary(max_size=9), st.ip_addresses())
def test_what_is_written_at_once_is_the_json_of_the_dict(text: str, number: int, octets: bytes, address: IPv4Address | IPv6Address) -> None:
    message = fc.EapPacket(number, 2, fc.EapMd5Challenge(octets, text))          # nothing checks values before they are encoded
    parts = [fc.Nai(text), fc.UnknownExtension(octets), fc.BootstrapAddress(number, 1, 64, address)]       # type: ignore[arg-type]
    reply = fc.RegistrationReply(0, number, address, address, number, parts)     # type: ignore[arg-type]
    for one in (message, reply, *parts, fc.PanaMessage(0, 1, 2, 3), fc.EapPacket(3, 1)):
        assert json.loads(one.to_json()) == json.loads(json.dumps(one.to_dict()))
        assert as_json(one) == one.to_json()


def test_packets_are_written_as_their_dict() -> None:
    vectors = json.loads((Path(__file__).parents[1] / "vectors" / "radius.json").read_text())["vectors"]
    packets = [fc.RadiusPacket.decode(bytes.fromhex(v["message_hex"])) for v in vectors if v["kind"] == "radius"]
    packets += [fc.RadiusPacket(1, 2, b"", [("User-Name", 'a"\n'), ("Class", b"\xff")]), fc.RadiusPacket(1, 2)]
    for packet in packets:
        assert json.loads(packet.to_json()) == json.loads(json.dumps(packet.to_dict()))
    assert len(packets) > 100


def test_objects_leave_out_what_is_empty() -> None:
    heads = object_heads(["a", "b", "c", "d", "e", "f"])
    assert as_object(heads, (None, "", [], (), None, None)) == b"{}"
    assert json.loads(as_object(heads, (1, "x", [1, "y"], ("z",), True, 1.5))) == {
        "a": 1, "b": "x", "c": [1, "y"], "d": ["z"], "e": True, "f": 1.5}
    challenge = fc.HomeTestInit(2**63 + 1)
    found = json.loads(as_object(heads[:1], (challenge,), ("cookie", "other")))["a"]
    assert found == {**challenge.to_dict(), "cookie_hex": "0x8000000000000001"}
