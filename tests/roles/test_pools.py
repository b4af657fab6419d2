"""Several pools by subscription class: the AAAH names one in its Accept (RFC 2869 5.18), the FHA leases from it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from desk import Desk
from holder import Holder
from world import AAAH, FHA, World, packed

from fastcodec import RadiusPacket
from servers.pool.bitmap import SharedPool
from servers.tables.subscribers_csv import generate


class Pools(Holder):
    business_network = "198.19.0.0/29"

    def add_fha(self, clock_s: float = 0, **settings: Any) -> None:
        self.business = SharedPool(self.business_network, cool_down_s=60)
        super().add_fha(clock_s, pools=[(b"business", self.business)], **settings)

    def name(self, pool: str | None) -> None:
        self.server.changes["Framed_Pool"] = pool


def test_the_pool_that_is_named() -> None:
    desk = Pools()
    desk.name("business")
    held = desk.bootstrap()
    assert held.home.startswith("198.19.0.")
    assert (len(desk.business.leases()), len(desk.pool.leases())) == (1, 0)
    for node, name in ((1, "default"), (2, None)):
        desk.name(name)
        assert desk.bootstrap(node).home.startswith("198.18.0.")
    assert desk.fha.gauges()["pool_business_leased"] == (1, 8)
    assert desk.fha.gauges()["pool_leased"] == (2, 256)
    assert desk.renew(held).code == 0
    assert desk.renew(held, lifetime=0).code == 0
    assert desk.business.snapshot()["cooling"] == 1
    desk.wait(45)  # its own pool's time to rest
    desk.name("business")
    assert desk.bootstrap().home == held.home


@pytest.mark.parametrize("name", ["busines", "businesss", "Business", "x" * 200])
def test_a_pool_that_nobody_knows(name: str) -> None:
    desk = Pools()
    desk.name(name)
    assert desk.ask().code == 128
    assert desk.count("aaa_unusable") == 1
    assert desk.kept() == ({}, 0)
    single = Holder()
    single.server.changes["Framed_Pool"] = name
    assert single.ask().code == 0  # RFC 2869 5.18: who has one only need not know names


def test_an_empty_pool_borrows_nothing() -> None:
    desk = Pools()
    desk.name("business")
    assert len({desk.bootstrap(node).home for node in range(6)}) == 6
    assert desk.ask(6).code == 130
    assert desk.count("pool_exhausted") == 1
    desk.name("default")
    assert desk.ask(6).code == 0


def test_a_lease_stays_when_the_class_changes() -> None:
    desk = Pools()
    home = desk.bootstrap().home
    desk.name("business")
    assert desk.bootstrap().home == home
    assert desk.business.leases() == []


def test_neither_pool_is_a_care_of_address() -> None:
    desk = Pools()
    assert desk.ask(source=("198.19.0.1", 5001), care_of="198.19.0.1").code == 129
    assert desk.ask(1, source=("198.18.0.1", 5001), care_of="198.18.0.1").code == 129


def test_survives_a_restart(tmp_path: Path) -> None:
    desk = Pools(state=tmp_path / "a")
    desk.name("business")
    held = desk.bootstrap()
    again = desk.restarted(tmp_path / "b")
    assert isinstance(again, Pools)
    assert len(again.business.leases()) == 1
    assert again.renew(held).code == 0


# ---- the AAAH that names it ----------------------------------------------------------------------------------------------

class Classes(Desk):
    def add_aaah(self) -> None:
        World.add_aaah(self)
        self.aaah.clear_fhas()
        self.aaah.add_fha(packed(FHA), 1, 1, b"", b"business")
        self.aaah.add_fha(packed(FHA), 1, 2)


def test_the_aaah_names_a_pool_by_class() -> None:
    columns = replace(generate(2), classes=["gold", "standard"], class_index=np.array((0, 1), dtype=np.uint16))
    desk = Classes(2, columns=columns)
    for node, pool in ((0, "business"), (1, None)):
        (octets,) = desk.exchange((FHA, 30000), (AAAH, 1812), desk.key_request(node), (AAAH, 1812))
        assert RadiusPacket.decode(octets).attributes.get("Framed-Pool") == pool
    with pytest.raises(ValueError, match="more than 32 octets"):
        desk.aaah.add_fha(packed(FHA), pool=b"x" * 33)
