"""`mipstorm`: finds the command, and turns whatever goes wrong into one line and the right exit code."""
import os
import sys
import traceback
from argparse import ArgumentParser, RawDescriptionHelpFormatter
from collections.abc import Sequence
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from typing import Any, NoReturn

from loadgen.errors import UsageError
from servers.errors import ConfigurationError

COMMANDS = ("bench", "load", "up", "serve", "stats", "subscribers", "decode", "doctor")      # modules beside this one
INTERNAL, USAGE, INTERRUPTED = 1, 2, 130

DESCRIPTION = """\
Bootstraps Mobile IPv6 nodes through Mobile IPv4 networks: servers (AAAH, FHA) and a load generator for them.
"""
EPILOG = """\
start here:
  mipstorm bench          the whole chain on this machine, with 20 000 nodes
  mipstorm up             the same servers, to stay, for a client or server of yours to join
  mipstorm doctor         what this machine offers
  mipstorm COMMAND --help options and examples of a command
"""


class Parser(ArgumentParser):
    """Says what is wrong in one line, where argparse would print the whole usage."""

    def error(self, message: str) -> NoReturn:
        raise UsageError(f"{message} (see {self.prog} --help)")


def command_named(name: str) -> Any:
    return import_module(f"loadgen.cli.{name}")


def build_parser(commands: Sequence[str] = COMMANDS) -> Parser:
    """Of these commands: the one that is given is enough, and loads much faster than all of them."""
    parser = Parser(prog="mipstorm", description=DESCRIPTION, epilog=EPILOG, allow_abbrev=False,
                    formatter_class=RawDescriptionHelpFormatter)
    parser.add_argument("--version", action="version", version=f"mipstorm {installed_version()}")
    subparsers = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for command in commands:
        command_named(command).add_parser(subparsers).allow_abbrev = False
    return parser


def installed_version() -> str:
    try:
        return version("mipstorm")
    except PackageNotFoundError:
        return "(not installed)"


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs a command; returns the exit code."""
    claim_standard_streams()
    try:
        given = sys.argv[1:] if arguments is None else arguments
        args = build_parser(given[:1] if given and given[0] in COMMANDS else COMMANDS).parse_args(given)
        code = int(command_named(args.command).main(args))
        sys.stdout.flush()
        return code
    except ConfigurationError as error:
        print(f"mipstorm: {error}", file=sys.stderr)
        return USAGE
    except KeyboardInterrupt:
        print("mipstorm: interrupted", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:
        abandon_output()
        return INTERNAL
    except OSError as error:                                         # a full disk, no folder for temporary files
        abandon_output()
        print(f"mipstorm: {error.filename or 'the system'}: {error.strerror or error}", file=sys.stderr)
        return INTERNAL
    except Exception:
        traceback.print_exc()
        print("mipstorm: internal error (above); please report it", file=sys.stderr)
        return INTERNAL


def claim_standard_streams() -> None:
    """Those that are closed become /dev/null; or else the next file opened would be taken for them."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode))               # noqa: SIM115 - as long as the process lives


def abandon_output() -> None:
    """What standard output still holds cannot be written; the flush at exit must not fail again."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def run() -> NoReturn:
    """The entry point."""
    sys.exit(main())


if __name__ == "__main__":
    run()
