"""The load engine against a path whose faults are written down: what it reports is what was done to it, exactly."""

from __future__ import annotations

import math
from collections.abc import Callable
from ipaddress import IPv4Address, IPv6Address
from typing import Any

import pytest
from desk import derived_key
from world import AAAH, FHA, HOME_AGENT, SECOND, SECRET, World, packed

from fastcodec import (
    BootstrapAddress,
    MnHaAuthentication,
    Nai,
    NonceReply,
    NonceRequest,
    RadiusPacket,
    RegistrationReply,
    RegistrationRequest,
)
from loadgen.histogram import LatencyHistogram
from loadgen.pacer import Pacer
from loadgen.schedule import schedule_sha256
from servers.net.impair import Profile
from servers.net.memory import Address, Network

MS = 1_000_000
Fate = Callable[[int], str]  # of the k-th answer to a first question: "", "lost", "twice", "late", "spoilt"


class ScriptedNetwork(Network):
    """Does to the answers what `fates` says, by the port they come from; answers to later tries pass untouched."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self.fates: dict[int, Fate] = {}
        self.late_ns = 0
        self.stall = (0, 0)
        self.stand_in: Callable[[Address, bytes], bytes | None] | None = None
        self.asked: dict[tuple[Address, int], bytes] = {}  # the latest question of a port and identifier
        self.met: dict[int, set[object]] = {1812: set(), 434: set()}
        self.done: dict[tuple[int, str], int] = {}

    def _carry(self, label: str, source: Address, destination: Address, data: bytes) -> None:
        if self.stand_in and destination == (FHA, 434):
            reply = self.stand_in(source, data)
            if reply is not None:
                super()._carry(f"{FHA}:434", (FHA, 434), source, reply)
            return
        if destination[1] == 1812:
            self.asked[source, data[1]] = data
        fate = self._fate(source, destination, data)
        if fate == "lost":
            return
        if fate == "spoilt":
            data = data[:-1] + bytes((data[-1] ^ 1,))
        if fate == "late" or self.stall[0] <= self.now < self.stall[1]:
            self._later(label, source, destination, data, self.late_ns if fate == "late" else self.stall[1] - self.now)
            return
        super()._carry(label, source, destination, data)
        if fate == "twice":
            super()._carry(label, source, destination, data)

    def _later(self, label: str, source: Address, destination: Address, data: bytes, ns: int) -> None:
        now, self.now = self.now, self.now + ns
        super()._carry(label, source, destination, data)
        self.now = now

    def _fate(self, source: Address, destination: Address, data: bytes) -> str:
        port = source[1]
        if port not in self.fates or (port == 1812 and destination[0] == FHA):
            return ""
        exchange = self.asked[destination, data[1]] if port == 1812 else destination
        if exchange in self.met[port]:
            return ""
        fate = self.fates[port](len(self.met[port]))
        self.met[port].add(exchange)
        self.done[port, fate] = self.done.get((port, fate), 0) + 1
        return fate


class TruthWorld(World):
    net: ScriptedNetwork

    def __init__(self, nodes: int, **settings: Any) -> None:
        self.scripted = settings.pop("entropy", 12)
        super().__init__(nodes, **settings)

    def add_aaah(self) -> None:
        self.net = ScriptedNetwork(seed=1, wall_ns=self.wall_ns)
        super().add_aaah()

    def add_fleet(self, *args: Any, **settings: Any) -> None:
        super().add_fleet(*args, **settings)
        self.fleet.seed(self.scripted)


def one_in(n: int, k: int) -> bool:
    """The k-th is one of every n, somewhere inside each n."""
    return k % n == n // 2


def script(k: int) -> str:
    """1 % lost, 0.5 % twice, 0.25 % late, 0.1 % spoilt; no two of them meet."""
    if one_in(100, k):
        return "lost"
    if one_in(200, k + 1):
        return "twice"
    if one_in(400, k + 2):
        return "late"
    return "spoilt" if one_in(1000, k + 3) else ""


def percentile(histogram: LatencyHistogram, share: float) -> float:
    """In ms."""
    value = histogram.value_at(math.ceil(share * histogram.total))
    assert value is not None
    return value / MS


def test_one_try_each_every_fault_shows_once() -> None:
    world = TruthWorld(4000, tries=1, pool="198.18.0.0/18", access_only=True)
    world.fleet.set_aaa(packed(AAAH), 1812, SECRET, first_timeout_ms=200, tries=1)
    world.net.fates[1812], world.net.late_ns = script, 300 * MS
    world.run(6)
    assert world.net.done == {(1812, ""): 3926, (1812, "lost"): 40, (1812, "twice"): 20, (1812, "late"): 10,
                              (1812, "spoilt"): 4}
    expected = {"attempted": 4000, "succeeded": 3946, "failed": 0, "timed_out": 54}
    assert world.tally() == world.tally("access") == expected
    assert world.fleet.packets() == {"sent": 4000, "received": 4000 - 40 + 20, "retransmitted": 0, "late": 10,
                                     "duplicate": 20, "unmatched": 0, "malformed": 0, "bad_authenticator": 4}
    assert world.fleet.codes() == ({}, {2: 3946})
    assert world.fleet.latencies()["access"].total == world.fleet.latencies()["bootstrap"].total == 3946


def test_one_try_each_at_the_registration() -> None:
    world = TruthWorld(4000, tries=1, pool="198.18.0.0/18", first_timeout_ms=200)
    world.net.fates[434], world.net.late_ns = script, 300 * MS
    world.run(6)
    assert world.tally("access") == {"attempted": 4000, "succeeded": 4000, "failed": 0, "timed_out": 0}
    assert world.tally("registration") == {"attempted": 4000, "succeeded": 3946, "failed": 0, "timed_out": 54}
    assert world.tally() == world.tally("registration")
    assert world.fleet.packets() == {"sent": 8000, "received": 8000 - 40 + 20, "retransmitted": 0, "late": 10,
                                     "duplicate": 20, "unmatched": 0, "malformed": 0, "bad_authenticator": 4}
    assert world.fleet.codes() == ({0: 3946}, {2: 4000})
    assert len(world.fleet.leases()) == 3946
    assert len(world.fha.leases()) == 4000


def test_retries_heal_every_fault_and_are_counted() -> None:
    """A late answer comes after the second one then: it answers an answered request."""
    world = TruthWorld(4000, pool="198.18.0.0/18", first_timeout_ms=200)
    world.fleet.set_aaa(packed(AAAH), 1812, SECRET, first_timeout_ms=200)
    world.net.fates.update({1812: script, 434: script})
    world.net.late_ns = 300 * MS
    world.run(10)
    for step in ("bootstrap", "access", "registration"):
        assert world.tally(step) == {"attempted": 4000, "succeeded": 4000, "failed": 0, "timed_out": 0}
    packets = world.fleet.packets()
    assert packets["retransmitted"] == 2 * (40 + 10 + 4)
    assert packets["sent"] == 8000 + packets["retransmitted"]
    assert packets["received"] == packets["sent"] - 2 * 40 + 2 * 20
    assert {k: packets[k] for k in ("late", "duplicate", "unmatched", "malformed", "bad_authenticator")} == {
        "late": 0, "duplicate": 2 * (20 + 10), "unmatched": 0, "malformed": 0, "bad_authenticator": 2 * 4}
    assert len(world.fleet.leases()) == 4000


def test_stall_of_one_second_shows_in_the_percentiles() -> None:
    """1000 a second for 20 s, the responder silent from 10 to 11 s: the load goes on and latency counts from when each
    request was due (wrk2's demonstration). One second in twenty waits 500 ms on average."""
    world = TruthWorld(20_000, access_only=True)
    start = world.net.now
    world.net.stall = (start + 10 * SECOND, start + 11 * SECOND)
    world.run(25)
    assert world.tally() == {"attempted": 20_000, "succeeded": 20_000, "failed": 0, "timed_out": 0}
    access = world.fleet.latencies()["access"]
    assert access.total == 20_000
    assert percentile(access, 0.99) == pytest.approx(802, abs=20)
    assert percentile(access, 0.999) == pytest.approx(982, abs=15)
    assert percentile(access, 0.94) < 1
    assert percentile(world.fleet.latencies()["send_lag"], 1.0) < 0.1


def test_starts_that_the_generator_delays_count_too() -> None:
    """Nodes whose turn comes again before they are through begin late; their latency still counts from when they were due."""
    world = TruthWorld(100, access_only=True, rate=1000.0, total=200)
    world.net.impair(Profile(delay_ns=300 * MS), source=f"{AAAH}:1812")
    world.run(5)
    assert world.tally()["succeeded"] == 200
    assert world.fleet.packets()["sent"] == 200
    lag = world.fleet.latencies()["send_lag"]
    assert lag.total == 200
    assert percentile(lag, 0.5) < 1
    assert percentile(lag, 1.0) == pytest.approx(200, abs=5)  # the 101st was due after 100 ms and went at 300
    assert percentile(world.fleet.latencies()["access"], 1.0) == pytest.approx(500, abs=5)


def first_packets(seed: int, entropy: int, columns: Any) -> list[tuple[int, Address, bytes]]:
    world = TruthWorld(300, seed=seed, entropy=entropy, columns=columns)
    world.run(0.2)
    return [(t.time_ns, t.source, RadiusPacket.decode(t.data).attributes["User-Name"].encode())
            for t in world.net.tap if t.destination == (AAAH, 1812) and t.source[0] != FHA]


def test_seed_fixes_order_names_and_times_but_nothing_that_must_be_fresh() -> None:
    columns = World(300).columns
    first = first_packets(7, 1, columns)
    assert len(first) >= 200
    assert first == first_packets(7, 2, columns)
    assert [name for _, _, name in first] != [name for _, _, name in first_packets(8, 1, columns)]
    names = [columns.nai[k] for k in range(300)]
    pacer = Pacer(300, 7, 1000.0)
    assert [name for _, _, name in first] == [names[k] for k in pacer.nodes(0, len(first)).tolist()]
    assert [at - first[0][0] for at, _, _ in first] == pacer.times_ns(0, len(first)).tolist()
    digests = {schedule_sha256(Pacer(300, seed, 1000.0), names) for seed in (7, 7, 8)}
    assert len(digests) == 2


def test_entropy_is_not_the_seed_s() -> None:
    columns = World(20).columns
    packets = []
    for entropy in (1, 2):
        world = TruthWorld(20, entropy=entropy, columns=columns)
        world.run(0.01)
        packets.append({t.data[4:20] for t in world.net.tap if t.destination == (AAAH, 1812) and t.source[0] != FHA})
    assert not packets[0] & packets[1]


@pytest.mark.parametrize("concurrency", [1, 7, 64])
def test_closed_loop_keeps_exactly_so_many_in_flight(concurrency: int) -> None:
    world = TruthWorld(1000, concurrency=concurrency, pool="198.18.0.0/20")
    world.run(0)
    seen = set()
    for _ in range(100_000):
        if world.fleet.started == 1000:
            break
        seen.add(world.fleet.in_flight)
        world.net.run(world.net.now + 10_000)
    assert seen == {concurrency}
    world.net.run(world.net.now + SECOND)
    assert world.fleet.done
    assert world.tally() == {"attempted": 1000, "succeeded": 1000, "failed": 0, "timed_out": 0}


# ---- planted violations --------------------------------------------------------------------------------------------------

class LyingFha:
    """Answers every request as told, with the key that the node will derive, and asks nobody."""

    def __init__(self, world: World, address: Callable[[int], str], **changes: Any) -> None:
        self.world, self.address, self.changes = world, address, changes
        self.names = [world.columns.nai[k] for k in range(len(world.columns))]
        self.answered = 0

    def __call__(self, source: Address, data: bytes) -> bytes:
        request = RegistrationRequest.decode(data)
        nai = (request.nai() or "").encode()
        node = self.names.index(nai)
        address = IPv4Address(self.address(self.answered))
        self.answered += 1
        told = {"nai": nai.decode(), "lifetime": request.lifetime, "agent": FHA, "ipv6_agent": HOME_AGENT, "key": None,
                "care_of": f"2001:db8:f:1::{address}", "leave_out": 0, "code": 0} | self.changes
        nonce = bytes(range(16))
        key = told["key"] or derived_key(self.world.columns.key[node], nonce, nai)
        addresses = [("2001:db8:100:1::1", 1, 128), (told["ipv6_agent"], 2, 128), (told["care_of"], 3, 64)]
        spi = request.find(NonceRequest).mn_spi
        extensions = [Nai(told["nai"]), NonceReply(3600, 4096, 777, 1, 2, nonce),
                      *[BootstrapAddress(32473, kind, prefix, IPv6Address(a)) for a, kind, prefix in addresses
                        if kind != told["leave_out"]], MnHaAuthentication(spi)]
        return RegistrationReply(told["code"], told["lifetime"], address, IPv4Address(told["agent"]),
                                 request.identification, extensions).encode(key)


def lied_to(address: Callable[[int], str], nodes: int = 2, seconds: float = 3, **changes: Any) -> World:
    settings = {k: changes.pop(k) for k in ("rate", "lifetime_s") if k in changes}
    world = TruthWorld(nodes, **settings)
    world.net.stand_in = LyingFha(world, address, **changes)
    world.run(seconds)
    return world


def in_turn(k: int) -> str:
    return str(IPv4Address("198.18.0.1") + k)


def test_the_liar_is_believed_when_it_tells_the_truth() -> None:
    world = lied_to(in_turn)
    assert world.tally()["succeeded"] == 2
    assert world.fleet.violations() == ([], {})


def test_one_address_for_two_nodes_is_found() -> None:
    world = lied_to(lambda k: "198.18.0.9")
    kept, counts = world.fleet.violations()
    assert counts == {"held_twice": 1}
    assert [(kind, address) for kind, _, _, address in kept] == [("held_twice", packed("198.18.0.9"))]
    assert {kept[0][1], kept[0][2]} == {0, 1}
    assert world.tally() == {"attempted": 2, "succeeded": 1, "failed": 1, "timed_out": 0}


def test_address_that_comes_again_after_its_lifetime_is_no_violation() -> None:
    world = lied_to(lambda k: "198.18.0.9", rate=0.1, lifetime_s=5, seconds=15)
    assert world.tally()["succeeded"] == 2
    assert world.fleet.violations() == ([], {})


@pytest.mark.parametrize("address", ["198.18.1.1", "198.17.255.255", "10.0.0.1", "198.18.0.0", "198.18.0.255",
                                     "255.255.255.255"])
def test_address_outside_the_pool_is_found(address: str) -> None:
    world = lied_to(lambda k: address, 1)
    kept, counts = world.fleet.violations()
    assert counts == {"outside_pool": 1}
    assert kept == [("outside_pool", 0, 0, packed(address))]
    assert world.tally()["failed"] == 1


def test_wrong_key_is_never_a_success() -> None:
    """Ruling 24: it looks like a wrong authenticator, every time."""
    world = lied_to(in_turn, key=bytes(20), seconds=60)
    assert world.tally() == {"attempted": 2, "succeeded": 0, "failed": 0, "timed_out": 2}
    assert world.fleet.packets()["bad_authenticator"] == 2 * 5
    assert world.fleet.codes()[0] == {}


def test_verified_reply_for_another_node_is_found() -> None:
    world = lied_to(in_turn, 1, nai="somebody@else.example")
    kept, counts = world.fleet.violations()
    assert counts == {"wrong_node": 1}
    assert kept == [("wrong_node", 0, 0, packed("198.18.0.1"))]
    assert world.tally()["failed"] == 1


@pytest.mark.parametrize("changes", [
    {"care_of": "2001:db8:f:1::c612:9999"}, {"care_of": "2001:db8:e:1::198.18.0.1"}, {"ipv6_agent": "2001:db8:100::2"},
    {"agent": "127.0.0.9"}, {"lifetime": 0}, {"leave_out": 1}, {"leave_out": 2}, {"leave_out": 3},
], ids=str)
def test_parameters_that_do_not_fit_are_found(changes: dict[str, Any]) -> None:
    world = lied_to(in_turn, 1, **changes)
    assert world.fleet.violations()[1] == {"wrong_parameters": 1}
    assert world.tally()["failed"] == 1


def test_address_0_is_found() -> None:
    world = lied_to(lambda k: "0.0.0.0", 1)
    assert world.tally()["succeeded"] == 0
    assert sum(world.fleet.violations()[1].values()) == 1


def test_longer_lifetime_than_asked_is_no_violation() -> None:
    """Ruling 14."""
    world = lied_to(in_turn, lifetime=60_000)
    assert world.tally()["succeeded"] == 2
    assert world.fleet.violations() == ([], {})


def test_reply_to_an_earlier_request_counts() -> None:
    """Ruling 1: the first reply comes when the second request is out, and no other comes."""
    world = TruthWorld(1, first_timeout_ms=200)
    fha = LyingFha(world, in_turn)
    world.net.stand_in = lambda source, data: None if fha.answered else fha(source, data)
    world.net.impair(Profile(delay_ns=300 * MS), source=f"{FHA}:434")
    world.run(3)
    assert world.tally()["succeeded"] == 1
    assert world.fleet.packets()["retransmitted"] == 1


@pytest.mark.parametrize("code", [129, 130, 134, 136, 139])
def test_signed_refusal_is_a_failure(code: int) -> None:
    world = lied_to(in_turn, 1, code=code)
    assert world.tally() == {"attempted": 1, "succeeded": 0, "failed": 1, "timed_out": 0}
    assert world.fleet.codes()[0] == {code: 1}


def test_success_without_accept_is_none() -> None:
    """A node that is still at step 2 and gets a verified reply, to an Identification it might have sent."""
    world = TruthWorld(1)
    world.net.fates[1812] = lambda k: "lost"
    world.run(0.5)
    fha = LyingFha(world, in_turn)
    request = RegistrationRequest(0x22, 1800, IPv4Address(0), IPv4Address(FHA), IPv4Address("127.64.0.1"), 1 << 32,
                                  [Nai(world.columns.nai[0].decode()), NonceRequest(4096)]).encode()
    world.net.inject((FHA, 434), ("127.64.0.1", 5000), fha(("127.64.0.1", 5000), request))
    world.net.run(world.net.now + SECOND)
    assert world.tally()["succeeded"] == 0
    assert world.fleet.leases() == {}
    assert world.fleet.packets()["unmatched"] == 1


def test_replies_from_another_port_are_strays() -> None:
    """A54: they may be anyone's."""
    world = TruthWorld(1, tries=2)
    fha = LyingFha(world, in_turn)
    asked: list[tuple[Address, bytes]] = []
    world.net.stand_in = lambda source, data: asked.append((source, data))
    world.run(0.5)
    ((source, data),) = asked
    world.net.inject((FHA, 4434), source, fha(source, data))
    world.net.run(world.net.now + SECOND // 10)
    assert world.tally()["succeeded"] == 0
    assert world.fleet.packets()["unmatched"] == 1
    assert world.fleet.strays() == [("registration", (1, (packed(FHA), 4434), (packed(FHA), 434)))]
    world.net.inject((FHA, 434), source, fha(source, data))
    world.net.run(world.net.now + SECOND // 10)
    assert world.tally()["succeeded"] == 1
