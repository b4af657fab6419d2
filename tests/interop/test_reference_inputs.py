"""28 inputs to FreeRADIUS 3.2 and to our AAAH: the same Accept, Reject or silence, or the reason why ours differs."""
from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.interop.peers import SECRET, aaah, answers, attribute, freeradius, is_answer, request, status_server, subscribers

pytestmark = pytest.mark.interop
SILENCE, ACCEPT, REJECT = "silence", "accept", "reject"
CODES = {2: ACCEPT, 3: REJECT, 11: "challenge"}
WAIT_S = 2.5  # our reject delay towards a NAS is one second

NOBODY = attribute(1, b"nobody@home.example")
PASSWORD = attribute(2, os.urandom(16))
CREDENTIAL = NOBODY + PASSWORD
UNSIGNED = "our clients must sign (CVE-2024-3596); signed, see the row below"


class Input(NamedTuple):
    name: str
    octets: Callable[[], bytes]
    theirs: str
    ours: str = ""               # as theirs
    why: str = ""                # ours differs


def cut(octets: bytes, length: int) -> bytes:
    """With another Length in the header."""
    return octets[:2] + length.to_bytes(2, "big") + octets[4:]


def plain(attributes: bytes, code: int = 1) -> bytes:
    return request(attributes, code=code, signed=False)


def spoilt() -> bytes:
    packet = request(CREDENTIAL)
    return packet[:22] + bytes(16) + packet[38:]


INPUTS = [
    Input("nothing", lambda: b"", SILENCE),
    Input("one octet", lambda: b"\x01", SILENCE),
    Input("19 octets", lambda: request(CREDENTIAL)[:19], SILENCE),
    Input("Length below 20", lambda: cut(request(CREDENTIAL), 19), SILENCE),
    Input("Length beyond the datagram", lambda: cut(request(CREDENTIAL), 200), SILENCE),
    Input("4126 octets", lambda: request(CREDENTIAL + attribute(18, bytes(251)) * 15 + attribute(18, bytes(125)) * 2), SILENCE),
    Input("attribute of length 0", lambda: plain(CREDENTIAL + b"\x12\x00"), SILENCE),
    Input("attribute of length 1", lambda: plain(CREDENTIAL + b"\x12\x01"), SILENCE),
    Input("attribute past the end", lambda: plain(CREDENTIAL + b"\x12\x09abc"), SILENCE),
    Input("300 attributes", lambda: request(CREDENTIAL + attribute(18, b"x") * 300), SILENCE),
    Input("code 0", lambda: request(CREDENTIAL, code=0), SILENCE),
    Input("code 2", lambda: request(CREDENTIAL, code=2), SILENCE),
    Input("code 99", lambda: request(CREDENTIAL, code=99), SILENCE),
    Input("wrong Message-Authenticator", spoilt, SILENCE),
    Input("two Message-Authenticators", lambda: request(CREDENTIAL + attribute(80, bytes(16))), SILENCE),
    Input("Message-Authenticator of 15 octets", lambda: plain(CREDENTIAL + attribute(80, bytes(15))), SILENCE),
    Input("unsigned Status-Server", lambda: plain(b"", code=12), SILENCE),
    Input("header alone", lambda: plain(b""), REJECT, SILENCE, UNSIGNED),
    Input("octets behind Length", lambda: request(CREDENTIAL) + b"padding", REJECT),
    Input("vendor attribute with inner length 0", lambda: request(CREDENTIAL + b"\x1a\x08\x00\x00\x7e\xd9\x01\x00"), REJECT),
    Input("vendor attribute of 4 octets", lambda: request(CREDENTIAL + attribute(26, b"\x00\x00")), REJECT),
    Input("User-Password of 15 octets", lambda: request(NOBODY + attribute(2, bytes(15))), REJECT),
    Input("User-Password of 144 octets", lambda: request(NOBODY + attribute(2, bytes(144))), REJECT),
    Input("NAI with NUL, newline and %", lambda: request(attribute(1, b"a\x00b\n%s%n@home") + PASSWORD), REJECT),
    Input("unknown user, unsigned", lambda: plain(CREDENTIAL), REJECT, SILENCE, UNSIGNED),
    Input("unknown user", lambda: request(CREDENTIAL), REJECT),
    Input("unsigned Proxy-State", lambda: plain(CREDENTIAL + attribute(33, b"state")), REJECT, SILENCE,
          "this FreeRADIUS predates the fix of CVE-2024-3596"),
    Input("Status-Server", status_server, ACCEPT),
]


def outcomes(to: tuple[str, int]) -> list[str]:
    questions = [row.octets() for row in INPUTS]
    got = answers(to, questions, WAIT_S)
    assert all(is_answer(a, q, SECRET) for q, a in zip(questions, got, strict=True) if a), "an answer that does not verify"
    return [CODES[a[0]] if a else SILENCE for a in got]


def differences(got: list[str], wanted: list[str]) -> dict[str, str]:
    return {row.name: f"{was}, not {should}" for row, was, should in zip(INPUTS, got, wanted, strict=True) if was != should}


def test_there_are_28_and_every_difference_has_a_reason() -> None:
    assert len(INPUTS) == len({row.name for row in INPUTS}) == 28
    assert len(next(row for row in INPUTS if row.name == "4126 octets").octets()) == 4126
    assert all(bool(row.why) == (row.ours not in ("", row.theirs)) for row in INPUTS)


def test_freeradius(tmp_path: Path) -> None:
    with freeradius(tmp_path, "") as port:
        assert differences(outcomes(("127.0.0.1", port)), [row.theirs for row in INPUTS]) == {}


def test_our_aaah(tmp_path: Path) -> None:
    subscribers(tmp_path, 3)
    with aaah(tmp_path) as endpoint:
        to = (str(endpoint.address), endpoint.port)
        assert differences(outcomes(to), [row.ours or row.theirs for row in INPUTS]) == {}
        assert CODES[answers(to, [request(b"")], WAIT_S)[0][0]] == REJECT  # the header alone, signed
