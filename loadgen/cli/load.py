"""`mipstorm load`: the load of `bench` against servers that already run."""
from argparse import ArgumentParser, Namespace, RawDescriptionHelpFormatter
from collections.abc import Sequence
from ipaddress import IPv4Network, IPv6Address, IPv6Network
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

from loadgen import testbed_document as document
from loadgen.cli import values
from loadgen.cli.carry_out import carry_out
from loadgen.cli.options import add_common, plan
from loadgen.errors import UsageError
from loadgen.plan import (
    CARE_OF,
    MOST_AAAHS,
    Expectation,
    MessageAuthenticator,
    Plan,
    Target,
    check_care_of,
    check_packets,
    check_targets,
)
from servers.endpoint import Endpoint, parse_endpoint
from servers.errors import ConfigurationError
from servers.secrets_file import Secret, checked, read_secret
from servers.tables import subscribers_csv

if TYPE_CHECKING:
    from argparse import _SubParsersAction

MOST_PACKETS = 100_000_000

EXAMPLES = """\
examples:
  whole bootstraps, 500 begun a second, against a testbed of "mipstorm up --testbed tb.json":
    mipstorm load --testbed tb.json -r 500
  RADIUS access against any server, such as FreeRADIUS, 32 nodes at once:
    mipstorm load --radius 127.0.0.1:1812 --secret-file secret --subscribers nodes.csv --steps access -c 32
  registrations alone, from 127.64.0.1, 127.64.0.2 and so on, at an FHA of yours:
    mipstorm load --mip4 127.0.0.1:434 --subscribers nodes.csv --steps registration -r 200
  whole bootstraps in a network of yours:
    mipstorm load --radius 10.0.0.2:1812 --mip4 10.0.0.3:434 --secret-file secret --subscribers nodes.csv \\
                  -r 500 --i-own-this-network

The subscribers file has the header nai,mn_aaa_spi,mn_aaa_key,access_secret,class,location: SPI in decimal, key in hex,
access secret as text (CHAP), location is the NAS-Identifier of the node; mipstorm subscribers generate makes one. It and
the secret file need chmod 600.

exit codes: 0 ok, 2 usage, 3 the generator was the limit, 4 goal missed, 5 wrong data, 130 interrupted
"""


def add_parser(subparsers: "_SubParsersAction[Any]") -> ArgumentParser:
    parser: ArgumentParser = subparsers.add_parser(
        "load", help="load servers that already run, ours or yours",
        description="Bootstraps mobile nodes against servers that already run, and prints the result.",
        epilog=EXAMPLES, formatter_class=RawDescriptionHelpFormatter)
    target = parser.add_argument_group("servers")
    target.add_argument("--testbed", type=Path, metavar="FILE",
                        help="the testbed document of mipstorm up: it says all that --radius, --mip4, --secret-file and "
                             "--subscribers say")
    target.add_argument("--radius", type=values.endpoint, metavar="A:P", action="append",
                        help="the AAAH, or any RADIUS server (not needed with --steps registration); given again: another "
                             "one, asked when those before do not answer")
    target.add_argument("--mip4", type=values.endpoint, metavar="A:P", help="the FHA (not needed with --steps access)")
    target.add_argument("--secret-file", metavar="FILE", action="append",
                        help="secret shared with the AAAH: one for all, or one for each --radius")
    target.add_argument("--message-authenticator", choices=get_args(MessageAuthenticator), default="yes",
                        help="whether its answers need one; auto: once it has sent one (default: yes)")
    target.add_argument("--subscribers", metavar="CSV", help="the nodes and their keys")
    target.add_argument("--care-of", type=values.network, default=CARE_OF, metavar="CIDR",
                        help="with --steps registration, care-of addresses of the nodes: this network + 1 + their place; "
                             f"they must be this machine's (default: {CARE_OF})")
    target.add_argument("--i-own-this-network", action="store_true", help="the servers may be off loopback")
    parser.add_argument("-n", "--nodes", type=values.count, metavar="N",
                        help="only the first N subscribers (default: all)")
    add_common(parser).add_argument(
        "--max-packets", type=values.packets, default=MOST_PACKETS, metavar="N",
        help=f"refuse to begin when more requests than this were to be sent (default: {MOST_PACKETS})")
    return parser


