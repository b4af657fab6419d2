"""One table of all protocols, one set of rules: nothing is lost, reordered or made up between octets, messages, JSON and pickles."""
import copy
import json
import pickle
from collections.abc import Callable
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import fastcodec as fc
from fastcodec.base import Message, Part

VECTORS = Path(__file__).parents[1] / "vectors"
NAMES = vars(fc) | {"IPv4Address": IPv4Address, "IPv6Address": IPv6Address, "IPv4Network": IPv4Network,
                    "IPv6Network": IPv6Network}
KEY, SECRET = bytes(range(16)), b"shared secret"
HOME, AGENT, CARE_OF = IPv6Address("2001:db8:100::25"), IPv6Address("2001:db8:100::1"), IPv6Address("2001:db8:f::1")
ENDS = {"source": HOME, "destination": AGENT, "care_of_address": CARE_OF}


class Protocol(NamedTuple):
    """`parts` is the field that holds a list; `unknown` makes what no class is known for of a number and octets."""

    kinds: tuple[str, ...]
    base: Any
    decode: Callable[[bytes], Any]
    parts: str = ""
    unknown: Callable[[int, bytes], Any] | None = None


def tlv(number, value):
    return fc.UnknownExtension(bytes((number, len(value))) + value)


PROTOCOLS = {
    "mip4": Protocol(("mip4",), fc.Mip4Message, fc.Mip4Message.decode, "extensions", lambda n, v: tlv(200 + n % 50, v)),
    "icmp": Protocol(("icmp",), fc.AgentMessage, fc.AgentMessage.decode, "extensions", lambda n, v: tlv(200 + n % 50, v)),
    "mip6": Protocol(("mip6",), fc.MobilityMessage, fc.MobilityMessage.decode, "options",
                     lambda n, v: fc.UnknownOption(bytes((100 + n % 100, len(v))) + v)),
    "pana": Protocol(("pana",), fc.PanaMessage, lambda data: fc.PanaMessage.decode(data, strict=False), "avps",
                     lambda n, v: fc.UnknownAvp(100 + n, v)),
    "eap": Protocol(("eap",), fc.EapPacket, fc.EapPacket.decode),
    "radius": Protocol(("radius",), fc.RadiusPacket, fc.RadiusPacket.decode, "attributes",
                       lambda n, v: (f"Attr-{200 + n % 40}", v or b"x")),
}


def octets_of(vector):
    if vector["kind"] == "mip6" and "message_hex" not in vector:
        packet = bytes.fromhex(vector["packet_hex"])
        while packet[0] >> 4 == 4:      # out of its tunnels
            packet = bytes(fc.unwrap(packet).inner) if packet[9] != 17 else packet[28:]
        return bytes(fc.look(packet).payload)
    return bytes.fromhex(vector["message_hex"])


def messages(row):
    for file in sorted(VECTORS.glob("*.json")):
        for vector in json.loads(file.read_text())["vectors"]:
            if vector["kind"] in row.kinds:
                yield octets_of(vector)


MESSAGES = {name: list(messages(row)) for name, row in PROTOCOLS.items()}


def check(row, message):
    """The rules, of any message that can be encoded."""
    octets = message.encode()
    again = row.decode(octets)
    assert again.encode() == octets
    assert again == message
    kind = type(message)
    for twin in (copy.copy(message), copy.deepcopy(message), pickle.loads(pickle.dumps(message)), message.replace(),
                 kind.from_dict(message.to_dict()), kind.from_json(message.to_json()), Message.from_json(message.to_json()),
                 row.base.from_dict(json.loads(json.dumps(message.to_dict())))):
        assert twin == message
        assert type(twin) is kind
        assert twin.encode() == octets
    assert eval(repr(message), dict(NAMES)) == message
    assert str(message).startswith(kind.__name__ + "(")
    assert message != message.to_dict()
    for part in [*message.parts(), *filter(None, [getattr(message, "body", None)])]:
        assert isinstance(part, Part)
        assert len({part, copy.copy(part), pickle.loads(pickle.dumps(part))}) == 1, "hash and equality agree"
        assert Part.from_json(part.to_json()) == part
        with pytest.raises(AttributeError):
            part.octets = b""
    for part in message.parts():
        assert message.find(type(part)) == message.find_all(type(part))[0]
    with pytest.raises(TypeError):
        hash(message)


