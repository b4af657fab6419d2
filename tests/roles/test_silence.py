"""Requests that nobody can answer under a key, or that nobody should: no reply, one count, nothing changed (ruling 8)."""

from collections.abc import Callable

import pytest
from desk import Desk, nai_extension, proof

LONG_NAI = bytes(254)


def with_covered(desk: Desk, octets: int) -> bytes:
    """C of that many octets, made longer by skippable extensions of at most 257."""
    bare = len(desk.rrq()) - 16
    missing = octets - bare
    extra = b""
    while missing > 259:
        extra += bytes((200, 255)) + bytes(255)
        missing -= 257
    if missing > 257:
        extra += bytes((200, 98)) + bytes(98)
        missing -= 100
    return desk.rrq(extra=extra + bytes((200, missing - 2)) + bytes(missing - 2))


ROWS: list[tuple[str, str, Callable[[Desk], bytes]]] = [
    ("no MN-AAA", "no_authenticator", lambda d: d.open_rrq() + nai_extension(d.columns.nai[0])),
    ("fixed part only", "no_authenticator", lambda d: d.open_rrq()),
    ("MN-HA of nobody instead of MN-AAA", "unknown_spi",
     lambda d: d.open_rrq() + nai_extension(d.columns.nai[0]) + b"\x20\x14\x00\x00\x10\x00" + bytes(16)),
    ("SPI 255", "reserved_spi", lambda d: d.rrq(spi=255)),
    ("SPI 0", "reserved_spi", lambda d: d.rrq(spi=0)),
    ("SPI 3", "reserved_spi", lambda d: d.rrq(spi=3)),
    ("no NAI", "no_nai", lambda d: d.rrq(nai=b"")),
    ("empty NAI", "no_nai", lambda d: d.rrq(nai=nai_extension(b""))),
    ("NAI behind the proof", "no_nai", lambda d: d.rrq(nai=b"", after=nai_extension(d.columns.nai[0]))),
    ("NAI of 254 octets", "bad_nai", lambda d: d.rrq(nai=nai_extension(LONG_NAI))),
    ("C of 1236 octets", "bad_nai", lambda d: with_covered(d, 1236)),
    ("a reply", "wrong_type", lambda d: d.rrq(kind=3)),
    ("type 0", "wrong_type", lambda d: d.rrq(kind=0)),
    ("23 octets", "too_short", lambda d: d.rrq()[:23]),
    ("unknown extension 60 before the proof", "unknown_extension", lambda d: d.rrq(extra=b"\x3c\x02xy")),
    ("unknown extension 60 behind the proof", "unknown_extension", lambda d: d.rrq(after=b"\x3c\x02xy")),
    ("authenticator of 15 octets", "no_authenticator", lambda d: shortened(d, 1)),
    ("authenticator of 0 octets", "no_authenticator", lambda d: shortened(d, 16)),
    ("authenticator of 17 octets", "no_authenticator", lambda d: lengthened(d)),
    ("33 extensions", "too_many_extensions", lambda d: d.open_rrq() + 33 * b"\xc8\x00"),
    ("1501 octets, all padding", "bad_length", lambda d: padded(d, 1501)),
]


def shortened(desk: Desk, by: int) -> bytes:
    """The proof's length field tells the truth about too short an authenticator."""
    rrq = desk.rrq()
    at = len(rrq) - 24
    return rrq[:at + 2] + (20 - by).to_bytes(2, "big") + rrq[at + 4:len(rrq) - by]


def lengthened(desk: Desk) -> bytes:
    rrq = desk.rrq()
    at = len(rrq) - 24
    return rrq[:at + 2] + (21).to_bytes(2, "big") + rrq[at + 4:] + b"\x00"


def padded(desk: Desk, octets: int) -> bytes:
    rrq = desk.rrq()
    return rrq + bytes(octets - len(rrq))


@pytest.mark.parametrize(("counter", "build"), [row[1:] for row in ROWS], ids=[row[0] for row in ROWS])
def test_silent(counter: str, build: Callable[[Desk], bytes]) -> None:
    desk = Desk()
    packets = len(desk.net.tap)
    assert desk.send(build(desk), seconds=2) == []
    assert len(desk.net.tap) == packets + 1, "the AAAH was asked"
    assert desk.fha.counters() == {counter: 1}
    assert desk.aaah.counters() == {}
    assert desk.kept() == ({}, 0)
    assert desk.ask().code == 0


@pytest.mark.parametrize("source", [("127.64.0.1", 0), ("127.0.0.2", 5001), ("255.255.255.255", 5001), ("0.0.0.0", 5001)])
def test_source_that_cannot_be_answered(source: tuple[str, int]) -> None:
    desk = Desk()
    assert desk.send(desk.rrq(), source=source, seconds=2) == []
    assert desk.fha.counters() == {"bad_source": 1}
    assert desk.kept() == ({}, 0)


@pytest.mark.parametrize("build", [
    lambda d: with_covered(d, 1235), lambda d: padded(d, 1500), lambda d: d.rrq(extra=b"\xc8\x02xy"),
    lambda d: d.rrq(after=b"\xc8\x02xy"), lambda d: d.rrq(extra=29 * b"\xc8\x00"), lambda d: d.rrq(extra=900 * b"\x00"),
    lambda d: proof(d.open_rrq() + b"\x2a\x01\x00\x04\x00\x00\x10\x00" + nai_extension(d.columns.nai[0]),
                    4096, d.columns.key[0]),
], ids=["C of 1235", "padded to 1500", "skippable before", "skippable behind", "32 extensions", "padding is none of the 32",
        "nonce request before the NAI"])
def test_what_is_just_inside_the_limits_is_served(build: Callable[[Desk], bytes]) -> None:
    desk = Desk()
    (octets,) = desk.send(build(desk))
    reply = desk.read(octets)
    assert (reply.code, reply.is_signed) == (0, True)


def test_what_stands_behind_the_proof_is_not_used() -> None:
    """A10: an appended NAI or nonce request of another changes nothing."""
    desk = Desk()
    (octets,) = desk.send(desk.rrq(after=nai_extension(desk.columns.nai[1]) + b"\x2a\x01\x00\x04\x00\x00\x99\x99"))
    reply = desk.read(octets)
    assert (reply.code, reply.is_signed) == (0, True)
    assert list(desk.fha.leases()) == [desk.columns.nai[0]]
