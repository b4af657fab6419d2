"""Life after the bootstrap: nodes stay, renew under their association, take a new key in time, and leave."""

from __future__ import annotations

from ipaddress import IPv4Address
from itertools import pairwise
from typing import Any, ClassVar

import pytest
from world import AAAH, FHA, HOME_AGENT, HOME_PREFIX, SECOND, SECRET, World, packed, table_of

from fastcodec import MnHaAuthentication, NonceRequest, RegistrationRequest
from servers.net.impair import Profile
from servers.roles.aaah import AaahRole
from servers.tables.replies import ReplyCache


class Stay(World):
    """Nodes that stay for `hold_s` at an FHA that grants `max_lifetime_s`, with keys for `key_lifetime_s`."""

    role_settings: ClassVar[dict[str, Any]] = {}                     # of AaahRole

    def __init__(self, nodes: int = 20, *, hold_s: float = 10, renew: bool = False, release: bool = False,
                 max_lifetime_s: int = 4, key_lifetime_s: int = 3600, **settings: Any) -> None:
        self.max_lifetime_s, self.key_lifetime_s = max_lifetime_s, key_lifetime_s
        super().__init__(nodes, **settings)
        self.fleet.stay(int(hold_s * SECOND), renew, release)

    def add_aaah(self) -> None:
        self.aaah = AaahRole(table_of(self.columns), ReplyCache(), care_of_network=packed("127.64.0.0"),
                             care_of_size=1 << 22, ipv6_home_prefix=packed(HOME_PREFIX), home_agent=packed(HOME_AGENT),
                             key_lifetime_s=self.key_lifetime_s, **self.role_settings)
        self.aaah.seed(11)
        self.aaah.add_client(packed("127.0.0.0"), 9, SECRET)
        self.aaah.add_fha(packed(FHA))
        self.net.attach(self.aaah, 0, AAAH, 1812)

    def add_fha(self, clock_s: float = 0, **settings: Any) -> None:
        super().add_fha(clock_s, max_lifetime_s=self.max_lifetime_s, **settings)


def requests(world: World) -> list[tuple[int, RegistrationRequest]]:
    return [(t.time_ns, RegistrationRequest.decode(t.data)) for t in world.net.tap if t.destination == (FHA, 434)]


def asked_aaah(world: World) -> int:
    return sum(t.destination == (AAAH, 1812) and t.source[0] == FHA for t in world.net.tap)


def adds_up(world: World) -> bool:
    """`sent` is the attempts of all steps and the retransmissions."""
    packets = world.fleet.packets()
    attempts = sum(world.tally(step)["attempted"] for step in ("access", "registration", "renewal", "release"))
    return packets["sent"] == attempts + packets["retransmitted"]


def test_without_a_stay_nothing_follows_a_bootstrap() -> None:
    world = World(20)
    world.run(5)
    assert world.fleet.done
    assert world.fleet.holding == 0
    assert world.tally("renewal") == world.tally("release") == {"attempted": 0, "succeeded": 0, "failed": 0, "timed_out": 0}


def test_nodes_stay_and_the_run_ends_when_all_have_stayed() -> None:
    world = Stay(20, hold_s=10, max_lifetime_s=1800)
    world.run(9.9)
    assert world.tally()["succeeded"] == 20
    assert world.fleet.bootstrapped
    assert not world.fleet.done
    assert world.fleet.holding == 20
    world.run(0.5)
    assert world.fleet.done
    assert world.fleet.holding == 0
    assert len(world.fleet.leases()) == len(world.fha.leases()) == 20
    assert len(world.net.tap) == 6 * 20


def test_renewals_come_at_75_to_85_percent_of_what_was_granted_and_keep_the_lease() -> None:
    world = Stay(20, hold_s=20, renew=True)
    world.run(1)
    first = world.fleet.leases()
    world.run(18)
    assert world.fleet.leases() == first
    assert world.fleet.violations() == ([], {})
    assert {world.columns.nai[k]: a for k, a in first.items()} == world.fha.leases()
    tally = world.tally("renewal")
    assert tally["attempted"] == tally["succeeded"] >= 20 * 4
    assert world.fleet.latencies()["renewal"].total == tally["succeeded"]
    times: dict[str | None, list[int]] = {}
    for when, request in requests(world):
        times.setdefault(request.nai(), []).append(when)
    gaps = [(b - a) / SECOND for each in times.values() for a, b in pairwise(each)]
    assert 0.75 * 4 <= min(gaps) < max(gaps) <= 0.85 * 4 + 0.01
    assert adds_up(world)


