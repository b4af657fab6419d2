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
    "PANA": lambda key: fc.PanaMessage(0, 2, 1, 1, [fc.AuthAvp(bytes(20))]).sign(key)}
TAKES_OCTETS = {
    "EAP": fc.EapPacket.decode, "nonce": lambda octets: fc.derive_key(bytes(16), octets, "a"),
    "identity": lambda octets: fc.derive_key(bytes(16), bytes(16), octets),
    "challenge": lambda octets: fc.eap_md5_response(1, b"secret", octets),
    "peer": lambda octets: fc.derive_gpsk_keys(bytes(32), octets, b"s", bytes(32), bytes(32), 2),
    "PAR": lambda octets: pana_auth_key(bytes(64), octets, b"", b"", b"", 1)}


@pytest.mark.parametrize("use", TAKES_A_KEY)
@pytest.mark.parametrize("key", NO_KEYS, ids=lambda key: type(key).__name__)
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


# ---- no keys at all, or for other SPIs

UPDATE = fc.BindingUpdate(1, 0, 1, [fc.AuthenticationOption(1, 0x400)])
ENDS = {"source": "2001:db8::1", "destination": "2001:db8::2", "care_of_address": "2001:db8::3"}


def test_without_keys_nothing_is_right():
    request = REQUEST.sign(bytes(16))
    for verify in (request.verify, UPDATE.sign(bytes(16), **ENDS).verify, request.sign, UPDATE.sign,
                   fc.PanaMessage(0, 2, 1, 1, []).sign(bytes(20)).verify, fc.RadiusPacket(1, 0).sign(b"secret").verify):
        with pytest.raises(TypeError):
            verify(None)


def test_keys_for_other_spis_sign_nothing():
    changed = REQUEST.sign(bytes(16)).replace(lifetime=5)
    with pytest.raises(fc.EncodeError, match=r"keys: no key for SPI 0x100"):
        changed.sign({0x101: bytes(16)})
    with pytest.raises(fc.EncodeError, match=r"keys: no key for SPI 0x400"):
        UPDATE.sign({0x401: bytes(16)}, **ENDS)
    both = REQUEST.replace(extensions=[fc.MnHaAuthentication(0x100), fc.FaHaAuthentication(0x101)]).sign(bytes(16))
    both.sign({0x101: bytes(16)}).verify({0x101: bytes(16)})       # a foreign agent signs its own


# ---- batches

@pytest.mark.parametrize("values", [[-1] * 3, [2**32] * 3, [1.5] * 3, ["a"] * 3, [2**70] * 3, [None] * 3, [b"abcd"] * 3], ids=str)
def test_columns_are_not_cut(values):
    batch = fc.RadiusBatch.from_template(fc.RadiusPacket(1, 0, attributes=[("NAS-Port", 7)]), 3)
    with pytest.raises(fc.EncodeError, match="NAS-Port: unsigned numbers of 4 octets are needed"):
        batch.put("NAS-Port", values)
    assert batch.column("NAS-Port")[0].tolist() == [7, 7, 7]


@pytest.mark.parametrize("values", [[0, 1, 2**32 - 1], range(3), np.arange(3, dtype="u1"), np.arange(3, dtype=">u4"), [True, False, True]],
                         ids=str)
def test_columns_take_every_unsigned_number(values):
    batch = fc.RadiusBatch.from_template(fc.RadiusPacket(1, 0, attributes=[("NAS-Port", 7)]), 3)
    batch.put("NAS-Port", values)
    assert batch.column("NAS-Port")[0].tolist() == [int(value) for value in values]


@pytest.mark.parametrize("batch", [fc.RegistrationBatch, fc.RadiusBatch, fc.MobilityBatch, fc.AgentBatch], ids=lambda b: b.__name__)
def test_no_rows_have_columns_too(batch):
    assert batch.from_datagrams([]).fixed.shape == (0,)
    assert batch.from_datagrams([]).datagrams() == []
    with pytest.raises(fc.EncodeError, match="rows of 3 octets cannot hold"):
        _ = batch.from_datagrams([b"\x01\x00\x05"]).fixed


# ---- bodies of EAP

