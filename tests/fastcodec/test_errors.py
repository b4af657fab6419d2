"""Errors say what is wrong, where, and which section of which RFC says so."""
import json
import pickle
import re
from ipaddress import IPv4Address
from pathlib import Path

import pytest

import fastcodec as fc
from fastcodec.overlay import BOUND
from fastcodec.sections import SECTIONS, section_of

VECTORS = Path(__file__).parents[1] / "vectors"
CITED = re.compile(r"\(.*RFC \d+( \d+(\.\d+)*)?.*\)")
KEY = bytes(range(16))
CHECKS = {
    "mip4": lambda data: fc.Mip4Message.decode(data, keys=KEY), "mip6": lambda data: fc.MobilityMessage.decode(
        data, keys=KEY, source="2001:db8:100::25", destination="2001:db8:100::1", care_of_address="2001:db8::1"),
    "radius": lambda data: fc.RadiusPacket.decode(data, secret=KEY), "eap": lambda data: fc.EapPacket.decode(data).verify(KEYS),
    "pana": lambda data: fc.PanaMessage.decode(data, keys=KEY), "icmp": fc.AgentMessage.decode, "ip": fc.look, "tunnel": fc.unwrap,
    "packet": lambda data: fc.MobilityPacket.decode(data, keys=KEY)}
KEYS = fc.derive_gpsk_keys(bytes(32), b"peer", b"server", bytes(32), bytes(32), 2)


def vectors(kind):
    for file in sorted(VECTORS.glob("*.json")):
        for vector in json.loads(file.read_text())["vectors"]:
            if vector.get("proto", vector["kind"]) == kind and "message_hex" in vector:
                yield bytes.fromhex(vector["message_hex"])


def octets_of(kind):
    """All vectors of a protocol, cut short and under another key: nearly all are refused."""
    if kind in ("ip", "tunnel", "packet"):
        inner = fc.ipv6_packet("2001:db8::1", "2001:db8::2", fc.Protocol.MOBILITY_HEADER, bytes.fromhex("3b0105005fc10001c000000a01020000"))
        given = [fc.wrap(fc.TunnelKind.TUNNEL_GRE, inner, "192.0.2.1", "192.0.2.2"), inner]
    else:
        given = list(vectors(kind))
    for data in given:
        yield data
        yield from (data[:k] for k in range(min(len(data), 120)))


def refusal_of(check, data):
    try:
        check(data)
    except fc.RemoteError as error:
        return error
    return None


@pytest.mark.parametrize("kind", CHECKS)
def test_refusals_cite(kind):
    refused = 0
    for data in octets_of(kind):
        error = refusal_of(CHECKS[kind], data)
        if error:
            refused += 1
            assert error.field, data.hex()
            assert 0 <= error.offset <= len(data), data.hex()
            assert CITED.search(str(error)), str(error)
            assert f"at offset {error.offset}" in str(error)
            assert error.section.startswith("RFC ")
            assert pickle.loads(pickle.dumps(error)).args == error.args
    assert refused > 20


def test_every_class_has_a_section():
    classes = [*BOUND, fc.EapPacket, fc.RadiusPacket, fc.AgentAdvertisement, fc.AgentSolicitation, fc.MobilityPacket]
    assert [cls.__name__ for cls in classes if not SECTIONS.get(cls.__name__) or SECTIONS[cls.__name__] != section_of(cls)] == []
    assert len(BOUND) > 100


A = IPv4Address(1)


@pytest.mark.parametrize(("message", "text"), [
    (fc.RegistrationRequest(0, 1 << 16, A, A, A, 1), "RegistrationRequest.lifetime: 65536 does not fit 2 octets (RFC 5944 3.3)"),
    (fc.RegistrationReply(0, 1, A, A, 1, [fc.Nai("")]), "Nai.nai: 0 octets, 1 to 255 allowed (RFC 2794 2)"),
    (fc.RegistrationReply(0, 1, A, A, 1, [fc.MnHaAuthentication(256)]),
     "MnHaAuthentication.authenticator: empty, and no key for SPI 0x100 (RFC 5944 3.5.2)"),
    (fc.RegistrationReply(0, 1, A, A, 1, [fc.NonceAvp(b"")]), "extensions: NonceAvp is no extension (RFC 5944 1.8)"),
    (fc.BindingUpdate(1 << 16), "BindingUpdate.sequence: 65536 does not fit 2 octets (RFC 6275 6.1.7)"),
    (fc.PanaMessage(0, 1 << 16, 1, 1), "PanaMessage.type: 65536 does not fit 2 octets (RFC 5191 6.2)"),
    (fc.EapPacket(9, 1), "EapPacket.body: code 9 has a body (RFC 3748 4.1, 4.2)"),
    (fc.AgentSolicitation(300), "AgentSolicitation.code: 300 does not fit 1 octets (RFC 5944 2.2)"),
    (fc.RadiusPacket(300, 1), "RadiusPacket.code: 300 does not fit 1 octets (RFC 2865 3)"),
    (fc.RadiusPacket(1, 1, attributes=[("User-Name", "")]), "User-Name: 0 octets, 1 to 253 allowed (RFC 2865 5)"),
    (fc.RadiusPacket(1, 1, attributes=[("Framed-IP-Address", "x")]), "Framed-IP-Address: 'x' is no IPv4 address (RFC 2865 5)"),
    (fc.RadiusPacket(1, 1, attributes=[("NAS-Port", 1 << 32)]), "NAS-Port: 4294967296 does not fit 4 octets (RFC 2865 5)")])
def test_what_does_not_encode_is_named(message, text):
    with pytest.raises(fc.EncodeError) as refusal:
        message.encode()
    assert str(refusal.value).startswith(text)


def test_status_and_offset_of_what_is_not_authentic():
    request = fc.RegistrationRequest(0, 1, A, A, A, 1, [fc.MnHaAuthentication(256, bytes(16))])
    with pytest.raises(fc.AuthenticationError) as wrong:
        request.verify(KEY)
    assert (wrong.value.offset, wrong.value.section) == (30, "RFC 5944 3.5.2")
    with pytest.raises(fc.AuthenticationError) as absent:
        request.replace(extensions=[]).verify(KEY)
    assert (absent.value.offset, absent.value.status) == (24, fc.Status.NO_AUTHENTICATOR)
    with pytest.raises(fc.AuthenticationError) as nowhere:
        fc.MobilityMessage.decode(fc.BindingUpdate(1, options=[fc.AuthenticationOption(1, 9, bytes(12))]).encode(), KEY)
    assert nowhere.value.offset is None
    assert "RFC 4285" in str(nowhere.value)
