"""EAP and PANA: known answers, keys, negatives, recordings of other programs; round trips of made-up ones."""
import hashlib
import hmac
import json
import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import fastcodec as fc
from fastcodec.status import Status

FILE = json.loads((Path(__file__).parents[1] / "vectors" / "access.json").read_text())
BY_ID = {v["id"]: v for v in FILE["vectors"]}
DERIVED = FILE["derivations"]
EAP = [v for v in FILE["vectors"] if v["kind"] == "eap"]
PANA = [v for v in FILE["vectors"] if v["kind"] == "pana"]
SIGNED = [v for v in PANA if v.get("auth")]
MALFORMED_EAP = {"ne-01": (Status.BAD_LENGTH, 2), "ne-02": (Status.WRONG_TYPE, 0), "ne-03": (Status.BAD_LENGTH, 2),
                 "ne-04": (Status.BAD_LENGTH, 2), "ne-10": (Status.BAD_LENGTH, 2), "ne-11": (Status.BAD_EXTENSION, 5),
                 "ne-12": (Status.EXTENSION_OVERRUN, 22), "ne-13": (Status.BAD_EXTENSION, 5), "ne-17": (Status.BAD_EXTENSION, 5),
                 "ne-26": (Status.BAD_EXTENSION, 5), "ne-27": (Status.BAD_EXTENSION, 5)}
MALFORMED_PANA = {"np-08": (Status.BAD_LENGTH, 2), "np-09": (Status.BAD_LENGTH, 2), "np-10": (Status.TOO_SHORT, 15),
                  "np-12": (Status.EXTENSION_OVERRUN, 16), "np-14": (Status.BAD_EXTENSION, 96), "np-24": (Status.WRONG_TYPE, 6),
                  "np-25": (Status.BAD_EXTENSION, 16)}
INVALID_PANA = {"np-06": (Status.WRONG_TYPE, 4), "np-07": (Status.WRONG_TYPE, 4), "np-11": (Status.WRONG_TYPE, 8),
                "np-13": (Status.DOUBLED_EXTENSION, 124), "np-16": (Status.BAD_EXTENSION, 40), "np-18": (Status.MISSING_EXTENSION, 80),
                "np-22": (Status.MISSING_EXTENSION, 44), "np-23": (Status.UNKNOWN_EXTENSION, 16)}


def octets(vector):
    return bytes.fromhex(vector["message_hex"])


def named(vectors):
    return pytest.mark.parametrize("vector", vectors, ids=lambda v: v["id"])


# ---- EAP

@named(EAP)
def test_eap_known_answer(vector):
    data = octets(vector)
    packet = fc.EapPacket.decode(data)
    assert packet.encode() == data[:int.from_bytes(data[2:4])], "what follows Length is padding"
    assert fc.EapPacket.from_json(packet.to_json()) == packet
    assert eval(repr(packet), vars(fc)) == packet


@named([v for v in FILE["vectors"] if v.get("proto") == "eap"])
def test_eap_negative(vector):
    data = octets(vector)
    if vector["id"] in MALFORMED_EAP:
        with pytest.raises(fc.DecodeError) as refusal:
            fc.EapPacket.decode(data)
        assert (refusal.value.status, refusal.value.offset) == MALFORMED_EAP[vector["id"]]
    else:
        assert fc.EapPacket.decode(data).encode() == data, "what is wrong with it depends on the conversation"


@named(EAP)
def test_eap_cut_anywhere(vector):
    data = octets(vector)
    for n in range(int.from_bytes(data[2:4])):
        with pytest.raises(fc.DecodeError) as refusal:
            fc.EapPacket.decode(data[:n])
        assert 0 <= refusal.value.offset <= n


def test_eap_md5():
    ours = DERIVED["eap_md5"]
    secret, challenge = bytes.fromhex(ours["secret"]), bytes.fromhex(ours["challenge"])
    assert fc.eap_md5_response(ours["identifier"], secret, challenge).hex() == ours["response"]
    fc.verify_eap_md5(fc.EapPacket.decode(octets(BY_ID["e-06"])), secret, challenge)
    for wrong in ("ne-14", "e-02"):
        with pytest.raises(fc.AuthenticationError):
            fc.verify_eap_md5(fc.EapPacket.decode(octets(BY_ID[wrong])), secret, challenge)


