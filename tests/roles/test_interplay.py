"""What an FHA has at any moment is what it has after a restart: every order of registering, re-keying, giving back, orders of
the AAAH, running out, and images in the making."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest
from holder import Holding
from test_orders import COA, DISCONNECT, order, put
from test_revocation import SUPPORT, Revoking

from fastcodec import RegistrationReply
from servers.store.store import Compaction

NODES, RELEASED, WRITTEN = 4, 2, 8                    # octets of a record that say when it was written, servers/tables/bindings.pxd


class Life:
    """Nodes at random; an image that is being written beside them."""

    def __init__(self, folder: Path, seed: int) -> None:
        self.random, self.folder, self.restarts = Random(seed), folder, 0
        self.desk = Revoking(NODES, state=folder / "0")
        self.desk.server.changes = {"Mipstorm_MN_FHA_Key_Lifetime": 200}
        self.held: dict[int, Holding] = {}
        self.older: dict[int, Holding] = {}
        self.sessions: dict[int, str] = {}
        self.image: tuple[Compaction, Iterator[tuple[int, bytes]]] | None = None

    def step(self) -> None:
        node = self.random.randrange(NODES)
        action = self.random.choice([self.begin, self.begin, self.rekey, self.renew, self.renew_under_the_older, self.give_back,
                                     self.disconnect, self.shorten, self.pass_time, self.write_image, self.write_image])
        action(node)
        self.desk.wait(1.1)
        self.desk.settle()

    def lifetime(self) -> int:
        return self.random.choice([5, 40, 1000])

    def begin(self, node: int) -> None:
        self.older.pop(node, None)
        extra = self.random.choice([b"", SUPPORT])
        with contextlib.suppress(AssertionError):
            self.held[node] = self.desk.bootstrap(node, lifetime=self.lifetime(), extra=extra)
            self.sessions[node] = self.desk.session()

    def rekey(self, node: int) -> None:
        if node in self.held:
            (octets,) = self.replies(self.desk.rekeying(self.held[node], lifetime=self.lifetime()), node) or [b""]
            if octets and octets[1] == 0:
                self.older[node], self.held[node] = self.held[node], self.desk.taken(octets, node)
                self.sessions[node] = self.desk.session()

    def renew(self, node: int) -> None:
        if node in self.held:
            self.replies(self.desk.renewal(self.held[node], lifetime=self.lifetime()), node)

    def renew_under_the_older(self, node: int) -> None:
        if node in self.older:
            self.replies(self.desk.renewal(self.older[node], lifetime=self.lifetime()), node)

    def give_back(self, node: int) -> None:
        if node in self.held:
            self.replies(self.desk.renewal(self.held[node], lifetime=0), node)

    def disconnect(self, node: int) -> None:
        if node in self.sessions:
            self.desk.tell(order(DISCONNECT, self.desk.named(node, a44=self.sessions[node])))

    def shorten(self, node: int) -> None:
        if node in self.sessions:
            self.desk.tell(order(COA, self.desk.named(node, a44=self.sessions[node]) + put(27, 20)))

    def pass_time(self, node: int) -> None:
        self.desk.wait(self.random.choice([1, 3, 10, 29, 35]))

    def replies(self, request: bytes, node: int) -> list[bytes]:
        with contextlib.suppress(AssertionError):
            octets = self.desk.one(request, node)
            RegistrationReply.decode(octets)
            return [octets]
        return []

    def write_image(self, node: int) -> None:
        """A row at a time; the desk's clock goes on between two of them."""
        if self.image is None:
            self.image = self.desk.store.begin(), iter(self.desk.fha.records(self.desk.net.now, self.desk.wall()))
        compaction, rows = self.image
        row = next(rows, None)
        if row:
            compaction.add([row])
        else:
            compaction.finish()
            self.image = None

    # ---- restart -----------------------------------------------------------------------------------------------------

    def state(self) -> dict[bytes, tuple[int, bytes]]:
        self.desk.settle()
        rows = self.desk.fha.records(self.desk.net.now, self.desk.wall())
        return {payload[130:]: (kind, payload[WRITTEN:16] + (payload[24:130] if kind == RELEASED else payload[16:130]))
                for kind, payload in rows if len(payload) > WRITTEN}

    def restart(self) -> None:
        before, leases, pool = self.state(), self.desk.fha.leases(), self.desk.pool.snapshot()
        self.restarts += 1
        old = self.desk
        server = old.server
        self.desk = old.restarted(self.folder / str(self.restarts))
        self.desk.server.changes, self.desk.server._derived = server.changes, server._derived
        self.desk.server.asked = server.asked
        old.store.close()
        self.image = None
        assert self.desk.fha.leases() == leases
        after = self.state()
        assert after.keys() == before.keys()
        for name, record in before.items():
            assert after[name] == record, (name, record, after[name])
        assert self.desk.pool.snapshot()["leased"] == pool["leased"]


@pytest.mark.parametrize("seed", range(10))
def test_restart_changes_nothing(tmp_path: Path, seed: int) -> None:
    life = Life(tmp_path, seed)
    for _ in range(8):
        for _ in range(life.random.randrange(10)):
            life.step()
        life.restart()
    life.desk.store.close()
