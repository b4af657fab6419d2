"""`mipstorm decode`: tells a person what a packet, or a capture, says and what is wrong with it."""
from __future__ import annotations

import io
import re
import sys
from argparse import ArgumentParser, ArgumentTypeError, Namespace, RawDescriptionHelpFormatter
from collections.abc import Callable, Iterable, Iterator
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, cast

from loadgen.errors import UsageError

if TYPE_CHECKING:
    from argparse import _SubParsersAction

    from loadgen.decode.event import Event
    from loadgen.decode.reader import Reader

PROTOCOLS = ("radius", "mip4", "mip6", "pana", "eap", "icmp")
ON_PORTS = ("radius", "mip4", "pana")
TEXT = re.compile(rb"[\t\n\r -~]+")                  # what no capture begins with
HEXADECIMAL = frozenset("0123456789abcdefABCDEF:.,- ")

EXAMPLES = """\
examples:
  mipstorm decode run.pcap                              a line a message; requests and replies matched
  mipstorm decode run.pcap --keys run.pcap.keys --full  everything, authenticators checked
  mipstorm decode run.pcap --keys tb.json --wrong       only what is wrong; a testbed document holds keys, too
  mipstorm decode run.pcap --json | jq .latency_ms      a JSON object a line
  mipstorm decode run.pcap --protocol mip4 --nai mn000007@home.example
  mipstorm decode 0107070800000000...                   one message, in hexadecimal
  tcpdump -i lo -U -w - udp | mipstorm decode -         as it comes (hexadecimal, a message a line, will do as well)

Times are UTC. Captures are pcap or pcapng (also gzip), with Ethernet (VLAN tags too), raw IP, Linux cooked or loopback
frames. Memory stays the same however long they are: a request is remembered for a minute, 65536 of them at most.
Fragments and frames that were not captured whole are named, and not read; tunnels (IP in IP, 6in4, GRE, minimal, UDP of
ports 434 and 4191) are opened, four in one another at most.

--json: "message" holds every field under the name that fastcodec gives it, octets in hexadecimal; numbers of 64 bits once
more as text, such as "identification_hex", for readers that keep 53 bits of a number. What is not known is left out.

"""


def add_parser(subparsers: _SubParsersAction[Any]) -> ArgumentParser:
    from loadgen.decode.keys import FORMAT

    parser: ArgumentParser = subparsers.add_parser(
        "decode", help="explain a packet or a capture, authenticators checked where keys are given",
        description="Explains what a capture, or one message, says: requests matched to replies with their latency, "
                    "authenticators checked where keys are given.",
        epilog=EXAMPLES + FORMAT + "\nexit codes: 0 nothing is wrong, 2 usage or nothing to decode, 5 something in it is wrong, "
                                   "130 interrupted\n",
        formatter_class=RawDescriptionHelpFormatter)
    parser.add_argument("what", nargs="+", metavar="FILE|HEX",
                        help="capture file, or one message in hexadecimal; - for standard input; a file of text holds messages in "
                             "hexadecimal, one a line or as dumps (xxd, hexdump -C, od -tx1, tcpdump -x, tshark -x)")
    parser.add_argument("--as", dest="kind", choices=PROTOCOLS, metavar="PROTOCOL",
                        help=f"what the hexadecimal is: {', '.join(PROTOCOLS)} (default: told by its own type and length)")
    parser.add_argument("--keys", type=Path, metavar="FILE", help="keys file (below) or testbed document of mipstorm up")
    parser.add_argument("--dictionary", type=Path, action="append", default=[], metavar="FILE",
                        help="names of RADIUS attributes beside the usual ones, in FreeRADIUS's format; may be given again")
    parser.add_argument("--secrets", action="store_true",
                        help="show what RADIUS hides (passwords, keys) where its secret is known; it stays hidden otherwise")
    parser.add_argument("--port", type=port_protocol, action="append", default=[], metavar="N=PROTOCOL",
                        help="UDP port N speaks this protocol, too, e.g. 1912=radius; may be given again")
    add_filters(parser)
    view = parser.add_mutually_exclusive_group()
    view.add_argument("--full", action="store_true", help="every field of every message, not a line each")
    view.add_argument("--json", action="store_true", help="a JSON object a line")
    return parser


def add_filters(parser: ArgumentParser) -> None:
    group = parser.add_argument_group("filters (all of those given must hold; what they hide still counts for the rest)")
    group.add_argument("--protocol", choices=PROTOCOLS, action="append", metavar="PROTOCOL", help="only these; may be given again")
    group.add_argument("--nai", metavar="TEXT", help="the network access identifier contains TEXT")
    group.add_argument("--host", type=address, metavar="ADDRESS", help="one of the ends has this address")
    group.add_argument("--wrong", action="store_true", help="only what is wrong")
    group.add_argument("--all", action="store_true", help="also frames that hold no message of these protocols")


