"""RADIUS manners of the AAAH: Message-Authenticator, duplicates (RFC 5080 2.2.2), Proxy-State, and pyrad as a witness."""

import io
import os

import pyrad.dictionary
import pyrad.packet
import pytest
from desk import Desk
from world import AAAH, FHA, NAS, SECOND, SECRET

from fastcodec import RadiusPacket

DICTIONARY = """
ATTRIBUTE User-Name 1 string
ATTRIBUTE Framed-IP-Address 8 ipaddr
ATTRIBUTE Proxy-State 33 octets
ATTRIBUTE Message-Authenticator 80 octets
"""


def without_authenticator(packet: bytes) -> bytes:
    """The request's Message-Authenticator, which stands first, cut out."""
    assert packet[20] == 80
    return packet[:2] + (len(packet) - 18).to_bytes(2, "big") + packet[4:20] + packet[38:]


def test_pyrad_verifies_both_authenticators() -> None:
    desk = Desk()
    known = pyrad.dictionary.Dictionary(io.StringIO(DICTIONARY))
    for octets in (desk.access_request(), desk.key_request(identifier=2), desk.access_request(1, CHAP_Password=bytes(17))):
        (answer,) = desk.ask_aaah(octets)
        request = pyrad.packet.AuthPacket(secret=SECRET, packet=octets, dict=known)
        assert request.verify_message_authenticator(SECRET)
        reply = pyrad.packet.AuthPacket(secret=SECRET, packet=answer, dict=known)
        assert request.VerifyReply(reply, answer)
        assert reply.verify_message_authenticator(SECRET, original_authenticator=request.authenticator)
        assert answer[20] == 80, "Message-Authenticator first"


@pytest.mark.parametrize(("counter", "spoil"), [
    ("no_message_authenticator", without_authenticator),
    ("bad_message_authenticator", lambda p: p[:22] + bytes(16) + p[38:]),
    ("bad_message_authenticator", lambda p: p[:30] + bytes((p[30] ^ 1,)) + p[31:]),
    ("bad_message_authenticator", lambda p: p[:-1] + bytes((p[-1] ^ 1,))),
    ("bad_message_authenticator", lambda p: p[:4] + os.urandom(16) + p[20:]),
    ("bad_message_authenticator", lambda p: longer(p + p[20:38], 18)),
    ("bad_message_authenticator", lambda p: shorter(p)),
    ("bad_message_authenticator", lambda p: longer(p[:21] + b"\x13" + p[22:38] + b"\x00" + p[38:], 1)),
], ids=["missing", "zeros", "a bit of it", "a bit of the rest", "another authenticator", "doubled", "15 octets", "17 octets"])
def test_without_a_right_message_authenticator_silence(counter: str, spoil) -> None:  # type: ignore[no-untyped-def]
    desk = Desk()
    assert desk.ask_aaah(spoil(desk.access_request())) == []
    assert desk.aaah.counters() == {counter: 1}
    assert desk.aaah.replies_sent == (0, 0)
    assert len(desk.ask_aaah(desk.access_request())) == 1


def longer(packet: bytes, by: int) -> bytes:
    return packet[:2] + (int.from_bytes(packet[2:4], "big") + by).to_bytes(2, "big") + packet[4:]


def shorter(packet: bytes) -> bytes:
    packet = packet[:21] + b"\x11" + packet[22:37] + packet[38:]
    return packet[:2] + len(packet).to_bytes(2, "big") + packet[4:]


def test_message_authenticator_need_not_be_first() -> None:
    desk = Desk()
    request = RadiusPacket.decode(desk.access_request())
    items = [item for item in request.attributes if item[0] != "Message-Authenticator"]
    moved = RadiusPacket(1, 9, request.authenticator, [*items, ("Message-Authenticator", bytes(16))]).encode(SECRET)
    assert moved[-18] == 80
    assert len(desk.ask_aaah(moved)) == 1


