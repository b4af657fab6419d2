"""Whole bootstraps (six packets), AAAH and FHA on one core and the generator on the other, against the null chain."""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from .peers import CLIENT_CORE, SERVER_CORE, Program, build, cores_needed, mipstorm, on_core, run_json
from .rounds import Plan, Row, Run, Unavailable, compare, cpu_seconds, interleave

ASKS = {"chain.durable": 0.65, "chain.volatile": 0.75, "chain.gso": 1.3, "chain.latency": 1.6}
NAMES = tuple(ASKS)
SIZES = "150,180,96,300,310,185"       # octets of our six packets, as a capture of one bootstrap shows them
WINDOW = 512
POOL = "198.18.0.0/15"
RATE_GUESS = 60_000                    # bootstraps/s: how many nodes make a run of about plan.seconds
ONE_BY_ONE = 3_000                     # nodes of a run of latencies

# What a testbed is started with. Durable is what it does unasked; volatile acknowledges before the journal is on disk.
PLAIN = ("--no-offload",)
MODES: dict[str, tuple[str, ...]] = {"chain.durable": PLAIN, "chain.volatile": (*PLAIN, "--volatile"),
                                     "chain.gso": ("--volatile",), "chain.latency": (*PLAIN, "--volatile")}


def null_chain(seconds: float, window: int) -> dict[str, Any]:
    return run_json([str(build("null_chain")), "--seconds", str(seconds), "--sizes", SIZES, "--window", str(window),
                     "--client-cpu", CLIENT_CORE, "--server-cpu", SERVER_CORE])


def null_rate(plan: Plan) -> Run:
    got = null_chain(plan.seconds, WINDOW)
    return Run(got["bootstraps_per_s"], got["cpu_us_per_bootstrap"], got["bootstraps"], got["bootstraps"] + got["lost"],
               got["server_busy"])


def null_latency(plan: Plan) -> Run:
    got = null_chain(plan.seconds / 3, 1)
    return Run(got["registration_us"]["p50"], got["cpu_us_per_bootstrap"], got["bootstraps"],
               got["bootstraps"] + got["lost"])


def document_of(program: Program, file: Path, seconds: float = 60) -> dict[str, Any]:
    """The document of a testbed, once it is up."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        program.check()
        try:
            return dict(json.loads(file.read_text()))
        except (OSError, ValueError):
            time.sleep(0.05)
    raise Unavailable(f"mipstorm up: no testbed document in {seconds:.0f} s: {program.last_line()}")


def server_pids(document: dict[str, Any]) -> list[int]:
    return [pid for server in document["servers"].values() for pid in server["pids"]]


def load(mode: tuple[str, ...], nodes: int, window: int) -> tuple[dict[str, Any], float]:
    """A fresh testbed, bootstrapped once by every node: the result document and the servers' CPU seconds."""
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        file = Path(folder) / "testbed.json"
        up = mipstorm("up", "-q", "-n", str(nodes), "--pool", POOL, "--testbed", str(file), *mode)
        drive = mipstorm("load", "-q", "--testbed", str(file), "-n", str(nodes), "-c", str(window), "--json", "-")
        with Program(on_core(SERVER_CORE, up)) as program:
            pids = server_pids(document_of(program, file))
            before = cpu_seconds(pids)
            result = run_json(on_core(CLIENT_CORE, drive))
            return result, cpu_seconds(pids) - before


def our_rate(mode: tuple[str, ...], plan: Plan) -> Run:
    result, cpu = load(mode, int(RATE_GUESS * plan.seconds), WINDOW)
    done = result["bootstraps"]
    return Run(result["rate_per_s"]["achieved"], cpu / done["succeeded"] * 1e6, done["succeeded"], done["attempted"],
               cpu / result["duration_s"])


def our_latency(mode: tuple[str, ...], plan: Plan) -> Run:
    result, cpu = load(mode, ONE_BY_ONE, 1)
    done = result["bootstraps"]
    return Run(result["latency_ms"]["registration"]["p50"] * 1e3, cpu / done["succeeded"] * 1e6, done["succeeded"],
               done["attempted"])


def figures(plan: Plan) -> list[Row]:
    cores_needed()
    wanted = [name for name in ASKS if plan.wants(name)]
    contenders: dict[str, Callable[[], Run]] = {}
    for name in wanted:
        latency = name == "chain.latency"
        contenders["null latency" if latency else "null rate"] = partial(null_latency if latency else null_rate, plan)
        contenders[name] = partial(our_latency if latency else our_rate, MODES[name], plan)
    runs = interleave(contenders, plan.rounds)
    return [row(name, runs) for name in wanted]


def row(name: str, runs: dict[str, list[Run]]) -> Row:
    if name == "chain.latency":
        return compare(name, runs[name], runs["null latency"], unit="us, p50", reference="null chain", ask=ASKS[name],
                       sense="<=")
    return compare(name, runs[name], runs["null rate"], unit="bootstraps/s", reference="null chain", ask=ASKS[name])
