"""Joins a role to its sockets, its store and an event loop: the only place that knows all of them."""
from __future__ import annotations

import asyncio
import errno
import os
import resource
import sys
import time
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import IO, Any, Protocol

import uvloop

from servers import failpoint
from servers.config import Aaah, Fha, load_aaah, load_fha, load_operation, weaknesses
from servers.config_operation import Operation
from servers.engine.reasons import EVENTS
from servers.errors import ConfigurationError
from servers.figures import Figures, peak_resident_octets
from servers.home import Home
from servers.log import Log
from servers.net.mmsg import Socket
from servers.net.udp import BUFFER, CannotListen, open_socket
from servers.operation import Faces
from servers.pool.bitmap import SharedPool
from servers.rereading import Rereading, use_servers, use_static_keys
from servers.roles.fha import FhaRole
from servers.running import in_one_line, run
from servers.secrets_file import no_core_dumps
from servers.store.errors import StoreError
from servers.store.store import Compaction, Store
from servers.tables.replies import ReplyCache

CLIENT_PORTS = 32          # source ports of the FHA's RADIUS client, 256 identifiers each
EVENT_WINDOW_S, ORDERS_KEPT = 300, 16_384  # how old an order of an AAAH may be (RFC 5176 section 6.3), and how many in that time
FULL = (errno.ENOSPC, errno.EDQUOT)


class Role(Protocol):
    """What the running of a role needs of it."""

    def counters(self) -> dict[str, int]: ...


class Server:
    """A role with its sockets, ready to run: what `serve` and the tests start."""

    def __init__(self, name: str, role: Any, sockets: Sequence[Socket], store: Store | None) -> None:
        self.name, self.role, self.sockets, self.store = name, role, sockets, store
        # What SIGHUP does, in a thread: re-reads files; ConfigurationError: all stays as it was. What it returns puts them
        # into use, between two batches, and says in one line which.
        self.reread: Callable[[], Callable[[], str]] | None = None
        self.rereading = asyncio.Lock()
        # What no image keeps leaves the journals before they are removed; and whether it is time for that already.
        self.leave: Callable[[Compaction], Awaitable[Path | None]] | None = None
        self.is_due: Callable[[], bool] = lambda: False

    @property
    def address(self) -> str:
        return self.sockets[0].address

    def close(self) -> None:
        for made in self.sockets:
            made.close()
        if self.store:
            self.store.close()

    def use(self) -> dict[str, Any]:
        """The `servers` entry of a result document, and what the process holds."""
        traffic = [s.traffic for s in self.sockets]
        counted = self.role.counters()
        dropped = {reason: n for reason, n in counted.items() if reason not in EVENTS}
        drops = sum(s.drops for s in self.sockets)
        if drops:
            dropped["kernel_drops"] = drops
        spent = resource.getrusage(resource.RUSAGE_SELF)
        return {"processes": 1, "cpu_s": round(spent.ru_utime + spent.ru_stime, 3), "max_rss_bytes": peak_resident_octets(),
                "packets_in": sum(t["datagrams_in"] for t in traffic), "packets_out": sum(t["datagrams_out"] for t in traffic),
                "dropped": dropped, "events": {reason: n for reason, n in counted.items() if reason in EVENTS}}


# ---- AAAH ------------------------------------------------------------------------------------------------------------

def build_aaah(config: Aaah, receive_buffer: int | None = None) -> Server:
    """ConfigurationError, StoreError and OSError say in one line what is wrong."""
    home = Home(config, receive_buffer)
    server = Server("aaah", home.role, home.sockets, home.store)
    server.reread, server.leave, server.is_due = home.reread, home.leave, home.is_due
    return server


# ---- FHA -------------------------------------------------------------------------------------------------------------

def build_fha(config: Fha, receive_buffer: int | None = None) -> Server:
    """ConfigurationError, StoreError and OSError say in one line what is wrong."""
    own = config.home_agent
    store = Store(None if config.volatile else config.state, "fha")
    try:
        rows = store.load()
        pool, *others = [SharedPool(str(one.network), reserved=one.reserved, cool_down_s=one.cool_down_s)
                         for one in (config.pool, *config.pools)]
        now, wall = time.monotonic_ns(), time.time_ns()
        role = FhaRole(pool, store.journal, now=now, ports=CLIENT_PORTS, address=own.packed,
                       outside=max(config.assigned_addresses, len(rows)),
                       pools=[(one.name.encode(), made) for one, made in zip(config.pools, others, strict=True)],
                       ipv6_prefix=config.ipv6_prefix.network_address.packed,
                       ipv6_prefix_length=config.ipv6_prefix.prefixlen, identifier=config.nas_identifier.encode()[:64],
                       max_lifetime_s=config.max_lifetime_s,
                       window_s=config.identification_window_s, boot=int(time.time()) & 0xffffffff,
                       strict=config.strict, nonces=config.replay_protection == "nonces")
        use_servers(role, config.aaah)
        if config.dynamic_authorization:
            role.take_orders(ReplyCache(ORDERS_KEPT, inline_size=128, large=256, life_s=2 * EVENT_WINDOW_S))
        restore(role, rows, now, wall)
        use_static_keys(role, config.static_key)
        if store.directory is not None:
            store.compact(role.records(now, wall))
        sockets = fha_sockets(config, receive_buffer)
    except MemoryError:
        store.close()
        raise ConfigurationError(f"fha.pool.network: this machine has no memory for the leases of {config.pool.network}") from None
    except BaseException:
        store.close()
        raise
    return Server("fha", role, sockets, store)


