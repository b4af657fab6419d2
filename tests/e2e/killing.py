"""A server that is killed at its failpoints under load, again and again on the same folder, and is looked at each time."""
from __future__ import annotations

import asyncio
import contextlib
import os
import random
import shutil
import signal
import time
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import uvloop

from servers import failpoint
from tests.e2e import plants
from tests.e2e.places import Place
from tests.e2e.processes import PYTHON, Server

LEAST_LOAD = 100.0             # acknowledged operations a second around a kill, else it proves nothing
TRIES = 4                      # a kill whose load was less is void and done again, three times at most
REACHED_WITHIN_S = 15.0
FIRST_REPLY_WITHIN_S = 10.0    # 1 s is asked for; machines may be busy
SETTLE_S = 0.03                # for replies that were sent before a kill


@dataclass(frozen=True)
class Kill:
    """What happens to one life of a server; no point: it is killed after `nth` ms."""

    point: str
    nth: int
    mode: str = "kill"

    def __str__(self) -> str:
        return f"{self.point}:{self.nth}:{self.mode}"


@dataclass
class Campaign:
    """One server of a place, its lives, and what was found: `faults` in words, none when all is well."""

    place: Place
    role: str
    config: Path
    acked: Callable[[], int]                                   # operations that the load had acknowledged so far
    check: Callable[[Path], Iterable[str]]                     # faults of a state folder as the last life left it
    visit: Callable[[Server], Awaitable[Iterable[str]]]        # faults of a life that has just begun
    plant: str = ""
    faults: list[str] = field(default_factory=list)
    lives: int = 0
    void: int = 0
    loads: list[float] = field(default_factory=list)           # of each kill
    first_reply_s: list[float] = field(default_factory=list)   # of each life, from its fork on

    async def run(self, kills: Iterable[Kill]) -> None:
        """All of them; stops at the first that finds something."""
        for kill in kills:
            for tried in range(TRIES):
                if await self.life(kill):
                    break
                self.void += 1
                assert tried + 1 < TRIES, f"{kill}: the load was below {LEAST_LOAD:g} each time: {self.loads[-TRIES:]}"
            if self.faults:
                return

    async def life(self, kill: Kill) -> bool:
        """From its start to its end at the failpoint; False when it proves nothing, because of too little load."""
        with contextlib.ExitStack() as stack:
            server = stack.enter_context(await self.start(kill))
            began, before = time.monotonic(), self.acked()
            visited = asyncio.ensure_future(self.visit(server))
            await self.end_of(server, kill)
            rate = (self.acked() - before) / (time.monotonic() - began)
            self.faults += [f"{kill}: {fault}" for fault in await visited]
        self.loads.append(rate)
        await self.look(kill)
        return rate >= LEAST_LOAD

    async def start(self, kill: Kill | None) -> Server:
        """Returns at its first reply."""
        began, before = time.monotonic(), self.acked()
        server = await asyncio.to_thread(self.fork, kill)
        self.lives += 1
        while self.acked() == before and server.process.poll() is None:
            if time.monotonic() - began > FIRST_REPLY_WITHIN_S:
                server.__exit__(None, None, None)
                raise AssertionError(f"{kill}: no reply within {FIRST_REPLY_WITHIN_S} s of the start")
            await asyncio.sleep(0.005)
        self.first_reply_s.append(time.monotonic() - began)
        return server

    def fork(self, kill: Kill | None) -> Server:
        armed = ("env", f"{failpoint.VARIABLE}={kill}") if kill and kill.point else ()
        return Server(self.place.folder, self.role, self.config, (*armed, PYTHON, plants.__file__, self.plant))

    async def end_of(self, server: Server, kill: Kill) -> None:
        """`kill`: it ends itself; `error`: it says so and ends, or goes on; `sleep`: it goes on. Who goes on is killed."""
        if not kill.point:
            await asyncio.sleep(kill.nth / 1000)
            server.kill()
        deadline = time.monotonic() + (REACHED_WITHIN_S if kill.mode == "kill" else 2.5)
        while server.process.poll() is None and time.monotonic() < deadline:
            await asyncio.sleep(0.005)
        if kill.mode == "kill":
            assert server.process.poll() == -signal.SIGKILL, f"{kill}: not reached, or {server.log.read_text()}"
        server.kill()

    async def die_at_start(self, kill: Kill) -> None:
        """The kill of a server that nobody has heard of yet."""
        with contextlib.suppress(AssertionError):
            (await asyncio.to_thread(self.fork, kill)).__exit__(None, None, None)
            raise RuntimeError(f"{kill}: it started")
        last = (self.place.folder / f"{self.role}.log").read_text().splitlines()[-1]
        assert f"failpoint {kill} is armed" in last, last        # it has said nothing else: no error, no end
        await self.look(kill)

    async def look(self, kill: Kill) -> None:
        await asyncio.sleep(SETTLE_S)
        self.faults += [f"{kill}: {fault}" for fault in self.check(self.copy())]

    def copy(self) -> Path:
        """The state folder as it is now; what is set aside in its files costs nothing."""
        source, to = self.place.folder / f"{self.role}-state", self.place.folder / f"{self.role}-copy"
        shutil.rmtree(to, ignore_errors=True)
        to.mkdir()
        for path in source.iterdir():
            if path.name != "lock":
                copy_data(path, to / path.name)
        return to

    def summary(self) -> str:
        slowest, least = max(self.first_reply_s, default=0.0), min(self.loads, default=0.0)
        return (f"{self.role}: {self.lives} lives, {self.void} void, load {least:.0f}/s at least, "
                f"first reply within {slowest:.2f} s, {len(self.faults)} faults")


def copy_data(source: Path, to: Path) -> None:
    """A copy with the holes where the source is only set aside or zero."""
    with source.open("rb") as old, to.open("wb") as new:
        while piece := old.read(1 << 16):
            if piece.count(0) == len(piece):
                new.seek(len(piece), os.SEEK_CUR)
            else:
                new.write(piece)
        new.truncate()


def twice(points: dict[str, int], seed: int, times: int = 2) -> Iterator[Kill]:
    """Each point at a small and a larger place in its life (further ones anywhere between); `points`: the smallest."""
    chance = random.Random(seed)
    for point, least in points.items():
        yield Kill(point, chance.randint(least, least + least // 2))
        yield Kill(point, chance.randint(2 * least, 3 * least))
        for _ in range(times - 2):
            yield Kill(point, chance.randint(least, 3 * least))


def at_any_moment(seed: int, times: int) -> Iterator[Kill]:
    chance = random.Random(seed)
    for _ in range(times):
        yield Kill("", chance.randint(100, 1500))


def run_beside(work: Awaitable[None], *loads: Coroutine[None, None, None]) -> None:
    """Runs the loads for as long as the work goes on."""
    async def both() -> None:
        tasks = [asyncio.ensure_future(load) for load in loads]
        try:
            await work
        finally:
            for task in tasks:
                task.cancel()
            ended = await asyncio.gather(*tasks, return_exceptions=True)
        for error in ended:
            if isinstance(error, Exception):
                raise error
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(both())
