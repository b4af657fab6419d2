"""What a run is worth: the verdict, the exit code, and the reasons, from what was counted and nothing else."""
from collections.abc import Mapping
from dataclasses import dataclass, field

from loadgen.result import Result, Step, Tally, Verdict

EXIT_CODES: Mapping[Verdict, int] = {
    "ok": 0, "child-died": 1, "generator-limited": 3, "goal-missed": 4, "invariant-violated": 5, "interrupted": 130}
PRECEDENCE: tuple[Verdict, ...] = (
    "child-died", "invariant-violated", "interrupted", "generator-limited", "goal-missed")

LIFE: frozenset[Step] = frozenset({"renewal", "release"})  # steps of nodes that have bootstrapped

LATE_SHARE = 0.01         # of all sends may leave late
LATE_MS = 1.0             # later than this and than LATE_OF_MEDIAN is late
LATE_OF_MEDIAN = 0.1
OWN_CPU, SERVER_CPU = 0.95, 0.90  # of one core: the generator is full while no server is


@dataclass(frozen=True)
class MaxFailures:
    """The goal: at most `count` failed or timed-out bootstraps, or at most `share` (0 to 1) of those attempted."""

    count: int = 0
    share: float | None = None

    def __str__(self) -> str:
        return str(self.count) if self.share is None else f"{self.share * 100:g}%"

    def allows(self, tally: Tally) -> bool:
        failures = tally.failed + tally.timed_out
        return failures <= (self.count if self.share is None else self.share * tally.attempted)


@dataclass(frozen=True)
class Strain:
    """How hard the generator worked: what tells its own limit from the servers'."""

    open_loop: bool
    sends: int = 0
    late_sends: int = 0        # later than `late_after_ns`
    own_drops: int = 0         # datagrams that the kernel dropped at our sockets
    own_cpu: float = 0.0       # share of one core, of the busiest of our processes
    server_cpu: list[float] = field(default_factory=list)  # the same of each server process we can see


def late_after_ns(p50_ms: float | None) -> int:
    """How long after its intended time a send is late: 1 ms, or a tenth of the median latency if that is longer."""
    return int(max(LATE_MS, LATE_OF_MEDIAN * (p50_ms or 0.0)) * 1e6)


def generator_limits(strain: Strain) -> list[str]:
    """Why the figures are the generator's and not the servers'."""
    reasons = []
    if strain.own_drops:
        reasons.append(f"the generator's own sockets dropped {strain.own_drops} datagrams")
    if strain.open_loop:
        if strain.late_sends > LATE_SHARE * strain.sends:
            share = 100 * strain.late_sends / strain.sends
            reasons.append(f"{share:.1f} % of the sends left late ({LATE_SHARE * 100:g} % is allowed)")
    elif strain.own_cpu > OWN_CPU and all(busy < SERVER_CPU for busy in strain.server_cpu):
        busiest = f"{max(strain.server_cpu) * 100:.0f} %" if strain.server_cpu else "an unknown share"
        reasons.append(f"the generator used {strain.own_cpu * 100:.0f} % of a core, the busiest server {busiest}")
    return reasons


def crowded_out(result: Result) -> list[str]:
    """Bootstraps that found no room although the servers dealt with all that did: the room was too small for such a load."""
    count, tally = sum(result.not_begun.values()), result.bootstraps
    if not count or tally.timed_out or tally.failed > count:
        return []
    return [f"{count} bootstraps could not begin: more were under way than the generator holds, though none of those failed"]


def goal_faults(result: Result, goal: MaxFailures) -> list[str]:
    """Bootstraps, and where there is a life after them renewals and releases, each by themselves."""
    if not result.bootstraps.attempted:
        return ["no bootstrap was attempted"]
    kinds = {"bootstraps": result.bootstraps}
    kinds |= {f"{step}s": tally for step, tally in result.steps.items() if step in LIFE}
    faults = [f"{tally.failed} {kind} failed and {tally.timed_out} timed out ({goal} allowed)"
              for kind, tally in kinds.items() if not goal.allows(tally)]
    if result.not_begun and not goal.allows(result.bootstraps):
        faults.append(f"{sum(result.not_begun.values())} of the failed could not even begin while others waited for an answer")
    return faults


@dataclass(frozen=True)
class Judgement:
    verdict: Verdict
    exit_code: int
    reasons: list[str]  # of everything that applies, the verdict's first


def judge(result: Result, strain: Strain, goal: MaxFailures, interrupted: bool = False,
          died: str | None = None) -> Judgement:
    """The first of `PRECEDENCE` that applies. `died` names the child that died, with its last words."""
    found: dict[Verdict, list[str]] = {
        "child-died": [died] if died else [],
        "invariant-violated": [f"{v.kind}: {v.detail}" for v in result.violations],
        "interrupted": ["stopped before its end"] if interrupted else [],
        "generator-limited": ([*generator_limits(strain), *crowded_out(result)] if result.packets.received or strain.own_drops
                              else []),                              # to silence there is no figure that could be ours
        "goal-missed": goal_faults(result, goal),
    }
    applying = [verdict for verdict in PRECEDENCE if found[verdict]]
    verdict: Verdict = applying[0] if applying else "ok"
    return Judgement(verdict, EXIT_CODES[verdict], [reason for name in applying for reason in found[name]])
