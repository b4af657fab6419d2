"""A fleet on plain sockets, one datagram at a time, so that every octet is seen."""
from __future__ import annotations

import selectors
import socket
import time
from contextlib import ExitStack
from ipaddress import IPv4Address
from typing import NamedTuple

from loadgen.fleet import Fleet
from loadgen.pacer import Pacer
from servers.endpoint import parse_endpoint
from tests.e2e.places import SECRET, Place

PORTS = 4
Address = tuple[str, int]


class Message(NamedTuple):
    """A datagram that was sent or received."""

    time_s: float
    source: Address
    destination: Address
    data: bytes


class ByHand:
    """The nodes of a place against servers, from sockets that are opened as they are needed."""

    def __init__(self, place: Place, aaah: str, fha: str, stack: ExitStack) -> None:
        radius, nodes = parse_endpoint(aaah), len(place.subscribers)
        self.fleet = Fleet(place.subscribers, Pacer(nodes, 1, None), ports=PORTS, capacity=PORTS * 256, now=time.monotonic_ns(),
                           total=nodes, concurrency=nodes, tries=3, nas_address=IPv4Address("127.0.0.1").packed)
        self.fleet.set_aaa(radius.address.packed, radius.port, SECRET.encode())
        self.fleet.set_fha(parse_endpoint(fha).port)
        self.stack, self.selector = stack, stack.enter_context(selectors.DefaultSelector())
        self.sockets: dict[tuple[int, str], socket.socket] = {}
        self.seen: list[Message] = []

    def socket(self, port: int, address: str) -> socket.socket:
        """Port `PORTS` is the nodes', who have an address each; those before it are the NAS's."""
        address = address if port == PORTS else "127.0.0.1"
        if (port, address) not in self.sockets:
            made = self.stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
            made.bind((address, 0))
            self.selector.register(made, selectors.EVENT_READ, port)
            self.sockets[port, address] = made
        return self.sockets[port, address]

    def run(self, seconds: float = 10.0) -> None:
        """Until every bootstrap has ended."""
        self.fleet.start(time.monotonic_ns())
        deadline = time.monotonic() + seconds
        while not self.fleet.done:
            assert time.monotonic() < deadline
            self.fleet.run_timers(time.monotonic_ns(), time.time_ns())
            self.send()
            for key, _ in self.selector.select(0.01):
                made = self.sockets[next(k for k, s in self.sockets.items() if s is key.fileobj)]
                data, peer = made.recvfrom(4096)
                self.seen.append(Message(time.time(), peer, made.getsockname(), data))
                self.fleet.feed(key.data, [(peer[0], peer[1], made.getsockname()[0], data)], time.monotonic_ns(), time.time_ns())
                self.send()

    def send(self) -> None:
        for port, address, udp_port, own, data in self.fleet.drain():
            made = self.socket(port, own)
            made.sendto(data, (address, udp_port))
            self.seen.append(Message(time.time(), made.getsockname(), (address, udp_port), data))


def registered_by_hand(place: Place, aaah: str, fha: str, seconds: float = 10.0) -> list[Message]:
    """Bootstraps every node of the place; all datagrams between them and the servers, in order."""
    with ExitStack() as stack:
        hand = ByHand(place, aaah, fha, stack)
        hand.run(seconds)
        nodes = len(place.subscribers)
        assert hand.fleet.tallies()["bootstrap"] == (nodes, nodes, 0, 0)
        return hand.seen
