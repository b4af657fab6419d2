"""A run from plan to result: the testbed if one is asked for, warm-up, the measured load, the verdict."""
from __future__ import annotations

import asyncio
import contextlib
import os
import resource
import signal
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

import uvloop

from loadgen import result as document
from loadgen.cause import likely_cause
from loadgen.comparison import Comparison, dotted, readable
from loadgen.decode.keys import write_keys
from loadgen.engine import FOREVER, INTERRUPTS, Engine, own_cpu_s
from loadgen.errors import UsageError
from loadgen.plan import Plan, Target
from loadgen.reach import is_refused
from loadgen.result import Result, Tally
from loadgen.schedule import schedule_sha256
from loadgen.status import Status
from loadgen.testbed import CLIENTS, RunningTestbed
from loadgen.verdict import Strain, judge, late_after_ns
from servers.supervisor import Child, ChildDied

STEPS: tuple[document.Step, ...] = ("access", "registration")
LIFE: tuple[document.Step, ...] = ("renewal", "release")


@dataclass(frozen=True)
class Use:
    """Seconds of the clock, of CPU (ours and each server's), and datagrams lost at our sockets: so far, or since."""

    seconds: float = 0.0
    own: float = 0.0
    servers: tuple[float, ...] = ()
    drops: int = 0

    @classmethod
    def so_far(cls, engine: Engine, children: Sequence[Child]) -> Use:
        return cls(time.monotonic(), own_cpu_s(), tuple(child.cpu_s() for child in children), engine.drops())

    def since(self, before: Use) -> Use:
        return Use(self.seconds - before.seconds, self.own - before.own,
                   tuple(max(now - then, 0.0) for now, then in zip(self.servers, before.servers, strict=True)),
                   self.drops - before.drops)


@dataclass
class Spent:
    """What the measured load took: until its last bootstrap had ended, and all of it."""

    loading: Use | None = None
    all: Use = field(default_factory=Use)
    died: str | None = None


def run_load(plan: Plan) -> Result:
    """Everything a plan asks for. UsageError and ConfigurationError say in one line what cannot be done."""
    on_interrupt()
    with contextlib.ExitStack() as stack:
        testbed = None
        target = plan.target
        if plan.testbed is not None:
            try:
                testbed = stack.enter_context(RunningTestbed(plan.testbed))
            except ChildDied as error:
                raise UsageError(str(error)) from None
            except OSError as error:
                where = tempfile.gettempdir()
                raise UsageError(f"no testbed can be set up in {where} (see TMPDIR): {error.strerror}") from None
            target = testbed.target
            if plan.pcap:
                ports = {protocol: child.endpoint.port for protocol, child in zip(("radius", "mip4"), testbed.children, strict=True)
                         if child.endpoint}
                write_keys(plan.pcap, CLIENTS, testbed.secret.octets, ports, testbed.subscribers)
            if plan.verbose:
                for child in testbed.children:
                    print(f"mipstorm: {child.role} (pid {child.pid}) listens on {child.endpoint}", file=sys.stderr)
        assert target is not None
        engine = stack.enter_context(Engine(plan, target))
        children = testbed.children if testbed else []
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            spent = runner.run(measure(engine, plan, children))
        on_interrupt()                                               # a closed loop leaves the system's own handlers
        comparison = None
        if testbed:
            comparison = Comparison(engine.fleet, target, plan.mip4_timeout_s, testbed.is_fresh)
            testbed.stop(comparison.take)
        return conclude(engine, plan, target, spent, children, comparison)


def on_interrupt() -> None:
    """Outside the load, where nothing can be drained, SIGTERM ends everything in order, like Ctrl-C."""
    for number in INTERRUPTS:
        signal.signal(number, signal.default_int_handler)


async def measure(engine: Engine, plan: Plan, children: Sequence[Child]) -> Spent:
    """Warm-up, then the load whose figures count."""
    def check() -> None:
        for child in children:
            child.check()
        if not spent.loading and engine.fleet.bootstrapped:
            spent.loading = so_far().since(before)

    def so_far() -> Use:
        return Use.so_far(engine, children)

    spent = Spent()
    engine.attach()
    before = so_far()
    with Status(quiet=plan.quiet) as status:
        try:
            skip = 0
            if plan.warm_up_s:
                await engine.run(most(plan), plan.warm_up_s, 0, Status(quiet=True), check)
                if not engine.interrupted:
                    skip = engine.fleet.started
                    engine.fleet.reset_figures()
                    before, spent.loading = so_far(), None
            if not engine.interrupted:
                bootstraps = max(most(plan) - skip, 0) if plan.duration_s else plan.nodes
                await engine.run(bootstraps, (plan.duration_s or 0.0) - plan.warm_up_s if plan.duration_s else 0.0, skip,
                                 status, check)
        except ChildDied as error:
            spent.died = str(error)
            engine.fleet.stop()
        spent.all = so_far().since(before)
    return spent


def most(plan: Plan) -> int:
    """Bootstraps that a load limited by its duration may begin."""
    if plan.max_packets is None:
        return FOREVER
    return plan.max_packets // (2 if plan.steps == "all" else 1)


