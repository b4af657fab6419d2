"""Runs a plan and delivers its result: table, document, exit code."""
import sys

from rich.console import Console

from loadgen import result as document
from loadgen.plan import Plan
from loadgen.report import print_report
from loadgen.result import Result
from loadgen.verdict import EXIT_CODES


def carry_out(plan: Plan) -> int:
    from loadgen.run import run_load

    for warning in plan.warnings:
        print(f"mipstorm: warning: {warning}", file=sys.stderr)
    return deliver(run_load(plan), plan)


def deliver(result: Result, plan: Plan) -> int:
    """The table goes where the document does not, and is shown even when the document cannot be written."""
    try:
        if plan.json is not None:
            document.write(result, plan.json)
    finally:
        if not plan.quiet:
            print_report(result, Console(file=sys.stderr if plan.json == "-" else sys.stdout))
        elif result.verdict != "ok":
            cause = [f"likely cause: {result.hint}"] if result.hint else []
            print(f"mipstorm: {result.verdict}: {'; '.join(result.reasons + cause)}", file=sys.stderr)
    return EXIT_CODES[result.verdict]
