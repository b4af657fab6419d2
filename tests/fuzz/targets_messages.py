"""Single messages of every protocol, their tunnels, and how they are shown."""
from __future__ import annotations

import json
from ipaddress import IPv4Address

from rules import BY_SPI, KEY, REQUEST, SECRET, attempt, must, one_way_to_write, there_and_back

import fastcodec as fc
from fastcodec import FastcodecError
from fastcodec.tunnel import TunnelKind, unwrap, wrap

GPSK_KEYS = [fc.derive_gpsk_keys(bytes(32), b"mn", b"aaah", bytes(32), bytes(32), suite) for suite in (1, 2)]
ENDS = (IPv4Address("192.0.2.1"), IPv4Address("192.0.2.2"))

# ---- single messages -------------------------------------------------------------------------------------------------

def mip4(data: bytes) -> None:
    message = there_and_back(fc.Mip4Message.decode, data)
    if message is not None:
        must(message.encode() == data, "is not encoded as it was", data, message.encode())
    attempt(fc.Mip4Message.decode, data, KEY)
    attempt(fc.Mip4Message.decode, data, BY_SPI)


def lint(data: bytes) -> None:
    """What cannot be decoded has a finding; a message has those of its octets."""
    found = fc.lint(data)
    for finding in found:
        must(0 <= finding.offset <= len(data), "a finding beyond the message", finding)
        must(str(finding.offset) in str(finding) and bool(finding.section), "a finding that says nothing", finding)
    cls = fc.AgentMessage if data[:1] in (b"\x09", b"\x0a") else fc.Mip4Message
    message = attempt(cls.decode, data)
    must(message is not None or bool(found), "cannot be decoded, and has no finding", data)
    if message is not None and message.encode() == data:
        must(fc.lint(message) == found, "a message has other findings than its octets", data, found, fc.lint(message))


def radius(data: bytes) -> None:
    packet = there_and_back(fc.RadiusPacket.decode, data)
    if packet is not None:
        length = int.from_bytes(data[2:4], "big")
        if packet.attributes.canonical:
            must(packet.encode() == data[:length], "canonical, and not encoded as it was", data, packet.encode())
        for name, _ in packet.attributes:
            packet.attributes.get(name)
            packet.attributes.all(name)
        must(fc.Attributes.from_octets(data[20:length]) == packet.attributes, "other attributes of the same octets", data)
        within_limits(data, length, packet)
    for request in (None, REQUEST):
        shown = attempt(fc.RadiusPacket.decode, data, SECRET, request, require=False)
        if shown is not None:
            list(shown.attributes)
    attempt(fc.verify_request, data, SECRET)
    attempt(fc.verify_response, data, SECRET, REQUEST)


def within_limits(data: bytes, length: int, packet: fc.RadiusPacket) -> None:
    """Limits that the authenticator names are kept, and nothing else changes under them."""
    longest, most, depth = 20 + 4 * data[4], data[5] % 32, data[6] % 12
    limited = attempt(fc.RadiusPacket.decode, data, longest=longest, most_attributes=most, depth=depth)
    count, at = 0, 20
    while at < length:
        at, count = at + data[at + 1], count + 1
    must((limited is not None) == (length <= longest and count <= most), "a limit that is not kept", data, longest, most, count)
    if limited is not None:
        must(limited.encode() == data[:length], "is not encoded as it was", data)
        must(deepest(list(limited.attributes)) <= depth, "deeper than asked for", data, depth, limited)


def deepest(pairs: list[tuple[str, object]]) -> int:
    return max((1 + deepest(value) for _, value in pairs if isinstance(value, list) and value and isinstance(value[0], tuple)), default=0)


def mobility(data: bytes) -> None:
    there_and_back(fc.MobilityMessage.decode, data)
    attempt(fc.MobilityMessage.decode, data, KEY, source="2001:db8::1", destination="2001:db8::2", care_of_address="2001:db8::3")


def mobility_packet(data: bytes) -> None:
    there_and_back(fc.MobilityPacket.decode, data)
    attempt(fc.MobilityPacket.decode, data, KEY)


