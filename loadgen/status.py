"""The state of a run while it runs: one line that renews itself on a terminal, a line a second elsewhere."""
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from typing import TextIO

from rich.console import Console
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

REFRESH_HZ = 4
LINE_EVERY_S = 1.0


@dataclass(frozen=True)
class Snapshot:
    """What a run has come to; `total` is None when only a duration limits it."""

    done: int
    total: int | None
    succeeded: int
    failed: int
    timed_out: int
    in_flight: int
    rate: float            # bootstraps succeeded a second, lately
    p99_ms: float | None
    elapsed_s: float
    holding: int = 0       # nodes that stay

    @property
    def eta_s(self) -> float | None:
        """Seconds left at the present pace."""
        if self.total is None or not self.done or not self.elapsed_s:
            return None
        return max(0.0, (self.total - self.done) * self.elapsed_s / self.done)


def describe(snapshot: Snapshot) -> str:
    """One plain line."""
    total = "" if snapshot.total is None else f"/{snapshot.total}"
    p99 = "-" if snapshot.p99_ms is None else f"{snapshot.p99_ms:.1f} ms"
    eta = "-" if snapshot.eta_s is None else f"{snapshot.eta_s:.0f} s"
    holding = f"{snapshot.holding} holding  " if snapshot.holding else ""
    return (f"{snapshot.elapsed_s:.0f} s  {snapshot.done}{total} done  {snapshot.rate:.0f}/s  "
            f"{snapshot.failed} failed  {snapshot.timed_out} timed out  "
            f"{snapshot.in_flight} in flight  {holding}p99 {p99}  ETA {eta}")


class Status:
    """Shows snapshots on standard error: `with Status() as s`, then `s.update(snapshot)` at any pace."""

    def __init__(self, quiet: bool = False, stream: TextIO | None = None,
                 clock: Callable[[], float] = time.monotonic) -> None:
        self.stream = stream or sys.stderr
        self.clock = clock
        self.next_line = clock()
        self.live: Live | None = None
        self.quiet = quiet
        if not quiet and self.stream.isatty():
            self.live = Live(console=Console(file=self.stream), refresh_per_second=REFRESH_HZ, transient=True)

    def __enter__(self) -> "Status":
        if self.live:
            self.live.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None,
                 trace: TracebackType | None) -> None:
        if self.live:
            self.live.stop()

    def update(self, snapshot: Snapshot) -> None:
        if self.live:
            self.live.update(drawn(snapshot))
        elif not self.quiet and self.clock() >= self.next_line:
            self.next_line = self.clock() + LINE_EVERY_S
            print(describe(snapshot), file=self.stream, flush=True)


def drawn(snapshot: Snapshot) -> Table:
    """The same as `describe`, with a bar and colours."""
    line = Table.grid(padding=(0, 2, 0, 0))
    text = Text(describe(snapshot))
    if snapshot.failed or snapshot.timed_out:
        text.highlight_regex(r"\b[1-9]\d* (failed|timed out)", "bold red")
    if snapshot.total is None:
        line.add_row(text)
    else:
        line.add_row(ProgressBar(total=snapshot.total, completed=snapshot.done, width=20), text)
    return line
