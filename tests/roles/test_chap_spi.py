"""MN-AAA by CHAP_SPI (RFC 4721 8), challenges, and AAAHs that know nothing of us (issue 4: FreeRADIUS as AAAH)."""

import hashlib
from typing import Any

import pytest
from desk import nonce_request
from holder import Aaah, Holder, Holding, challenge_extension, cvse
from world import AAAH, FHA, SECRET, packed

from fastcodec import Challenge, MnHaAuthentication, NonceReply, RegistrationReply

CHALLENGES = [b"", b"\x00", b"\xb0", bytes(range(16)), bytes(range(237)), bytes(range(238)), bytes(range(255))]
SPI, KEY = 4097, bytes(range(100, 116))


class Plain(Holder):
    """A plain RADIUS server that knows the MN-AAA key as a password, and one key for all nodes."""

    aaah_settings = {"ours": False, "message_authenticator": "auto"}  # noqa: RUF012

    def add_aaah(self) -> None:
        super().add_aaah()
        self.server.plain = True

    def add_fha(self, clock_s: float = 0, **settings: Any) -> None:
        super().add_fha(clock_s, **settings)
        self.fha.add_static_key(SPI, KEY)

    def chap(self, node: int = 0, **changes: Any) -> bytes:
        return self.chap_request(node, **{"nonce": b""} | changes)

    def holding(self, octets: bytes, node: int = 0) -> Holding:
        message = RegistrationReply.decode(octets, KEY)
        assert (message.code, message.find(MnHaAuthentication).spi, message.find(NonceReply)) == (0, SPI, None)
        return Holding(node, str(message.home_address), KEY, SPI, SPI, self.read(octets, node))


@pytest.mark.parametrize("challenge", CHALLENGES, ids=lambda c: f"{len(c)} octets")
def test_towards_ours(challenge: bytes) -> None:
    """The AAAH gets CHAP and C; the node its key, and its challenge back behind MN-HA (RFC 4721 3.4)."""
    desk = Holder()
    held = desk.taken(desk.one(desk.chap_request(challenge=challenge)))
    (asked,) = desk.server.asked
    assert len(asked.attributes["CHAP-Password"]) == 17
    assert asked.attributes["CHAP-Password"][0] == (challenge or b"\0")[0]
    covered = asked.attributes.joined("Mipstorm-MN-AAA-Data")
    assert covered[-8:] == b"\x24\x01\x00\x14\x00\x00\x00\x02"
    assert asked.attributes["CHAP-Challenge"] == hashlib.md5(covered).digest() + (challenge or b"\0")[-237:]
    assert "Mipstorm-MN-AAA-SPI" not in asked.attributes
    assert "Mipstorm-MN-AAA-Authenticator" not in asked.attributes
    kinds = [type(e).__name__ for e in held.reply.message.extensions]
    if challenge:
        assert kinds[-2:] == ["MnHaAuthentication", "Challenge"]
        assert held.reply.octets.endswith(challenge_extension(challenge))
    else:
        assert kinds[-1] == "MnHaAuthentication"
    assert desk.renew(held).code == 0


def test_challenge_is_echoed_whatever_proves() -> None:
    desk = Holder()
    held = desk.bootstrap(extra=challenge_extension(b"a challenge"))
    last = held.reply.message.extensions[-1]
    assert last == Challenge(b"a challenge")
    assert held.reply.octets.endswith(b"a challenge")


def test_longest_reply_of_all() -> None:
    """The longest NAI, nonce and challenge together."""
    from desk import subscribers
    nai = b"n" * 240 + b"@home.example"[:13]
    desk = Holder(columns=subscribers([(nai, bytes(range(16)))]))
    desk.server.changes = {"Mipstorm_MN_FHA_Nonce": bytes(64)}
    octets = desk.one(desk.chap_request(challenge=bytes(255)))
    assert len(octets) == 20 + 255 + 84 + 3 * 28 + 22 + 257
    assert desk.read(octets).message.nai() == nai.decode()
    assert desk.fha.leases()[nai] == desk.read(octets).message.home_address.packed


