"""Rounds: contenders measured in turn, so that what a shared machine does to one it does to the other."""

from __future__ import annotations

import os
import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

TICKS = os.sysconf("SC_CLK_TCK")
FAILURES = 0.01
STARVED = 0.9        # a server that got less of its core than this was not measured at its limit


class Unavailable(Exception):
    """What is to be measured, or its reference, is not on this machine; the text says what and why."""


@dataclass(frozen=True)
class Plan:
    """What was asked on the command line."""

    rounds: int = 7
    seconds: float = 1.5       # of one measurement
    only: str = "*"            # names of figures, as a shell pattern

    def wants(self, *names: str) -> bool:
        return any(fnmatch(name, self.only) for name in names)


@dataclass(frozen=True)
class Run:
    """One measurement of one contender: its value, its CPU time (us an operation), what succeeded of what was tried."""

    value: float
    cpu_us: float | None = None
    succeeded: int = 0
    attempted: int = 0
    busy: float | None = None      # share of its core that the contender got
    remark: str = ""               # what a reader must know to read the value right


@dataclass
class Row:
    """One figure. `ratio` is the median over the rounds; `runs` has the ratio of each round."""

    name: str
    value: float
    unit: str
    reference: str
    reference_value: float | None
    ratio: float
    ask: float
    ok: bool
    runs: list[float]
    sense: str = ">="
    quartiles: tuple[float, float] | None = None
    cpu_us: float | None = None
    reference_cpu_us: float | None = None
    cpu_ratio: float | None = None     # the reference's CPU time an operation over ours: steadier than rates
    succeeded: int = 0
    attempted: int = 0
    notes: list[str] = field(default_factory=list)

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


def meets(ratio: float, sense: str, ask: float) -> bool:
    return ratio >= ask if sense == ">=" else ratio <= ask


def interleave(contenders: Mapping[str, Callable[[], Run]], rounds: int) -> dict[str, list[Run]]:
    """Runs every contender once a round, in turning order: drift favours none."""
    runs: dict[str, list[Run]] = {name: [] for name in contenders}
    for number in range(rounds):
        for name in list(contenders)[:: 1 if number % 2 == 0 else -1]:
            runs[name].append(contenders[name]())
    return runs


def quartiles(values: Sequence[float]) -> tuple[float, float, float]:
    """Lower quartile, median, upper quartile, interpolated between the values themselves."""
    if len(values) == 1:
        return values[0], values[0], values[0]
    low, middle, high = statistics.quantiles(values, n=4, method="inclusive")
    return low, middle, high


def cpu_median(runs: Sequence[Run]) -> float | None:
    known = [run.cpu_us for run in runs if run.cpu_us is not None]
    return statistics.median(known) if known else None


def starved(who: str, runs: Sequence[Run]) -> list[str]:
    """A note when others took the core in most rounds: then the CPU times say more than the rates."""
    shares = [run.busy for run in runs if run.busy is not None]
    if not shares or statistics.median(shares) >= STARVED:
        return []
    return [f"{who} busy {100 * statistics.median(shares):.0f} % of its core"]


def failing(who: str, runs: Sequence[Run]) -> list[str]:
    """A note when more than FAILURES of what was tried failed: such a rate is no rate of the work."""
    tried, done = sum(run.attempted for run in runs), sum(run.succeeded for run in runs)
    return [f"{who}: {tried - done:,} of {tried:,} failed"] if tried - done > FAILURES * tried else []


def compare(name: str, ours: Sequence[Run], theirs: Sequence[Run], *, unit: str, reference: str, ask: float,
            sense: str = ">=") -> Row:
    """The row of a figure from its rounds: the ratio is taken inside each round, then the median of the ratios."""
    ratios = [our.value / their.value for our, their in zip(ours, theirs, strict=True)]
    low, ratio, high = quartiles(ratios)
    cpu, reference_cpu = cpu_median(ours), cpu_median(theirs)
    faults = failing("ours", ours) + failing("reference", theirs)
    remarks = sorted({run.remark for run in [*ours, *theirs] if run.remark})
    return Row(name, statistics.median(run.value for run in ours), unit, reference,
               statistics.median(run.value for run in theirs), ratio, ask, not faults and meets(ratio, sense, ask),
               ratios, sense, (low, high), cpu, reference_cpu, reference_cpu / cpu if cpu and reference_cpu else None,
               sum(run.succeeded for run in ours), sum(run.attempted for run in ours),
               faults + remarks + starved("ours", ours) + starved("reference", theirs))


def cpu_seconds(pids: Sequence[int]) -> float:
    """User and system time of the processes so far (proc(5): fields 14 and 15 of /proc/PID/stat), to 1/TICKS s each."""
    total = 0.0
    for pid in pids:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        total += (int(fields[11]) + int(fields[12])) / TICKS
    return total


def family(pid: int) -> list[int]:
    """The process and all that it started and that still run."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [pid, *(member for child in children for member in family(int(child)))]
