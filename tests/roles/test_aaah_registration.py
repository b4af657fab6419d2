"""Step 5 at the AAAH: the checks in their order, each alone, the Identification rule, and the key as the FHA finds it."""

import hashlib
from ipaddress import IPv4Address, IPv6Address
from typing import Any

import pytest
from desk import MN_SPI, Desk, derived_key, nai_extension, nonce_request, proof
from world import FHA, HOME_AGENT, SECOND, SECRET, packed

from fastcodec import Attributes, RadiusPacket

OTHER_FHA = "127.0.0.9"


def answer(desk: Desk, request: bytes, source: tuple[str, int] = (FHA, 30999)) -> RadiusPacket:
    """The one answer, both authenticators right."""
    (octets,) = desk.ask_aaah(request, source)
    return RadiusPacket.decode(octets, SECRET, request)


def refused(desk: Desk, request: bytes) -> int:
    """The Denial-Code of a Reject, 0: there is none."""
    reply = answer(desk, request)
    assert reply.code == 3
    assert {name for name, _ in reply.attributes} <= {"Message-Authenticator", "Mipstorm-Denial-Code"}
    assert desk.aaah.replies_sent[1] == 1
    return int(reply.attributes.get("Mipstorm-Denial-Code", 0))


def revealed(hidden: bytes, authenticator: bytes) -> bytes:
    """RFC 2868 3.5, said once more: salt, then blocks chained by MD5; the first octet is the length."""
    salt, cipher, plain = hidden[:2], hidden[2:], b""
    last = authenticator + salt
    for k in range(0, len(cipher), 16):
        pad = hashlib.md5(SECRET + last).digest()
        last = cipher[k:k + 16]
        plain += bytes(a ^ b for a, b in zip(pad, last, strict=True))
    assert salt[0] & 0x80
    return plain[1:1 + plain[0]]


def test_accept_has_everything_the_fha_needs() -> None:
    desk = Desk()
    request = desk.key_request(2)
    reply = answer(desk, request)
    got = dict(reply.attributes)
    assert reply.code == 2
    assert next(name for name, _ in reply.attributes) == "Message-Authenticator"
    assert got["Framed-IP-Address"] == IPv4Address("255.255.255.254")
    assert got["Mipstorm-IPv6-Home-Address"] == IPv6Address("2001:db8:100:1::3")
    assert got["Mipstorm-IPv6-Home-Agent"] == IPv6Address(HOME_AGENT)
    assert (got["Session-Timeout"], got["Mipstorm-Registration-Lifetime"]) == (7200, 1800)
    assert (got["Mipstorm-AAA-SPI"], got["Mipstorm-MN-FHA-MN-SPI"], got["Mipstorm-MN-FHA-FHA-SPI"]) == (4096, MN_SPI, 9999)
    assert (got["Mipstorm-MN-FHA-Algorithm"], got["Mipstorm-MN-FHA-Replay-Method"]) == (1, 2)
    assert (got["Mipstorm-MN-FHA-Key-Lifetime"], len(got["Class"])) == (3600, 8)
    key = revealed(Attributes.from_octets(reply.attributes.octets)["Mipstorm-MN-FHA-Key"], request[4:20])
    assert key == got["Mipstorm-MN-FHA-Key"] == derived_key(desk.columns.key[2], got["Mipstorm-MN-FHA-Nonce"], desk.columns.nai[2])


def test_no_key_unless_asked() -> None:
    desk = Desk()
    reply = answer(desk, desk.key_request(Mipstorm_Key_Request=0))
    assert reply.code == 2
    assert not [name for name, _ in reply.attributes if "Key" in name or "Nonce" in name]


def test_nonce_and_salt_are_new_every_time() -> None:
    desk = Desk()
    rrq = desk.rrq()
    replies = [answer(desk, desk.key_request(rrq=rrq, identifier=k)).attributes for k in range(5)]
    assert len({r["Mipstorm-MN-FHA-Nonce"] for r in replies}) == 5
    assert len({r["Mipstorm-MN-FHA-Key"].salt for r in replies}) == 5


def test_proof_in_pieces() -> None:
    desk = Desk()
    rrq = desk.rrq(extra=2 * (bytes((200, 200)) + bytes(200)))
    covered = rrq[:-16]
    pieces = [("Mipstorm-MN-AAA-Data", covered[k:k + 247]) for k in range(0, len(covered), 247)]
    assert len(pieces) == 2
    assert answer(desk, desk.key_request(rrq=rrq, leave_out=["Mipstorm_MN_AAA_Data"], more=pieces)).code == 2
    assert answer(desk, desk.key_request(rrq=rrq, leave_out=["Mipstorm_MN_AAA_Data"], more=pieces[::-1], identifier=2)
                  ).code == 3


