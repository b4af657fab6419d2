"""`mipstorm serve ROLE`: one server, from its configuration file."""
from argparse import ArgumentParser, Namespace, RawDescriptionHelpFormatter
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from loadgen.errors import UsageError
from servers.config import load_aaah, load_fha, load_operation
from servers.config_example import example
from servers.unit import example_unit

if TYPE_CHECKING:
    from argparse import _SubParsersAction

EXAMPLES = """\
examples:
  mipstorm serve aaah --example-config > aaah.toml && chmod 600 aaah.toml
  mipstorm serve aaah --config aaah.toml
  mipstorm serve fha --config fha.toml --log-format json
  mipstorm serve fha --example-unit > /etc/systemd/system/mipstorm-fha.service

signals: SIGTERM and Ctrl-C let replies under way leave, then end; SIGHUP re-reads what can be re-read and logs what that was
"""


def add_parser(subparsers: "_SubParsersAction[Any]") -> ArgumentParser:
    parser: ArgumentParser = subparsers.add_parser(
        "serve", help="run one server in the foreground",
        description="Runs one server in the foreground until it is interrupted: aaah is the home operator's RADIUS "
                    "server, fha the foreign home agent. It logs to standard error, one event a line.",
        epilog=EXAMPLES, formatter_class=RawDescriptionHelpFormatter)
    parser.add_argument("role", choices=("aaah", "fha"), help="which server")
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--config", metavar="FILE", help="its configuration, TOML")
    what.add_argument("--example-config", action="store_true",
                      help="print a complete configuration with comments, and exit")
    what.add_argument("--example-unit", action="store_true",
                      help="print a hardened systemd unit that runs it as an ordinary user, and exit")
    parser.add_argument("--log-format", choices=("text", "json"), help="instead of what the configuration says (text)")
    return parser


def main(args: Namespace) -> int:
    if args.example_config or args.example_unit:
        print(example(args.role) if args.example_config else example_unit(args.role), end="")
        return 0
    if not args.config:
        raise UsageError("--config needs the name of a file")
    operation = load_operation(args.config)
    if args.log_format:
        operation = replace(operation, log_format=args.log_format)
    config = load_fha(args.config) if args.role == "fha" else load_aaah(args.config)
    from servers.app import serve

    return int(serve(config, operation=operation, file=args.config))
