"""`mipstorm bench`: a private testbed on loopback, a load against it, and the result."""
from argparse import ArgumentParser, Namespace, RawDescriptionHelpFormatter
from ipaddress import IPv4Network
from pathlib import Path
from typing import TYPE_CHECKING, Any

from loadgen.cli import values
from loadgen.cli.carry_out import carry_out
from loadgen.cli.options import add_common, plan
from loadgen.plan import Plan, Testbed, check_pool

if TYPE_CHECKING:
    from argparse import _SubParsersAction

NODES, RATE = 20_000, 2000.0
POOL = IPv4Network("198.18.0.0/16")

EXAMPLES = """\
examples:
  mipstorm bench                            20 000 nodes, 2000 bootstraps begun a second
  mipstorm bench -n 1000 -c 64              as fast as 64 nodes at once can go
  mipstorm bench -r 5000 -d 30 --warm-up 5  half a minute at 5000/s, the first 5 s not counted
  mipstorm bench --steps access --json -    RADIUS access only, result document to standard output
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


def add_testbed(parser: ArgumentParser) -> None:
    testbed = parser.add_argument_group("testbed")
    testbed.add_argument("--pool", type=values.network, default=POOL, metavar="CIDR",
                         help=f"IPv4 home addresses that the FHA leases (default: {POOL})")
    testbed.add_argument("--cool-down", type=values.cool_down, default=30, metavar="S",
                         help="a freed address is leased again only after S seconds (default: 30)")
    testbed.add_argument("--max-lifetime", type=values.lifetime, default=1800, metavar="S",
                         help="longest registration that the FHA grants (default: 1800)")
    testbed.add_argument("--state", type=Path, metavar="DIR",
                         help="folder for the journals, kept afterwards (default: a temporary one)")
    testbed.add_argument("--volatile", action="store_true",
                         help="keep no journal: replies do not wait for the disk, a crash forgets every lease")

def main(args: Namespace) -> int:
    return carry_out(plan_of(args))


def plan_of(args: Namespace) -> Plan:
    """Without --rate and --concurrency the load is an open loop of the default rate."""
    warning = check_pool(args.pool, args.nodes) if args.steps == "all" else None
    testbed = Testbed(pool=args.pool, cool_down_s=args.cool_down, max_lifetime_s=args.max_lifetime,
                      state=args.state, volatile=args.volatile)
    if args.rate is None and args.concurrency is None:
        args.rate = RATE
    return plan(args, nodes=args.nodes, target=None, testbed=testbed, own_network=False,
                warnings=(warning,) if warning else ())