@pytest.mark.parametrize("challenge", [b"", bytes(range(16))])
def test_wrong_response(challenge: bytes) -> None:
    desk = Holder()
    reply = desk.read(desk.one(desk.chap_request(challenge=challenge, key=bytes(16))))
    assert (reply.code, reply.is_bare) == (131, True)
    assert desk.kept() == ({}, 0)


def test_challenge_behind_the_proof_is_none() -> None:
    desk = Holder()
    octets = desk.one(desk.chap_request() + challenge_extension(b"later"))
    assert desk.taken(octets).reply.message.extensions[-1].spi == 4096


def test_hmac_is_as_before() -> None:
    desk = Holder()
    desk.bootstrap()
    assert "CHAP-Password" not in desk.server.asked[0].attributes


# ---- a plain RADIUS server -------------------------------------------------------------------------------------------

def test_static_key_signs_when_the_aaah_derives_none() -> None:
    desk = Plain()
    held = desk.holding(desk.one(desk.chap()))
    (asked,) = desk.server.asked
    assert "Mipstorm-MN-AAA-Data" not in asked.attributes
    assert "Mipstorm-Key-Request" not in asked.attributes
    kinds = [(type(e).__name__, getattr(e, "vendor_type", 0)) for e in held.reply.message.extensions]
    assert kinds == [("Nai", 0), ("BootstrapAddress", 3), ("MnHaAuthentication", 0)], "nobody has assigned the other two"
    assert desk.renew(held).code == 0
    assert desk.renew(held, lifetime=0).code == 0
    assert len(desk.server.asked) == 1
    assert desk.fha.counters() == {"renewed": 1, "given_back": 1}


def test_what_a_plain_server_says_of_time_counts() -> None:
    desk = Plain()
    desk.server.changes = {"Session_Timeout": 100, "Framed_IP_Address": "255.255.255.254"}
    assert desk.holding(desk.one(desk.chap())).reply.message.lifetime == 100


def test_plain_server_with_an_address_of_its_own() -> None:
    desk = Plain()
    desk.server.changes = {"Framed_IP_Address": "192.0.2.1"}
    assert desk.holding(desk.one(desk.chap())).home == "192.0.2.1"
    desk.server.changes = {"Framed_IP_Address": "224.0.0.1"}
    assert RegistrationReply.decode(desk.one(desk.chap(1), 1)).code == 128


def test_plain_server_rejects() -> None:
    desk = Plain()
    assert RegistrationReply.decode(desk.one(desk.chap(key=bytes(16)))).code == 131
    assert RegistrationReply.decode(desk.one(desk.rrq(nonce=b""))).code == 131, "it cannot check HMAC"
    assert desk.fha.leases() == {}


def test_key_asked_for_and_none_derived() -> None:
    """A reply without 43 is one that the node must discard (RFC 3957 3)."""
    desk = Plain()
    reply = desk.read(desk.one(desk.chap(nonce=nonce_request())))
    assert (reply.code, reply.is_bare) == (128, True)
    assert desk.count("aaa_unusable") == 1


def test_static_key_of_one_node() -> None:
    desk = Plain()
    desk.fha.add_static_key(5000, bytes(16), desk.columns.nai[1])
    desk.holding(desk.one(desk.chap()))
    message = RegistrationReply.decode(desk.one(desk.chap(1), 1), bytes(16))
    assert (message.code, message.find(MnHaAuthentication).spi) == (0, 5000)


def test_refusals_are_signed_under_the_static_key() -> None:
    desk = Plain()
    for code, changes in ((136, {"agent": "127.0.0.9"}), (133, {"identification": desk.ntp(100)})):
        message = RegistrationReply.decode(desk.one(desk.chap(**changes)), KEY)
        assert (message.code, message.find(MnHaAuthentication).spi) == (code, SPI)
    message = RegistrationReply.decode(desk.one(desk.chap(1), 1), KEY)
    assert message.code == 0


def test_static_key_proves_nothing_by_itself() -> None:
    """Without a binding the AAAH must vouch first."""
    desk = Plain()
    held = desk.holding(desk.one(desk.chap()))
    other = Holding(1, "0.0.0.0", KEY, SPI, SPI, held.reply)
    assert desk.send(desk.renewal(other), node=1) == []
    assert desk.fha.counters() == {"unknown_spi": 1}