def test_duplicate_gets_the_same_octets_for_five_seconds() -> None:
    desk = Desk()
    request = desk.key_request()
    (first,) = desk.ask_aaah(request, (FHA, 30999))
    for _ in range(4):
        desk.net.run(desk.net.now + SECOND)
        assert desk.ask_aaah(request, (FHA, 30999)) == [first]
    assert desk.aaah.replies_sent == (1, 0)
    assert desk.aaah.counters() == {"duplicate_answered": 4, "fha_unbound": 1}
    desk.net.run(desk.net.now + SECOND)
    (later,) = desk.ask_aaah(request, (FHA, 30999))
    assert later != first  # worked on anew: another nonce
    assert desk.aaah.replies_sent == (2, 0)


def test_duplicates_in_one_batch_are_worked_on_once() -> None:
    desk = Desk()
    request = desk.key_request()
    desk.aaah.feed(0, [(FHA, 30999, AAAH, request)] * 50, desk.net.now, desk.net.now)
    assert desk.aaah.replies_sent == (1, 0)
    assert len({row[4] for row in desk.aaah.drain()}) == 1


@pytest.mark.parametrize("source", [(NAS, 40998), ("127.0.0.4", 40999)])
def test_same_octets_from_elsewhere_are_no_duplicate(source: tuple[str, int]) -> None:
    desk = Desk()
    request = desk.access_request()
    desk.ask_aaah(request)
    assert len(desk.ask_aaah(request, source)) == 1
    assert desk.aaah.counters() == {}
    assert desk.aaah.replies_sent == (2, 0)


def test_same_identifier_with_another_authenticator_is_new() -> None:
    """A38."""
    desk = Desk()
    (first,) = desk.ask_aaah(desk.access_request(0, identifier=7))
    (second,) = desk.ask_aaah(desk.access_request(1, identifier=7))
    assert first != second
    assert desk.aaah.counters() == {"duplicate_renewed": 1}
    assert desk.aaah.replies_sent == (2, 0)


def test_forged_request_does_not_purge_the_stored_reply() -> None:
    desk = Desk()
    request = desk.access_request()
    (first,) = desk.ask_aaah(request)
    assert desk.ask_aaah(desk.access_request(identifier=1, secret=b"a guess of somebody else's")) == []
    assert desk.ask_aaah(request) == [first]


@pytest.mark.parametrize("count", [1, 3, 10])
def test_proxy_states_come_back_in_order(count: int) -> None:
    desk = Desk()
    states = [("Proxy-State", bytes((k,)) * (k + 1)) for k in range(count)]
    request = desk.access_request(more=states)
    (answer,) = desk.ask_aaah(request)
    reply = RadiusPacket.decode(answer, SECRET, request)
    assert reply.attributes.all("Proxy-State") == [value for _, value in states]
    assert [name for name, _ in reply.attributes][-count:] == ["Proxy-State"] * count


def test_proxy_states_of_a_reject_too() -> None:
    desk = Desk()
    request = desk.access_request(CHAP_Password=bytes(17), more=[("Proxy-State", b"a"), ("Proxy-State", b"b")])
    (answer,) = desk.ask_aaah(request)
    assert RadiusPacket.decode(answer, SECRET, request).attributes.all("Proxy-State") == [b"a", b"b"]


def test_eleven_proxy_states_are_silent() -> None:
    desk = Desk()
    assert desk.ask_aaah(desk.access_request(more=11 * [("Proxy-State", b"x")])) == []
    assert desk.aaah.counters() == {"proxy_state_limit": 1}


@pytest.mark.parametrize("reject", [False, True])
@pytest.mark.parametrize("count", [1, 6, 10])
def test_long_proxy_states_are_echoed_whole(count: int, reject: bool) -> None:
    """However much longer than any other reply that one is (RFC 2865 5.33); to a duplicate, too."""
    desk = Desk()
    states = [("Proxy-State", bytes((k,)) * 253) for k in range(count)]
    request = desk.access_request(more=states, **({"CHAP_Password": bytes(17)} if reject else {}))
    for _ in range(2):
        (answer,) = desk.ask_aaah(request)
        reply = RadiusPacket.decode(answer, SECRET, request)
        assert reply.code == (3 if reject else 2)
        assert reply.attributes.all("Proxy-State") == [v for _, v in states]
    assert desk.aaah.counters().get("duplicate_answered") == 1
    assert len(desk.ask_aaah(desk.access_request(identifier=9))) == 1
