"""Registrations under a key held already: MN-HA alone, no AAAH (RFC 5944 3.8.2.1, rulings 8 and 9)."""

from ipaddress import IPv4Address
from pathlib import Path

import pytest
from desk import RESERVED_X, D, G, S, T, nai_extension, nonce_request
from holder import Holder, challenge_extension, cvse, signed

from fastcodec import MnHaAuthentication, NonceReply, RegistrationReply

CODES: list[tuple[str, int, str, dict[str, object]]] = [
    ("another home agent", 136, "home_agent_refused", {"agent": "127.0.0.9"}),
    ("GRE", 139, "encapsulation_refused", {"flags": D | G}),
    ("another home address", 129, "home_address_refused", {"home": "198.18.0.77"}),
    ("care-of address is not the source", 129, "care_of_refused", {"care_of": "127.64.0.9"}),
    ("reserved bit", 134, "poorly_formed", {"flags": D | RESERVED_X}),
    ("critical extension of a vendor", 140, "cvse_refused", {"extra": cvse()}),
    ("two NAIs", 134, "doubled_extension", {"extra": nai_extension(b"other@x")}),
]


def test_renewal_asks_nobody_and_restarts_the_lifetime() -> None:
    desk = Holder()
    held = desk.bootstrap(lifetime=10)
    desk.wait(8)
    reply = desk.renew(held, lifetime=10)
    assert (reply.code, reply.lifetime, str(reply.home_address)) == (0, 10, held.home)
    assert reply.find(NonceReply) is None
    assert [type(e).__name__ for e in reply.extensions] == ["Nai", "MnHaAuthentication"]
    assert len(desk.server.asked) == 1, "the AAAH was asked again"
    desk.wait(8)
    assert len(desk.fha.leases()) == 1, "the lifetime did not start again"
    desk.wait(3)
    assert desk.fha.leases() == {}
    assert desk.fha.counters() == {"renewed": 1, "expired": 1}


def test_renewal_without_home_address_gets_the_one_it_has() -> None:
    desk = Holder()
    held = desk.bootstrap()
    assert str(desk.renew(held, home="0.0.0.0").home_address) == held.home


def test_handover() -> None:
    """A new care-of address is the packet's source; the reply goes there."""
    desk = Holder()
    held = desk.bootstrap()
    mark = len(desk.net.tap)
    octets = desk.one(desk.renewal(held, care_of="127.64.9.9"), source=("127.64.9.9", 5001))
    assert desk.verified(octets, held).code == 0
    assert desk.net.tap[-1].destination == ("127.64.9.9", 5001)
    assert len(desk.net.tap) == mark + 2
    assert desk.fha.counters() == {"renewed": 1, "handed_over": 1}
    assert len(desk.fha.leases()) == 1


@pytest.mark.parametrize(("code", "counter", "changes"), [row[1:] for row in CODES], ids=[row[0] for row in CODES])
def test_refusal_is_signed_and_changes_nothing(code: int, counter: str, changes: dict[str, object]) -> None:
    desk = Holder()
    held = desk.bootstrap()
    before = desk.fha.leases()
    reply = desk.renew(held, **changes)
    assert (reply.code, reply.lifetime, reply.home_agent) == (code, 0, IPv4Address("127.0.0.2"))
    assert desk.fha.counters() == {counter: 1}
    assert desk.fha.leases() == before
    desk.wait(1.1)
    assert desk.renew(held).code == 0


def test_simultaneous_binding_is_served_as_one() -> None:
    desk = Holder()
    held = desk.bootstrap()
    assert desk.renew(held, flags=D | T | S).code == 1


@pytest.mark.parametrize("what", ["authenticator", "key of another node", "a covered octet"])
def test_wrong_mn_ha_is_131_under_the_true_key(what: str) -> None:
    desk = Holder()
    held, other = desk.bootstrap(), desk.bootstrap(1)
    request = bytearray(desk.renewal(held, key=other.key if what == "key of another node" else None))
    if what != "key of another node":
        request[-1 if what == "authenticator" else 3] ^= 1
    reply = desk.verified(desk.one(bytes(request)), held)
    assert (reply.code, reply.lifetime) == (131, 0)
    assert reply.identification == int.from_bytes(request[16:24], "big")
    assert desk.count("bad_mn_ha") == 1
    assert desk.renew(held).code == 0, "a stranger stood in the node's way"


