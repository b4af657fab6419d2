"""Servers that answer, but not as they should: the cause that is named is the true one."""
from __future__ import annotations

import hashlib
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from fastcodec import RadiusPacket
from loadgen import result as document
from loadgen.result import Result
from tests.e2e.places import SECRET, Place
from tests.e2e.processes import mipstorm

ACCESS_ACCEPT = 2
QUICK = ("-c", "10", "--timeout", "0.2", "--tries", "2")
Answer = Callable[[bytes], bytes]


def unsigned_accept(request: bytes) -> bytes:
    """RFC 2865 3, without a Message-Authenticator: what FreeRADIUS 3.2.1 sends."""
    head = bytes([ACCESS_ACCEPT, request[1], 0, 20])
    return head + hashlib.md5(head + request[4:20] + SECRET.encode()).digest()


def signed_accept(request: bytes) -> bytes:
    return RadiusPacket(ACCESS_ACCEPT, request[1], bytes(16), [("Framed-IP-Address", "127.64.0.1")]).encode(
        SECRET.encode(), request)


@contextmanager
def radius_server(answer: Answer, source: str | None = None) -> Iterator[tuple[str, str]]:
    """Answers every request until the end, from a socket of its own at `source` if that is given; yields where it listens
    and where it answers from."""
    listening = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    listening.bind(("127.0.0.1", 0))
    listening.settimeout(0.05)
    sending = listening
    if source:
        sending = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        sending.bind((source, 0))
    over = threading.Event()

    def serve() -> None:
        while not over.is_set():
            try:
                request, client = listening.recvfrom(4096)
            except TimeoutError:
                continue
            sending.sendto(answer(request), client)

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield "{}:{}".format(*listening.getsockname()), "{}:{}".format(*sending.getsockname())
    finally:
        over.set()
        thread.join()
        listening.close()
        sending.close()


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place.with_nodes(tmp_path, 20)


def loaded(place: Place, address: str, *more: str) -> tuple[int, Result, str]:
    done = mipstorm(place.folder, *place.load(address, None, *QUICK, *more), "--json", "-")
    result = document.decode(done.stdout.encode())
    assert document.arithmetic_faults(result) == []
    return done.returncode, result, " ".join(done.stderr.split())


def test_accepts_without_message_authenticator(place: Place) -> None:
    with radius_server(unsigned_accept) as (address, _):
        code, result, table = loaded(place, address)
        assert (code, result.bootstraps.timed_out, result.replies.unsigned) == (4, 20, 40)
        cause = ("40 RADIUS answers have no Message-Authenticator, which is demanded: give --message-authenticator auto, "
                 "or have the server send one (FreeRADIUS does from 3.2.5 on)")
        assert result.hint == cause
        assert f"likely cause {cause}" in table
        for advice in ("auto", "no"):                                # which helps
            code, result, _ = loaded(place, address, "--message-authenticator", advice)
            assert (code, result.bootstraps.succeeded, result.replies.unsigned) == (0, 20, 0)


def test_answers_from_another_port(place: Place) -> None:
    with radius_server(signed_accept, "127.0.0.1") as (address, source):
        code, result, table = loaded(place, address)
    assert (code, result.bootstraps.timed_out, result.packets.unmatched) == (4, 20, 40)
    assert result.replies.strays == {"access": document.Stray(count=40, source=source, asked=address)}
    cause = (f"40 answers came from another port: from {source}, though {address} was asked; a server has to answer from "
             "where it was asked (RFC 2865 section 3): let it, or ask it at its own address with --radius")
    assert result.hint == cause
    assert cause in table


def test_answers_from_another_address(place: Place) -> None:
    with radius_server(signed_accept, "127.0.0.9") as (address, source):
        _, result, _ = loaded(place, address)
    assert (result.hint or "").startswith(f"40 answers came from another address: from {source}, though {address} was asked")
