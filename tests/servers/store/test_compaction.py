"""The journal of an FHA that runs becomes an image, and nothing is lost by it."""
import asyncio
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "roles"))

from world import World

from servers.running import compact
from servers.store.image import UNFINISHED


def files(folder: Path) -> list[str]:
    return sorted(p.name for p in folder.iterdir() if p.suffix[1:].isdigit())


def leases_after_restart(world: World, folder: Path) -> dict[bytes, bytes]:
    world.store.close()
    again = World(len(world.columns), state=folder)
    try:
        return again.fha.leases()
    finally:
        again.store.close()


def test_every_lease_is_there_after_it_and_after_what_came_later(tmp_path: Path) -> None:
    world = World(60, state=tmp_path, total=30)
    world.run(5)
    world.settle()
    assert len(world.fha.leases()) == 30
    asyncio.run(compact(world.store, world.fha.records(world.net.now, world.wall()), lambda: None))
    assert files(tmp_path) == ["image.2", "journal.2"]
    world.fleet.limit(60, 0)
    world.fleet.run_timers(world.net.now, world.wall())
    world.run(5)
    world.settle()
    held = world.fha.leases()
    assert len(held) == 60
    assert leases_after_restart(world, tmp_path) == held


def test_a_disk_that_is_full_leaves_all_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    world = World(20, state=tmp_path)
    world.run(5)
    world.settle()

    def full(self: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("servers.store.store.Compaction.finish", full)
    with pytest.raises(OSError, match="No space"):
        asyncio.run(compact(world.store, world.fha.records(world.net.now, world.wall()), lambda: None))
    assert not [p for p in tmp_path.iterdir() if p.name.endswith(UNFINISHED)]
    assert len(leases_after_restart(world, tmp_path)) == 20