def canonical(row, octets):
    """The message, attributes as pairs, for these do not tell how a sender had put several into one Vendor-Specific."""
    message = row.decode(octets)
    if isinstance(message, fc.RadiusPacket):
        return message.replace(attributes=fc.Attributes(list(message.attributes)))
    return message


@pytest.mark.parametrize("name", PROTOCOLS)
def test_vectors(name):
    row = PROTOCOLS[name]
    for octets in MESSAGES[name]:
        message = row.decode(octets)
        assert message.encode() == (octets[:int.from_bytes(octets[2:4], "big")] if name in ("radius", "eap") else octets)
        check(row, canonical(row, octets))
    assert len(MESSAGES[name]) >= 2


@pytest.mark.parametrize("name", [name for name, row in PROTOCOLS.items() if row.parts])
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_order_duplicates_and_unknown_content_are_kept(name, data):
    """A vector with its parts doubled, shuffled, and others among them that no class is known for."""
    row = PROTOCOLS[name]
    whole = [m for m in (canonical(row, octets) for octets in MESSAGES[name] if len(octets) < 2000) if hasattr(m, row.parts)]
    message = data.draw(st.sampled_from(whole))
    unknown = st.builds(row.unknown, st.integers(0, 1000), st.binary(max_size=40))
    parts = data.draw(st.permutations([*getattr(message, row.parts), *data.draw(st.lists(unknown, max_size=6))]))
    parts = [part for part in parts if not isinstance(part, (fc.Padding, fc.MobilityPadding))][:20]
    doubled = data.draw(st.lists(st.sampled_from([p for p in parts if not known_single(p)] or [row.unknown(1, b"x")]), max_size=4))
    message = message.replace(**{row.parts: with_parts(row, [*parts, *doubled])})
    check(row, message)
    assert list(getattr(row.decode(message.encode()), row.parts)) == [*parts, *doubled]


def with_parts(row, parts):
    return fc.Attributes(parts) if row.base is fc.RadiusPacket else parts


def known_single(part):
    """Whether two of it are malformed: then they cannot be kept, but are refused."""
    name = part[0] if isinstance(part, tuple) else ""
    return name in ("EAP-Message", "Message-Authenticator") or not isinstance(
        part, (tuple, fc.UnknownExtension, fc.UnknownOption, fc.UnknownAvp, fc.VendorExtension, fc.CriticalVendorExtension))


# ---- signed, changed, signed again

REQUEST = fc.RegistrationRequest(0, 60, IPv4Address(1), IPv4Address(2), IPv4Address(3), 4)
SIGNED = {
    "mip4": (REQUEST.replace(extensions=[fc.Nai("mn"), fc.MnHaAuthentication(256), fc.GeneralizedAuthentication(257)]), [KEY], {},
             {"lifetime": 61}),
    "mip6": (fc.BindingUpdate(1, options=[fc.AuthenticationOption(1, 1024)]), [KEY], ENDS, {"lifetime": 61}),
    "mip6 packet": (fc.MobilityPacket(CARE_OF, AGENT, fc.BindingUpdate(1, options=[fc.AuthenticationOption(2, 3)]), HOME), [KEY], {},
                    {"home_address": IPv6Address(7)}),
    "pana": (fc.PanaMessage(0, 2, 7, 1, [fc.KeyIdAvp(3)]), [{3: KEY}], {}, {"sequence": 2}),
    "gpsk": (fc.EapPacket(2, 1, fc.Gpsk4(b"protected")), [fc.derive_gpsk_keys(bytes(32), b"a", b"b", bytes(32), bytes(32), 2)], {},
             {"body": fc.Gpsk4(b"other", bytes(32))}),
    "access request": (fc.RadiusPacket(1, 1, bytes(16), [("User-Name", "mn"), ("User-Password", "open")]), [SECRET], {}, {"identifier": 2}),
    "accounting": (fc.RadiusPacket(4, 1, b"", [("Acct-Session-Id", "1")]), [SECRET], {}, {"identifier": 2}),
    "access accept": (fc.RadiusPacket(2, 1, b"", [("User-Name", "mn")]), [SECRET, bytes(16)], {}, {"code": 3}),
}


