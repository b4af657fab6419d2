"""How long a lease lasts: clipped, given back, expired (rulings 13 and 14)."""

from ipaddress import IPv4Address

import pytest
from desk import D, Desk, T
from world import SECOND, World


@pytest.mark.parametrize(("asked", "granted"), [(1, 1), (600, 600), (1800, 1800), (1801, 1800), (65534, 1800), (65535, 1800)])
def test_clipped_to_what_is_allowed(asked: int, granted: int) -> None:
    assert Desk().ask(lifetime=asked).message.lifetime == granted


def test_expiry_frees_the_address() -> None:
    desk = Desk(8, pool="198.18.0.0/31")
    held = [desk.ask(k, lifetime=10).message.home_address for k in range(2)]
    assert desk.ask(2).code == 130
    desk.net.run(desk.net.now + 11 * SECOND)
    assert desk.kept() == ({}, 0)
    assert desk.fha.counters()["expired"] == 2
    assert desk.ask(2).message.home_address in held


def test_renewal_keeps_the_address_and_the_new_lifetime_counts() -> None:
    desk = Desk()
    first = desk.ask(lifetime=10)
    desk.net.run(desk.net.now + 8 * SECOND)
    second = desk.ask(lifetime=10)
    assert second.message.home_address == first.message.home_address
    desk.net.run(desk.net.now + 8 * SECOND)
    assert len(desk.fha.leases()) == 1
    desk.net.run(desk.net.now + 3 * SECOND)
    assert desk.fha.leases() == {}


def test_lifetime_0_gives_the_lease_back() -> None:
    desk = Desk()
    held = str(desk.ask().message.home_address)
    reply = desk.ask(lifetime=0, home=held)
    assert (reply.code, reply.is_signed, reply.message.lifetime) == (0, True, 0)
    assert reply.message.home_address == IPv4Address(held)
    assert desk.kept() == ({}, 0)
    assert [type(e).__name__ for e in reply.message.extensions] == ["Nai", "NonceReply", "MnHaAuthentication"]


@pytest.mark.parametrize("home", ["0.0.0.0", "198.18.0.77"])
def test_nothing_to_give_back_is_success(home: str) -> None:
    """Ruling 13: the node may not have heard that its lease has expired."""
    desk = Desk()
    reply = desk.ask(lifetime=0, home=home)
    assert (reply.code, reply.is_signed, reply.message.lifetime) == (0, True, 0)
    assert desk.kept() == ({}, 0)


def test_back_home_the_care_of_address_is_the_home_address() -> None:
    """Ruling 13: then the source is not the care-of address; the key suffices."""
    desk = Desk()
    held = str(desk.ask().message.home_address)
    reply = desk.ask(lifetime=0, home=held, care_of=held, flags=T)
    assert (reply.code, reply.is_signed) == (0, True)
    assert desk.kept() == ({}, 0)


def test_nobody_gives_back_what_is_another_s() -> None:
    desk = Desk()
    held = desk.ask(0).message.home_address
    desk.ask(1)
    before = desk.fha.leases()
    desk.ask(1, lifetime=0, home=str(held))
    assert desk.fha.leases()[desk.columns.nai[0]] == held.packed
    desk.ask(2, lifetime=0, home=str(held))
    assert desk.fha.leases()[desk.columns.nai[0]] == held.packed
    assert set(desk.fha.leases()) <= set(before)


def test_lifetime_0_without_the_key_gives_nothing_back() -> None:
    desk = Desk()
    held = desk.ask()
    assert desk.ask(lifetime=0, key=bytes(16), flags=D | T).code == 144
    assert desk.fha.leases() == {desk.columns.nai[0]: held.message.home_address.packed}


def test_lease_lasts_as_long_as_the_node_asked() -> None:
    world = World(5, lifetime_s=100)
    world.run(2)
    assert world.tally()["succeeded"] == 5
    assert len(world.fha.leases()) == 5
    world.net.run(world.net.now + 101 * SECOND)
    assert world.fha.leases() == {}
