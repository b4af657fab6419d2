"""Messages in hexadecimal: what they are is told by their own lengths and types, or by the user."""
from __future__ import annotations

import re
from collections.abc import Callable

from fastcodec.headers import checksum
from loadgen.decode.agents import ADVERTISEMENT, SOLICITATION
from loadgen.errors import UsageError

SEPARATORS = re.compile(r"[\s:.,-]|0x")
MIP4_TYPES = frozenset({1, 3, 4, 7, 15, 22, 23})


def octets_of(text: str) -> bytes:
    """UsageError says what is no hexadecimal in it."""
    digits = SEPARATORS.sub("", text)
    try:
        return bytes.fromhex(digits)
    except ValueError:
        odd = "an odd number of digits" if len(digits) % 2 and not re.search(r"[^0-9a-fA-F]", digits) else "other characters"
        raise UsageError(f"{text.strip()[:40]!r}: is no hexadecimal: it has {odd}") from None


def kind_of(octets: bytes) -> str:
    """"ethernet", "ip", "radius", "mip6", "icmp", "pana" or "mip4"; UsageError when nothing fits."""
    found = next((kind for kind, fits in KINDS.items() if fits(octets, len(octets))), None)
    if found is None:
        raise UsageError(f"{len(octets)} octets that are neither an IP packet, RADIUS, PANA, Mobile IPv4 nor Mobile IPv6 by "
                         "their own type and length; say --as PROTOCOL")
    return found


def number(octets: bytes, offset: int) -> int:
    return int.from_bytes(octets[offset:offset + 2], "big")


def is_ip(octets: bytes, size: int) -> bool:
    if size >= 20 and octets[0] >> 4 == 4:
        return number(octets, 2) == size
    return size >= 40 and octets[0] >> 4 == 6 and number(octets, 4) == size - 40


def is_ethernet(octets: bytes, size: int) -> bool:
    """A frame around an IP packet, without VLAN tags; a short one is padded."""
    if octets[12:14] == b"\x08\0" and size >= 34:
        return octets[14] >> 4 == 4 and 20 <= number(octets, 16) <= size - 14 and (number(octets, 16) == size - 14 or size <= 64)
    return octets[12:14] == b"\x86\xdd" and size >= 54 and octets[14] >> 4 == 6 and number(octets, 18) == size - 54


KINDS: dict[str, Callable[[bytes, int], bool]] = {       # in this order
    "ethernet": is_ethernet,
    "ip": is_ip,
    "pana": lambda octets, size: size >= 16 and octets[:2] == b"\0\0" and number(octets, 2) == size and size % 4 == 0,
    "radius": lambda octets, size: size >= 20 and number(octets, 2) == size,
    "mip6": lambda octets, size: size >= 8 and octets[0] == 59 and (octets[1] + 1) * 8 == size,     # RFC 6275 6.1.1
    "icmp": lambda octets, size: size >= 8 and octets[0] in (ADVERTISEMENT, SOLICITATION) and checksum(octets) == 0,
    "mip4": lambda octets, size: size > 0 and octets[0] in MIP4_TYPES}