def unlike(desk: Desk, what: str) -> bytes:
    """A request that fails one check."""
    rrq = desk.rrq()
    if what == "tail is another extension":
        covered = rrq[:-24] + b"\x25" + rrq[-23:-16]
        return desk.key_request(rrq=covered + rrq[-16:])
    if what == "C is a reply":
        return desk.key_request(rrq=desk.rrq(kind=3))
    if what == "C without NAI":
        return desk.key_request(rrq=desk.rrq(nai=b""))
    return desk.key_request(rrq=proof(b"\x01", 4096, desk.columns.key[0]))


CHECKS: list[tuple[str, int, str, dict[str, Any]]] = [
    ("User-Name is not the NAI of C", 131, "proof_mismatch", {"User_Name": "mn000001@home.example"}),
    ("care-of address is not that of C", 134, "proof_mismatch", {"Mipstorm_Care_of_Address": "127.64.9.9"}),
    ("no care-of address", 134, "proof_mismatch", {"Mipstorm_Care_of_Address": None}),
    ("NAS-IP-Address is not the home agent of C", 136, "proof_mismatch", {"NAS_IP_Address": "127.0.0.9"}),
    ("SPI is not that of C", 131, "proof_mismatch", {"Mipstorm_MN_AAA_SPI": 4097}),
    ("authenticator wrong", 144, "bad_credential", {"Mipstorm_MN_AAA_Authenticator": bytes(16)}),
    ("authenticator of 12 octets", 144, "no_credential", {"Mipstorm_MN_AAA_Authenticator": bytes(12)}),
    ("no authenticator", 144, "no_credential", {"Mipstorm_MN_AAA_Authenticator": None}),
    ("no C", 144, "no_credential", {"Mipstorm_MN_AAA_Data": None}),
    ("no SPI", 144, "no_credential", {"Mipstorm_MN_AAA_SPI": None}),
    ("no User-Name", 131, "no_nai", {"User_Name": None}),
    ("unknown subscriber", 131, "unknown_subscriber", {"User_Name": "nobody@home.example"}),
    ("unknown role", 131, "wrong_role", {"Mipstorm_Requester_Role": 9}),
    ("role 256 more than the FHA's", 131, "wrong_role", {"Mipstorm_Requester_Role": 258}),
]


@pytest.mark.parametrize(("denial", "counter", "changes"), [row[1:] for row in CHECKS], ids=[row[0] for row in CHECKS])
def test_one_check_fails(denial: int, counter: str, changes: dict[str, Any]) -> None:
    desk = Desk()
    assert refused(desk, desk.key_request(**changes)) == denial
    assert desk.aaah.counters() == {counter: 1}
    assert answer(desk, desk.key_request(identifier=2)).code == 2  # nothing was recorded that would stand in the way


@pytest.mark.parametrize("what", ["tail is another extension", "C is a reply", "C without NAI", "C of 9 octets"])
def test_c_is_no_registration_request(what: str) -> None:
    desk = Desk()
    assert refused(desk, unlike(desk, what)) == 131
    assert desk.aaah.counters() == {"proof_mismatch": 1}


@pytest.mark.parametrize(("denial", "changes"), [
    (131, {"User_Name": "mn000001@home.example", "Mipstorm_Care_of_Address": "127.64.9.9"}),
    (134, {"Mipstorm_Care_of_Address": "127.64.9.9", "NAS_IP_Address": "127.0.0.9"}),
    (136, {"NAS_IP_Address": "127.0.0.9", "Mipstorm_MN_AAA_Authenticator": bytes(16)}),
])
def test_the_first_check_that_fails_answers(denial: int, changes: dict[str, Any]) -> None:
    desk = Desk()
    assert refused(desk, desk.key_request(**changes)) == denial


def test_authenticator_is_checked_before_which_fha_asks() -> None:
    desk = Desk()
    rrq = desk.rrq(agent=OTHER_FHA, key=bytes(16))
    assert refused(desk, desk.key_request(rrq=rrq, NAS_IP_Address=OTHER_FHA)) == 144


