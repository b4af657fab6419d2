"""An open loop does not wait for servers: what it cannot begin while they are silent has failed, and is counted."""
from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

import pytest
from world import AAAH, FHA, SECOND, SECRET, World, packed

from loadgen.cli.options import add_common, plan
from loadgen.engine import source_ports
from loadgen.plan import MOST_UNDER_WAY, Plan, patience_s, under_way
from loadgen.run import tally
from servers.net.impair import Profile


def planned(nodes: int, *arguments: str) -> Plan:
    parser = ArgumentParser()
    add_common(parser)
    return plan(parser.parse_args(arguments), nodes=nodes, target=None, testbed=None, own_network=False)


def dead(nodes: int, *, tries: int, **settings: Any) -> World:
    """Nobody answers anything; 2 s before the first retransmission of an access request."""
    world = World(nodes, profile=Profile(loss=1.0), **settings)
    world.fleet.set_aaa(packed(AAAH), 1812, SECRET, tries=tries)
    return world


def adds_up(world: World) -> bool:
    whole, packets = tally(world.fleet.tallies()["bootstrap"]), world.fleet.packets()
    steps = sum(world.tally(step)["attempted"] for step in ("access", "registration"))
    return whole.in_flight == world.fleet.in_flight and packets["sent"] == steps + packets["retransmitted"]


def test_a_dead_server_takes_all_the_room_and_the_rest_fails_on_time() -> None:
    world = dead(100, rate=100, capacity=30, tries=2)
    world.run(0.999)
    assert world.tally() == {"attempted": 100, "succeeded": 0, "failed": 70, "timed_out": 0}
    assert world.fleet.not_begun() == {"no_room": 70}
    assert world.fleet.in_flight == 30
    assert world.tally("access")["attempted"] == 30
    assert adds_up(world)
    world.run(10)
    assert world.tally() == {"attempted": 100, "succeeded": 0, "failed": 70, "timed_out": 30}
    assert world.fleet.done
    assert adds_up(world)


def test_what_began_did_so_on_time() -> None:
    """A send that is late by more than 1 ms is the generator's fault: there is none."""
    world = dead(2000, rate=100, capacity=30, tries=2)
    world.run(40)
    lag = world.fleet.latencies()["send_lag"]
    begun = world.tally("access")["attempted"]
    assert begun + world.fleet.not_begun()["no_room"] == 2000
    assert lag.total == begun > 30
    assert lag.count_above(1_000_000) == 0


def test_a_dead_fha_alone() -> None:
    world = World(60, rate=100, capacity=20, tries=2)
    world.net.impair(Profile(loss=1.0), source=f"{FHA}:434")
    world.run(20)
    assert world.fleet.done
    assert world.tally() == {"attempted": 60, "succeeded": 0, "failed": 40, "timed_out": 20}
    assert world.tally("registration") == {"attempted": 20, "succeeded": 0, "failed": 0, "timed_out": 20}
    assert adds_up(world)


def test_a_node_whose_turn_comes_again_while_its_last_bootstrap_waits() -> None:
    world = dead(10, rate=10, total=1 << 40, duration_ns=3 * SECOND, tries=3)
    world.run(2.95)
    assert world.tally("access")["attempted"] == 10
    assert world.fleet.not_begun() == {"still_under_way": 20}
    world.run(30)
    assert world.fleet.done
    assert world.tally() == {"attempted": 30, "succeeded": 0, "failed": 20, "timed_out": 10}
    assert world.fleet.latencies()["send_lag"].count_above(1_000_000) == 0
    assert adds_up(world)


def test_a_node_that_has_only_just_begun_is_waited_for() -> None:
    """Its turn comes every 5 ms, and its bootstrap takes 20: the load is more than so few nodes can make."""
    world = World(10, rate=2000, total=1 << 40, duration_ns=SECOND, profile=Profile(delay_ns=5_000_000))
    world.run(3)
    assert world.fleet.not_begun() == {}
    assert world.tally()["failed"] == 0
    assert world.fleet.latencies()["send_lag"].count_above(1_000_000) > 0


def test_a_closed_loop_waits() -> None:
    world = dead(50, concurrency=40, capacity=20, tries=2)
    world.run(30)
    assert world.fleet.not_begun() == {}
    assert world.tally() == {"attempted": 50, "succeeded": 0, "failed": 0, "timed_out": 50}


def test_figures_start_from_nothing_again() -> None:
    world = dead(30, rate=100, capacity=10, tries=1)
    world.run(10)
    assert world.fleet.not_begun() == {"no_room": 20}
    world.fleet.reset_figures()
    assert world.fleet.not_begun() == {}


@pytest.mark.parametrize(("nodes", "arguments", "room", "ports"), [
    (1_000_000, ["-r", "2000"], MOST_UNDER_WAY, 32),                   # as many as may be at all
    (1_000_000, ["-r", "50"], 4235, 17),                               # 50 a second for 84.7 s
    (1_000_000, ["-r", "100", "--steps", "access", "--tries", "2", "--timeout", "1"], 330, 4),
    (1_000_000, ["-r", "100", "--steps", "registration", "--tries", "1", "--timeout", "100"], MOST_UNDER_WAY, 32),
    (1200, ["-r", "2000"], 1200, 5),                                   # one of every node
    (1_000_000, ["-c", "600"], 1200, 5)])
def test_room_is_what_the_rate_and_the_patience_ask_for(nodes: int, arguments: list[str], room: int, ports: int) -> None:
    made = planned(nodes, *arguments)
    assert under_way(made) == room
    assert source_ports(made) == ports


def test_how_long_a_bootstrap_may_take() -> None:
    """2 + 4 + 8 + 16 + 16 s and 1 + 2 + 4 + 8 + 16 s, and a tenth more by chance."""
    assert patience_s(planned(1, "-r", "1")) == pytest.approx(1.1 * (46 + 31))
    assert patience_s(planned(1, "-r", "1", "--timeout", "20", "--tries", "2", "--steps", "access")) == pytest.approx(44)
