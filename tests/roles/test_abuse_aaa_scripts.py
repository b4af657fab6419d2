"""Abuse that takes several RADIUS packets: answers of an AAAH that is wrong or is not the AAAH, and requests that go with
one another. A line says what is played and what must be seen afterwards (see `test_abuse_scripts`).

A35: the table has 129 and 130 for a bad Accept; ruling 6 makes that 128 without authenticator, since nothing in such an
Accept is taken.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar, NamedTuple

import pytest
from abuse import Script, Seen, code_of, tally
from holder import ACCEPT, REJECT, Holder
from home import ACCESS, HomeDesk, status_server
from realm import resigned
from world import AAAH, FHA, SECOND, SECRET

from fastcodec import RadiusPacket

# ---- A32, A33, A35, A36: answers of an AAAH that is wrong --------------------------------------------------------------------

def delayed_reject() -> Seen:
    desk = HomeDesk(reject_delay_ms=1000)
    states = [bytes((k,)) * 253 for k in range(10)]
    request = desk.access_request(CHAP_Password=bytes(17), more=[("Proxy-State", state) for state in states])
    desk.tell(request)
    (answer,) = desk.tell(b"", seconds=1.1)
    reply = RadiusPacket.decode(answer, SECRET, request)
    return {"code": reply.code, "whole": reply.attributes.all("Proxy-State") == states}


def told(**changes: Any) -> Callable[[], Seen]:
    """An Accept with these attributes instead."""
    def play() -> Seen:
        desk = Holder()
        desk.server.changes = changes
        reply = desk.ask()
        return {"code": reply.code, "signed": reply.is_signed, "lifetime": reply.message.lifetime, **left(desk)}
    return play


def left(desk: Holder) -> Seen:
    return {"leases": len(desk.fha.leases()), "leased": desk.pool.snapshot()["leased"], "under way": desk.fha.under_way}


NOTHING = {"leases": 0, "leased": 0, "under way": 0}
UNUSABLE = {"code": 128, "signed": False, "lifetime": 0, **NOTHING}
LEASED = {"signed": True, "leases": 1, "leased": 1, "under way": 0}


def key_spoilt(spoil: Callable[[bytes], bytes]) -> Callable[[], Seen]:
    """The hidden key: salt of two octets, then its length and itself under pads, RFC 2868 3.5."""
    def play() -> Seen:
        desk = Holder()
        true = desk.server.key
        def key(request: RadiusPacket, data: bytes) -> dict[str, Any]:
            values = true(request, data)
            return values | {"Mipstorm_MN_FHA_Key": spoil(values["Mipstorm_MN_FHA_Key"])}
        desk.server.key = key  # type: ignore[method-assign]
        reply = desk.ask()
        return {"code": reply.code, "signed": reply.is_signed, "lifetime": reply.message.lifetime, **left(desk)}
    return play


def anothers_address() -> Seen:
    desk = Holder()
    other = desk.bootstrap(1)
    desk.server.changes = {"Framed_IP_Address": other.home}
    reply = desk.ask(0)
    return {"code": reply.code, "signed": reply.is_signed, "leases": len(desk.fha.leases()), **tally(desk, "address_taken")}


def answered(code: int, attributes: list[tuple[str, Any]], times: int = 1) -> Callable[[], Seen]:
    """To every question, whatever it was."""
    def play() -> Seen:
        desk = Holder()
        desk.server.answer = (  # type: ignore[method-assign]
            lambda request, data: RadiusPacket(code, data[1], b"", attributes).encode(SECRET, data[4:20]))
        codes = set()
        for _ in range(times):
            reply = desk.ask()
            codes.add((reply.code, reply.is_signed))
            desk.wait(0.2)
        return {"codes": codes, "asked": len(desk.server.asked), **left(desk)}
    return play


# ---- A34, A37, A38, A40, A41: RADIUS exchanges --------------------------------------------------------------------------------

class Question(NamedTuple):
    """What the FHA has asked and waits for."""

    desk: Holder
    asked_from: tuple[str, int]
    octets: bytes
    answer: bytes


def question() -> Question:
    desk = Holder()
    desk.server.silent = True
    assert desk.send(desk.rrq()) == []
    sent = next(t for t in reversed(desk.net.tap) if t.destination == (AAAH, 1812))
    return Question(desk, sent.source, sent.data, desk.server.answer(RadiusPacket.decode(sent.data, SECRET), sent.data))


def bad_answer(change: Callable[[Question], bytes], source: tuple[str, int] = (AAAH, 1812)) -> Callable[[], Seen]:
    """Nobody hears of it, the request stays, and the true answer is taken."""
    def play() -> Seen:
        q = question()
        before = q.desk.fha.counters()
        silence = q.desk.exchange(source, q.asked_from, change(q), (FHA, 434))
        after = q.desk.fha.counters()
        under_way = q.desk.fha.under_way
        good = q.desk.exchange((AAAH, 1812), q.asked_from, q.answer, (FHA, 434))
        return {"silent": not silence, "under way": under_way, "then": code_of(good),
                "counted": {k: n - before.get(k, 0) for k, n in after.items() if n != before.get(k, 0)}}
    return play


def stayed(reason: str) -> Seen:
    return {"silent": True, "under way": 1, "then": [0], "counted": {reason: 1}}


def second_accept() -> Seen:
    q = question()
    first = q.desk.exchange((AAAH, 1812), q.asked_from, q.answer, (FHA, 434))
    before = q.desk.fha.leases()
    other = q.desk.server.answer(RadiusPacket.decode(q.octets, SECRET), q.octets)
    assert other != q.answer
    again = q.desk.exchange((AAAH, 1812), q.asked_from, other, (FHA, 434))
    return {"codes": code_of(first) + code_of(again), "same": q.desk.fha.leases() == before,
            **tally(q.desk, "unmatched_reply")}


def identifiers_run_out() -> Seen:
    """Four ports of 256: no pair is used again while it is out, and the rest is not asked."""
    desk = Holder(1100, pool="198.18.0.0/20")
    desk.server.silent = True
    for node in range(1100):
        desk.net.inject((desk.care_of(node), 5001), (FHA, 434), desk.rrq(node))
    desk.net.run(desk.net.now + SECOND // 10)
    pairs = [(t.source[1], t.data[1]) for t in desk.net.tap if t.destination == (AAAH, 1812)]
    return {"asked": len(pairs), "distinct": len(set(pairs)), "under way": desk.fha.under_way,
            **tally(desk, "no_identifier_free", "table_full")}


def conflicting_duplicate() -> Seen:
    """While the first one's Reject waits."""
    desk = HomeDesk(reject_delay_ms=1000)
    desk.tell(desk.access_request(0, identifier=7, CHAP_Password=bytes(17)))
    first = desk.tell(desk.access_request(1, identifier=7))
    later = desk.tell(b"", seconds=2)
    return {"first": [r[0] for r in first], "later": [r[0] for r in later],
            "renewed": desk.aaah.counters().get("duplicate_renewed"), "superseded": desk.aaah.counters().get("superseded")}


