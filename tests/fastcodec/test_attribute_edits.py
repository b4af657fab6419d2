"""One attribute of a packet changed, every octet of the others as it was."""
import random

import pytest

import fastcodec as fc

SECRET = b"a shared secret"
PORT = bytes((5, 6, 0, 0, 0, 1))
MICROSOFT = bytes((0, 0, 1, 55))
ODD = {
    "a prefix of 18 octets, as FreeRADIUS writes it": bytes((97, 20, 0, 64, 0x20, 1, 0xd, 0xb8)) + bytes(12),
    "a prefix with a reserved octet": bytes((97, 12, 5, 64, 0x20, 1, 0xd, 0xb8)) + bytes(4),
    "reserved bits of an IPv4 prefix": bytes((155, 8, 1, 0xc0 | 24, 10, 1, 2, 0)),
    "reserved flags": bytes((245, 7, 1, 0x7f)) + b"abc",
    "two in one Vendor-Specific": bytes((26, 18)) + MICROSOFT + bytes((7, 6, 0, 0, 0, 1, 8, 6, 0, 0, 0, 2)),
    "a prefix in a TLV": bytes((173, 22, 2, 20, 0, 64, 0x20, 1, 0xd, 0xb8)) + bytes(12),
    "an unknown vendor": bytes((26, 12, 0, 0, 0, 9, 1, 3, 65, 2, 3, 66)),
    "no octets": bytes((1, 2)), "an EAP-Start": bytes((79, 2)), "a wrong size": bytes((6, 5, 0, 0, 1)),
    "fragments": bytes((245, 255, 1, 0x80)) + bytes(251) + bytes((245, 7, 1, 0)) + b"abc",
    "a split value": bytes((79, 255)) + bytes(253) + bytes((79, 5)) + b"abc"}


def packet(attributes: bytes) -> bytes:
    return bytes((1, 1)) + (20 + len(attributes)).to_bytes(2, "big") + bytes(range(16)) + attributes


@pytest.mark.parametrize("name", ODD)
@pytest.mark.parametrize("secret", [None, SECRET], ids=["no secret", "secret"])
def test_what_nobody_touches_keeps_its_octets(name, secret):
    odd = ODD[name]
    signed = fc.RadiusPacket.decode(packet(odd + PORT + odd)).sign(SECRET).encode()
    read = fc.RadiusPacket.decode(signed, secret)
    changed = read.with_value("NAS-Port", 2)
    assert changed.sign(SECRET).encode()[38:] == odd + PORT[:5] + b"\2" + odd
    assert changed.find("NAS-Port") == 2
    assert read.without("NAS-Port").sign(SECRET).encode()[38:] == odd + odd
    assert read.with_value("Session-Timeout", 9).encode()[38:] == odd + PORT + odd + bytes((27, 6, 0, 0, 0, 9))
    assert read.without("Session-Timeout") == read.with_value("NAS-Port", 1) != changed


def test_only_the_first_one_is_changed_and_all_of_them_taken_out():
    read = fc.RadiusPacket(1, 1, bytes(16), [("Class", b"a"), ("Class", b"b"), ("Filter-Id", "c"), ("Class", b"d")])
    for packet_ in (read, fc.RadiusPacket.decode(read.encode())):
        assert packet_.with_value("Class", b"x").find_all("Class") == [b"x", b"b", b"d"]
        assert list(packet_.without("Class").attributes) == [("Filter-Id", "c")]


def test_a_change_inside_what_is_not_canonical():
    """The Vendor-Specific that holds it is written anew, nothing else."""
    two, prefix = ODD["two in one Vendor-Specific"], ODD["a prefix with a reserved octet"]
    read = fc.RadiusPacket.decode(packet(prefix + two + prefix))
    name = read.attributes[1][0]
    assert read.with_value(name, bytes((0, 0, 0, 3))).encode()[20:] == (
        prefix + bytes((26, 12)) + MICROSOFT + bytes((7, 6, 0, 0, 0, 3, 26, 12)) + MICROSOFT + two[12:] + prefix)
    assert read.without(name).encode()[20:] == prefix + bytes((26, 12)) + MICROSOFT + two[12:] + prefix


def test_hidden_values_are_hidden_again_under_another_secret():
    asked = fc.RadiusPacket(1, 7, bytes(range(16)), [("User-Password", "hush")])
    read = fc.RadiusPacket.decode(asked.encode(SECRET), SECRET).with_value("NAS-Port", 1)
    again = read.encode(b"another")
    assert fc.RadiusPacket.decode(again, b"another").find("User-Password") == "hush"
    keys = [("MS-MPPE-Send-Key", b"s" * 32), ("MS-MPPE-Recv-Key", b"r" * 32)]
    answer = fc.RadiusPacket(2, 7, b"", keys).encode(SECRET, asked)
    first, second = answer[38:96], answer[96:154]
    one = bytes((26, 6 + 52 + 52)) + MICROSOFT + first[6:] + second[6:]
    whole = fc.RadiusPacket.decode(answer[:2] + (38 + len(one)).to_bytes(2, "big") + answer[4:38] + one).sign(SECRET, asked)
    read = fc.RadiusPacket.decode(whole.encode(), SECRET, asked).with_value("Session-Timeout", 1)
    assert fc.RadiusPacket.decode(read.encode(b"another", asked), b"another", asked).find("MS-MPPE-Recv-Key") == b"r" * 32


def test_fragments_apart_are_read_and_changed():
    """They are put together: the only thing that is written in other octets than it came in."""
    parts = bytes((245, 255, 1, 0x80)) + bytes(251), bytes((245, 7, 1, 0)) + b"abc"
    read = fc.RadiusPacket.decode(packet(parts[0] + PORT + parts[1]))
    changed = read.with_value("NAS-Port", 2)
    assert list(fc.RadiusPacket.decode(changed.encode()).attributes) == [("Attr-245.1", bytes(251) + b"abc"), ("NAS-Port", 2)]


def test_any_packet_keeps_all_other_octets():
    chance = random.Random(7)
    for _ in range(2000):
        values = [chance.randbytes(chance.randint(0, 9)) for _ in range(3)]
        some = [bytes((chance.randint(1, 255), len(value) + 2)) + value for value in values]
        parts = chance.choices([*ODD.values(), PORT, *some], k=chance.randint(0, 6))
        parts = [part for part in parts if part[0] != 27]
        parts.insert(chance.randint(0, len(parts)), bytes((27, 6, 0, 0, 0, 1)))
        octets = packet(b"".join(parts))
        read = fc.RadiusPacket.decode(octets)
        assert read.without("Session-Timeout").with_value("Session-Timeout", 1).encode()[20:] == (
            b"".join(part for part in parts if part[0] != 27) + bytes((27, 6, 0, 0, 0, 1))) or not contiguous(parts), octets.hex()


def contiguous(parts):
    """Whether no value in pieces has something between its pieces, nor pieces of another one behind it."""
    kinds = [part[0] for part in parts]
    return all(kinds.count(kind) < 2 for kind in (245, 246, 79, 26))
