"""Step 2 at the AAAH: credential, care-of address, which FHAs the policy names, and what stays unanswered."""

import hashlib
from ipaddress import IPv4Address
from typing import Any

import pytest
from desk import Desk
from world import AAAH, HOME_AGENT, HOME_PREFIX, NAS, SECRET, packed, table_of

from fastcodec import RadiusPacket
from servers.roles.aaah import AaahRole
from servers.tables.replies import ReplyCache


def answer(desk: Desk, request: bytes, source: tuple[str, int] = (NAS, 40999), secret: bytes = SECRET) -> RadiusPacket:
    (octets,) = desk.ask_aaah(request, source)
    return RadiusPacket.decode(octets, secret, request)


def test_accept_names_care_of_address_and_fha() -> None:
    desk = Desk()
    reply = answer(desk, desk.access_request(4))
    got = dict(reply.attributes)
    assert reply.code == 2
    assert next(name for name, _ in reply.attributes) == "Message-Authenticator"
    assert got["Framed-IP-Address"] == IPv4Address(desk.care_of(4))
    assert got["Mipstorm-FHA-IP-Address"] == IPv4Address("127.0.0.2")
    assert (got["Service-Type"], got["Session-Timeout"], got["Mipstorm-CoA-Type"]) == (2, 7200, 1)
    assert (len(got["State"]), len(got["Class"])) == (8, 8)


def test_chap_over_the_request_authenticator() -> None:
    """RFC 2865 5.3: without attribute 60."""
    desk = Desk()
    assert answer(desk, desk.access_request(challenge=None)).code == 2


@pytest.mark.parametrize("length", [1, 5, 16, 64, 253])
def test_challenge_of_any_length(length: int) -> None:
    desk = Desk()
    assert answer(desk, desk.access_request(challenge=bytes(range(1, length + 1)))).code == 2


def test_challenge_wins_over_the_request_authenticator() -> None:
    desk = Desk()
    authenticator = bytes(range(16))
    digest = hashlib.md5(b"\x07" + desk.columns.access_secret[0] + authenticator).digest()
    request = desk.access_request(authenticator=authenticator, CHAP_Password=b"\x07" + digest)
    assert answer(desk, request).code == 3


@pytest.mark.parametrize(("counter", "changes"), [
    ("bad_credential", {"CHAP_Password": bytes(17)}), ("bad_credential", {"CHAP_Password": bytes(16)}),
    ("bad_credential", {"CHAP_Password": bytes(1)}), ("no_credential", {"CHAP_Password": None}),
    ("no_nai", {"User_Name": None}), ("unknown_subscriber", {"User_Name": "nobody@home.example"}),
    ("unknown_subscriber", {"User_Name": "MN000000@home.example"}), ("wrong_role", {"Mipstorm_Requester_Role": 3}),
    ("wrong_role", {"Mipstorm_Requester_Role": 257}),
], ids=str)
def test_reject(counter: str, changes: dict[str, Any]) -> None:
    desk = Desk()
    reply = answer(desk, desk.access_request(**changes))
    assert reply.code == 3
    assert desk.aaah.counters() == {counter: 1}
    assert desk.aaah.replies_sent == (0, 1)


def test_two_credentials() -> None:
    desk = Desk()
    assert answer(desk, desk.access_request(more=[("User-Password", bytes(16))])).code == 3
    assert desk.aaah.counters() == {"two_credentials": 1}


def test_absent_role_is_a_nas() -> None:
    desk = Desk()
    assert answer(desk, desk.access_request(Mipstorm_Requester_Role=None)).code == 2


# ---- clients -------------------------------------------------------------------------------------------------------------

def test_client_by_longest_network() -> None:
    desk = Desk()
    desk.aaah.add_client(packed("127.0.0.64"), 26, b"secret of the smaller network", roles=1 << 1, denial_code=False)
    near, far = ("127.0.0.65", 40999), ("127.0.0.3", 40999)
    assert answer(desk, desk.access_request(secret=b"secret of the smaller network"), near,
                  b"secret of the smaller network").code == 2
    assert desk.ask_aaah(desk.access_request(identifier=2), near) == []
    assert answer(desk, desk.access_request(identifier=3), far).code == 2
    request = desk.key_request(identifier=4, secret=b"secret of the smaller network")
    reply = answer(desk, request, near, b"secret of the smaller network")
    assert (reply.code, "Mipstorm-Denial-Code" in reply.attributes) == (3, False)
    assert desk.aaah.counters() == {"bad_message_authenticator": 1, "wrong_role": 1}


@pytest.mark.parametrize("source", ["127.128.0.1", "192.0.2.1", "128.0.0.1"])
def test_unknown_client_is_silent(source: str) -> None:
    desk = Desk()
    assert desk.ask_aaah(desk.access_request(), (source, 40999)) == []
    assert desk.aaah.counters() == {"unknown_client": 1}


