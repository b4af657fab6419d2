"""C9, small: ten schedules of ten seconds with AAAHs in trouble, at half of what the FHA's identifiers carry, and a forger
who answers every question first. Nothing forged is acted on (I12, I13), nobody waits long (R9), nothing stays behind."""

from __future__ import annotations

import os
from collections.abc import Callable
from itertools import cycle

import pytest
from realm import PRIMARY, Realm, resigned, signed
from world import FHA, FHA_PORTS, SECOND

from fastcodec import NonceReply, RadiusPacket, RegistrationReply
from servers.net.impair import Profile

RATE = FHA_PORTS * 256 // 2  # a response window of one second without answers, and half of the identifiers are out
SECONDS = 10
NODES = RATE * SECONDS
FRAMED_IP, HIDDEN_KEY = b"\x08\x06", b"\x1a\x2a\x00\x00\x7e\xd9\x1d"
Where = tuple[str, int]


class Forger:
    """Knows every question and what the last good answer looked like; the secret only where the row says so."""

    def __init__(self, realm: Realm) -> None:
        self.realm, self.sent, self.body = realm, 0, b""
        self.nonces: set[bytes] = set()
        self.kinds = cycle(KINDS)
        for server in realm.servers:
            server.heard = lambda source, question, at=(server.address, 1812): self.answer(at, source, question)

    def answer(self, at: Where, source: Where, question: bytes) -> None:
        if source[0] != FHA or question[0] != 1:
            return
        forged_from, octets = next(self.kinds)(at, question, self.body)
        self.realm.net.inject(forged_from, source, octets)
        self.sent += 1

    def see(self, answer: bytes) -> None:
        """A good answer passes by."""
        packet = RadiusPacket.decode(answer)
        if "Mipstorm-MN-FHA-Nonce" in packet.attributes:
            self.nonces.add(packet.attributes["Mipstorm-MN-FHA-Nonce"])
            self.body = answer[38:]


def other_lease(body: bytes, address: bytes = b"\x0a\x00\x00\x01") -> bytes:
    return body.replace(FRAMED_IP + b"\xff\xff\xff\xfe", FRAMED_IP + address)


KINDS: tuple[Callable[[Where, bytes, bytes], tuple[Where, bytes]], ...] = (
    lambda at, q, body: (at, signed(2, bytes((q[0], q[1] ^ 1)) + q[2:], body)),                      # wrong identifier
    lambda at, q, body: (("127.0.0.99", at[1]), signed(2, q, body)),                                 # wrong source
    lambda at, q, body: ((at[0], 1813), signed(2, q, body)),                                         # wrong port
    lambda at, q, body: (at, signed(2, q, body)[:4] + os.urandom(16) + signed(2, q, body)[20:]),     # wrong authenticator
    lambda at, q, body: (at, resigned(signed(2, q, body)[:22] + os.urandom(16) + body, q)),          # wrong MA alone
    lambda at, q, body: (at, resigned(signed(2, q)[:20] + body, q)),                                 # no MA
    lambda at, q, body: (at, signed(2, q, other_lease(body), b"a secret that was guessed")),
    lambda at, q, body: (at, signed(2, q[:4] + bytes(16), body)),                                    # to another question
    lambda at, q, body: (at, signed(2, q, body + b"\x21\x06\x00\x00\x00\x00")),                      # collision blocks
    lambda at, q, body: (at, signed(4, q, body)),                                                    # a code that does not fit
)


# ---- schedules: what the AAAHs do from the second second on --------------------------------------------------------------

def for_fha(realm: Realm, change: Callable[[int, bytes, bytes], bytes | None]) -> None:
    """The primary's answers to the FHA, changed; (time, question, answer); None: none."""
    def rewrite(question: bytes, answer: bytes) -> list[bytes]:
        if b"\x3d\x06\x00\x00\x00\x05" not in question:                # not an FHA's NAS-Port-Type
            return [answer]
        changed = change(realm.net.now, question, answer)
        return [] if changed is None else [changed]
    realm.servers[0].rewrite = rewrite


def dead(realm: Realm) -> None:
    realm.kill(0, after_s=2)


