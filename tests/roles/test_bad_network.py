"""Twelve bad networks, 500 nodes each: nothing that must never happen, and every packet counted exactly once (C4)."""

from typing import NamedTuple

import pytest
from world import FHA, MN_NETWORK, NAS, NAS_PORTS, World

from servers.net.impair import Profile

MS = 1_000_000
NODES = 500


class Case(NamedTuple):
    name: str
    profile: Profile
    least: float = 0.999  # share of the nodes that must be registered within five tries


CASES = [
    Case("loss 1 %", Profile(loss=0.01)),
    Case("loss 5 %", Profile(loss=0.05)),
    Case("loss 20 %", Profile(loss=0.2), 0.95),
    Case("loss 50 %", Profile(loss=0.5), 0.3),
    Case("duplicates 20 %", Profile(duplicate=0.2)),
    Case("everything twice", Profile(duplicate=1.0)),
    Case("reordered within 50 ms", Profile(jitter_ns=50 * MS)),
    Case("delay 400 ms and jitter 700 ms", Profile(delay_ns=400 * MS, jitter_ns=700 * MS)),
    Case("truncated 5 %", Profile(truncate=0.05)),
    Case("bits flipped in 5 %", Profile(flip=0.05)),
    Case("some of all", Profile(loss=0.01, duplicate=0.02, jitter_ns=5 * MS, truncate=0.01, flip=0.01)),
    Case("much of all", Profile(loss=0.2, duplicate=0.2, jitter_ns=300 * MS, truncate=0.1, flip=0.1), 0.85),
]
IDS = [case.name for case in CASES]


@pytest.fixture(scope="module", params=CASES, ids=IDS)
def end(request: pytest.FixtureRequest) -> tuple[Case, World]:
    case: Case = request.param
    world = World(NODES, seed=5, profile=case.profile, pool="198.18.0.0/22", rate=500)
    world.run(200)  # all tries of all nodes are over, and the last reply has come
    return case, world


def fleet_links(world: World) -> tuple[int, int]:
    """(datagrams that the fleet sent, copies that arrived at it)."""
    own = {f"{NAS}:{40000 + k}" for k in range(NAS_PORTS)} | {f"{MN_NETWORK}:5000"}
    counts = world.net.counts()
    sent = sum(c.sent for (here, _), c in counts.items() if here in own)
    arrived = sum(c.sent + c.duplicated - c.lost for (_, there), c in counts.items() if there in own)
    return sent, arrived


def test_no_violation(end: tuple[Case, World]) -> None:
    _, world = end
    assert world.fleet.violations() == ([], {})
    held = list(world.fha.leases().values())
    assert len(held) == len(set(held))
    by_name = {world.columns.nai[k]: address for k, address in world.fleet.leases().items()}
    assert by_name.items() <= world.fha.leases().items(), "a node holds what the FHA has not leased to it"


def test_as_many_succeed_as_the_network_lets(end: tuple[Case, World]) -> None:
    case, world = end
    assert world.tally()["succeeded"] >= case.least * NODES
    assert world.tally()["failed"] == 0, "a node with a right clock was refused for good"


def test_attempts_add_up(end: tuple[Case, World]) -> None:
    _, world = end
    assert world.fleet.in_flight == 0
    assert world.fleet.done
    steps = {step: world.tally(step) for step in ("bootstrap", "access", "registration")}
    for tally in steps.values():
        assert tally["attempted"] == tally["succeeded"] + tally["failed"] + tally["timed_out"]
    assert steps["bootstrap"]["attempted"] == steps["access"]["attempted"] == NODES
    assert steps["registration"]["attempted"] == steps["access"]["succeeded"]
    assert steps["bootstrap"]["succeeded"] == steps["registration"]["succeeded"]
    assert steps["bootstrap"]["failed"] == steps["access"]["failed"] + steps["registration"]["failed"]
    assert steps["bootstrap"]["timed_out"] == steps["access"]["timed_out"] + steps["registration"]["timed_out"]


def test_packets_sent_add_up(end: tuple[Case, World]) -> None:
    _, world = end
    packets = world.fleet.packets()
    first = world.tally("access")["attempted"] + world.tally("registration")["attempted"]
    assert packets["sent"] == first + packets["retransmitted"]
    assert packets["sent"] == fleet_links(world)[0]


def test_packets_received_add_up(end: tuple[Case, World]) -> None:
    """Every datagram that came is an authenticated answer, a bare hint, or counted under exactly one name."""
    _, world = end
    packets = world.fleet.packets()
    assert packets["received"] == fleet_links(world)[1]
    mip4, radius = world.fleet.codes()
    answers = sum(mip4.values()) + sum(radius.values())
    named = sum(packets[k] for k in ("late", "duplicate", "unmatched", "malformed", "bad_authenticator"))
    assert packets["received"] == answers + named


def test_servers_are_done(end: tuple[Case, World]) -> None:
    _, world = end
    assert world.fha.under_way == 0
    leaving = sum(t.source == (FHA, 434) for t in world.net.tap)
    again = world.fha.counters().get("duplicate_answered", 0)
    assert leaving == sum(world.fha.replies_sent) + again
    asked = sum(t.source[0] == FHA and t.source[1] != 434 for t in world.net.tap)
    retransmitted = world.fha.counters().get("retransmitted", 0)
    assert asked - retransmitted <= world.fha.replies_sent[0] + world.fha.replies_sent[1] + world.fha.counters().get(
        "reply_limit", 0)


def test_same_seed_same_traffic() -> None:
    """To the last bit and nanosecond, faults included."""
    def traffic() -> list[tuple[object, ...]]:
        world = World(50, seed=9, profile=CASES[-1].profile, columns=columns)
        for node in (world.aaah, world.fha, world.fleet):
            node.seed(4)
        world.run(60)
        return [tuple(t)[:3] for t in world.net.tap]

    columns = World(50).columns
    first = traffic()
    assert len(first) > 300
    assert first == traffic()
