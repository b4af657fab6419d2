"""A node hears from the FHA that the AAAH has ended its binding (RFC 3543 towards a directly registering node;
mobileip.md 1.11, radius.md 9.7), and what strangers can do with those messages (A22)."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any

import pytest
from abuse import SocketDesk
from desk import UNIX_IN_NTP, md5_mac
from holder import Holder, Holding, signed
from test_orders import COA, COA_ACK, DISCONNECT, DISCONNECT_ACK, ORDERS, Ordered, order, ours, put
from test_restart import break_disk
from world import AAAH, FHA, FHA_PORTS, SECOND

from fastcodec import NonceReply
from servers.net.udp import Driver, open_socket
from servers.tables.replies import ReplyCache

SUPPORT = b"\x89\x06\x80\x00" + (0xC812EBC0).to_bytes(4, "big")
PORT = 5001
NODE = ("127.64.0.1", PORT)


class Revoking(Ordered):
    def revocations(self, mark: int = 0) -> list[bytes]:
        """What the FHA has sent to the node's address and port, of type 7."""
        return [t.data for t in self.net.tap[mark:]
                if t.source == (FHA, 434) and t.destination == NODE and t.data[0] == 7]

    def acknowledge(self, data: bytes, source: tuple[str, int] = NODE) -> None:
        assert self.send(data, source=source) == [], "never answered"

    def seconds(self) -> int:
        return self.wall() // SECOND + UNIX_IN_NTP

    def unfinished(self) -> int:
        return int(self.fha.gauges()["revocations_under_way"][0])


@pytest.fixture
def desk() -> Revoking:
    return Revoking()


@pytest.fixture
def held(desk: Revoking) -> Holding:
    return desk.bootstrap(extra=SUPPORT)


def acknowledgment(revocation: bytes, held: Holding, *, key: bytes | None = None, spi: int | None = None) -> bytes:
    """RFC 3543 3.4, as the node sends it."""
    return signed(b"\x0f\x00\x80\x00" + revocation[4:8] + revocation[16:20], held.ha_spi if spi is None else spi,
                  held.key if key is None else key)


# ---- support -------------------------------------------------------------------------------------------------------------

def extensions(reply: bytes) -> list[tuple[int, bytes]]:
    """(type, value) of the TLV ones; 43 is long."""
    at, found = 20, []
    while at < len(reply):
        size = 4 + int.from_bytes(reply[at + 2:at + 4], "big") if reply[at] == 43 else 2 + reply[at + 1]
        found.append((reply[at], reply[at + 2:at + size]))
        at += size
    return found


@pytest.mark.parametrize("inform", [0x8000, 0])
def test_the_reply_says_that_revocation_is_known(desk: Revoking, inform: int) -> None:
    held = desk.bootstrap(extra=b"\x89\x06" + inform.to_bytes(2, "big") + bytes(4))
    kinds = extensions(held.reply.octets)
    assert [kind for kind, _ in kinds][-2:] == [137, 32]
    assert kinds[-2][1] == inform.to_bytes(2, "big") + desk.seconds().to_bytes(4, "big")
    desk.told(DISCONNECT, desk.named())
    (message,) = desk.revocations()
    assert message[2:4] == (0x8000 | inform >> 1).to_bytes(2, "big")


@pytest.mark.parametrize("how", [{}, {"extra": b"\x89\x05\x80\0\0\0\0"}, {"after": SUPPORT}])
def test_only_who_says_so_is_told(desk: Revoking, how: dict[str, bytes]) -> None:
    """An extension of another length, or behind the proof, says nothing."""
    held = desk.bootstrap(**how)
    assert 137 not in [kind for kind, _ in extensions(held.reply.octets)]
    assert desk.told(DISCONNECT, desk.named()).code == DISCONNECT_ACK
    desk.wait(10)
    assert desk.revocations() == []
    assert desk.count("revoked") == 0


