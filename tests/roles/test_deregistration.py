"""Leases given back under the key, rest, and who may have the address meanwhile (RFC 5944 3.8.2.2, ruling 13, I14)."""

from pathlib import Path

import pytest
from desk import T
from holder import Holder
from world import SECOND

NARROW = "198.18.0.0/30"  # two addresses


@pytest.mark.parametrize("care_of", ["the bound one", "the home address"])
def test_given_back(care_of: str) -> None:
    desk = Holder()
    held = desk.bootstrap()
    fixed = {} if care_of == "the bound one" else {"care_of": held.home, "flags": T}
    reply = desk.renew(held, lifetime=0, **fixed)
    assert (reply.code, reply.lifetime, str(reply.home_address)) == (0, 0, held.home)
    assert desk.kept() == ({}, 0)
    assert desk.fha.counters() == {"given_back": 1}
    assert len(desk.server.asked) == 1


def test_another_care_of_address_is_not_bound() -> None:
    """After a handover the node may end the binding of its old care-of address: there is none, and it hears so."""
    desk = Holder()
    held = desk.bootstrap()
    assert desk.verified(desk.one(desk.renewal(held, care_of="127.64.9.9"), source=("127.64.9.9", 5001)), held).code == 0
    before = desk.fha.leases()
    reply = desk.verified(desk.one(desk.renewal(held, lifetime=0), source=("127.64.9.9", 5001)), held)
    assert (reply.code, reply.lifetime) == (0, 0)
    assert desk.fha.leases() == before
    assert desk.count("given_back") == 0


def test_told_again_that_it_is_given_back() -> None:
    """The reply was lost: the same octets get the same reply, a new request gets code 0 under the same key."""
    desk = Holder()
    held = desk.bootstrap()
    request = desk.renewal(held, lifetime=0)
    first = desk.one(request)
    assert desk.one(request) == first
    assert desk.renew(held, lifetime=0).code == 0
    desk.wait(28)
    assert desk.renew(held, lifetime=0).code == 0
    desk.wait(2)
    assert desk.send(desk.renewal(held, lifetime=0)) == []
    assert desk.fha.counters() == {"given_back": 1, "duplicate_answered": 1, "unknown_spi": 1}


def test_wrong_key_gives_nothing_back() -> None:
    desk = Holder()
    held, other = desk.bootstrap(), desk.bootstrap(1)
    before = desk.fha.leases()
    assert desk.verified(desk.one(desk.renewal(held, lifetime=0, key=other.key)), held).code == 131
    assert desk.fha.leases() == before


def test_replayed_request_does_not_bring_the_lease_back() -> None:
    desk = Holder()
    held = desk.bootstrap()
    old = desk.renewal(held)
    desk.one(old)
    assert desk.renew(held, lifetime=0).code == 0
    assert desk.verified(desk.one(old), held).code == 133
    assert desk.fha.leases() == {}


def test_node_comes_back_under_its_key_and_has_its_address_again() -> None:
    desk = Holder(8, pool=NARROW)
    held = desk.bootstrap()
    assert desk.renew(held, lifetime=0).code == 0
    assert str(desk.renew(held, home="0.0.0.0").home_address) == held.home
    assert desk.fha.leases() == {desk.columns.nai[0]: held.reply.message.home_address.packed}
    desk.wait(60)
    assert len(desk.fha.leases()) == 1


@pytest.mark.parametrize("end", ["given back", "expired"])
def test_address_rests_for_its_last_owner(end: str) -> None:
    desk = Holder(8, pool=NARROW)
    held, _ = desk.bootstrap(lifetime=10), desk.bootstrap(1)
    if end == "expired":
        desk.wait(10.1)
    else:
        assert desk.renew(held, lifetime=0).code == 0
    assert desk.ask(2).code == 130, "it must rest"
    assert str(desk.ask(0).message.home_address) == held.home
    desk.renew(desk.bootstrap(0), lifetime=0)
    desk.wait(31)
    assert str(desk.ask(2).message.home_address) == held.home


def test_what_has_rested_is_shown_as_free() -> None:
    """Also when nobody has looked for an address since, or come at all."""
    desk = Holder()
    held = desk.bootstrap()
    assert desk.renew(held, lifetime=0).code == 0
    assert desk.fha.gauges()["pool_cooling"] == (1, 256)
    assert desk.fha.gauges(desk.net.now + 29 * SECOND)["pool_cooling"] == (1, 256)
    assert desk.fha.gauges(desk.net.now + 32 * SECOND)["pool_cooling"] == (0, 256)
    assert desk.fha.gauges(desk.net.now + 32 * SECOND)["pool_free"] == (254, 256)


def test_rest_survives_restarts(tmp_path: Path) -> None:
    """One that ended before, one that ends while nobody is there."""
    desk = Holder(8, pool=NARROW, state=tmp_path / "a")
    held, other = desk.bootstrap(), desk.bootstrap(1, lifetime=15)
    assert desk.verified(desk.one(desk.renewal(held, lifetime=0)), held).code == 0
    again = desk.restarted(tmp_path / "b", 20)
    assert again.fha.leases() == {}
    again.settle()
    assert again.read(again.one(again.rrq(2), 2), 2).code == 130
    assert again.renew(held, lifetime=0).code == 0, "its association rests, too"
    again.store.compact(again.fha.records(again.net.now, again.wall()))  # the rest is in the image, too
    third = again.restarted(tmp_path / "c", 5)
    assert third.read(third.one(third.rrq(2), 2), 2).code == 130
    third.wait(7)
    assert third.read(third.one(third.rrq(2), 2), 2).code == 0
    assert third.read(third.one(third.rrq(3), 3), 3).code == 130, "the later one still rests"
    assert str(third.renew(other).home_address) == other.home
    for each in (desk, again, third):
        each.store.close()


def test_not_answered_before_the_end_is_durable(tmp_path: Path) -> None:
    desk = Holder(state=tmp_path / "a")
    held = desk.bootstrap()
    assert desk.send(desk.renewal(held, lifetime=0)) == []
    mark = len(desk.net.tap)
    desk.settle()
    (reply,) = [t.data for t in desk.net.tap[mark:]]
    assert desk.verified(reply, held).code == 0
    again = desk.restarted(tmp_path / "b")
    assert again.fha.leases() == {}
    for each in (desk, again):
        each.store.close()


def test_no_rest_no_memory() -> None:
    class Restless(Holder):
        cool_down_s = 0

    desk = Restless(8, pool=NARROW)
    for node in range(8):
        held = desk.bootstrap(node)
        assert desk.renew(held, lifetime=0).code == 0
        assert desk.send(desk.renewal(held, lifetime=0), node=node) == []
    assert desk.fha.gauges()["bindings"][0] == 0


def test_pool_and_bindings_agree_whatever_comes_and_goes() -> None:
    """Conservation (I4, I14): every address is free, leased to one binding, or resting."""
    desk = Holder(16, pool="198.18.0.0/29")
    for turn in range(60):
        node = turn % 16
        reply = desk.ask(node, lifetime=5 + turn % 7)
        if reply.code == 0 and turn % 3 == 0:
            desk.send(desk.rrq(node, lifetime=0, identification=desk.ntp(0.001)), node=node)
        desk.wait(1.3)
        gauges = desk.fha.gauges()
        leases = desk.fha.leases()
        assert gauges["pool_leased"][0] == len(leases) == len(set(leases.values()))
        assert sum(gauges[f"pool_{s}"][0] for s in ("free", "leased", "cooling", "reserved")) == 8
        assert gauges["bindings"][0] <= gauges["pool_leased"][0] + gauges["pool_cooling"][0]