@pytest.mark.parametrize("name", SIGNED)
def test_sign_and_verify(name):
    """What is signed is right; a change makes it wrong, signing again right; the copy is untouched; other keys are refused."""
    message, keys, ends, change = SIGNED[name]
    before = message.to_json()
    signed = message.sign(*keys, **ends)
    assert message.to_json() == before
    assert signed.verify(*keys, **ends) is None
    changed = signed.replace(**change)
    with pytest.raises(fc.AuthenticationError):
        changed.verify(*keys, **ends)
    again = changed.sign(*keys, **ends)
    assert again.verify(*keys, **ends) is None
    assert again.sign(*keys, **ends) == again
    assert again.encode() != signed.encode()
    other = [{3: bytes(16)}] if name == "pana" else [keys[0]._replace(sk=bytes(32))] if name == "gpsk" else [bytes(16), *keys[1:]]
    with pytest.raises(fc.AuthenticationError):
        again.verify(*other, **ends)


@pytest.mark.parametrize("name", ["mip4", "mip6", "pana"])
def test_what_is_not_signed_is_not_authentic(name):
    message, keys, ends, _ = SIGNED[name]
    message = message.replace(avps=[*message.avps, fc.AuthAvp()]) if name == "pana" else message
    with pytest.raises(fc.AuthenticationError, match="not signed") as refusal:
        message.verify(*keys, **ends)
    assert refusal.value.status == fc.Status.NO_AUTHENTICATOR


def test_signing_keeps_algorithms_and_what_has_no_key():
    message = REQUEST.replace(extensions=[fc.MnHaAuthentication(256, bytes(32)), fc.FaHaAuthentication(300, bytes(20)),
                                          fc.MnFaAuthentication(301, b"not mine"), fc.MnParAuthentication(302, bytes(16))])
    keys = {256: KEY, 300: fc.Secret(KEY), 302: fc.Secret(KEY, "hmac-sha256")}
    signed = message.sign(keys)
    assert [len(e.authenticator) for e in signed.extensions] == [32, 20, 8, 32]
    assert signed.extensions[2] == message.extensions[2]
    signed.verify(keys)
    assert len(signed.sign(KEY).extensions[2].authenticator) == 16, "one key for all"
    with pytest.raises(fc.EncodeError, match="no key for SPI 0x1"):
        REQUEST.replace(extensions=[fc.MnHaAuthentication(1)]).sign({2: KEY})
    with pytest.raises(fc.EncodeError, match="RFC 3519"):
        fc.TunnelData(4, b"").sign(KEY)
    auth = fc.PanaMessage(0, 2, 7, 1, [fc.AuthAvp(bytes(16)), fc.KeyIdAvp(3)]).sign(KEY)
    assert [type(a) for a in auth.avps] == [fc.KeyIdAvp, fc.AuthAvp]
    assert len(auth.avps[1].value) == 16, "HMAC-SHA2-256-128, as it was"
    with pytest.raises(fc.AuthenticationError, match="KeyIdAvp"):
        fc.PanaMessage.decode(auth.encode(), keys={4: KEY})


