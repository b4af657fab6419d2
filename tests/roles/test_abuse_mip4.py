"""Registration Requests that somebody hostile or broken might send to the FHA, one row each (see `abuse`).

Rulings decide where the catalogue leaves a choice: without a key to check with, silence (8); authenticated but malformed,
134 signed (10), so that A6's 33rd extension is no longer silent; lifetime 0 with nothing to delete is success (13).
One row answers otherwise than ruling 11 alone would have it, A16 "another agent": radius.md 9.2 has the AAAH compare the
Home Agent with the FHA that asks before it checks the proof, and give no key; without one nothing can be signed, and 136
with our address goes out bare. A node that has a key of ours already gets it signed (test_abuse_scripts.py).
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from ipaddress import IPv4Address
from typing import Any

import pytest
from abuse import (
    FIRST_NODE,
    Build,
    Row,
    Sender,
    SocketDesk,
    through_decoder,
    through_role,
    through_socket,
)
from desk import RESERVED_R, RESERVED_X, B, D, G, M, S, T, nai_extension, nonce_request
from world import FHA

from fastcodec import RegistrationReply

UNKNOWN = b"\xc8\x00"  # type 200, empty: may be skipped
MN_HA_OF_NOBODY = b"\x20\x14\x00\x00\x20\x00" + bytes(16)
CHALLENGE = b"\x84\x08octets!!"


def silent(id: str, what: str, build: Build, counter: str, decodes: bool = True, **how: Any) -> Row:
    return Row(id, what, "fha", build, counter, decodes, **how)


def refused(id: str, what: str, code: int, counter: str, build: Build, decodes: bool = True, **how: Any) -> Row:
    """Signed under the key that comes with it, unless the row says otherwise."""
    return Row(id, what, "fha", build, counter, decodes, code, **({"signed": True} | how))


def served(id: str, what: str, build: Build, code: int = 0, decodes: bool = True, **how: Any) -> Row:
    return Row(id, what, "fha", build, "", decodes, code, signed=True, **how)


def authenticator_of(octets: int) -> Build:
    """The proof says how long its authenticator is, and says the truth."""
    def build(s: Sender) -> bytes:
        covered = s.rrq()[:-16]
        at = len(covered) - 8
        return covered[:at + 2] + (4 + octets).to_bytes(2, "big") + covered[at + 4:] + os.urandom(octets)
    return build


def flipped(s: Sender) -> bytes:
    request = s.rrq()
    return request[:-1] + bytes((request[-1] ^ 1,))


def long_extension(s: Sender) -> bytes:
    return s.open_rrq() + b"\x24\x01\xff\xff\x00\x00\x10\x00" + bytes(100)


def padded(octets: int) -> Build:
    def build(s: Sender) -> bytes:
        request = s.rrq()
        return request + bytes(octets - len(request))
    return build


def covering(octets: int) -> Build:
    """Padding before the proof, so that C has that many octets."""
    return lambda s: s.rrq(extra=bytes(octets - (len(s.rrq()) - 16)))


def named(nai: bytes) -> Build:
    return lambda s: s.rrq(nai=nai_extension(nai))


def named_ours(reply: RegistrationReply) -> bool:
    return reply.home_agent == IPv4Address(FHA)


def lasts(most: int) -> Callable[[RegistrationReply], bool]:
    return lambda reply: 0 < reply.lifetime <= most


ROWS = [
    *[silent("A1", f"{n} octets", lambda s, n=n: s.rrq()[:n], "too_short", False) for n in (0, 1, 23)],
    silent("A1", "random octets", lambda s: b"\x99" + os.urandom(99), "wrong_type", False),
    *[silent("A2", f"type {k}", lambda s, k=k: s.rrq(kind=k), "wrong_type", False)
      for k in (0, 2, 3, 4, 16, 128, 255)],
    silent("A3", "24 octets", lambda s: s.open_rrq(), "no_authenticator"),
    refused("A4", "extension past the end behind the proof", 134, "extension_overrun",
            lambda s: s.rrq() + b"\xc8\x05abcd", False),
    refused("A4", "a lone type behind it", 134, "extension_overrun", lambda s: s.rrq() + b"\x83", False),
    refused("A4", "a lone type of the long format behind it", 134, "extension_overrun",
            lambda s: s.rrq() + b"\x24\x01\x00", False),
    refused("A4", "a subtype without room behind it", 134, "bad_extension", lambda s: s.rrq() + b"\x91\x00\x01", False),
    silent("A4", "extension past the end, no proof", lambda s: s.open_rrq() + b"\xc8\x05abcd", "extension_overrun", False),
    silent("A4", "a lone type, no proof", lambda s: s.open_rrq() + b"\x83", "extension_overrun", False),
    silent("A4", "empty NAI", lambda s: s.rrq(nai=nai_extension(b"")), "no_nai", False),
    served("A5", "1500 octets, padding behind the proof", padded(1500)),
    served("A5", "padding before the proof, C of 1235", covering(1235)),
    silent("A5", "padding before the proof, C of 1236", covering(1236), "bad_nai"),
    *[silent("A5", f"{n} octets, padding", padded(n), "bad_length") for n in (1501, 16_000)],
    refused("A6", "33 extensions", 134, "too_many_extensions", lambda s: s.rrq(extra=30 * UNKNOWN), False),
    refused("A6", "300 extensions", 134, "too_many_extensions", lambda s: s.rrq(extra=300 * UNKNOWN), False),
    refused("A6", "300 extensions, then the NAI", 134, "too_many_extensions",
            lambda s: s.rrq(nai=300 * UNKNOWN + nai_extension(s.nai)), False),
    refused("A6", "600 extensions behind the proof", 134, "too_many_extensions", lambda s: s.rrq(after=600 * UNKNOWN), False),
    served("A6", "32 extensions", lambda s: s.rrq(extra=29 * UNKNOWN)),
    silent("A6", "300 extensions, no proof", lambda s: s.open_rrq() + nai_extension(s.nai) + 300 * UNKNOWN,
           "too_many_extensions", False),
    silent("A6", "300 extensions, one of them unknown below 128", lambda s: s.rrq(extra=300 * UNKNOWN + b"\x3b\x01x"),
           "unknown_extension", False),
    refused("A6", "300 extensions, wrong proof", 144, "too_many_extensions aaa_rejected",
            lambda s: s.rrq(extra=300 * UNKNOWN, key=bytes(16)), False, signed=False),
    refused("A6", "two NAIs", 134, "doubled_extension", lambda s: s.rrq(nai=2 * nai_extension(s.nai)), False),
    refused("A6", "another NAI", 134, "doubled_extension",
            lambda s: s.rrq(nai=nai_extension(s.nai) + nai_extension(b"other@x")), False),
    refused("A6", "two MN-HA", 134, "doubled_extension", lambda s: s.rrq(extra=2 * MN_HA_OF_NOBODY), False),
    refused("A6", "two MN-AAA", 134, "doubled_extension", lambda s: s.rrq(after=s.rrq()[-24:]), False),
    refused("A6", "two challenges", 134, "doubled_extension", lambda s: s.rrq(extra=2 * CHALLENGE)),
    refused("A6", "two nonce requests", 134, "doubled_extension", lambda s: s.rrq(nonce=2 * nonce_request()), False),
    silent("A7", "unknown type 59 before the proof", lambda s: s.rrq(extra=b"\x3b\x01x"), "unknown_extension", False),
    silent("A7", "unknown type 59 behind it", lambda s: s.rrq(after=b"\x3b\x01x"), "unknown_extension", False),
    silent("A7", "unknown type 1 without a value", lambda s: s.rrq(after=b"\x01"), "unknown_extension", False),
    served("A7", "unknown type 200 before the proof", lambda s: s.rrq(extra=b"\xc8\x01x")),
    served("A7", "unknown type 200 behind it", lambda s: s.rrq(after=b"\xc8\x01x")),
    silent("A8", "long format of 65535", long_extension, "extension_overrun", False),
    *[silent("A9", f"authenticator of {n}", authenticator_of(n), "no_authenticator", n > 15) for n in (0, 1, 15, 17, 255)],
    refused("A9", "15 right octets of 16", 144, "aaa_rejected", flipped, signed=False),
    silent("A10", "NAI behind the proof", lambda s: s.rrq(nai=b"", after=nai_extension(s.nai)), "no_nai"),
    refused("A10", "nonce request behind the proof", 134, "poorly_formed",
            lambda s: s.rrq(nonce=b"", after=nonce_request()), signed=False),
    *[silent("A11", f"SPI {n}", lambda s, n=n: s.rrq(spi=n), "reserved_spi") for n in (0, 1, 3, 128, 255)],
    refused("A11", "SPI of nobody", 144, "aaa_rejected", lambda s: s.rrq(spi=0xffffffff), signed=False),
    refused("A11", "key of another node", 144, "aaa_rejected", lambda s: s.rrq(key=s.desk.columns.key[1]), signed=False),
    *[refused("A12", f"identification {n:x}", 133, "identification_refused", lambda s, n=n: s.rrq(identification=n))
      for n in (0, 1, (1 << 64) - 1, 0x83AA7E80 << 32, 0x83AA7E7F << 32, 0xffffffff << 32, 1 << 63)],  # 1970, 2106, 2036
    *[refused("A12", f"{off} s off", 133, "identification_refused",
              lambda s, off=off: s.rrq(identification=s.desk.ntp(off))) for off in (7.1, -7.1)],
    served("A13", "lifetime 0, nothing to delete", lambda s: s.rrq(lifetime=0), says=lambda r: r.lifetime == 0),
    served("A13", "lifetime 0, care-of address = home address, nothing to delete",
           lambda s: s.rrq(lifetime=0, home="198.18.0.9", care_of="198.18.0.9"), says=lambda r: r.lifetime == 0),
    refused("A13", "lifetime 0, another care-of address", 129, "care_of_refused",
            lambda s: s.rrq(lifetime=0, home="198.18.0.9", care_of="127.64.99.99"), says=lambda r: r.lifetime == 0),
    served("A13", "lifetime 65535", lambda s: s.rrq(lifetime=65535), says=lasts(1800)),
    served("A13", "lifetime above the limit", lambda s: s.rrq(lifetime=1801), says=lasts(1800)),
    silent("A14", "no NAI", lambda s: s.rrq(nai=b""), "no_nai"),
    *[refused("A14", f"home address {what}", 129, "home_address_refused", lambda s, home=home: s.rrq(home=home))
      for what, home in [("outside the pool", "192.0.2.1"), ("of the network", "198.18.0.0"), ("broadcast", "198.18.3.255"),
                         ("of the FHA", FHA), ("nobody has leased", "198.18.0.77")]],
    *[refused("A15", f"care-of address {care_of}, not the source", 129, "care_of_refused",
              lambda s, care_of=care_of: s.rrq(care_of=care_of))
      for care_of in ("0.0.0.0", "0.1.2.3", "255.255.255.255", "127.0.0.1", "224.0.0.1", "240.0.0.1", "169.254.1.1",
                      "198.18.0.9", FHA, "127.64.99.99")],
    *[refused("A16", f"home agent {agent}", 136, "home_agent_refused", lambda s, agent=agent: s.rrq(agent=agent),
              says=named_ours) for agent in ("0.0.0.0", "255.255.255.255")],
    refused("A16", "another agent", 136, "aaa_rejected", lambda s: s.rrq(agent="127.0.0.9"), says=named_ours, signed=False),
    silent("A16", "another agent, no proof", lambda s: s.open_rrq(agent="127.0.0.9") + nai_extension(s.nai),
           "no_authenticator"),
    served("A17", "S", lambda s: s.rrq(flags=D | T | S), 1),
    served("A17", "B", lambda s: s.rrq(flags=D | T | B)),
    served("A17", "T clear", lambda s: s.rrq(flags=D)),
    refused("A17", "D clear", 129, "care_of_refused", lambda s: s.rrq(flags=T)),
    refused("A17", "M", 139, "encapsulation_refused", lambda s: s.rrq(flags=D | T | M)),
    refused("A17", "G", 139, "encapsulation_refused", lambda s: s.rrq(flags=D | T | G)),
    *[refused("A17", f"reserved bit {bit:x}", 134, "poorly_formed", lambda s, bit=bit: s.rrq(flags=D | T | bit))
      for bit in (RESERVED_R, RESERVED_X)],
    *[silent("A18", f"NAI of {n} octets", named(b"n" * n), "bad_nai") for n in (254, 255)],
    *[silent("A18", what, named(nai), "bad_nai") for what, nai in [
        ("two @", b"mn@a@home.example"), ("NUL", b"mn\x00@home.example"), ("newline", b"mn\n2026-11-24 all is well@x"),
        ("UTF-8 overlong", b"mn\xc0\xaf@home.example"), ("..", b"../../etc/passwd@x"), ("empty label", b"mn@home..example"),
        ("escape sequence", b"\x1b[2J@x"), ("300 empty labels", b"mn@" + 250 * b".")]],
    *[refused("A18", what, 131, "aaa_rejected", named(nai), signed=False) for what, nai in [
        ("no realm", b"mn000000"), ("%n", b"%n%n%s%x@home.example"), ("SQL", b"'; DROP TABLE subscribers; --@x"),
        ("126 labels", b"mn@" + 124 * b"a." + b"a"), ("escaped @", b"a\\@b@home.example")]],
    refused("A19", "realm of another customer", 131, "aaa_rejected", named(b"mn000000@elsewhere.example"), signed=False),
    silent("A20", "from port 0", lambda s: s.rrq(), "bad_source", port=-1),
    silent("A20", "from our own address", lambda s: s.rrq(), "bad_source", source=FHA),
    *[silent("A20", f"from {source}", lambda s: s.rrq(), "bad_source", source=source)
      for source in ("255.255.255.255", "0.0.0.0")],
    # challenges are a foreign agent's business; the FHA hands them back (RFC 4721 3.4)
    served("A23", "a challenge", lambda s: s.rrq(extra=CHALLENGE)),
    served("A23", "an empty challenge", lambda s: s.rrq(extra=b"\x84\x00")),
    served("A23", "a challenge of 255 octets", lambda s: s.rrq(extra=b"\x84\xff" + bytes(255))),
    served("A23", "a challenge that the proof does not cover", lambda s: s.rrq(after=CHALLENGE)),
]
IDS = [row.name for row in ROWS]
SENDABLE = [row for row in ROWS if row.is_sendable]


@pytest.fixture(scope="module")
def live() -> Iterator[SocketDesk]:
    desk = SocketDesk(len(ROWS) + FIRST_NODE)
    yield desk
    desk.close()


@pytest.mark.parametrize("row", ROWS, ids=IDS)
def test_decoder(row: Row) -> None:
    through_decoder(row)


@pytest.mark.parametrize("row", ROWS, ids=IDS)
def test_role(row: Row) -> None:
    through_role(row)


@pytest.mark.parametrize(("node", "row"), list(enumerate(SENDABLE, FIRST_NODE)), ids=[row.name for row in SENDABLE])
def test_socket(live: SocketDesk, node: int, row: Row) -> None:
    through_socket(row, live, node)
