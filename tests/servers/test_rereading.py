"""What SIGHUP changes at an FHA, and what it says it cannot."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from servers.config import load_fha
from servers.config_example import example
from servers.errors import ConfigurationError
from servers.rereading import Rereading


class Told:
    """Stands for the role: keeps what it is told."""

    def __init__(self) -> None:
        self.servers: list[tuple[bytes, int, bytes]] = []
        self.keys: list[tuple[int, bytes, bytes]] = []
        self.limits: dict[str, Any] = {}

    def set_aaah(self, address: bytes, port: int, secret: bytes, **how: Any) -> None:
        self.servers.append((address, port, secret))

    def use_static_keys(self, keys: Any) -> None:
        self.keys = list(keys)

    def use_limits(self, **limits: Any) -> None:
        self.limits = limits


class File:
    def __init__(self, folder: Path) -> None:
        self.path, self.text, self.role = folder / "fha.toml", example("fha"), Told()
        self.write()
        self.rereading = Rereading(self.role, load_fha(self.path), self.path)

    def write(self, *changes: tuple[str, str], more: str = "") -> None:
        text = self.text
        for old, new in changes:
            assert text.count(old) == 1, old
            text = text.replace(old, new)
        self.path.write_text(text + more)
        self.path.chmod(0o600)

    def reread(self, *changes: tuple[str, str], more: str = "") -> str:
        self.write(*changes, more=more)
        return self.rereading()().removeprefix(f"{self.path}: ")


@pytest.fixture
def file(tmp_path: Path) -> File:
    return File(tmp_path)


def test_nothing_has_changed(file: File) -> None:
    assert file.reread() == "secrets of 1 servers, 0 static keys, limits"
    assert file.role.servers == [(b"\x7f\0\0\1", 1812, b"change-me-16-octets-at-least")]
    assert file.role.limits == {"max_lifetime_s": 1800, "window_s": 7, "strict": True, "nonces": False}


def test_what_changes(file: File) -> None:
    key = f'[[fha.static_key]]\nnai = "n\u00f6de@home.example"\nspi = 5000\nkey = "{"ab" * 16}"\n'
    said = file.reread(('"change-me-16-octets-at-least"', '"another one of enough octets"'),
                       ("max_lifetime_s = 1800", "max_lifetime_s = 60"),
                       ("identification_window_s = 7", "identification_window_s = 9"), ("strict = true", "strict = false"),
                       ('replay_protection = "timestamps"', 'replay_protection = "nonces"'), more=key)
    assert said == "secrets of 1 servers, 1 static keys, limits"
    assert file.role.servers[-1][2] == b"another one of enough octets"
    assert file.role.keys == [(5000, b"\xab" * 16, "n\u00f6de@home.example".encode())]
    assert file.role.limits == {"max_lifetime_s": 60, "window_s": 9, "strict": False, "nonces": True}


@pytest.mark.parametrize(("changes", "more", "what"), [
    ([('listen = "127.0.0.1:434" ', 'listen = "127.0.0.1:435" ')], "", "fha.listen"),
    ([("cool_down_s = 30                         # a freed", "cool_down_s = 31 # a freed")], "", "fha.pool"),
    ([("volatile = false", "volatile = true"), ("gso = true", "gso = false")], "", "fha.volatile, fha.gso"),
    ([('"127.0.0.1:1812"', '"127.0.0.1:1912"')], "", "fha.aaah"),
    ([], '[[fha.aaah]]\naddress = "127.0.0.9:1812"\nsecret = "a secret of enough octets"\n', "fha.aaah"),
    ([], '[log]\nformat = "json"\n[control]\nsocket = "x"\n[metrics]\nlisten = "127.0.0.1:0"\n', "log, control, metrics"),
])
def test_what_needs_a_restart_is_named(file: File, changes: list[tuple[str, str]], more: str, what: str) -> None:
    """And the rest is in use."""
    said = file.reread(*changes, ("max_lifetime_s = 1800", "max_lifetime_s = 60"), more=more)
    assert said.endswith(f"; needs a restart: {what}")
    assert file.role.limits["max_lifetime_s"] == 60
    assert {server[:2] for server in file.role.servers} <= {(b"\x7f\0\0\1", 1812)}, "one that is new is not asked"


@pytest.mark.parametrize(("changes", "more", "what"), [
    ([("strict = true", "strict = perhaps")], "", "is not TOML"),
    ([("max_lifetime_s = 1800", "max_lifetime_s = 0")], "", "fha.max_lifetime_s"),
    ([], "[[fha.static_key]]\nspi = 255\nkey = \"" + "ab" * 16 + '"\n', "fha.static_key[0].spi"),
    ([], '[[fha.static_key]]\nnai = "' + "\u00f6" * 127 + '"\nspi = 256\nkey = "' + "ab" * 16 + '"\n',
     "fha.static_key[0].nai: more than 253 octets"),
    ([], '[log]\nformat = "csv"\n', "log.format"),
])
def test_a_bad_file_changes_nothing(file: File, changes: list[tuple[str, str]], more: str, what: str) -> None:
    with pytest.raises(ConfigurationError) as refused:
        file.reread(*changes, ('"change-me-16-octets-at-least"', '"another one of enough octets"'), more=more)
    assert what in str(refused.value)
    assert (file.role.servers, file.role.limits) == ([], {})
