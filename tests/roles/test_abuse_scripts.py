"""Abuse that takes several packets: a line says what is played and what must be seen afterwards.

A35: the table has 129 and 130 for a bad Accept; ruling 6 makes that 128 without authenticator, since nothing in such an
Accept is taken. A foreign agent's challenges (A23) are single use at the foreign agent; our FHA hands them back, and
the Identification decides. I8: a replay changes nothing, also when what it had brought about is over.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

import pytest
from holder import ACCEPT, REJECT, Holder
from home import ACCESS, HomeDesk, status_server
from realm import resigned
from world import AAAH, FHA, SECOND, SECRET

from fastcodec.message import RadiusPacket

Seen = dict[str, Any]
POOL_ADDRESSES = 254


class Script(NamedTuple):
    id: str
    what: str
    play: Callable[[], Seen]
    seen: Seen


class NoRest(Holder):
    """Addresses do not rest, so that nothing of an ended lease is kept for that."""

    cool_down_s = 0


class LongWindow(Holder):
    """Addresses rest 30 s; a timestamp may be further off than that."""

    fha_settings: ClassVar[dict[str, Any]] = {"window_s": 255}


def code_of(replies: list[bytes]) -> list[int]:
    return [reply[1] for reply in replies]


def counted(desk: Holder, *reasons: str) -> Seen:
    return {reason: desk.count(reason) for reason in reasons}


# ---- A12-A16: an association of one's own, a lease of somebody else -----------------------------------------------------

def repeated() -> Seen:
    desk = Holder()
    request = desk.rrq()
    first = desk.one(request)
    return {"same": desk.one(request) == first, **counted(desk, "duplicate_answered")}


def renewed(*, off: int = 0, **changes: Any) -> Callable[[], Seen]:
    """After an accepted renewal, another whose Identification is that one's and a bit."""
    def play() -> Seen:
        desk = Holder()
        held = desk.bootstrap()
        moment = desk.ntp()
        assert desk.renew(held, identification=moment).code == 0
        before = desk.fha.leases()
        code = desk.renew(held, identification=moment + off, **changes).code
        return {"code": code, "moved": desk.fha.leases() != before, **counted(desk, "identification_refused")}
    return play


def release_of_another() -> Seen:
    """Under one's own key, with the other's home address: one's own lease ends, if any."""
    desk = Holder()
    mine, other = desk.bootstrap(0), desk.bootstrap(1)
    reply = desk.renew(mine, home=other.home, lifetime=0)
    return {"code": reply.code, "left": list(desk.fha.leases()), "of": str(reply.home_address) == mine.home}


def first_with_anothers_home() -> Seen:
    desk = Holder()
    other = desk.bootstrap(1)
    before = desk.fha.leases()
    reply = desk.ask(0, home=other.home)
    return {"code": reply.code, "signed": reply.is_signed, "changed": desk.fha.leases() != before}


def another_agent(with_proof: bool, agent: str) -> Callable[[], Seen]:
    def play() -> Seen:
        desk = Holder()
        held = desk.bootstrap()
        asked = len(desk.server.asked)
        request = (desk.rekeying if with_proof else desk.renewal)(held, agent=agent)
        reply = desk.verified(desk.one(request), held)
        return {"code": reply.code, "agent": str(reply.home_agent), "asked": len(desk.server.asked) - asked,
                "leases": len(desk.fha.leases()), "next": desk.renew(held).code}
    return play


# ---- A21, A23: many requests ---------------------------------------------------------------------------------------------

def from_many_sources() -> Seen:
    """Ten copies of the reply a second, ruling 16; no copy asks the AAAH, and no source gets more than it sent."""
    desk = Holder()
    request = desk.rrq()
    desk.one(request)
    replies = [reply for k in range(1000)
               for reply in desk.send(request, source=(f"127.65.{k // 250}.{k % 250 + 1}", 5001), seconds=0.0001)]
    return {"replies": len(replies), "asked": len(desk.server.asked), "leases": len(desk.fha.leases()),
            **counted(desk, "duplicate_answered", "node_budget")}


def from_one_node() -> Seen:
    desk = Holder()
    held = desk.bootstrap()
    desk.wait(2)
    replies = [reply for k in range(1000)
               for reply in desk.send(desk.renewal(held, identification=desk.ntp() + k), seconds=0.0005)]
    desk.wait(2)
    return {"replies": len(replies), "next": desk.renew(held).code, **counted(desk, "node_budget")}


def challenge_again() -> Seen:
    desk = Holder()
    first = desk.chap_request(challenge=b"\x84 octets")
    second = desk.chap_request(challenge=b"\x84 octets", identification=desk.ntp(0.5))
    stale = desk.chap_request(challenge=b"\x84 octets", identification=desk.ntp(0.4))
    codes = [code for request in (first, second, stale) for code in code_of(desk.send(request))]
    return {"codes": codes, "leases": len(desk.fha.leases())}


