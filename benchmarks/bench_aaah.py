"""The AAAH answering access requests on one core: against a null echo of the same sizes, and against FreeRADIUS."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from . import freeradius
from .ours import Mode, start_aaah
from .peers import Folder, Program, cores_needed, drive, free_port, reference, wait_for_radius
from .rounds import Plan, Row, Run, compare, interleave

NAMES = ("aaah.vs_echo", "aaah.vs_freeradius")
SUBSCRIBERS = 20_000
FREERADIUS_WINDOW = 64      # where it is fastest: it drops bursts that overrun its receive buffer

PLAIN = Mode(durable=False, gso=False)      # neither peer keeps a journal or sends runs


def start_ours(folder: Folder, port: int) -> Program:
    return start_aaah(folder, port, PLAIN)


def figures(plan: Plan) -> list[Row]:
    cores_needed()
    with ExitStack() as stack:
        folder = Folder(Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-"))), SUBSCRIBERS)
        contenders: dict[str, Callable[[], Run]] = {}
        octets: dict[str, int] = {}

        def serve(name: str, start: Callable[[Folder, int], Program], window: int) -> None:
            port = free_port()
            program = stack.enter_context(start(folder, port))
            octets[name] = wait_for_radius(program, port, folder)
            contenders[name] = lambda: drive(port, folder, program.pids, plan.seconds, window=window)

        serve("ours", start_ours, 512)
        if plan.wants("aaah.vs_echo"):
            echo, echo_port = reference("null_echo", "--reply", str(octets["ours"]))
            stack.enter_context(echo)
            contenders["echo"] = lambda: drive(echo_port, folder, echo.pids, plan.seconds, echo=True)
        if plan.wants("aaah.vs_freeradius"):
            serve("freeradius", freeradius.start, FREERADIUS_WINDOW)
        return rows(interleave(contenders, plan.rounds))


def rows(runs: dict[str, list[Run]]) -> list[Row]:
    found = []
    if "echo" in runs:
        found.append(compare("aaah.vs_echo", runs["ours"], runs["echo"], unit="requests/s", reference="null echo",
                             ask=0.75))
    if "freeradius" in runs:
        found.append(compare("aaah.vs_freeradius", runs["ours"], runs["freeradius"], unit="requests/s",
                             reference="FreeRADIUS -s", ask=4.5))
    return found