def conclude(engine: Engine, plan: Plan, target: Target, spent: Spent, children: Sequence[Child],
             comparison: Comparison | None) -> Result:
    """The result document, judged."""
    result = describe(engine, plan, target, spent)
    result.servers = {child.role: document.ServerUse(**child.use | {"cpu_s": round(cpu, 3)})    # without its start
                      for child, cpu in zip(children, spent.all.servers, strict=True) if child.use}
    result.violations = violations(engine, target) + (comparison.violations() if comparison else [])
    result.relaxed = relaxed(plan)
    result.hint = likely_cause(result, lambda step: refused(target, step))
    judgement = judge(result, strain(engine, plan, result, spent), plan.goal, engine.interrupted, spent.died)
    result.verdict, result.reasons = judgement.verdict, judgement.reasons
    faults = document.arithmetic_faults(result)
    if faults:
        raise RuntimeError("the result does not add up: " + "; ".join(faults))
    return result


def refused(target: Target, step: document.Step) -> str | None:
    """The address of a step's server when nothing listens there."""
    endpoint = target.radius if step == "access" else target.mip4
    return str(endpoint) if endpoint and is_refused(endpoint) else None


def describe(engine: Engine, plan: Plan, target: Target, spent: Spent) -> Result:
    fleet, duration = engine.fleet, engine.duration_s()
    latencies = fleet.latencies()
    mip4, radius = fleet.codes()
    tallies = {name: tally(counts) for name, counts in fleet.tallies().items()}
    steps = {step: tallies[step] for step in STEPS if plan.steps in (step, "all")}
    steps |= {step: tallies[step] for step, wanted in zip(LIFE, (plan.renew, plan.release), strict=True) if wanted}
    return Result(
        command=list(plan.command), scenario=plan.scenario, nodes=plan.nodes, seed=plan.seed, duration_s=round(duration, 6),
        cores=len(os.sched_getaffinity(0)), partial=engine.interrupted or spent.died is not None,
        bootstraps=tallies["bootstrap"], not_begun=fleet.not_begun(), steps=steps,
        rate_per_s=document.Rate(offered=plan.rate,
                                 achieved=round(tallies["bootstrap"].succeeded / duration, 3) if duration else 0.0),
        latency_ms={"bootstrap": document.latency(latencies["bootstrap"]),
                    **{step: document.latency(latencies[step]) for step in steps}},
        packets=document.Packets(**fleet.packets(), kernel_drops=spent.all.drops),
        replies=document.Replies(mip4={str(c): n for c, n in mip4.items()}, radius={str(c): n for c, n in radius.items()},
                                 lifetimes_clipped=fleet.lifetimes_clipped,
                                 unsigned=fleet.counters().get("no_message_authenticator", 0),
                                 strays={step: stray(*seen) for step, seen in fleet.strays()}),
        generator=document.Generator(
            cpu_s=round(spent.all.own, 3), max_rss_bytes=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
            bytes_per_node=round(fleet.node_octets(), 1),
            schedule_sha256=schedule_sha256(engine.pacer, target.subscribers.nai),
            send_lag_ms=document.send_lag(latencies["send_lag"])))


def stray(count: int, source: tuple[bytes, int], asked: tuple[bytes, int]) -> document.Stray:
    source_text, asked_text = (f"{dotted(address)}:{port}" for address, port in (source, asked))
    return document.Stray(count=count, source=source_text, asked=asked_text)


def tally(counts: tuple[int, int, int, int]) -> Tally:
    """What has neither succeeded, failed nor timed out is in flight."""
    attempted, succeeded, failed, timed_out = counts
    return Tally(attempted=attempted, succeeded=succeeded, failed=failed, timed_out=timed_out,
                 in_flight=attempted - succeeded - failed - timed_out)


def strain(engine: Engine, plan: Plan, result: Result, spent: Spent) -> Strain:
    """Of the bootstraps alone: a stay after them would make the busiest generator look idle."""
    lag, use = engine.fleet.latencies()["send_lag"], spent.loading or spent.all
    seconds = use.seconds or 1.0                                     # not to the last success: the tail costs CPU, too
    return Strain(open_loop=plan.rate is not None, sends=lag.total,
                  late_sends=lag.count_above(late_after_ns(result.latency_ms["bootstrap"].p50)), own_drops=spent.all.drops,
                  own_cpu=use.own / seconds, server_cpu=[cpu / seconds for cpu in use.servers])


def relaxed(plan: Plan) -> list[str]:
    """What the servers, as far as it is known, or we as their client, did not do that would be done in production."""
    if plan.target is None:
        return list(plan.testbed.relaxed) if plan.testbed else []
    lax = plan.steps != "registration" and plan.target.message_authenticator != "yes"
    return [*plan.target.relaxed, *(["answers without Message-Authenticator taken"] if lax else [])]


def violations(engine: Engine, target: Target) -> list[document.Violation]:
    kept, counts = engine.fleet.violations()
    named = [document.Violation(kind=kind, detail=in_words(target, node, other, address)) for kind, node, other, address in kept]
    more = sum(counts.values()) - len(kept)
    return named + ([document.Violation(kind="more", detail=f"{more} more violations")] if more else [])


def in_words(target: Target, node: int, other: int, address: bytes) -> str:
    names = [readable(target.subscribers.nai[k]) for k in dict.fromkeys((node, other))]
    return f"{dotted(address)} held by {' and '.join(names)}"
