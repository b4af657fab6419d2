"""A result to test with: every bootstrap of an open loop succeeded, unless a test says otherwise."""
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from loadgen.result import Generator, Latency, Packets, Rate, Replies, Result, SendLag, ServerUse, Tally

sys.path.insert(0, str(Path(__file__).parents[1] / "roles"))  # world and desk: roles joined in memory


def tally(attempted: int, failed: int = 0, timed_out: int = 0) -> Tally:
    return Tally(attempted=attempted, succeeded=attempted - failed - timed_out, failed=failed, timed_out=timed_out)


@pytest.fixture
def make_result() -> Callable[..., Result]:
    return result


def result(failed: int = 0, timed_out: int = 0, **changes: Any) -> Result:
    fields: dict[str, Any] = {
        "command": ["mipstorm", "bench"], "scenario": "integrated-colocated", "nodes": 1000, "seed": 1,
        "duration_s": 1.25, "cores": 2, "bootstraps": tally(1000, failed, timed_out),
        "steps": {"access": tally(1000), "registration": tally(1000, failed, timed_out)},
        "rate_per_s": Rate(offered=1000.0, achieved=800.0),
        "latency_ms": {"bootstrap": Latency(p50=1.234, p90=12.34, p99=123.4, max=1234.5)},
        "packets": Packets(sent=2003, received=2000, retransmitted=3),
        "replies": Replies(mip4={"0": 1000}, radius={"2": 1000}),
        "servers": {"aaah": ServerUse(processes=1, cpu_s=0.5, max_rss_bytes=2**26, packets_in=2000, packets_out=2000)},
        "generator": Generator(cpu_s=0.25, max_rss_bytes=2**27, bytes_per_node=96, schedule_sha256="00" * 32,
                               send_lag_ms=SendLag(p50=0.01, p99=0.2, max=0.4))}
    return Result(**(fields | changes))
