"""What people see: the table, and the status while a run goes on."""
import io
from collections.abc import Callable

import pytest
from rich.console import Console

from loadgen.report import print_report
from loadgen.result import Rate, Result, Violation
from loadgen.status import Snapshot, Status, describe

Make = Callable[..., Result]


def printed(result: Result, width: int = 80) -> str:
    stream = io.StringIO()
    print_report(result, Console(file=stream, width=width))
    return stream.getvalue()


def row(text: str, name: str) -> list[str]:
    return next(line.split()[1:] for line in text.splitlines() if line.startswith(name))


def test_the_table_says_all_in_eighty_columns(make_result: Make) -> None:
    text = printed(make_result(relaxed=["no fsync", "no reject delay"]))
    assert text.splitlines()[0] == "mipstorm on 2 cores: integrated-colocated, 1000 nodes, seed 1, 1.25 s"
    assert row(text, "bootstrap") == ["1000", "1000", "0", "0", "0"]
    assert row(text.partition("latency, ms")[2], "bootstrap") == ["1.23", "12.3", "123", "-", "1234"]
    assert "800 bootstraps/s achieved, 1000 offered (1000 of 1000 succeeded)" in text
    assert "2003 sent, 2000 received, 3 retransmitted" in text
    assert "CPU 0.50 s (500.0 us a bootstrap), 64 MiB" in text
    assert "no fsync, no reject delay" in text
    assert "odd replies" not in text
    assert text.rstrip().splitlines()[-1] == "verdict  ok"
    assert "\u2026" not in text  # nothing was cut off
    assert all(len(line) <= 80 for line in text.splitlines())


def test_a_violation_is_loud_and_withholds_the_rate(make_result: Make) -> None:
    found = [Violation(kind="double lease", detail=f"198.18.0.{i} \x1b[2J[bold]") for i in range(12)]
    text = printed(make_result(violations=found, verdict="invariant-violated"), 120)
    assert "bootstraps/s" not in text
    assert "VIOLATION double lease: 198.18.0.0 \\x1b[2J[bold]" in text
    assert "VIOLATION and 2 more" in text
    assert "verdict  invariant-violated (12 found" in text


def test_what_makes_the_figures_worth_less_is_beside_them(make_result: Make) -> None:
    text = printed(make_result(7, 0, verdict="generator-limited", reasons=["own sockets dropped 9 datagrams"],
                               hint="our sockets are small", partial=True,
                               rate_per_s=Rate(offered=None, achieved=800.0)), 160)
    assert "PARTIAL" in text.splitlines()[0]
    assert "800 bootstraps/s achieved (993 of 1000 succeeded) - the generator's limit, not the servers'" in text
    assert "likely cause  our sockets are small" in text
    assert "verdict  generator-limited: own sockets dropped 9 datagrams" in text


SNAPSHOT = Snapshot(done=500, total=2000, succeeded=490, failed=6, timed_out=4, in_flight=12, rate=98.4, p99_ms=12.34,
                    elapsed_s=5.0)


def test_a_status_line() -> None:
    assert describe(SNAPSHOT) == \
        "5 s  500/2000 done  98/s  6 failed  4 timed out  12 in flight  p99 12.3 ms  ETA 15 s"
    start = Snapshot(done=0, total=None, succeeded=0, failed=0, timed_out=0, in_flight=0, rate=0, p99_ms=None,
                     elapsed_s=0)
    assert describe(start) == "0 s  0 done  0/s  0 failed  0 timed out  0 in flight  p99 -  ETA -"


def test_plain_lines_come_once_a_second() -> None:
    now, stream = [0.0], io.StringIO()
    with Status(stream=stream, clock=lambda: now[0]) as status:
        for now[0] in (0.0, 0.5, 0.99, 1.0, 1.5, 2.5, 3.4, 3.5):
            status.update(SNAPSHOT)
    assert stream.getvalue().splitlines() == [describe(SNAPSHOT)] * 4


def test_quiet_says_nothing() -> None:
    stream = io.StringIO()
    with Status(quiet=True, stream=stream) as status:
        status.update(SNAPSHOT)
    assert stream.getvalue() == ""


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_terminal_gets_a_line_that_renews_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "150")
    stream = Terminal()
    with Status(stream=stream) as status:
        status.update(SNAPSHOT)
    assert "500/2000 done" in stream.getvalue()
    assert "\x1b[" in stream.getvalue()
