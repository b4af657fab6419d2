"""Several AAAHs that may be dead, slow, forgers or liars, in front of the FHA and the NAS of the world."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable, Sequence
from random import Random
from typing import Any

from world import FHA, HOME_AGENT, HOME_PREFIX, SECOND, SECRET, World, packed, table_of

from servers.roles.aaah import AaahRole
from servers.tables.replies import ReplyCache

PRIMARY, STANDBY = "127.0.0.1", "127.0.0.4"
ADDRESSES = (PRIMARY, STANDBY, "127.0.0.5")
STATUS_SERVER, ACCESS_REQUEST = 12, 1
Row = tuple[int, str, int, str, bytes]
Received = tuple[str, int, str, bytes]


def signed(code: int, question: bytes, attributes: bytes = b"", secret: bytes = SECRET) -> bytes:
    """An answer to a question with Message-Authenticator first, RFC 3579 3.2, RFC 2865 3."""
    head = bytes((code, question[1])) + (38 + len(attributes)).to_bytes(2, "big") + question[4:20]
    mac = hmac.new(secret, head + b"\x50\x12" + bytes(16) + attributes, hashlib.md5).digest()
    return resigned(head + b"\x50\x12" + mac + attributes, question, secret)


def resigned(packet: bytes, question: bytes, secret: bytes = SECRET) -> bytes:
    """With a right Response Authenticator over whatever the packet is now."""
    packet = packet[:2] + len(packet).to_bytes(2, "big") + question[4:20] + packet[20:]
    return packet[:4] + hashlib.md5(packet + secret).digest() + packet[20:]


class Server:
    """An AAAH on the virtual network that does what a test tells it: `is_alive` by time and client, `rewrite` of its
    answers to (question, answer)."""

    def __init__(self, role: AaahRole, address: str) -> None:
        self.role, self.address = role, address
        self.is_alive: Callable[[int, str], bool] = lambda now, host: True
        self.rewrite: Callable[[bytes, bytes], Sequence[bytes]] = lambda question, answer: [answer]
        self.heard: Callable[[tuple[str, int], bytes], None] = lambda source, question: None
        self.knows_status = True
        self.questions: list[tuple[int, tuple[str, int], bytes]] = []
        self._asked: dict[tuple[str, int, int], bytes] = {}
        self._out: list[Row] = []

    def feed(self, port: int, rows: Sequence[Received], now: int, wall: int) -> None:
        rows = [row for row in rows if len(row[3]) >= 20]
        self.questions += [(now, row[:2], row[3]) for row in rows]
        for row in rows:
            self.heard(row[:2], row[3])
        rows = [row for row in rows if self.is_alive(now, row[0])]
        for host, source, local, data in rows:
            self._asked[host, source, data[1]] = data
            if data[0] == STATUS_SERVER and self.knows_status:
                self._out.append((port, host, source, local, signed(2, data)))
        self.role.feed(port, [row for row in rows if row[3][0] != STATUS_SERVER], now, wall)
        for out, host, source, local, answer in self.role.drain():
            for octets in self.rewrite(self._asked[host, source, answer[1]], answer):
                self._out.append((out, host, source, local, octets))

    def drain(self) -> list[Row]:
        out, self._out = self._out, []
        return out

    def run_timers(self, now: int, wall: int) -> None:
        self.role.run_timers(now, wall)

    def due(self) -> int:
        return int(self.role.due())

    def asked(self, code: int = ACCESS_REQUEST, source: str = FHA) -> list[tuple[int, tuple[str, int], bytes]]:
        """(time, from, octets) of what it was asked by one client."""
        return [q for q in self.questions if q[2][0] == code and q[1][0] == source]


class Realm(World):
    """AAAHs of one realm: they know the same subscribers."""

    def __init__(self, nodes: int = 50, *, aaahs: int = 2, seed: int = 1, pool: str = "198.18.0.0/16", **settings: Any) -> None:
        self.servers: list[Server] = []
        self.count = aaahs
        super().__init__(nodes, seed=seed, pool=pool, **settings)
        self.random = Random(seed)
        self.fha.seed(13)
        for address in ADDRESSES[1:aaahs]:
            self.fha.set_aaah(packed(address), 1812, SECRET)
            self.fleet.set_aaa(packed(address), 1812, SECRET)

    def add_aaah(self) -> None:
        for k, address in enumerate(ADDRESSES[: self.count]):
            role = AaahRole(table_of(self.columns), ReplyCache(), care_of_network=packed("127.64.0.0"), care_of_size=1 << 22,
                            ipv6_home_prefix=packed(HOME_PREFIX), home_agent=packed(HOME_AGENT))
            role.seed(11 + k)
            role.add_client(packed("127.0.0.0"), 9, SECRET)
            role.add_fha(packed(FHA))
            self.servers.append(Server(role, address))
            self.net.attach(self.servers[k], 0, address, 1812)  # type: ignore[arg-type]

    def kill(self, *servers: int, after_s: float = 0.0, towards: str | None = None) -> None:
        """From then on these servers are silent, or only towards one client."""
        end = self.net.now + int(after_s * SECOND)
        for k in servers:
            self.servers[k].is_alive = lambda now, host: now < end or host != (towards or host)

    def revive(self, *servers: int) -> None:
        for k in servers:
            self.servers[k].is_alive = lambda now, host: True

    def states(self) -> list[bool]:
        """Which servers the FHA takes for alive."""
        return [server["alive"] for server in self.fha.upstreams()]

    def check_settled(self) -> None:
        """Nothing is under way, and FHA and nodes agree on the leases; a node may have given up before the FHA was done."""
        assert self.fha.under_way == 0
        assert [s["outstanding"] for s in self.fha.upstreams()] == [0] * self.count
        held = {self.columns.nai[node]: address for node, address in self.fleet.leases().items()}
        assert held.items() <= self.fha.leases().items()
        assert len(self.fha.leases()) - len(held) <= self.tally()["timed_out"]
        assert self.fleet.violations() == ([], {})
        assert len(self.pool.leases()) == len(self.fha.leases())
