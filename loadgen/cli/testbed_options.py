"""The options that `bench` and `up` share: what the private servers are like."""
from argparse import ArgumentParser, Namespace
from ipaddress import IPv4Network
from pathlib import Path
from typing import Any

from loadgen.cli import values
from loadgen.plan import Testbed

NODES = 20_000
POOL = IPv4Network("198.18.0.0/16")


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


def testbed_of(args: Namespace, **rest: Any) -> Testbed:
    return Testbed(nodes=args.nodes, pool=args.pool, cool_down_s=args.cool_down, max_lifetime_s=args.max_lifetime,
                   state=args.state, volatile=args.volatile, **rest)
