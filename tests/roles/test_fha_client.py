"""The FHA as RADIUS client: which answers it takes (A34, A37), and Accepts that are no use (ruling 6)."""

import hashlib
import os
from typing import Any

import pytest
from desk import Desk, Reply, derived_key, nai_extension, nonce_request, subscribers
from world import AAAH, FHA, HOME_AGENT, SECOND, SECRET

from fastcodec import RadiusPacket
from fastcodec.hidden import Hidden
from fastcodec.hiding import salt_encrypt
from servers.net.node import Node

REPLY_ROOM = 480
NONCE = bytes(range(16))
Address = tuple[str, int]


class SilentAaahDesk(Desk):
    """The AAAH hears and does not answer; the test answers in its place."""

    def add_aaah(self) -> None:
        self.net.attach(Node(), 0, AAAH, 1812)

    def question(self, rrq: bytes | None = None, node: int = 0) -> tuple[bytes, Address]:
        """Sends a request; what the FHA asks, and from where."""
        mark = len(self.net.tap)
        assert self.send(rrq or self.rrq(node), node=node) == []
        asked = [t for t in self.net.tap[mark:] if t.destination == (AAAH, 1812)]
        assert len(asked) == 1
        return asked[0].data, asked[0].source

    def accept(self, question: bytes, node: int = 0, *, nonce: bytes = NONCE, key: bytes | None = None, code: int = 2,
               identifier: int | None = None, **changes: Any) -> bytes:
        """rx-22 as our AAAH writes it."""
        asked = RadiusPacket.decode(question)
        key = derived_key(self.columns.key[node], nonce, self.columns.nai[node]) if key is None else key
        values = {"Service_Type": 2, "Framed_IP_Address": "255.255.255.254", "Session_Timeout": 7200,
                  "Mipstorm_IPv6_Home_Address": "2001:db8:100:1::25", "Mipstorm_IPv6_Home_Agent": HOME_AGENT,
                  "Mipstorm_Registration_Lifetime": 1800, "Mipstorm_AAA_SPI": 4096,
                  "Mipstorm_MN_FHA_MN_SPI": asked.attributes["Mipstorm-MN-FHA-MN-SPI"],
                  "Mipstorm_MN_FHA_FHA_SPI": asked.attributes["Mipstorm-MN-FHA-FHA-SPI"],
                  "Mipstorm_MN_FHA_Nonce": nonce,
                  "Mipstorm_MN_FHA_Key": salt_encrypt(key, SECRET, question[4:20], 0x8001),
                  "Mipstorm_MN_FHA_Algorithm": 1, "Mipstorm_MN_FHA_Replay_Method": 2,
                  "Mipstorm_MN_FHA_Key_Lifetime": 3600} | changes
        pairs = [(name.replace("_", "-"), value) for name, value in values.items() if value is not None]
        return RadiusPacket(code, question[1] if identifier is None else identifier, b"", pairs).encode(SECRET, question[4:20])

    def answer(self, octets: bytes, to: Address, source: Address = (AAAH, 1812), node: int = 0) -> list[Reply]:
        return [self.read(o, node) for o in self.exchange(source, to, octets, (FHA, 434))]


@pytest.fixture
def desk() -> SilentAaahDesk:
    return SilentAaahDesk()


def test_the_hand_made_accept_is_good(desk: SilentAaahDesk) -> None:
    question, source = desk.question()
    (reply,) = desk.answer(desk.accept(question), source)
    assert (reply.code, reply.is_signed) == (0, True)


# ---- A34: answers that are not taken -------------------------------------------------------------------------------------

def resigned(packet: bytes, question: bytes) -> bytes:
    """With a right Response Authenticator over whatever it is now."""
    packet = packet[:2] + len(packet).to_bytes(2, "big") + question[4:20] + packet[20:]
    return packet[:4] + hashlib.md5(packet + SECRET).digest() + packet[20:]


