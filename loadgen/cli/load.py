"""`mipstorm load`: the load of `bench` against servers that already run."""
from argparse import ArgumentParser, Namespace, RawDescriptionHelpFormatter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, get_args

from loadgen.cli import values
from loadgen.cli.carry_out import carry_out
from loadgen.cli.options import add_common, plan
from loadgen.errors import UsageError
from loadgen.plan import MOST_AAAHS, MessageAuthenticator, Plan, Target, check_targets
from servers.endpoint import Endpoint
from servers.secrets_file import Secret, read_secret
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
    target.add_argument("--radius", type=values.endpoint, required=True, metavar="A:P", action="append",
                        help="the AAAH, or any RADIUS server; given again: another one, asked when those before do not answer")
    target.add_argument("--mip4", type=values.endpoint, metavar="A:P",
                        help="the FHA (not needed with --steps access)")
    target.add_argument("--secret-file", required=True, metavar="FILE", action="append",
                        help="secret shared with the AAAH: one for all, or one for each --radius")
    target.add_argument("--message-authenticator", choices=get_args(MessageAuthenticator), default="yes",
                        help="whether its answers need one; auto: once it has sent one (default: yes)")
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
    check_targets([*args.radius, *([args.mip4] if args.mip4 else [])], args.i_own_this_network)
    secrets, subscribers = secrets_of(args.radius, args.secret_file), subscribers_csv.read(args.subscribers)
    if (args.nodes or 0) > len(subscribers):
        raise UsageError(f"{args.subscribers} holds {len(subscribers)} subscribers, not {args.nodes}")
    (radius, secret), *standby = zip(args.radius, secrets, strict=True)
    return plan(args, nodes=args.nodes or len(subscribers), testbed=None, own_network=args.i_own_this_network,
                target=Target(radius, args.mip4, secret, subscribers, tuple(standby), args.message_authenticator),
                warnings=warnings(args.secret_file, secrets, args.message_authenticator))


def secrets_of(servers: Sequence[Endpoint], files: Sequence[str]) -> list[Secret]:
    """One for each server."""
    if len(servers) > MOST_AAAHS:
        raise UsageError(f"--radius {servers[MOST_AAAHS]}: more than {MOST_AAAHS} servers")
    for i, server in enumerate(servers):
        if server in servers[:i]:
            raise UsageError(f"--radius {server}: given twice")
    if len(files) not in (1, len(servers)):
        raise UsageError(f"{len(files)} --secret-file for {len(servers)} --radius: give one for all, or one for each")
    secrets = [read_secret(file) for file in files]
    return secrets if len(files) == len(servers) else secrets * len(servers)


def warnings(files: Sequence[str], secrets: Sequence[Secret], message_authenticator: str) -> tuple[str, ...]:
    weak = [f"{file}: {secret.weakness}" for file, secret in zip(files, secrets, strict=False) if secret.weakness]
    if message_authenticator != "yes":
        weak.append(f"--message-authenticator {message_authenticator}: answers without one can be forged (CVE-2024-3596)")
    return tuple(weak)
