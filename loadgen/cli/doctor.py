"""`mipstorm doctor`: what this machine offers, one line each."""
from argparse import ArgumentParser, Namespace, RawDescriptionHelpFormatter
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from argparse import _SubParsersAction

EPILOG = """\
A line that begins with ok needs nothing. One that begins with -- names something that is slower, smaller or not there,
what that costs, and what would change it. Nothing is changed, nothing leaves this machine.

examples:
  mipstorm doctor
  mipstorm doctor | grep ^--
"""


def add_parser(subparsers: "_SubParsersAction[Any]") -> ArgumentParser:
    parser: ArgumentParser = subparsers.add_parser(
        "doctor", help="say what this machine offers", epilog=EPILOG, formatter_class=RawDescriptionHelpFormatter,
        description="Looks at this machine: CPU lanes, socket buffers, UDP offload, disk, privileges, optional programs.")
    return parser


def main(args: Namespace) -> int:
    from loadgen.machine import FINDINGS

    for look in FINDINGS:
        found = look()
        print(f"{'ok' if found.good else '--'}  {found.name:<18} {found.text}", flush=True)
    return 0
