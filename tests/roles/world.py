"""AAAH, FHA and a fleet joined in memory under a virtual clock: the whole flow, no socket."""

from __future__ import annotations

import contextlib
from ipaddress import IPv4Address, IPv6Address
from pathlib import Path
from typing import Any, ClassVar

from loadgen.fleet import Fleet
from loadgen.pacer import Pacer
from servers.net.impair import Profile
from servers.net.memory import START_NS, WALL_NS, Network
from servers.pool.bitmap import SharedPool
from servers.roles.aaah import AaahRole
from servers.roles.fha import FhaRole
from servers.store.store import Store
from servers.tables.replies import ReplyCache
from servers.tables.subscribers import SubscriberTable
from servers.tables.subscribers_csv import Subscribers, generate

SECRET = b"a shared secret of some length"
AAAH, FHA, NAS = "127.0.0.1", "127.0.0.2", "127.0.0.3"
MN_NETWORK = "127.64.0.0/10"
PREFIX, HOME_AGENT, HOME_PREFIX = "2001:db8:f:1::", "2001:db8:100::1", "2001:db8:100:1::"
SECOND = 1_000_000_000
FHA_PORTS, NAS_PORTS = 4, 8


def packed(text: str) -> bytes:
    return IPv6Address(text).packed if ":" in text else IPv4Address(text).packed


def table_of(columns: Subscribers) -> SubscriberTable:
    table = SubscriberTable(len(columns), 700 * len(columns) + 1)
    for k in range(len(columns)):
        table.add(columns.nai[k], int(columns.spi[k]), columns.key[k], columns.access_secret[k],
                  columns.classes[columns.class_index[k]])
    return table


class World:
    cool_down_s = 0
    fha_settings: ClassVar[dict[str, Any]] = {}                      # of FhaRole, beyond those that all worlds share
    aaah_settings: ClassVar[dict[str, Any]] = {}                     # of FhaRole.set_aaah

    def __init__(self, nodes: int = 50, *, seed: int = 1, profile: Profile | None = None, pool: str = "198.18.0.0/24",
                 rate: float = 1000.0, concurrency: int = 0, state: Path | None = None, fha_clock_s: float = 0,
                 secret: bytes = SECRET, columns: Subscribers | None = None, wall_ns: int = WALL_NS,
                 **fleet: Any) -> None:
        self.net = Network(seed=seed, profile=profile, wall_ns=wall_ns)
        self.wall_ns = wall_ns
        self.columns = columns or generate(nodes)
        self.pool_network, self.state, self.secret = pool, state, secret
        self.add_aaah()
        self.add_fha(fha_clock_s)
        self.add_fleet(rate, concurrency, seed, **fleet)

    def add_aaah(self) -> None:
        self.aaah = AaahRole(table_of(self.columns), ReplyCache(), care_of_network=packed("127.64.0.0"),
                             care_of_size=1 << 22, ipv6_home_prefix=packed(HOME_PREFIX), home_agent=packed(HOME_AGENT))
        self.aaah.seed(11)
        self.aaah.add_client(packed("127.0.0.0"), 9, SECRET)
        self.aaah.add_fha(packed(FHA))
        self.net.attach(self.aaah, 0, AAAH, 1812)

    def add_fha(self, clock_s: float = 0, **settings: Any) -> None:
        self.store = Store(self.state, "fha")
        rows = self.store.load()
        self.pool = SharedPool(self.pool_network, cool_down_s=self.cool_down_s)
        self.fha = FhaRole(self.pool, self.store.journal, now=self.net.now, ports=FHA_PORTS, address=packed(FHA),
                           ipv6_prefix=packed(PREFIX),
                           **self.fha_settings, **settings)
        self.fha.seed(13)
        self.fha.set_aaah(packed(AAAH), 1812, self.secret, **self.aaah_settings)
        for kind, payload in rows:
            assert self.fha.restore(kind, payload, self.net.now, self.wall())
        self.net.attach(self.fha, 0, FHA, 434, wall_offset_ns=int(clock_s * SECOND))
        for k in range(FHA_PORTS):
            self.net.attach(self.fha, 1 + k, FHA, 30000 + k)

    def add_fleet(self, rate: float, concurrency: int, seed: int, tries: int = 5, **settings: Any) -> None:
        nodes = len(self.columns)
        pacer = Pacer(nodes, seed, None if concurrency else rate)
        self.fleet = Fleet(self.columns, pacer, ports=NAS_PORTS, capacity=settings.pop("capacity", 4096), now=self.net.now,
                           total=settings.pop("total", nodes), concurrency=concurrency, tries=tries,
                           nas_address=packed(NAS), **settings)
        self.fleet.seed(12)
        self.fleet.set_aaa(packed(AAAH), 1812, SECRET)
        first = int(IPv4Address(self.pool_network.split("/")[0]))
        self.fleet.set_fha(434, ipv6_prefix=packed(PREFIX), home_agent=packed(HOME_AGENT), pool=first,
                           pool_size=self.pool.size)
        for k in range(NAS_PORTS):
            self.net.attach(self.fleet, k, NAS, 40000 + k)
        self.net.attach(self.fleet, NAS_PORTS, MN_NETWORK, 5000)

    def wall(self) -> int:
        """Ns since 1970, as all clocks say that are right."""
        return self.wall_ns + self.net.now - START_NS

    def settle(self) -> None:
        """Waits for the journal's thread, which lives in real time, and lets the FHA see what is durable, or lost."""
        with contextlib.suppress(OSError):
            self.store.journal.drain()
        self.fha.run_timers(self.net.now, self.wall())
        self.net.run(self.net.now)

    def run(self, seconds: float) -> None:
        """Starts the load now and lets this much virtual time pass."""
        if not self.fleet.first_start:
            self.fleet.start(self.net.now)
            self.fleet.run_timers(self.net.now, self.wall())
        self.net.run(self.net.now + int(seconds * SECOND))

    def tally(self, step: str = "bootstrap") -> dict[str, int]:
        names = ("attempted", "succeeded", "failed", "timed_out")
        return dict(zip(names, self.fleet.tallies()[step], strict=True))