def keys_of(row, suite):
    psk = bytes.fromhex(row["psk"]) if "psk" in row else bytes.fromhex(FILE["keys"]["gpsk_psk"])
    return fc.derive_gpsk_keys(psk, row.get("id_peer", "mn0001@home.example").encode(), row.get("id_server", "aaah.home.example").encode(),
                               bytes.fromhex(row["rand_peer"]), bytes.fromhex(row["rand_server"]), suite)


@pytest.mark.parametrize("suite", [1, 2])
def test_gpsk_keys(suite):
    row = DERIVED[f"gpsk_suite{suite}"]
    keys = keys_of(row, suite)
    for name in ("mk", "msk", "emsk", "sk", "session_id"):
        assert getattr(keys, name).hex() == row[name], name
    assert keys.pk.hex() == row.get("pk", "")


@pytest.mark.parametrize("row", FILE["live"], ids=lambda r: r["tool"][-8:])
def test_gpsk_keys_of_other_programs(row):
    keys = keys_of(row, row["spec"])
    for name in ("mk", "msk", "emsk", "sk"):
        assert getattr(keys, name).hex() == row[name], name
    assert keys.session_id[1:].hex() == row["method_id"]
    assert keys.pk.hex() == row.get("pk", "")


def test_gpsk_psk():
    assert fc.gpsk_psk(bytes.fromhex(FILE["keys"]["mn_aaa"]), "mn0001@home.example").hex() == DERIVED["gpsk_psk"]["key"]


@pytest.mark.parametrize(("name", "suite"), [("g2-02", 2), ("g2-03", 2), ("g2-04", 2), ("g2-07", 2), ("g2-08", 2), ("g1-02", 1),
                                             ("g1-03", 1), ("g1-04", 1)])
def test_gpsk_codes(name, suite):
    keys, packet = keys_of(DERIVED[f"gpsk_suite{suite}"], suite), fc.EapPacket.decode(octets(BY_ID[name]))
    fc.verify_gpsk(packet, keys)
    assert fc.sign_gpsk(packet.replace(body=packet.body.replace(code=b"")), keys) == packet
    data = octets(BY_ID[name])
    for at in range(6, len(data)):
        flipped = data[:at] + bytes([data[at] ^ 1]) + data[at + 1:]
        with pytest.raises((fc.AuthenticationError, fc.DecodeError)):
            fc.verify_gpsk(fc.EapPacket.decode(flipped), keys)


@pytest.mark.parametrize("name", ["ne-18", "ne-22", "ne-25"])
def test_gpsk_wrong_codes(name):
    with pytest.raises(fc.AuthenticationError):
        fc.verify_gpsk(fc.EapPacket.decode(octets(BY_ID[name])), keys_of(DERIVED["gpsk_suite2"], 2))
    with pytest.raises(fc.AuthenticationError):
        fc.verify_gpsk(fc.EapPacket.decode(octets(BY_ID["g2-01"])), keys_of(DERIVED["gpsk_suite2"], 2))


