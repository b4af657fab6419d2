"""`mipstorm up`: a whole testbed on loopback that stays, for anyone's client or server to join."""
import signal
import sys
import time
from argparse import ArgumentParser, Namespace, RawDescriptionHelpFormatter
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any

from loadgen import testbed_document as document
from loadgen.cli import values
from loadgen.cli.testbed_options import NODES, add_testbed, testbed_of
from loadgen.errors import UsageError
from loadgen.plan import Testbed, check_pool

if TYPE_CHECKING:
    from argparse import _SubParsersAction

    from loadgen.testbed import RunningTestbed

LOOK_EVERY_S = 0.2

EXAMPLES = """\
examples:
  mipstorm up --testbed tb.json             20 000 subscribers, free ports; Ctrl-C ends it
  mipstorm load --testbed tb.json -r 500    (in another terminal) bootstraps 500 nodes a second against it
  mipstorm up -n 100 --radius-port 1812 --mip4-port 434 --pool 10.9.0.0/24 --state /var/tmp/mipstorm

When it is ready it prints one line of JSON, the testbed document: where the servers listen, the RADIUS clients' secret,
the pool, the subscribers file, the control sockets for mipstorm stats. --testbed writes the same to a file (mode 0600).

exit codes: 0 ended by Ctrl-C or SIGTERM, 1 a server died, 2 usage
"""


def add_parser(subparsers: "_SubParsersAction[Any]") -> ArgumentParser:
    parser: ArgumentParser = subparsers.add_parser(
        "up", help="start a whole testbed on loopback and stay",
        description="Starts an AAAH and an FHA on loopback with subscribers of their own, says where they are, and "
                    "stays until it is interrupted.", epilog=EXAMPLES, formatter_class=RawDescriptionHelpFormatter)
    parser.add_argument("-n", "--nodes", type=values.count, default=NODES, metavar="N",
                        help=f"subscribers to make (default: {NODES})")
    parser.add_argument("--testbed", type=Path, metavar="FILE", help="write the testbed document to FILE, removed at the end")
    parser.add_argument("--radius-port", type=values.port, default=0, metavar="P", help="of the AAAH (default: any free one)")
    parser.add_argument("--mip4-port", type=values.port, default=0, metavar="P", help="of the FHA (default: any free one)")
    parser.add_argument("-q", "--quiet", action="store_true", help="do not repeat the servers' log lines on standard error")
    add_testbed(parser)
    return parser


def main(args: Namespace) -> int:
    return stay(testbed_of(args, radius_port=args.radius_port, mip4_port=args.mip4_port, watched=True),
                args.testbed, args.quiet, check_pool(args.pool, args.nodes))


class Ended(Exception):
    """SIGTERM or SIGINT."""


def end(number: int, frame: FrameType | None) -> None:
    raise Ended


def stay(wanted: Testbed, file: Path | None, quiet: bool, warning: str | None) -> int:
    """Until the end, or until a server dies."""
    from loadgen.testbed import RunningTestbed
    from servers.supervisor import ChildDied

    if warning:
        print(f"mipstorm: warning: {warning}", file=sys.stderr)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, end)
    try:
        with RunningTestbed(wanted) as testbed:
            try:
                announce(testbed.describe(), file)
                watch(testbed, quiet)
            except Ended:
                testbed.stop()
    except Ended:                                                    # while it started, or a second time
        return 0
    except ChildDied as error:
        if "did not start" in str(error):
            raise UsageError(str(error)) from None
        print(f"mipstorm: {error}", file=sys.stderr)
        return 1
    else:
        return 0
    finally:
        if file:
            file.unlink(missing_ok=True)


def watch(testbed: "RunningTestbed", quiet: bool) -> None:
    """Never returns; raises ChildDied when a server dies."""
    shown = {child.log: 0 for child in testbed.children}
    while True:
        for log in [] if quiet else shown:
            shown[log] += repeat(log, shown[log])
        testbed.check()
        time.sleep(LOOK_EVERY_S)


def repeat(log: Path, start: int) -> int:
    """Copies whole lines of a log file from an offset on to standard error; returns how many octets."""
    with log.open("rb") as file:
        file.seek(start)
        text, newline, _ = file.read().rpartition(b"\n")
    sys.stderr.write((text + newline).decode(errors="replace"))
    sys.stderr.flush()
    return len(text + newline)


def announce(testbed: document.Testbed, file: Path | None) -> None:
    """The file is there when the line is."""
    if file:
        document.write(testbed, file)
    sys.stdout.write(document.encode(testbed).decode())
    sys.stdout.flush()