A34: list[tuple[str, str, Any]] = [
    ("wrong identifier", "unmatched_reply", lambda d, q: d.accept(q, identifier=q[1] ^ 1)),
    ("wrong response authenticator", "bad_response_authenticator", lambda d, q: d.accept(q)[:4] + os.urandom(16)
     + d.accept(q)[20:]),
    ("a bit flipped behind it", "bad_response_authenticator", lambda d, q: d.accept(q)[:-1] + b"\x00"),
    ("wrong Message-Authenticator, right response authenticator", "bad_message_authenticator",
     lambda d, q: resigned(d.accept(q)[:22] + bytes(16) + d.accept(q)[38:], q)),
    ("no Message-Authenticator, right response authenticator", "no_message_authenticator",
     lambda d, q: resigned(d.accept(q)[:20] + d.accept(q)[38:], q)),
    ("two Message-Authenticators", "bad_message_authenticator",
     lambda d, q: resigned(d.accept(q) + d.accept(q)[20:38], q)),
    ("an Access-Request", "unmatched_reply", lambda d, q: resigned(b"\x01" + d.accept(q)[1:], q)),
    ("an Accounting-Response", "unmatched_reply", lambda d, q: resigned(b"\x05" + d.accept(q)[1:], q)),
    ("the question itself", "unmatched_reply", lambda d, q: q),
    ("nothing", "too_short", lambda d, q: b""),
    ("19 octets", "too_short", lambda d, q: d.accept(q)[:19]),
    ("Length beyond the datagram", "bad_length", lambda d, q: d.accept(q)[:-1]),
    ("attribute of length 0", "extension_overrun", lambda d, q: resigned(d.accept(q) + b"\x19\x00", q)),
]


@pytest.mark.parametrize(("counter", "spoil"), [row[1:] for row in A34], ids=[row[0] for row in A34])
def test_answer_that_is_not_taken(desk: SilentAaahDesk, counter: str, spoil: Any) -> None:
    question, source = desk.question()
    assert desk.answer(spoil(desk, question), source) == []
    assert desk.fha.counters() == {counter: 1}
    assert desk.kept() == ({}, 1), "the request stays pending"
    (reply,) = desk.answer(desk.accept(question), source)  # and the right one still counts
    assert (reply.code, reply.is_signed) == (0, True)


@pytest.mark.parametrize("forger", [(AAAH, 1813), ("127.0.0.99", 1812)])
def test_answer_from_elsewhere(desk: SilentAaahDesk, forger: Address) -> None:
    question, source = desk.question()
    assert desk.answer(desk.accept(question), source, forger) == []
    assert desk.fha.counters() == {"unmatched_reply": 1}
    assert desk.kept() == ({}, 1)
    assert len(desk.answer(desk.accept(question), source)) == 1


def test_answer_to_another_port_of_ours(desk: SilentAaahDesk) -> None:
    question, source = desk.question()
    other = (FHA, 30000 + (source[1] - 30000 + 1) % 4)
    assert desk.answer(desk.accept(question), other) == []
    assert desk.fha.counters() == {"unmatched_reply": 1}
    assert len(desk.answer(desk.accept(question), source)) == 1


def test_second_accept_that_differs(desk: SilentAaahDesk) -> None:
    question, source = desk.question()
    (reply,) = desk.answer(desk.accept(question), source)
    assert desk.answer(desk.accept(question, nonce=bytes(16)), source) == []
    assert desk.fha.counters() == {"unmatched_reply": 1}
    assert list(desk.fha.leases().values()) == [reply.message.home_address.packed]


def test_answers_in_one_batch_the_first_good_one_counts(desk: SilentAaahDesk) -> None:
    question, source = desk.question()
    good, other = desk.accept(question), desk.accept(question, nonce=bytes(16))
    forged = good[:4] + bytes(16) + good[20:]
    rows = [(AAAH, 1812, FHA, octets) for octets in (forged, good, other, good)]
    desk.fha.feed(source[1] - 30000 + 1, rows, desk.net.now, desk.wall())
    sent = [desk.read(row[4]) for row in desk.fha.drain()]
    assert [r.code for r in sent] == [0]
    assert desk.fha.counters() == {"bad_response_authenticator": 1, "unmatched_reply": 2}


def test_late_answer_is_counted_and_dropped(desk: SilentAaahDesk) -> None:
    question, source = desk.question()
    desk.net.run(desk.net.now + 60 * SECOND)
    assert desk.fha.counters()["aaa_timeout"] == 1
    assert desk.answer(desk.accept(question), source) == []
    assert desk.fha.counters()["late_reply"] == 1
    assert desk.kept() == ({}, 0)


# ---- A37 -----------------------------------------------------------------------------------------------------------------

