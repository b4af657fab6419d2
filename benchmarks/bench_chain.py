"""Whole bootstraps (six packets), AAAH and FHA on one core and the generator on the other, against the null chain."""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from .peers import CLIENT_CORE, SERVER_CORE, Program, build, cores_needed, mipstorm, on_core, run_json
from .rounds import Plan, Row, Run, Unavailable, compare, cpu_seconds, interleave
from .sizes import sizes_of_one

ASKS = {"chain.durable": 0.65, "chain.volatile": 0.75, "chain.gso": 1.3, "chain.latency": 1.6}
NAMES = tuple(ASKS)
SIZES = (150, 180, 96, 300, 310, 185)  # octets of our six packets, where this user may not measure them
WINDOW = 512
POOL = "198.18.0.0/15"
RATE_GUESS = 60_000                    # bootstraps/s: how many nodes make a run of about plan.seconds
ONE_BY_ONE = 3_000                     # nodes of a run of latencies

# What a testbed is started with. Durable is what it does unasked; volatile acknowledges before the journal is on disk.
PLAIN = ("--no-offload",)
MODES: dict[str, tuple[str, ...]] = {"chain.durable": PLAIN, "chain.volatile": (*PLAIN, "--volatile"),
                                     "chain.gso": ("--volatile",), "chain.latency": (*PLAIN, "--volatile")}


def null_chain(seconds: float, window: int, sizes: Sequence[int]) -> dict[str, Any]:
    return run_json([str(build("null_chain")), "--seconds", str(seconds), "--sizes",
                     ",".join(map(str, sizes)), "--window", str(window),
                     "--client-cpu", CLIENT_CORE, "--server-cpu", SERVER_CORE])


def null_rate(plan: Plan, sizes: Sequence[int]) -> Run:
    got = null_chain(plan.seconds, WINDOW, sizes)
    return Run(got["bootstraps_per_s"], got["cpu_us_per_bootstrap"], got["bootstraps"], got["bootstraps"] + got["lost"],
               got["server_busy"])


def null_latency(plan: Plan, sizes: Sequence[int]) -> Run:
    got = null_chain(plan.seconds / 3, 1, sizes)
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


@contextmanager
def testbed(mode: tuple[str, ...], nodes: int) -> Iterator[tuple[dict[str, Any], Callable[..., dict[str, Any]]]]:
    """A fresh testbed on the servers' core: its document, and the load on the client's core as a function."""
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        file = Path(folder) / "testbed.json"

        def load(*options: object) -> dict[str, Any]:
            command = mipstorm("load", "-q", "--testbed", str(file), "--json", "-", *map(str, options))
            return run_json(on_core(CLIENT_CORE, command))

        up = mipstorm("up", "-q", "-n", str(nodes), "--pool", POOL, "--testbed", str(file), *mode)
        with Program(on_core(SERVER_CORE, up)) as program:
            yield document_of(program, file), load


def bootstrap_all(mode: tuple[str, ...], nodes: int, window: int) -> tuple[dict[str, Any], float]:
    """Every node of a fresh testbed bootstraps once: the result document and the servers' CPU seconds."""
    with testbed(mode, nodes) as (document, load):
        pids = server_pids(document)
        before = cpu_seconds(pids)
        result = load("-n", nodes, "-c", window)
        if not result["bootstraps"]["succeeded"]:
            raise Unavailable(f"mipstorm load: no bootstrap succeeded, verdict {result['verdict']}")
        return result, cpu_seconds(pids) - before


def our_sizes() -> Sequence[int]:
    with testbed(PLAIN, 1) as (document, load):
        return sizes_of_one(document, partial(load, "-n", 1, "-c", 1)) or SIZES


def verdict_of(result: dict[str, Any]) -> str:
    return "" if result["verdict"] == "ok" else f"a run ended with verdict {result['verdict']}"


def our_rate(mode: tuple[str, ...], plan: Plan) -> Run:
    result, cpu = bootstrap_all(mode, int(RATE_GUESS * plan.seconds), WINDOW)
    done = result["bootstraps"]
    return Run(result["rate_per_s"]["achieved"], cpu / done["succeeded"] * 1e6, done["succeeded"], done["attempted"],
               cpu / result["duration_s"], verdict_of(result))


def our_latency(mode: tuple[str, ...], plan: Plan) -> Run:
    result, cpu = bootstrap_all(mode, ONE_BY_ONE, 1)
    done = result["bootstraps"]
    return Run(result["latency_ms"]["registration"]["p50"] * 1e3, cpu / done["succeeded"] * 1e6, done["succeeded"],
               done["attempted"], remark=verdict_of(result))


def figures(plan: Plan) -> list[Row]:
    cores_needed()
    wanted = [name for name in ASKS if plan.wants(name)]
    sizes = our_sizes()
    contenders: dict[str, Callable[[], Run]] = {}
    for name in wanted:
        latency = name == "chain.latency"
        null, ours = (null_latency, our_latency) if latency else (null_rate, our_rate)
        contenders["null latency" if latency else "null rate"] = partial(null, plan, sizes)
        contenders[name] = partial(ours, MODES[name], plan)
    runs = interleave(contenders, plan.rounds)
    return [row(name, runs) for name in wanted]


def row(name: str, runs: dict[str, list[Run]]) -> Row:
    if name == "chain.latency":
        return compare(name, runs[name], runs["null latency"], unit="us, p50", reference="null chain", ask=ASKS[name],
                       sense="<=")
    return compare(name, runs[name], runs["null rate"], unit="bootstraps/s", reference="null chain", ask=ASKS[name])
