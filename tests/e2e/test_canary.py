"""Secrets leave nowhere: everything that servers and commands write is searched for every secret there is.

Only the files that are meant to hold them may, and those are the owner's alone (reliability M7).
"""
from __future__ import annotations

import base64
import hashlib
import hmac
import itertools
import os
import re
import signal
import socket
import stat
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest

from servers.tables import subscribers_csv
from servers.tables.subscribers_csv import Octets, Subscribers
from tests.e2e.by_hand import Message, registered_by_hand
from tests.e2e.places import Place
from tests.e2e.processes import MIPSTORM, Running, mipstorm, server

NODES = 8
SHARED = b"CANARYsharedBetweenThem7361"
SECRET = f'secret = "{SHARED.decode()}"'
WRONG = b"CANARYwrongSharedSecret9042"
STATIC = b"CANARYstaticKey55"
REPLY, REPLY_NONCE = 3, 43
PRIVATE = ("*.toml", "*.csv", "secret*", "fha-state/*", "aaah-state/*")      # meant to hold secrets


def subscribers() -> Subscribers:
    """Keys and access secrets that are easily recognised."""
    made = subscribers_csv.generate(NODES)
    return Subscribers(made.nai, made.spi, Octets.of([b"CANARYkey%07d" % k for k in range(NODES)]),
                       Octets.of([b"CANARYaccess%04d" % k for k in range(NODES)]), made.classes, made.class_index,
                       made.locations, made.location_index)


def derived_keys(messages: list[Message], keys: Octets) -> list[bytes]:
    """RFC 3957 5: HMAC-SHA1(MN-AAA key, nonce | NAI), from the Registration Replies as they passed by."""
    found = []
    for message in messages:
        if message.data[0] != REPLY or message.data[1] not in (0, 1):
            continue
        at, nai, nonce = 20, b"", b""
        while at < len(message.data):
            kind = message.data[at]
            if kind in (REPLY_NONCE, 36, 42):                            # long format: type, subtype, length of two octets
                length = 4 + int.from_bytes(message.data[at + 2:at + 4])
                if kind == REPLY_NONCE:
                    nonce = message.data[at + 20:at + length]
            elif kind == 38:                                             # CVSE: a reserved octet, length of two octets
                length = 4 + int.from_bytes(message.data[at + 2:at + 4])
            else:
                length = 2 + message.data[at + 1]
                if kind == 131:
                    nai = message.data[at + 2:at + length]
            at += length
        place = int(nai[2:8])
        found.append(hmac.new(keys[place], nonce + nai, hashlib.sha1).digest())
    return found


@dataclass
class Canary:
    """A secret in every form that a careless line might show it in."""

    secret: bytes
    patterns: list[bytes] = field(init=False)

    def __post_init__(self) -> None:
        hexadecimal = self.secret.hex()
        spaced = [sep.join(re.findall("..", hexadecimal)) for sep in ("", ":", " ", r"\x")]
        encoded = [base64.b64encode(bytes(lead) + self.secret)[4 * (lead > 0):-4] for lead in range(3)]
        self.patterns = [self.secret, *(p for text in spaced for p in (text.encode(), text.upper().encode())),
                         *encoded, *(e.replace(b"+", b"-").replace(b"/", b"_") for e in encoded), repr(self.secret)[2:-1].encode()]

    def within(self, octets: bytes) -> bool:
        return any(pattern in octets for pattern in self.patterns)


class Heap:
    """All that was written."""

    def __init__(self) -> None:
        self.texts: dict[str, bytes] = {}

    def add(self, name: str, *texts: str | bytes) -> None:
        for text in texts:
            self.texts[f"{len(self.texts)} {name}"] = text.encode() if isinstance(text, str) else text

    def run(self, folder: Path, *arguments: str) -> int:
        """A command to its end; what it said is kept."""
        done = mipstorm(folder, *arguments)
        self.add(" ".join(arguments), done.stdout, done.stderr)
        return done.returncode


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    """Both servers with all that they can write switched on."""
    monkeypatch.setattr("tests.e2e.by_hand.SECRET", SHARED.decode())
    made = Place(tmp_path, subscribers())
    subscribers_csv.write(made.subscribers, tmp_path / "subscribers.csv")
    made.private("policy.toml", '[[fha]]\naddress = "127.0.0.1"\n')
    made.private("secret", SHARED.decode() + "\n")
    made.private("secret-wrong", WRONG.decode() + "\n")
    return made


def watched(config: Path, role: str, form: str) -> Path:
    with config.open("a") as file:
        file.write(f'[log]\nformat = "{form}"\n[control]\nsocket = "{role}.control"\n')
        if role == "fha":
            file.write(f'[[fha.static_key]]\nspi = 5000\nkey = "{STATIC.hex()}"\n')
            file.write('[metrics]\nlisten = "127.0.0.1:0"\n')
    return config


