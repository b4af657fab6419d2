"""Digests: lanes against scalar C (benchmarks/md5.h), unequal lengths against equal ones.

`figures()` gives the rows of the issue; as a file of pytest-benchmark tests it times the Python batch functions.
Both the lanes and the reference are called from the same C loop, round by round in turn, and ratios are medians over
rounds: absolute times on a shared machine mean nothing.
"""
import ctypes
import hmac
import os
import random
import shlex
import statistics
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fastcodec.digest import PreparedKey, hmac_md5_batch, jobs, use_width, width, widths

HERE = Path(__file__).parent
HMAC_MD5, KEY_MD5 = 1, 4                 # enum digest_kind of digest.h
BATCH, ROUNDS = 256, 9
WIDTH_NAMES = {16: "sse2", 32: "avx2", 64: "avx512"}
ASKS = {16: 3.3, 32: 6.0, 64: 8.0}
MIXED_LENGTHS = range(60, 261, 4)
NAMES = (*(f"digest.hmac_md5_180.{name}" for name in WIDTH_NAMES.values()), "digest.unequal")
KEY = bytes(range(16))


class Job(ctypes.Structure):
    _fields_ = [("message", ctypes.c_void_p), ("tail", ctypes.c_void_p), ("key", ctypes.c_void_p),
                ("out", ctypes.c_void_p), ("length", ctypes.c_uint32), ("tail_length", ctypes.c_uint32),
                ("kind", ctypes.c_uint32)]


def timer_library() -> ctypes.CDLL:
    """digest_timer.c as a shared library in benchmarks/bin, built when older than its sources."""
    source, built = HERE / "digest_timer.c", HERE / "bin" / "digest_timer.so"
    newest = max(path.stat().st_mtime for path in (source, HERE / "md5.h"))
    if not built.exists() or built.stat().st_mtime < newest:
        built.parent.mkdir(exist_ok=True)
        compiler = shlex.split(os.environ.get("CC", "gcc"))
        subprocess.run([*compiler, "-O3", "-fPIC", "-shared", "-I", str(HERE.parent / "fastcodec"),
                        "-o", str(built), str(source)], check=True)
    library = ctypes.CDLL(str(built))
    library.time_queue.restype = ctypes.c_double
    return library


REFERENCE = timer_library()
LANES = ctypes.CDLL(jobs.__file__)


class Batch:
    """Messages of these lengths packed one behind the other, HMAC-MD5 under one key."""

    def __init__(self, lengths: Sequence[int]) -> None:
        self.data = random.Random(sum(lengths)).randbytes(sum(lengths))
        self.lengths = lengths
        self.buffer = ctypes.create_string_buffer(self.data, len(self.data))
        self.key = ctypes.create_string_buffer(64)
        self.out = ctypes.create_string_buffer(16 * len(lengths))
        raw = ctypes.create_string_buffer(KEY, len(KEY))
        prepare = (Job * 1)(Job(ctypes.addressof(raw), None, None, ctypes.addressof(self.key), len(KEY), 0, KEY_MD5))
        self.nanoseconds(LANES.digest_run, prepare, 1)
        self.rows = (Job * len(lengths))()
        at = 0
        for i, length in enumerate(lengths):
            self.rows[i] = Job(ctypes.addressof(self.buffer) + at, None, ctypes.addressof(self.key),
                               ctypes.addressof(self.out) + 16 * i, length, 0, HMAC_MD5)
            at += length

    @staticmethod
    def nanoseconds(function: Any, rows: Any, times: int) -> float:
        return float(REFERENCE.time_queue(ctypes.cast(function, ctypes.c_void_p), rows, len(rows), times))

    def lanes(self, times: int) -> float:
        """Nanoseconds a message, the caches filled by a first run."""
        self.nanoseconds(LANES.digest_run, self.rows, 2)
        return self.nanoseconds(LANES.digest_run, self.rows, times)

    def scalar(self, times: int) -> float:
        self.nanoseconds(REFERENCE.reference_run, self.rows, 2)
        return self.nanoseconds(REFERENCE.reference_run, self.rows, times)

    def check(self) -> None:
        """All digests that the last run left are right."""
        at = 0
        for i, length in enumerate(self.lengths):
            want = hmac.digest(KEY, self.data[at:at + length], "md5")
            assert self.out.raw[16 * i:16 * i + 16] == want, f"digest {i} of {length} octets is wrong"
            at += length