def restore(role: FhaRole, rows: Sequence[tuple[int, bytes]], now: int, wall: int) -> None:
    """Everything that was acknowledged and has not expired; what is no lease is named, not dropped."""
    lost = sum(not role.restore(kind, payload, now, wall) for kind, payload in rows)
    if lost:
        raise ConfigurationError(f"fha.state: {lost} journal records are not leases of this server's; "
                                 "give it its own state folder, or an empty one")


def fha_sockets(config: Fha, receive_buffer: int | None) -> list[Socket]:
    listen, size = config.listen, receive_buffer or BUFFER
    sockets = [open_socket(str(listen.address), listen.port, pktinfo=listen.address.is_unspecified, receive_buffer=size)]
    try:
        for k in range(CLIENT_PORTS):
            sockets.append(open_socket(str(config.home_agent), 0, index=1 + k, gro=True, gso=config.gso, receive_buffer=size))
        if orders := config.dynamic_authorization:
            sockets.append(open_socket(str(orders.address), orders.port, index=1 + CLIENT_PORTS,
                                       pktinfo=orders.address.is_unspecified, receive_buffer=size))
    except OSError:
        for made in sockets:
            made.close()
        raise
    return sockets


# ---- running ---------------------------------------------------------------------------------------------------------

def serve(config: Aaah | Fha, report: IO[str] | None = None, receive_buffer: int | None = None,
          operation: Operation | None = None, file: str | Path | None = None) -> int:
    """Runs until SIGTERM or SIGINT, then drains; returns the exit code. `report` gets one JSON line when ready and one
    at the end (for whoever started this process); a person reads what happens on standard error. `file`: where the
    configuration came from, to be read again on SIGHUP."""
    no_core_dumps()
    operation = operation or Operation()
    log = Log(operation.log_format, "fha" if isinstance(config, Fha) else "aaah")
    arm_failpoint(log)
    for warning in weaknesses(config.aaah if isinstance(config, Fha) else config.client):
        log("weak_security", f"warning: {warning}", "warning")
    try:
        server = build_fha(config, receive_buffer) if isinstance(config, Fha) else build_aaah(config, receive_buffer)
    except (CannotListen, StoreError) as error:
        raise ConfigurationError(str(error)) from None
    except OSError as error:
        place = error.filename or (config.state if isinstance(config, Fha) and error.errno in FULL else None)
        raise ConfigurationError(f"{place}: {error.strerror}" if place else error.strerror or str(error)) from None
    if isinstance(config, Fha) and file:
        server.reread = Rereading(server.role, config, Path(file))
    try:
        faces = Faces(operation, Figures(server))
    except BaseException:
        server.close()
        raise
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(run(server, faces, log, report))


def arm_failpoint(log: Log) -> None:
    """What the environment asks for, if it is this process that is meant; never without a word."""
    try:
        if (text := os.environ.get(failpoint.VARIABLE)) and failpoint.arm(text, log.role):
            log("failpoint", f"warning: failpoint {text} is armed ({failpoint.VARIABLE}): this is a test", "warning", failpoint=text)
    except ValueError as error:
        raise ConfigurationError(f"{failpoint.VARIABLE}: {error}") from None


LOADERS: dict[str, Callable[[str | Path], Aaah | Fha]] = {"aaah": load_aaah, "fha": load_fha}


def child(arguments: Sequence[str]) -> int:
    """`python -m servers.app ROLE CONFIG RECEIVE_BUFFER`: how the supervisor starts a server; it reports on stdout."""
    role, config, receive_buffer = arguments
    log = Log(role=role)
    try:
        operation = load_operation(config)
        log.format = operation.log_format
        return serve(LOADERS[role](config), sys.stdout, int(receive_buffer) or None, operation, config)
    except ConfigurationError as error:
        log("configuration", str(error), "error")
        return 2
    except Exception as error:
        log("internal_error", f"internal error: {in_one_line(error)}", "error")
        return 1


if __name__ == "__main__":
    sys.exit(child(sys.argv[1:]))