def test_the_times_of_renewals_follow_from_the_seed() -> None:
    def due(seed: int) -> list[float]:
        world = Stay(20, hold_s=4, renew=True, seed=seed)
        world.run(4)
        return [when for when, request in requests(world) if request.home_address != IPv4Address(0)]

    assert due(1) == due(1) != due(2)


def test_a_lease_that_nobody_renews_is_held_no_longer_than_it_lasts() -> None:
    world = Stay(10, hold_s=10)
    world.run(3)
    assert len(world.fleet.leases()) == 10
    world.run(3)
    assert world.fleet.leases(world.net.now) == {}
    assert world.fha.leases() == {}


def test_release_at_the_end_of_the_stay() -> None:
    world = Stay(20, hold_s=5, renew=True, release=True)
    world.run(8)
    assert world.fleet.done
    assert world.tally("release") == {"attempted": 20, "succeeded": 20, "failed": 0, "timed_out": 0}
    assert world.fleet.leases() == {}
    assert world.fha.leases() == {}
    assert world.fleet.violations() == ([], {})
    assert adds_up(world)
    assert world.tally()["attempted"] == 20


def test_release_right_after_the_bootstrap() -> None:
    world = Stay(20, hold_s=0, release=True)
    world.run(2)
    assert world.fleet.done
    assert world.tally("release")["succeeded"] == 20
    assert world.fha.leases() == {}
    last = {request.nai(): request for _, request in requests(world)}
    assert len(last) == 20
    assert all(request.lifetime == 0 and request.home_address != IPv4Address(0) for request in last.values())


def test_nodes_that_left_come_again() -> None:
    world = Stay(10, hold_s=1, release=True, total=40, rate=20.0)
    world.run(6)
    assert world.fleet.done
    assert world.tally()["succeeded"] == world.tally("release")["succeeded"] == 40
    assert world.fha.leases() == {}
    assert world.fleet.violations() == ([], {})


def test_a_node_that_stays_does_not_start_over() -> None:
    world = Stay(4, hold_s=100, concurrency=2, total=10, max_lifetime_s=1800)
    world.run(5)
    assert world.tally()["attempted"] == 4
    assert world.fleet.holding == 4
    assert not world.fleet.done


def test_told_to_stop_the_nodes_leave_what_they_hold_only_if_they_shall() -> None:
    for release in (False, True):
        world = Stay(20, hold_s=1000, release=release, max_lifetime_s=1800)
        world.run(2)
        assert world.fleet.holding == 20
        world.fleet.stop()
        world.net.run(world.net.now + SECOND)
        assert world.fleet.done
        assert world.tally("release")["succeeded"] == (20 if release else 0)
        assert len(world.fleet.leases()) == len(world.fha.leases()) == (0 if release else 20)


