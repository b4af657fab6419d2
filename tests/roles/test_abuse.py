"""Single packets that somebody hostile or broken might send, one row each: through the decoder alone, through the role,
and through a real socket. Whatever comes, nothing changes but one counter, and the next good request is served.

The cases that need several packets stand where their state is tested: foreign and second answers (A34) and identifiers
(A37) in test_fha_client.py, conflicting duplicates (A38) in test_aaah_packets.py.
"""

from __future__ import annotations

import asyncio
import os
import socket
import time
from collections.abc import Callable, Iterator
from typing import NamedTuple

import pytest
from desk import Desk, md5_mac, nai_extension
from world import AAAH, FHA, HOME_AGENT, HOME_PREFIX, NAS, PREFIX, SECRET, packed, table_of

from fastcodec import RadiusPacket, RegistrationRequest
from fastcodec.errors import DecodeError
from servers.net.udp import Driver, open_socket
from servers.pool.bitmap import SharedPool
from servers.roles.aaah import AaahRole
from servers.roles.fha import FhaRole
from servers.store.store import Store
from servers.tables.replies import ReplyCache

Build = Callable[[Desk], bytes]
SILENT = None


class Row(NamedTuple):
    id: str
    what: str
    target: str  # "fha", "aaah", or "client": the FHA's RADIUS client
    build: Build
    counter: str  # at the target; "" when it is served
    decodes: bool  # whether the codec, without a key, takes it for a message
    code: int | None = SILENT  # of the one reply
    source: str = ""  # unusual address


def rrq_row(id: str, what: str, build: Build, counter: str, decodes: bool = False, code: int | None = SILENT) -> Row:
    return Row(id, what, "fha", build, counter, decodes, code)


def aaah_row(id: str, what: str, build: Build, counter: str, decodes: bool = False, code: int | None = SILENT,
             source: str = "") -> Row:
    return Row(id, what, "aaah", build, counter, decodes, code, source)


def sized(packet: bytes, length: int | None = None) -> bytes:
    """With this Length, or the true one."""
    return packet[:2] + (len(packet) if length is None else length).to_bytes(2, "big") + packet[4:]


def signed(packet: bytes) -> bytes:
    """Length and Message-Authenticator, which stands first, put right."""
    packet = sized(packet)
    blank = packet[:22] + bytes(16) + packet[38:]
    return packet[:22] + md5_mac(SECRET, blank) + packet[38:]


def with_attributes(octets: bytes) -> Build:
    return lambda d: signed(d.access_request() + octets)


def vsa(inner: bytes) -> bytes:
    return bytes((26, 6 + len(inner))) + (32473).to_bytes(4, "big") + inner


def authenticator_of(octets: int) -> Build:
    """The proof says how long its authenticator is, and says the truth."""
    def build(desk: Desk) -> bytes:
        covered = desk.rrq()[:-16]
        at = len(covered) - 8
        return covered[:at + 2] + (4 + octets).to_bytes(2, "big") + covered[at + 4:] + os.urandom(octets)
    return build


def long_extension(desk: Desk) -> bytes:
    return desk.open_rrq() + b"\x24\x01\xff\xff\x00\x00\x10\x00" + bytes(100)


def answer_nobody_asked_for(desk: Desk) -> bytes:
    return RadiusPacket(2, 77, b"", [("Service-Type", 2)]).encode(SECRET, bytes(16))


