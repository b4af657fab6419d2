"""At the end the FHA's leases and what the nodes hold are one thing, or every difference is told (ruling 25; I3, I13)."""

from __future__ import annotations

from typing import Any

from test_staying import Stay
from world import FHA, SECOND

from loadgen.leases import LeaseCheck
from servers.net.impair import Profile


def check(world: Stay, leases: dict[bytes, bytes] | None = None) -> dict[str, Any]:
    """What differs now; `leases` instead of the FHA's own."""
    made = LeaseCheck(world.fleet)
    assert not made.told
    made.take(world.fha.leases() if leases is None else leases)
    assert made.told
    now = world.net.now
    return {"missing": made.missing(now), "overdue": made.overdue(max(now - 3 * SECOND, 1)), "unasked": made.unasked()}


CLEAN = {"missing": [], "overdue": [], "unasked": {}}


def test_equal_at_every_stage_of_a_life() -> None:
    world = Stay(20, hold_s=6, renew=True, release=True)
    for _ in range(10):
        world.run(1)
        assert check(world) == CLEAN
    assert world.fleet.done


def test_a_lease_that_the_fha_has_lost_is_missing_only_while_it_would_last() -> None:
    world = Stay(3, hold_s=1, max_lifetime_s=10)
    world.run(2)
    assert [node for node, _ in check(world, {})["missing"]] == [0, 1, 2]
    world.run(10)
    assert check(world, {}) == CLEAN


def test_a_lease_for_another_address_is_both_missing_and_unasked() -> None:
    world = Stay(3, hold_s=1, max_lifetime_s=1800)
    world.run(2)
    leases = world.fha.leases()
    nai, held = world.columns.nai[1], leases[world.columns.nai[1]]
    found = check(world, leases | {nai: b"\xc6\x12\x00\xc8"})
    assert found == {"missing": [(1, held)], "overdue": [], "unasked": {nai: b"\xc6\x12\x00\xc8"}}


def test_a_lease_that_was_given_back_or_never_asked_for_is_told() -> None:
    world = Stay(3, hold_s=0, release=True, max_lifetime_s=1800)
    world.run(0.5)
    nai = world.columns.nai[2]
    assert check(world, {nai: b"\xc6\x12\x00\x05"})["unasked"] == {nai: b"\xc6\x12\x00\x05"}
    stranger = {b"stranger@home.example": b"\xc6\x12\x00\x06", b"elsewhere@home.example": b"\x0a\x00\x00\x01"}
    assert check(world, stranger)["unasked"] == stranger


def test_a_lease_that_outlives_its_lifetime_is_told() -> None:
    world = Stay(3, hold_s=1)
    world.run(2)
    leases = world.fha.leases()
    assert check(world, leases) == CLEAN
    world.run(4)
    assert check(world, leases)["overdue"] == []
    world.run(3)
    assert {node for node, _ in check(world, leases)["overdue"]} == {0, 1, 2}


def test_who_heard_no_answer_may_have_a_lease() -> None:
    world = Stay(5, hold_s=0, release=True, max_lifetime_s=1800, tries=2)
    world.net.impair(Profile(loss=1.0), source=f"{FHA}:434")
    world.run(1)
    assert world.fleet.in_flight == 5
    assert len(world.fha.leases()) == 5
    assert check(world) == CLEAN
    world.run(20)
    assert world.tally()["timed_out"] == 5
    assert check(world) == CLEAN
    assert check(world, {}) == CLEAN


def test_a_release_without_an_answer_leaves_it_open() -> None:
    world = Stay(5, hold_s=2, release=True, max_lifetime_s=1800, tries=2)
    world.run(1)
    before = world.fha.leases()
    world.net.impair(Profile(loss=1.0), source=f"{FHA}:434")
    world.run(20)
    assert world.tally("release")["timed_out"] == 5
    assert check(world) == check(world, {}) == check(world, before) == CLEAN
