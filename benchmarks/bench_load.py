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

from .peers import CLIENT_CORE, Folder, cores_needed, mipstorm, on_core, reference, run_json
from .rounds import Plan, Row, Run, Unavailable, compare, interleave

NAMES = ("load.vs_radclient", "node.bytes")
RATE_GUESS = {"ours": 200_000, "radclient": 20_000}     # transactions/s: how many make a run of about plan.seconds
WINDOW = 512
PARALLEL = 128                                          # radclient's own best: it waits for each such group

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
    count = int(RATE_GUESS["radclient"] * plan.seconds)
    start, start_cpu, _ = radclient_once(folder, port, 1)
    spent, cpu, accepted = radclient_once(folder, port, count)
    spent, cpu = spent - start, cpu - start_cpu
    return Run(accepted / spent, cpu / max(accepted, 1) * 1e6, accepted, count, cpu / spent)


def generator(folder: Folder, port: int, plan: Plan, weights: list[float]) -> Run:
    count = min(int(RATE_GUESS["ours"] * plan.seconds), folder.count)
    command = mipstorm("load", "-q", "--radius", f"127.0.0.1:{port}", "--secret-file", str(folder.secret),
                       "--subscribers", str(folder.subscribers), "--steps", "access", "-c", str(WINDOW),
                       "-n", str(count), "--json", "-")
    result = run_json(on_core(CLIENT_CORE, command))
    weights.append(result["generator"]["bytes_per_node"])
    step, seconds = result["steps"]["access"], result["duration_s"]
    cpu = result["generator"]["cpu_s"]
    return Run(step["succeeded"] / seconds, cpu / max(step["succeeded"], 1) * 1e6, step["succeeded"], step["attempted"])


def figures(plan: Plan) -> list[Row]:
    cores_needed()
    weights: list[float] = []
    with tempfile.TemporaryDirectory(prefix="bench-") as path:
        folder = Folder(Path(path), int(RATE_GUESS["ours"] * plan.seconds))
        folder.write("request", REQUEST)
        responder, port = reference("radius_responder", "--secret-file", str(folder.secret))
        contenders: dict[str, Callable[[], Run]] = {"ours": partial(generator, folder, port, plan, weights)}
        if plan.wants("load.vs_radclient"):
            contenders["radclient"] = partial(radclient, folder, port, plan)
        with responder:
            runs = interleave(contenders, plan.rounds if len(contenders) > 1 else 1)
    rows = [weight(weights)] if plan.wants("node.bytes") else []
    if "radclient" in runs:
        rows.insert(0, compare("load.vs_radclient", runs["ours"], runs["radclient"], unit="transactions/s",
                               reference="radclient", ask=8))
    return rows


def weight(weights: list[float]) -> Row:
    most = max(weights)
    return Row("node.bytes", most, "octets", "as asked", None, most, 128, most <= 128, weights, "<=")
