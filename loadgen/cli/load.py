"""`mipstorm load`: the load of `bench` against servers that already run."""
from argparse import ArgumentParser, Namespace, RawDescriptionHelpFormatter
from typing import TYPE_CHECKING, Any

from loadgen.cli import values
from loadgen.cli.carry_out import carry_out
from loadgen.cli.options import add_common, plan
from loadgen.errors import UsageError
from loadgen.plan import Plan, Target, check_targets
from servers.secrets_file import read_secret
from servers.tables import subscribers_csv

if TYPE_CHECKING:
    from argparse import _SubParsersAction

EXAMPLES = """\
examples:
  RADIUS access against any server, 32 nodes at once:
    mipstorm load --radius 127.0.0.1:1812 --secret-file secret --subscribers nodes.csv --steps access -c 32
  whole bootstraps, 500 begun a second, in a network of yours:
    mipstorm load --radius 10.0.0.2:1812 --mip4 10.0.0.3:434 --secret-file secret --subscribers nodes.csv \\
                  -r 500 --i-own-this-network

The subscribers file has the header nai,mn_aaa_spi,mn_aaa_key,access_secret,class,location: SPI in decimal, key in hex,
access secret as text (CHAP), location is the NAS-Identifier of the node. It and the secret file need chmod 600.

exit codes: 0 ok, 2 usage, 3 the generator was the limit, 4 goal missed, 5 wrong data, 130 interrupted
"""


def add_parser(subparsers: "_SubParsersAction[Any]") -> ArgumentParser:
    parser: ArgumentParser = subparsers.add_parser(
        "load", help="load servers that already run, ours or yours",
        description="Bootstraps mobile nodes against servers that already run, and prints the result.",
        epilog=EXAMPLES, formatter_class=RawDescriptionHelpFormatter)
    target = parser.add_argument_group("servers")
    target.add_argument("--radius", type=values.endpoint, required=True, metavar="A:P",
                        help="the AAAH, or any RADIUS server")
    target.add_argument("--mip4", type=values.endpoint, metavar="A:P",
                        help="the FHA (not needed with --steps access)")
    target.add_argument("--secret-file", required=True, metavar="FILE", help="secret shared with the AAAH")
    target.add_argument("--subscribers", required=True, metavar="CSV", help="the nodes and their keys")
    target.add_argument("--i-own-this-network", action="store_true", help="the servers may be off loopback")
    parser.add_argument("-n", "--nodes", type=values.count, metavar="N",
                        help="only the first N subscribers (default: all)")
    add_common(parser)
    return parser


def main(args: Namespace) -> int:
    return carry_out(plan_of(args))


def plan_of(args: Namespace) -> Plan:
    if args.rate is None and args.concurrency is None:
        raise UsageError("how much load? give --rate (bootstraps a second) or --concurrency (nodes at once)")
    if args.steps == "all" and args.mip4 is None:
        raise UsageError("whole bootstraps need the FHA: give --mip4 ADDRESS:PORT, or only --steps access")
    check_targets([args.radius, *([args.mip4] if args.mip4 else [])], args.i_own_this_network)
    secret, subscribers = read_secret(args.secret_file), subscribers_csv.read(args.subscribers)
    if (args.nodes or 0) > len(subscribers):
        raise UsageError(f"{args.subscribers} holds {len(subscribers)} subscribers, not {args.nodes}")
    weakness = secret.weakness
    return plan(args, nodes=args.nodes or len(subscribers), testbed=None, own_network=args.i_own_this_network,
                target=Target(args.radius, args.mip4, secret, subscribers),
                warnings=(f"{args.secret_file}: {weakness}",) if weakness else ())
