"""Single packets that somebody hostile or broken might send: a table's line, and what is done with it. Each goes through
the decoder alone, through the role, and through a real socket. Whatever comes, nothing changes but one counter, and the
next good request is served."""

from __future__ import annotations

import asyncio
import os
import socket
import time
from collections.abc import Callable
from typing import Any, NamedTuple

import pytest
from desk import Desk, md5_mac
from holder import Holder
from world import AAAH, FHA, HOME_AGENT, HOME_PREFIX, NAS, PREFIX, SECRET, packed, table_of

from fastcodec import RadiusPacket, RegistrationRequest
from fastcodec.errors import DecodeError
from servers.net.udp import Driver, open_socket
from servers.pool.bitmap import SharedPool
from servers.roles.aaah import AaahRole
from servers.roles.fha import FhaRole
from servers.store.store import Store
from servers.tables.replies import ReplyCache

SILENT = None
LONGEST = 0.05 * float(os.environ.get("MIPSTORM_SLOWDOWN", "1"))  # seconds of this thread for one packet, whatever else the machine does
FIRST_NODE = 8  # of those that rows use at real sockets; the first one is for role and decoder


class Sender:
    """What a node, or the NAS on its behalf, sends; all that is not said is as it should be."""

    def __init__(self, desk: Desk, node: int) -> None:
        self.desk, self.node = desk, node
        self.nai, self.care_of = desk.columns.nai[node], desk.care_of(node)

    def rrq(self, **changes: Any) -> bytes:
        return self.desk.rrq(self.node, **changes)

    def open_rrq(self, **changes: Any) -> bytes:
        return self.desk.open_rrq(self.node, **changes)

    def access_request(self, **changes: Any) -> bytes:
        return self.desk.access_request(self.node, **changes)


Build = Callable[[Sender], bytes]
Seen = dict[str, Any]


class Row(NamedTuple):
    id: str
    what: str
    target: str  # "fha", "aaah", or "client": the FHA's RADIUS client
    build: Build
    counter: str = ""  # at the target, or several; "" when it is served
    decodes: bool = True  # whether the codec, without a key, takes it for a message
    code: int | None = SILENT  # of the one reply
    source: str = ""  # unusual address
    signed: bool | None = None  # whether the Registration Reply is, under a new key; None: not looked at
    says: Callable[[Any], bool] = lambda reply: True  # of the one reply, decoded
    port: int = 0  # unusual port; -1: port 0, which no socket can send from

    @property
    def name(self) -> str:
        return f"{self.id} {self.target} {self.what}"

    @property
    def is_sendable(self) -> bool:
        """By an ordinary socket."""
        return self.port >= 0 and self.source not in ("0.0.0.0", "255.255.255.255")


class Script(NamedTuple):
    """Several packets."""

    id: str
    what: str
    play: Callable[[], Seen]
    seen: Seen


def code_of(replies: list[bytes]) -> list[int]:
    return [reply[1] for reply in replies]


def tally(desk: Holder, *reasons: str) -> Seen:
    return {reason: desk.count(reason) for reason in reasons}


# ---- RADIUS by hand --------------------------------------------------------------------------------------------------

def sized(packet: bytes, length: int | None = None) -> bytes:
    """With this Length, or the true one."""
    return packet[:2] + (len(packet) if length is None else length).to_bytes(2, "big") + packet[4:]


def signed(packet: bytes) -> bytes:
    """Length and Message-Authenticator, which stands first, put right."""
    packet = sized(packet)
    blank = packet[:22] + bytes(16) + packet[38:]
    return packet[:22] + md5_mac(SECRET, blank) + packet[38:]


def with_attributes(octets: bytes) -> Build:
    return lambda s: signed(s.access_request() + octets)


def answer_nobody_asked_for() -> bytes:
    return RadiusPacket(2, 77, b"", [("Service-Type", 2)]).encode(SECRET, bytes(16))


# ---- the three ways ----------------------------------------------------------------------------------------------------

def counted(row: Row, aaah: dict[str, int], fha: dict[str, int]) -> dict[str, int]:
    """At the target, without what a good registration counts on the side."""
    counters = dict(aaah if row.target == "aaah" else fha)
    counters.pop("fha_unbound", None)
    return counters


def expected(row: Row) -> dict[str, int]:
    return dict.fromkeys(row.counter.split(), 1)


def check_replies(row: Row, desk: Desk, node: int, replies: list[bytes]) -> None:
    codes = [reply[1] if row.target == "fha" else reply[0] for reply in replies]
    assert codes == ([] if row.code is SILENT else [row.code])
    for octets in replies:
        if row.target == "fha":
            reply = desk.read(octets, node)
            assert row.signed is None or reply.is_signed == row.signed
            assert row.says(reply.message)
        else:
            assert row.says(RadiusPacket.decode(octets))


def through_decoder(row: Row) -> None:
    octets = row.build(Sender(Desk(), 0))
    kind = RegistrationRequest if row.target == "fha" else RadiusPacket
    started = time.thread_time()
    try:
        kind.decode(octets)
        decoded = True
    except DecodeError:
        decoded = False
    assert time.thread_time() - started < LONGEST
    assert decoded == row.decodes