def port_protocol(text: str) -> tuple[int, str]:
    number, _, protocol = text.partition("=")
    if not (number.isascii() and number.isdecimal() and 0 < int(number) < 65536) or protocol not in ON_PORTS:
        raise ArgumentTypeError(f"'{text}' is not N=PROTOCOL with one of {', '.join(ON_PORTS)}, such as 1912=radius")
    return int(number), protocol


def main(args: Namespace) -> int:
    from fastcodec.capture import CaptureError, EmptyCaptureError
    from loadgen.decode.counts import Counts
    from loadgen.decode.keys import Keys, read_keys
    from loadgen.decode.reader import Reader

    if args.dictionary:
        use_dictionaries(args.dictionary)
    keys = read_keys(args.keys) if args.keys else Keys()
    keys.reveal = args.secrets
    reader = Reader(keys, dict(args.port))
    counts, show, wanted = Counts(), view_of(args), filter_of(args)
    add, write = counts.add, sys.stdout.buffer.write
    try:
        for event in events(args, reader):
            add(event)
            if wanted(event):
                write(show(event) + b"\n")
    except EmptyCaptureError:
        raise UsageError(f"{' '.join(args.what)}: nothing to decode: it is empty") from None
    except CaptureError as error:
        counts.broken = str(error)
        print(f"mipstorm: {' '.join(args.what)}: {error}", file=sys.stderr)
    except KeyboardInterrupt:
        counts.interrupted = True
    sys.stdout.flush()
    print(f"mipstorm: {counts}", file=sys.stderr)
    return counts.exit_code


def use_dictionaries(paths: list[Path]) -> None:
    from fastcodec import configure, load
    from fastcodec.errors import LocalError

    try:
        configure(load(*paths))
    except LocalError as error:
        raise UsageError(str(error)) from None


def events(args: Namespace, reader: Reader) -> Iterator[Event]:
    """From a capture, or from hexadecimal."""
    from fastcodec.capture import is_capture, read_capture
    from loadgen.decode.dumps import messages_of
    from loadgen.decode.hexadecimal import octets_of

    what = " ".join(args.what)
    if what == "-":
        stream = io.BufferedReader(io.FileIO(sys.stdin.fileno(), closefd=False))
        if is_capture(stream.peek(4)):
            return reader.events(read_capture(cast(BinaryIO, AsItComes(stream))))
        return reader.messages(some(messages_of(line.decode(errors="replace") for line in stream), what), args.kind)
    files = [word for word in args.what if not HEXADECIMAL.issuperset(word.replace("0x", ""))]
    if files and len(args.what) > 1:
        raise UsageError(f"{files[0]!r} beside others: one capture, or one message in hexadecimal, at a time")
    if files or (len(args.what) == 1 and Path(what).exists()):
        file = opened(what)
        if TEXT.fullmatch(file.peek(4)[:64]):
            return reader.messages(some(messages_of(line.decode(errors="replace") for line in file), what), args.kind)
        return reader.events(read_capture(file))
    return reader.messages([octets_of(what)], args.kind)


def some(messages: Iterable[bytes], name: str) -> Iterator[bytes]:
    """The same; UsageError when there are none: whatever was to write them has failed."""
    found = False
    for message in messages:
        found = True
        yield message
    if not found:
        raise UsageError(f"{name}: nothing to decode: it is empty")


class AsItComes:
    """A stream that gives what there is, and has everything printed before it waits for more."""

    def __init__(self, stream: io.BufferedReader[io.FileIO]) -> None:
        self.stream = stream

    def read(self, count: int = -1) -> bytes:
        sys.stdout.buffer.flush()
        return self.stream.read1(count)


def opened(path: str) -> io.BufferedReader:
    try:
        return open(path, "rb")
    except OSError as error:
        raise UsageError(f"{path}: cannot be read: {error.strerror}") from None


def view_of(args: Namespace) -> Callable[[Event], bytes]:
    from loadgen.decode.views import as_json, full, one_line

    if args.json:
        return as_json
    text = full if args.full else one_line
    return lambda event: text(event).encode(errors="backslashreplace")


def filter_of(args: Namespace) -> Callable[[Event], bool]:
    """Whether an event is shown."""
    tests: list[Callable[[Event], bool]] = []
    if not args.all:
        tests.append(lambda event: bool(event.protocol or event.faults or event.is_part))
    if args.protocol:
        tests.append(lambda event: event.protocol in args.protocol)
    if args.nai:
        tests.append(lambda event: args.nai in (event.nai or ""))
    if args.host:
        tests.append(lambda event: args.host in (event.source, event.destination))
    if args.wrong:
        tests.append(lambda event: bool(event.faults))
    return tests[0] if len(tests) == 1 else lambda event: all(test(event) for test in tests)


def address(text: str) -> str:
    try:
        return str(ip_address(text))
    except ValueError:
        raise ArgumentTypeError(f"'{text}' is no IP address") from None
