"""Disconnect- and CoA-Requests of the AAAH to the FHA (RFC 5176; radius.md 7, its column of the FHA, and 9.7)."""

from __future__ import annotations

import hashlib
import hmac
from pathlib import Path
from typing import Any

import pytest
from desk import Desk
from holder import Holder, Holding
from test_restart import break_disk
from world import AAAH, FHA, FHA_PORTS, SECOND, SECRET, packed

from fastcodec import RadiusPacket
from servers.tables.replies import ReplyCache

DISCONNECT, DISCONNECT_ACK, DISCONNECT_NAK, COA, COA_ACK, COA_NAK = range(40, 46)
ORDERS = (FHA, 3799)


def put(kind: int, value: bytes | int | str) -> bytes:
    octets = value.to_bytes(4, "big") if isinstance(value, int) else value.encode() if isinstance(value, str) else value
    return bytes((kind, 2 + len(octets))) + octets


def ours(kind: int, value: bytes | int) -> bytes:
    """In a Vendor-Specific of 32473, RFC 2865 5.26."""
    return put(26, (32473).to_bytes(4, "big") + put(kind, value))


def order(code: int, attributes: bytes, *, identifier: int = 7, secret: bytes = SECRET, before: bytes = b"\x50\x12" + bytes(16)
          ) -> bytes:
    """Both authenticators as RFC 5176 2.3, 3.4 has them; `before` is the empty Message-Authenticator."""
    body = before + attributes
    head = bytes((code, identifier)) + (20 + len(body)).to_bytes(2, "big")
    if before:
        mac = hmac.new(secret, head + bytes(16) + body, hashlib.md5).digest()
        body = before[:2] + mac + before[18:] + attributes
    return head + hashlib.md5(head + bytes(16) + body + secret).digest() + body


