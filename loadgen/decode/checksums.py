"""Checksums of a captured packet, and those that a network card was to fill in when the packet was captured before it."""
from __future__ import annotations

from fastcodec.headers import Location, Protocol, checksum


def header_is_right(packet: bytes | memoryview) -> bool:
    """Of a whole IPv4 packet, RFC 791 3.1; zero is one that was left to the network card."""
    return checksum(packet[:(packet[0] & 15) * 4]) == 0 or packet[10:12] == b"\0\0"


def left_to_hardware(packet: bytes | memoryview, at: Location) -> bool:
    """Whether a UDP checksum is only the sum of its pseudo header (RFC 768), which is what a card completes."""
    if at.protocol != Protocol.PROTOCOL_UDP:
        return False
    udp = bytes(packet[at.upper:at.upper + 8])
    length = int.from_bytes(udp[4:6], "big")
    pseudo = at.source.packed + at.destination.packed + bytes((0, at.protocol)) + length.to_bytes(2, "big")
    return int.from_bytes(udp[6:8], "big") == 0xffff ^ checksum(pseudo)
