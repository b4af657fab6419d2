"""Replay protection by nonces end to end: the FHA wishes, the AAAH decides, the nodes keep to what their key came with."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
from home import HomeDesk
from test_staying import Stay, adds_up, asked_aaah, requests
from world import FHA, FHA_PORTS, PREFIX, SECOND, World, packed

from fastcodec import MnHaAuthentication, NonceReply, RegistrationReply, RegistrationRequest
from servers.net.impair import Profile
from servers.pool.bitmap import SharedPool
from servers.roles.fha import FhaRole

TIMESTAMPS, NONCES = 2, 3
LOW = 0xffffffff


class Nonces(Stay):
    fha_settings = {"nonces": True}  # noqa: RUF012


def replies(world: World, code: int | None = None) -> list[RegistrationReply]:
    sent = [RegistrationReply.decode(t.data) for t in world.net.tap if t.source == (FHA, 434)]
    return [reply for reply in sent if code in (None, reply.code)]


def by_association(world: World) -> list[RegistrationRequest]:
    """Renewals and releases that the node's own key proves."""
    return [request for _, request in requests(world) if request.find(MnHaAuthentication)]


def chains(world: World) -> bool:
    """Every request that a node's own key proves has the nonce of the reply before it, and a new one of its own."""
    nonces: dict[str | None, int] = {}
    own = set()
    asked = 0
    for t in world.net.tap:
        if t.source == (FHA, 434):
            reply = RegistrationReply.decode(t.data)
            nonces[reply.nai()] = reply.identification >> 32
        elif t.destination == (FHA, 434):
            request = RegistrationRequest.decode(t.data)
            if request.find(MnHaAuthentication):
                asked += 1
                own.add((request.nai(), request.identification & LOW))
                if request.identification >> 32 != nonces[request.nai()]:
                    return False
    return len(own) == asked > 0


# ---- what the AAAH decides ---------------------------------------------------------------------------------------------

@pytest.mark.parametrize(("offers", "wish", "method"), [
    ({}, None, TIMESTAMPS), ({}, 2, TIMESTAMPS), ({}, 3, NONCES), ({}, 7, TIMESTAMPS), ({}, 0, TIMESTAMPS),
    ({"nonces": False}, 3, TIMESTAMPS), ({"nonces": False}, None, TIMESTAMPS),
    ({"timestamps": False}, None, NONCES), ({"timestamps": False}, 2, NONCES), ({"timestamps": False}, 3, NONCES)])
def test_the_wish_is_met_if_it_is_offered(offers: dict[str, Any], wish: int | None, method: int) -> None:
    """RFC 3957 4; without a wish timestamps, which every agent knows (RFC 5944 5.7)."""
    desk = HomeDesk(**offers)
    answer = desk.answer(desk.key_request(Mipstorm_MN_FHA_Replay_Method=wish), source=(FHA, 30000))
    assert (answer.code, answer.attributes["Mipstorm-MN-FHA-Replay-Method"]) == (2, method)


def test_without_a_key_there_is_no_method() -> None:
    desk = HomeDesk()
    answer = desk.answer(desk.key_request(Mipstorm_MN_FHA_Replay_Method=3, Mipstorm_Key_Request=None), source=(FHA, 30000))
    assert answer.code == 2
    assert "Mipstorm-MN-FHA-Replay-Method" not in answer.attributes


# ---- what the nodes do -------------------------------------------------------------------------------------------------

def test_bootstrap_renewals_and_release_by_nonces() -> None:
    world = Nonces(20, hold_s=20, renew=True, release=True)
    world.run(25)
    assert world.fleet.done
    for step in ("bootstrap", "release"):
        assert world.tally(step) == {"attempted": 20, "succeeded": 20, "failed": 0, "timed_out": 0}
    renewals = world.tally("renewal")
    assert renewals["attempted"] == renewals["succeeded"] >= 20 * 4
    assert {r.find(NonceReply).replay_method for r in replies(world) if r.find(NonceReply)} == {NONCES}
    assert chains(world)
    assert (replies(world, 133), asked_aaah(world)) == ([], 20)
    assert world.fha.leases() == {}
    assert world.fleet.violations() == ([], {})
    assert adds_up(world)


def test_without_nonces_the_same_load_goes_by_time() -> None:
    world = Stay(20, hold_s=20, renew=True)
    world.run(10)
    assert world.tally("renewal")["succeeded"] > 0
    assert not chains(world)


def test_an_aaah_that_does_not_offer_them() -> None:
    class Without(Nonces):
        role_settings = {"nonces": False}  # noqa: RUF012

    world = Without(5, hold_s=10, renew=True)
    world.run(9)
    assert {r.find(NonceReply).replay_method for r in replies(world) if r.find(NonceReply)} == {TIMESTAMPS}
    assert world.tally("renewal")["succeeded"] == world.tally("renewal")["attempted"] >= 5
    assert not chains(world)


def test_the_clock_does_not_matter_once_a_node_has_its_key() -> None:
    """It is told at the bootstrap, which is judged by time; later it may go wrong by ten years."""
    world = Nonces(5, hold_s=20, renew=True)
    world.run(1)
    world.net.attach(world.fha, 99, "127.0.0.9", 9, wall_offset_ns=10 * 365 * 86400 * SECOND)
    world.run(18)
    assert world.tally("renewal")["succeeded"] == world.tally("renewal")["attempted"] >= 5 * 4
    assert replies(world, 133) == []


def test_a_wrong_clock_at_the_bootstrap_costs_one_round_trip() -> None:
    world = Nonces(3, hold_s=10, renew=True, fha_clock_s=10 * 365.25 * 86400, concurrency=1)
    world.run(9)
    assert world.tally()["succeeded"] == 3
    assert len(replies(world, 133)) == 1, "the first node tells the others, who share its clock"
    assert world.tally("renewal")["succeeded"] == world.tally("renewal")["attempted"] >= 3
    assert world.fleet.violations() == ([], {})