# ---- I8: what is over stays over -------------------------------------------------------------------------------------------

def replayed(kind: type[Holder], *, ends: str, off: float = 0.0, restart: bool = False) -> Callable[[], Seen]:
    """A captured first registration of 2 s, sent again when its lease has ended, its timestamp still within the window."""
    def play() -> Seen:
        with tempfile.TemporaryDirectory() as folder:
            desk = kind(state=Path(folder) / "a")
            capture = desk.rrq(lifetime=2, identification=desk.ntp(off))
            held = desk.taken(desk.one(capture))
            if ends == "given back":
                assert desk.verified(desk.one(desk.renewal(held, lifetime=0, identification=desk.ntp(off + 0.1))), held).code == 0
            desk.wait(40 if kind is LongWindow else 4)
            assert desk.fha.leases() == {}
            desks = [desk]
            if restart:
                desks.append(desk.restarted(Path(folder) / "b"))
            code, leases = code_of([desks[-1].one(capture)]), len(desks[-1].fha.leases())
            desks[-1].wait(1.1)
            (fresh,) = code_of([desks[-1].one(desk.rrq(identification=desks[-1].ntp(off + 1)))])
            for each in desks:
                each.store.close()
            return {"codes": code, "leases": leases, "next": fresh}
    return play


OVER = {"codes": [133], "leases": 0, "next": 0}


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
    return {"code": reply.code, "signed": reply.is_signed, "leases": len(desk.fha.leases()), **counted(desk, "address_taken")}


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
            **counted(q.desk, "unmatched_reply")}


def identifiers_run_out() -> Seen:
    """Four ports of 256: no pair is used again while it is out, and the rest is not asked."""
    desk = Holder(1100, pool="198.18.0.0/20")
    desk.server.silent = True
    for node in range(1100):
        desk.net.inject((desk.care_of(node), 5001), (FHA, 434), desk.rrq(node))
    desk.net.run(desk.net.now + SECOND // 10)
    pairs = [(t.source[1], t.data[1]) for t in desk.net.tap if t.destination == (AAAH, 1812)]
    return {"asked": len(pairs), "distinct": len(set(pairs)), "under way": desk.fha.under_way,
            **counted(desk, "no_identifier_free", "table_full")}


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
    return {"replies": len(silence), "under way": desk.fha.under_way, **counted(desk, "unasked_proxy_state")}


def watchdog_flood() -> Seen:
    desk = HomeDesk()
    replies = [r for k in range(100) for r in desk.tell(status_server(k), seconds=0.001)]
    other = desk.tell(status_server(7), source=("127.0.0.77", 40999))
    return {"replies": len(replies), "another client": len(other), "limit": desk.aaah.counters()["reply_limit"],
            "access": len(desk.tell(desk.access_request(identifier=200)))}


SCRIPTS = [
    Script("A12", "equal, same octets", repeated, {"same": True, "duplicate_answered": 1}),
    Script("A12", "equal, other care-of address", renewed(care_of="127.64.0.9"),
           {"code": 133, "moved": False, "identification_refused": 1}),
    Script("A12", "older by one", renewed(off=-1), {"code": 133, "moved": False, "identification_refused": 1}),
    Script("A13", "release of another's", release_of_another,
           {"code": 0, "left": [b"mn000001@home.example"], "of": True}),
    Script("A14", "home address of another owner", first_with_anothers_home, {"code": 129, "signed": True, "changed": False}),
    *[Script("A16", f"{agent}, under a key of ours{' and MN-AAA' if with_proof else ''}", another_agent(with_proof, agent),
             {"code": 136, "agent": FHA, "asked": 0, "leases": 1, "next": 0})
      for agent in ("127.0.0.9", "0.0.0.0", "255.255.255.255") for with_proof in (False, True)],
    Script("A21", "one request from 1000 sources", from_many_sources,
           {"replies": 10, "asked": 1, "leases": 1, "duplicate_answered": 10, "node_budget": 990}),
    Script("A21", "1000 requests a second from one node", from_one_node, {"replies": 10, "next": 0, "node_budget": 990}),
    Script("A23", "a challenge reused, then with a stale Identification", challenge_again, {"codes": [0, 0, 133], "leases": 1}),
    *[Script("I8", f"{ends}, {kind.__name__}, {off} s off{', after a restart' if restart else ''}",
             replayed(kind, ends=ends, off=off, restart=restart), OVER)
      for kind, off in ((NoRest, 0.0), (NoRest, 6.0), (LongWindow, 0.0), (LongWindow, 200.0))
      for ends in ("expired", "given back") for restart in (False, True)],
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
