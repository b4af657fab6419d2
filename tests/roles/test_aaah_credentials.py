"""PAP at step 2 (RFC 2865 5.2) and MN-AAA by CHAP_SPI at step 5 (RFC 4721 8)."""

import hashlib
from dataclasses import replace
from typing import Any

import pytest
from abuse import signed
from desk import derived_key
from home import HomeDesk

from fastcodec.hiding import hide_password
from servers.tables.subscribers_csv import Octets, generate


class PasswordDesk(HomeDesk):
    """One subscriber with a given password."""

    def __init__(self, password: bytes) -> None:
        self.password = password
        super().__init__(1)

    def add_aaah(self) -> None:
        self.columns = replace(generate(1), access_secret=Octets.of([self.password]))
        super().add_aaah()


@pytest.mark.parametrize("length", [1, 15, 16, 17, 31, 32, 33, 127, 128])
def test_passwords_of_any_length(length: int) -> None:
    password = bytes(1 + k % 255 for k in range(length))
    desk = PasswordDesk(password)
    assert desk.answer(desk.pap_request()).code == 2
    for wrong in (password[:-1], password[:-1] + bytes((password[-1] ^ 1,)), bytes((password[0] ^ 1,)) + password[1:]):
        assert desk.answer(desk.pap_request(password=wrong, identifier=2)).code == 3
    if length < 128:
        assert desk.answer(desk.pap_request(password=password + b"x", identifier=3)).code == 3


def test_password_longer_than_pap_can_carry_never_matches() -> None:
    desk = PasswordDesk(bytes(range(1, 200)))
    assert desk.answer(desk.pap_request(password=bytes(range(1, 129)))).code == 3


def test_padding_is_not_part_of_the_password() -> None:
    """RFC 2865 5.2: nulls fill it up to 16 octets; more blocks of them than needed change nothing."""
    desk = PasswordDesk(b"secret")
    assert desk.answer(desk.pap_request(password=b"secret" + bytes(30))).code == 2


@pytest.mark.parametrize("size", [1, 15, 17, 144])
def test_hidden_password_of_impossible_size(size: int) -> None:
    """Reliability A33."""
    desk = HomeDesk()
    assert desk.answer(desk.pap_request(hidden=bytes(size))).code == 3
    assert desk.aaah.counters() == {"bad_credential": 1}


def test_hidden_password_of_no_octets() -> None:
    desk = HomeDesk()
    bare = desk.access_request(CHAP_Password=None, CHAP_Challenge=None)
    assert desk.answer(signed(bare + b"\x02\x02")).code == 3
    assert desk.aaah.counters() == {"bad_credential": 1}


def test_password_hidden_under_another_secret() -> None:
    desk = HomeDesk()
    hidden = hide_password(desk.columns.access_secret[0], b"another secret", bytes(16))
    assert desk.answer(desk.pap_request(hidden=hidden)).code == 3


@pytest.mark.parametrize("more", [("CHAP-Password", bytes(17)), ("User-Password", bytes(16)), ("EAP-Message", b"\2\1\0\5\1")])
def test_password_and_another_credential(more: tuple[str, bytes]) -> None:
    desk = HomeDesk()
    assert desk.answer(desk.pap_request(more=[more])).code == 3
    assert desk.aaah.counters() == {"two_credentials": 1}


def test_eap_is_refused() -> None:
    desk = HomeDesk()
    request = desk.access_request(CHAP_Password=None, CHAP_Challenge=None, EAP_Message=b"\2\1\0\5\1")
    assert desk.answer(request).code == 3
    assert desk.aaah.counters() == {"no_credential": 1}


# ---- CHAP_SPI ------------------------------------------------------------------------------------------------------------

def test_chap_spi_gets_the_key() -> None:
    desk = HomeDesk()
    request = desk.chap_key_request(3)
    reply = desk.answer(request)
    assert reply.code == 2
    got = dict(reply.attributes)
    assert got["Mipstorm-MN-FHA-Key"] == derived_key(desk.columns.key[3], got["Mipstorm-MN-FHA-Nonce"], desk.columns.nai[3])
    assert got["Mipstorm-AAA-SPI"] == 4096, "the association's own, not CHAP_SPI"
    assert desk.aaah.counters() == {"fha_unbound": 1}