def test_more_than_can_leave_at_once_leave_one_after_the_other() -> None:
    """4096 renewals and releases may be under way; the wheel hands over 256 at a time."""
    world = Stay(5000, hold_s=1000, release=True, max_lifetime_s=1800, rate=10_000.0, pool="198.18.0.0/19",
                 profile=Profile(delay_ns=20_000_000))
    world.run(4)
    assert world.fleet.holding == 5000
    world.fleet.stop()
    world.net.run(world.net.now + SECOND // 50)
    assert world.tally("release")["attempted"] == 4096
    world.net.run(world.net.now + 5 * SECOND)
    assert world.fleet.done
    assert world.tally("release")["succeeded"] == 5000
    assert world.fha.leases() == {}


def test_bootstraps_under_way_at_the_stop_leave_too() -> None:
    world = Stay(20, hold_s=1000, release=True, max_lifetime_s=1800, profile=Profile(delay_ns=100_000_000), rate=25.0)
    world.run(0.75)
    under_way = world.fleet.in_flight
    assert 0 < under_way < 20
    world.fleet.stop()
    world.net.run(world.net.now + 2 * SECOND)
    assert world.fleet.done
    assert world.tally("release")["succeeded"] == world.tally()["succeeded"] >= under_way
    assert world.fha.leases() == {}


def test_loss_does_not_hurt_those_who_stay() -> None:
    world = Stay(100, hold_s=60, renew=True, release=True, max_lifetime_s=20, tries=8,
                    profile=Profile(delay_ns=1_000_000, loss=0.05))
    world.run(150)
    assert world.fleet.done
    assert world.tally()["succeeded"] == 100
    for step in ("renewal", "release"):
        tally = world.tally(step)
        assert tally["attempted"] == tally["succeeded"] + tally["failed"] + tally["timed_out"]
        assert tally["succeeded"] >= 0.99 * tally["attempted"]
    assert world.fleet.packets()["retransmitted"] > 0
    assert world.fleet.violations() == ([], {})
    assert adds_up(world)


def test_an_fha_that_is_gone_times_renewals_out() -> None:
    world = Stay(5, hold_s=60, renew=True, release=True, max_lifetime_s=10, tries=2)
    world.run(2)
    world.net.impair(Profile(loss=1.0), destination=f"{FHA}:434")
    world.run(60)
    assert world.tally("renewal") == {"attempted": 5, "succeeded": 0, "failed": 0, "timed_out": 5}
    assert world.fleet.done
    assert world.fleet.leases() == {}
    assert adds_up(world)


def lossy(world: World, *, until: float) -> None:
    """No reply of the FHA arrives until so many seconds of the run have passed; the run goes on to there."""
    world.net.impair(Profile(loss=1.0), source=f"{FHA}:434")
    world.run(world_left(world, until))
    world.net.impair(Profile(), source=f"{FHA}:434")


def world_left(world: World, until: float) -> float:
    """Seconds from now until so many of the run have passed."""
    return until - (world.net.now - world.fleet.first_start) / SECOND


def gaps(world: World, since: float) -> list[list[float]]:
    """Seconds between each node's requests later than that; their Identifications grow (RFC 5944 3.6.3)."""
    sent: dict[str | None, list[tuple[int, int]]] = {}
    for when, request in requests(world):
        if when >= world.fleet.first_start + since * SECOND:
            sent.setdefault(request.nai(), []).append((when, request.identification))
    assert all(a[1] < b[1] for each in sent.values() for a, b in pairwise(each))
    return [[(b[0] - a[0]) / SECOND for a, b in pairwise(each)] for each in sent.values()]


def test_a_renewal_is_tried_until_its_lifetime_ends() -> None:
    """Replies are lost for longer than five tries take; 150 s at least are left, which seven or eight can use."""
    world = Stay(20, hold_s=950, renew=True, max_lifetime_s=1000)
    world.run(740)
    first = world.fleet.leases()
    lossy(world, until=860)
    assert world.tally("renewal") == {"attempted": 20, "succeeded": 0, "failed": 0, "timed_out": 0}
    world.run(world_left(world, 949))
    assert world.tally("renewal") == {"attempted": 20, "succeeded": 20, "failed": 0, "timed_out": 0}
    assert world.fleet.holding == 20
    assert world.fleet.leases(world.net.now) == first
    for each in gaps(world, 740):
        assert each == pytest.approx([2.0**k for k in range(len(each))], abs=0.01)
    assert max(map(len, gaps(world, 740))) >= 6
    assert world.fleet.packets()["retransmitted"] == sum(map(len, gaps(world, 740)))
    assert adds_up(world)
    assert world.fleet.violations() == ([], {})


def test_a_renewal_that_nobody_ever_answers_ends_with_the_lifetime() -> None:
    world = Stay(20, hold_s=3000, renew=True, max_lifetime_s=1000)
    world.run(740)
    world.net.impair(Profile(loss=1.0), destination=f"{FHA}:434")
    world.run(world_left(world, 999.9))
    assert world.tally("renewal") == {"attempted": 20, "succeeded": 0, "failed": 0, "timed_out": 0}
    assert len(world.fleet.leases(world.net.now)) == 20
    world.run(1)
    assert world.tally("renewal")["timed_out"] == 20
    assert world.fleet.leases(world.net.now) == {}
    assert world.fleet.done
    assert adds_up(world)


def test_a_renewal_that_nobody_answers_does_not_outlast_the_stay() -> None:
    world = Stay(20, hold_s=900, renew=True, max_lifetime_s=1000)
    world.run(740)
    world.net.impair(Profile(loss=1.0), destination=f"{FHA}:434")
    world.run(world_left(world, 899.9))
    assert world.tally("renewal")["timed_out"] == 0
    world.run(1)
    assert world.tally("renewal")["timed_out"] == 20
    assert world.fleet.done


def test_more_tries_than_identifications_are_kept() -> None:
    """The reply to the 19th finds it, the first of them being forgotten."""
    world = Stay(1, hold_s=1790, renew=True, max_lifetime_s=1800, first_timeout_ms=1)
    world.run(1340)
    lossy(world, until=1531)
    begun = next(when for when, _ in requests(world) if when > world.fleet.first_start + 1340 * SECOND)
    lossy(world, until=(begun - world.fleet.first_start) / SECOND + 200)
    world.run(70)
    assert world.tally("renewal") == {"attempted": 1, "succeeded": 1, "failed": 0, "timed_out": 0}
    assert len(gaps(world, 1340)[0]) == 18
    assert world.fleet.packets()["unmatched"] == 0


def test_renewals_that_wait_for_room_are_as_late_as_the_servers() -> None:
    """4096 acts at most are under way at once: with a silent FHA the others come late, which is not the generator's fault."""
    world = Stay(5000, hold_s=90, renew=True, max_lifetime_s=100, rate=5000.0, pool="198.18.0.0/16")
    world.run(60)
    assert world.tally()["succeeded"] == 5000
    world.net.impair(Profile(loss=1.0), destination=f"{FHA}:434")
    world.run(90)
    renewals = world.tally("renewal")
    assert renewals["timed_out"] == renewals["attempted"] >= 4096
    assert world.fleet.done
    assert world.fleet.latencies()["send_lag"].count_above(10_000_000) == 0
    assert adds_up(world)


def test_a_wrong_clock_is_corrected_at_a_renewal() -> None:
    world = Stay(5, hold_s=8, renew=True)
    world.run(1)
    world.net.attach(world.fha, 99, "127.0.0.9", 9, wall_offset_ns=3600 * SECOND)
    world.run(6)
    assert world.tally("renewal")["succeeded"] == world.tally("renewal")["attempted"] >= 5
    assert world.fleet.codes()[0][133] > 0
    assert world.fleet.violations() == ([], {})
    assert adds_up(world)


def test_renewals_prove_themselves_with_mn_ha_and_need_no_aaah() -> None:
    """RFC 5944 3.5.2: under the HA's SPI of extension 43, and no MN-AAA."""
    world = Stay(10, hold_s=10, renew=True)
    world.run(9)
    assert world.tally("renewal")["succeeded"] >= 10
    assert asked_aaah(world) == 10
    for _, request in requests(world)[10:]:
        assert request.home_address != IPv4Address(0)
        assert [type(e).__name__ for e in request.extensions] == ["Nai", "MnHaAuthentication"]
        assert request.find(MnHaAuthentication).spi >= 256


def test_a_key_near_its_end_is_replaced() -> None:
    world = Stay(10, hold_s=30, renew=True, key_lifetime_s=10)
    world.run(29)
    renewals = [request for _, request in requests(world) if request.home_address != IPv4Address(0)]
    with_key = [r for r in renewals if any(isinstance(e, NonceRequest) for e in r.extensions)]
    assert 10 <= len(with_key) < len(renewals)
    assert asked_aaah(world) == 10 + len(with_key)
    assert world.tally("renewal")["succeeded"] == world.tally("renewal")["attempted"] == len(renewals)
    assert len(world.fleet.leases()) == 10
    assert world.fleet.violations() == ([], {})


def test_of_a_lease_that_has_expired_the_release_goes_through_the_aaah() -> None:
    world = Stay(5, hold_s=6, release=True)
    world.run(8)
    assert world.tally("release") == {"attempted": 5, "succeeded": 5, "failed": 0, "timed_out": 0}
    releases = [request for _, request in requests(world) if request.lifetime == 0]
    assert len(releases) == 5
    assert all(request.find(NonceRequest) for request in releases)


def test_silence_to_mn_ha_is_followed_by_mn_aaa() -> None:
    """RFC 5944 3.8.2.1: an agent without the association says nothing."""
    world = Stay(1, hold_s=90, renew=True, max_lifetime_s=60, tries=4)
    world.run(2)
    world.net.impair(Profile(loss=1.0), destination=f"{FHA}:434")
    world.run(60)
    renewals = [request for _, request in requests(world)][1:]
    assert [type(request.extensions[-1]).__name__ for request in renewals] == [
        "MnHaAuthentication", "MnHaAuthentication", "GeneralizedAuthentication", "GeneralizedAuthentication"]
    assert len({request.identification for request in renewals}) == 4