def test_a_renewal_says_it_anew(desk: Revoking, held: Holding) -> None:
    reply = desk.one(desk.renewal(held, extra=SUPPORT))
    assert 137 in [kind for kind, _ in extensions(reply)]
    assert 137 not in [kind for kind, _ in extensions(desk.one(desk.renewal(held)))]
    assert desk.told(DISCONNECT, desk.named()).code == DISCONNECT_ACK
    assert desk.revocations() == []


def test_refusals_and_goodbyes_do_not_mention_it(desk: Revoking, held: Holding) -> None:
    for request in (desk.renewal(held, extra=SUPPORT, lifetime=0), desk.renewal(held, extra=SUPPORT, agent="127.0.0.9")):
        assert 137 not in [kind for kind, _ in extensions(desk.one(request))]


# ---- a binding that the AAAH ends ----------------------------------------------------------------------------------------

def test_told_and_acknowledged(desk: Revoking, held: Holding) -> None:
    stamp = desk.seconds()
    assert desk.told(DISCONNECT, desk.named()).code == DISCONNECT_ACK
    (message,) = desk.revocations()
    assert message[:20] == (b"\x07\x00\xc0\x00" + IPv4Address(held.home).packed + IPv4Address(FHA).packed
                            + IPv4Address(NODE[0]).packed + message[16:20])
    assert int.from_bytes(message[16:20], "big") > stamp, "else it could be a replay of what was before the registration"
    assert message[20:26] == b"\x20\x14" + held.mn_spi.to_bytes(4, "big")
    assert message[26:] == md5_mac(held.key, message[:26])
    assert (desk.kept(), desk.unfinished()) == (({}, 0), 1)
    desk.acknowledge(acknowledgment(message, held))
    assert desk.unfinished() == 0
    desk.wait(20)
    assert desk.revocations() == [message]
    assert (desk.count("revoked"), desk.count("revocation_answered"), desk.count("revocation_unanswered")) == (1, 1, 0)


def test_sent_three_times_and_no_more(desk: Revoking, held: Holding) -> None:
    began = desk.net.now
    assert desk.told(DISCONNECT, desk.named()).code == DISCONNECT_ACK
    desk.wait(30)
    sent = [t for t in desk.net.tap if t.source == (FHA, 434) and t.data[0] == 7]
    assert len({t.data for t in sent}) == 1
    assert [round((t.time_ns - began) / SECOND, 1) for t in sent] == [0.0, 1.0, 3.0]
    assert (desk.count("revocation_unanswered"), desk.count("retransmitted"), desk.unfinished()) == (1, 2, 0)
    desk.acknowledge(acknowledgment(sent[0].data, held))
    assert desk.count("revocation_unmatched") == 1


def test_a_late_answer_within_the_tries(desk: Revoking, held: Holding) -> None:
    desk.told(DISCONNECT, desk.named())
    desk.wait(1.5)
    assert len(desk.revocations()) == 2
    desk.acknowledge(acknowledgment(desk.revocations()[0], held))
    desk.wait(10)
    assert len(desk.revocations()) == 2


def test_the_order_s_answer_does_not_wait_for_the_node(desk: Revoking, held: Holding) -> None:
    """But it leaves no earlier than what the node is told."""
    mark = len(desk.net.tap)
    assert desk.told(DISCONNECT, desk.named()).code == DISCONNECT_ACK
    left = [t for t in desk.net.tap[mark:] if t.source in ((FHA, 434), ORDERS)]
    assert sorted((t.source[1], t.data[0]) for t in left) == [(434, 7), (3799, DISCONNECT_ACK)]
    assert left[0].time_ns == left[1].time_ns
    desk.tell(order(DISCONNECT, desk.named(), identifier=8))
    assert len(desk.revocations()) == 1, "the second order finds no session"