def eap(data: bytes) -> None:
    packet = there_and_back(fc.EapPacket.decode, data)
    if packet is not None:
        length = int.from_bytes(data[2:4], "big")
        must(packet.encode() == data[:length], "is not encoded as it was", data, packet.encode())
        attempt(fc.verify_eap_md5, packet, KEY, b"challenge")
        for keys in GPSK_KEYS:
            attempt(packet.verify, keys)
            signed_and_right(packet, keys)


def signed_and_right(packet: fc.EapPacket, keys: fc.GpskKeys) -> None:
    try:
        signed = packet.sign(keys)
    except fc.EncodeError as error:
        must(not hasattr(packet.body, "code"), "has a code, and cannot be signed", packet, error)
        return
    signed.verify(keys)
    if getattr(signed.body, "suite", keys.suite) == keys.suite:          # a code of the suite that the message names
        fc.EapPacket.decode(signed.encode()).verify(keys)


def pana(data: bytes) -> None:
    for strict in (True, False):
        message = there_and_back(lambda octets, strict=strict: fc.PanaMessage.decode(octets, strict=strict), data)
        if message is not None:
            must(message.encode() == data, "is not encoded as it was", data, message.encode())
    attempt(fc.PanaMessage.decode, data, KEY)


def agents(data: bytes) -> None:
    for cls in (fc.AgentAdvertisement, fc.AgentSolicitation):
        message = there_and_back(cls.decode, data)
        if message is not None:          # 0xffff is the other zero of one's complement, which no sender computes (RFC 1071)
            must(message.encode() == data or data[2:4] == b"\xff\xff", "is not encoded as it was", data, message.encode())


def headers(data: bytes) -> None:
    at = attempt(fc.look, data)
    if at is not None:
        must(at.upper + len(at.payload) <= len(data) + 8, "looks beyond the packet", at)
    for kind in TunnelKind:
        wrapped_and_back(kind, data)


def wrapped_and_back(kind: TunnelKind, data: bytes) -> None:
    """What is wrapped comes out again, unless it is one of those that nobody sends through a tunnel (RFC 4213 3.6)."""
    try:
        outer = wrap(kind, data, *ENDS)
    except FastcodecError:
        return
    out = attempt(unwrap, outer, check_source=False)
    if out is not None:
        must(kind == TunnelKind.TUNNEL_MINIMAL or bytes(out.inner) == data[:len(out.inner)], "another packet comes out", kind, data, out)


def tunnels(data: bytes) -> None:
    """Through as many tunnels as there are; the last two octets say what GRE takes."""
    packet = data
    for _ in range(8):
        out = attempt(unwrap, packet, check_source=False)
        if out is None:
            break
        must(len(out.inner) <= len(packet), "more comes out than was in it", packet, out)
        str(out.outer), str(out.header)
        must(attempt(unwrap, packet) in (out, None), "another one where the source is looked at", packet)
        packet = bytes(out.inner)
    flags = data[-1] if data else 0
    again = options_and_back(packet, data[-2] if len(data) > 1 and flags & 1 else None, data[0] if flags & 2 else None, bool(flags & 4))
    must(again is None or (again == packet[:len(again)] and len(again) >= 20), "another packet comes out", packet, again)


def options_and_back(packet: bytes, key: int | None, sequence: int | None, checksum: bool) -> bytes | None:
    try:
        outer = wrap(TunnelKind.TUNNEL_GRE, packet, *ENDS, key=key, sequence=sequence, checksum=checksum)
    except FastcodecError:
        return None
    out = attempt(unwrap, outer, check_source=False)
    must(out is not None and (out.key, out.sequence) == (key, sequence), "another key or sequence number, or nothing", outer, out)
    return bytes(out.inner)


MESSAGES = (fc.Mip4Message, fc.RadiusPacket, fc.MobilityMessage, fc.EapPacket, fc.PanaMessage, fc.AgentAdvertisement, fc.MobilityPacket)


def shown(data: bytes) -> None:
    """Every decoded message can be printed and made plain, in two ways, and comes back from that."""
    for cls in MESSAGES:
        message = attempt(cls.decode, data)
        if message is not None:
            str(message)
            repr(message)
            values, text = message.to_dict(), message.to_json()
            must(json.loads(text) == values, "JSON of another message", message, text)
            if one_way_to_write(message):
                must(type(message).from_dict(values) == message, "another message after to_dict", message)
                must(type(message).from_json(text) == message, "another message after to_json", message)
