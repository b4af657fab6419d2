"""What the generator refuses to do, and answers that it must not believe, one row each, through the command line."""

from __future__ import annotations

import json
import re
import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from fastcodec import RadiusPacket, RegistrationReply, RegistrationRequest
from servers.tables import subscribers_csv

SECRET = b"a secret of some length"
NODES = 5
ENOUGH_S = 60
Answer = Callable[[bytes, socket.socket, socket.socket, Any], None]  # question, the server's socket, another one, who asked


class Row(NamedTuple):
    id: str
    what: str
    options: tuple[str, ...]
    answer: Answer | None = None  # of a server that is there
    says: str = ""  # pattern for the one line that it is refused with, exit code 2
    counted: str = ""  # under what each answer is counted, if it is not believed


# ---- servers ---------------------------------------------------------------------------------------------------------

def reject(question: bytes) -> bytes:
    return RadiusPacket(3, question[1], b"", []).encode(SECRET, question[4:20])


def refusal(question: bytes, change: int = 0) -> bytes:
    """129 with the request's Identification, or another one."""
    asked = RegistrationRequest.decode(question)
    return RegistrationReply(129, 0, asked.home_address, asked.home_agent, asked.identification ^ change,
                             [e for e in asked.extensions if type(e).__name__ == "Nai"]).encode()


def right(question: bytes, own: socket.socket, other: socket.socket, peer: Any) -> None:
    own.sendto(reject(question), peer)


def from_another_port(question: bytes, own: socket.socket, other: socket.socket, peer: Any) -> None:
    other.sendto(reject(question) if question[0] == 1 and len(question) > 20 and question[20] == 80 else refusal(question), peer)


def with_another_id(question: bytes, own: socket.socket, other: socket.socket, peer: Any) -> None:
    changed = bytes((question[0], question[1] ^ 0x80)) + question[2:]
    own.sendto(reject(changed), peer)


def with_another_identification(question: bytes, own: socket.socket, other: socket.socket, peer: Any) -> None:
    own.sendto(refusal(question, 1 << 31), peer)


def with_60_000_octets(question: bytes, own: socket.socket, other: socket.socket, peer: Any) -> None:
    own.sendto(reject(question) + bytes(60_000 - 38), peer)


def reply_of_60_000_octets(question: bytes, own: socket.socket, other: socket.socket, peer: Any) -> None:
    answer = refusal(question)
    own.sendto(answer + bytes(60_000 - len(answer)), peer)


class Server:
    """Answers everything in its own way until the end of the block; `asked` counts."""

    def __init__(self, answer: Answer) -> None:
        self.answer, self.asked = answer, 0
        self.own, self.other = (socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(2))
        for made in (self.own, self.other):
            made.bind(("127.0.0.1", 0))
        self.thread = threading.Thread(target=self.run)

    def run(self) -> None:
        while (question := self.own.recvfrom(65_535))[0]:
            if question[0][0] == 1:  # not the probe that looks for the cause when nobody was right
                self.asked += 1
                self.answer(question[0], self.own, self.other, question[1])

    def __enter__(self) -> Server:
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.other.sendto(b"", self.own.getsockname())
        self.thread.join()
        self.own.close()
        self.other.close()

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.own.getsockname()[1]}"


# ---- the table -------------------------------------------------------------------------------------------------------

def rate(per_second: str, seconds: str, most: str) -> tuple[str, ...]:
    return ("--radius", "127.0.0.1:1812", "--steps", "access", "-r", per_second, "-d", seconds, "--max-packets", most)


