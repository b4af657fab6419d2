"""Whole bootstraps (six packets), AAAH and FHA on one core and the generator on the other, against the null chain."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from .ours import Mode, testbed
from .peers import CLIENT_CORE, SERVER_CORE, build, cores_needed, run_json
from .rounds import Plan, Row, Run, compare, cpu_seconds, interleave
from .sizes import sizes_of_one

ASKS = {"chain.durable": 0.65, "chain.volatile": 0.75, "chain.gso": 1.3, "chain.latency": 1.6}
NAMES = tuple(ASKS)
MODES = {"chain.durable": Mode(durable=True, gso=False), "chain.volatile": Mode(durable=False, gso=False),
         "chain.gso": Mode(durable=False, gso=True), "chain.latency": Mode(durable=False, gso=False)}
SIZES = (150, 180, 96, 300, 310, 185)  # octets of our six packets, where this user may not measure them
WINDOW = 512
RATE_GUESS = 60_000                    # bootstraps/s: how many nodes make a run of about plan.seconds
ONE_BY_ONE = 3_000                     # nodes of a run of latencies


def null_chain(seconds: float, window: int, sizes: Sequence[int]) -> dict[str, Any]:
    return run_json([str(build("null_chain")), "--seconds", str(seconds), "--sizes", ",".join(map(str, sizes)),
                     "--window", str(window), "--client-cpu", CLIENT_CORE, "--server-cpu", SERVER_CORE])


def null_rate(plan: Plan, sizes: Sequence[int]) -> Run:
    got = null_chain(plan.seconds, WINDOW, sizes)
    return Run(got["bootstraps_per_s"], got["cpu_us_per_bootstrap"], got["bootstraps"], got["bootstraps"] + got["lost"],
               got["server_busy"])


def null_latency(plan: Plan, sizes: Sequence[int]) -> Run:
    got = null_chain(plan.seconds / 3, 1, sizes)
    return Run(got["registration_us"]["p50"], got["cpu_us_per_bootstrap"], got["bootstraps"],
               got["bootstraps"] + got["lost"])


def bootstrap_all(mode: Mode, nodes: int, window: int) -> tuple[dict[str, Any], float]:
    """Every node bootstraps once at servers that never saw it: the result and the servers' CPU seconds."""
    with testbed(nodes, mode) as bed:
        pids = bed.pids
        before = cpu_seconds(pids)
        result = bed.bootstrap(nodes, window)
        return result, cpu_seconds(pids) - before


def our_sizes() -> Sequence[int]:
    with testbed(1, MODES["chain.volatile"]) as bed:
        return sizes_of_one(bed.aaah_port, bed.fha_port, partial(bed.bootstrap, 1, 1)) or SIZES


def remark(result: dict[str, Any]) -> str:
    return "" if result["verdict"] == "ok" else f"a run was {result['verdict']}: {'; '.join(result['reasons'])}"


def our_rate(mode: Mode, plan: Plan) -> Run:
    result, cpu = bootstrap_all(mode, int(RATE_GUESS * plan.seconds), WINDOW)
    done = result["bootstraps"]
    return Run(result["rate_per_s"]["achieved"], cpu / done["succeeded"] * 1e6, done["succeeded"], done["attempted"],
               cpu / result["duration_s"], remark(result))


def our_latency(mode: Mode, plan: Plan) -> Run:
    result, cpu = bootstrap_all(mode, ONE_BY_ONE, 1)
    done = result["bootstraps"]
    return Run(result["latency_ms"]["registration"]["p50"] * 1e3, cpu / done["succeeded"] * 1e6, done["succeeded"],
               done["attempted"], remark=remark(result))


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