def test_at_most_one_131_a_second_and_node() -> None:
    desk = Holder()
    held, other = desk.bootstrap(), desk.bootstrap(1)
    desk.wait(2)
    answered = [len(desk.send(desk.renewal(held, key=bytes(16)))) for _ in range(5)]
    assert answered == [1, 0, 0, 0, 0]
    assert len(desk.send(desk.renewal(other, key=bytes(16)), node=1)) == 1
    assert desk.fha.counters() == {"bad_mn_ha": 2, "reply_limit": 4}
    assert desk.kept()[1] == 0


@pytest.mark.parametrize("spi", [0, 255, 256, 0xffffffff])
def test_unknown_spi_is_silent(spi: int) -> None:
    desk = Holder()
    held = desk.bootstrap()
    assert desk.send(desk.renewal(held, spi=spi)) == []
    assert desk.fha.counters() == {"unknown_spi": 1}
    assert desk.send(desk.renewal(held, nai=nai_extension(b"nobody@home.example"))) == []
    assert desk.fha.counters() == {"unknown_spi": 2}
    assert len(desk.server.asked) == 1


def test_spi_of_another_node_is_silent() -> None:
    desk = Holder()
    held, other = desk.bootstrap(), desk.bootstrap(1)
    assert desk.send(desk.renewal(held, spi=other.ha_spi, key=other.key)) == []
    assert desk.fha.counters() == {"unknown_spi": 1}


@pytest.mark.parametrize("after", [
    nonce_request(9999), nai_extension(b"other@x"), challenge_extension(bytes(16)), cvse(),
    signed(b"", 4096, bytes(16)), nonce_request(1)], ids=["42", "131", "132", "38", "32", "42 reserved"])
def test_what_stands_behind_mn_ha_is_not_used(after: bytes) -> None:
    desk = Holder()
    held = desk.bootstrap()
    reply = desk.renew(held, after=after)
    assert reply.code == 0
    assert [type(e).__name__ for e in reply.extensions] == ["Nai", "MnHaAuthentication"]
    assert len(desk.server.asked) == 1


def test_nai_behind_mn_ha_is_no_nai() -> None:
    desk = Holder()
    held = desk.bootstrap()
    assert desk.send(desk.renewal(held, nai=b"", after=nai_extension(desk.columns.nai[0]))) == []
    assert desk.fha.counters() == {"no_nai": 1}


def test_foreign_agent_s_authenticator_without_association_is_silent() -> None:
    """RFC 5944 3.8.2.1 c."""
    desk = Holder()
    held = desk.bootstrap()
    fa_ha = b"\x22\x14\x00\x00\x03\x01" + bytes(16)
    assert desk.send(desk.renewal(held, after=fa_ha)) == []
    assert desk.fha.counters() == {"agent_unknown": 1}


def test_lifetime_is_within_the_limits_of_the_aaah() -> None:
    """What it said of one registration, and what is left of the session."""
    desk = Holder()
    desk.server.changes = {"Mipstorm_Registration_Lifetime": 600, "Session_Timeout": 1000}
    held = desk.bootstrap()
    assert held.reply.message.lifetime == 600
    desk.wait(500)
    assert desk.renew(held).lifetime == 499
    desk.wait(499.5)
    assert desk.renew(held).lifetime == 1, "0 would be a deregistration"
    desk.wait(2)
    assert desk.fha.leases() == {}
    reply = desk.renew(held)
    assert (reply.code, desk.count("session_over")) == (129, 1), "the session is over; the key alone opens no other"
    assert desk.renew(held, lifetime=0).code == 0
    assert desk.taken(desk.one(desk.rekeying(held))).home == held.home


def test_duplicate_gets_the_same_octets_and_extends_nothing() -> None:
    desk = Holder()
    held = desk.bootstrap()
    request = desk.renewal(held, lifetime=10)
    first = desk.one(request)
    desk.wait(5)
    assert desk.one(request) == first
    desk.wait(5.1)
    assert desk.fha.leases() == {}
    assert desk.fha.counters() == {"renewed": 1, "duplicate_answered": 1, "expired": 1}


def test_renewal_does_not_wait_for_the_aaah() -> None:
    """Whoever makes the AAAH busy in the node's name does not keep it from renewing. The older request is then old."""
    desk = Holder()
    held = desk.bootstrap()
    desk.server.silent = True
    assert desk.send(desk.rekeying(held)) == []
    for _ in range(20):
        assert desk.send(desk.rrq(key=bytes(16)), seconds=0.001) == []
    assert desk.renew(held).code == 0
    desk.server.silent = False
    desk.wait(3)
    replies = [t.data for t in desk.net.tap if t.source == ("127.0.0.2", 434)][2:]
    assert [desk.read(o).code for o in replies] == [133, 131]
    assert desk.renew(held).code == 0
    assert desk.kept()[1] == 0