def median_ratio(references: list[float], ours: list[float]) -> float:
    return statistics.median(r / o for r, o in zip(references, ours, strict=True))


def row(name: str, ours: list[float], reference: str, references: list[float], ask: float) -> dict[str, Any]:
    ratio = median_ratio(references, ours)
    return {"name": name, "value": statistics.median(ours), "unit": "ns/message", "reference": reference,
            "reference_value": statistics.median(references), "ratio": ratio, "ask": ask, "ok": ratio >= ask,
            "runs": len(ours)}


def width_figures(rounds: int) -> list[dict[str, Any]]:
    """Every width in turn within each round, the scalar reference beside it."""
    batch = Batch([180] * BATCH)
    offered = [w for w in widths() if w in WIDTH_NAMES]
    ours: dict[int, list[float]] = {w: [] for w in offered}
    references: dict[int, list[float]] = {w: [] for w in offered}
    for _ in range(rounds):
        for w in offered:
            use_width(w)
            references[w].append(batch.scalar(40))
            batch.check()
            ours[w].append(batch.lanes(200))
            batch.check()
    return [row(f"digest.hmac_md5_180.{WIDTH_NAMES[w]}", ours[w], "scalar C, prepared key", references[w], ASKS[w])
            for w in reversed(offered)]


def unequal_figure(rounds: int) -> dict[str, Any]:
    """60, 64, ... 260 octets shuffled in one batch, against the mean of the same lengths, each in a batch of its own:
    what mixing costs, with the same octets on both sides."""
    mixed = [n for n in MIXED_LENGTHS for _ in range(5)]
    random.Random(3).shuffle(mixed)
    unequal, equal = Batch(mixed), [Batch([n] * len(mixed)) for n in MIXED_LENGTHS]
    ours, references = [], []
    for _ in range(rounds):
        references.append(statistics.mean(batch.lanes(10) for batch in equal))
        ours.append(unequal.lanes(10 * len(equal)))
        unequal.check()
    return row("digest.unequal", ours, f"the same lengths in batches of their own, width {width()}", references, 0.9)


def measure(rounds: int) -> list[dict[str, Any]]:
    before = width()
    try:
        rows = width_figures(rounds)
    finally:
        use_width(before)
    return [*rows, unequal_figure(rounds)]


def figures() -> list[dict[str, Any]]:
    return measure(ROUNDS)


@pytest.fixture(params=widths(), ids=lambda w: WIDTH_NAMES.get(w, "scalar"))
def each_width(request: pytest.FixtureRequest) -> Any:
    before = width()
    use_width(request.param)
    yield request.param
    use_width(before)


@pytest.mark.parametrize("lengths", [[180], list(MIXED_LENGTHS)], ids=["180", "60-260"])
def test_hmac_md5_batch(benchmark: Any, each_width: int, lengths: list[int]) -> None:
    """256 rows through the Python batch function."""
    rows = np.frombuffer(random.Random(4).randbytes(BATCH * 260), np.uint8).reshape(BATCH, 260)
    counts = np.resize(np.array(lengths, np.uint32), BATCH)
    out, key = np.zeros((BATCH, 16), np.uint8), PreparedKey("md5", KEY)
    benchmark(hmac_md5_batch, key, rows, counts, out)
    assert all(out[i].tobytes() == hmac.digest(KEY, rows[i, :counts[i]].tobytes(), "md5") for i in range(BATCH))


def test_one_message(benchmark: Any) -> None:
    """A queue of one: as fast as scalar C, plus the call from Python."""
    key, message = PreparedKey("md5", KEY), bytes(180)
    assert benchmark(key.sign, message) == hmac.digest(KEY, message, "md5")


def test_figures_are_complete() -> None:
    rows = measure(rounds=1)
    assert {r["name"] for r in rows} == {f"digest.hmac_md5_180.{WIDTH_NAMES[w]}" for w in widths() if w > 1} | {
        "digest.unequal"}
    assert all(r["value"] > 0 and r["ratio"] > 0 for r in rows)


if __name__ == "__main__":
    for figure in figures():
        print("{name:28} {value:7.1f} {unit}  {reference}: {reference_value:.1f}, ratio {ratio:.2f}, ask {ask}".format(
            **figure))