def test_no_identifier_is_used_twice_while_it_is_outstanding() -> None:
    """1024 at once fill 4 ports; the next request is dropped, and served when there is room again."""
    desk = SilentAaahDesk(1100)
    for node in range(1100):
        desk.net.inject((desk.care_of(node), 5001), (FHA, 434), desk.rrq(node))
    desk.net.run(desk.net.now + SECOND // 10)
    asked = [(t.source, t.data[1]) for t in desk.net.tap if t.destination == (AAAH, 1812)]
    assert len(asked) == len(set(asked)) == 1024
    assert desk.fha.counters() == {"no_identifier_free": 76, "table_full": 76}
    assert desk.fha.under_way == 1024
    first = next(t for t in desk.net.tap if t.destination == (AAAH, 1812))
    node = [desk.columns.nai[k].decode() for k in range(1100)].index(RadiusPacket.decode(first.data).attributes["User-Name"])
    assert len(desk.answer(desk.accept(first.data, node), first.source, node=node)) == 1
    assert desk.fha.under_way == 1023
    question, source = desk.question(node=1099)
    assert (source, question[1]) == (first.source, first.data[1])


# ---- ruling 6: Accepts without what is needed ----------------------------------------------------------------------------

@pytest.mark.parametrize("changes", [
    {"code": 11}, {"Mipstorm_MN_FHA_Key": None}, {"Mipstorm_MN_FHA_Nonce": None}, {"Mipstorm_AAA_SPI": None},
    {"Mipstorm_MN_FHA_MN_SPI": 1}, {"Mipstorm_MN_FHA_FHA_SPI": 255}, {"Mipstorm_MN_FHA_Algorithm": 2},
    {"Mipstorm_MN_FHA_Replay_Method": 1}, {"Mipstorm_MN_FHA_Replay_Method": 4},
    {"Mipstorm_MN_FHA_Key_Lifetime": 0}, {"Framed_IP_Address": "224.0.0.9"},
    {"Framed_IP_Address": None}, {"Mipstorm_IPv6_Home_Address": None}, {"Mipstorm_IPv6_Home_Agent": None},
    {"nonce": bytes(15)}, {"nonce": bytes(65)}, {"key": bytes(19)}, {"key": bytes(21)}, {"key": bytes(31)},
], ids=str)
def test_accept_that_is_no_use(desk: SilentAaahDesk, changes: dict[str, Any]) -> None:
    question, source = desk.question()
    (reply,) = desk.answer(desk.accept(question, **changes), source)
    assert (reply.code, reply.is_bare, reply.message.nai()) == (128, True, desk.columns.nai[0].decode())
    assert desk.fha.counters() == {"aaa_unusable": 1}
    assert desk.kept() == ({}, 0)


def test_key_with_the_wrong_length_octet(desk: SilentAaahDesk) -> None:
    """A33: 255 in front, salt without its high bit: nothing is read beyond the value."""
    question, source = desk.question()
    (reply,) = desk.answer(desk.accept(question, Mipstorm_MN_FHA_Key=Hidden(b"\x00\x01" + bytes(32))), source)
    assert reply.code == 128


@pytest.mark.parametrize(("nonce", "nai"), [(16, 253), (64, 20), (64, 253), (40, 253)])
def test_longest_reply(nonce: int, nai: int) -> None:
    """RFC 3957 6.4 sets no end to a nonce (we take up to 64 octets); row and binding have room for the reply."""
    desk = SilentAaahDesk(columns=subscribers([(b"n" * nai, bytes(range(16)))]), nodes=1)
    question, source = desk.question()
    (reply,) = desk.answer(desk.accept(question, nonce=bytes(range(nonce))), source)
    assert (reply.code, reply.is_signed) == (0, True)
    assert len(reply.octets) == 20 + 2 + nai + 20 + nonce + 3 * 28 + 22 <= REPLY_ROOM
    assert desk.send(desk.net.tap[0].data) == [reply.octets]
    assert len(desk.fha.leases()) == 1


@pytest.mark.parametrize(("asked", "authorised", "session", "granted"), [
    (1800, 600, 7200, 600), (300, 600, 7200, 300), (1800, None, 7200, 1800), (1800, 3600, 7200, 1800),
    (1800, 1800, 120, 120), (65535, 65535, 65535, 1800),
])
def test_lifetime_is_the_least_of_all(desk: SilentAaahDesk, asked: int, authorised: int | None, session: int, granted: int
                                      ) -> None:
    question, source = desk.question(desk.rrq(lifetime=asked))
    accept = desk.accept(question, Mipstorm_Registration_Lifetime=authorised, Session_Timeout=session)
    (reply,) = desk.answer(accept, source)
    assert (reply.code, reply.message.lifetime) == (0, granted)


@pytest.mark.parametrize(("denial", "code"), [(None, 131), (144, 144), (129, 129), (192, 192), (127, 131), (193, 131), (0, 131)])
def test_reject_says_which_code(desk: SilentAaahDesk, denial: int | None, code: int) -> None:
    question, source = desk.question()
    attributes = [] if denial is None else [("Mipstorm-Denial-Code", denial)]
    reject = RadiusPacket(3, question[1], b"", attributes).encode(SECRET, question[4:20])
    (reply,) = desk.answer(reject, source)
    assert (reply.code, reply.is_bare) == (code, True)
    assert nai_extension(desk.columns.nai[0]) in reply.octets
    assert nonce_request() not in reply.octets
