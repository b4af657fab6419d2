"""What a user passes by mistake is told at once, and never taken for something else."""
from __future__ import annotations

from ipaddress import IPv4Address

import numpy as np
import pytest

import fastcodec as fc
from fastcodec.pana import pana_auth_key, prf_plus

REQUEST = fc.RegistrationRequest(0, 60, IPv4Address("192.0.2.1"), IPv4Address("192.0.2.2"), IPv4Address("192.0.2.3"), 1,
                                 [fc.MnHaAuthentication(0x100)])
SIGNED = REQUEST.encode(bytes(16))
NO_KEYS = (16, "sixteen octets!!", 1.5, [1, 2], object())       # bytes() of the first would be a key of 16 zeros
TAKES_A_KEY = {
    "Secret": fc.Secret, "SecretArray": lambda key: fc.SecretArray([key]), "KeyTable": lambda key: fc.KeyTable({0x100: key}),
    "sign": REQUEST.sign, "sign by SPI": lambda key: REQUEST.sign({0x100: key}),
    "decode": lambda key: fc.Mip4Message.decode(SIGNED, keys=key),
    "decode by SPI": lambda key: fc.Mip4Message.decode(SIGNED, keys={0x100: key}),
    "RADIUS": fc.RadiusPacket(1, 0).encode, "derive_key": lambda key: fc.derive_key(key, bytes(16), "mn@home.example"),
    "hide_password": lambda key: fc.hide_password("secret", key, bytes(16)),
    "EAP-MD5": lambda key: fc.eap_md5_response(1, key, b"challenge"), "gpsk_psk": lambda key: fc.gpsk_psk(key, "mn@home.example"),
    "GPSK": lambda key: fc.derive_gpsk_keys(key, b"p", b"s", bytes(32), bytes(32), 2), "prf+": lambda key: prf_plus(key, b"seed", 20),
    "PANA": lambda key: fc.PanaMessage(2, 0, 1, 1, [fc.AuthAvp(bytes(20))]).sign(key)}
TAKES_OCTETS = {
    "EAP": fc.EapPacket.decode, "nonce": lambda octets: fc.derive_key(bytes(16), octets, "a"),
    "identity": lambda octets: fc.derive_key(bytes(16), bytes(16), octets),
    "challenge": lambda octets: fc.eap_md5_response(1, b"secret", octets),
    "peer": lambda octets: fc.derive_gpsk_keys(bytes(32), octets, b"s", bytes(32), bytes(32), 2),
    "PAR": lambda octets: pana_auth_key(bytes(64), octets, b"", b"", b"", 1)}


@pytest.mark.parametrize("use", TAKES_A_KEY)
@pytest.mark.parametrize("key", NO_KEYS, ids=repr)
def test_what_is_no_key_signs_and_verifies_nothing(use, key):
    with pytest.raises(TypeError, match=r"keys? (is|are) octets"):
        TAKES_A_KEY[use](key)


@pytest.mark.parametrize("use", TAKES_OCTETS)
@pytest.mark.parametrize("octets", [4, 10**15, [1, 0, 0, 4]], ids=repr)
def test_a_number_is_not_so_many_zeros(use, octets):
    with pytest.raises(TypeError):
        TAKES_OCTETS[use](octets)


@pytest.mark.parametrize("value", [1.5, 2.0, float("nan"), IPv4Address("0.0.0.9"), "60", np.float64(3)], ids=repr)
def test_what_is_no_whole_number_is_not_rounded(value):
    with pytest.raises(fc.EncodeError, match=r"RegistrationRequest.lifetime: .* is no unsigned number"):
        REQUEST.replace(lifetime=value).encode(bytes(16))
    if not isinstance(value, str):       # the name of a VALUE
        with pytest.raises(fc.EncodeError, match="NAS-Port"):
            fc.RadiusPacket(1, 0, attributes=[("NAS-Port", value)]).encode(b"secret")


@pytest.mark.parametrize("value", [60, True, np.uint16(60), fc.ReplyCode.BAD_AAA_AUTHENTICATION], ids=repr)
def test_every_whole_number_will_do(value):
    assert fc.Mip4Message.decode(REQUEST.replace(lifetime=value).encode(bytes(16))).lifetime == value


@pytest.mark.parametrize("code", [-1, 256, 2**40, 2**100, "1", None, 1.0], ids=repr)
def test_radius_codes_that_do_not_fit(code):
    with pytest.raises(fc.EncodeError, match=r"RadiusPacket.code"):
        fc.RadiusPacket(code, 0).encode(b"secret")


@pytest.mark.parametrize("item", [None, "", "User-Name", (), ("User-Name",), (1, 2, 3), (None, 1), (1, b"a")], ids=repr)
def test_radius_attributes_that_are_no_pairs(item):
    with pytest.raises(fc.EncodeError, match=r"RadiusPacket.attributes: .* is no pair of name and value"):
        fc.RadiusPacket(1, 0, attributes=[item]).encode(b"secret")


@pytest.mark.parametrize("base", [fc.Mip4Message, fc.MobilityMessage, fc.AgentMessage, fc.RadiusPacket, fc.EapPacket, fc.PanaMessage,
                                  fc.Extension, fc.EapBody], ids=lambda base: base.__name__)
@pytest.mark.parametrize("values", [None, 5, "text", [1], {}, {"class": []}, {"class": None}, {"class": "Nobody"}], ids=repr)
def test_dicts_that_make_no_message(base, values):
    with pytest.raises(fc.EncodeError, match=base.__name__):
        base.from_dict(values)


@pytest.mark.parametrize("extensions", [None, 5, "text", {}, [5], [None], [{}]], ids=repr)
def test_dicts_whose_lists_are_none(extensions):
    with pytest.raises(fc.EncodeError, match="extensions|Extension"):
        fc.Mip4Message.from_dict(REQUEST.to_dict() | {"extensions": extensions})