def slow(realm: Realm) -> None:
    """0.5 to 40 s."""
    realm.net.impair(Profile(delay_ns=SECOND // 2, jitter_ns=39 * SECOND + SECOND // 2), source=f"{PRIMARY}:1812")


def late(realm: Realm) -> None:
    realm.net.impair(Profile(delay_ns=int(1.5 * SECOND)), source=f"{PRIMARY}:1812")


def wrong_secret(realm: Realm) -> None:
    for server in realm.servers[:1]:
        server.role.add_client(b"\x7f\x00\x00\x00", 16, b"not what the FHA and the NAS have")


def wrong_identifier(realm: Realm) -> None:
    for_fha(realm, lambda now, q, a: a[:1] + bytes((a[1] ^ 1,)) + a[2:])


def flapping(realm: Realm) -> None:
    """Two seconds up, two down."""
    realm.servers[0].is_alive = lambda now, host: now // (2 * SECOND) % 2 == 0


def both_dead(realm: Realm) -> None:
    """From the third second to the fifth."""
    for server in realm.servers:
        server.is_alive = lambda now, host: not 4 * SECOND < now < 6 * SECOND


def rejecting(realm: Realm) -> None:
    for_fha(realm, lambda now, q, a: signed(3, q) if 3 * SECOND < now < 6 * SECOND else a)


def lying(realm: Realm) -> None:
    """Every fourth Accept is of no use: without key, with a key that is not hidden right, with a multicast address."""
    lies = cycle([lambda a: a, lambda a: a, lambda a: a, lambda a: other_lease(a, b"\xe0\x00\x00\x05"),
                  lambda a: a, lambda a: a, lambda a: a, lambda a: a.replace(HIDDEN_KEY, HIDDEN_KEY[:-1] + b"\xee")])
    for_fha(realm, lambda now, q, a: signed(a[0], q, next(lies)(a[38:])))


def challenging(realm: Realm) -> None:
    """A36: Challenges without end; they end at once."""
    for_fha(realm, lambda now, q, a: signed(11, q, b"\x18\x06loop") if 3 * SECOND < now < 6 * SECOND else a)


QUICK = (dead, slow, late, wrong_secret, wrong_identifier, flapping)
HINTED = (both_dead, rejecting, lying, challenging)  # nodes are told 128 or 131, or wait, and try again


@pytest.mark.parametrize("schedule", [*QUICK, *HINTED], ids=lambda schedule: schedule.__name__)
def test_aaa_trouble(schedule: Callable[[Realm], None]) -> None:
    realm = Realm(NODES, rate=RATE)
    forger = Forger(realm)
    for server in realm.servers:
        server.rewrite = lambda q, a: [a]
    schedule(realm)
    for server in realm.servers:
        server.rewrite = lambda q, a, inner=server.rewrite: (forger.see(a), inner(q, a))[1]
    realm.run(SECONDS + 80)
    check_forgeries(realm, forger)
    realm.check_settled()
    tally, waited = realm.tally(), realm.fleet.latencies()["registration"]
    assert tally["failed"] == 0
    assert tally["timed_out"] <= NODES // 1000  # R9
    if schedule in QUICK:
        assert waited.value_at(int(0.99 * waited.total)) <= 3 * SECOND
    assert realm.servers[1].asked() or schedule in HINTED


def check_forgeries(realm: Realm, forger: Forger) -> None:
    """Each was dropped under its own count; and no success bears a nonce that no AAAH drew (I13)."""
    assert forger.sent >= NODES
    counted = realm.fha.counters()
    dropped = sum(counted.get(reason, 0) for reason in (
        "unmatched_reply", "bad_response_authenticator", "bad_message_authenticator", "no_message_authenticator",
        "unasked_proxy_state", "late_reply"))
    assert dropped >= forger.sent
    for datagram in realm.net.tap:
        if datagram.source == (FHA, 434) and datagram.data[:2] == b"\x03\x00":
            nonce = RegistrationReply.decode(datagram.data).find(NonceReply)
            assert nonce is not None
            assert nonce.nonce in forger.nonces
