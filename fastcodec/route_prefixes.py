"""The networks of a Route Optimization Prefix Advertisement: prefixes told as differences, realms by a dictionary. RFC 6521 4, 5.5."""
from __future__ import annotations

from ipaddress import IPv4Address
from typing import NamedTuple

from fastcodec.errors import DecodeError
from fastcodec.status import Status

__all__ = ["RoutePrefix", "route_prefixes"]

DELTA, ROUTER, LENGTH = 0x80, 0x40, 0x3f         # of the first octet of an entry, RFC 6521 5.5
OUTBOUND_ONLY = 1                                # instead of a length where it is a router
INDEX = 0x80                                     # a label that was told before, RFC 6521 4.2.1
MOST_STRINGS = 128                               # in the dictionary; then the oldest are overwritten
MOST_REALM = 255                                 # octets: as long as a domain name, RFC 1035 2.3.4


class RoutePrefix(NamedTuple):
    """A network, and the mobile router that it is reached through; `length` is of its prefix, `outbound_only` says that the
    router can only initiate connections. A router without networks has `address` None."""

    router: IPv4Address
    outbound_only: bool
    address: IPv4Address | None = None
    length: int = 0
    realm: str = ""


class Reader:
    """Octets, and what was told so far."""

    def __init__(self, octets: bytes) -> None:
        self.octets, self.at = octets, 0
        self.strings: list[bytes] = []           # the dictionary, and
        self.next = 0                            # where its next string goes
        self.master: int | None = None           # the last prefix that was told whole

    def refuse(self, reason: str) -> DecodeError:
        return DecodeError("RouteOptimizationPrefixes.value", self.at, f"{reason} (RFC 6521 5.5)", Status.BAD_EXTENSION)

    def take(self, size: int) -> bytes:
        if size > len(self.octets) - self.at:
            raise self.refuse(f"{size} octets, {len(self.octets) - self.at} are left")
        self.at += size
        return self.octets[self.at - size:self.at]

    def remember(self, string: bytes) -> None:
        if len(self.strings) < MOST_STRINGS:
            self.strings.append(string)
        else:
            self.strings[self.next] = string
        self.next = (self.next + 1) % MOST_STRINGS

    def prefix(self, length: int, is_delta: bool) -> int:
        """RFC 6521 4.1: the octets that a prefix of that length has, or the eight bits that end where it ends."""
        if length > 32:
            raise self.refuse(f"a prefix of {length} bits")
        if not is_delta:
            octets = self.take((length + 7) // 8)
            self.master = int.from_bytes(octets.ljust(4, b"\0"), "big")
            return self.master
        if self.master is None:
            raise self.refuse("a difference from no prefix")
        bits, width, shift = self.take(1)[0], min(8, length), 32 - length
        kept = self.master >> (shift + width) << (shift + width)
        return kept | (bits & ((1 << width) - 1)) << shift

    def realm(self) -> str:
        """RFC 6521 4.2: labels, told whole or by where they were told before, up to a zero."""
        parts: list[bytes] = []
        fresh: list[bytes] = []                  # labels since the last that was told before
        while tag := self.take(1)[0]:
            if tag & INDEX:
                number = tag & ~INDEX
                if number >= len(self.strings):
                    raise self.refuse(f"label {number} of {len(self.strings)} told")
                parts.append(self.strings[number])
                fresh = []
            else:
                label = self.take(tag)
                parts.append(label)
                fresh.append(label)
                self.remember(label)
            if sum(map(len, parts)) + len(parts) > MOST_REALM:
                raise self.refuse(f"a realm of more than {MOST_REALM} octets")
        for first in range(len(fresh) - 1):      # all suffixes longer than one label, RFC 6521 4.2.2
            self.remember(b".".join(fresh[first:]))
        return b".".join(parts).decode("utf-8", "surrogateescape")


def route_prefixes(octets: bytes) -> list[RoutePrefix]:
    """The networks in the value of an advertisement, and the routers that have none; DecodeError."""
    reader, found = Reader(octets), list[RoutePrefix]()
    router: RoutePrefix | None = None
    alone = False
    while reader.at < len(octets):
        head = reader.take(1)[0]
        if head & ROUTER:
            if router is not None and alone:
                found.append(router)
            router, alone = RoutePrefix(IPv4Address(reader.take(4)), head & LENGTH == OUTBOUND_ONLY), True
        elif router is None:
            raise reader.refuse("a prefix before any mobile router")
        else:
            address = IPv4Address(reader.prefix(head & LENGTH, bool(head & DELTA)))
            found.append(router._replace(address=address, length=head & LENGTH, realm=reader.realm()))
            alone = False
    return [*found, router] if router is not None and alone else found