def chosen_prefix(states: list[bytes]) -> Callable[[], Seen]:
    """To a client that need not sign: the collision needs room in the reply, which Proxy-State would be."""
    def play() -> Seen:
        desk = HomeDesk(client={"require_message_authenticator": "no"})
        request = desk.pap_request(more=[("Proxy-State", state) for state in states])
        bare = request[:20] + request[38:]
        replies = desk.tell(bare[:2] + len(bare).to_bytes(2, "big") + bare[4:], port=ACCESS)
        return {"replies": [r[0] for r in replies], **{k: n for k, n in desk.aaah.counters().items() if "unb" not in k}}
    return play


def forged_from_a_collision() -> Seen:
    """What the forger ends up with: an Accept whose Response Authenticator is right and that holds the collision block."""
    class Trusting(Holder):
        aaah_settings: ClassVar[dict[str, Any]] = {"message_authenticator": "no"}

    desk = Trusting()
    desk.server.silent = True
    desk.send(desk.rrq())
    sent = next(t for t in reversed(desk.net.tap) if t.destination == (AAAH, 1812))
    true = desk.server.answer(RadiusPacket.decode(sent.data, SECRET), sent.data)
    forged = resigned(true[:20] + true[38:] + b"\x21\xe6" + bytes(228), sent.data)
    silence = desk.exchange((AAAH, 1812), sent.source, forged, (FHA, 434))
    return {"replies": len(silence), "under way": desk.fha.under_way, **tally(desk, "unasked_proxy_state")}


def watchdog_flood() -> Seen:
    desk = HomeDesk()
    replies = [r for k in range(100) for r in desk.tell(status_server(k), seconds=0.001)]
    other = desk.tell(status_server(7), source=("127.0.0.77", 40999))
    return {"replies": len(replies), "another client": len(other), "limit": desk.aaah.counters()["reply_limit"],
            "access": len(desk.tell(desk.access_request(identifier=200)))}