def main(args: Namespace) -> int:
    return carry_out(plan_of(args))


def plan_of(args: Namespace) -> Plan:
    if args.rate is None and args.concurrency is None:
        raise UsageError("how much load? give --rate (bootstraps a second) or --concurrency (nodes at once)")
    target, warned = from_document(args) if args.testbed else from_options(args)
    if (args.nodes or 0) > len(target.subscribers):
        raise UsageError(f"{args.subscribers or args.testbed} holds {len(target.subscribers)} subscribers, not {args.nodes}")
    nodes = args.nodes or len(target.subscribers)
    if args.steps == "registration":
        assert target.mip4 is not None
        check_care_of(args.care_of, nodes, target.mip4)
    return check_packets(plan(args, nodes=nodes, testbed=None, own_network=args.i_own_this_network, target=target,
                              care_of=args.care_of, warnings=warned), args.max_packets)


def from_options(args: Namespace) -> tuple[Target, tuple[str, ...]]:
    """The servers that are named one by one, and what to warn about."""
    needed = {"--radius": args.steps != "registration", "--secret-file": args.steps != "registration",
              "--mip4": args.steps != "access", "--subscribers": True}
    missing = [name for name, need in needed.items() if need and vars(args)[name[2:].replace("-", "_")] is None]
    if missing:
        raise UsageError(f"--steps {args.steps} needs {', '.join(missing)} (or all of it from --testbed FILE)")
    servers, files = (args.radius or [], args.secret_file or []) if needed["--radius"] else ([], [])
    check_targets([*servers, *([args.mip4] if args.mip4 else [])], args.i_own_this_network)
    secrets = secrets_of(servers, files) if servers else []
    asked = list(zip(servers, secrets, strict=True))
    radius, secret = asked[0] if asked else (None, None)
    target = Target(radius, args.mip4, secret, subscribers_csv.read(args.subscribers), tuple(asked[1:]),
                    args.message_authenticator)
    return target, warnings(files, secrets, args.message_authenticator)


def from_document(args: Namespace) -> tuple[Target, tuple[str, ...]]:
    """The servers of a testbed that runs."""
    given = [name for name in ("--radius", "--mip4", "--secret-file", "--subscribers")
             if vars(args)[name[2:].replace("-", "_")] is not None]
    if given:
        raise UsageError(f"--testbed says where the servers are; leave out {', '.join(given)}")
    testbed = document.read(args.testbed)
    try:
        secret = checked(testbed.radius_clients[0].secret.encode())
        target = Target(parse_endpoint(testbed.servers.aaah.radius), parse_endpoint(testbed.servers.fha.mip4), secret,
                        subscribers_csv.read(testbed.subscribers.csv), message_authenticator=args.message_authenticator,
                        expected=expected(testbed), relaxed=tuple(testbed.relaxed))
    except (ValueError, IndexError) as error:
        raise ConfigurationError(f"{args.testbed}: cannot be used: {error}") from None
    check_targets([t for t in (target.radius, target.mip4) if t], args.i_own_this_network)
    return target, warnings((), (), args.message_authenticator)


def expected(testbed: document.Testbed) -> Expectation | None:
    """What replies must say, if the document tells."""
    aaah, fha = testbed.servers.aaah, testbed.servers.fha
    if not (aaah.home_agent and fha.ipv6_prefix and len(testbed.pools) == 1):
        return None
    return Expectation(IPv4Network(testbed.pools[0].network), IPv6Network(fha.ipv6_prefix), IPv6Address(aaah.home_agent))


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
