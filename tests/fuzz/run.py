"""`make fuzz`: every target a million times and more, guided by coverage, under the sanitizers.

    python tests/instrumented.py fuzz tests/fuzz/run.py [--runs N] [TARGET ...]

A process a target. A crash, an input slower than TIMEOUT seconds or a process beyond RSS_MB is a finding: its input is left in
tests/fuzz/findings and belongs, mended, into tests/fuzz/inputs/TARGET.hex.
"""
from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
import tempfile
import time
from hashlib import sha1
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

TIMEOUT, RSS_MB = 5, 2048
DONE = re.compile(r"Done (\d+) runs")


def fuzz(name: str, runs: int, corpus: Path) -> None:
    """This process becomes the fuzzer of that target; the modules written in Python tell their coverage as the compiled ones do."""
    import atheris

    with atheris.instrument_imports(include=["fastcodec"]):
        from targets import TARGETS

    target = TARGETS[name]
    findings = HERE / "findings"
    findings.mkdir(exist_ok=True)

    def run(data: bytes) -> None:
        try:
            target.run(data)
        except BaseException:
            (findings / f"{name}-{sha1(data).hexdigest()}").write_bytes(data)
            raise
    atheris.Setup([name, f"-runs={runs}", f"-max_len={target.longest}", f"-timeout={TIMEOUT}", f"-rss_limit_mb={RSS_MB}",
                   f"-artifact_prefix={findings}/{name}-", "-print_final_stats=1", "-verbosity=1", str(corpus)], run)
    atheris.Fuzz()


def plant(name: str, corpus: Path) -> int:
    """The seeds of a target as files of a corpus; how many."""
    from seeds import findings, seeds
    from targets import TARGETS

    found = [*seeds(TARGETS[name].seeds), *findings(name)]
    for number, octets in enumerate(found):
        (corpus / f"seed-{number:04}").write_bytes(octets)
    return len(found)


def campaign(name: str, runs: int) -> dict[str, object]:
    """One target in a process of its own, and what came of it."""
    with tempfile.TemporaryDirectory(prefix=f"fuzz-{name}-") as folder:
        corpus = Path(folder)
        planted, start = plant(name, corpus), time.monotonic()
        log = subprocess.run([sys.executable, __file__, "--inside", folder, "--runs", str(runs), name], capture_output=True, text=True,
                             errors="replace", check=False)
        done = DONE.search(log.stderr)
        row = {"target": name, "executions": int(done[1]) if done else 0, "seconds": round(time.monotonic() - start, 1), "seeds": planted,
               "corpus": len(list(corpus.iterdir())), "ok": log.returncode == 0}
        if log.returncode:
            sys.stderr.write(f"---- {name}: exit {log.returncode}\n{log.stdout[-4000:]}\n{log.stderr[-3000:]}\n")
        return row


def main() -> int:
    from targets import TARGETS

    parser = argparse.ArgumentParser(description="Fuzz every decoder with atheris.")
    parser.add_argument("--runs", type=int, default=1_000_000, help="executions of each target, at least (default 1 000 000)")
    parser.add_argument("--inside", metavar="CORPUS", help=argparse.SUPPRESS)
    parser.add_argument("--report", type=Path, help="also write the rows as JSON")
    parser.add_argument("targets", nargs="*", metavar="TARGET", help=f"default all: {', '.join(TARGETS)}")
    options = parser.parse_args()
    unknown = [name for name in options.targets if name not in TARGETS]
    if unknown:
        parser.error(f"no target is called {', '.join(unknown)}")
    if options.inside:
        fuzz(options.targets[0], options.runs, Path(options.inside))
        return 0
    rows = []
    for name in options.targets or TARGETS:
        rows.append(campaign(name, options.runs))
        print("{target:20} {executions:>12,} executions {seconds:>8} s {seeds:>5} seeds {corpus:>6} in corpus  {0}".format(
            "ok" if rows[-1]["ok"] else "FAILED", **rows[-1]), flush=True)
        if options.report:
            options.report.write_text(json.dumps(rows, indent=1) + "\n")
    return 0 if all(row["ok"] and row["executions"] >= options.runs for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
