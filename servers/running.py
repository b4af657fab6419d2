"""Runs a server on an event loop until it is told to end: signals, the log, the drain, the report."""
from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import time
import traceback
from collections.abc import Awaitable, Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from servers.engine.reasons import EVENTS
from servers.errors import ConfigurationError
from servers.log import Log
from servers.net.udp import Driver
from servers.operation import Faces
from servers.store.errors import StoreError
from servers.store.store import Compaction, Store

if TYPE_CHECKING:
    from servers.app import Server

LOOK_EVERY_S = 1.0         # at what was counted, and at the length of the journal
PIECE = 1000               # leases in a line of the report
COMPACT_AT = 256 << 20     # octets of journal, after which the live state becomes an image
ROWS = 2000                # of an image, written before the loop looks at packets again
DRAIN_S = 2.0              # at the end, for the journal and for answers under way


async def run(server: Server, faces: Faces, log: Log, report: IO[str] | None) -> int:
    loop, ended = asyncio.get_running_loop(), asyncio.Event()
    faults = Faults(log)
    loop.set_exception_handler(faults.take)
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, ended.set)
    loop.add_signal_handler(signal.SIGHUP, lambda: asyncio.ensure_future(reread(server, log)))
    wakers = [server.store.journal.done] if server.store and server.store.directory is not None else []
    driver = Driver(server.role, server.sockets, loop, wakers=wakers)
    await faces.start(log)
    if report:
        tell(report, {"ready": server.name, "address": server.address, "pid": os.getpid()})
    else:
        log("ready", f"listens on {server.address} (pid {os.getpid()}); Ctrl-C stops it",
            address=server.address, pid=os.getpid())
    failure = await watch(server, ended, log, faults, driver)
    await drain(server)
    use = server.use()
    faces.close()
    driver.close()
    held = leases(server)
    if server.store:
        server.store.close()
    if failure:
        log("failed", failure, "error")                              # nobody reads a report that was not asked for
    elif report:
        for some in held:
            tell(report, {"leases": some})
        tell(report, {"use": use})
    else:
        log("ended", f"ended after {use['packets_in']} packets in, {use['packets_out']} out")
    return 1 if failure else 0


async def watch(server: Server, ended: asyncio.Event, log: Log, faults: Faults, driver: Driver) -> str | None:
    """Every so often logs what was counted since, one line a reason, until the end; or says what failed."""
    before: dict[str, int] = {}
    alive: dict[str, bool] = {}
    while not ended.is_set():
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(ended.wait(), LOOK_EVERY_S)
        counts = server.role.counters()
        for reason, count in counts.items():
            if reason not in EVENTS and count != before.get(reason, 0):
                last = server.role.offender(reason)
                log("dropped", f"{reason}: {count - before.get(reason, 0)} ({count} in all){last}", "warning",
                    reason=reason, count=count - before.get(reason, 0), total=count, last=last.removeprefix("; "))
        before = counts
        tell_upstreams(server.role, alive, log)
        faults.tell()
        if server.store and (fault := journal_fault(server.store)):
            return f"{fault}; nothing more is granted"
        if server.store and server.store.directory is not None and (
                server.store.journal.file_octets > COMPACT_AT or server.is_due()):
            await make_image(server, server.store, driver.pump.on_timer, log)
    return None


async def make_image(server: Server, store: Store, look: Callable[[], None], log: Log) -> None:
    """Not while files are read again: what comes of them must not change the rows half way."""
    async with server.rereading:
        try:
            rows = server.role.records(time.monotonic_ns(), time.time_ns())
            log("compacted", await compact(store, rows, look, server.leave))
        except (OSError, StoreError) as error:                       # the older files stay and stay valid
            log("compaction_failed", f"the journal stays as it is: {getattr(error, 'strerror', None) or error}", "error")


