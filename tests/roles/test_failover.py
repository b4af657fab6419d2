"""Several AAAHs: a dead one is left within a response window, requests move, three answers bring it back (ruling 19)."""

from __future__ import annotations

import hashlib
import hmac
from itertools import pairwise

import pytest
from realm import PRIMARY, STANDBY, STATUS_SERVER, Realm, Server, resigned, signed
from world import AAAH, FHA, SECOND, SECRET, packed

from fastcodec import RadiusPacket


def without_proof(question: bytes) -> bytes:
    """The attributes behind the Message-Authenticator, which comes first."""
    assert question[20:22] == b"\x50\x12"
    return question[38:]


def test_a_living_primary_is_the_only_one_asked() -> None:
    realm = Realm(50)
    realm.run(5)
    assert realm.tally()["succeeded"] == 50
    assert (len(realm.servers[0].asked()), len(realm.servers[1].asked())) == (50, 0)
    assert realm.fha.counters() == {}


def test_first_success_after_the_primary_dies_within_three_seconds() -> None:
    """R9: p99 of what begins after its death; all of them are served, and most know nothing of it."""
    realm = Realm(1000, rate=200)
    realm.kill(0, after_s=2)
    realm.run(30)
    assert realm.tally() == {"attempted": 1000, "succeeded": 1000, "failed": 0, "timed_out": 0}
    latency = realm.fleet.latencies()["bootstrap"]
    assert latency.value_at(990) <= 3 * SECOND
    assert latency.value_at(500) < SECOND // 10
    assert realm.states() == [False, True]
    realm.check_settled()


@pytest.mark.parametrize("rate", [1, 50])
def test_every_node_in_the_window_is_served_within_three_seconds(rate: float) -> None:
    """Dead from the start; also when a single request is all that is ever out."""
    realm = Realm(20, rate=rate)
    realm.kill(0)
    realm.run(40)
    assert realm.tally()["succeeded"] == 20
    assert realm.fleet.latencies()["bootstrap"].highest <= 4.5 * SECOND  # the NAS's window, then the FHA's
    assert realm.fleet.latencies()["registration"].highest <= 3 * SECOND


def test_a_request_moves_with_a_new_authenticator_and_identifier() -> None:
    """RFC 5080 2.2.2, RFC 5997 4.3: the same question, signed for the other server."""
    realm = Realm(1, first_timeout_ms=5000)
    realm.fha.set_aaah(packed(STANDBY), 1812, b"the secret of the standby alone")
    realm.servers[1].role.add_client(packed(FHA), 32, b"the secret of the standby alone")
    realm.kill(0, towards=FHA)
    realm.run(10)
    assert realm.tally()["succeeded"] == 1
    (_, _, first), *again = realm.servers[0].asked()
    ((when, _, moved),) = realm.servers[1].asked()
    assert all(q == first for _, _, q in again), "retransmissions are the same octets (RFC 2865 2.5)"
    assert without_proof(moved) == without_proof(first)
    assert moved[4:20] != first[4:20]
    zeroed = moved[:22] + bytes(16) + moved[38:]
    assert moved[22:38] == hmac.new(b"the secret of the standby alone", zeroed, hashlib.md5).digest()
    assert when - realm.servers[0].asked()[0][0] <= 1.3 * SECOND
    realm.check_settled()


def test_the_first_valid_answer_wins_whoever_it_is_from() -> None:
    """The primary answers after all, before the standby: its answer is to a question still open."""
    realm = Realm(1, first_timeout_ms=5000)
    slow: list[tuple[bytes, bytes]] = []
    realm.servers[0].rewrite = lambda q, a: [a] if RadiusPacket.decode(q).attributes["Service-Type"] == 2 and \
        RadiusPacket.decode(q).attributes["NAS-Port-Type"] == 15 else slow.append((q, a)) or []
    realm.kill(1)
    realm.run(1.5)
    assert len(realm.servers[1].asked()) == 1
    question, answer = slow[0]
    source = realm.servers[0].asked()[0][1]
    assert question == realm.servers[0].asked()[0][2]
    realm.net.inject((PRIMARY, 1812), source, answer)
    realm.run(0.1)
    assert realm.tally()["succeeded"] == 1
    assert [s["outstanding"] for s in realm.fha.upstreams()] == [0, 0]
    realm.net.inject((PRIMARY, 1812), source, answer)  # once more: a replay
    realm.run(0.1)
    assert realm.fha.counters()["unmatched_reply"] == 1
    realm.check_settled()