@pytest.mark.parametrize(("body", "field"), [
    (fc.EapNak(10**12), "EapNak.types"), (fc.EapNak((256,)), "EapNak.types"), (fc.EapExpanded(1.5, 1), "EapExpanded.vendor"),
    (fc.EapExpanded("1", 1), "EapExpanded.vendor"), (fc.EapExpanded(2**24, 1), "EapExpanded.vendor"),
    (fc.EapExpanded(1, -1), "EapExpanded.vendor_type"), (fc.EapExpanded(1, 1, "text"), "EapExpanded.data"),
    (fc.EapMd5Challenge(16), "EapMd5Challenge.value"), (fc.EapMd5Challenge("text"), "EapMd5Challenge.value"),
    (fc.EapMd5Challenge(b"a", b"name"), "EapMd5Challenge.name"), (fc.EapUnknown("4"), "EapUnknown.type"),
    (fc.EapUnknown(256), "EapUnknown.type"), (fc.EapUnknown(60, 5), "EapUnknown.data"), (fc.EapIdentity(b"mn"), "EapIdentity.identity"),
    (fc.Gpsk4(b"", 16), "Gpsk4.code"), (fc.Gpsk4(7), "Gpsk4.protected"), (fc.GpskFail("1"), "GpskFail.")], ids=repr)
def test_bodies_of_wrong_types_name_the_field(body, field):
    with pytest.raises(fc.EncodeError) as refusal:
        fc.EapPacket(2, 1, body).encode()
    assert refusal.value.field.startswith(field)
    assert "RFC " in str(refusal.value)


def test_what_derives_keys_names_what_is_wrong():
    for call, field in ((lambda: fc.gpsk_psk(b"key", None), "nai"), (lambda: fc.eap_md5_response(256, b"key", b""), "EapPacket.identifier"),
                        (lambda: fc.derive_key(b"key", bytes(16), "\ud800"), "identity")):
        with pytest.raises(fc.EncodeError) as refusal:
            call()
        assert refusal.value.field == field


# ---- what fuzzing found

@pytest.mark.parametrize(("values", "field"), [
    ({"class": "Nai", "nai": "\ud800"}, "Nai.nai"), ({"class": "EapPacket", "code": 2, "identifier": 1, "body": {
        "class": "EapIdentity", "identity": "\udc00"}}, "EapIdentity.identity"),
    ({"class": "BindingError", "status": 1, "home_address": "fe80::1%eth0"}, "BindingError.home_address")], ids=str)
def test_values_that_have_no_octets(values, field):
    base = fc.Extension if values["class"] == "Nai" else fc.Message
    with pytest.raises(fc.EncodeError) as refusal:
        base.from_dict(values)
    assert refusal.value.field == field


def test_text_that_is_neither_unicode_nor_octets_is_not_written():
    for write in (fc.Nai("\ud800").to_dict, fc.Nai("\ud800").to_json):
        with pytest.raises(fc.EncodeError, match="neither Unicode nor octets"):
            write()


def test_a_dictionary_without_what_is_shipped(tmp_path):
    (tmp_path / "dictionary").write_text("ATTRIBUTE Ours 245 octets\n")
    with pytest.raises(fc.LocalError, match=r"has no mipstorm: it must hold what is shipped"):
        fc.configure(fc.Dictionary().read(tmp_path / "dictionary"))
    assert fc.RadiusPacket(1, 1, bytes(16), [("User-Name", "mn")]).encode(), "what was there is still in use"


def test_another_dictionary_leaves_nothing_behind(tmp_path):
    from fastcodec.sections import SECTIONS

    (tmp_path / "dictionary").write_text("ATTRIBUTE Ours 245.7 octets\nATTRIBUTE extensions 245.8 octets\n")
    before = dict(SECTIONS)
    fc.configure(fc.load(tmp_path / "dictionary"))
    try:
        assert SECTIONS["Ours"] == "RFC 2865 5"
        assert SECTIONS["extensions"] == before["extensions"], "a name of ours is cited as before"
    finally:
        fc.configure()
    assert before == SECTIONS


def test_no_octets_at_all():
    from fastcodec.status import Status

    for kind in fc.Mip4Message.__subclasses__():
        with pytest.raises(fc.DecodeError) as refusal:
            kind.decode(b"")
        assert (refusal.value.status, refusal.value.offset) == (Status.TOO_SHORT, 0)
