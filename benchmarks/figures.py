"""Runs the figures of every `bench_*.py` beside this file, prints them as a table and writes `bench.json`.

    python -m benchmarks.figures [--only PATTERN] [--rounds N] [--quick] [--output FILE]

Exit code 0: every ask is met; 4: one is missed; 1: one could not be measured.
"""

from __future__ import annotations

import argparse
import importlib
import inspect
import json
import os
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

from rich.console import Console
from rich.table import Table

from .rounds import Plan, Row, Unavailable

HERE = Path(__file__).parent
HEADINGS = ("figure", "value", "CPU us", "reference", "its value", "its CPU us", "ratio", "CPU ratio", "ask", "",
            "succeeded")


def modules() -> Iterator[ModuleType]:
    for path in sorted(HERE.glob("bench_*.py")):
        module = importlib.import_module(f"{__package__}.{path.stem}")
        if hasattr(module, "figures"):
            yield module


def rows_of(module: ModuleType, plan: Plan) -> list[dict[str, Any]]:
    """The rows of a module that the plan wants. NAMES, where a module has it, spares running what nobody wants."""
    if not plan.wants(*getattr(module, "NAMES", ("*",))) and hasattr(module, "NAMES"):
        return []
    takes_plan = bool(inspect.signature(module.figures).parameters)
    rows: Iterable[Row | dict[str, Any]] = module.figures(plan) if takes_plan else module.figures()
    found = [row.as_dict() if isinstance(row, Row) else dict(row) for row in rows]
    return [row for row in found if plan.wants(row["name"])]


def collect(found: Iterable[ModuleType], plan: Plan, console: Console) -> tuple[list[dict[str, Any]], list[str]]:
    """All rows, and one line for each module that could not be measured."""
    rows, missing = [], []
    for module in found:
        try:
            rows += rows_of(module, plan)
        except Unavailable as reason:
            missing.append(f"{', '.join(getattr(module, 'NAMES', [module.__name__]))}: {reason}")
            console.print(f"[yellow]not measured[/] {missing[-1]}", highlight=False)
    return rows, missing


def figure(value: float | None) -> str:
    if value is None:
        return "-"
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"


def successes(row: dict[str, Any]) -> str:
    return f"{row['succeeded']:,} of {row['attempted']:,}" if row.get("attempted") else "-"


def ratio(row: dict[str, Any]) -> str:
    spread = row.get("quartiles")
    return figure(row["ratio"]) + (f" ({figure(spread[0])}..{figure(spread[1])})" if spread else "")


def table(rows: list[dict[str, Any]]) -> Table:
    out = Table(title=f"{len(os.sched_getaffinity(0))} cores; a ratio is the median over the rounds (quartiles)",
                title_justify="left")
    for heading in HEADINGS:
        out.add_column(heading, justify="left" if heading in ("figure", "reference", "") else "right", overflow="fold")
    for row in rows:
        mark = "[green]ok[/]" if row["ok"] else "[red]short[/]"
        out.add_row(row["name"], f"{figure(row['value'])} {row['unit']}", figure(row.get("cpu_us")),
                    row["reference"], figure(row["reference_value"]), figure(row.get("reference_cpu_us")),
                    ratio(row), figure(row.get("cpu_ratio")), f"{row.get('sense', '>=')} {figure(row['ask'])}", mark,
                    successes(row))
    return out


def arguments(given: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.figures",
                                     description="Measures the figures of this project, as ratios.")
    parser.add_argument("--only", default="*", metavar="PATTERN",
                        help="names of figures, as a shell pattern: 'chain.*'")
    parser.add_argument("--rounds", type=int, default=7, metavar="N", help="interleaved rounds (default 7)")
    parser.add_argument("--quick", action="store_true", help="three rounds of 0.5 s: to see that everything runs")
    parser.add_argument("--output", type=Path, default=Path("bench.json"), metavar="FILE", help="default bench.json")
    options = parser.parse_args(given)
    if options.rounds < 1:
        parser.error("--rounds: at least 1")
    return options


def main(given: list[str] | None = None) -> int:
    options = arguments(given)
    plan = Plan(3, 0.5, options.only) if options.quick else Plan(options.rounds, only=options.only)
    console = Console(width=None if sys.stdout.isatty() else 180)
    rows, missing = collect(modules(), plan, console)
    if not rows and not missing:
        console.print(f"no figure is called {options.only}")
        return 2
    console.print(table(rows))
    for row in rows:
        for note in row.get("notes", []):
            console.print(f"{row['name']}: {note}", highlight=False)
    options.output.write_text(json.dumps(rows, indent=1) + "\n")
    console.print(f"written to {options.output}", highlight=False)
    return 1 if missing else 0 if all(row["ok"] for row in rows) else 4


if __name__ == "__main__":
    sys.exit(main())
