"""`mipstorm stats PATH`: what a running server counts, asked over its control socket."""
import json
import sys
import time
from argparse import ArgumentParser, Namespace, RawDescriptionHelpFormatter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.table import Table

from loadgen.cli import values
from servers.control import ask

if TYPE_CHECKING:
    from argparse import _SubParsersAction

EXAMPLES = """\
examples:
  mipstorm stats fha.control                once, as a table
  mipstorm stats fha.control --json         once, as a JSON document on one line
  mipstorm stats fha.control --watch        every second until Ctrl-C
  mipstorm stats fha.control --watch 10 --json >> fha.jsonl

A server has a control socket when its configuration says so:
  [control]
  socket = "fha.control"
Only the user that the server runs as (and root) may ask.
"""
UPSTREAM = (("in flight", "outstanding"), ("sent", "asked"), ("answered", "answered"), ("timeouts", "timed_out"),
            ("moved", "moved_away"), ("suspected", "suspected"))


def add_parser(subparsers: "_SubParsersAction[Any]") -> ArgumentParser:
    parser: ArgumentParser = subparsers.add_parser(
        "stats", help="show what a running server counts",
        description="Asks a running server over its control socket for its counters: datagrams, replies, drops by "
                    "reason, how full its tables and its address pool are, the servers it asks, CPU time and memory.",
        epilog=EXAMPLES, formatter_class=RawDescriptionHelpFormatter)
    parser.add_argument("path", type=Path, metavar="PATH", help="the server's control socket")
    parser.add_argument("--json", action="store_true", help="one JSON document a line")
    parser.add_argument("--watch", type=values.positive, nargs="?", const=1.0, metavar="S",
                        help="ask again every S seconds (default: 1) until Ctrl-C, and show the changes a second")
    return parser


def main(args: Namespace) -> int:
    before: dict[str, Any] = {}
    try:
        while True:
            told = ask(args.path)
            if args.json:
                print(json.dumps(told, separators=(",", ":")), flush=True)
            else:
                show(told, before, Console(file=sys.stdout))
            if not args.watch:
                return 0
            before = told
            time.sleep(args.watch)
    except KeyboardInterrupt:
        return 0


def show(told: dict[str, Any], before: dict[str, Any], console: Console) -> None:
    """A table of one server; with figures of before also how much a second each counter grew."""
    console.print(f"{told['role']} on {told['address']}, pid {told['pid']}, up {told['uptime_s']:.0f} s, "
                  f"CPU {told['cpu_s']:.1f} s, memory {told['rss_bytes'] / 2**20:.0f} MiB", highlight=False)
    seconds = told["uptime_s"] - before["uptime_s"] if before else 0.0
    past = dict(counters(before)) if before else {}
    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column(no_wrap=True)
    table.add_column(justify="right")
    table.add_column(justify="right")
    for name, gauge in told["gauges"].items():
        table.add_row(name.replace("_", " "), str(gauge["now"]), f"of {gauge['most']}")
    for name, count in counters(told):
        growth = count - past.get(name, 0)
        table.add_row(name, str(count), f"{growth / seconds:+.0f}/s" if growth and seconds > 0 else "")
    console.print(table)
    if told["upstreams"]:
        console.print(servers(told["upstreams"]))


def servers(told: list[dict[str, Any]]) -> Table:
    """Those that are asked, in order of preference."""
    table = Table(box=None, pad_edge=False, header_style="")
    table.add_column("server", no_wrap=True)
    table.add_column("is")
    for heading, _ in UPSTREAM:
        table.add_column(heading, justify="right")
    for one in told:
        table.add_row(one["address"], "alive" if one["alive"] else "suspect", *(str(one[name]) for _, name in UPSTREAM))
    return table


def counters(told: dict[str, Any]) -> list[tuple[str, int]]:
    """Every counter with the name that people read."""
    plain = [(name.replace("_", " "), told[name]) for name in ("packets_in", "packets_out", "kernel_drops")]
    return plain + [(f"{kind}: {name.replace('_', ' ')}", count) for kind in ("replies", "dropped", "events")
                    for name, count in told[kind].items()]