class Ordered(Holder):
    def add_fha(self, clock_s: float = 0, **settings: Any) -> None:
        super().add_fha(clock_s, **settings)
        self.fha.take_orders(ReplyCache(256, inline_size=64, large=8, life_s=600))
        self.net.attach(self.fha, 1 + FHA_PORTS, *ORDERS)

    def session(self) -> str:
        """The id of the session that the AAAH was asked for last."""
        return str(self.server.asked[-1].attributes["Acct-Session-Id"])

    def named(self, node: int = 0, *, leave_out: tuple[int, ...] = (), stamp: float = 0.0, **changes: bytes | int | str) -> bytes:
        values: dict[int, bytes | int | str] = {
            1: self.columns.nai[node], 4: bytes((127, 0, 0, 2)), 32: "fha", 44: self.session(),
            55: int(self.wall() // SECOND + stamp)}
        values |= {int(name.removeprefix("a")): value for name, value in changes.items()}
        return b"".join(put(kind, value) for kind, value in values.items() if kind not in leave_out)

    def tell(self, octets: bytes, source: tuple[str, int] = (AAAH, 40000)) -> list[bytes]:
        mark = len(self.net.tap)
        self.net.inject(source, ORDERS, octets)
        self.net.run(self.net.now + SECOND // 100)
        self.settle()
        return [t.data for t in self.net.tap[mark:] if t.source == ORDERS and t.destination == source]

    def told(self, code: int, attributes: bytes, **how: Any) -> RadiusPacket:
        """The one answer, both its authenticators right."""
        request = order(code, attributes, **how)
        (octets,) = self.tell(request)
        assert octets[20:22] == b"\x50\x12"
        return RadiusPacket.decode(octets, SECRET, request)

    def cause(self, code: int, attributes: bytes) -> int:
        """Error-Cause of a NAK; nothing has changed."""
        before = self.kept()
        answer = self.told(code, attributes)
        assert answer.code == code + 2
        assert self.kept() == before
        return int(answer.attributes["Error-Cause"])


@pytest.fixture
def desk() -> Ordered:
    return Ordered()


@pytest.fixture
def held(desk: Ordered) -> Holding:
    return desk.bootstrap()


# ---- Disconnect ----------------------------------------------------------------------------------------------------------

def test_disconnect(desk: Ordered, held: Holding) -> None:
    answer = desk.told(DISCONNECT, desk.named(a49=6))
    assert answer.code == DISCONNECT_ACK
    assert "Error-Cause" not in answer.attributes
    assert desk.kept() == ({}, 0)
    assert desk.count("disconnected") == 1
    assert desk.pool.snapshot()["cooling"] == 1
    assert desk.send(desk.renewal(held)) == []  # its key is worth nothing any more
    assert desk.count("key_expired") == 1
    assert desk.bootstrap().home == held.home  # the AAAH may think otherwise again


def test_the_last_request_does_not_draw_its_reply_again(desk: Ordered) -> None:
    request = desk.rrq(0)
    desk.one(request)
    assert desk.told(DISCONNECT, desk.named()).code == DISCONNECT_ACK
    assert desk.count("duplicate_answered") == 0
    replies = desk.send(request)
    assert [octets[1] for octets in replies] == [133]


def test_neither_key_of_two(desk: Ordered, held: Holding) -> None:
    newer = desk.taken(desk.one(desk.rekeying(held)))
    assert desk.told(DISCONNECT, desk.named()).code == DISCONNECT_ACK
    for old in (held, newer):
        assert desk.send(desk.renewal(old)) == []


def test_the_session_is_that_of_the_last_accept(desk: Ordered, held: Holding) -> None:
    first = desk.session()
    desk.taken(desk.one(desk.rekeying(held)))
    assert desk.session() != first
    assert desk.cause(DISCONNECT, desk.named(a44=first)) == 503
    assert desk.told(DISCONNECT, desk.named()).code == DISCONNECT_ACK


def test_durable_before_the_ack(tmp_path: Path) -> None:
    desk = Ordered(state=tmp_path / "a")
    held = desk.bootstrap()
    assert desk.told(DISCONNECT, desk.named()).code == DISCONNECT_ACK
    again = desk.restarted(tmp_path / "b")
    assert again.fha.leases() == {}
    assert again.pool.snapshot()["cooling"] == 1
    assert again.send(again.renewal(held)) == []


def test_neither_key_of_two_after_a_restart(tmp_path: Path) -> None:
    desk = Ordered(state=tmp_path / "a")
    held = desk.bootstrap()
    newer = desk.taken(desk.one(desk.rekeying(held)))
    assert desk.told(DISCONNECT, desk.named()).code == DISCONNECT_ACK
    again = desk.restarted(tmp_path / "b")
    for old in (held, newer):
        assert again.send(again.renewal(old)) == []


def test_session_survives_a_restart(tmp_path: Path) -> None:
    desk = Ordered(state=tmp_path / "a")
    held = desk.bootstrap()
    assert desk.renew(held).code == 0
    session = desk.session()
    again = desk.restarted(tmp_path / "b")
    assert isinstance(again, Ordered)
    again.server.asked = desk.server.asked
    assert again.told(DISCONNECT, again.named(a44=session)).code == DISCONNECT_ACK
    assert again.fha.leases() == {}


def test_what_cannot_be_stored(tmp_path: Path) -> None:
    """Once the journal has failed nothing is done any more."""
    desk = Ordered(state=tmp_path)
    held = desk.bootstrap()
    session = desk.session()
    break_disk(desk)
    desk.send(desk.rrq(1), node=1)  # this one the journal loses, or refuses
    desk.settle()
    assert desk.cause(DISCONNECT, desk.named(a44=session)) == 506
    assert desk.cause(COA, desk.named(a27=60, a44=session)) == 506
    assert desk.send(desk.renewal(held))[0][1] == 130  # its key is as good as before


def test_lost_by_the_journal_is_not_acknowledged(tmp_path: Path) -> None:
    for attempt in range(20):  # the journal's thread also writes ahead, and may find the broken disk first: NAK 506
        desk = Ordered(state=tmp_path / str(attempt))
        desk.bootstrap()
        request = order(DISCONNECT, desk.named())
        break_disk(desk)
        answers = desk.tell(request)
        assert [octets[0] for octets in answers] in ([], [DISCONNECT_NAK])
        if not answers:
            assert desk.count("journal_failed") == 1
            assert desk.fha.under_way == 0
            return
    raise AssertionError("the journal never took a record that it then lost")


# ---- CoA -----------------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("attributes", [put(27, 100), ours(10, 100), put(27, 100) + ours(10, 900), put(27, 900) + ours(10, 100)])
def test_a_shorter_life(attributes: bytes, tmp_path: Path) -> None:
    desk = Ordered(state=tmp_path / "a")
    held = desk.bootstrap()
    answer = desk.told(COA, desk.named() + attributes)
    assert (answer.code, "Error-Cause" in answer.attributes) == (COA_ACK, False)
    again = desk.restarted(tmp_path / "b")
    for one in (desk, again):
        one.wait(98)
        assert len(one.fha.leases()) == 1
        one.wait(3)
        assert one.fha.leases() == {}
    assert desk.count("shortened") == 1
    assert held.reply.message.lifetime == 1800


def test_a_renewal_gets_no_more(desk: Ordered, held: Holding) -> None:
    assert desk.told(COA, desk.named() + ours(10, 60)).code == COA_ACK
    assert desk.renew(held).lifetime == 60
    assert desk.told(COA, desk.named(a27=30), identifier=8).code == COA_ACK
    assert desk.renew(held).lifetime in (29, 30)


def test_a_longer_life_prolongs_nothing(desk: Ordered, held: Holding) -> None:
    desk.wait(1000)
    assert desk.told(COA, desk.named(a27=86400)).code == COA_ACK
    desk.wait(801)
    assert desk.fha.leases() == {}
    assert held.home


def test_authorize_only(desk: Ordered, held: Holding) -> None:
    """A node gets a new key only in answer to a request of its own (RFC 3957 3): the FHA asks for nothing, and says so."""
    asked = len(desk.server.asked)
    answer = desk.told(COA, desk.named(a6=17, a24=b"state"))
    assert (answer.code, answer.attributes["Error-Cause"], answer.attributes["State"]) == (COA_NAK, 405, b"state")
    assert "Service-Type" not in answer.attributes, "it would promise an Access-Request (RFC 5176 3.2)"
    desk.wait(5)
    assert len(desk.server.asked) == asked
    assert desk.renew(held).code == 0


# ---- what is refused, and what is not answered -----------------------------------------------------------------------------

@pytest.mark.parametrize(("code", "changes", "more", "cause"), [
    (DISCONNECT, {"a12": 1500}, b"", 401), (DISCONNECT, {"a6": 17}, b"", 401), (DISCONNECT, {"a27": 60}, b"", 401),
    (DISCONNECT, {}, ours(10, 60), 401), (COA, {"a27": 60}, ours(4, 1), 401), (COA, {"a27": 60}, put(26, b"\0\0\0\x09\1\3x"), 401),
    (COA, {"a27": 60}, put(241, b"\1x"), 401),
    (DISCONNECT, {"leave_out": (1,)}, b"", 402), (DISCONNECT, {"leave_out": (44,)}, b"", 402),
    (DISCONNECT, {"leave_out": (55,)}, b"", 402), (DISCONNECT, {"leave_out": (4, 32)}, b"", 402), (COA, {}, b"", 402),
    (COA, {"a6": 17}, b"", 405),
    (DISCONNECT, {"a4": b"\x7f\0\0\x09"}, b"", 403), (DISCONNECT, {"a32": "fhb"}, b"", 403), (DISCONNECT, {"a32": "fha1"}, b"", 403),
    (DISCONNECT, {}, put(1, "again"), 404), (COA, {"a27": 60}, put(27, 60), 404), (COA, {"a6": 17, "a24": b"s", "a27": 60}, b"", 405),
    (COA, {"a6": 2, "a24": b"s"}, b"", 405), (COA, {"a6": 99, "a24": b"s"}, b"", 405),
    (DISCONNECT, {"a4": b"\x7f\0\0"}, b"", 407), (DISCONNECT, {"a49": b"\0\0\0\0\6"}, b"", 407), (DISCONNECT, {"a1": b""}, b"", 407),
    (COA, {"a27": 0}, b"", 407), (COA, {}, ours(10, 0), 407), (COA, {}, ours(10, b"\0\0\1"), 407), (COA, {}, put(26, b"\0\0\x7e"), 407),
    (COA, {}, put(26, b"\0\0\x7e\xd9\x0a\x07\0\0\0\1"), 407),
    (DISCONNECT, {"a44": "0" * 16}, b"", 503), (DISCONNECT, {"a44": "0"}, b"", 503), (DISCONNECT, {"a1": "nobody@home.example"}, b"", 503),
    (DISCONNECT, {"a8": b"\xc6\x12\0\x63"}, b"", 503), (COA, {"a27": 60, "a44": "f" * 16}, b"", 503)])
def test_refused(desk: Ordered, held: Holding, code: int, changes: dict[str, Any], more: bytes, cause: int) -> None:
    assert desk.cause(code, desk.named(**changes) + more) == cause
    assert desk.count("order_refused") == 1
    assert desk.renew(held).lifetime == 1800


def test_a_lease_that_is_over_is_no_session(desk: Ordered, held: Holding) -> None:
    assert desk.renew(held, lifetime=0).code == 0
    assert desk.cause(DISCONNECT, desk.named()) == 503


def test_what_comes_along_is_no_obstacle(desk: Ordered) -> None:
    desk.server.changes = {"Class": [b"first", b"second"], "Chargeable_User_Identity": b"who"}
    held = desk.bootstrap()
    more = b"".join((put(8, bytes(map(int, held.home.split(".")))), put(24, b"a state"), put(25, b"first"), put(25, b"second"),
                     put(89, b"who"), put(33, b"one"), put(33, b"two")))
    (octets,) = desk.tell(order(DISCONNECT, desk.named() + more))
    assert octets[0] == DISCONNECT_ACK
    assert octets[38:] == put(24, b"a state") + put(33, b"one") + put(33, b"two")


@pytest.mark.parametrize("more", [
    put(25, "second"), put(25, "first") + put(25, "second") + put(25, "third"), put(25, "second") + put(25, "first"),
    put(25, "firstsecond"), put(89, "whom"), put(89, "who") + put(25, "other"), put(31, "caller"), put(50, "many"),
    put(8, b"\xc6\x12\x00\x63") + put(89, "who")])
@pytest.mark.parametrize("code", [DISCONNECT, COA])
def test_everything_that_names_the_session_must_fit(desk: Ordered, code: int, more: bytes) -> None:
    """RFC 5176 3. What neither side has said of it fits no session."""
    desk.server.changes = {"Class": [b"first", b"second"], "Chargeable_User_Identity": b"who"}
    held = desk.bootstrap()
    assert desk.cause(code, desk.named() + more + (put(27, 60) if code == COA else b"")) == 503
    assert desk.renew(held).lifetime == 1800


def test_a_class_of_a_session_without_one(desk: Ordered, held: Holding) -> None:
    assert desk.cause(DISCONNECT, desk.named() + put(25, "first")) == 503
    assert desk.cause(DISCONNECT, desk.named() + put(89, "who")) == 503
    assert held.home


def test_the_class_is_that_of_the_last_accept(tmp_path: Path) -> None:
    """A renewal keeps it, a restart too."""
    desk = Ordered(state=tmp_path / "a")
    desk.server.changes = {"Class": b"first"}
    held = desk.bootstrap()
    desk.server.changes = {"Class": b"second"}
    held = desk.taken(desk.one(desk.rekeying(held)))
    assert desk.renew(held).code == 0
    again = desk.restarted(tmp_path / "b")
    assert isinstance(again, Ordered)
    again.server.asked = desk.server.asked
    for one in (desk, again):
        assert one.cause(DISCONNECT, one.named() + put(25, "first")) == 503
        assert one.told(DISCONNECT, one.named() + put(25, "second"), identifier=8).code == DISCONNECT_ACK


def test_our_own_aaah_s_class() -> None:
    """What it puts into its Accept it may name the session by."""
    class Own(Ordered):
        add_aaah = Desk.add_aaah

        def session(self) -> str:
            return str(RadiusPacket.decode(self.exchanged()[0], SECRET).attributes["Acct-Session-Id"])

        def exchanged(self) -> tuple[bytes, bytes]:
            """The FHA's question and the AAAH's answer."""
            answer = next(t for t in self.net.tap if t.source == (AAAH, 1812) and t.destination[0] == FHA)
            return next(t.data for t in self.net.tap if t.source == answer.destination), answer.data

    desk = Own()
    assert desk.ask(0).code == 0
    question, accept = desk.exchanged()
    given = RadiusPacket.decode(accept, SECRET, question).attributes["Class"]
    assert desk.cause(DISCONNECT, desk.named() + put(25, given + b"?")) == 503
    assert desk.told(DISCONNECT, desk.named() + put(25, given), identifier=8).code == DISCONNECT_ACK


# ---- who may order -------------------------------------------------------------------------------------------------------

OTHER = b"the secret of the other one"


def test_two_servers_with_one_address(desk: Ordered, held: Holding) -> None:
    """Told apart by their secrets; the answer is under the same one."""
    desk.fha.set_aaah(packed(AAAH), 1912, OTHER)
    request = order(COA, desk.named(a27=900), secret=OTHER, identifier=1)
    (octets,) = desk.tell(request)
    assert RadiusPacket.decode(octets, OTHER, request).code == COA_ACK
    drops(desk, order(DISCONNECT, desk.named(), secret=b"nobody's"), "bad_request_authenticator")
    assert desk.told(DISCONNECT, desk.named(), identifier=2).code == DISCONNECT_ACK
    assert held.home


def test_any_server_of_the_list(desk: Ordered, held: Holding) -> None:
    """Each stands in for the others, so each may end what another has authorised; but under its own secret."""
    standby = ("127.0.0.4", 40000)
    drops(desk, order(DISCONNECT, desk.named(), secret=OTHER), "unknown_client", standby)
    desk.fha.set_aaah(packed(standby[0]), 1812, OTHER)
    drops(desk, order(DISCONNECT, desk.named()), "bad_request_authenticator", standby)
    drops(desk, order(DISCONNECT, desk.named(), secret=OTHER), "bad_request_authenticator")
    request = order(DISCONNECT, desk.named(), secret=OTHER)
    (octets,) = desk.tell(request, standby)
    assert RadiusPacket.decode(octets, OTHER, request).code == DISCONNECT_ACK
    assert held.home


def drops(desk: Ordered, octets: bytes, reason: str, source: tuple[str, int] = (AAAH, 40000)) -> None:
    before, count = desk.kept(), desk.count(reason)
    assert desk.tell(octets, source) == []
    assert desk.count(reason) == count + 1
    assert desk.kept() == before


def test_silence(desk: Ordered, held: Holding) -> None:
    named = desk.named()
    good = order(DISCONNECT, named)
    drops(desk, good, "unknown_client", ("127.0.0.77", 40000))
    drops(desk, good, "bad_source", (AAAH, 0))
    drops(desk, order(DISCONNECT, named, secret=b"another"), "bad_request_authenticator")
    drops(desk, good[:4] + bytes(16) + good[20:], "bad_request_authenticator")
    for code in (1, 4, 12, DISCONNECT_ACK, COA_NAK):
        drops(desk, order(code, named), "unknown_code")
    drops(desk, order(DISCONNECT, named, before=b""), "no_message_authenticator")
    doubled = order(DISCONNECT, named + put(80, bytes(16)))
    drops(desk, doubled, "bad_message_authenticator")
    drops(desk, order(DISCONNECT, put(80, bytes(15)) + named, before=b""), "bad_message_authenticator")
    wrong = good[:22] + bytes(16) + good[38:]
    wrong = wrong[:4] + hashlib.md5(wrong[:4] + bytes(16) + wrong[20:] + SECRET).digest() + wrong[20:]
    drops(desk, wrong, "bad_message_authenticator")
    drops(desk, good[:19], "too_short")
    drops(desk, good[:-1], "bad_length")
    drops(desk, order(DISCONNECT, named + b"\x2c\x01"), "extension_overrun")
    drops(desk, good + bytes(1501 - len(good)), "bad_length")
    assert desk.fha.under_way == 0
    assert desk.renew(held).code == 0
    assert desk.tell(good) != []


@pytest.mark.parametrize("stamp", [-301, 301, -1e8])
def test_too_old(desk: Ordered, held: Holding, stamp: float) -> None:
    drops(desk, order(DISCONNECT, desk.named(stamp=stamp)), "stale_timestamp")
    assert desk.told(DISCONNECT, desk.named(stamp=299 if stamp > 0 else -299)).code == DISCONNECT_ACK
    assert held.home


# ---- duplicates ----------------------------------------------------------------------------------------------------------

def test_duplicates(desk: Ordered, held: Holding) -> None:
    request = order(DISCONNECT, desk.named())
    (first,) = desk.tell(request)
    desk.wait(1)
    again = desk.bootstrap()  # what has come since is another session
    assert desk.tell(request) == [first]
    assert desk.count("duplicate_answered") == 1
    assert desk.renew(again).code == 0
    desk.wait(301)
    drops(desk, request, "stale_timestamp")
    assert held.home


def test_a_replay_from_another_port_finds_no_session(desk: Ordered, held: Holding) -> None:
    request = order(DISCONNECT, desk.named())
    assert desk.tell(request) != []
    desk.wait(1)
    again = desk.bootstrap()
    (octets,) = desk.tell(request, (AAAH, 40001))
    assert octets[0] == DISCONNECT_NAK
    assert desk.renew(again).code == 0
    assert held.home


def test_same_identifier_other_order(desk: Ordered, held: Holding) -> None:
    assert desk.told(COA, desk.named(a27=500)).code == COA_ACK
    assert desk.told(DISCONNECT, desk.named()).code == DISCONNECT_ACK
    assert desk.count("duplicate_renewed") == 1
    assert held.home


def test_not_served_unless_told_so() -> None:
    desk = Holder()
    desk.net.attach(desk.fha, 1 + FHA_PORTS, *ORDERS)
    desk.bootstrap()
    desk.net.inject((AAAH, 40000), ORDERS, order(DISCONNECT, b""))
    desk.wait(1)
    assert not [t for t in desk.net.tap if t.source == ORDERS]
    assert len(desk.fha.leases()) == 1


def test_order_while_the_answer_is_awaited(desk: Ordered, held: Holding) -> None:
    """The AAAH's later Accept is newer than its order."""
    desk.server.silent = True
    assert desk.send(desk.rekeying(held)) == []
    before = str(desk.server.asked[0].attributes["Acct-Session-Id"])
    assert desk.told(DISCONNECT, desk.named(a44=before)).code == DISCONNECT_ACK
    assert desk.fha.leases() == {}
    assert desk.fha.under_way == 1
    desk.wait(40)
    assert desk.kept() == ({}, 0)