ACCESS = ("--radius", "SERVER", "--steps", "access", "-c", "5", "--tries", "1", "--timeout", "0.3")
REGISTRATION = ("--mip4", "SERVER", "--steps", "registration", "-c", "5", "--tries", "1", "--timeout", "0.3")
OFF_LOOPBACK = "192.0.2.1:{} is not on loopback; if that network is yours, add --i-own-this-network$"
TABLE = [
    Row("A53", "an AAAH off loopback", ("--radius", "192.0.2.1:1812", "--steps", "access", "-c", "1"),
        says=OFF_LOOPBACK.format(1812)),
    Row("A53", "an FHA off loopback", ("--mip4", "192.0.2.1:434", "--steps", "registration", "-c", "1"),
        says=OFF_LOOPBACK.format(434)),
    Row("A53", "a second AAAH off loopback", (
        "--radius", "127.0.0.1:1812", "--radius", "192.0.2.1:1812", "--steps", "access", "-c", "1"), says=OFF_LOOPBACK.format(1812)),
    Row("A53", "broadcast, whoever owns it", (
        "--radius", "255.255.255.255:1812", "--steps", "access", "-c", "1", "--i-own-this-network"), says="no address of a server"),
    Row("A54", "the answer that was asked for", ACCESS, right),
    Row("A54", "from another port", ACCESS, from_another_port, counted="unmatched"),
    Row("A54", "with another identifier", ACCESS, with_another_id, counted="unmatched"),
    Row("A54", "with 60 000 octets", ACCESS, with_60_000_octets, counted="malformed"),
    Row("A54", "registration reply from another port", REGISTRATION, from_another_port, counted="unmatched"),
    Row("A54", "registration reply with another Identification", REGISTRATION, with_another_identification, counted="unmatched"),
    Row("A54", "registration reply with 60 000 octets", REGISTRATION, reply_of_60_000_octets, counted="malformed"),
    Row("A55", "rate x time", rate("1000", "3600", "3599999"),
        says="3600000 bootstraps are 3600000 packets and more; --max-packets allows 3599999$"),
    Row("A55", "nodes", ("--radius", "127.0.0.1:1812", "--mip4", "127.0.0.1:434", "-r", "5", "--max-packets", "9"),
        says="5 bootstraps are 10 packets and more; --max-packets allows 9$"),
    Row("A55", "as many as are allowed without a word", rate("1000000", "1000", "999999999"),
        says="1000000000 packets and more; --max-packets allows 999999999$"),
]


@pytest.mark.parametrize("row", TABLE, ids=[f"{row.id} {row.what}" for row in TABLE])
def test_generator(tmp_path: Path, row: Row) -> None:
    if row.answer is None:
        done = run(tmp_path, row.options)
        assert (done.returncode, done.stdout) == (2, "")
        assert re.fullmatch(r"mipstorm: [^\n]*\n", done.stderr)
        assert re.search(row.says, done.stderr)
        return
    with Server(row.answer) as server:
        done = run(tmp_path, tuple(server.address if word == "SERVER" else word for word in row.options))
    result = json.loads(done.stdout)
    assert done.returncode == 4, done.stderr  # no bootstrap has succeeded
    assert (result["bootstraps"]["attempted"], result["bootstraps"]["succeeded"]) == (NODES, 0)
    assert server.asked == NODES
    if not row.counted:
        assert result["bootstraps"]["failed"] == NODES
        return
    assert result["bootstraps"]["timed_out"] == NODES
    odd = {name: n for name, n in result["packets"].items() if name not in ("sent", "received") and n}
    assert odd == {row.counted: NODES}


def run(folder: Path, options: tuple[str, ...]) -> subprocess.CompletedProcess[str]:
    secret, csv = folder / "secret", folder / "nodes.csv"
    secret.write_bytes(SECRET)
    secret.chmod(0o600)
    subscribers_csv.write(subscribers_csv.generate(NODES), csv)
    files = ["--subscribers", str(csv), *(["--secret-file", str(secret)] if "--radius" in options else [])]
    return subprocess.run([sys.executable, "-m", "loadgen.cli.main", "load", *options, *files, "--json", "-"],
                          capture_output=True, text=True, timeout=ENOUGH_S, check=False, stdin=subprocess.DEVNULL)
