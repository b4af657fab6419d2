"""Loads that go on while servers die, and know what they were promised: a fleet of mobile nodes, a NAS that accounts."""
from __future__ import annotations

import asyncio
import hashlib
import socket
import struct
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import replace
from ipaddress import IPv4Network, IPv6Address, IPv6Network
from pathlib import Path
from types import TracebackType

from loadgen.cli import load
from loadgen.cli.main import build_parser
from loadgen.engine import FOREVER, Engine
from loadgen.leases import LeaseCheck
from loadgen.plan import Expectation
from loadgen.status import Status
from tests.e2e.places import SECRET, Place

ACKNOWLEDGED = ("access", "registration", "renewal", "release")
IPV6_PREFIX, HOME_AGENT = IPv6Network("2001:db8:f:1::/64"), IPv6Address("2001:db8:100:0:ffff::1")  # unless configured
LONGEST = "600"                # s; a load ends when it is told to


class FleetLoad:
    """The nodes of a realm, over and over again, against servers that come and go. Use it as a context manager."""

    def __init__(self, place: Place, csv: Path, aaah: str, fha: str | None, *options: str) -> None:
        arguments = place.load(aaah, fha, *options, "-d", LONGEST, "--timeout", "0.2", "--tries", "6", "-q")
        arguments[arguments.index("--secret-file") + 1] = str(place.folder / "secret")
        arguments[arguments.index("--subscribers") + 1] = str(csv)
        plan = load.plan_of(build_parser().parse_args(arguments))
        assert plan.target is not None
        expected = Expectation(IPv4Network(place.pool), IPV6_PREFIX, HOME_AGENT)
        self.target = replace(plan.target, expected=expected)
        self.engine = Engine(plan, self.target)
        self.realm = self.target.subscribers.nai[0].partition(b"@")[2]

    def __enter__(self) -> FleetLoad:
        self.engine.__enter__()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.engine.__exit__(kind, error, trace)

    async def run(self) -> None:
        self.engine.attach()
        await self.engine.run(FOREVER, float(LONGEST), 0, Status(quiet=True), lambda: None)

    def stop(self) -> None:
        """Nodes that stay leave, those under way come to their end."""
        self.engine.interrupted = True
        self.engine.fleet.stop()
        if self.engine.driver:
            self.engine.driver.pump.on_timer()

    def acked(self) -> int:
        tallies = self.engine.fleet.tallies()
        return sum(tallies[step][1] for step in ACKNOWLEDGED if step in tallies)

    def held(self) -> dict[bytes, bytes]:
        """{NAI: THOAv4} that nodes hold with certainty now."""
        nai = self.target.subscribers.nai
        return {nai[node]: address for node, address in self.engine.fleet.leases(time.monotonic_ns()).items()}

    def faults(self, leases: dict[bytes, bytes]) -> Iterator[str]:
        """What an FHA's leases must not be, and what nodes have seen that must never happen (I1, I2, I3, I13)."""
        check, nai = LeaseCheck(self.engine.fleet), self.target.subscribers.nai
        check.take({owner: address for owner, address in leases.items() if owner.endswith(self.realm)})
        for node, address in check.missing(time.monotonic_ns()):
            yield f"lost: {nai[node].decode()} was given {socket.inet_ntoa(address)}"
        for owner, address in check.unasked().items():
            yield f"unasked: {owner.decode()} has {socket.inet_ntoa(address)}"
        yield from (f"violation: {one}" for one in self.engine.fleet.violations()[0])


class AccountingLoad(AbstractContextManager["AccountingLoad"]):
    """A NAS that sends Accounting-Requests (RFC 2866), the same octets again until they are acknowledged."""

    SOCKETS, EVERY_S, AT_ONCE, AGAIN_S = 8, 0.01, 2, 0.2

    def __init__(self, server: tuple[str, int]) -> None:
        self.server, self.going = server, True
        self.sockets = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(self.SOCKETS)]
        self.waiting: dict[tuple[int, int], tuple[bytes, float]] = {}   # (socket, identifier): octets, when they were sent
        self.sent: set[bytes] = set()
        self.done: set[bytes] = set()
        for made in self.sockets:
            made.bind(("127.0.0.1", 0))
            made.setblocking(False)

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        for made in self.sockets:
            made.close()

    def acked(self) -> int:
        return len(self.done)

    def stop(self) -> None:
        self.going = False

    async def run(self) -> None:
        number = 0
        while self.going:
            for _ in range(self.AT_ONCE):
                place = number % self.SOCKETS, number // self.SOCKETS % 256
                if place not in self.waiting:
                    self.send(place, accounting_request(place[1], number))
                number += 1
            self.hear()
            for place, (octets, when) in list(self.waiting.items()):
                if time.monotonic() > when + self.AGAIN_S:
                    self.send(place, octets)
            await asyncio.sleep(self.EVERY_S)

    def send(self, place: tuple[int, int], octets: bytes) -> None:
        self.sockets[place[0]].sendto(octets, self.server)
        self.waiting[place] = octets, time.monotonic()
        self.sent.add(octets)

    def hear(self) -> None:
        for index, made in enumerate(self.sockets):
            while True:
                try:
                    answer = made.recv(4096)
                except BlockingIOError:
                    break
                request, _ = self.waiting.get((index, answer[1]), (b"", 0.0))
                if request and answer == response_to(request):
                    del self.waiting[index, answer[1]]
                    self.done.add(request)


def accounting_request(identifier: int, number: int) -> bytes:
    """An interim update (RFC 2866 section 5.1) of a session that bears the number."""
    session = f"{number:08x}".encode()
    attributes = (bytes([44, 2 + len(session)]) + session + struct.pack("!BBI", 40, 6, 3) + bytes([4, 6, 127, 0, 0, 1])
                  + bytes([1, 6]) + b"node")
    head = struct.pack("!BBH", 4, identifier, 20 + len(attributes))
    return head + hashlib.md5(head + bytes(16) + attributes + SECRET.encode()).digest() + attributes


def response_to(request: bytes) -> bytes:
    """The Accounting-Response, without attributes, that the server must send (RFC 2866 section 3)."""
    head = struct.pack("!BBH", 5, request[1], 20)
    return head + hashlib.md5(head + request[4:20] + SECRET.encode()).digest()
