"""Servers with a planted bug, so that it is seen whether a checker finds it; and with journals that become images early.

As a program, `plants.py NAME PYTHON -m servers.app ROLE CONFIG BUFFER` runs what the rest of its words would run, with the
bug. In the process of a test, `plant(NAME, monkeypatch.setattr)` puts the same bug into what restores a state there.
"""
from __future__ import annotations

import struct
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from servers import app, running
from servers.store import store as stores

EARLY, OFTEN_S = 30_000, 0.4   # octets of journal, after which it becomes an image; how often that is looked at
RELEASED, MOMENT = 2, 3         # types of journal records: of a lease that has ended, and of the clock alone
WRITTEN, IDENTIFICATION = 0, 16  # where they stand in a record: what replays are refused by

Patch = Callable[[Any, str, Any], None]
load = stores.Store.load


def acknowledges_without_journal(patch: Patch) -> None:
    def volatile(directory: Path, identity: str) -> stores.Store:
        directory.mkdir(exist_ok=True)
        return stores.Store(None, identity)
    patch(app, "Store", volatile)


def forgets_the_newest_leases(patch: Patch) -> None:
    patch(stores.Store, "load", lambda self: load(self)[:-30])


def forgets_releases(patch: Patch) -> None:
    patch(stores.Store, "load", lambda self: [row for row in load(self) if row[0] != RELEASED])


def removes_before_it_renames(patch: Patch) -> None:
    """The old files of a compaction go while the image has not its name yet."""
    def finish(self: stores.Compaction) -> None:
        for old in stores.numbered(self._path.parent):
            if int(old.suffix[1:]) < self._number:
                old.unlink()
        whole(self)
    whole = stores.Compaction.finish
    patch(stores.Compaction, "finish", finish)


def forgets_what_was_said(patch: Patch) -> None:
    """After a restart replays pass for new."""
    def restore(role: Any, rows: Sequence[tuple[int, bytes]], now: int, wall: int) -> None:
        whole(role, [(kind, without_times(payload)) for kind, payload in rows if kind != MOMENT], now, wall)
    whole = app.restore
    patch(app, "restore", restore)


def without_times(payload: bytes) -> bytes:
    octets = bytearray(payload)
    for at in (WRITTEN, IDENTIFICATION):
        struct.pack_into("<Q", octets, at, 0)
    return bytes(octets)


def leases_what_is_leased(patch: Patch) -> None:
    """A restarted pool knows the newest half of its leases only, and gives the others' addresses to whoever comes."""
    def half(self: stores.Store) -> list[tuple[int, bytes]]:
        rows = load(self)
        return rows[len(rows) // 2:]
    patch(stores.Store, "load", half)


PLANTS: dict[str, Callable[[Patch], None]] = {
    made.__name__: made for made in (
        acknowledges_without_journal, forgets_the_newest_leases, forgets_releases, removes_before_it_renames,
        forgets_what_was_said, leases_what_is_leased)}


def plant(name: str, patch: Patch) -> None:
    if name:
        PLANTS[name](patch)


def main(name: str, *command: str) -> int:
    running.COMPACT_AT, running.LOOK_EVERY_S = EARLY, OFTEN_S
    plant(name, setattr)
    return app.child(command[-3:])


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
