"""Peers from the distribution, and our servers as processes of their own: started on free ports, ended by their pid."""
from __future__ import annotations

import hashlib
import hmac
import json
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from benchmarks import freeradius as configuration
from benchmarks.rounds import Unavailable
from fastcodec.dictionary import SHIPPED
from servers.endpoint import Endpoint
from servers.supervisor import Child
from servers.tables import subscribers_csv
from servers.tables.subscribers_csv import Subscribers

SECRET = b"a secret that both sides have"
READY_S = 8.0
STATUS_SERVER = 12

def program(name: str) -> str:
    """Its path, or the test is skipped with the reason."""
    found = shutil.which(name, path=os.environ["PATH"] + ":/usr/sbin:/usr/bin")
    if not found:
        pytest.skip(f"{name} is not installed: apt-get install freeradius freeradius-utils tshark")
    return found


def free_port() -> int:
    """Free a moment ago on 127.0.0.1."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


# ---- FreeRADIUS ----------------------------------------------------------------------------------------------------------

@contextmanager
def freeradius(folder: Path, users: str) -> Iterator[int]:
    """A FreeRADIUS of the test's own with these users (format of its `files` module) and our dictionary; its port."""
    with freeradius_process(folder, users) as (_, port):
        yield port


@contextmanager
def freeradius_process(folder: Path, users: str) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    port, own = free_port(), folder / "freeradius"
    try:
        binary = configuration.program()
        configuration.configure(own, port, SECRET.decode(), users, status_server=True, signed=False)
    except Unavailable as missing:
        pytest.skip(str(missing))
    (own / "dictionary").write_text(f"$INCLUDE /usr/share/freeradius/dictionary\n$INCLUDE {SHIPPED}/dictionary.mipstorm\n")
    with (own / "log").open("wb") as log:
        process = subprocess.Popen([binary, "-f", "-s", "-d", str(own), "-D", str(own)], stdout=log, stderr=log,
                                   stdin=subprocess.DEVNULL)
    try:
        await_status(("127.0.0.1", port), process, own / "log")
        yield process, port
    finally:
        process.terminate()
        process.wait(5)


def await_status(address: tuple[str, int], process: subprocess.Popen[bytes], log: Path) -> None:
    """It is ready when it answers Status-Server, RFC 5997."""
    deadline = time.monotonic() + READY_S
    while time.monotonic() < deadline and process.poll() is None:
        if answers(address, [status_server()], 0.2)[0]:
            return
    raise AssertionError(f"FreeRADIUS did not start: {log.read_text(errors='replace')[-2000:]}")


# ---- our servers ---------------------------------------------------------------------------------------------------------

def private(path: Path, text: str) -> Path:
    path.write_text(text)
    path.chmod(0o600)
    return path


def subscribers(folder: Path, nodes: int) -> Subscribers:
    made = subscribers_csv.generate(nodes)
    subscribers_csv.write(made, folder / "subscribers.csv")
    return made


@contextmanager
def started(role: str, config: Path) -> Iterator[Child]:
    """`serve ROLE` as a process."""
    child = Child(role, config, config.with_suffix(".log"))
    try:
        child.wait_ready()
        yield child
    finally:
        child.stop()


@contextmanager
def ours(role: str, config: Path) -> Iterator[Endpoint]:
    """`serve ROLE`; the address it listens on."""
    with started(role, config) as child:
        assert child.endpoint is not None
        yield child.endpoint


AAAH = f"""[aaah]
listen = "127.0.0.1:0"
volatile = true
subscribers = "subscribers.csv"
policy = "policy.toml"
{{more}}
[[aaah.client]]
network = "127.0.0.0/9"
secret = "{SECRET.decode()}"
{{client}}
"""


@contextmanager
def aaah(folder: Path, more: str = "", client: str = "") -> Iterator[Endpoint]:
    """Our AAAH as `aaah_config` has it; the address it listens on."""
    with ours("aaah", aaah_config(folder, "aaah.toml", more, client)) as endpoint:
        yield endpoint


def aaah_config(folder: Path, name: str, more: str = "", client: str = "") -> Path:
    """With the folder's subscribers, FHA 127.0.0.1, and what else the tables [aaah] and its client shall hold."""
    private(folder / "policy.toml", '[[fha]]\naddress = "127.0.0.1"\n')
    return private(folder / name, AAAH.format(more=more, client=client))


MIPSTORM = (sys.executable, "-m", "loadgen.cli.main")
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(Path(subscribers_csv.__file__).parents[2])}


def mipstorm(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """The command, in the folder, to its end."""
    return subprocess.run([*MIPSTORM, *arguments], cwd=folder, capture_output=True, text=True, timeout=30, check=False,
                          env=ENVIRONMENT)


# ---- RADIUS by hand ------------------------------------------------------------------------------------------------------

def attribute(kind: int, value: bytes) -> bytes:
    return bytes((kind, 2 + len(value))) + value


def request(attributes: bytes, *, code: int = 1, signed: bool = True, secret: bytes = SECRET, identifier: int | None = None,
            authenticator: bytes | None = None) -> bytes:
    """A request, Message-Authenticator first unless it shall have none (RFC 3579 3.2)."""
    if signed:
        attributes = attribute(80, bytes(16)) + attributes
    packet = bytes((code, os.urandom(1)[0] if identifier is None else identifier)) + (20 + len(attributes)).to_bytes(2, "big")
    packet += (authenticator or os.urandom(16)) + attributes
    if signed:
        packet = packet[:22] + hmac.new(secret, packet, hashlib.md5).digest() + packet[38:]
    return packet


def status_server() -> bytes:
    return request(b"", code=STATUS_SERVER)


def is_answer(answer: bytes, question: bytes, secret: bytes = SECRET) -> bool:
    """RFC 2865 3: identifier and Response Authenticator."""
    wanted = hashlib.md5(answer[:4] + question[4:20] + answer[20:] + secret).digest()
    return answer[1] == question[1] and answer[4:20] == wanted


def answers(to: tuple[str, int], questions: Sequence[bytes], seconds: float) -> list[bytes]:
    """The answer to each, empty when there was none in time; each leaves from a socket of its own."""
    sockets = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in questions]
    got: list[bytes] = []
    try:
        for made, question in zip(sockets, questions, strict=True):
            made.bind(("127.0.0.1", 0))
            made.connect(to)
            made.send(question)
        deadline = time.monotonic() + seconds
        for made in sockets:
            made.settimeout(max(deadline - time.monotonic(), 0.001))
            try:
                got.append(made.recv(65535))
            except OSError:
                got.append(b"")
    finally:
        for made in sockets:
            made.close()
    return got


def document(done: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    """The result document that a load wrote to standard output."""
    assert done.stdout, done.stderr
    return dict(json.loads(done.stdout))
