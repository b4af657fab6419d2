"""A small server for questions of an operator on the event loop of a server: everything a client can do has a bound."""
from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from dataclasses import dataclass
from typing import cast

MOST_CONNECTIONS = 16
LONGEST_QUESTION = 4096        # octets
MOST_UNREAD = 1 << 20          # octets of answers that a client has not taken
IDLE_S = 30.0


@dataclass(frozen=True)
class Output:
    octets: bytes
    last: bool = False         # the connection ends with it


class BoundedServer:
    """Answers questions that end with `mark`, in order. Owns the listening socket."""

    def __init__(self, listening: socket.socket, mark: bytes, answer: Callable[[bytes], Output]) -> None:
        self.listening, self.mark, self.answer = listening, mark, answer
        self.open: set[Connection] = set()
        self.refused = 0       # connections above the most, and those that broke a bound
        self.server: asyncio.Server | None = None

    async def start(self) -> None:
        loop = asyncio.get_running_loop()
        if self.listening.family == socket.AF_UNIX:
            self.server = await loop.create_unix_server(lambda: Connection(self), sock=self.listening)
        else:
            self.server = await loop.create_server(lambda: Connection(self), sock=self.listening)

    def close(self) -> None:
        if self.server:
            self.server.close()
        for connection in list(self.open):
            connection.abort()
        self.listening.close()


class Connection(asyncio.Protocol):
    """One client; aborted when it says too much, too little, or does not read."""

    def __init__(self, server: BoundedServer) -> None:
        self.server, self.heard = server, b""
        self.transport: asyncio.Transport | None = None
        self.timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)          # uvloop's is none by its class
        if len(self.server.open) >= MOST_CONNECTIONS:
            self.refuse()
            return
        self.server.open.add(self)
        self.wait()

    def data_received(self, data: bytes) -> None:
        assert self.transport is not None
        if self.transport.is_closing():
            return
        question, mark, rest = (self.heard + data).partition(self.server.mark)
        while mark:
            if len(question) > LONGEST_QUESTION or not self.reply(question):
                break
            question, mark, rest = rest.partition(self.server.mark)
        self.heard = question
        if len(question) > LONGEST_QUESTION:
            self.refuse()
        elif not self.transport.is_closing():
            self.wait()

    def reply(self, question: bytes) -> bool:
        """False: no further question of this client is answered."""
        assert self.transport is not None
        answer = self.server.answer(question)
        self.transport.write(answer.octets)
        if answer.last:
            self.transport.close()
        elif self.transport.get_write_buffer_size() > MOST_UNREAD:
            self.refuse()
        return not self.transport.is_closing()

    def wait(self) -> None:
        """Starts the idle time anew."""
        if self.timer:
            self.timer.cancel()
        self.timer = asyncio.get_running_loop().call_later(IDLE_S, self.abort)

    def refuse(self) -> None:
        self.server.refused += 1
        self.abort()

    def abort(self) -> None:
        assert self.transport is not None
        self.transport.abort()

    def connection_lost(self, error: Exception | None) -> None:
        self.server.open.discard(self)
        if self.timer:
            self.timer.cancel()
