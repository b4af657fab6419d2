"""Programs under measurement: built, started on a core of their own, found ready, stopped by their own process id."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

from .rounds import Run, Unavailable, family

HERE = Path(__file__).parent
BIN = HERE / "bin"
CLIENT_CORE, SERVER_CORE = "0", "1"
COMPILER = [*os.environ.get("CC", "gcc").split(), "-O3", "-Wall", "-Wextra"]
SECRET = "secret-of-the-private-bench"
CSV = "nai,mn_aaa_spi,mn_aaa_key,access_secret,class,location\n"


def build(name: str) -> Path:
    """The program `name`.c, or the shared library for a name that ends in .so, compiled when older than its sources."""
    target, source = BIN / name, HERE / f"{name.removesuffix('.so')}.c"
    newest = max(path.stat().st_mtime for path in [source, *HERE.glob("*.h")])
    if target.exists() and target.stat().st_mtime >= newest:
        return target
    if not shutil.which(COMPILER[0]):
        raise Unavailable(f"{COMPILER[0]} is not installed: apt-get install gcc libc6-dev")
    BIN.mkdir(exist_ok=True)
    shape = ["-shared", "-fPIC"] if name.endswith(".so") else []
    fresh = target.with_name(f"{name}.{os.getpid()}")
    subprocess.run([*COMPILER, *shape, "-o", str(fresh), str(source)], check=True)
    fresh.rename(target)
    return target


def cores_needed() -> None:
    if not {int(CLIENT_CORE), int(SERVER_CORE)} <= os.sched_getaffinity(0):
        raise Unavailable("needs cores 0 and 1 of its own: one for the servers, one for the client")


def on_core(core: str, command: Sequence[str]) -> list[str]:
    return ["taskset", "-c", core, *command]


def run_json(command: Sequence[str], seconds: float = 120) -> dict[str, Any]:
    """Runs a program to its end; its last line of output (or all of it) is a JSON object."""
    done = subprocess.run(command, capture_output=True, text=True, timeout=seconds, check=False)
    text = done.stdout.strip()
    try:
        return dict(json.loads(text if text.startswith("{\n") else text.splitlines()[-1]))
    except (IndexError, ValueError):
        lines = done.stderr.strip().splitlines() or [f"no result, exit code {done.returncode}"]
        raise Unavailable(f"{command[0]} ... {' '.join(command[-6:])}: {lines[-1]}") from None


def free_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Program:
    """A program that runs while others are measured against it; what it writes goes to a file that errors quote."""

    def __init__(self, command: Sequence[str], name: str | None = None) -> None:
        self.log = tempfile.TemporaryFile()  # noqa: SIM115 - it outlives the program, for what it says at its end
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=self.log, text=True)
        self.name = name or Path(command[0]).name

    def __enter__(self) -> Program:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None,
                 trace: TracebackType | None) -> None:
        self.stop()

    @property
    def pids(self) -> list[int]:
        return family(self.process.pid)

    def last_line(self) -> str:
        self.log.seek(0)
        lines = self.log.read().decode(errors="replace").strip().splitlines()
        return lines[-1] if lines else f"exit code {self.process.poll()}"

    def first_line(self) -> dict[str, Any]:
        """The JSON object that a program prints when it is ready."""
        assert self.process.stdout
        line = self.process.stdout.readline()
        if not line:
            self.process.wait(10)
            raise Unavailable(f"{self.name} did not start: {self.last_line()}")
        return dict(json.loads(line))

    def check(self) -> None:
        if self.process.poll() is not None:
            raise Unavailable(f"{self.name} ended: {self.last_line()}")

    def stop(self) -> None:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        if self.process.stdout:
            self.process.stdout.close()


def reference(name: str, *options: str) -> tuple[Program, int]:
    """One of the C programs that listen, and its port."""
    program = Program([str(build(name)), "--cpu", SERVER_CORE, *options])
    return program, int(program.first_line()["port"])


class Folder:
    """What clients and servers share: a secret and subscribers, readable by the owner only."""

    def __init__(self, path: Path, count: int) -> None:
        path.mkdir(exist_ok=True)
        self.path, self.count = path, count
        self.secret = self.write("secret", f"{SECRET}\n")
        rows = [f"{nai},256,{key:032x},{word},gold,nas-1\n" for key, (nai, word) in enumerate(self.users())]
        self.subscribers = self.write("subscribers.csv", "".join([CSV, *rows]))

    def users(self) -> list[tuple[str, str]]:
        return [(f"mn{number:06d}@home.example", f"access-{number:06d}") for number in range(self.count)]

    def write(self, name: str, text: str) -> Path:
        path = self.path / name
        path.touch(mode=0o600)
        path.write_text(text)
        return path


def drive_once(port: int, folder: Folder, pids: Sequence[int], seconds: float, *, window: int = 512,
               echo: bool = False) -> dict[str, Any]:
    """What the closed-loop RADIUS driver, on the client's core, counted."""
    return run_json([str(build("radius_driver")), "--port", str(port), "--secret-file", str(folder.secret),
                     "--subscribers", str(folder.subscribers), "--seconds", str(seconds), "--window", str(window),
                     "--cpu", CLIENT_CORE, "--pids", ",".join(map(str, pids)), "--echo", str(int(echo))])


def drive(port: int, folder: Folder, pids: Sequence[int], seconds: float, *, window: int = 512,
          echo: bool = False) -> Run:
    """Requests answered a second; those that were rejected or given up count as tried."""
    got = drive_once(port, folder, pids, seconds, window=window, echo=echo)
    return Run(got["per_s"], got["server_cpu_us"], got["accepted"],
               got["accepted"] + got["rejected"] + got["timed_out"], got["server_busy"])


def wait_for_radius(program: Program, port: int, folder: Folder, seconds: float = 20) -> int:
    """Octets of the first Access-Accept of the server; a server that ends, rejects or stays silent is an error."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        program.check()
        got = drive_once(port, folder, [], 0.1, window=1)
        if got["accepted"]:
            return int(got["reply_octets"])
    raise Unavailable(f"{program.name} accepted no request in {seconds:.0f} s: {program.last_line()}")