def test_port_0_is_silent() -> None:
    desk = Desk()
    assert desk.ask_aaah(desk.access_request(), (NAS, 0)) == []
    assert desk.aaah.counters() == {"bad_source": 1}


# ---- policy --------------------------------------------------------------------------------------------------------------

def named(desk: Desk, node: int = 0, nas: str = "nas-1", identifier: int = 1) -> list[str]:
    """The FHAs of the Accept in order; empty: rejected because there is none."""
    request = desk.access_request(node, NAS_Identifier=nas, identifier=identifier)
    reply = answer(desk, request, (NAS, 41000 + node))
    if reply.code == 3:
        assert "fha_not_assigned" in desk.aaah.counters()
    return [str(a) for a in reply.attributes.all("Mipstorm-FHA-IP-Address")]


class PolicyDesk(Desk):
    """An AAAH whose policy is the test's alone."""

    def add_aaah(self) -> None:
        self.aaah = AaahRole(table_of(self.columns), ReplyCache(), care_of_network=packed("127.64.0.0"),
                             care_of_size=1 << 22, ipv6_home_prefix=packed(HOME_PREFIX), home_agent=packed(HOME_AGENT))
        self.aaah.add_client(packed("127.0.0.0"), 9, SECRET)

    def ask_aaah(self, data: bytes, source: tuple[str, int] = (NAS, 40999)) -> list[bytes]:
        self.aaah.feed(0, [(*source, AAAH, data)], self.net.now, self.net.now)
        return [row[4] for row in self.aaah.drain()]


def test_no_fha_at_all() -> None:
    assert named(PolicyDesk()) == []


def test_patterns_of_nas_identifiers() -> None:
    desk = PolicyDesk()
    rows = [("10.0.0.1", b"paris-*"), ("10.0.0.2", b"nas-?\nlyon-*"), ("10.0.0.3", b"*-edge-*-1"), ("10.0.0.4", b"exact")]
    for address, pattern in rows:
        desk.aaah.add_fha(packed(address), nas=pattern)
    expected = {"paris-": ["10.0.0.1"], "paris-7": ["10.0.0.1"], "paris": [], "nas-1": ["10.0.0.2"], "nas-12": [],
                "lyon-north": ["10.0.0.2"], "a-edge-b-1": ["10.0.0.3"], "a-edge-b-1-edge-c-1": ["10.0.0.3"],
                "a-edge-b-2": [], "exact": ["10.0.0.4"], "Exact": [], "exactly": [], "*": []}
    assert {nas: named(desk, nas=nas, identifier=k) for k, nas in enumerate(expected)} == expected


def test_no_pattern_serves_every_nas_also_without_identifier() -> None:
    desk = PolicyDesk()
    desk.aaah.add_fha(packed("10.0.0.1"))
    desk.aaah.add_fha(packed("10.0.0.2"), nas=b"nas-1")
    request = desk.access_request(NAS_Identifier=None)
    assert [str(a) for a in answer(desk, request).attributes.all("Mipstorm-FHA-IP-Address")] == ["10.0.0.1"]


def test_pattern_with_many_stars_ends_quickly() -> None:
    desk = PolicyDesk()
    desk.aaah.add_fha(packed("10.0.0.1"), nas=b"*a" * 60 + b"*b")
    assert named(desk, nas="a" * 250) == []


def test_unhealthy_fha_is_never_named() -> None:
    desk = PolicyDesk()
    desk.aaah.add_fha(packed("10.0.0.1"), weight=0)
    assert named(desk) == []
    desk.aaah.add_fha(packed("10.0.0.2"), weight=1)
    assert named(desk, identifier=2) == ["10.0.0.2"]


def test_classes() -> None:
    desk = PolicyDesk(4)
    desk.columns.classes[:] = ["gold"]
    desk.columns.class_index[:] = 0
    desk.aaah.add_fha(packed("10.0.0.1"), classes=0b10)
    desk.aaah.add_fha(packed("10.0.0.2"), classes=0b01)
    assert named(desk) == ["10.0.0.2"]


def test_weights_and_stickiness() -> None:
    """3 to 1 over many subscribers; the same subscriber is always sent to the same one first, the other is second."""
    desk = PolicyDesk(1200)
    desk.aaah.add_fha(packed("10.0.0.1"), weight=3)
    desk.aaah.add_fha(packed("10.0.0.2"), weight=1)
    choices = [named(desk, node) for node in range(1200)]
    assert all(sorted(c) == ["10.0.0.1", "10.0.0.2"] for c in choices)
    first = sum(c[0] == "10.0.0.1" for c in choices)
    assert 840 <= first <= 960  # 900, 4 standard deviations
    assert [named(desk, node, identifier=2) for node in range(50)] == choices[:50]


def test_at_most_four_are_named() -> None:
    desk = PolicyDesk()
    for k in range(9):
        desk.aaah.add_fha(packed(f"10.0.0.{k + 1}"))
    found = named(desk)
    assert len(found) == len(set(found)) == 4
