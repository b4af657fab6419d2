"""Real processes for tests: the command, servers of one's own, and what /proc says of them."""
from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any

import pytest

import loadgen.cli
from loadgen import result as document
from loadgen.result import Result

PYTHON = sys.executable
MIPSTORM = (PYTHON, "-m", "loadgen.cli.main")
PACKAGES = str(Path(next(iter(loadgen.cli.__path__))).parents[1])
ORDINARY = ("setpriv", "--bounding-set=-all", "--inh-caps=-all", "--no-new-privs")  # root without its privileges
LONGEST_S = 60.0
TRIES, GENERATOR_LIMITED = 5, 3


def environment(temporary: Path) -> dict[str, str]:
    """Ours, with temporary folders below a place of the test's, so that one left behind is found."""
    return {**os.environ, "TMPDIR": str(temporary), "PYTHONPATH": PACKAGES, "COLUMNS": "100", "PYTHONUNBUFFERED": "1"}


def mipstorm(folder: Path, *arguments: str, before: Sequence[str] = (), timeout: float = LONGEST_S,
             **options: Any) -> subprocess.CompletedProcess[str]:
    """Runs the command in the folder to its end."""
    return subprocess.run([*before, *MIPSTORM, *arguments], cwd=folder, env=environment(folder), capture_output=True,
                          text=True, timeout=timeout, check=False, stdin=subprocess.DEVNULL, **options)


def undisturbed(folder: Path, *arguments: str, **options: Any) -> subprocess.CompletedProcess[str]:
    """Like `mipstorm`, but again (a few times) when others kept this machine so busy that the load left late: exit 3."""
    for _ in range(TRIES):
        done = mipstorm(folder, *arguments, **options)
        if done.returncode != GENERATOR_LIMITED:
            break
    return done


def bench(folder: Path, *arguments: str, **options: Any) -> tuple[subprocess.CompletedProcess[str], Result]:
    """A bench whose document comes on standard output."""
    done = undisturbed(folder, "bench", *arguments, "--json", "-", **options)
    assert done.stdout, done.stderr
    return done, document.decode(done.stdout.encode())


def refusal(done: subprocess.CompletedProcess[str], code: int = 2) -> str:
    """The one line that a command said when it refused; nothing else was said."""
    assert done.returncode == code, (done.returncode, done.stderr)
    assert done.stdout == ""
    lines = done.stderr.splitlines()
    assert len(lines) == 1, done.stderr
    assert lines[0].startswith("mipstorm: "), lines
    return lines[0].removeprefix("mipstorm: ")


class Running:
    """A command in the background, alone in its session as if on a terminal of its own; killed at the latest on exit."""

    def __init__(self, folder: Path, command: Sequence[str], **options: Any) -> None:
        self.folder = folder
        self.family: set[int] = set()
        self.heard = 0                                           # lines of standard error that were looked at
        descriptor, self.errors = tempfile.mkstemp(suffix=".stderr", dir=folder)
        with open(descriptor, "wb") as errors:
            options = {"stdout": subprocess.PIPE, "stderr": errors} | options
            self.process = subprocess.Popen(command, cwd=folder, env=environment(folder), text=True, stdin=subprocess.DEVNULL,
                                            start_new_session=True, **options)

    def __enter__(self) -> Running:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None,
                 trace: TracebackType | None) -> None:
        for pid in self.descendants() | {self.process.pid}:
            if is_alive(pid):
                os.kill(pid, signal.SIGKILL)
        self.process.communicate()

    @property
    def pid(self) -> int:
        return self.process.pid

    def descendants(self) -> set[int]:
        """Every process below this one that was ever seen."""
        self.family |= set(descendants_of(self.process.pid))
        return self.family

    def server(self, role: str) -> int:
        """The process that serves a role."""
        def find() -> int | None:
            return next((pid for pid in self.descendants() if f"servers.app\0{role}\0" in command_of(pid)), None)
        return eventually(find, f"a process for {role}")

    def interrupt(self, number: int = signal.SIGINT) -> None:
        """What a terminal does at Ctrl-C: the whole process group gets it."""
        self.descendants()
        os.killpg(self.process.pid, number)

    def end(self, timeout: float = 30.0) -> tuple[int, str, str]:
        """(exit code, standard output, standard error)."""
        out, _ = self.process.communicate(timeout=timeout)
        return self.process.returncode, out, Path(self.errors).read_text()

    def wait_for(self, text: str, seconds: float = 20.0) -> str:
        """Waits for a line of standard error, after those looked at before, that contains the text; returns it."""
        return self.wait_for_line(lambda line: text in line, seconds)

    def wait_for_line(self, wanted: Callable[[str], object], seconds: float = 20.0) -> str:
        def look() -> str | None:
            lines = Path(self.errors).read_text().splitlines(keepends=True)
            for line in lines[self.heard:]:
                if line.endswith("\n"):
                    self.heard += 1
                    if wanted(line):
                        return line
            return None
        try:
            return str(eventually(look, "that line", seconds))
        except AssertionError:
            raise AssertionError(f"waited in vain; it said {Path(self.errors).read_text()}") from None


