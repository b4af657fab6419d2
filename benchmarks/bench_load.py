"""The generator itself: its transactions on one core against radclient's, and what an emulated node weighs."""

from __future__ import annotations

import re
import resource
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from .ours import load
from .peers import CLIENT_CORE, Folder, Program, cores_needed, on_core, reference
from .rounds import Plan, Row, Run, Unavailable, compare, cpu_seconds, interleave

NAMES = ("load.vs_radclient", "node.bytes")
NODES = 20_000
RATE_GUESS = 20_000     # transactions/s of radclient: how many make a run of about plan.seconds
WINDOW = 512
BUSY = 0.95             # a core with no time left
PARALLEL = 128          # radclient's own best: it waits for each such group

# The request of our generator, attribute for attribute.
REQUEST = """\
User-Name = "mn000001@home.example"
CHAP-Password = "access-000001"
CHAP-Challenge = 0x30313233343536373839616263646566
NAS-IP-Address = 127.0.0.1
NAS-Identifier = "nas-1"
NAS-Port-Type = Wireless-802.11
Service-Type = Framed-User
Attr-26.32473.1 = 0x00000001
Message-Authenticator = 0x00
"""


def children_cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def radclient_once(folder: Folder, port: int, count: int) -> tuple[float, float, int]:
    """Wall seconds, CPU seconds and accepts of one radclient that sends `count` requests."""
    binary = shutil.which("radclient")
    if not binary:
        raise Unavailable("radclient is not installed: apt-get install freeradius-utils")
    command = [binary, "-q", "-s", "-f", str(folder.path / "request"), "-c", str(count), "-p", str(PARALLEL),
               "-S", str(folder.secret), f"127.0.0.1:{port}", "auth"]
    cpu, start = children_cpu(), time.monotonic()
    done = subprocess.run(on_core(CLIENT_CORE, command), capture_output=True, text=True, check=False)
    spent = time.monotonic() - start
    accepted = re.search(r"Accepted\s*:\s*(\d+)", done.stdout)
    if not accepted:
        raise Unavailable(f"radclient: {done.stderr.strip() or done.stdout.strip()}")
    return spent, children_cpu() - cpu, int(accepted[1])


def radclient(folder: Folder, port: int, plan: Plan) -> Run:
    """Its start (dictionaries) is measured with one request and taken off."""
    count = int(RATE_GUESS * plan.seconds)
    start, start_cpu, _ = radclient_once(folder, port, 1)
    spent, cpu, accepted = radclient_once(folder, port, count)
    spent, cpu = spent - start, cpu - start_cpu
    return Run(accepted / spent, cpu / max(accepted, 1) * 1e6, accepted, count, cpu / spent)


def remark(result: dict[str, Any], responder_cpu: float) -> str:
    """What makes the figure another's: a run that went wrong, or a responder that had no time left."""
    if result["verdict"] not in {"ok", "generator-limited"}:
        return f"a run was {result['verdict']}: {'; '.join(result['reasons'])}"
    return "the responder was the limit in a run" if responder_cpu > BUSY * result["duration_s"] else ""


def generator(folder: Folder, responder: tuple[Program, int], plan: Plan, weights: list[float]) -> Run:
    """CPU time is that of its whole process, start included."""
    program, port = responder
    before = cpu_seconds(program.pids)
    result = load(folder, "--radius", f"127.0.0.1:{port}", "--steps", "access", "-c", str(WINDOW),
                  "-d", str(plan.seconds))
    weights.append(result["generator"]["bytes_per_node"])
    step = result["steps"]["access"]
    return Run(step["succeeded"] / result["duration_s"], result["generator"]["cpu_s"] / max(step["succeeded"], 1) * 1e6,
               step["succeeded"], step["attempted"] - step["in_flight"],
               remark=remark(result, cpu_seconds(program.pids) - before))


def figures(plan: Plan) -> list[Row]:
    cores_needed()
    weights: list[float] = []
    with tempfile.TemporaryDirectory(prefix="bench-") as path:
        folder = Folder(Path(path), NODES)
        folder.write("request", REQUEST)
        responder = reference("radius_responder", "--secret-file", str(folder.secret))
        contenders: dict[str, Callable[[], Run]] = {"ours": partial(generator, folder, responder, plan, weights)}
        if plan.wants("load.vs_radclient"):
            contenders["radclient"] = partial(radclient, folder, responder[1], plan)
        with responder[0]:
            runs = interleave(contenders, plan.rounds if len(contenders) > 1 else 1)
    rows = [weight(weights)] if plan.wants("node.bytes") else []
    if "radclient" in runs:
        rows.insert(0, compare("load.vs_radclient", runs["ours"], runs["radclient"], unit="transactions/s",
                               reference="radclient", ask=8))
    return rows


def weight(weights: list[float]) -> Row:
    most = max(weights)
    return Row("node.bytes", most, "octets", "as asked", None, most, 128, most <= 128, weights, "<=")
