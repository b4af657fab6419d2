"""The home address from the AAAH instead of the pool (radius.md 9.2), and leases of addresses that no pool has (A48)."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

import pytest
from holder import Holder, Holding
from world import packed

OUTSIDE, OTHER = "203.0.113.7", "203.0.113.8"


def assigned(desk: Holder, address: str | list[str]) -> None:
    desk.server.changes["Framed_IP_Address"] = address


def leased(desk: Holder, node: int = 0) -> bytes | None:
    return desk.fha.leases().get(desk.columns.nai[node])


def give_back(desk: Holder, held: Holding) -> None:
    assert desk.renew(held, lifetime=0).code == 0


def test_outside_the_pool() -> None:
    desk = Holder()
    assigned(desk, OUTSIDE)
    held = desk.bootstrap()
    assert held.home == OUTSIDE
    assert leased(desk) == packed(OUTSIDE)
    assert desk.pool.leases() == []
    assert desk.renew(held).code == 0
    give_back(desk, held)
    assert leased(desk) is None


def test_asked_for_by_the_node() -> None:
    desk = Holder()
    assigned(desk, OUTSIDE)
    assert desk.bootstrap(home=OUTSIDE).home == OUTSIDE
    assert desk.ask(1, home=OTHER).code == 129
    assert len(desk.fha.leases()) == 1


def test_in_the_pool_is_claimed_there() -> None:
    desk = Holder(pool="198.18.0.0/29")
    assigned(desk, "198.18.0.5")
    assert desk.bootstrap().home == "198.18.0.5"
    assert len(desk.pool.leases()) == 1
    assigned(desk, "255.255.255.254")
    homes = {desk.bootstrap(node).home for node in range(1, 6)}
    assert len(homes) == 5
    assert "198.18.0.5" not in homes


@pytest.mark.parametrize("address", [OUTSIDE, "198.18.0.5"])
def test_of_another_node(address: str) -> None:
    desk = Holder(pool="198.18.0.0/29")
    assigned(desk, address)
    held = desk.bootstrap()
    reply = desk.ask(1)
    assert (reply.code, reply.is_signed) == (130, True)
    assert desk.count("address_taken") == 1
    assert desk.fha.leases() == {desk.columns.nai[0]: packed(address)}
    give_back(desk, held)
    assert desk.ask(1).code == 130  # it rests for its last owner
    desk.wait(31)
    assert desk.bootstrap(1).home == address
    assert desk.pool.snapshot()["leased"] == (0 if address == OUTSIDE else 1)


@pytest.mark.parametrize("address", ["198.18.0.0", "198.18.0.7"])
def test_reserved_in_the_pool(address: str) -> None:
    desk = Holder(pool="198.18.0.0/29")
    assigned(desk, address)
    assert desk.ask().code == 130
    assert desk.pool.snapshot()["free"] == 6


@pytest.mark.parametrize("address", ["0.0.0.0", "0.1.2.3", "127.0.0.9", "127.0.0.2", "169.254.1.1", "224.0.0.5",
                                     "240.0.0.1", "255.255.255.255", [OUTSIDE, OTHER], [OUTSIDE, OUTSIDE]])
def test_unusable(address: str | list[str]) -> None:
    desk = Holder()
    assigned(desk, address)
    reply = desk.ask()
    assert (reply.code, reply.is_bare) == (128, True)
    assert desk.count("aaa_unusable") == 1
    assert desk.kept() == ({}, 0)


def test_another_one_replaces_it() -> None:
    desk = Holder()
    first = desk.bootstrap()
    assigned(desk, OUTSIDE)
    assert desk.read(desk.one(desk.rekeying(first))).code == 129  # the node asks for the one that it has
    assert leased(desk) == packed(first.home)
    assert desk.bootstrap().home == OUTSIDE
    assert leased(desk) == packed(OUTSIDE)
    assert (desk.pool.snapshot()["leased"], desk.pool.snapshot()["cooling"]) == (0, 1)
    assigned(desk, OTHER)
    desk.bootstrap()
    assigned(desk, OUTSIDE)
    assert desk.bootstrap(1).home == OUTSIDE  # nobody's any more


def test_kept_when_the_aaah_leaves_the_choice_to_us() -> None:
    desk = Holder()
    assigned(desk, OUTSIDE)
    desk.bootstrap()
    assigned(desk, "255.255.255.254")
    assert desk.bootstrap().home == OUTSIDE


def test_not_again_without_the_aaah() -> None:
    desk = Holder()
    assigned(desk, OUTSIDE)
    held = desk.bootstrap()
    give_back(desk, held)
    assert desk.renew(held, home="0.0.0.0").code == 129
    assert desk.kept() == ({}, 0)
    assert desk.bootstrap().home == OUTSIDE


def test_survives_a_restart(tmp_path: Path) -> None:
    desk = Holder(state=tmp_path / "a")
    assigned(desk, OUTSIDE)
    held = desk.bootstrap()
    again = desk.restarted(tmp_path / "b")
    assert leased(again) == packed(OUTSIDE)
    assigned(again, OUTSIDE)
    assert again.ask(1).code == 130
    assert again.renew(held).code == 0
    again.wait(1801 + 30)
    assert again.bootstrap(1).home == OUTSIDE


def test_no_room() -> None:
    class Narrow(Holder):
        fha_settings: ClassVar[dict[str, Any]] = {"outside": 1}

    desk = Narrow()
    assigned(desk, OUTSIDE)
    desk.bootstrap()
    assigned(desk, OTHER)
    assert desk.ask(1).code == 130
    assigned(desk, "255.255.255.254")
    assert desk.ask(1).code == 0


def test_another_pool_after_a_restart(tmp_path: Path) -> None:
    """A48: what was leased stays until it ends, and is not leased again."""
    desk = Holder(state=tmp_path / "a", pool="198.18.0.0/28")
    held = [desk.bootstrap(node) for node in range(3)]
    desk.pool_network = "198.19.0.0/30"
    again = desk.restarted(tmp_path / "b")
    assert again.fha.leases() == {desk.columns.nai[h.node]: packed(h.home) for h in held}
    assert again.renew(held[0]).code == 0
    assert again.bootstrap(3).home.startswith("198.19.0.")
    give_back(again, held[1])
    again.wait(1801 + 31)
    assert again.fha.leases() == {}
    homes = [again.bootstrap(node).home for node in (0, 1)]
    assert all(home.startswith("198.19.0.") for home in homes)
    assert again.ask(2).code == 130
