"""`mipstorm bench`: a private testbed on loopback, a load against it, and the result."""
from argparse import ArgumentParser, Namespace, RawDescriptionHelpFormatter
from typing import TYPE_CHECKING, Any

from loadgen.cli import values
from loadgen.cli.carry_out import carry_out
from loadgen.cli.options import add_common, plan
from loadgen.cli.testbed_options import NODES, add_testbed, testbed_of
from loadgen.plan import Plan, check_pool

if TYPE_CHECKING:
    from argparse import _SubParsersAction

RATE = 2000.0

EXAMPLES = """\
examples:
  mipstorm bench                            20 000 nodes, 2000 bootstraps begun a second
  mipstorm bench -n 1000 -c 64              as fast as 64 nodes at once can go
  mipstorm bench -r 5000 -d 30 --warm-up 5  half a minute at 5000/s, the first 5 s not counted
  mipstorm bench --steps access --json -    RADIUS access only, result document to standard output
  mipstorm bench --lifetime 30 --hold 60 --renew --release
                                            nodes stay a minute, renew every 24 s or so, and leave
  mipstorm bench --volatile                 without a journal: what durability costs

exit codes: 0 ok, 1 a child died, 2 usage, 3 the generator was the limit, 4 goal missed, 5 wrong data, 130 interrupted
"""


def add_parser(subparsers: "_SubParsersAction[Any]") -> ArgumentParser:
    parser: ArgumentParser = subparsers.add_parser(
        "bench", help="start a private testbed on loopback, load it, print the result",
        description="Starts an AAAH and an FHA of its own on loopback, bootstraps mobile nodes against them, "
                    "prints the result.", epilog=EXAMPLES, formatter_class=RawDescriptionHelpFormatter)
    parser.add_argument("-n", "--nodes", type=values.count, default=NODES, metavar="N",
                        help=f"mobile nodes (default: {NODES})")
    add_common(parser)
    add_testbed(parser)
    return parser


def main(args: Namespace) -> int:
    return carry_out(plan_of(args))


def plan_of(args: Namespace) -> Plan:
    """Without --rate and --concurrency the load is an open loop of the default rate."""
    warning = check_pool(args.pool, args.nodes) if args.steps != "access" else None
    testbed = testbed_of(args, offload=not args.no_offload, receive_buffer=args.receive_buffer)
    if args.rate is None and args.concurrency is None:
        args.rate = RATE
    return plan(args, nodes=args.nodes, target=None, testbed=testbed, own_network=False,
                warnings=(warning,) if warning else ())
