"""Two AAAHs as processes of their own; one is killed, later stopped and continued, while nodes bootstrap (R9)."""
from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from servers.supervisor import Child
from tests.interop.peers import ENVIRONMENT, MIPSTORM, SECRET, aaah_config, private, started, subscribers

NODES, RATE = 1500, 300

FHA = """[fha]
listen = "127.0.0.1:0"
volatile = true
[fha.pool]
network = "198.18.0.0/16"
"""
SERVER = f"""[[fha.aaah]]
address = "{{}}"
secret = "{SECRET.decode()}"
"""


def load_while(folder: Path, trouble: Callable[[Child], None]) -> dict[str, Any]:
    """The document of a load on an FHA and a NAS with two AAAHs, of which the first gets into trouble."""
    subscribers(folder, NODES)
    private(folder / "secret", SECRET.decode() + "\n")
    with started("aaah", aaah_config(folder, "first.toml")) as first, started("aaah", aaah_config(folder, "second.toml")) as second:
        config = private(folder / "fha.toml", FHA + SERVER.format(first.endpoint) + SERVER.format(second.endpoint))
        with started("fha", config) as fha:
            command = [*MIPSTORM, "load", "--radius", str(first.endpoint), "--radius", str(second.endpoint), "--mip4",
                       str(fha.endpoint), "--secret-file", "secret", "--subscribers", "subscribers.csv", "-r", str(RATE), "-q",
                       "--json", "-"]
            with subprocess.Popen(command, cwd=folder, env=ENVIRONMENT, stdout=subprocess.PIPE, text=True) as running:
                time.sleep(2)
                trouble(first)
                out, _ = running.communicate(timeout=30)
    return dict(json.loads(out))


def check(result: dict[str, Any]) -> None:
    assert (result["bootstraps"]["attempted"], result["bootstraps"]["succeeded"]) == (NODES, NODES)
    assert result["violations"] == []
    assert result["latency_ms"]["registration"]["p99"] <= 3000
    assert result["latency_ms"]["bootstrap"]["p99"] <= 3000


def test_the_first_is_killed(tmp_path: Path) -> None:
    check(load_while(tmp_path, lambda first: os.kill(first.pid, signal.SIGKILL)))
    (said,) = [line for line in (tmp_path / "fha.log").read_text().splitlines() if "does not answer" in line]
    assert re.search(r"127\.0\.0\.1:\d+ does not answer, or too late; others are asked", said)


def test_the_first_stands_still_for_two_seconds(tmp_path: Path) -> None:
    """Then it answers all that has piled up; the nodes have got their answers elsewhere."""
    def stand_still(first: Child) -> None:
        os.kill(first.pid, signal.SIGSTOP)
        time.sleep(2)
        os.kill(first.pid, signal.SIGCONT)

    check(load_while(tmp_path, stand_still))
