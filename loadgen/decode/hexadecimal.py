"""Messages in hexadecimal: what they are is told by their own lengths and types, or by the user."""
from __future__ import annotations

import re

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
        raise UsageError(f"'{text[:40]}': is no hexadecimal: it has {odd}") from None


def kind_of(octets: bytes) -> str:
    """"ip", "radius", "mip6" or "mip4"; UsageError when nothing fits."""
    size = len(octets)
    if size >= 20 and octets[0] >> 4 == 4 and int.from_bytes(octets[2:4], "big") == size:
        return "ip"
    if size >= 40 and octets[0] >> 4 == 6 and int.from_bytes(octets[4:6], "big") == size - 40:
        return "ip"
    if size >= 20 and 20 <= int.from_bytes(octets[2:4], "big") == size:
        return "radius"
    if size >= 8 and octets[0] == 59 and (octets[1] + 1) * 8 == size:       # payload proto of RFC 6275 6.1.1
        return "mip6"
    if octets and octets[0] in MIP4_TYPES:
        return "mip4"
    raise UsageError(f"{size} octets that are neither an IP packet, RADIUS, Mobile IPv4 nor Mobile IPv6 by their own "
                     "type and length; say --as PROTOCOL")
