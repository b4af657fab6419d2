"""What the FHA answers with a code other than 0: signed once the AAAH has vouched for the node, bare before."""

from ipaddress import IPv4Address
from typing import Any

import pytest
from desk import RESERVED_R, RESERVED_X, B, D, Desk, G, M, S, T, nai_extension, nonce_request
from world import FHA

NAI = b"mn000000@home.example"

SIGNED: list[tuple[str, int, str, dict[str, Any]]] = [
    ("minimal encapsulation", 139, "encapsulation_refused", {"flags": D | T | M}),
    ("GRE", 139, "encapsulation_refused", {"flags": D | G}),
    ("home address without a lease", 129, "home_address_refused", {"home": "198.18.0.77"}),
    ("home address outside the pool", 129, "home_address_refused", {"home": "192.0.2.1"}),
    ("home address is the network's", 129, "home_address_refused", {"home": "198.18.0.0"}),
    ("home address is the FHA's", 129, "home_address_refused", {"home": FHA}),
    ("not co-located", 129, "care_of_refused", {"flags": T}),
    ("reserved bit r", 134, "poorly_formed", {"flags": D | T | RESERVED_R}),
    ("reserved bit x", 134, "poorly_formed", {"flags": D | T | RESERVED_X}),
    ("the NAI twice", 134, "doubled_extension", {"nai": 2 * nai_extension(NAI)}),
    ("another NAI after the first", 134, "doubled_extension", {"nai": nai_extension(NAI) + nai_extension(b"other@x")}),
    ("the nonce request twice", 134, "doubled_extension", {"nonce": 2 * nonce_request()}),
]


@pytest.mark.parametrize(("code", "counter", "changes"), [row[1:] for row in SIGNED], ids=[row[0] for row in SIGNED])
def test_signed_refusal(code: int, counter: str, changes: dict[str, Any]) -> None:
    desk = Desk()
    moment = desk.ntp()
    reply = desk.ask(identification=moment, **changes)
    assert (reply.code, reply.is_signed) == (code, True)
    assert (reply.message.lifetime, reply.message.home_agent) == (0, IPv4Address(FHA))
    assert reply.message.identification == moment
    assert desk.fha.counters() == {counter: 1}
    assert desk.kept() == ({}, 0)
    assert desk.fha.replies_sent == (0, 1)
    assert desk.ask().code == 0  # and the next, good one is served


@pytest.mark.parametrize(("care_of", "source"), [
    ("127.64.0.9", "127.64.0.1"), ("0.0.0.0", "127.64.0.1"), ("255.255.255.255", "127.64.0.1"),
    ("224.0.0.1", "224.0.0.1"), ("239.1.2.3", "239.1.2.3"), ("169.254.1.1", "169.254.1.1"),
    ("198.18.0.9", "198.18.0.9"), ("0.1.2.3", "0.1.2.3"), (FHA, "127.64.0.1"), ("240.0.0.1", "127.64.0.1"),
])
def test_care_of_address_that_must_not_be_tunnelled_to(care_of: str, source: str) -> None:
    desk = Desk()
    reply = desk.ask(care_of=care_of, source=(source, 5001))
    assert (reply.code, reply.is_signed) == (129, True)
    assert desk.fha.counters() == {"care_of_refused": 1}
    assert desk.kept() == ({}, 0)


@pytest.mark.parametrize("agent", ["0.0.0.0", "255.255.255.255"])
def test_home_agent_is_to_be_found_by_the_network(agent: str) -> None:
    """Ruling 11: RFC 4433 is not offered."""
    desk = Desk()
    reply = desk.ask(agent=agent)
    assert (reply.code, reply.is_signed) == (136, True)
    assert reply.message.home_agent == IPv4Address(FHA)
    assert desk.fha.counters() == {"home_agent_refused": 1}
    assert desk.kept() == ({}, 0)


def test_request_for_another_home_agent() -> None:
    """The AAAH gives this FHA no key for a request that names another, so that 136 cannot be signed."""
    desk = Desk()
    reply = desk.ask(agent="127.0.0.9")
    assert (reply.code, reply.is_bare) == (136, True)
    assert reply.message.home_agent == IPv4Address(FHA)
    assert desk.kept() == ({}, 0)


def test_simultaneous_binding_is_served_as_one() -> None:
    desk = Desk()
    reply = desk.ask(flags=D | T | S)
    assert (reply.code, reply.is_signed, reply.message.lifetime) == (1, True, 1800)
    assert desk.fha.leases() == {NAI: reply.message.home_address.packed}


@pytest.mark.parametrize("flags", [D, D | T, D | T | B])
def test_reverse_tunnelling_and_broadcasts_are_served(flags: int) -> None:
    assert Desk().ask(flags=flags).code == 0


def test_pool_exhausted() -> None:
    """Ruling 5: signed, no association kept; honest while it lasts."""
    desk = Desk(8, pool="198.18.0.0/30")  # two addresses
    first, second = desk.ask(0), desk.ask(1)
    assert {first.message.home_address, second.message.home_address} == {
        IPv4Address("198.18.0.1"), IPv4Address("198.18.0.2")}
    third = desk.ask(2)
    assert (third.code, third.is_signed, third.message.lifetime) == (130, True, 0)
    assert third.message.home_address == IPv4Address("0.0.0.0")
    assert desk.columns.nai[2] not in desk.fha.leases()
    assert desk.fha.counters() == {"pool_exhausted": 1}
    assert desk.ask(0, lifetime=0).code == 0  # gives its address back
    assert desk.ask(2).code == 0


# ---- before the AAAH has vouched: bare, RFC 5944 1.7 of our reading, ruling 6 and 7 --------------------------------------

def test_wrong_mn_aaa_is_144_and_bare() -> None:
    desk = Desk()
    reply = desk.ask(key=bytes(16))
    assert (reply.code, reply.is_bare, reply.message.nai()) == (144, True, NAI.decode())
    assert desk.fha.counters() == {"aaa_rejected": 1}
    assert desk.aaah.counters() == {"bad_credential": 1}
    assert desk.kept() == ({}, 0)


def test_spi_of_nobody_is_144_and_bare() -> None:
    desk = Desk()
    assert desk.ask(spi=4097).code == 144
    assert desk.kept() == ({}, 0)


def test_unknown_subscriber_is_131_and_bare() -> None:
    desk = Desk()
    (octets,) = desk.send(desk.rrq(nai=nai_extension(b"nobody@home.example")))
    reply = desk.read(octets)
    assert (reply.code, reply.is_bare, reply.message.nai()) == (131, True, "nobody@home.example")
    assert desk.aaah.counters() == {"unknown_subscriber": 1}
    assert desk.kept() == ({}, 0)


def test_dead_aaah_is_128_and_bare_after_all_tries() -> None:
    desk = Desk(secret=b"a secret that the AAAH does not share")
    assert desk.send(desk.rrq(), seconds=20) == []  # retransmits: 1, 2, 4, 8, 16 s
    (octets,) = desk.send(b"", seconds=20)
    reply = desk.read(octets)
    assert (reply.code, reply.is_bare, reply.message.nai()) == (128, True, NAI.decode())
    assert desk.fha.counters() == {"aaa_timeout": 1, "retransmitted": 4, "too_short": 1}
    assert desk.aaah.counters() == {"bad_message_authenticator": 5}
    assert desk.kept() == ({}, 0)


def test_bare_refusals_are_never_longer_than_the_request() -> None:
    """An unauthenticated request is not amplified."""
    desk = Desk()
    request = desk.rrq(key=bytes(16))
    (octets,) = desk.send(request)
    assert len(octets) <= len(request)