async def compact(store: Store, rows: Iterator[tuple[int, bytes]], look: Callable[[], None],
                  leave: Callable[[Compaction], Awaitable[Path | None]] | None = None) -> str:
    """The live state into an image, bit by bit while the role goes on: every record is a whole row, which the new journal's
    replace (see `Store`). `look`: lets the role see what became durable meanwhile. `leave`: takes what no image keeps out
    of the journals first. A full disk leaves all as it was."""
    compaction = store.begin()
    look()
    try:
        file = await leave(compaction) if leave else None
        while piece := list(islice(rows, ROWS)):
            compaction.add(piece)
            await asyncio.sleep(0)
        await asyncio.to_thread(compaction.finish)
    except BaseException:
        compaction.abandon()
        raise
    return "the journal became an image" + (f"; accounting records are in {file}" if file else "")


def tell_upstreams(role: Any, alive: dict[str, bool], log: Log) -> None:
    """A line when a server that we ask does not answer any more, and when it does again; `alive` is what was last said."""
    for upstream in role.upstreams() if hasattr(role, "upstreams") else ():
        address, answers = upstream["address"], upstream["alive"]
        if answers != alive.get(address, True):
            log("upstream", f"{address} {'answers again' if answers else 'does not answer, or too late; others are asked'}",
                "info" if answers else "warning", address=address, alive=answers)
        alive[address] = answers


def journal_fault(store: Store) -> str | None:
    """A write that failed, or a full disk that has kept something from being granted."""
    counters = store.journal.counters()
    if store.journal.failed:
        return f"the journal cannot be written ({os.strerror(store.journal.failed)})"
    if counters["no_space"] and counters["refused"]:
        return f"the disk of {store.directory} is full: the journal cannot grow"
    return None


class Faults:
    """Exceptions out of callbacks of the event loop: the first and then one a second is logged, with a count."""

    def __init__(self, log: Log) -> None:
        self.log, self.count, self.told = log, 0, 0
        self.last: BaseException | None = None

    def take(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        self.count += 1
        self.last = context.get("exception") or RuntimeError(context.get("message", "unknown"))

    def tell(self) -> None:
        if self.count > self.told and self.last:
            self.log("internal_error", f"{self.count - self.told} internal errors; the last: {in_one_line(self.last)}", "error")
            self.told = self.count


def in_one_line(error: BaseException) -> str:
    """An exception with where it came from, without the values of anything."""
    places = [f"{Path(f.filename).name}:{f.lineno}" for f in traceback.extract_tb(error.__traceback__)]
    return f"{type(error).__name__}: {error} (at {' < '.join(reversed(places)) or 'no place'})"


async def reread(server: Server, log: Log) -> None:
    """SIGHUP. Files are read beside the traffic; one that is wrong changes nothing."""
    if server.reread is None:
        log("reread", "SIGHUP: nothing to re-read; what else is in the configuration needs a restart")
        return
    async with server.rereading:
        try:
            use = await asyncio.to_thread(server.reread)
            log("reread", f"SIGHUP: {use()}")
        except (ConfigurationError, OSError) as error:
            log("reread_failed", f"SIGHUP: {error}; the old one stays in use", "error")


async def drain(server: Server) -> None:
    """Replies that wait for the journal leave before the process does."""
    deadline = time.monotonic() + DRAIN_S
    while getattr(server.role, "under_way", 0) and time.monotonic() < deadline:
        await asyncio.sleep(0.01)


def leases(server: Server) -> list[dict[str, str]]:
    """{NAI in hex: THOAv4 in hex} of an FHA at its end, to be compared with what the nodes hold: in pieces, so that
    neither side has to hold a million of them as one text; one empty piece when it has none."""
    if not hasattr(server.role, "leases"):
        return []
    held = [(nai.hex(), address.hex()) for nai, address in server.role.leases().items()]
    return [dict(held[first:first + PIECE]) for first in range(0, len(held), PIECE)] or [{}]


def tell(report: IO[str], message: dict[str, Any]) -> None:
    report.write(json.dumps(message, separators=(",", ":")) + "\n")
    report.flush()