def test_what_is_not_answered_is_sent_again_unchanged() -> None:
    """RFC 5944 3.6.3. The FHA's nonce has moved on, but it knows the duplicate: no 133."""
    world = Nonces(5, hold_s=50, renew=True, max_lifetime_s=40, first_timeout_ms=5000)
    world.run(29)
    world.net.impair(Profile(loss=1.0), source=f"{FHA}:434")
    world.run(5.5)
    world.net.impair(Profile(), source=f"{FHA}:434")
    world.run(10)
    sent: dict[bytes, int] = {}
    for t in world.net.tap:
        if t.destination == (FHA, 434) and RegistrationRequest.decode(t.data).find(MnHaAuthentication):
            sent[t.data] = sent.get(t.data, 0) + 1
    assert max(sent.values()) == 2
    assert world.fha.counters()["duplicate_answered"] >= 5
    assert replies(world, 133) == []
    assert world.tally("renewal")["succeeded"] == world.tally("renewal")["attempted"] >= 5
    assert len(world.fleet.leases()) == 5
    assert adds_up(world)


def test_loss_does_not_hurt_those_who_go_by_nonces() -> None:
    world = Nonces(60, hold_s=60, renew=True, release=True, max_lifetime_s=20, tries=8,
                   profile=Profile(delay_ns=1_000_000, loss=0.05, duplicate=0.02))
    world.run(150)
    assert world.fleet.done
    for step in ("renewal", "release"):
        assert world.tally(step)["succeeded"] >= 0.99 * world.tally(step)["attempted"] > 0
    assert world.fleet.violations() == ([], {})
    assert adds_up(world)


def test_rekeying_starts_a_new_chain() -> None:
    world = Nonces(10, hold_s=30, renew=True, key_lifetime_s=10)
    world.run(29)
    assert asked_aaah(world) >= 20
    assert by_association(world)
    assert replies(world, 133) == []
    assert world.tally("renewal")["succeeded"] == world.tally("renewal")["attempted"]
    assert world.fleet.violations() == ([], {})


def restart_fha(world: World) -> None:
    """From its records, as an image has them: what was sent before is forgotten, duplicates too."""
    old, pool = world.fha, SharedPool(world.pool_network, cool_down_s=world.cool_down_s)
    new = FhaRole(pool, world.store.journal, now=world.net.now, ports=FHA_PORTS, address=packed(FHA), ipv6_prefix=packed(PREFIX),
                  max_lifetime_s=world.max_lifetime_s, **world.fha_settings)  # type: ignore[attr-defined]
    new.seed(14)
    new.set_aaah(packed("127.0.0.1"), 1812, world.secret)
    for kind, payload in old.records(world.net.now, world.wall()):
        assert new.restore(kind, payload, world.net.now, world.wall())
    world.net._hosts[id(old)].node = new
    world.before, world.fha, world.pool = old, new, pool  # type: ignore[attr-defined]


def test_after_a_restart_one_133_brings_every_node_back() -> None:
    world = Nonces(20, hold_s=30, renew=True, max_lifetime_s=10)
    world.run(6)
    held = world.fha.leases()
    restart_fha(world)
    world.run(6)
    told = replies(world, 133)
    assert len(told) == 20 == len({reply.nai() for reply in told})
    assert world.fha.leases() == held
    world.run(12)
    assert len(replies(world, 133)) == 20
    assert world.tally("renewal")["succeeded"] == world.tally("renewal")["attempted"] >= 40
    assert asked_aaah(world) == 20, "no node had to bootstrap again"
    assert world.fleet.violations() == ([], {})


def test_replayed_renewals_are_refused_and_move_nothing() -> None:
    """Also after a restart. What the FHA tells the attacker does not put the node out of step."""
    world = Nonces(3, hold_s=100, renew=True, max_lifetime_s=10)
    world.run(20)
    recorded = [t for t in world.net.tap if t.destination == (FHA, 434)
                and RegistrationRequest.decode(t.data).find(MnHaAuthentication)]
    latest = {t.data[16:24] for _, t in sorted({RegistrationRequest.decode(t.data).nai(): t for t in recorded}.items())}
    old = [t for t in recorded if t.data[16:24] not in latest]
    assert len(old) >= 3
    for again in (False, True):
        if again:
            restart_fha(world)
        before, mark = world.fha.leases(), len(world.net.tap)
        for t in old:
            world.net.inject(t.source, t.destination, t.data)
        world.net.run(world.net.now + SECOND // 100)
        told = [RegistrationReply.decode(t.data).code for t in world.net.tap[mark:] if t.source == (FHA, 434)]
        assert told
        assert set(told) == {133}
        assert world.fha.leases() == before
        mark = len(replies(world, 133))
        world.run(20)
        assert len(replies(world, 133)) - mark == (3 if again else 0), "each node hears of the restart once"
    tally = world.tally("renewal")
    assert tally["succeeded"] == tally["attempted"] > 10
    assert world.fleet.violations() == ([], {})


def test_a_node_that_goes_by_nonces_costs_four_octets_more() -> None:
    world, without = Nonces(5, hold_s=3), Stay(5, hold_s=3)
    for each in (world, without):
        each.run(1)
    assert world.fleet.node_octets() == without.fleet.node_octets() + 4


def test_own_nonces_of_a_node_differ() -> None:
    world = Nonces(1, hold_s=200, renew=True)
    world.run(150)
    own = [request.identification & LOW for request in by_association(world)]
    assert len(own) > 30
    assert all(a != b for a, b in pairwise(own))
