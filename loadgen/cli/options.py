"""The options that `bench` and `load` share, and the plan that they make."""
import sys
from argparse import ArgumentParser, Namespace, _ArgumentGroup
from typing import Any

from loadgen.cli import values
from loadgen.errors import UsageError
from loadgen.plan import LIFETIME_S, SCENARIOS, Plan, check_output
from loadgen.verdict import MaxFailures

RADIUS_TIMEOUT_S, MIP4_TIMEOUT_S = 2.0, 1.0
TRIES = 5


def add_common(parser: ArgumentParser) -> _ArgumentGroup:
    """Returns the group of load options, for more."""
    load = parser.add_argument_group("load")
    load.add_argument("-r", "--rate", type=values.rate, metavar="R",
                      help="bootstraps begun a second, whatever becomes of them (open loop)")
    load.add_argument("-c", "--concurrency", type=values.concurrency, metavar="N",
                      help="bootstraps under way at once, the next begins when one ends (closed loop)")
    load.add_argument("-d", "--duration", type=values.duration, metavar="S",
                      help="go on for S seconds, nodes start over in the same order (default: every node once)")
    load.add_argument("--warm-up", type=values.warm_up, default=0.0, metavar="S",
                      help="do not count bootstraps begun in the first S seconds (default: 0)")
    load.add_argument("-s", "--seed", type=values.seed, default=1, metavar="N",
                      help="order and times of arrival; the same seed gives the same load (default: 1)")
    load.add_argument("--scenario", type=values.scenario, default=SCENARIOS[0], metavar="NAME",
                      help=f"{', '.join(SCENARIOS)} (default)")
    load.add_argument("--steps", choices=("access", "registration", "all"), default="all",
                      help="access: RADIUS access only; registration: nodes register at the FHA without access before; "
                           "all: the whole bootstrap (default)")
    load.add_argument("--tries", type=values.tries, default=TRIES, metavar="N",
                      help=f"transmissions of a request before it has timed out (default: {TRIES})")
    load.add_argument("--timeout", type=values.timeout, metavar="S",
                      help="before the first retransmission, doubled for each further one "
                           f"(default: {RADIUS_TIMEOUT_S:g} for RADIUS, {MIP4_TIMEOUT_S:g} for Mobile IP)")
    load.add_argument("--lifetime", type=values.lifetime, default=LIFETIME_S, metavar="S",
                      help="registration lifetime that the nodes ask for; an FHA may grant less, and renewals follow what it "
                           f"granted (default: {LIFETIME_S})")
    load.add_argument("--receive-buffer", type=values.buffer_size, metavar="OCTETS",
                      help="receive buffer of each socket (default: as much as the kernel grants)")
    load.add_argument("--no-offload", action="store_true",
                      help="send every datagram on its own, also where a run of them could leave as one (UDP_SEGMENT)")
    add_life(parser)
    add_output(parser)
    return load


def add_life(parser: ArgumentParser) -> None:
    life = parser.add_argument_group("life after the bootstrap")
    life.add_argument("--hold", type=values.hold, default=0.0, metavar="S",
                      help="every node stays for S seconds after its bootstrap; the run ends when all have stayed (default: 0)")
    life.add_argument("--renew", action="store_true",
                      help="nodes that stay renew at about 80 %% of the lifetime that was granted (see --lifetime)")
    life.add_argument("--release", action="store_true",
                      help="nodes give their IPv4 home address back after their stay, or right after the bootstrap")


def add_output(parser: ArgumentParser) -> None:
    output = parser.add_argument_group("output")
    output.add_argument("--max-failures", type=values.max_failures, default=MaxFailures(), metavar="N|N%",
                        help="goal: at most so many bootstraps fail or time out, else exit 4 (default: 0)")
    output.add_argument("--json", metavar="FILE",
                        help="write the result document to FILE, - for standard output (the table then goes to "
                             "standard error)")
    output.add_argument("--pcap", metavar="FILE",
                        help="write every datagram sent and received to FILE (pcap); bench writes the keys for mipstorm "
                             "decode beside it, to FILE.keys")
    output.add_argument("-q", "--quiet", action="store_true", help="no live status and no table")
    output.add_argument("-v", "--verbose", action="store_true", help="say which servers were started, and where they listen")


def plan(args: Namespace, **rest: Any) -> Plan:
    """The plan of the common options and of `rest`, the fields that only the command knows."""
    if args.rate is not None and args.concurrency is not None:
        raise UsageError("--rate is an open loop, --concurrency a closed one: give one of them")
    if args.duration is not None and args.warm_up >= args.duration:
        raise UsageError(f"a warm-up of {args.warm_up:g} s leaves nothing of a duration of {args.duration:g} s")
    check_life(args)
    check_output("--json", args.json)
    check_output("--pcap", args.pcap)
    common: dict[str, Any] = {
        "command": ("mipstorm", *sys.argv[1:]), "rate": args.rate, "concurrency": args.concurrency,
        "duration_s": args.duration, "seed": args.seed, "scenario": args.scenario, "steps": args.steps,
        "warm_up_s": args.warm_up, "tries": args.tries, "radius_timeout_s": args.timeout or RADIUS_TIMEOUT_S,
        "mip4_timeout_s": args.timeout or MIP4_TIMEOUT_S, "goal": args.max_failures,
        "offload": not args.no_offload, "receive_buffer": args.receive_buffer, "json": args.json, "pcap": args.pcap,
        "lifetime_s": args.lifetime, "hold_s": args.hold, "renew": args.renew, "release": args.release,
        "quiet": args.quiet, "verbose": args.verbose}
    return Plan(**(common | rest))


def check_life(args: Namespace) -> None:
    if args.renew and not args.hold:
        raise UsageError("--renew is for nodes that stay: give --hold S")
    if args.steps == "access" and (args.hold or args.release):
        raise UsageError("--steps access leaves nothing to hold, renew or release")