def test_who_it_is():
    assert fc.RadiusPacket(1, 1, attributes=[("User-Name", "mn"), ("User-Name", "other")]).nai() == "mn"
    assert fc.RadiusPacket(1, 1, attributes=[("Class", b"1"), ("Class", b"2")]).find_all("Class") == [b"1", b"2"]
    assert fc.RadiusPacket(1, 1).nai() is fc.EapPacket(3, 1).nai() is fc.AgentSolicitation().nai() is REQUEST.nai() is None
    answer = fc.EapPacket(2, 1, fc.EapIdentity("mn"))
    assert answer.nai() == fc.PanaMessage(0, 2, 1, 1, [fc.EapPayloadAvp(answer.encode())]).nai() == "mn"
    assert fc.EapPacket(1, 1, fc.EapIdentity("who?")).nai() is fc.PanaMessage(0, 2, 1, 1, [fc.EapPayloadAvp(b"none")]).nai() is None
    update = fc.BindingUpdate(1, options=[fc.MobileNodeIdentifierOption(1, "mn")])
    packet = fc.MobilityPacket(CARE_OF, AGENT, update, HOME)
    assert packet.nai() == update.nai() == "mn"
    assert packet.find(fc.MobileNodeIdentifierOption) is update.options[0]


@pytest.mark.parametrize("message", [fc.EapPacket(3, 1), fc.EapPacket(2, 1, fc.EapIdentity("mn")), fc.EapPacket(2, 1, fc.GpskFail(1))])
def test_methods_without_a_code(message):
    keys = SIGNED["gpsk"][1][0]
    with pytest.raises(fc.AuthenticationError, match="no code"):
        message.verify(keys)
    with pytest.raises(fc.EncodeError, match="no code"):
        message.sign(keys)


# ---- batches of lists

def test_batches_of_lists():
    keys = {spi: b"key %d" % spi for spi in range(256, 266)}
    replies = [fc.RegistrationReply(0, k, IPv4Address(1), IPv4Address(2), k, [fc.MnHaAuthentication(256 + k % 12, bytes(16))]
                                    ).sign({256 + k % 12: b"key %d" % (256 + k % 12)}).encode() for k in range(50)]
    batch = fc.RegistrationBatch.from_datagrams([*replies, b"", b"\1"])
    assert batch.datagrams() == [*replies, b"", b"\1"]
    assert [fc.Status(s) for s in batch.verify(fc.KeyTable(keys), authenticator="mn_ha")] == [
        fc.Status.OK if k % 12 < 10 else fc.Status.NO_AUTHENTICATOR for k in range(50)] + [fc.Status.TOO_SHORT, fc.Status.WRONG_TYPE]
    assert len(fc.RegistrationBatch.from_datagrams([])) == len(fc.MobilityBatch.from_datagrams(iter(()))) == 0
    assert fc.RegistrationBatch.from_datagrams([b""], 3).type == 3
    packets = [fc.RadiusPacket(1, k, bytes([k]) * 16, [("User-Name", f"mn{k}")]).encode(SECRET) for k in range(20)]
    rows = fc.RadiusBatch.from_datagrams(map(memoryview, packets))
    assert rows.datagrams() == packets
    assert not rows.verify(fc.SecretArray([SECRET])).any()


def test_mobility_batch_by_spi():
    keys = {spi: b"key %d" % spi for spi in range(1024, 1034)}
    updates = [fc.BindingUpdate(k, options=[fc.AuthenticationOption(1, 1024 + k % 12)] if k % 5 else []).sign(
        {1024 + k % 12: b"key %d" % (1024 + k % 12)}, **ENDS).encode() for k in range(60)]
    batch = fc.MobilityBatch.from_datagrams(updates)
    status = [fc.Status(s) for s in batch.verify(fc.KeyTable(keys), HOME, CARE_OF)]
    assert status == [fc.Status.OK if k % 5 and k % 12 < 10 else fc.Status.NO_AUTHENTICATOR for k in range(60)]
    batch = fc.MobilityBatch.from_datagrams([u for u, s in zip(updates, status, strict=True) if s == fc.Status.OK])
    batch.fixed["sequence"] = 7
    assert not batch.sign(fc.KeyTable(keys), HOME, CARE_OF).any()
    assert not batch.fill_checksums(HOME, AGENT).any()
    for data in batch.datagrams():
        assert fc.MobilityMessage.decode(data, keys, **ENDS).sequence == 7