def through_role(row: Row) -> None:
    desk = Desk()
    octets = row.build(Sender(desk, 0))
    started = time.thread_time()
    if row.target == "fha":
        source = (row.source or desk.care_of(0), max(row.port, 0) if row.port else 5001)
        replies = desk.send(octets, source=source)
    elif row.target == "aaah":
        replies = desk.ask_aaah(octets, (row.source or NAS, 40999))
    else:
        replies = desk.exchange((AAAH, 1812), (FHA, 30001), octets, (FHA, 30001))
    assert time.thread_time() - started < LONGEST
    check_replies(row, desk, 0, replies)
    assert counted(row, desk.aaah.counters(), desk.fha.counters()) == expected(row)
    if row.target != "fha" or row.code not in (0, 1):
        assert desk.kept() == ({}, 0)
    assert desk.ask(3).code == 0


def through_socket(row: Row, live: SocketDesk, node: int) -> None:
    """A good request follows on the same path: when it is answered, the bad one has been dealt with. Each row has a node
    and NAS addresses of its own, so that no budget is shared and a port used again is no duplicate."""
    sources = {"fha": row.source or live.care_of(node), "aaah": row.source or f"127.0.1.{node - FIRST_NODE}", "client": AAAH}
    ports = {"fha": (FHA, live.fha_port), "aaah": (AAAH, live.aaah_port), "client": (FHA, live.client_port)}
    before = counted(row, live.real_aaah.counters(), live.real_fha.counters())
    leases = len(live.real_fha.leases())
    with live.post(sources[row.target], ports[row.target], row.build(Sender(live, node)), row.port) as sender:
        replies = [live.receive(sender)] if row.code is not SILENT else []
        assert live.is_let_in(node) if row.target == "aaah" else live.registers(node)
        with pytest.raises(BlockingIOError):
            sender.recv(4096)
    check_replies(row, live, node, replies)
    after = counted(row, live.real_aaah.counters(), live.real_fha.counters())
    assert difference(after, before) == expected(row)
    if row.target == "fha" and row.code not in (0, 1):
        assert len(live.real_fha.leases()) == leases + 1  # the good one's
    assert live.real_fha.under_way == 0


def difference(after: dict[str, int], before: dict[str, int]) -> dict[str, int]:
    return {name: n - before.get(name, 0) for name, n in after.items() if n != before.get(name, 0)}


class SocketDesk(Desk):
    """AAAH and FHA behind loopback sockets with ports of the system's choice, in real time."""

    def __init__(self, nodes: int) -> None:
        super().__init__(nodes, pool="198.18.0.0/22")
        self.loop = asyncio.new_event_loop()
        self.real_aaah = AaahRole(table_of(self.columns), ReplyCache(), care_of_network=packed("127.64.0.0"),
                                  care_of_size=1 << 22, ipv6_home_prefix=packed(HOME_PREFIX), home_agent=packed(HOME_AGENT))
        self.real_aaah.add_client(packed("127.0.0.0"), 9, SECRET)
        self.real_aaah.add_fha(packed(FHA))
        (aaah_socket,) = sockets = [open_socket(AAAH, 0)]
        self.aaah_driver = Driver(self.real_aaah, sockets, self.loop)
        self.aaah_port = int(aaah_socket.address.split(":")[1])
        self.real_store = Store(None, "abuse")
        self.real_store.load()
        self.real_pool = SharedPool("198.18.0.0/22")
        self.real_fha = FhaRole(self.real_pool, self.real_store.journal, now=time.monotonic_ns(), ports=1,
                                address=packed(FHA), ipv6_prefix=packed(PREFIX))
        self.real_fha.set_aaah(packed(AAAH), self.aaah_port, SECRET)
        fha_sockets = [open_socket(FHA, 0, index=0, pktinfo=True), open_socket(FHA, 0, index=1)]
        self.fha_port, self.client_port = (int(s.address.split(":")[1]) for s in fha_sockets)
        self.fha_driver = Driver(self.real_fha, fha_sockets, self.loop)

    def wall(self) -> int:
        return time.time_ns()

    def close(self) -> None:
        self.fha_driver.close()
        self.aaah_driver.close()
        self.loop.close()

    def post(self, source: str, to: tuple[str, int], data: bytes, sender_port: int = 0) -> socket.socket:
        sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        sender.setblocking(False)
        sender.bind((source, sender_port))
        sender.sendto(data, to)
        return sender

    def receive(self, sender: socket.socket) -> bytes:
        """The next datagram, within two seconds."""
        return self.loop.run_until_complete(asyncio.wait_for(self.loop.sock_recv(sender, 65535), 2))

    def registers(self, node: int) -> bool:
        with self.post(self.care_of(node), (FHA, self.fha_port), self.rrq(node)) as sender:
            return self.read(self.receive(sender), node).code == 0

    def is_let_in(self, node: int) -> bool:
        with self.post(f"127.0.2.{node - FIRST_NODE}", (AAAH, self.aaah_port), self.access_request(node)) as sender:
            return self.receive(sender)[0] == 2