def test_an_answer_behind_the_winner_is_late_and_leases_nothing_more() -> None:
    realm = Realm(1, first_timeout_ms=5000)
    kept: list[bytes] = []
    realm.servers[0].rewrite = lambda q, a: [a] if without_proof(q) and b"\x3d\x06\x00\x00\x00\x0f" in q else kept.append(a) or []
    realm.run(10)
    assert (realm.tally()["succeeded"], len(realm.servers[1].asked())) == (1, 1)
    leases = realm.fha.leases()
    realm.net.inject((PRIMARY, 1812), realm.servers[0].asked()[0][1], kept[0])
    realm.run(0.1)
    assert realm.fha.counters()["late_reply"] == 1
    assert realm.fha.leases() == leases


# ---- suspicion and return ------------------------------------------------------------------------------------------------

def probes(server: Server) -> list[tuple[int, tuple[str, int], bytes]]:
    return server.asked(STATUS_SERVER)


def authenticators(server: Server) -> set[bytes]:
    """One for each question."""
    return {q[4:20] for _, _, q in server.asked()}


def doubted(realm: Realm) -> None:
    realm.kill(0)
    realm.run(3)
    assert realm.states() == [False, True]


def test_a_suspect_is_probed_never_twice_with_the_same_packet_and_ever_less() -> None:
    realm = Realm(5)
    doubted(realm)
    realm.run(117)
    asked = probes(realm.servers[0])
    assert len({(source, q[1]) for _, source, q in asked}) == len(asked), "an identifier of its own each (RFC 5997 4.1)"
    assert len({q[4:20] for _, _, q in asked}) == len(asked)
    apart = [(b[0] - a[0]) / SECOND for a, b in pairwise(asked)]
    assert apart[0] < 1.1
    assert all(a < b for a, b in pairwise(apart[:5]))
    assert all(28 <= a <= 32.1 for a in apart[6:])
    assert 7 <= len(asked) <= 9
    assert probes(realm.servers[1])[0][0] - realm.servers[1].asked()[-1][0] >= 27 * SECOND  # the standby's watchdog


def test_a_status_server_says_who_asks_and_no_more() -> None:
    realm = Realm(5)
    doubted(realm)
    packet = RadiusPacket.decode(probes(realm.servers[0])[0][2])
    assert (packet.code, [name for name, _ in packet.attributes]) == (12, ["Message-Authenticator", "NAS-Identifier"])
    zeroed = packet.encode(SECRET)[:22] + bytes(16) + packet.encode(SECRET)[38:]
    assert packet.encode(SECRET)[22:38] == hmac.new(SECRET, zeroed, hashlib.md5).digest()


def test_three_answers_bring_it_back() -> None:
    realm = Realm(60, concurrency=0, rate=1)
    doubted(realm)
    realm.revive(0)
    before = len(probes(realm.servers[0]))
    while not realm.states()[0]:
        realm.run(0.05)
        assert len(probes(realm.servers[0])) <= before + 3
    assert len(probes(realm.servers[0])) == before + 3
    standby = len(realm.servers[1].asked())
    realm.run(60)
    assert realm.tally()["succeeded"] == 60
    assert len(realm.servers[1].asked()) <= standby + 1, "new requests go to the preferred one again"
    assert realm.fha.counters()["upstream_suspect"] == realm.fha.counters()["upstream_back"] == 1


def test_one_that_knows_no_status_server_is_tried_again_after_two_minutes() -> None:
    realm = Realm(200, rate=1)
    realm.fha.set_aaah(packed(PRIMARY), 1812, SECRET, probes=False)
    doubted(realm)
    realm.revive(0)
    realm.run(100)
    assert (realm.states(), probes(realm.servers[0])) == ([False, True], [])
    realm.run(30)
    assert realm.states() == [True, True]


def test_watchdog_of_idle_servers() -> None:
    """RFC 3539 3.4.1: Tw 30 s +- 2 s, any answer resets it; a second Tw without an answer is a failure."""
    realm = Realm(1)
    realm.run(200)
    for server in realm.servers:
        times = [q[0] / SECOND for q in probes(server)]
        assert all(28 <= b - a <= 32.1 for a, b in pairwise(times))
        assert 5 <= len(times) <= 8
    assert realm.states() == [True, True]
    realm.kill(1)
    realm.run(35)
    assert realm.states() == [True, True], "one silent Tw is not yet a failure"
    realm.run(65)
    assert realm.states() == [True, False]