def under_way(line: str) -> bool:
    """A status line after at least one bootstrap ended."""
    words = line.split()
    return "done" in words and int(words[words.index("done") - 1].split("/")[0]) > 0


def descendants_of(pid: int) -> Iterator[int]:
    """All below a process, by their parents in /proc."""
    below: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and (parent := parent_of(int(entry.name))):
            below.setdefault(parent, []).append(int(entry.name))
    todo = list(below.get(pid, []))
    while todo:
        child = todo.pop()
        yield child
        todo += below.get(child, [])


def status_of(pid: int) -> list[str]:
    """Fields of /proc/PID/stat from the state on; empty when there is no such process."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return []


def parent_of(pid: int) -> int:
    fields = status_of(pid)
    return int(fields[1]) if fields else 0


def is_alive(pid: int) -> bool:
    """Not gone, and not only waiting to be buried."""
    return status_of(pid)[:1] not in ([], ["Z"], ["X"])


def command_of(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_text()
    except OSError:
        return ""


def eventually(look: Callable[[], Any], what: str, seconds: float = 20.0) -> Any:
    """What `look` finds, asked again and again."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if found := look():
            return found
        time.sleep(0.02)
    raise AssertionError(f"{what}: not within {seconds} s")


def small_disk(folder: Path, kib: int, afterwards: str = "") -> tuple[str, ...]:
    """What to put before a command: it then has a file system of so many KiB at `folder`/disk, which only it sees.

    `afterwards`: shell commands that still see it. Skips where that cannot be.
    """
    if os.geteuid() != 0 or not shutil.which("unshare"):
        pytest.skip("needs root and unshare (util-linux) to mount a small file system")
    (folder / "disk").mkdir()
    mount = f"mount -t tmpfs -o size={kib}k small '{folder}/disk'"
    tried = subprocess.run(["unshare", "-m", "sh", "-c", mount], capture_output=True, text=True, check=False)
    if tried.returncode:
        pytest.skip(f"cannot mount: {tried.stderr}")
    return "unshare", "-m", "sh", "-c", f'{mount} && "$@"; code=$?; {afterwards or ":"}; exit $code', "sh"


def nothing_left(run: Running, temporary: Path) -> None:
    """No child lives, no temporary folder stands."""
    eventually(lambda: not [pid for pid in run.family if is_alive(pid)], "the end of all children", 5.0)
    assert not list(temporary.glob("mipstorm-*"))


@contextmanager
def server(folder: Path, role: str, config: Path, before: Sequence[str] = ()) -> Iterator[Server]:
    """A server that reports to us, as it would to its supervisor."""
    with Server(folder, role, config, before) as running:
        yield running


class Server(Running):
    """`servers.app ROLE CONFIG`: `address` as it reported it, `report` after `stop`."""

    def __init__(self, folder: Path, role: str, config: Path, before: Sequence[str] = ()) -> None:
        self.log = folder / f"{role}.log"
        with self.log.open("ab") as log:
            super().__init__(folder, [*before, PYTHON, "-m", "servers.app", role, str(config), "0"], stderr=log)
        try:
            self.address: str = self.said()["address"]
        except BaseException:
            self.__exit__(None, None, None)
            raise

    @property
    def endpoint(self) -> tuple[str, int]:
        host, _, port = self.address.rpartition(":")
        return host, int(port)

    def said(self) -> dict[str, Any]:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line, self.log.read_text()
        heard: dict[str, Any] = json.loads(line)
        return heard

    def stop(self) -> dict[str, Any]:
        """Its last report: `use` and `leases`."""
        self.process.send_signal(signal.SIGTERM)
        report, leases = self.said(), dict[str, str]()
        while "leases" in report:
            leases |= report["leases"]
            report = self.said()
        assert self.process.wait(10) == 0, self.log.read_text()
        return {**report, "leases": leases}

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()
