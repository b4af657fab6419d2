"""A network without sockets under a virtual clock: same seed, same traffic, to the last bit and nanosecond."""

from __future__ import annotations

import heapq
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network
from random import Random
from typing import NamedTuple

from servers.net.impair import Counts, Link, Profile
from servers.net.node import Node

Address = tuple[str, int]
Row = tuple[str, int, str, bytes]
START_NS = 1_000_000_000  # not 0: that means "no timer" to a node
WALL_NS = 1_800_000_000 * 1_000_000_000


class Tapped(NamedTuple):
    """A datagram as it was sent, before anything happened to it."""

    time_ns: int
    source: Address
    destination: Address
    data: bytes


@dataclass(eq=False)
class Host:
    """A node with its clock error and the timer it waits for (0: none)."""

    node: Node
    wall_offset_ns: int
    ports: dict[int, Endpoint]
    armed: int = 0


@dataclass(eq=False)
class Endpoint:
    """One socket of a node. It owns a network of addresses; without a choice by the node it sends from `own`."""

    host: Host
    port_index: int
    network: IPv4Network
    udp_port: int
    pktinfo: bool

    def __post_init__(self) -> None:
        self.own = str(self.network[0] if self.network.prefixlen == 32 else self.network[1])
        text = str(self.network.network_address) if self.network.prefixlen == 32 else str(self.network)
        self.label = f"{text}:{self.udp_port}"


class Network:
    """Datagrams between attached nodes. Time is ns since an arbitrary start; only `run` moves it."""

    def __init__(self, *, seed: int = 0, profile: Profile | None = None, wall_ns: int = WALL_NS) -> None:
        self.now = START_NS
        self.tap: list[Tapped] = []
        self.unroutable = 0
        self._seed = seed
        self._wall = wall_ns - START_NS
        self._rules: list[tuple[str | None, str | None, Profile]] = [(None, None, profile or Profile())]
        self._links: dict[tuple[str, str], Link] = {}
        self._hosts: dict[int, Host] = {}
        self._endpoints: dict[int, list[Endpoint]] = {}
        self._routes: dict[Address, Endpoint | None] = {}
        self._events: list[tuple[int, int, Endpoint | Host, Row | None]] = []
        self._order = 0

    def attach(
        self, node: Node, port_index: int, ip: str, udp_port: int, *, pktinfo: bool = True, wall_offset_ns: int = 0
    ) -> None:
        """Gives socket `port_index` of the node an address, or a network of addresses such as "127.64.0.0/10".

        The longest matching network receives. With `pktinfo` the node is told the address each datagram was sent
        to, and may choose the one it sends from. `wall_offset_ns` makes the node's wall clock wrong (the last one
        given counts).
        """
        host = self._hosts.setdefault(id(node), Host(node, 0, {}))
        host.wall_offset_ns = wall_offset_ns or host.wall_offset_ns
        endpoint = Endpoint(host, port_index, IPv4Network(ip), udp_port, pktinfo)
        neighbours = self._endpoints.setdefault(udp_port, [])
        if port_index in host.ports or any(other.network == endpoint.network for other in neighbours):
            raise ValueError(f"taken: {endpoint.label} or socket {port_index} of this node")
        host.ports[port_index] = endpoint
        neighbours.append(endpoint)
        neighbours.sort(key=lambda e: -e.network.prefixlen)
        self._routes.clear()

    def impair(self, profile: Profile, source: str | None = None, destination: str | None = None) -> None:
        """From now on; `source` and `destination` as attached, "IP:PORT" or "NETWORK:PORT"; None: any. Last wins."""
        self._rules.append((source, destination, profile))
        for (here, there), link in self._links.items():
            link.profile = self._profile(here, there)

    def counts(self) -> dict[tuple[str, str], Counts]:
        """Per link, in the order of first use; a link is (source, destination) as attached."""
        return {ends: link.counts for ends, link in self._links.items()}

    def inject(self, source: Address, destination: Address, data: bytes) -> None:
        """Sends a datagram as if from anywhere, also from an address that nobody has."""
        self._carry("{}:{}".format(*source), source, destination, data)

    def run(self, until_ns: int) -> None:
        """Lets everything happen up to and including this time."""
        for host in self._hosts.values():
            self._settle(host)
        while self._events and self._events[0][0] <= until_ns:
            self._instant()
        self.now = max(self.now, until_ns)

    def _instant(self) -> None:
        """All that falls on one time: datagrams first, a socket's together, then timers."""
        self.now = self._events[0][0]
        arrived: dict[Endpoint, list[Row]] = {}
        fired: list[Host] = []
        while self._events and self._events[0][0] == self.now:
            _, _, target, row = heapq.heappop(self._events)
            if isinstance(target, Endpoint) and row is not None:
                arrived.setdefault(target, []).append(row)
            elif isinstance(target, Host):
                fired.append(target)
        for endpoint, rows in arrived.items():
            host = endpoint.host
            host.node.feed(endpoint.port_index, rows, self.now, self._wall_of(host))
            self._settle(host)
        for host in fired:
            self._fire(host)

    def _fire(self, host: Host) -> None:
        if host.armed != self.now:  # the timer was moved meanwhile
            return
        host.armed = 0
        host.node.run_timers(self.now, self._wall_of(host))
        if 0 < host.node.due() <= self.now:
            raise RuntimeError(f"{host.node!r} has done what was due and still names a time that has passed")
        self._settle(host)

    def _settle(self, host: Host) -> None:
        """Carries what the node has left and waits for its next timer."""
        for port_index, peer_ip, peer_port, local_ip, data in host.node.drain():
            endpoint = host.ports[port_index]
            chosen = endpoint.pktinfo and local_ip != "0.0.0.0"
            source = (local_ip if chosen else endpoint.own, endpoint.udp_port)
            self._carry(endpoint.label, source, (peer_ip, peer_port), data)
        due = host.node.due()
        if due and due != host.armed:
            host.armed = max(due, self.now)
            self._push(host.armed, host, None)
        elif not due:
            host.armed = 0

    def _carry(self, label: str, source: Address, destination: Address, data: bytes) -> None:
        self.tap.append(Tapped(self.now, source, destination, data))
        target = self._route(destination)
        if target is None:
            self.unroutable += 1
            return
        local = destination[0] if target.pktinfo else ""
        for at, copy in self._link(label, target.label).carry(self.now, data):
            self._push(at, target, (*source, local, copy))

    def _push(self, at: int, target: Endpoint | Host, row: Row | None) -> None:
        self._order += 1
        heapq.heappush(self._events, (at, self._order, target, row))

    def _route(self, to: Address) -> Endpoint | None:
        if to not in self._routes:
            ip, port = IPv4Address(to[0]), to[1]
            matching = (e for e in self._endpoints.get(port, ()) if ip in e.network)
            self._routes[to] = next(matching, None)
        return self._routes[to]

    def _link(self, here: str, there: str) -> Link:
        link = self._links.get((here, there))
        if link is None:
            link = Link(self._profile(here, there), Random(f"{self._seed} {here} {there}"))
            self._links[here, there] = link
        return link

    def _profile(self, here: str, there: str) -> Profile:
        """The last rule that fits; the first one fits everything."""
        return next(p for source, destination, p in reversed(self._rules)
                    if source in (None, here) and destination in (None, there))  # fmt: skip

    def _wall_of(self, host: Host) -> int:
        return self._wall + self.now + host.wall_offset_ns