SCRIPTS = [
    Script("A32", "ten long Proxy-States in a Reject that waits", delayed_reject, {"code": 3, "whole": True}),
    Script("A33", "salt without its first bit", key_spoilt(lambda key: bytes((key[0] & 0x7f,)) + key[1:]), UNUSABLE),
    Script("A33", "key of 255 octets, it says", key_spoilt(lambda key: key[:2] + bytes((key[2] ^ 20 ^ 255,)) + key[3:]),
           UNUSABLE),
    Script("A33", "key cut short", key_spoilt(lambda key: key[:18]), UNUSABLE),
    Script("A34", "wrong identifier", bad_answer(lambda q: q.answer[:1] + bytes((q.answer[1] ^ 1,)) + q.answer[2:]),
           stayed("unmatched_reply")),
    Script("A34", "wrong source", bad_answer(lambda q: q.answer, ("127.0.0.99", 1812)), stayed("unmatched_reply")),
    Script("A34", "wrong port", bad_answer(lambda q: q.answer, (AAAH, 1813)), stayed("unmatched_reply")),
    Script("A34", "wrong authenticator", bad_answer(lambda q: q.answer[:4] + bytes(16) + q.answer[20:]),
           stayed("bad_response_authenticator")),
    Script("A34", "wrong Message-Authenticator alone",
           bad_answer(lambda q: resigned(q.answer[:22] + bytes(16) + q.answer[38:], q.octets)),
           stayed("bad_message_authenticator")),
    Script("A34", "no Message-Authenticator", bad_answer(lambda q: resigned(q.answer[:20] + q.answer[38:], q.octets)),
           stayed("no_message_authenticator")),
    Script("A34", "a second Accept, another one", second_accept, {"codes": [0], "same": True, "unmatched_reply": 1}),
    *[Script("A35", what, told(**changes), UNUSABLE) for what, changes in [
        *((f"no {name}", {name: None}) for name in (
            "Framed_IP_Address", "Mipstorm_IPv6_Home_Address", "Mipstorm_IPv6_Home_Agent", "Mipstorm_MN_FHA_Key",
            "Mipstorm_MN_FHA_Nonce", "Mipstorm_MN_FHA_FHA_SPI", "Mipstorm_AAA_SPI")),
        *((f"home address {home}", {"Framed_IP_Address": home}) for home in (
            "0.0.0.0", "127.0.0.1", "224.0.0.5", "240.0.0.1", "169.254.1.1", "255.255.255.255", FHA)),
        ("two home addresses", {"Framed_IP_Address": ["198.18.0.5", "198.18.0.6"]}),
        ("two keys", {"Mipstorm_MN_FHA_Key": [b"\x80" + bytes(33), b"\x80" + bytes(33)]}),
        ("key lifetime 0", {"Mipstorm_MN_FHA_Key_Lifetime": 0})]],
    Script("A35", "registration lifetime 2^32 - 1", told(Mipstorm_Registration_Lifetime=2**32 - 1),
           {"code": 0, "lifetime": 1800, **LEASED}),
    Script("A35", "session timeout 2^32 - 1", told(Session_Timeout=2**32 - 1), {"code": 0, "lifetime": 1800, **LEASED}),
    Script("A35", "home address of another NAI", anothers_address,
           {"code": 130, "signed": True, "leases": 1, "address_taken": 1}),
    Script("A36", "Challenges without end", answered(11, [("State", b"again")], 12),
           {"codes": {(128, False)}, "asked": 12, **NOTHING}),
    Script("A36", "a Reject with what an Accept has",
           answered(REJECT, [("Framed-IP-Address", "198.18.0.9"), ("Session-Timeout", 7200), ("Service-Type", 2)]),
           {"codes": {(131, False)}, "asked": 1, **NOTHING}),
    Script("A37", "more than 256 outstanding at each of four ports", identifiers_run_out,
           {"asked": 1024, "distinct": 1024, "under way": 1024, "no_identifier_free": 76, "table_full": 76}),
    Script("A38", "same identifier and port, other authenticator", conflicting_duplicate,
           {"first": [ACCEPT], "later": [], "renewed": 1, "superseded": 1}),
    Script("A40", "prefix and suffix to a client that need not sign", chosen_prefix([bytes(range(228)), bytes(48)]),
           {"replies": [], "no_message_authenticator": 1}),
    Script("A40", "the forged Accept", forged_from_a_collision, {"replies": 0, "under way": 1, "unasked_proxy_state": 1}),
    Script("A41", "100 Status-Servers in a second", watchdog_flood,
           {"replies": 10, "another client": 1, "limit": 90, "access": 1}),
]


@pytest.mark.parametrize("script", SCRIPTS, ids=[f"{s.id} {s.what}" for s in SCRIPTS])
def test_script(script: Script) -> None:
    assert script.play() == script.seen