@pytest.mark.parametrize("case", FILE["aes_cmac"], ids=lambda c: str(len(c["message"]) // 2))
def test_aes_cmac(case):
    assert fc.aes_cmac(bytes.fromhex(case["key"]), bytes.fromhex(case["message"])).hex() == case["tag"]


@pytest.mark.interop
@pytest.mark.parametrize("n", [0, 1, 15, 16, 17, 31, 32, 33, 64, 199])
def test_aes_cmac_against_openssl(n):
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not installed")
    key, data = bytes(range(100, 116)), bytes(k * 7 % 256 for k in range(n))
    done = subprocess.run(["openssl", "mac", "-cipher", "AES-128-CBC", "-macopt", f"hexkey:{key.hex()}", "-binary", "-in",
                           "/dev/stdin", "CMAC"], input=data, capture_output=True, check=True, timeout=30)
    assert fc.aes_cmac(key, data) == done.stdout


def test_aes_cmac_wants_sixteen_octets():
    for n in (0, 15, 17, 32):
        with pytest.raises(fc.EncodeError):
            fc.aes_cmac(bytes(n), b"")


OCTETS, TEXT = st.binary(max_size=60), st.text(max_size=40)
NONCE = st.binary(min_size=32, max_size=32)
CODE, SUITE = st.sampled_from([16, 32]).flatmap(lambda n: st.binary(min_size=n, max_size=n)), st.integers(0, 2**48 - 1)
SUITES = st.lists(SUITE, max_size=4).map(tuple)
OTHER = SUITE.filter(lambda s: s > 2)
FAILURE = st.integers(0, 2**32 - 1)
BODIES = st.one_of(
    st.builds(fc.EapIdentity, TEXT), st.builds(fc.EapNotification, TEXT),
    st.builds(fc.EapMd5Challenge, st.binary(min_size=1, max_size=255), TEXT),
    st.builds(fc.EapExpanded, st.integers(0, 2**24 - 1), st.integers(0, 2**32 - 1), OCTETS),
    st.builds(fc.EapUnknown, st.sampled_from([0, 5, 13, 47, 255]), OCTETS), st.builds(fc.Gpsk1, OCTETS, NONCE, SUITES),
    st.builds(fc.Gpsk2, OCTETS, OCTETS, NONCE, NONCE, SUITES, OTHER, OCTETS, CODE),
    st.builds(fc.Gpsk3, NONCE, NONCE, OCTETS, OTHER, OCTETS, CODE), st.builds(fc.Gpsk4, OCTETS, CODE),
    st.builds(fc.GpskFail, FAILURE), st.builds(fc.GpskProtectedFail, FAILURE, CODE))
PACKETS = st.one_of(st.builds(fc.EapPacket, st.sampled_from([1, 2]), st.integers(0, 255), BODIES),
                    st.builds(fc.EapPacket, st.sampled_from([3, 4]), st.integers(0, 255)),
                    st.builds(fc.EapPacket, st.just(2), st.integers(0, 255),
                              st.builds(fc.EapNak, st.lists(st.integers(0, 255), min_size=1, max_size=9).map(tuple))))


@given(PACKETS)
def test_eap_what_is_encoded_is_decoded(packet):
    assert fc.EapPacket.decode(packet.encode()) == packet
    assert fc.EapPacket.from_json(packet.to_json()) == packet


@given(st.integers(1, 4), st.sampled_from([0, 1, 2, 3, 4, 13, 51, 254]), st.binary(max_size=150))
def test_eap_what_is_decoded_is_encoded(code, kind, body):
    data = bytes((code, 7)) + (5 + len(body)).to_bytes(2) + bytes([kind]) + body
    try:
        packet = fc.EapPacket.decode(data)
    except fc.DecodeError as refusal:
        packet, offset = None, refusal.offset
    if packet is None:
        assert 0 <= offset <= len(data)
    else:
        assert packet.encode() == data


@pytest.mark.parametrize(("packet", "field"), [
    (fc.EapPacket(1, 2), "EapPacket.body"), (fc.EapPacket(3, 2, fc.EapIdentity()), "EapPacket.body"),
    (fc.EapPacket(1, 256, fc.EapIdentity()), "EapPacket.code"), (fc.EapPacket(5, 2, fc.EapIdentity()), "EapPacket.code"),
    (fc.EapPacket(1, 2, fc.EapMd5Challenge(b"")), "EapMd5Challenge.value"),
    (fc.EapPacket(1, 2, fc.EapExpanded(2**24, 1)), "EapExpanded.vendor"),
    (fc.EapPacket(1, 2, fc.EapNak((256,))), "EapNak.types"), (fc.EapPacket(1, 2, fc.EapIdentity(7)), "EapIdentity.identity"),
    (fc.EapPacket(1, 2, fc.EapUnknown(256)), "EapUnknown.type"), (fc.EapPacket(1, 2, fc.Gpsk1(b"", b"short", ())), "Gpsk1.rand_server"),
    (fc.EapPacket(1, 2, fc.Gpsk1(b"", bytes(32), (2**48,))), "Gpsk1.suites"), (fc.EapPacket(1, 2, fc.GpskFail(-1)), "GpskFail.failure"),
    (fc.EapPacket(1, 2, fc.EapUnknown(9, bytes(65531))), "EapPacket.body")])
def test_eap_encode_error_names_the_field(packet, field):
    with pytest.raises(fc.EncodeError) as refusal:
        packet.encode()
    assert refusal.value.field == field


# ---- PANA

@named(PANA)
def test_pana_known_answer(vector):
    data, fields = octets(vector), vector["fields"]
    message = fc.PanaMessage.decode(data)
    assert message.encode() == data
    assert (message.flags, message.type, message.session, message.sequence) == (
        fields["flags"], fields["message_type"], fields["session_id"], fields["sequence"])
    shown = [(avp.code if isinstance(avp, fc.VendorAvp) else avp.plan.type, getattr(avp, "vendor", 0)) for avp in message.avps]
    assert shown == [(a["code"], a["vendor"]) for a in vector["avps"]]
    assert fc.PanaMessage.from_json(message.to_json()) == message
    for avp in message.find_all(fc.EapPayloadAvp):
        assert fc.EapPacket.decode(avp.value).encode() == avp.value


@named(SIGNED)
def test_pana_auth(vector):
    data, auth = octets(vector), vector["auth"][0]
    key = bytes.fromhex(auth["key_hex"])
    message = fc.PanaMessage.decode(data, key)
    integrity = fc.IntegrityAlgorithm.AUTH_HMAC_SHA1_160 if auth["alg"] == "hmac-sha1-160" else 12
    unsigned = message.replace(avps=[*message.avps[:-1], fc.AuthAvp()])
    assert unsigned.encode(key, integrity) == data
    assert unsigned.encode(fc.Secret(key), integrity) == data
    for at in range(len(data)):
        flipped = data[:at] + bytes([data[at] ^ 1]) + data[at + 1:]
        with pytest.raises((fc.AuthenticationError, fc.DecodeError)):
            fc.PanaMessage.decode(flipped, key)


@pytest.mark.parametrize(("name", "first"), [("A1", "A1"), ("A2", "A1"), ("B1", "B1")])
def test_pana_auth_key(name, first):
    row, start = DERIVED[f"pana_auth_key_{name}"], DERIVED[f"pana_auth_key_{first}"]
    key = fc.pana_auth_key(bytes.fromhex(row["msk"]), bytes.fromhex(start["i_par"]), bytes.fromhex(start["i_pan"]),
                           bytes.fromhex(row["pac_nonce"]), bytes.fromhex(row["paa_nonce"]), row["key_id"], row["prf"], row["integrity"])
    assert key.hex() == row["key"]


def test_pana_of_other_programs():
    row = FILE["live_pana"]
    messages = [bytes.fromhex(m) for m in row["messages"]]
    key = fc.pana_auth_key(bytes.fromhex(row["msk"]), messages[1], messages[2], bytes.fromhex(row["pac_nonce"]),
                           bytes.fromhex(row["paa_nonce"]), row["key_id"])
    assert key.hex() == row["key"]
    protected = 0
    for data in messages:
        message = fc.PanaMessage.decode(data)
        assert message.encode() == data
        if message.find(fc.AuthAvp):
            assert fc.PanaMessage.decode(data, key) == message
            protected += 1
    assert protected == 6
    psk = row["psk_ascii"].encode()
    gpsk = fc.EapPacket.decode(fc.PanaMessage.decode(messages[6]).find(fc.EapPayloadAvp).value)
    keys = fc.derive_gpsk_keys(psk, gpsk.body.peer, gpsk.body.server, gpsk.body.rand_peer, gpsk.body.rand_server, gpsk.body.suite)
    assert keys.msk.hex() == row["msk"]
    fc.verify_gpsk(gpsk, keys)


@named([v for v in FILE["vectors"] if v.get("proto") == "pana"])
def test_pana_negative(vector):
    data, name = octets(vector), vector["id"]
    if name in MALFORMED_PANA | INVALID_PANA:
        with pytest.raises(fc.DecodeError) as refusal:
            fc.PanaMessage.decode(data)
        assert (refusal.value.status, refusal.value.offset) == (MALFORMED_PANA | INVALID_PANA)[name]
    if name not in MALFORMED_PANA:
        assert fc.PanaMessage.decode(data, strict=False).encode() == data
    if name in ("np-01", "np-02"):
        with pytest.raises(fc.AuthenticationError) as wrong:
            fc.PanaMessage.decode(data, bytes.fromhex(DERIVED["pana_auth_key_A1"]["key"]))
        assert wrong.value.status == (Status.BAD_AUTHENTICATOR if name == "np-01" else Status.NO_AUTHENTICATOR)


@named(PANA)
def test_pana_cut_and_extended(vector):
    data = octets(vector)
    for n in range(len(data)):
        with pytest.raises(fc.DecodeError) as refusal:
            fc.PanaMessage.decode(data[:n], strict=False)
        assert 0 <= refusal.value.offset <= n
    with pytest.raises(fc.DecodeError):
        fc.PanaMessage.decode(data + b"\0")


@pytest.mark.parametrize(("prf", "function"), [(2, hashlib.sha1), (5, hashlib.sha256)])
def test_prf_plus(prf, function):
    key, seed, out, block = b"key", b"seed", b"", b""
    for k in range(1, 6):
        block = hmac.digest(key, block + seed + bytes([k]), function)
        out += block
    for n in range(len(out) + 1):
        assert fc.prf_plus(key, seed, n, prf) == out[:n]
    with pytest.raises(fc.EncodeError):
        fc.prf_plus(key, seed, 256 * 32, prf)


U16, U32 = st.integers(0, 2**16 - 1), st.integers(0, 2**32 - 1)
FLAGS = st.integers(0, 2**15 - 1)
AVPS = st.one_of(
    *(st.builds(c, U32, FLAGS, U16) for c in (fc.IntegrityAlgorithmAvp, fc.KeyIdAvp, fc.PrfAlgorithmAvp, fc.ResultCodeAvp,
                                              fc.SessionLifetimeAvp, fc.TerminationCauseAvp)),
    st.builds(fc.NonceAvp, st.binary(min_size=8, max_size=256), FLAGS, U16),
    st.builds(fc.EapPayloadAvp, st.binary(min_size=4, max_size=80), FLAGS, U16),
    st.builds(fc.AuthAvp, st.sampled_from([bytes(16), bytes(20)]), FLAGS, U16),
    st.builds(fc.UnknownAvp, st.integers(10, 65535), OCTETS, FLAGS, U16),
    st.builds(fc.VendorAvp, U16, U32, OCTETS, FLAGS.map(lambda f: f | 0x8000), U16))


@given(U16, U16, st.integers(1, 4), U32, U32, st.lists(AVPS, max_size=10))
def test_pana_what_is_encoded_is_decoded(reserved, flags, kind, session, sequence, avps):
    message = fc.PanaMessage(flags, kind, session, sequence, avps, reserved)
    assert fc.PanaMessage.decode(message.encode(), strict=False) == message
    assert fc.PanaMessage.from_json(message.to_json()) == message


@given(st.binary(max_size=120), st.integers(1, 4))
def test_pana_what_is_decoded_is_encoded(body, kind):
    data = bytes(2) + (16 + len(body)).to_bytes(2) + bytes((0x80, 0, 0, kind)) + bytes(8) + body
    try:
        message = fc.PanaMessage.decode(data, strict=False)
    except fc.DecodeError as refusal:
        message, offset = None, refusal.offset
    if message is None:
        assert 0 <= offset <= len(data)
    else:
        assert message.encode() == data


def test_pana_padding_by_hand_is_kept():
    data = fc.PanaMessage(0x8800, 4, 1, 2, [fc.NonceAvp(bytes(9))]).encode()
    data = data[:-1] + b"\1"
    message = fc.PanaMessage.decode(data)
    assert isinstance(message.avps[0], fc.RawAvp)
    assert message.encode() == data


@pytest.mark.parametrize(("avp", "field"), [
    (fc.KeyIdAvp(value=2**32), "KeyIdAvp.value"), (fc.AuthAvp(), "AuthAvp.value"),
    (fc.NonceAvp(flags=0x8000, value=bytes(9)), "NonceAvp.flags"),
    (fc.VendorAvp(1, 32473, b"", 0), "VendorAvp.flags"), (fc.Padding(1), "avps"), (fc.RawAvp(b""), "RawAvp.octets"),
    (fc.RawAvp(bytes(9)), "RawAvp.octets"), (fc.NonceAvp(value=bytes(70000)), "NonceAvp.value")])
def test_pana_encode_error_names_the_field(avp, field):
    with pytest.raises(fc.EncodeError) as refusal:
        fc.PanaMessage(0x8800, 4, 1, 2, [avp]).encode()
    assert refusal.value.field == field
    with pytest.raises(fc.EncodeError):
        fc.PanaMessage(0x8800, 4, 1, 2).encode(b"key", 8)


def test_pana_names_for_people():
    text = str(fc.PanaMessage.decode(octets(BY_ID["p-08"])))
    for word in ("REQUEST|COMPLETE|IP_RECONFIGURATION", "PANA_AUTH", "PANA_SUCCESS", "vendor=32473"):
        assert word in text


@pytest.mark.parametrize("number", [0, 1, 2**31, 2**32 - 1, 2**70])
def test_pana_algorithms_that_are_not_known(number):
    """They come from the other side as numbers of 32 bits."""
    with pytest.raises(fc.EncodeError) as refusal:
        fc.pana_auth_key(bytes(64), b"", b"", b"", b"", 1, number)
    assert refusal.value.field == "prf"
    with pytest.raises(fc.EncodeError) as refusal:
        fc.pana_auth_key(bytes(64), b"", b"", b"", b"", 1, 2, number)
    assert refusal.value.field == "integrity"
    with pytest.raises(fc.EncodeError):
        fc.PanaMessage(0x8000, 4, 1, 1).encode(bytes(20), integrity=number)