def test_a_single_server_is_neither_doubted_nor_probed() -> None:
    """There would be nobody to turn to; a foreign server is not asked what it may not know."""
    realm = Realm(5, aaahs=1)
    realm.kill(0)
    realm.run(60)
    assert realm.states() == [True]
    assert probes(realm.servers[0]) == []


def test_when_all_are_in_doubt_the_one_that_answered_last_is_asked() -> None:
    realm = Realm(60, aaahs=3, rate=1)
    realm.run(1.5)
    realm.kill(0, towards=FHA)
    realm.run(4)
    assert realm.states() == [False, True, True]
    realm.kill(1, 2, towards=FHA)
    realm.run(10)
    assert realm.states() == [False, False, False]
    before = [authenticators(server) for server in realm.servers]
    realm.run(10)
    new = [bool(authenticators(server) - n) for server, n in zip(realm.servers, before, strict=True)]
    assert new == [False, True, False]
    realm.revive(1)
    realm.run(60)
    assert realm.states() == [False, True, False]
    realm.check_settled()


def test_all_dead_is_128_and_nothing_stays() -> None:
    realm = Realm(30, rate=100, tries=16)
    realm.kill(0, 1, towards=FHA)
    realm.run(400)
    assert realm.fleet.codes()[0].get(128, 0) >= 30
    assert realm.tally()["succeeded"] == 0
    assert realm.fha.leases() == {}
    realm.check_settled()


# ---- answers -------------------------------------------------------------------------------------------------------------

def test_a_late_answer_to_an_identifier_used_again_is_late() -> None:
    """1024 identifiers later; a forged one is still a forged one."""
    realm = Realm(3000, aaahs=1, rate=1000, tries=1)
    kept: list[tuple[tuple[str, int], bytes]] = []

    def keep(question: bytes, answer: bytes) -> list[bytes]:
        if b"\x3d\x06\x00\x00\x00\x05" in question and not kept:
            kept.append((realm.servers[0].asked()[0][1], answer))
            return []
        return [answer]

    realm.servers[0].rewrite = keep
    realm.run(60)
    (source, answer) = kept[0]
    assert len({q[4:20] for _, s, q in realm.servers[0].asked() if s == source and q[1] == answer[1]}) > 1
    before = realm.fha.counters()
    realm.net.inject((AAAH, 1812), source, answer)
    realm.net.inject((AAAH, 1812), source, answer[:4] + bytes(16) + answer[20:])
    realm.run(0.1)
    after = realm.fha.counters()
    assert after["late_reply"] == before.get("late_reply", 0) + 1
    assert after["bad_response_authenticator"] == before.get("bad_response_authenticator", 0) + 1


def unsigned(question: bytes, answer: bytes) -> bytes:
    """Without Message-Authenticator, right otherwise."""
    return resigned(answer[:20] + answer[38:], question)


@pytest.mark.parametrize(("rule", "succeeded"), [("yes", 0), ("no", 1), ("auto", 1)])
def test_answers_without_message_authenticator(rule: str, succeeded: int) -> None:
    realm = Realm(1, aaahs=1, tries=1)
    realm.fha.set_aaah(packed(AAAH), 1812, SECRET, message_authenticator=rule)
    realm.servers[0].rewrite = lambda q, a: [unsigned(q, a) if b"\x3d\x06\x00\x00\x00\x05" in q else a]
    realm.run(60)
    assert realm.tally()["succeeded"] == succeeded


def test_auto_requires_it_for_ever_once_seen() -> None:
    realm = Realm(2, aaahs=1, rate=1, tries=1)
    realm.fha.set_aaah(packed(AAAH), 1812, SECRET, message_authenticator="auto")
    answers = iter([lambda q, a: a, unsigned])
    realm.servers[0].rewrite = lambda q, a: [next(answers)(q, a) if b"\x3d\x06\x00\x00\x00\x05" in q else a][:1]
    realm.run(1.5)
    assert realm.tally()["succeeded"] == 1
    assert realm.fha.counters()["no_message_authenticator"] == 1


def test_proxy_state_that_nobody_sent_is_refused() -> None:
    """Where the collision blocks of CVE-2024-3596 are."""
    realm = Realm(1, aaahs=1, tries=1)
    realm.fha.set_aaah(packed(AAAH), 1812, SECRET, message_authenticator="no")
    realm.servers[0].rewrite = lambda q, a: [signed(2, q, a[38:] + b"\x21\x04ab") if b"\x3d\x06\x00\x00\x00\x05" in q else a]
    realm.run(1)
    assert realm.fha.counters()["unasked_proxy_state"] >= 1
    assert (realm.fha.leases(), realm.fha.under_way) == ({}, 1), "the question is still open"