def test_without_a_key_of_any_kind() -> None:
    """134: nothing was asked to sign with, and nothing is configured; bare."""
    desk = Holder()
    reply = desk.read(desk.one(desk.chap_request(nonce=b"")))
    assert (reply.code, reply.is_bare) == (134, True)
    assert desk.kept() == ({}, 0)


def test_keys_that_cannot_be() -> None:
    desk = Holder()
    for spi, key, nai in ((255, bytes(16), b""), (256, bytes(15), b""), (256, bytes(33), b""),
                          (256, bytes(16), bytes(254))):
        with pytest.raises(ValueError, match="cannot be added"):
            desk.fha.add_static_key(spi, key, nai)


def test_cvse_is_refused_after_the_aaah_has_vouched() -> None:
    desk = Holder()
    reply = desk.ask(extra=cvse())
    assert (reply.code, reply.is_signed) == (140, True)
    assert desk.fha.counters() == {"cvse_refused": 1}
    assert desk.kept() == ({}, 0)
    assert desk.ask(after=cvse()).code == 0, "not covered, not used"


# ---- both kinds of server ----------------------------------------------------------------------------------------------

class Mixed(Holder):
    """Two servers, the first of which is ours or is not; both hold the nodes' keys."""

    ours = (True, False)

    def add_aaah(self) -> None:
        super().add_aaah()
        self.second = Aaah(self.server.keys)
        self.net.attach(self.second, 0, "127.0.0.4", 1812)  # type: ignore[arg-type]

    def add_fha(self, clock_s: float = 0, **settings: Any) -> None:
        super().add_fha(clock_s, **settings)
        self.fha.set_aaah(packed(AAAH), 1812, SECRET, ours=self.ours[0])
        self.fha.set_aaah(packed("127.0.0.4"), 1812, SECRET, ours=self.ours[1])
        self.fha.add_static_key(SPI, KEY)


def with_data(server: Aaah) -> list[bool]:
    return ["Mipstorm-MN-AAA-Data" in asked.attributes for asked in server.asked]


@pytest.mark.parametrize("order", [(True, False), (False, True), (True, True), (False, False)])
def test_covered_octets_go_to_ours_only(order: tuple[bool, bool]) -> None:
    """radius.md 9.2; whoever else is in the list. The first server gives up, so that the question moves."""
    desk = type("Ordered", (Mixed,), {"ours": order})()
    assert desk.fha.upstreams()[0]["address"] == f"{AAAH}:1812"
    request = desk.chap_request(nonce=b"", challenge=b"a challenge of the agent")
    desk.server.silent = True
    assert desk.send(request) == []
    mark = len(desk.net.tap)
    desk.wait(6)
    replies = [t.data for t in desk.net.tap[mark:] if t.source == (FHA, 434)]
    assert [RegistrationReply.decode(octets).code for octets in replies] == [0]
    assert (set(with_data(desk.server)), with_data(desk.second)) == ({order[0]}, [order[1]])
    covered = request[:-16]
    for server, is_ours in zip((desk.server, desk.second), order, strict=True):
        asked = server.asked[0].attributes
        if is_ours:
            assert asked.joined("Mipstorm-MN-AAA-Data") == covered
        assert asked["CHAP-Challenge"][:16] == hashlib.md5(covered).digest()
        assert asked["Mipstorm-Requester-Role"] == 2
    left_out = {"Mipstorm-MN-AAA-Data", "Message-Authenticator"}
    first, second = ([pair for pair in server.asked[0].attributes if pair[0] not in left_out]
                     for server in (desk.server, desk.second))
    assert first == second


def test_what_moves_twice_is_still_whole() -> None:
    """From ours to another and on to ours: C has not been lost on the way."""
    desk = Mixed()
    third = Aaah(desk.server.keys)
    desk.net.attach(third, 0, "127.0.0.5", 1812)  # type: ignore[arg-type]
    desk.fha.set_aaah(packed("127.0.0.5"), 1812, SECRET)
    desk.server.silent = desk.second.silent = True
    request = desk.chap_request(nonce=b"")
    assert desk.send(request) == []
    desk.wait(15)
    assert (set(with_data(desk.server)), set(with_data(desk.second))) == ({True}, {False})
    assert third.asked[0].attributes.joined("Mipstorm-MN-AAA-Data") == request[:-16]