def test_in_the_journal_first(tmp_path: Path) -> None:
    desk = Revoking(state=tmp_path)
    desk.bootstrap(extra=SUPPORT)
    mark = len(desk.net.tap)
    desk.net.inject((AAAH, 40000), ORDERS, order(DISCONNECT, desk.named()))
    desk.net.run(desk.net.now + SECOND // 100)
    desk.settle()
    left = [(t.source[1], t.data[0]) for t in desk.net.tap[mark:] if t.source in ((FHA, 434), ORDERS)]
    assert left == [(434, 7), (3799, DISCONNECT_ACK)]


def test_what_the_journal_loses_nobody_is_told(tmp_path: Path) -> None:
    for attempt in range(20):  # see test_lost_by_the_journal_is_not_acknowledged
        desk = Revoking(state=tmp_path / str(attempt))
        desk.bootstrap(extra=SUPPORT)
        request = order(DISCONNECT, desk.named())
        break_disk(desk)
        answers = desk.tell(request)
        desk.wait(10)
        assert desk.revocations() == []
        assert desk.unfinished() == 0
        if not answers:
            return
    raise AssertionError("the journal never took a record that it then lost")


def test_after_a_restart(tmp_path: Path) -> None:
    """Support, port and the key outlive the process."""
    desk = Revoking(state=tmp_path / "a")
    held = desk.bootstrap(extra=SUPPORT)
    again = desk.restarted(tmp_path / "b")
    assert isinstance(again, Revoking)
    again.server.asked = desk.server.asked
    assert again.told(DISCONNECT, again.named()).code == DISCONNECT_ACK
    (message,) = again.revocations()
    again.acknowledge(acknowledgment(message, held))
    assert again.count("revocation_answered") == 1


def test_the_key_outlives_its_binding() -> None:
    """Without a cool-down nothing is left of the binding; the address may be another's meanwhile."""
    class Restless(Revoking):
        cool_down_s = 0

    desk = Restless(pool="198.18.0.0/30")
    held = desk.bootstrap(extra=SUPPORT)
    assert desk.told(DISCONNECT, desk.named()).code == DISCONNECT_ACK
    (message,) = desk.revocations()
    for node in (1, 2):
        desk.bootstrap(node)
    assert held.home in {str(IPv4Address(a)) for a in desk.fha.leases().values()}
    desk.acknowledge(acknowledgment(message, held))
    assert desk.count("revocation_answered") == 1
    assert len(desk.fha.leases()) == 2


def test_to_where_it_registered_from_last(desk: Revoking, held: Holding) -> None:
    moved = ("127.64.9.9", 6001)
    desk.one(desk.renewal(held, extra=SUPPORT, care_of=moved[0]), source=moved)
    desk.told(DISCONNECT, desk.named())
    (sent,) = [t for t in desk.net.tap if t.source == (FHA, 434) and t.data[0] == 7]
    assert sent.destination == moved
    assert sent.data[12:16] == IPv4Address(moved[0]).packed


def test_the_newer_key_signs(desk: Revoking, held: Holding) -> None:
    newer = desk.taken(desk.one(desk.rekeying(held, nonce=SUPPORT + b"\x2a\x01\x00\x04" + (8192).to_bytes(4, "big"))))
    desk.told(DISCONNECT, desk.named())
    (message,) = desk.revocations()
    assert message[22:] == (8192).to_bytes(4, "big") + md5_mac(newer.key, message[:26])
    desk.acknowledge(acknowledgment(message, held))
    assert (desk.count("unknown_spi"), desk.unfinished()) == (1, 1)
    desk.acknowledge(acknowledgment(message, newer))
    assert desk.unfinished() == 0


# ---- not by the AAAH -----------------------------------------------------------------------------------------------------

def test_neither_expiry_nor_deregistration_is_told(desk: Revoking, held: Holding) -> None:
    other = desk.bootstrap(1, extra=SUPPORT)
    assert desk.renew(other, lifetime=0).code == 0
    desk.wait(1801)
    assert desk.kept() == ({}, 0)
    assert not [t for t in desk.net.tap if t.data[0] == 7]


@pytest.mark.parametrize("attributes", [put(27, 60), ours(10, 60)])
def test_a_shortened_lease_does_not_end_unheard(attributes: bytes, tmp_path: Path) -> None:
    """The node counts on its 1800 s."""
    desk = Revoking(state=tmp_path / "a")
    held = desk.bootstrap(extra=SUPPORT)
    assert desk.told(COA, desk.named() + attributes).code == COA_ACK
    again = desk.restarted(tmp_path / "b")
    assert isinstance(again, Revoking)
    for one in (desk, again):
        one.wait(59)
        assert one.revocations() == []
        one.wait(2)
        one.settle()
        assert one.kept() == ({}, 0)
        (message,) = one.revocations()
        one.acknowledge(acknowledgment(message, held))
        assert one.count("revocation_answered") == 1


def test_a_renewal_makes_a_shortened_lease_a_known_one(desk: Revoking, held: Holding) -> None:
    desk.told(COA, desk.named() + ours(10, 60))
    assert desk.verified(desk.one(desk.renewal(held, extra=SUPPORT)), held).lifetime == 60
    desk.wait(61)
    assert (desk.kept(), desk.revocations()) == (({}, 0), [])


# ---- A22 -----------------------------------------------------------------------------------------------------------------

Forge = Callable[[bytes, Holding, Holding], bytes]


def revoking_itself(message: bytes, held: Holding, other: Holding) -> bytes:
    """A node's own type 7, A = 0: only agents revoke."""
    return signed(b"\x07\x00\x00\x00" + message[4:20], other.ha_spi, other.key)


@pytest.mark.parametrize(("forge", "counter"), [
    (lambda m, h, o: acknowledgment(m, h)[:12], "no_authenticator"),
    (lambda m, h, o: acknowledgment(m, h)[:-1] + bytes(1), "bad_mn_ha"),
    (lambda m, h, o: acknowledgment(m, h)[:11], "too_short"),
    (lambda m, h, o: acknowledgment(m, h)[:-1], "extension_overrun"),
    (lambda m, h, o: acknowledgment(m, h, key=o.key), "bad_mn_ha"),
    (lambda m, h, o: acknowledgment(m, o), "unknown_spi"),
    (lambda m, h, o: acknowledgment(m[:4] + IPv4Address(o.home).packed + m[8:], o), "revocation_unmatched"),
    (lambda m, h, o: acknowledgment(m[:4] + bytes(4) + m[8:], h), "revocation_unmatched"),
    (lambda m, h, o: acknowledgment(m[:16] + bytes(4), h), "revocation_unmatched"),
    (lambda m, h, o: m, "wrong_type"),
    (lambda m, h, o: m[:20], "too_short"),
    (revoking_itself, "wrong_type"),
], ids=["unsigned", "other mac", "cut in the fixed part", "cut in the mac", "other node's key", "other node's spi and key",
        "other node's address", "unknown address", "other identifier", "the revocation reflected", "a revocation, unsigned",
        "a node's own revocation"])
def test_a22(desk: Revoking, held: Holding, forge: Forge, counter: str) -> None:
    """Silent, counted, nothing changes; the node's own answer is still taken, once."""
    ours, other = desk.session(), desk.bootstrap(1, extra=SUPPORT)
    desk.told(DISCONNECT, desk.named(a44=ours))
    (message,) = desk.revocations()
    kept, before = (desk.kept(), desk.unfinished()), desk.count(counter)
    for source in (NODE, (desk.care_of(1), PORT)):
        desk.acknowledge(forge(message, held, other), source)
    assert desk.count(counter) == before + 2
    assert (desk.kept(), desk.unfinished()) == kept
    desk.acknowledge(acknowledgment(message, held))
    assert (desk.unfinished(), desk.count("revocation_answered")) == (0, 1)
    desk.acknowledge(acknowledgment(message, held))
    assert desk.count("revocation_unmatched") == (3 if counter == "revocation_unmatched" else 1), "a replay"
    assert desk.kept() == kept[0]
    assert desk.renew(other).code == 0


def test_two_answers_at_once(desk: Revoking, held: Holding) -> None:
    """In one batch both find the revocation."""
    desk.told(DISCONNECT, desk.named())
    (message,) = desk.revocations()
    row = (*NODE, FHA, acknowledgment(message, held))
    desk.fha.feed(0, [row, row], desk.net.now, desk.wall())
    assert (desk.count("revocation_answered"), desk.count("revocation_unmatched"), desk.unfinished()) == (1, 1, 0)


def test_an_answer_before_the_question(desk: Revoking, held: Holding) -> None:
    message = b"\x07\x00\xc0\x00" + IPv4Address(held.home).packed + bytes(8) + desk.seconds().to_bytes(4, "big")
    desk.acknowledge(acknowledgment(message, held))
    assert desk.count("revocation_unmatched") == 1
    assert len(desk.fha.leases()) == 1


class Crowded(Revoking):
    def add_fha(self, clock_s: float = 0, **settings: Any) -> None:
        Holder.add_fha(self, clock_s, **settings)
        self.fha.take_orders(ReplyCache(8192, inline_size=64, large=8, life_s=600))
        self.net.attach(self.fha, 1 + FHA_PORTS, *ORDERS)


def test_more_than_there_is_room_for() -> None:
    """The bindings end all the same; two nodes are not told."""
    desk = Crowded(4098, pool="198.18.0.0/19")
    for node in range(4098):
        desk.net.inject((desk.care_of(node), PORT), (FHA, 434), desk.rrq(node, extra=SUPPORT))
        if node % 512 == 0 or node == 4097:
            desk.net.run(desk.net.now + SECOND // 50)
    assert len(desk.fha.leases()) == 4098
    for k, asked in enumerate(desk.server.asked):
        named = desk.named(a1=str(asked.attributes["User-Name"]), a44=str(asked.attributes["Acct-Session-Id"]))
        desk.net.inject((AAAH, 40000 + k // 256), ORDERS, order(DISCONNECT, named, identifier=k % 256))
        if k % 512 == 0 or k == 4097:
            desk.net.run(desk.net.now + SECOND // 50)
    assert (desk.kept(), desk.unfinished()) == (({}, 0), 4096)
    assert (desk.count("revoked"), desk.count("table_full")) == (4096, 2)
    desk.wait(10)
    assert (desk.unfinished(), desk.count("revocation_unanswered")) == (0, 4096)


# ---- on the wire ---------------------------------------------------------------------------------------------------------

def test_over_real_sockets() -> None:
    """From the address and port that the node registered at, also where the FHA listens on every address."""
    desk = SocketDesk(1)
    desk.fha_driver.close()
    sockets = [open_socket("0.0.0.0", 0, index=0, pktinfo=True), *(open_socket(FHA, 0, index=k) for k in (1, 2))]
    agent, orders = ((FHA, int(sockets[k].address.split(":")[1])) for k in (0, 2))
    desk.real_fha.take_orders(ReplyCache(8, inline_size=64, large=2, life_s=600))
    desk.fha_driver = Driver(desk.real_fha, sockets, desk.loop)
    named = b"".join(put(kind, value) for kind, value in (
        (1, desk.columns.nai[0]), (32, "fha"), (44, "0000000000000001"), (55, int(time.time()))))
    with desk.post(desk.care_of(0), agent, desk.rrq(0, extra=SUPPORT)) as node:
        reply = desk.read(desk.receive(node))
        assert (reply.code, reply.is_signed) == (0, True)
        with desk.post(AAAH, orders, order(DISCONNECT, named)) as aaah:
            assert desk.receive(aaah)[0] == DISCONNECT_ACK
        message, source = desk.loop.run_until_complete(asyncio.wait_for(desk.loop.sock_recvfrom(node, 4096), 2))
        assert (message[0], source) == (7, agent)
        assert message[26:] == md5_mac(reply.key, message[:26])
        spi = reply.message.find(NonceReply).ha_spi
        node.sendto(signed(b"\x0f\x00\x80\x00" + message[4:8] + message[16:20], spi, reply.key), agent)
        for _ in range(200):
            if "revocation_answered" in desk.real_fha.counters():
                break
            desk.loop.run_until_complete(asyncio.sleep(0.01))
    desk.close()
    assert desk.real_fha.gauges()["revocations_under_way"][0] == 0
    assert (desk.real_fha.leases(), desk.real_fha.counters()["revocation_answered"]) == ({}, 1)
