"""The result document `mipstorm.result/1`: what a run did, in JSON whose names never change."""
import math
import sys
from pathlib import Path
from typing import Literal

import msgspec

from loadgen.histogram import LatencyHistogram
from servers.errors import ConfigurationError

FEWEST_ABOVE = 10  # samples above a percentile, below which it is chance and not printed

Verdict = Literal["ok", "generator-limited", "goal-missed", "invariant-violated", "interrupted", "child-died"]
Step = Literal["access", "registration", "binding", "renewal", "release"]


class Part(msgspec.Struct, kw_only=True):
    """An object of the document."""


class Tally(Part, kw_only=True):
    """What became of the attempts; `attempted` is the sum of the other four."""

    attempted: int = 0
    succeeded: int = 0
    failed: int = 0
    timed_out: int = 0
    in_flight: int = 0


class Rate(Part, kw_only=True):
    """Bootstraps a second; nothing is offered in a closed loop."""

    offered: float | None
    achieved: float


class Latency(Part, kw_only=True):
    """Milliseconds from the intended send time; None where too few samples lie above."""

    p50: float | None = None
    p90: float | None = None
    p99: float | None = None
    p99_9: float | None = None
    max: float | None = None


class Packets(Part, kw_only=True):
    """Datagrams of the generator; `sent` is the attempts of all steps plus the retransmissions."""

    sent: int = 0
    received: int = 0
    retransmitted: int = 0
    late: int = 0
    duplicate: int = 0
    unmatched: int = 0
    malformed: int = 0
    bad_authenticator: int = 0
    kernel_drops: int = 0


class Stray(Part, kw_only=True):
    """Answers that came from elsewhere than they were asked for; the last one's source, and what it should have been."""

    count: int
    source: str
    asked: str


class Replies(Part, kw_only=True):
    """Authentic replies by the code they bore, in decimal."""

    mip4: dict[str, int] = msgspec.field(default_factory=dict)
    radius: dict[str, int] = msgspec.field(default_factory=dict)
    mip6: dict[str, int] = msgspec.field(default_factory=dict)
    lifetimes_clipped: int = 0  # replies that granted more than was asked for
    unsigned: int = 0           # RADIUS answers without the Message-Authenticator that was demanded
    strays: dict[Step, Stray] = msgspec.field(default_factory=dict)


class Violation(Part, kw_only=True):
    """Something that must never happen."""

    kind: str
    detail: str


class ServerUse(Part, kw_only=True):
    """What the processes of a role used and counted."""

    processes: int
    cpu_s: float
    max_rss_bytes: int
    packets_in: int
    packets_out: int
    dropped: dict[str, int] = msgspec.field(default_factory=dict)
    events: dict[str, int] = msgspec.field(default_factory=dict)  # counted, but no packet was lost by it


class SendLag(Part, kw_only=True):
    """Milliseconds that sends left after their intended time."""

    p50: float | None = None
    p99: float | None = None
    max: float | None = None


class Generator(Part, kw_only=True):
    """What the generator itself used."""

    cpu_s: float
    max_rss_bytes: int
    bytes_per_node: float
    schedule_sha256: str
    send_lag_ms: SendLag


class Result(Part, kw_only=True):
    """The whole document."""

    schema: Literal["mipstorm.result/1"] = "mipstorm.result/1"
    verdict: Verdict = "ok"
    reasons: list[str] = msgspec.field(default_factory=list)  # why the verdict is not ok
    hint: str | None = None                                   # the likely cause of failures
    partial: bool = False
    command: list[str]
    scenario: str
    nodes: int
    seed: int
    duration_s: float
    cores: int
    bootstraps: Tally
    not_begun: dict[str, int] = msgspec.field(default_factory=dict)  # failed bootstraps that never sent a request, by reason
    steps: dict[Step, Tally]
    rate_per_s: Rate
    latency_ms: dict[Literal["bootstrap", "access", "registration", "binding", "renewal", "release"], Latency]
    packets: Packets
    replies: Replies
    violations: list[Violation] = msgspec.field(default_factory=list)
    relaxed: list[str] = msgspec.field(default_factory=list)
    servers: dict[str, ServerUse] = msgspec.field(default_factory=dict)
    generator: Generator


def percentile_ms(histogram: LatencyHistogram, quantile: float) -> float | None:
    """Milliseconds to 1 us; None when fewer than ten samples lie above."""
    rank = max(1, math.ceil(quantile * histogram.total))
    if histogram.total - rank < FEWEST_ABOVE:
        return None
    return milliseconds(histogram.value_at(rank))


def milliseconds(nanoseconds: int | None) -> float | None:
    return None if nanoseconds is None else round(nanoseconds / 1e6, 3)


def latency(histogram: LatencyHistogram) -> Latency:
    return Latency(p50=percentile_ms(histogram, 0.5), p90=percentile_ms(histogram, 0.9),
                   p99=percentile_ms(histogram, 0.99), p99_9=percentile_ms(histogram, 0.999),
                   max=milliseconds(histogram.highest))


def send_lag(histogram: LatencyHistogram) -> SendLag:
    return SendLag(p50=percentile_ms(histogram, 0.5), p99=percentile_ms(histogram, 0.99),
                   max=milliseconds(histogram.highest))


def arithmetic_faults(result: Result) -> list[str]:
    """Sums that do not add up, in words; none in a true document."""
    faults = []
    for name, tally in [("bootstraps", result.bootstraps), *((f"steps.{s}", t) for s, t in result.steps.items())]:
        ends = tally.succeeded + tally.failed + tally.timed_out + tally.in_flight
        if tally.attempted != ends:
            faults.append(f"{name}: {tally.attempted} attempted, but {ends} ended or are in flight")
    first = sum(tally.attempted for tally in result.steps.values())
    again = result.packets.retransmitted
    if result.packets.sent != first + again:
        faults.append(f"packets: {result.packets.sent} sent, but {first} attempts and {again} retransmissions")
    return faults


def encode(result: Result) -> bytes:
    return msgspec.json.format(msgspec.json.encode(result), indent=2) + b"\n"


def decode(document: bytes) -> Result:
    """The document, of this or a later version that only adds names; msgspec.ValidationError otherwise."""
    return msgspec.json.decode(document, type=Result)


def write(result: Result, target: str) -> None:
    """To a file, or to standard output for `-`; ConfigurationError when it cannot be written."""
    try:
        if target == "-":
            sys.stdout.buffer.write(encode(result))
            sys.stdout.buffer.flush()
        else:
            Path(target).write_bytes(encode(result))
    except OSError as error:
        raise ConfigurationError(f"{target}: the result cannot be written: {error.strerror}") from None