@pytest.mark.parametrize("tail", [b"\0", bytes(range(1, 238))])
def test_challenge_goes_on_behind_the_hash(tail: bytes) -> None:
    desk = HomeDesk()
    assert desk.answer(desk.chap_key_request(tail=tail)).code == 2


@pytest.mark.parametrize(("denial", "counter", "changes"), [
    (144, "bad_credential", {"key": b"another key of 16"}),
    (144, "bad_credential", {"challenge": bytes(16)}),
    (144, "no_credential", {"CHAP_Challenge": None}), (144, "no_credential", {"CHAP_Challenge": bytes(15)}),
    (144, "no_credential", {"CHAP_Password": bytes(16)}), (144, "no_credential", {"Mipstorm_MN_AAA_Data": None}),
    (144, "two_credentials", {"Mipstorm_MN_AAA_Authenticator": bytes(16)}),
    (144, "two_credentials", {"User_Password": bytes(16)}), (144, "two_credentials", {"more": [("CHAP-Password", bytes(17))]}),
    (131, "proof_mismatch", {"spi": 4096}), (131, "proof_mismatch", {"User_Name": "mn000001@home.example"}),
    (134, "proof_mismatch", {"Mipstorm_Care_of_Address": "127.64.0.99"}),
    (136, "proof_mismatch", {"NAS_IP_Address": "127.0.0.9"}),
], ids=str)
def test_chap_spi_refused(denial: int, counter: str, changes: dict[str, Any]) -> None:
    desk = HomeDesk()
    reply = desk.answer(desk.chap_key_request(**changes))
    assert (reply.code, dict(reply.attributes)["Mipstorm-Denial-Code"]) == (3, denial)
    assert desk.aaah.counters() == {counter: 1}


def test_right_response_to_the_hash_of_other_octets() -> None:
    """MD5(C) must be what was challenged, or an old answer would authenticate new octets."""
    desk = HomeDesk()
    assert desk.answer(desk.chap_key_request(challenge=hashlib.md5(b"other octets").digest())).code == 3
    assert desk.aaah.counters() == {"bad_credential": 1}


def test_chap_spi_obeys_the_identification_rule() -> None:
    desk = HomeDesk()
    assert desk.answer(desk.chap_key_request(identification=desk.ntp(1))).code == 2
    reply = desk.answer(desk.chap_key_request(identification=desk.ntp(0), identifier=2))
    assert (reply.code, dict(reply.attributes)["Mipstorm-Denial-Code"]) == (3, 133)


def test_without_covered_octets_where_configured_so() -> None:
    """As an unmodified RADIUS server would be asked, radius.md 9.2."""
    desk = HomeDesk(client={"chap_without_data": True})
    assert desk.answer(desk.chap_key_request(Mipstorm_MN_AAA_Data=None)).code == 2
    wrong = desk.chap_key_request(Mipstorm_MN_AAA_Data=None, key=b"another key of 16", identifier=2)
    assert desk.answer(wrong).code == 3
    foreign = desk.chap_key_request(Mipstorm_MN_AAA_Data=None, NAS_IP_Address="127.0.0.9", identifier=3)
    assert desk.answer(foreign).code == 3
    nobody = desk.chap_key_request(Mipstorm_MN_AAA_Data=None, NAS_IP_Address=None, identifier=4)
    assert desk.answer(nobody).code == 3


def test_named_fhas_outlive_the_policy_that_named_them() -> None:
    desk = HomeDesk()
    assert desk.answer(desk.access_request()).code == 2
    desk.aaah.clear_fhas()
    desk.aaah.add_fha(bytes((127, 0, 0, 7)))
    assert desk.answer(desk.chap_key_request(identifier=2)).code == 2
    stranger = desk.chap_key_request(1, identifier=3)
    assert dict(desk.answer(stranger).attributes)["Mipstorm-Denial-Code"] == 129, "who was never named is judged anew"