ROWS = [
    *[rrq_row("A1", f"{n} octets", lambda d, n=n: d.rrq()[:n], "too_short") for n in (0, 1, 23)],
    rrq_row("A1", "random octets", lambda d: b"\x99" + os.urandom(99), "wrong_type"),
    *[rrq_row("A2", f"type {k}", lambda d, k=k: d.rrq(kind=k), "wrong_type") for k in (0, 2, 3, 4, 7, 16, 128, 255)],
    rrq_row("A2", "type 15, which has another fixed part", lambda d: b"\x0f" + d.rrq()[1:12] + d.rrq()[24:], "no_authenticator"),
    rrq_row("A3", "24 octets", lambda d: d.open_rrq(), "no_authenticator", True),
    rrq_row("A4", "extension past the end", lambda d: d.rrq() + b"\xc8\x05abcd", "extension_overrun"),
    rrq_row("A4", "a lone type", lambda d: d.rrq() + b"\x83", "extension_overrun"),
    rrq_row("A4", "a lone type of the long format", lambda d: d.rrq() + b"\x24\x01\x00", "extension_overrun"),
    rrq_row("A4", "empty NAI", lambda d: d.rrq(nai=nai_extension(b"")), "no_nai"),
    rrq_row("A7", "unknown type 59 before the proof", lambda d: d.rrq(extra=b"\x3b\x01x"), "unknown_extension"),
    rrq_row("A7", "unknown type 59 behind it", lambda d: d.rrq(after=b"\x3b\x01x"), "unknown_extension"),
    rrq_row("A7", "unknown type 1 without a value", lambda d: d.rrq(after=b"\x01"), "unknown_extension"),
    rrq_row("A7", "unknown type 200 before the proof", lambda d: d.rrq(extra=b"\xc8\x01x"), "", True, 0),
    rrq_row("A7", "unknown type 200 behind it", lambda d: d.rrq(after=b"\xc8\x01x"), "", True, 0),
    rrq_row("A8", "long format of 65535", long_extension, "extension_overrun"),
    *[rrq_row("A9", f"authenticator of {n}", authenticator_of(n), "no_authenticator", n > 15) for n in (0, 1, 15, 17, 255)],
    rrq_row("A9", "15 right octets of 16", lambda d: d.rrq()[:-1] + bytes((d.rrq()[-1] ^ 1,)), "aaa_rejected", True, 144),
    rrq_row("A10", "NAI behind the proof", lambda d: d.rrq(nai=b"", after=nai_extension(d.columns.nai[0])), "no_nai", True),
    rrq_row("A10", "nonce request behind the proof",
            lambda d: d.rrq(nonce=b"", after=b"\x2a\x01\x00\x04\x00\x00\x10\x00"), "poorly_formed", True, 134),
    *[rrq_row("A11", f"SPI {n}", lambda d, n=n: d.rrq(spi=n), "reserved_spi", True) for n in (0, 1, 3, 128, 255)],
    rrq_row("A11", "SPI of nobody", lambda d: d.rrq(spi=0xffffffff), "aaa_rejected", True, 144),
    rrq_row("A11", "key of another node", lambda d: d.rrq(key=d.columns.key[1]), "aaa_rejected", True, 144),
    *[rrq_row("A12", f"identification {n:x}", lambda d, k=k, n=n: d.rrq(k, identification=n, care_of=d.care_of(0)),
              "identification_refused", True, 133)  # each of another node: one such reply a second and node
      for k, n in enumerate((0, 1, (1 << 64) - 1, 0x83AA7E80_00000000, 1 << 63))],

    *[aaah_row("A26", f"{n} octets", lambda d, n=n: d.access_request()[:n], "too_short") for n in (0, 1, 19)],
    *[aaah_row("A26", f"Length {n}", lambda d, n=n: sized(d.access_request(), n), "bad_length")
      for n in (0, 19, 4097, 65535)],
    aaah_row("A26", "Length one more than there is", lambda d: d.access_request()[:-1], "bad_length"),
    aaah_row("A26", "trailing octets", lambda d: d.access_request() + b"\x00\x00trailing", "", True, 2),
    *[aaah_row("A27", f"code {k}", lambda d, k=k: signed(bytes((k,)) + d.access_request()[1:]), "unknown_code", True)
      for k in (0, 2, 3, 4, 5, 11, 13, 40, 43, 255)],
    aaah_row("A28", "attribute of length 0", with_attributes(b"\x19\x00"), "extension_overrun"),
    aaah_row("A28", "attribute of length 1", with_attributes(b"\x19\x01"), "extension_overrun"),
    aaah_row("A28", "attribute past the end", with_attributes(b"\x19\x05ab"), "extension_overrun"),
    aaah_row("A28", "a lone type", with_attributes(b"\x19"), "extension_overrun"),
    aaah_row("A28", "attribute 0", with_attributes(b"\x00\x03x"), "extension_overrun"),
    *[aaah_row("A29", f"VSA of {n} octets", with_attributes(bytes((26, 2 + n)) + bytes(n)), "", True, 2) for n in range(6)],
    *[aaah_row("A29", f"VSA with inner length {n}", with_attributes(vsa(bytes((1, n)) + b"abcd")), "", True, 2)
      for n in (0, 1, 7, 255)],
    aaah_row("A29", "VSA with a lone inner type", with_attributes(vsa(b"\x01")), "", True, 2),
    aaah_row("A29", "VSA with 123 inner attributes", with_attributes(vsa(b"\xc8\x02" * 123)), "", True, 2),
    aaah_row("A29", "TLVs in TLVs", with_attributes(bytes((241, 255)) + bytes(253)), "", True, 2),
    aaah_row("A30", "300 attributes", with_attributes(b"\x19\x02" * 300), "too_many_extensions"),
    aaah_row("A30", "4096 octets of empty attributes",
             lambda d: signed(d.access_request() + b"\x19\x02" * ((4096 - len(d.access_request())) // 2)),
             "too_many_extensions"),
    aaah_row("A31", "no Message-Authenticator",
             lambda d: sized(d.access_request()[:20] + d.access_request()[38:]), "no_message_authenticator", True),
    aaah_row("A31", "a wrong one", lambda d: d.access_request()[:22] + bytes(16) + d.access_request()[38:],
             "bad_message_authenticator", True),
    aaah_row("A31", "one of 15 octets",
             lambda d: sized(d.access_request()[:20] + b"\x50\x11" + d.access_request()[22:37] + d.access_request()[38:]),
             "bad_message_authenticator", True),
    aaah_row("A31", "one of 17 octets",
             lambda d: sized(d.access_request()[:20] + b"\x50\x13" + bytes(17) + d.access_request()[38:]),
             "bad_message_authenticator", True),
    aaah_row("A31", "two", lambda d: signed(d.access_request() + b"\x50\x12" + bytes(16)), "bad_message_authenticator", True),
    aaah_row("A39", "stranger", lambda d: d.access_request(), "unknown_client", True, source="127.128.0.1"),
    aaah_row("A39", "wrong secret", lambda d: d.access_request(secret=b"a wrong secret of 24 oct"),
             "bad_message_authenticator", True),

    Row("A34", "nobody asked", "client", answer_nobody_asked_for, "unmatched_reply", True),
    Row("A34", "an Access-Request", "client", lambda d: d.access_request(), "unmatched_reply", True),
    *[Row("A26", f"{n} octets", "client", lambda d, n=n: answer_nobody_asked_for(d)[:n], "too_short", False)
      for n in (0, 1, 19)],
    Row("A26", "Length 65535", "client", lambda d: sized(answer_nobody_asked_for(d), 65535), "bad_length", False),
    Row("A28", "attribute of length 0", "client", lambda d: sized(answer_nobody_asked_for(d) + b"\x19\x00"),
        "extension_overrun", False),
    Row("A30", "300 attributes", "client", lambda d: sized(answer_nobody_asked_for(d) + b"\x19\x02" * 300),
        "too_many_extensions", False),
]
IDS = [f"{row.id} {row.target} {row.what}" for row in ROWS]


def counted(row: Row, aaah: dict[str, int], fha: dict[str, int]) -> dict[str, int]:
    """At the target, without what a good registration counts on the side."""
    counters = dict(aaah if row.target == "aaah" else fha)
    counters.pop("fha_unbound", None)
    return counters


@pytest.mark.parametrize("row", ROWS, ids=IDS)
def test_decoder(row: Row) -> None:
    octets = row.build(Desk())
    kind = RegistrationRequest if row.target == "fha" else RadiusPacket
    started = time.perf_counter()
    try:
        kind.decode(octets)
        decoded = True
    except DecodeError:
        decoded = False
    assert time.perf_counter() - started < 0.05
    assert decoded == row.decodes


@pytest.mark.parametrize("row", ROWS, ids=IDS)
def test_role(row: Row) -> None:
    desk = Desk()
    octets = row.build(desk)
    started = time.perf_counter()
    if row.target == "fha":
        replies = desk.send(octets)
    elif row.target == "aaah":
        replies = desk.ask_aaah(octets, (row.source or NAS, 40999))
    else:
        replies = desk.exchange((AAAH, 1812), (FHA, 30001), octets, (FHA, 30001))
    assert time.perf_counter() - started < 0.05
    codes = [reply[1] if row.target == "fha" else reply[0] for reply in replies]
    assert codes == ([] if row.code is SILENT else [row.code])
    assert counted(row, desk.aaah.counters(), desk.fha.counters()) == ({row.counter: 1} if row.counter else {})
    if row.target != "fha" or row.code != 0:
        assert desk.kept() == ({}, 0)
    assert desk.ask(3).code == 0


# ---- through real sockets ------------------------------------------------------------------------------------------------

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
        return self.loop.run_until_complete(asyncio.wait_for(self.loop.sock_recv(sender, 4096), 2))

    def registers(self, node: int) -> bool:
        with self.post(self.care_of(node), (FHA, self.fha_port), self.rrq(node)) as sender:
            return self.read(self.receive(sender), node).code == 0

    def is_let_in(self, node: int) -> bool:
        with self.post(f"127.0.2.{node}", (AAAH, self.aaah_port), self.access_request(node)) as sender:
            return self.receive(sender)[0] == 2


@pytest.fixture(scope="module")
def live() -> Iterator[SocketDesk]:
    desk = SocketDesk(len(ROWS) + 10)
    yield desk
    desk.close()


def difference(after: dict[str, int], before: dict[str, int]) -> dict[str, int]:
    return {name: n - before.get(name, 0) for name, n in after.items() if n != before.get(name, 0)}


@pytest.mark.parametrize(("node", "row"), list(enumerate(ROWS, 8)), ids=IDS)
def test_socket(live: SocketDesk, node: int, row: Row) -> None:
    """A good request follows on the same path: when it is answered, the bad one has been dealt with. Each row has NAS
    addresses of its own, so that a port used again is no duplicate."""
    sources = {"fha": live.care_of(0), "aaah": row.source or f"127.0.1.{node}", "client": AAAH}
    ports = {"fha": (FHA, live.fha_port), "aaah": (AAAH, live.aaah_port), "client": (FHA, live.client_port)}
    before = counted(row, live.real_aaah.counters(), live.real_fha.counters())
    leases = len(live.real_fha.leases())
    with live.post(sources[row.target], ports[row.target], row.build(live)) as sender:
        replies = [live.receive(sender)] if row.code is not SILENT else []
        assert live.is_let_in(node) if row.target == "aaah" else live.registers(node)
        with pytest.raises(BlockingIOError):
            sender.recv(4096)
    assert [r[1] if row.target == "fha" else r[0] for r in replies] == ([] if row.code is SILENT else [row.code])
    after = counted(row, live.real_aaah.counters(), live.real_fha.counters())
    assert difference(after, before) == ({row.counter: 1} if row.counter else {})
    if row.target == "fha" and row.code is SILENT:
        assert len(live.real_fha.leases()) == leases + 1  # the good one's
    assert live.real_fha.under_way == 0


def test_rows_cover_the_catalogue() -> None:
    assert {row.id for row in ROWS} == {"A1", "A2", "A3", "A4", "A7", "A8", "A9", "A10", "A11", "A12", "A26", "A27", "A28",
                                        "A29", "A30", "A31", "A34", "A39"}
