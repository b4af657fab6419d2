"""Our own servers and generator as they are measured: configured by files, each side on a core of its own."""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from .peers import BIN, CLIENT_CORE, SECRET, SERVER_CORE, Folder, Program, free_port, on_core, run_json
from .rounds import Unavailable

START = "from loadgen.cli.main import run; run()"
READY = 30                   # s until a server must listen

AAAH = """\
[aaah]
listen = "127.0.0.1:{port}"
workers = 1
subscribers = "{folder.subscribers}"
policy = "{policy}"
state = "{state}"
volatile = {volatile}
reject_delay_s = 0
gso = {gso}

[[aaah.client]]
network = "127.0.0.0/9"
secret = "{secret}"
"""

FHA = """\
[fha]
listen = "127.0.0.1:{port}"
workers = 1
state = "{state}"
volatile = {volatile}
gso = {gso}

[fha.pool]
network = "198.18.0.0/15"

[[fha.aaah]]
address = "127.0.0.1:{aaah_port}"
secret = "{secret}"
"""

POLICY = """\
[[fha]]
address = "127.0.0.1"
"""


@dataclass(frozen=True)
class Mode:
    """What a server does beyond its work: wait for the disk before it acknowledges, send runs as one buffer."""

    durable: bool
    gso: bool

    def keys(self) -> dict[str, str]:
        return {"volatile": str(not self.durable).lower(), "gso": str(self.gso).lower()}


def mipstorm(*arguments: str) -> list[str]:
    """The command line of our own program, run from the tree that is being measured."""
    if find_spec("loadgen.cli.main") is None:
        raise Unavailable("the command `mipstorm` is not built here: run `make build`")
    return [sys.executable, "-c", START, *arguments]


def listening(port: int) -> bool:
    """Whether a UDP socket is bound to the port, as proc(5) shows it."""
    rows = Path("/proc/net/udp").read_text().splitlines()[1:]
    return any(int(row.split()[1].partition(":")[2], 16) == port for row in rows)


def serve(role: str, folder: Folder, port: int, text: str) -> Program:
    """The server, when it listens."""
    command = mipstorm("serve", role, "--config", str(folder.write(f"{role}.toml", text)))
    program = Program(on_core(SERVER_CORE, command), f"mipstorm serve {role}")
    end = time.monotonic() + READY
    while not listening(port):
        if program.process.poll() is not None or time.monotonic() > end:
            program.stop()
            raise Unavailable(f"{program.name} does not listen: {program.last_line()}")
        time.sleep(0.02)
    return program


def state_of(folder: Folder, role: str) -> Path:
    path = folder.path / f"{role}-state"
    path.mkdir(mode=0o700)
    return path


def start_aaah(folder: Folder, port: int, mode: Mode) -> Program:
    text = AAAH.format(port=port, folder=folder, policy=folder.write("policy.toml", POLICY), secret=SECRET,
                       state=state_of(folder, "aaah"), **mode.keys())
    return serve("aaah", folder, port, text)


def start_fha(folder: Folder, port: int, aaah_port: int, mode: Mode) -> Program:
    text = FHA.format(port=port, aaah_port=aaah_port, secret=SECRET, state=state_of(folder, "fha"), **mode.keys())
    return serve("fha", folder, port, text)


def load(folder: Folder, *options: str) -> dict[str, Any]:
    """The result document of one load on the client's core."""
    command = mipstorm("load", "-q", "--secret-file", str(folder.secret), "--subscribers", str(folder.subscribers),
                       "--json", "-", *options)
    return run_json(on_core(CLIENT_CORE, command))


@dataclass(frozen=True)
class Testbed:
    """An AAAH and an FHA that run, and their nodes."""

    folder: Folder
    aaah_port: int
    fha_port: int
    servers: tuple[Program, Program]
    mode: Mode

    @property
    def pids(self) -> list[int]:
        return [pid for server in self.servers for pid in server.pids]

    def bootstrap(self, nodes: int, window: int) -> dict[str, Any]:
        """Each of the nodes bootstraps once, `window` of them at once."""
        result = load(self.folder, "--radius", f"127.0.0.1:{self.aaah_port}", "--mip4", f"127.0.0.1:{self.fha_port}",
                      "-n", str(nodes), "-c", str(window), *([] if self.mode.gso else ["--no-offload"]))
        if not result["bootstraps"]["succeeded"]:
            raise Unavailable(f"no bootstrap succeeded: {'; '.join(result['reasons']) or result['verdict']}")
        return result


@contextmanager
def testbed(nodes: int, mode: Mode) -> Iterator[Testbed]:
    """Fresh servers that know `nodes` subscribers. Their journals lie beside the programs: a temporary folder may be
    in memory, where a sync costs nothing."""
    BIN.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="testbed-", dir=BIN) as path:
        folder, aaah_port, fha_port = Folder(Path(path), nodes), free_port(), free_port()
        with start_aaah(folder, aaah_port, mode) as aaah, start_fha(folder, fha_port, aaah_port, mode) as fha:
            yield Testbed(folder, aaah_port, fha_port, (aaah, fha), mode)
