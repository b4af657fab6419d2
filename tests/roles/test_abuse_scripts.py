"""Abuse that takes several packets: a line says what is played and what must be seen afterwards.

A foreign agent's challenges (A23) are single use at the foreign agent; our FHA hands them back, and the Identification
decides. I8: a replay changes nothing, also when what it had brought about is over.
"""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

import pytest
from abuse import Script, Seen, code_of, tally
from holder import Holder
from world import FHA


class NoRest(Holder):
    """Addresses do not rest, so that nothing of an ended lease is kept for that."""

    cool_down_s = 0


class LongWindow(Holder):
    """Addresses rest 30 s; a timestamp may be further off than that."""

    fha_settings: ClassVar[dict[str, Any]] = {"window_s": 255}


# ---- A12-A16: an association of one's own, a lease of somebody else -----------------------------------------------------

def repeated() -> Seen:
    desk = Holder()
    request = desk.rrq()
    first = desk.one(request)
    return {"same": desk.one(request) == first, **tally(desk, "duplicate_answered")}


def renewed(*, off: int = 0, **changes: Any) -> Callable[[], Seen]:
    """After an accepted renewal, another whose Identification is that one's and a bit."""
    def play() -> Seen:
        desk = Holder()
        held = desk.bootstrap()
        moment = desk.ntp()
        assert desk.renew(held, identification=moment).code == 0
        before = desk.fha.leases()
        code = desk.renew(held, identification=moment + off, **changes).code
        return {"code": code, "moved": desk.fha.leases() != before, **tally(desk, "identification_refused")}
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
            **tally(desk, "duplicate_answered", "node_budget")}


def from_one_node() -> Seen:
    desk = Holder()
    held = desk.bootstrap()
    desk.wait(2)
    replies = [reply for k in range(1000)
               for reply in desk.send(desk.renewal(held, identification=desk.ntp() + k), seconds=0.0005)]
    desk.wait(2)
    return {"replies": len(replies), "next": desk.renew(held).code, **tally(desk, "node_budget")}


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


def replayed_by_many() -> Seen:
    """So many nodes that what is kept of some shares a place: nothing passes, and nobody is locked out."""
    desk = NoRest(2000, pool="198.18.0.0/20")
    captures = [desk.rrq(node, lifetime=2, identification=desk.ntp(5)) for node in range(2000)]
    first = Counter(code for node in range(2000) for code in code_of(desk.send(captures[node], node=node, seconds=0.0005)))
    desk.wait(3)
    over = desk.fha.leases() == {}
    again = Counter(code for node in range(2000) for code in code_of(desk.send(captures[node], node=node, seconds=0.0005)))
    desk.wait(3)
    fresh = Counter(desk.ask(node, seconds=0.0005).code for node in range(2000))
    return {"first": first, "over": over, "again": again, "fresh": fresh}


OVER = {"codes": [133], "leases": 0, "next": 0}


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
    Script("I8", "2000 nodes at once", replayed_by_many,
           {"first": {0: 2000}, "over": True, "again": {133: 2000}, "fresh": {0: 2000}}),
]


@pytest.mark.parametrize("script", SCRIPTS, ids=[f"{s.id} {s.what}" for s in SCRIPTS])
def test_script(script: Script) -> None:
    assert script.play() == script.seen
