"""`make fuzz`: every target a million times and more, guided by coverage, under the sanitizers.

    python tests/instrumented.py fuzz tests/fuzz/run.py [--runs N] [--jobs N] [TARGET ...]

A process a target, as many at a time as there are processors; a line a minute says how far each is. A crash, an input slower
than TIMEOUT seconds or a process beyond RSS_MB is a finding: its input is left in tests/fuzz/findings and belongs, mended, into
tests/fuzz/inputs/TARGET.hex.
"""
from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha1
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any
from zlib import crc32

if TYPE_CHECKING:
    from rules import Target

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "fastcodec")]

TIMEOUT, RSS_MB = 5, 2048
MINUTE = 60
DONE = re.compile(r"(?:Done|number_of_executed_units:) *(\d+)")
COVERED = re.compile(r"cov: (\d+) ft: (\d+)")
SO_FAR = "executions so far: "


# ---- inside: this process becomes the fuzzer of one target

def fuzz(name: str, runs: int, corpus: Path, seed: int) -> None:
    """The modules written in Python tell their coverage as the compiled ones do, if they are imported here first."""
    import atheris
    assert "fastcodec" not in sys.modules

    with atheris.instrument_imports(include=["fastcodec", "loadgen", "servers"]):
        from targets import TARGETS
    from rules import as_prepared

    target = TARGETS[name]
    findings = HERE / "findings"
    findings.mkdir(exist_ok=True)
    tell = teller()

    def run(data: bytes) -> None:
        tell()
        data = given(target, data)
        try:
            target.run(data)
        except BaseException:
            (findings / f"{name}-{sha1(data).hexdigest()}").write_bytes(data)
            raise
    options = [f"-runs={runs}", f"-max_len={target.longest}", f"-timeout={TIMEOUT}", f"-rss_limit_mb={RSS_MB}", f"-seed={seed}",
               f"-artifact_prefix={findings}/{name}-", "-print_final_stats=1", "-verbosity=1"]
    if target.words:
        words = corpus.with_suffix(".words")
        words.write_text("".join(f'"{escaped(word)}"\n' for word in target.words))
        options.append(f"-dict={words}")
    with as_prepared(target):
        atheris.Setup([name, *options, str(corpus)], run)
        atheris.Fuzz()


def given(target: Target, data: bytes) -> bytes:
    """What the target gets of an input: half of them are mended; where it has a way of its own to vary them, half are varied.

    Not by a custom mutator, which libFuzzer cannot find when it is preloaded; which half, the input itself says.
    """
    chance = crc32(data)
    if target.vary is not None and chance & 2:
        data = target.vary(data, chance)
    return (target.mend(data) if chance & 1 else data)[:target.longest]


def escaped(word: str) -> str:
    """As libFuzzer's dictionaries want it."""
    return "".join(chr(octet) if 32 <= octet < 127 and octet not in b'"\\' else f"\\x{octet:02x}" for octet in word.encode())


def teller() -> Callable[[], None]:
    """Counts executions; now and then says so to the process that started this one."""
    count, due = 0, time.monotonic() + MINUTE

    def tell() -> None:
        nonlocal count, due
        count += 1
        if count % 256 == 0 and time.monotonic() >= due:
            due += MINUTE
            print(f"{SO_FAR}{count}", file=sys.stderr, flush=True)
    return tell


# ---- outside: the campaigns

def plant(name: str, corpus: Path) -> int:
    """The seeds of a target as files of a corpus; how many."""
    from seeds import findings, seeds
    from targets import TARGETS

    found = [*seeds(TARGETS[name].seeds), *findings(name)]
    for number, octets in enumerate(found):
        (corpus / f"seed-{number:04}").write_bytes(octets)
    return len(found)


def followed(name: str, log: IO[str], start: float, corpus: Path) -> tuple[int, tuple[int, int], str]:
    """Reads what the fuzzer says to its end, a line on standard output for each of its reports: executions, coverage, the last of it."""
    done, covered, last = 0, (0, 0), deque[str](maxlen=60)
    for line in log:
        last.append(line)
        if line.startswith(SO_FAR):
            count, seconds = int(line.removeprefix(SO_FAR)), time.monotonic() - start
            print(f"{name:20} {count:>12,} so far {count / seconds:>8,.0f}/s  {len(list(corpus.iterdir())):>6} in corpus  "
                  f"cov {covered[0]} ft {covered[1]}", flush=True)
        elif found := COVERED.search(line):
            covered = int(found[1]), int(found[2])
        elif found := DONE.search(line):
            done = int(found[1])
    return done, covered, "".join(last)


def campaign(name: str, runs: int, seed: int) -> dict[str, object]:
    """One target in a process of its own, and what came of it."""
    with tempfile.TemporaryDirectory(prefix=f"fuzz-{name}-") as folder:
        corpus = Path(folder) / "corpus"
        corpus.mkdir()
        planted, start = plant(name, corpus), time.monotonic()
        command = [sys.executable, __file__, "--inside", name, str(runs), str(corpus), str(seed)]
        with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, errors="replace") as process:
            done, covered, last = followed(name, process.stderr or sys.stdin, start, corpus)
        seconds = time.monotonic() - start
        if process.returncode:
            sys.stderr.write(f"---- {name}: exit {process.returncode}\n{last}\n")
        row = {"target": name, "executions": done, "seconds": round(seconds, 1), "seeds": planted, "corpus": len(list(corpus.iterdir())),
               "cov": covered[0], "ft": covered[1], "ok": process.returncode == 0}
        print("{target:20} {executions:>12,} executions {seconds:>8} s {seeds:>5} seeds {corpus:>6} in corpus  cov {cov} ft {ft}  {0}"
              .format("ok" if row["ok"] else "FAILED", **row), flush=True)
        return row


def main() -> int:
    if sys.argv[1:2] == ["--inside"]:             # nothing is imported before it can be instrumented
        fuzz(sys.argv[2], int(sys.argv[3]), Path(sys.argv[4]), int(sys.argv[5]))
        return 0
    from targets import TARGETS

    parser = argparse.ArgumentParser(description="Fuzz every decoder with atheris.")
    parser.add_argument("--runs", type=int, default=1_000_000, help="executions of each target, at least (default 1 000 000)")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, metavar="N", help="targets at a time (default: processors)")
    parser.add_argument("--seed", type=int, default=0, help="of the mutations; 0: another one every time")
    parser.add_argument("--report", type=Path, help="also write the rows as JSON")
    parser.add_argument("targets", nargs="*", metavar="TARGET", help=f"default all: {', '.join(TARGETS)}")
    options = parser.parse_args()
    unknown = [name for name in options.targets if name not in TARGETS]
    if unknown:
        parser.error(f"no target is called {', '.join(unknown)}")
    rows: list[dict[str, Any]] = []
    with ThreadPoolExecutor(max(1, options.jobs)) as at_once:
        for row in at_once.map(lambda name: campaign(name, options.runs, options.seed), options.targets or TARGETS):
            rows.append(row)
            if options.report:
                options.report.write_text(json.dumps(rows, indent=1) + "\n")
    return 0 if all(row["ok"] and row["executions"] >= options.runs for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
