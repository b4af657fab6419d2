"""`make timing`: verification takes as long wherever a digest differs (Welch's t-test, after dudect, Reparaz et al. 2017).

    python -m benchmarks.timing [--samples N] [--only PATTERN]

A digest is wrong in its first octet, or in its last; which of them is drawn anew for every sample, so that whatever the machine
does meanwhile falls on both. Both octets are written each time, by the same instructions on the same memory: a copy from two
prepared arrays was seen as 10 ns, a branch on which it is as 2 ns. Samples above the 90th percentile of both together are left
out: they tell of interrupts. |t| < 4.5 passes. The last row is a comparison that stops at the first difference: the method must
see it.

Exit code 0: all pass; 4: a verification leaks; 1: the method did not see the leak that is there.
"""

from __future__ import annotations

import argparse
import gc
import sys
from fnmatch import fnmatch
from time import perf_counter_ns
from typing import Any

import numpy as np

from benchmarks.verifications import Subject, batches, singles

LIMIT, KEPT, WARM_UP = 4.5, 0.90, 2000


def leaky() -> Subject:
    """What must not be: the first difference ends the comparison."""
    octets, right = np.frombuffer(bytearray(16), np.uint8), bytes(16)

    def work() -> None:
        for a, b in zip(bytes(octets), right, strict=True):
            if a != b:
                return
    return Subject("control: stops at the first difference", octets[np.newaxis], slice(0, 16), work)


def sample(subject: Subject, count: int) -> tuple[np.ndarray[Any, np.dtype[np.int64]], np.ndarray[Any, np.dtype[np.bool_]]]:
    """Nanoseconds of each verification, and whether it was the last octet that was wrong."""
    taken = np.zeros(count, np.int64)
    bits = np.random.default_rng(1).integers(0, 2, count, np.uint8)
    others = 1 - bits
    first, last = subject.octets[:, subject.place.start], subject.octets[:, subject.place.stop - 1]
    right = first.copy(), last.copy()
    for k in [*range(min(WARM_UP, count)), *range(count)]:
        np.bitwise_xor(right[0], others[k:k + 1], out=first)
        np.bitwise_xor(right[1], bits[k:k + 1], out=last)
        subject.prepare()
        start = perf_counter_ns()
        subject.verify()
        taken[k] = perf_counter_ns() - start
    return taken, bits == 1


def welch(taken: np.ndarray[Any, Any], which: np.ndarray[Any, Any]) -> float:
    """Welch's t of both classes, without what is above the percentile KEPT of both together."""
    kept = taken <= np.quantile(taken, KEPT)
    one, other = taken[kept & ~which].astype(float), taken[kept & which].astype(float)
    spread = one.var(ddof=1) / len(one) + other.var(ddof=1) / len(other)
    return float((one.mean() - other.mean()) / np.sqrt(spread)) if spread else 0.0


def measure(subject: Subject, samples: int) -> float:
    """t of a subject; the collector of garbage stands still meanwhile. Prints its row."""
    gc.collect()
    gc.disable()
    try:
        taken, which = sample(subject, samples)
    finally:
        gc.enable()
    t = welch(taken, which)
    print(f"{subject.name:40} {samples:>9,} {np.median(taken):>9,.0f} {t:>+8.2f}   {'differs' if abs(t) >= LIMIT else 'ok'}", flush=True)
    return t


def main(given: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.timing", description="Whether verification is of constant time.")
    parser.add_argument("--samples", type=int, default=100_000, metavar="N", help="of each verification (default 100 000)")
    parser.add_argument("--only", default="*", metavar="PATTERN", help="names, as a shell pattern: 'batch*'")
    options = parser.parse_args(given)
    if options.samples < 1000:
        parser.error("--samples: at least 1000")
    print(f"{'verification':40} {'samples':>9} {'ns':>9} {'t':>8}   |t| < {LIMIT}")
    found = [measure(subject, options.samples) for subject in (*singles(), *batches()) if fnmatch(subject.name, options.only)]
    seen = abs(measure(leaky(), options.samples)) >= LIMIT
    return 4 if any(abs(t) >= LIMIT for t in found) else 0 if seen else 1


if __name__ == "__main__":
    sys.exit(main())
