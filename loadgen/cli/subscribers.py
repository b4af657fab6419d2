"""`mipstorm subscribers`: makes subscribers files, and turns one format into the other."""
import re
from argparse import ArgumentParser, ArgumentTypeError, Namespace, RawDescriptionHelpFormatter
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import lmdb

from loadgen.cli import values
from loadgen.errors import UsageError
from servers.tables import subscribers_csv, subscribers_lmdb

if TYPE_CHECKING:
    from argparse import _SubParsersAction

REALM = re.compile(r"[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?)*")  # RFC 4282 2.1
LONGEST_NAME = 64

EXAMPLES = """\
examples:
  mipstorm subscribers generate -n 1000 -o nodes.csv
  mipstorm subscribers generate -n 100000 --realm op.example --classes gold,standard --locations nas-1,nas-2 -o nodes.csv
  mipstorm subscribers generate -n 1000 --seed 7 -o nodes.csv   the same file each time, for tests
  mipstorm subscribers import nodes.csv -o subscribers.lmdb     again after a change; then SIGHUP to the AAAH
  mipstorm subscribers export subscribers.lmdb -o nodes.csv

The CSV file has the header nai,mn_aaa_spi,mn_aaa_key,access_secret,class,location and mode 0600: it holds every secret.
Keys and access secrets are 128 random bits each (with --seed, of that number). The AAAH reads either format (subscribers = "nodes.csv" or
"subscribers.lmdb"); a million subscribers are read sooner from LMDB, and an import leaves those who were there before
where they are: their addresses do not change. mipstorm load reads CSV.
"""


def add_parser(subparsers: "_SubParsersAction[Any]") -> ArgumentParser:
    parser: ArgumentParser = subparsers.add_parser(
        "subscribers", help="make subscribers files", description="Makes subscribers files for the AAAH and the load.",
        epilog=EXAMPLES, formatter_class=RawDescriptionHelpFormatter)
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    generate = actions.add_parser("generate", help="new subscribers with random secrets, as CSV", epilog=EXAMPLES,
                                  formatter_class=RawDescriptionHelpFormatter, allow_abbrev=False)
    generate.add_argument("-n", "--nodes", type=values.count, required=True, metavar="N", help="how many")
    generate.add_argument("--realm", type=realm, default="home.example", metavar="NAME",
                          help="of their NAIs mn000000@NAME and so on (default: home.example)")
    generate.add_argument("--classes", type=names(subscribers_csv.MOST_CLASSES), default=["standard"], metavar="A,B",
                          help="subscription classes, dealt in turn (default: standard)")
    generate.add_argument("--locations", type=names(subscribers_csv.MOST_LOCATIONS), default=["nas-1"], metavar="A,B",
                          help="NAS-Identifiers that the load attaches them through, dealt in turn (default: nas-1)")
    generate.add_argument("--spi", type=spi, default=4096, metavar="N", help="SPI of their MN-AAA keys (default: 4096)")
    generate.add_argument("--seed", type=values.seed, metavar="N",
                          help="make the secrets of this number, the same ones each time; whoever knows it knows them: for "
                               "tests only (default: from the operating system)")
    generate.add_argument("-o", "--output", type=Path, required=True, metavar="FILE", help="the file, written anew")
    for name, source, does in (("import", "CSV", "make an LMDB file hold exactly the subscribers of a CSV file"),
                               ("export", "LMDB", "write the subscribers of an LMDB file as CSV")):
        action = actions.add_parser(name, help=does, epilog=EXAMPLES, formatter_class=RawDescriptionHelpFormatter,
                                    allow_abbrev=False)
        action.add_argument("source", type=Path, metavar=source, help="the file to read")
        action.add_argument("-o", "--output", type=Path, required=True, metavar="FILE", help="the file to write, mode 0600")
    return parser


def main(args: Namespace) -> int:
    try:
        return ACTIONS[args.action](args)
    except OSError as error:
        raise UsageError(f"{args.output}: cannot be written: {error.strerror}") from None
    except lmdb.Error as error:
        raise UsageError(f"cannot be written: {error}") from None


def generate(args: Namespace) -> int:
    made = subscribers_csv.generate(args.nodes, args.realm, args.classes, args.locations, args.spi, args.seed)
    subscribers_csv.write(made, args.output)
    return 0


def import_(args: Namespace) -> int:
    if args.output.suffix != ".lmdb":
        raise UsageError(f"{args.output}: an LMDB file of subscribers is named *.lmdb")
    print(f"{subscribers_lmdb.import_csv(args.source, args.output)} subscribers in {args.output}")
    return 0


def export(args: Namespace) -> int:
    print(f"{subscribers_lmdb.export_csv(args.source, args.output)} subscribers in {args.output}")
    return 0


ACTIONS: dict[str, Callable[[Namespace], int]] = {"generate": generate, "import": import_, "export": export}


def realm(text: str) -> str:
    if len(text) > 200 or not REALM.fullmatch(text):
        raise ArgumentTypeError(f"'{text}' is not a realm such as home.example")
    return text


def spi(text: str) -> int:
    return values.number(text, subscribers_csv.LOWEST_SPI, subscribers_csv.HIGHEST_SPI)


def names(most: int) -> Any:
    """A parser of at most so many names with commas between."""
    def parse(text: str) -> list[str]:
        found = text.split(",")
        if len(set(found)) != len(found) or not all(re.fullmatch(rf"[!-~]{{1,{LONGEST_NAME}}}", name) for name in found):
            raise ArgumentTypeError(f"'{text}' is not a list of different names, each of 1 to {LONGEST_NAME} printable "
                                    "characters, with commas between them")
        if len(found) > most:
            raise ArgumentTypeError(f"more than {most} names")
        return found
    return parse
