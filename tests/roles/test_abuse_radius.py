"""RADIUS packets that somebody hostile or broken might send to the AAAH, or to the FHA's client, one row each (see
`abuse`)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from abuse import (
    FIRST_NODE,
    Build,
    Row,
    Sender,
    SocketDesk,
    answer_nobody_asked_for,
    signed,
    sized,
    through_decoder,
    through_role,
    through_socket,
    with_attributes,
)
from world import SECRET

from fastcodec import RadiusPacket

SQL = "'; DROP TABLE subscribers; --"
DNS = "${jndi:ldap://x.example/a}"
STATES = [bytes((k,)) * 253 for k in range(10)]


def silent(id: str, what: str, build: Build, counter: str, decodes: bool = False, **how: Any) -> Row:
    return Row(id, what, "aaah", build, counter, decodes, **how)


def accepted(id: str, what: str, build: Build, **how: Any) -> Row:
    return Row(id, what, "aaah", build, code=2, **how)


def rejected(id: str, what: str, build: Build, counter: str) -> Row:
    return Row(id, what, "aaah", build, counter, code=3)


def stray(id: str, what: str, build: Build, counter: str, decodes: bool = False) -> Row:
    """To the FHA, as if it had asked."""
    return Row(id, what, "client", build, counter, decodes)


def vsa(inner: bytes) -> bytes:
    return bytes((26, 6 + len(inner))) + (32473).to_bytes(4, "big") + inner


def with_states(states: list[bytes]) -> Build:
    return lambda s: s.access_request(more=[("Proxy-State", state) for state in states])


def hands_back(states: list[bytes]) -> Any:
    return lambda reply: reply.attributes.all("Proxy-State") == states


def unsigned(packet: bytes) -> bytes:
    return sized(packet[:20] + packet[38:])


def bare(s: Sender, **changes: Any) -> bytes:
    """Without a credential."""
    return s.access_request(**({"CHAP_Password": None, "CHAP_Challenge": None} | changes))


def with_password(octets: int) -> Build:
    """User-Password of that many octets, hidden or not."""
    return lambda s: signed(bare(s) + bytes((2, 2 + octets)) + bytes(octets))


def with_chap(octets: int) -> Build:
    return lambda s: signed(bare(s) + bytes((3, 2 + octets)) + bytes(octets))


def status_server(s: Sender) -> bytes:
    return RadiusPacket(12, 5, bytes(16), [("NAS-Identifier", "nas-1")]).encode(SECRET)


ROWS = [
    *[silent("A26", f"{n} octets", lambda s, n=n: s.access_request()[:n], "too_short") for n in (0, 1, 19)],
    *[silent("A26", f"Length {n}", lambda s, n=n: sized(s.access_request(), n), "bad_length")
      for n in (0, 19, 4097, 65535)],
    silent("A26", "Length one more than there is", lambda s: s.access_request()[:-1], "bad_length"),
    accepted("A26", "trailing octets", lambda s: s.access_request() + b"\x00\x00trailing"),
    *[silent("A27", f"code {k}", lambda s, k=k: signed(bytes((k,)) + s.access_request()[1:]), "unknown_code", True)
      for k in (0, 2, 3, 4, 5, 11, 13, 40, 43, 255)],
    silent("A28", "attribute of length 0", with_attributes(b"\x19\x00"), "extension_overrun"),
    silent("A28", "attribute of length 1", with_attributes(b"\x19\x01"), "extension_overrun"),
    silent("A28", "attribute past the end", with_attributes(b"\x19\x05ab"), "extension_overrun"),
    silent("A28", "a lone type", with_attributes(b"\x19"), "extension_overrun"),
    silent("A28", "attribute 0", with_attributes(b"\x00\x03x"), "extension_overrun"),
    *[accepted("A29", f"VSA of {n} octets", with_attributes(bytes((26, 2 + n)) + bytes(n))) for n in range(6)],
    *[accepted("A29", f"VSA with inner length {n}", with_attributes(vsa(bytes((1, n)) + b"abcd")))
      for n in (0, 1, 7, 255)],
    accepted("A29", "VSA with a lone inner type", with_attributes(vsa(b"\x01"))),
    accepted("A29", "VSA with 123 inner attributes", with_attributes(vsa(b"\xc8\x02" * 123))),
    accepted("A29", "TLVs in TLVs", with_attributes(bytes((241, 255)) + bytes(253))),
    silent("A30", "300 attributes", with_attributes(b"\x19\x02" * 300), "too_many_extensions"),
    silent("A30", "4096 octets of empty attributes",
             lambda s: signed(s.access_request() + b"\x19\x02" * ((4096 - len(s.access_request())) // 2)),
             "too_many_extensions"),
    silent("A31", "no Message-Authenticator",
             lambda s: sized(s.access_request()[:20] + s.access_request()[38:]), "no_message_authenticator", True),
    silent("A31", "a wrong one", lambda s: s.access_request()[:22] + bytes(16) + s.access_request()[38:],
             "bad_message_authenticator", True),
    silent("A31", "one of 15 octets",
             lambda s: sized(s.access_request()[:20] + b"\x50\x11" + s.access_request()[22:37] + s.access_request()[38:]),
             "bad_message_authenticator", True),
    silent("A31", "one of 17 octets",
             lambda s: sized(s.access_request()[:20] + b"\x50\x13" + bytes(17) + s.access_request()[38:]),
             "bad_message_authenticator", True),
    silent("A31", "two", lambda s: signed(s.access_request() + b"\x50\x12" + bytes(16)), "bad_message_authenticator", True),
    accepted("A32", "ten Proxy-States of 253", with_states(STATES), says=hands_back(STATES)),
    accepted("A32", "a short one and a long one", with_states([b"x", STATES[7]]), says=hands_back([b"x", STATES[7]])),
    silent("A32", "Proxy-State without Message-Authenticator", lambda s: unsigned(with_states([b"x"])(s)),
           "no_message_authenticator", True),
    *[silent("A32", f"{n} Proxy-States", with_states(n * [b"x"]), "proxy_state_limit", True) for n in (11, 100)],
    *[rejected("A33", f"User-Password of {n}", with_password(n), "bad_credential") for n in (0, 15, 17, 144)],
    *[rejected("A33", f"CHAP-Password of {n}", with_chap(n), "bad_credential") for n in (0, 1, 16, 18)],
    rejected("A33", "no credential", bare, "no_credential"),
    silent("A41", "Status-Server unsigned", lambda s: unsigned(status_server(s)), "no_message_authenticator", True),
    silent("A41", "Status-Server signed wrong", lambda s: status_server(s)[:22] + bytes(16) + status_server(s)[38:],
           "bad_message_authenticator", True),
    accepted("A41", "Status-Server", status_server),
    *[accepted("A42", f"{text} in Calling-Station-Id", lambda s, text=text: s.access_request(
        Calling_Station_Id=text)) for text in (SQL, DNS)],
    *[accepted("A42", f"{text} in State", lambda s, text=text: s.access_request(State=text.encode())) for text in (SQL, DNS)],
    *[rejected("A42", f"{text} in User-Name", lambda s, text=text: s.access_request(User_Name=text), "unknown_subscriber")
      for text in (SQL, DNS, "mn000000@home.example' OR '1'='1")],
    silent("A39", "stranger", lambda s: s.access_request(), "unknown_client", True, source="127.128.0.1"),
    silent("A39", "wrong secret", lambda s: s.access_request(secret=b"a wrong secret of 24 oct"),
             "bad_message_authenticator", True),

    stray("A34", "nobody asked", lambda s: answer_nobody_asked_for(), "unmatched_reply", True),
    stray("A34", "an Access-Request", lambda s: s.access_request(), "unmatched_reply", True),
    *[stray("A26", f"{n} octets", lambda s, n=n: answer_nobody_asked_for()[:n], "too_short")
      for n in (0, 1, 19)],
    stray("A26", "Length 65535", lambda s: sized(answer_nobody_asked_for(), 65535), "bad_length"),
    stray("A28", "attribute of length 0", lambda s: sized(answer_nobody_asked_for() + b"\x19\x00"),
        "extension_overrun"),
    stray("A30", "300 attributes", lambda s: sized(answer_nobody_asked_for() + b"\x19\x02" * 300),
        "too_many_extensions"),
]
IDS = [row.name for row in ROWS]


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


@pytest.mark.parametrize(("node", "row"), list(enumerate(ROWS, FIRST_NODE)), ids=IDS)
def test_socket(live: SocketDesk, node: int, row: Row) -> None:
    through_socket(row, live, node)