def test_fha_that_the_policy_does_not_know() -> None:
    desk = Desk()
    assert refused(desk, desk.key_request(rrq=desk.rrq(agent=OTHER_FHA), NAS_IP_Address=OTHER_FHA)) == 129
    assert desk.aaah.counters() == {"fha_not_assigned": 1}


def test_only_the_fha_named_at_step_3_gets_keys() -> None:
    """Until that Accept's Session-Timeout; before and after it any FHA of the class may ask, counted (ruling 18)."""
    desk = Desk(nodes=1)
    desk.aaah.add_fha(packed(OTHER_FHA), nas=b"elsewhere")
    other = {"rrq": desk.rrq(agent=OTHER_FHA), "NAS_IP_Address": OTHER_FHA}
    assert answer(desk, desk.key_request(identifier=1, **other)).code == 2
    assert desk.aaah.counters() == {"fha_unbound": 1}
    assert answer(desk, desk.access_request(identifier=2)).code == 2
    desk.net.run(desk.net.now + SECOND)
    other["rrq"] = desk.rrq(agent=OTHER_FHA)
    assert refused(desk, desk.key_request(identifier=3, **other)) == 129
    assert answer(desk, desk.key_request(identifier=4)).code == 2
    assert desk.aaah.counters() == {"fha_unbound": 1, "fha_not_assigned": 1}
    desk.net.run(desk.net.now + 7201 * SECOND)
    other["rrq"] = desk.rrq(agent=OTHER_FHA)
    assert answer(desk, desk.key_request(identifier=5, **other)).code == 2
    assert desk.aaah.counters() == {"fha_unbound": 2, "fha_not_assigned": 1}


def test_class_that_the_fha_does_not_serve() -> None:
    desk = Desk(nodes=1)
    desk.aaah.add_fha(packed(OTHER_FHA), classes=0b10)  # the only subscriber is of class 0
    assert refused(desk, desk.key_request(rrq=desk.rrq(agent=OTHER_FHA), NAS_IP_Address=OTHER_FHA)) == 129


@pytest.mark.parametrize(("then", "code"), [
    (0.5, 2), (-0.5, 3), (0.0, 2), (100.0, 2), (-100.0, 2), (6.9, 2), (-6.9, 3),
], ids=["newer", "older", "the same C", "far ahead", "far behind", "newer, at the edge", "older, at the edge"])
def test_identification_rule(then: float, code: int) -> None:
    desk = Desk()
    first = desk.ntp()
    assert answer(desk, desk.key_request(rrq=desk.rrq(identification=first), identifier=1)).code == 2
    rrq = desk.rrq(identification=first + int(then * (1 << 32)))
    reply = answer(desk, desk.key_request(rrq=rrq, identifier=2))
    assert reply.code == code
    if code == 3:
        assert reply.attributes["Mipstorm-Denial-Code"] == 133
        assert desk.aaah.counters()["identification_refused"] == 1


def test_same_identification_in_another_c_is_refused() -> None:
    desk = Desk()
    first = desk.ntp()
    assert answer(desk, desk.key_request(rrq=desk.rrq(identification=first), identifier=1)).code == 2
    other = desk.rrq(identification=first, lifetime=999)
    assert answer(desk, desk.key_request(rrq=other, identifier=2)).attributes["Mipstorm-Denial-Code"] == 133


@pytest.mark.parametrize("off", [100.0, -100.0])
def test_outside_the_window_is_not_recorded(off: float) -> None:
    """Else one replayed request of a node whose clock ran ahead would lock it out."""
    desk = Desk()
    assert answer(desk, desk.key_request(rrq=desk.rrq(identification=desk.ntp(off)), identifier=1)).code == 2
    assert answer(desk, desk.key_request(rrq=desk.rrq(identification=desk.ntp(-1)), identifier=2)).code == 2


def test_refused_proof_is_not_recorded() -> None:
    desk = Desk()
    forged = desk.rrq(identification=desk.ntp(5), key=bytes(16))
    assert answer(desk, desk.key_request(rrq=forged, identifier=1)).code == 3
    assert answer(desk, desk.key_request(rrq=desk.rrq(), identifier=2)).code == 2


def test_c_with_two_nais_is_the_first_one_s() -> None:
    desk = Desk()
    rrq = desk.rrq(nai=nai_extension(desk.columns.nai[0]) + nai_extension(b"x@y"), nonce=nonce_request())
    assert answer(desk, desk.key_request(rrq=rrq)).code == 2
