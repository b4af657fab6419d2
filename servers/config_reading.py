"""Reads TOML into checked structures; every mistake is one line with its place: FILE:LINE: KEY: what is wrong."""
import difflib
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from servers.config_lines import line_of
from servers.endpoint import Endpoint, parse_endpoint
from servers.errors import ConfigurationError
from servers.secrets_file import HexKey, Secret, checked, key_of_hex

Kind = TypeVar("Kind")


class Table(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """A TOML table: a key that is not a field is refused."""


def text_of(path: str | Path) -> str:
    try:
        return Path(path).read_text(encoding="utf-8")
    except OSError as error:
        raise ConfigurationError(f"{path}: cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise ConfigurationError(f"{path}: is not UTF-8 text") from None


def decoded(text: str, file: Path, into: type[Kind]) -> Kind:
    """The text as a checked structure; ConfigurationError is FILE:LINE: KEY: what is wrong."""
    try:
        return msgspec.convert(tomllib.loads(text), into, dec_hook=from_text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigurationError(f"{file}: is not TOML: {error}") from None
    except msgspec.ValidationError as error:
        raise fault(text, file, *explained(str(error))) from None


def from_text(kind: type[Any], value: Any) -> Any:
    """Values that TOML writes as strings. The ValueError of a constructor is shown with the key."""
    if not isinstance(value, str):
        raise ValueError("expected a string" if issubclass(kind, Secret) else f"expected a string, got {value!r}")
    if kind is Endpoint:
        return parse_endpoint(value)
    if kind is Secret:
        return checked(value.encode())
    if kind is HexKey:
        return key_of_hex(value)
    return kind(value)  # an address, a network, a path


def explained(message: str) -> tuple[str, str]:
    """Path of the key, and what is wrong, from a message of the decoder."""
    what, *paths = re.split(r" - at (?:`key` in )?`\$", message, maxsplit=1)
    path = "".join(paths).rstrip("`").lstrip(".")
    if named := re.match(r"Object (contains unknown|missing required) field `(.*)`", what):
        path = f"{path}.{named[2]}".lstrip(".")
        return path, "unknown key" + suggestion(path) if "unknown" in named[1] else "is missing"
    if what == "Expected `int` <= 1" and path.endswith("workers"):
        return path, "only 1 worker is supported"
    return path, (what[0].lower() + what[1:]).replace("`", "'")


def suggestion(path: str) -> str:
    """The known key that was probably meant."""
    names = {name for table in kinds_of(Table) for name in table.__struct_fields__}
    key = path.rpartition(".")[2]
    close = difflib.get_close_matches(key, sorted(names - {key}), 1)  # it may well be known, in another table
    return f" (did you mean '{close[0]}'?)" if close else ""


def kinds_of(table: type[Table]) -> Iterator[type[Table]]:
    for kind in table.__subclasses__():
        yield kind
        yield from kinds_of(kind)


def fault(text: str, file: Path, key: str, what: str) -> ConfigurationError:
    line = line_of(text, key)
    return ConfigurationError(f"{file}:{line}: {key}: {what}" if line else f"{file}: {key}: {what}")
