"""Servers as child processes: start, watch, stop. They die with their parent and never see its Ctrl-C."""
from __future__ import annotations

import contextlib
import ctypes
import json
import os
import select
import signal
import subprocess
import sys
import sysconfig
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from servers.endpoint import Endpoint, parse_endpoint

PR_SET_PDEATHSIG = 1
START_S, STOP_S = 60.0, 10.0
TICKS = os.sysconf("SC_CLK_TCK")
ROOT = str(Path(__file__).parents[1])
INSTALLED = (sysconfig.get_path("purelib"), sysconfig.get_path("platlib"))


class ChildDied(Exception):
    """A server ended that should not have; the message names it, with its last log line."""


class Child:
    """One server process (`servers.app`), its log file and what it reported."""

    def __init__(self, role: str, config: Path, log: Path, receive_buffer: int | None = None) -> None:
        self.role, self.log = role, log
        with log.open("wb") as errors:
            self.process = subprocess.Popen(
                [sys.executable, "-P", "-m", "servers.app", role, str(config), str(receive_buffer or 0)],
                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=errors, start_new_session=True, env=environment(),
                preexec_fn=partial(die_with, os.getpid()))           # noqa: PLW1509 - one thread, before anything runs
        self.endpoint: Endpoint | None = None
        self.use: dict[str, Any] = {}
        self._unread = b""

    @property
    def pid(self) -> int:
        return self.process.pid

    def wait_ready(self) -> Endpoint:
        """The address it listens on. Raises ChildDied when it could not start."""
        said = self._report(START_S)
        if "address" not in said:
            raise ChildDied(f"the {self.role} did not start: {self.last_words()}")
        self.endpoint = parse_endpoint(said["address"])
        return self.endpoint

    def check(self) -> None:
        """Raises ChildDied when the process is not there any more."""
        code = self.process.poll()
        if code is not None:
            how = f"signal {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"
            raise ChildDied(f"the {self.role} (pid {self.pid}) died with {how}: {self.last_words()}")

    def stop(self, take: Callable[[dict[str, str]], None] = lambda leases: None) -> None:
        """SIGTERM, its last report, and SIGKILL if it does not end. May be called twice. `take` gets the leases of an FHA,
        {NAI in hex: THOAv4 in hex}, some thousands at a time."""
        assert self.process.stdout is not None
        if self.process.stdout.closed:
            return
        if self.process.poll() is None:
            self.process.terminate()
        said = self._report(STOP_S)
        while "leases" in said:
            take(said["leases"])
            said = self._report(STOP_S)
        self.use = said.get("use", {})
        if said:
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(STOP_S)
        self.kill()

    def kill(self) -> None:
        """Ends it at once if it still runs. May be called twice."""
        assert self.process.stdout is not None
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()

    def cpu_s(self) -> float:
        """CPU time so far, user and system, to 10 ms; 0 when it is gone."""
        try:
            fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            return 0.0
        return (int(fields[11]) + int(fields[12])) / TICKS

    def last_words(self) -> str:
        lines = self.log.read_text(errors="replace").strip().splitlines()
        return lines[-1].removeprefix("mipstorm: ") if lines else "it said nothing"

    def _report(self, seconds: float) -> dict[str, Any]:
        """The next JSON line; nothing when it ends or the time is over."""
        assert self.process.stdout is not None
        deadline, fd = time.monotonic() + seconds, self.process.stdout.fileno()
        while b"\n" not in self._unread:
            ready, _, _ = select.select([fd], [], [], max(0.0, deadline - time.monotonic()))
            piece = os.read(fd, 1 << 20) if ready else b""
            if not piece:
                return {}
            self._unread += piece
        line, _, self._unread = self._unread.partition(b"\n")
        said: dict[str, Any] = json.loads(line)
        return said


def environment() -> dict[str, str]:
    """Ours; the working folder, where others' packages may bear our names, is not searched (-P), but ROOT is."""
    places = [] if ROOT in INSTALLED else [ROOT]
    if before := os.environ.get("PYTHONPATH"):
        places.append(before)
    return {**os.environ, "PYTHONPATH": os.pathsep.join(places)} if places else dict(os.environ)


def die_with(parent: int) -> None:
    """Runs in the child before its program: SIGKILL when the parent dies, however it does."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:                                       # it was quicker
        os._exit(1)
