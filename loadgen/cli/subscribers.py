"""`mipstorm subscribers`: makes subscribers files."""
import re
from argparse import ArgumentParser, ArgumentTypeError, Namespace, RawDescriptionHelpFormatter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from loadgen.cli import values
from loadgen.errors import UsageError
from servers.tables import subscribers_csv

if TYPE_CHECKING:
    from argparse import _SubParsersAction

REALM = re.compile(r"[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?)*")  # RFC 4282 2.1
LONGEST_NAME = 64

EXAMPLES = """\
examples:
  mipstorm subscribers generate -n 1000 -o nodes.csv
  mipstorm subscribers generate -n 100000 --realm op.example --classes gold,standard --locations nas-1,nas-2 -o nodes.csv

The file has the header nai,mn_aaa_spi,mn_aaa_key,access_secret,class,location and mode 0600: it holds every secret.
Keys and access secrets are 128 random bits each. The AAAH reads it (subscribers = "nodes.csv"), and so does mipstorm load.
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
    generate.add_argument("-o", "--output", type=Path, required=True, metavar="FILE", help="the file, written anew")
    return parser


def main(args: Namespace) -> int:
    made = subscribers_csv.generate(args.nodes, args.realm, args.classes, args.locations, args.spi)
    try:
        subscribers_csv.write(made, args.output)
    except OSError as error:
        raise UsageError(f"{args.output}: cannot be written: {error.strerror}") from None
    return 0


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