def test_strangers_do_not_use_up_what_the_node_may_send() -> None:
    """Ruling 16 is for those who have proven who they are."""
    desk = Holder()
    held = desk.bootstrap()
    desk.wait(1)
    requests = [desk.renewal(held, key=bytes(16), identification=desk.ntp(k / 1000)) for k in range(30)]
    for request in [*requests[:15], desk.renewal(held), *requests[15:]]:
        desk.net.inject(("127.64.0.1", 5001), ("127.0.0.2", 434), request)
    mark = len(desk.net.tap)
    desk.wait(0.2)
    codes = sorted(desk.verified(t.data, held).code for t in desk.net.tap[mark:] if t.source == ("127.0.0.2", 434))
    assert codes == [0, 131]


def test_ten_renewals_a_second() -> None:
    desk = Holder()
    held = desk.bootstrap()
    desk.wait(2.1)
    answered = [len(desk.send(desk.renewal(held, identification=desk.ntp(k / 1000)), seconds=0.001)) for k in range(15)]
    assert answered == [1] * 10 + [0] * 5
    assert desk.fha.counters() == {"renewed": 10, "node_budget": 5}


def test_two_at_once_are_served_one_after_the_other(tmp_path: Path) -> None:
    """The second waits until the journal has the first; of those that wait the newest counts (ruling 1)."""
    desk = Holder(state=tmp_path / "a")
    held = desk.bootstrap()
    requests = [desk.renewal(held, identification=desk.ntp(k / 1000)) for k in range(4)]
    for request in [*requests, requests[0], requests[3]]:
        desk.net.inject(("127.64.0.1", 5001), ("127.0.0.2", 434), request)
    mark = len(desk.net.tap)
    desk.wait(0.2)
    desk.settle()
    desk.settle()
    replies = [desk.verified(t.data, held) for t in desk.net.tap[mark:] if t.source == ("127.0.0.2", 434)]
    assert [r.identification for r in replies] == [int.from_bytes(requests[k][16:24], "big") for k in (0, 3)]
    assert desk.fha.counters() == {"renewed": 2, "superseded": 2, "duplicate_pending": 2}
    assert desk.kept()[1] == 0
    desk.store.close()


@pytest.mark.parametrize("first", ["renewed", "too old"])
def test_whoever_waits_in_the_batch_of_the_older_request_starts_at_the_beginning(first: str) -> None:
    """Nothing holds the older one up here, so that it is over within the run that both came in. If it gets the one 133 of
    this second, the other gets silence."""
    desk = Holder()
    held = desk.bootstrap()
    desk.wait(2)
    off = -100 if first == "too old" else 0
    mark = len(desk.net.tap)
    for request in (desk.renewal(held, lifetime=100, identification=desk.ntp(off)),
                    desk.renewal(held, lifetime=200, identification=desk.ntp(off + 0.001))):
        desk.net.inject(("127.64.0.1", 5001), ("127.0.0.2", 434), request)
    desk.wait(0.1)
    replies = [desk.verified(t.data, held) for t in desk.net.tap[mark:] if t.source == ("127.0.0.2", 434)]
    assert [(reply.code, reply.lifetime) for reply in replies] == ([(133, 0)] if off else [(0, 100), (0, 200)])
    assert desk.kept()[1] == 0


def test_renewal_after_a_restart(tmp_path: Path) -> None:
    desk = Holder(state=tmp_path / "a")
    held = desk.bootstrap(lifetime=100)
    again = desk.restarted(tmp_path / "b", 1)
    assert again.renew(held, lifetime=100).code == 0
    assert again.server.asked == []
    third = again.restarted(tmp_path / "c", 50)
    assert third.fha.leases() == desk.fha.leases()
    reply = RegistrationReply.decode(third.one(third.renewal(held, key=bytes(16))), held.key)
    assert (reply.code, reply.find(MnHaAuthentication).spi) == (131, held.mn_spi)
    for each in (desk, again, third):
        each.store.close()


def test_renewal_is_not_answered_before_it_is_durable(tmp_path: Path) -> None:
    desk = Holder(state=tmp_path / "a")
    held = desk.bootstrap()
    assert desk.send(desk.renewal(held)) == []
    mark = len(desk.net.tap)
    desk.settle()
    assert [t.source for t in desk.net.tap[mark:]] == [("127.0.0.2", 434)]
    desk.store.close()
