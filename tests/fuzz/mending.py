"""Lengths and checksums put right after a mutation, so that what stands behind them is reached."""
from __future__ import annotations

from fastcodec.headers import DSMIPV6_PORT, MOBILE_IP_PORT, TUNNEL_DATA, Location, Protocol, checksum, look

IP_INSIDE = (Protocol.IP_IN_IP, Protocol.IPV6_IN_IP)
LATER_PART = 0x1fff            # the offset of a fragment, RFC 791 3.1
GRE_CHECKSUM, GRE_KEY, GRE_SEQUENCE = 0x8000, 0x2000, 0x1000
HEAD = 4                       # octets before a frame: link, octets not captured, length of two octets


def number(octets: bytearray, at: int) -> int:
    return int.from_bytes(octets[at:at + 2], "big")


def put(octets: bytearray, at: int, value: int) -> None:
    if at + 2 <= len(octets):
        octets[at:at + 2] = (value & 0xffff).to_bytes(2, "big")


def length(data: bytes) -> bytes:
    """RADIUS, EAP and PANA say their length in octets 2 and 3."""
    octets = bytearray(data)
    put(octets, 2, len(octets))
    return bytes(octets)


def whole_words(data: bytes) -> bytes:
    """PANA: AVPs end at multiples of four octets, RFC 5191 6.3."""
    return length(data + bytes(-len(data) % 4))


def mobility(data: bytes) -> bytes:
    """Header Len counts units of 8 octets, RFC 6275 6.1.1."""
    octets = bytearray(data + bytes(-len(data) % 8))
    if len(octets) >= 8:
        octets[0], octets[1] = 59, (len(octets) // 8 - 1) & 0xff
    return bytes(octets)


def icmp(data: bytes) -> bytes:
    octets = bytearray(data)
    put(octets, 2, 0)
    put(octets, 2, checksum(bytes(octets)))
    return bytes(octets)


def ip(data: bytes) -> bytes:
    """An IP packet, and those in it."""
    octets = bytearray(data)
    if octets and octets[0] >> 4 == 6 and len(octets) >= 40:
        mend6(octets)
    elif octets and octets[0] >> 4 == 4 and len(octets) >= 20 <= (octets[0] & 15) * 4 <= len(octets):
        mend4(octets)
    return bytes(octets)


def mend6(octets: bytearray) -> None:
    put(octets, 4, len(octets) - 40)
    if octets[6] in IP_INSIDE:
        octets[40:] = ip(bytes(octets[40:]))
    at = found(octets)
    if at is not None and at.protocol in (Protocol.MOBILITY_HEADER, Protocol.PROTOCOL_UDP):
        place = at.upper + (4 if at.protocol == Protocol.MOBILITY_HEADER else 6)
        put(octets, place, 0)
        sum_ = len(octets) - at.upper + at.protocol + sum(0xffff ^ checksum(end.packed) for end in (at.source, at.destination))
        put(octets, place, checksum(bytes(octets[at.upper:]), sum_))


def found(octets: bytearray) -> Location | None:
    try:
        return look(bytes(octets))
    except ValueError:
        return None


def mend4(octets: bytearray) -> None:
    head = (octets[0] & 15) * 4
    put(octets, 2, len(octets))
    if not number(octets, 6) & LATER_PART:
        octets[head:] = upper(octets[9], octets[head:])
    put(octets, 10, 0)
    put(octets, 10, checksum(bytes(octets[:head])))


def upper(protocol: int, octets: bytearray) -> bytearray:
    """What stands behind an IPv4 header, or behind that of tunnel data."""
    if protocol in IP_INSIDE:
        return bytearray(ip(bytes(octets)))
    if protocol == Protocol.GRE and len(octets) >= 4:
        return gre(octets)
    if protocol == Protocol.MINIMAL and len(octets) >= 8:
        size = 12 if octets[1] & 0x80 else 8
        put(octets, 2, 0)
        put(octets, 2, checksum(bytes(octets[:size])))
    if protocol == Protocol.PROTOCOL_UDP and len(octets) >= 8:
        put(octets, 4, len(octets))
        put(octets, 6, 0)                                   # none, RFC 768
        ports = number(octets, 0), number(octets, 2)
        if DSMIPV6_PORT in ports:
            octets[8:] = ip(bytes(octets[8:]))
        elif MOBILE_IP_PORT in ports and octets[8:9] == bytes((TUNNEL_DATA,)) and len(octets) >= 12:
            octets[12:] = upper(octets[9], octets[12:])
    return octets


def gre(octets: bytearray) -> bytearray:
    flags = number(octets, 0)
    at = 4 + 4 * sum(flags & bit != 0 for bit in (GRE_CHECKSUM, GRE_KEY, GRE_SEQUENCE))
    octets[at:] = ip(bytes(octets[at:]))
    if flags & GRE_CHECKSUM and len(octets) >= 8:
        put(octets, 4, 0)
        put(octets, 4, checksum(bytes(octets)))
    return octets


def frames(data: bytes) -> bytes:
    """Frames as `targets_decode` takes them: the last one is as long as the input."""
    from targets_decode import LINKS, cut_up

    from loadgen.decode.links import peel

    out = []
    for link, missing, octets in cut_up(data):
        peeled = peel(LINKS[link % len(LINKS)], octets)
        whole = octets if peeled is None else octets[:peeled[1]] + ip(octets[peeled[1]:])
        out.append(bytes((link, missing)) + len(whole).to_bytes(2, "big") + whole)
    return b"".join(out)