def bad_traffic(messages: list[Message], servers: tuple[str, ...]) -> None:
    """Everything that nodes and servers said, again, cut and with octets changed, to both servers."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as out:
        for message, address in itertools.product(messages, servers):
            host, _, port = address.partition(":")
            for octets in (message.data, message.data[:-7], message.data[:-1] + b"\0", message.data[:24] + SHARED,
                           bytes([message.data[0]]) + message.data[5:] + b"CANARYkey0000001"):
                out.sendto(octets, (host, int(port)))


def misconfigured(folder: Path) -> Iterator[tuple[str, ...]]:
    """Commands that fail over files with secrets in them."""
    secret = f'"{SHARED.decode()}"'
    good = (folder / "aaah.toml").read_text()
    for k, text in enumerate((good.replace(secret, secret[:-1]), good.replace(secret, secret * 2), good.replace(secret, f"[{secret}]"),
                              good.replace("secret = ", "secert = "), good.replace("network = ", "netw = "),
                              good + f"[aaah.client]\nx = {secret}\n")):
        path = folder / f"bad{k}.toml"
        path.write_text(text)
        path.chmod(0o600)
        yield "serve", "aaah", "--config", path.name
    static = (folder / "fha.toml").read_text()
    for k, text in enumerate((static.replace(STATIC.hex(), STATIC.decode()), static.replace(STATIC.hex(), STATIC.hex() + "0"),
                              static.replace(STATIC.hex(), STATIC.hex() * 9), static.replace("key = ", "kay = "))):
        path = folder / f"static{k}.toml"
        path.write_text(text)
        path.chmod(0o600)
        yield "serve", "fha", "--config", path.name
    rows = (folder / "subscribers.csv").read_text()
    for k, text in enumerate((rows.replace(b"CANARYkey0000003".hex(), "CANARYkey0000003"), rows + rows.splitlines()[1] + "\n",
                              rows.replace("CANARYaccess0002", "CANARYaccess0002," * 3), rows.replace(",4096,", ",4,"),
                              rows.replace("CANARYaccess0002", '"CANARYaccess0002'))):
        path = folder / f"bad{k}.csv"
        path.write_text(text)
        path.chmod(0o600)
        yield ("load", "--radius", "127.0.0.1:9", "--secret-file", "secret", "--subscribers", path.name, "--steps", "access",
               "-c", "1")
    (folder / "secret-two").write_text(f"{SHARED.decode()}\n{WRONG.decode()}\n")
    (folder / "secret-two").chmod(0o600)
    yield "load", "--radius", "127.0.0.1:9", "--secret-file", "secret-two", "--subscribers", "subscribers.csv", "-c", "1"


@pytest.mark.parametrize("form", ["text", "json"])
def test_no_secret_is_written_but_where_it_belongs(place: Place, form: str) -> None:
    folder, heap = place.folder, Heap()
    keys = exercise(place, form, heap)
    assert len(keys) == NODES
    for arguments in (*misconfigured(folder), ()) if form == "text" else ():
        assert heap.run(folder, *arguments) == 2, arguments
    canaries = [Canary(s) for s in (SHARED, WRONG, STATIC, *place.subscribers.key, *place.subscribers.access_secret, *keys)]
    private = {path for pattern in PRIVATE for path in folder.glob(pattern)}
    for path in folder.rglob("*"):
        if path.is_file() and path not in private:
            heap.add(str(path.relative_to(folder)), path.read_bytes())
    assert sum(map(len, heap.texts.values())) > 10_000
    assert not [(name, c.secret) for name, text in heap.texts.items() for c in canaries if c.within(text)]
    for path in private:
        assert stat.S_IMODE(path.stat().st_mode) == 0o600, path
    meant = b"".join(path.read_bytes() for path in private)              # the search finds what is there
    assert all(c.within(meant) for c in canaries)


def exercise(place: Place, form: str, heap: Heap) -> list[bytes]:
    """Good and bad traffic with everything on; returns the keys that were derived."""
    folder = place.folder
    with ExitStack() as stack:
        aaah = stack.enter_context(server(folder, "aaah", watched(place.aaah(secret=SECRET), "aaah", form)))
        fha = stack.enter_context(server(folder, "fha", watched(place.fha(aaah.address, secret=SECRET), "fha", form)))
        messages = registered_by_hand(place, aaah.address, fha.address)
        assert heap.run(folder, *place.load(aaah.address, fha.address, "-c", "2", "-v", "--json", "result.json")) == 0
        wrong = [a if a != "secret" else "secret-wrong" for a in place.load(aaah.address, fha.address, "-c", "4", "--json", "-")]
        assert heap.run(folder, *wrong, "--timeout", "0.1", "--tries", "2") == 4
        bad_traffic(messages, (aaah.address, fha.address))
        os.kill(fha.pid, signal.SIGHUP)
        url = re.search(r"http://[\d.:]+/metrics", (folder / "fha.log").read_text())
        assert url
        with urllib.request.urlopen(url[0], timeout=5) as answer:
            heap.add("metrics", answer.read())
        for role in ("aaah", "fha"):
            for option in ((), ("--json",)):
                assert heap.run(folder, "stats", f"{role}.control", *option) == 0
        with Running(folder, [*MIPSTORM, "stats", "fha.control", "--watch", "0.5"]) as watching:
            assert watching.process.stdout is not None
            heap.add("stats --watch", *[watching.process.stdout.readline() for _ in range(30)])
        heap.add("reports", repr(fha.stop()), repr(aaah.stop()))
    assert "bad_message_authenticator" in (folder / "aaah.log").read_text()
    return derived_keys(messages, place.subscribers.key)


def test_the_search_finds_every_form() -> None:
    canary = Canary(np.random.default_rng(1).bytes(20))
    for lead in range(7):
        assert canary.within(b"x" + base64.b64encode(bytes(range(lead)) + canary.secret + b"tail"))
    assert canary.within(canary.secret.hex(":").upper().encode())
    assert canary.within(repr(b"a" + canary.secret).encode())
    assert not canary.within(b"x" * 1000)
