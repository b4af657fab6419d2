"""`mipstorm serve ROLE`: one server, from its configuration file."""
from argparse import ArgumentParser, Namespace, RawDescriptionHelpFormatter
from typing import TYPE_CHECKING, Any

from loadgen.errors import UsageError
from servers.config import load_aaah, load_fha
from servers.config_example import example

if TYPE_CHECKING:
    from argparse import _SubParsersAction

EXAMPLES = """\
examples:
  mipstorm serve aaah --example-config > aaah.toml && chmod 600 aaah.toml
  mipstorm serve aaah --config aaah.toml
  mipstorm serve fha --config fha.toml
"""


def add_parser(subparsers: "_SubParsersAction[Any]") -> ArgumentParser:
    parser: ArgumentParser = subparsers.add_parser(
        "serve", help="run one server in the foreground",
        description="Runs one server in the foreground until it is interrupted: aaah is the home operator's RADIUS "
                    "server, fha the foreign home agent.",
        epilog=EXAMPLES, formatter_class=RawDescriptionHelpFormatter)
    parser.add_argument("role", choices=("aaah", "fha"), help="which server")
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--config", metavar="FILE", help="its configuration, TOML")
    what.add_argument("--example-config", action="store_true",
                      help="print a complete configuration with comments, and exit")
    return parser


def main(args: Namespace) -> int:
    if args.example_config:
        print(example(args.role), end="")
        return 0
    if not args.config:
        raise UsageError("--config needs the name of a file")
    config = load_fha(args.config) if args.role == "fha" else load_aaah(args.config)
    from servers.app import serve

    return int(serve(config))
