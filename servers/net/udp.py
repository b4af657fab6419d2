"""UDP sockets of a node on an event loop. Opening and closing is Python; what happens per wake-up is compiled."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import socket
from collections.abc import Sequence

from servers.net.mmsg import Socket
from servers.net.node import Node
from servers.net.pump import Pump
from servers.net.tape import Tape

BUFFER = 4 << 20
# Linux numbers that Python 3.11 has no names for.
IP_PKTINFO = 8
SO_SNDBUFFORCE, SO_RCVBUFFORCE = 32, 33
UDP_GRO = 104

REASONS = {
    errno.EADDRINUSE: "the port is in use",
    errno.EACCES: "ports below 1024 need root or CAP_NET_BIND_SERVICE",
    errno.EADDRNOTAVAIL: "this machine does not have the address",
}


class CannotListen(OSError):
    """A socket could not be bound; the message names address and port."""

    def __str__(self) -> str:
        return self.strerror or ""


def open_socket(
    address: str,
    port: int,
    *,
    index: int = 0,
    receive_buffer: int = BUFFER,
    send_buffer: int = BUFFER,
    reuse_port: bool = False,
    pktinfo: bool = False,
    gro: bool = False,
    gso: bool = False,
) -> Socket:
    """Binds a UDP socket for `index` among a node's sockets. Port 0: any free one, see `Socket.address`.

    `receive_buffer` and `send_buffer` are octets asked for; an ordinary user gets at most net.core.rmem_max and
    wmem_max (208 KiB on many machines). `Socket.receive_buffer` says what was granted. Raises CannotListen.
    """
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as made:
        made.setblocking(False)
        grant(made, SO_RCVBUFFORCE, socket.SO_RCVBUF, receive_buffer)
        grant(made, SO_SNDBUFFORCE, socket.SO_SNDBUF, send_buffer)
        if reuse_port:
            made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        if pktinfo:
            made.setsockopt(socket.IPPROTO_IP, IP_PKTINFO, 1)
        if gro:
            made.setsockopt(socket.IPPROTO_UDP, UDP_GRO, 1)
        try:
            made.bind((address, port))
        except OSError as error:
            reason = REASONS.get(error.errno or 0, error.strerror)
            raise CannotListen(error.errno, f"cannot listen on {address}:{port}: {reason}") from None
        bound = "{}:{}".format(*made.getsockname())
        granted = made.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF) // 2  # the kernel doubles what it is asked for
        return Socket(made.detach(), index, bound, gso=gso, gro=gro, pktinfo=pktinfo, receive_buffer=granted)


def grant(made: socket.socket, force: int, ask: int, octets: int) -> None:
    """Buffer size beyond the system's limit where we may, else up to it."""
    try:
        made.setsockopt(socket.SOL_SOCKET, force, octets)
    except PermissionError:
        made.setsockopt(socket.SOL_SOCKET, ask, octets)


class Driver:
    """Joins one node to its sockets on a running loop: one compiled call a wake-up.

    `wakers` are eventfds (non-blocking); when one is written, the node's `tick` runs. The driver owns the sockets and
    closes them; the wakers stay their maker's.
    """

    def __init__(
        self, node: Node, sockets: Sequence[Socket], loop: asyncio.AbstractEventLoop, *, wakers: Sequence[int] = (),
        tape: Tape | None = None,
    ) -> None:
        self.node = node
        self.sockets = tuple(sockets)
        self.pump = Pump(node, self.sockets, tape)
        self._loop = loop
        self._readers = [s.fileno() for s in self.sockets] + [self.pump.timer_fd(), *wakers]
        for s in self.sockets:
            loop.add_reader(s.fileno(), self.pump.on_readable, s.index)
        for fd in wakers:
            loop.add_reader(fd, self.pump.on_waker, fd)
        loop.add_reader(self.pump.timer_fd(), self.pump.on_timer)
        self.pump.on_timer()

    def close(self) -> None:
        """Takes in what has arrived, sends what is left, closes. Counters stay readable. May be called again."""
        if not self._readers:
            return
        for fd in self._readers:
            with contextlib.suppress(ValueError):  # a waker that its maker has closed already
                self._loop.remove_reader(fd)
        self._readers = []
        self.pump.drain()
        self.pump.close()
        for s in self.sockets:
            s.close()

    @property
    def drops(self) -> int:
        """Datagrams (on sockets with `gro`: runs) that the kernel dropped because a receive buffer was full."""
        return sum(s.drops for s in self.sockets)
