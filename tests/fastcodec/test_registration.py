"""Single registration messages: known answers, whole, cut, extended, flipped; and round trips of made-up ones."""
import json
from ipaddress import IPv4Address, IPv6Address
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import fastcodec as fc
from fastcodec.status import Status

FILE = json.loads((Path(__file__).parents[1] / "vectors" / "mobileip.json").read_text())
GOOD = [v for v in FILE["vectors"] if v["kind"] == "mip4" and v["fields"]["type"] != 4]
BOOTSTRAP = next(v for v in GOOD if v["id"] == "m4-06")
CLASSES = {1: fc.RegistrationRequest, 3: fc.RegistrationReply, 7: fc.RegistrationRevocation, 15: fc.RevocationAcknowledgment}
KINDS = {32: fc.MnHaAuthentication, 33: fc.MnFaAuthentication, 34: fc.FaHaAuthentication, 36: fc.GeneralizedAuthentication}
REFUSED = {"n4-01": Status.UNKNOWN_EXTENSION, "n4-03": Status.EXTENSION_OVERRUN, "n4-04": Status.TOO_SHORT,
           "n4-06": Status.DOUBLED_EXTENSION, "n4-08": Status.BAD_EXTENSION, "n4-11": Status.BAD_EXTENSION}
ALGORITHMS = {"keyed-md5-prefix-suffix": "keyed-md5", "hmac-md5": "hmac-md5", "hmac-sha1": "hmac-sha1", "rfc4721-chap": None}


def octets(vector):
    return bytes.fromhex(vector["message_hex"])


def decode(data, keys=None):
    return CLASSES[data[0]].decode(data, keys)


def verify(data, auth):
    return fc.verify_authentication(data, KINDS[auth["type"]], secret(auth))


def secret(auth):
    return fc.Secret(bytes.fromhex(auth["key_hex"]), ALGORITHMS[auth["alg"]])


def checked(vector):
    return vector["auth"]


@pytest.mark.parametrize("vector", GOOD, ids=lambda v: v["id"])
def test_known_answer(vector):
    data, fields = octets(vector), vector["fields"]
    message = decode(data)
    assert message.encode() == data
    assert type(fc.Mip4Message.decode(data)) is type(message)
    for name in ("lifetime", "flags", "code", "revocation_identifier"):
        if name in fields:
            assert getattr(message, name) == fields[name]
    if "identification" in fields:
        assert message.identification == int(fields["identification"], 16)
    for name in ("home_address", "home_agent", "care_of_address", "home_domain_address", "foreign_domain_address"):
        if name in fields:
            assert getattr(message, name) == IPv4Address(fields[name])
    kinds = [e for e in message.extensions if not isinstance(e, fc.Padding)]
    assert len(kinds) == len([e for e in vector["extensions"] if e["type"] != 0])
    for auth in checked(vector):
        assert verify(data, auth) == auth["spi"]


@pytest.mark.parametrize("vector", [v for v in FILE["vectors"] if v["kind"] == "negative"], ids=lambda v: v["id"])
def test_negative(vector):
    data = octets(vector)
    if vector["id"] in REFUSED:
        with pytest.raises(fc.DecodeError) as refusal:
            decode(data)
        assert refusal.value.status == REFUSED[vector["id"]]
        assert 0 <= refusal.value.offset <= len(data)
    else:
        assert decode(data).encode() == data
    if vector["id"] == "n4-05":
        with pytest.raises(fc.AuthenticationError):
            fc.verify_mn_ha(data, bytes.fromhex(FILE["keys"]["mn_ha_static"]))


@pytest.mark.parametrize("vector", GOOD, ids=lambda v: v["id"])
def test_cut_anywhere(vector):
    """A cut at an extension's edge is a shorter message; anywhere else it is refused. Nothing is read past the end."""
    data = octets(vector)
    edges, at = {CLASSES[data[0]].plan.size}, CLASSES[data[0]].plan.size
    for extension in decode(data).extensions:
        at += len(encoded(extension))
        edges.add(at)
        if isinstance(extension, fc.Padding):
            edges.update(range(at - extension.count, at))
    for n in range(len(data)):
        if n in edges:
            assert decode(data[:n]).encode() == data[:n]
        else:
            with pytest.raises(fc.DecodeError):
                CLASSES[data[0]].decode(data[:n])


def encoded(extension):
    empty = fc.RegistrationReply(0, 0, IPv4Address(0), IPv4Address(0), 0, [extension])
    return empty.encode()[20:]


@pytest.mark.parametrize("vector", GOOD, ids=lambda v: v["id"])
def test_trailing_octets(vector):
    """What follows the last extension is an extension too: padding passes, a skippable type passes, the rest not."""
    data = octets(vector)
    assert decode(data + b"\0\0").extensions[-1] in (fc.Padding(2), fc.Padding(3))
    assert decode(data + b"\xc8\1x").extensions[-1] == fc.UnknownExtension(b"\xc8\1x")
    for tail in (b"\xc8", b"\xc8\2x", b"\x3c\0"):
        with pytest.raises(fc.DecodeError) as refusal:
            decode(data + tail)
        assert refusal.value.offset == len(data)
    for auth in checked(vector):
        assert verify(data + b"\0\0", auth) == auth["spi"], "what follows an authenticator is not covered by it"


@pytest.mark.parametrize("vector", [v for v in GOOD if checked(v)], ids=lambda v: v["id"])
def test_flipped_bit(vector):
    """No bit under an authenticator, nor of the authenticator, can change unseen."""
    data = octets(vector)
    for auth in checked(vector):
        for at in range(auth["covered"][1] + len(auth["authenticator_hex"]) // 2):
            for bit in (0, 7):
                flipped = bytearray(data)
                flipped[at] ^= 1 << bit
                with pytest.raises((fc.AuthenticationError, fc.DecodeError)):
                    verify(bytes(flipped), auth)


@pytest.mark.parametrize("vector", [v for v in GOOD if checked(v)], ids=lambda v: v["id"])
def test_signing_makes_the_known_answer(vector):
    data, keys = octets(vector), {}
    message = decode(data)
    for auth in checked(vector):
        keys[auth["spi"]] = secret(auth)
    for k, extension in enumerate(message.extensions):
        if isinstance(extension, tuple(KINDS.values())):
            message.extensions[k] = type(extension)(extension.spi)
    assert message.encode(keys) == data
    assert decode(data, keys) == decode(data)


def test_keys_by_spi():
    data = octets(BOOTSTRAP)
    key = fc.Secret(bytes.fromhex(FILE["keys"]["mn_aaa"]))
    message = fc.RegistrationRequest.decode(data, {512: key})
    assert message.nai() == "mn0001@home.example"
    with pytest.raises(fc.AuthenticationError) as refusal:
        fc.RegistrationRequest.decode(data, {513: key})
    assert refusal.value.status == Status.NO_AUTHENTICATOR
    with pytest.raises(fc.AuthenticationError) as refusal:
        fc.RegistrationRequest.decode(data, b"another key")
    assert refusal.value.status == Status.BAD_AUTHENTICATOR


@pytest.mark.parametrize("name", FILE["derivations"])
def test_derived_key(name):
    case = FILE["derivations"][name]
    identity = case["nai"] if "nai" in case else IPv4Address(case["hoa"]).packed
    key = fc.derive_key(bytes.fromhex(case["aaa_key"]), bytes.fromhex(case["nonce"]), identity)
    assert key.hex() == case["key"]


def test_more_than_32_extensions():
    """Padding does not count; the 33rd extension is one too many."""
    head = octets(BOOTSTRAP)[:24] + bytes(5)
    assert len(fc.RegistrationRequest.decode(head + b"\xc8\0" * 32).extensions) == 33
    with pytest.raises(fc.DecodeError) as refusal:
        fc.RegistrationRequest.decode(head + b"\xc8\0" * 33)
    assert (refusal.value.status, refusal.value.offset) == (Status.TOO_MANY_EXTENSIONS, 24 + 5 + 64)


@pytest.mark.parametrize(("tail", "good"), [
    ("8b010004c0000201", True), ("8b020004c0000201", True), ("8b0501c0000201", True),
    ("8b0401c00002", False), ("8b03000401", False), ("8b", False), ("8b01", False)])
def test_dynamic_home_agent_in_both_shapes(tail, good):
    data = octets(BOOTSTRAP)[:24] + bytes.fromhex(tail)
    if good:
        message = fc.RegistrationRequest.decode(data)
        kind = fc.RedirectedHomeAgent if "8b02" in tail else fc.RequestedHomeAgent
        assert message.find(kind).home_agent == IPv4Address("192.0.2.1")
        assert message.encode() == data
    else:
        with pytest.raises(fc.DecodeError):
            fc.RegistrationRequest.decode(data)


ADDRESSES = st.integers(0, 2**32 - 1).map(IPv4Address)
U32 = st.integers(0, 2**32 - 1)
EXTENSIONS = st.one_of(
    st.builds(fc.NonceRequest, U32),
    st.builds(fc.NonceReply, U32, U32, U32, st.integers(0, 65535), st.integers(0, 65535), st.binary(max_size=64)),
    st.builds(fc.VendorExtension, U32, st.integers(0, 65535), st.binary(max_size=247), st.just(1)),
    st.builds(fc.BootstrapAddress, st.just(32473), st.integers(1, 3), st.integers(0, 255),
              st.integers(0, 2**128 - 1).map(IPv6Address)),
    st.builds(fc.MnHaAuthentication, U32, st.binary(min_size=1, max_size=251)),
    st.builds(fc.GeneralizedAuthentication, U32, st.binary(min_size=16, max_size=300)),
    st.builds(fc.Nai, st.text(min_size=1, max_size=60).filter(lambda s: len(s.encode("utf-8", "ignore")) == len(
        s.encode("utf-8", "surrogatepass"))).filter(lambda s: 1 <= len(s.encode()) <= 255)),
    st.binary(max_size=100).map(lambda b: fc.UnknownExtension(bytes((200, len(b))) + b)))
DISTINCT = st.lists(EXTENSIONS, max_size=8, unique_by=lambda e: (type(e) if not isinstance(e, (
    fc.VendorExtension, fc.BootstrapAddress, fc.UnknownExtension)) else repr(e)))


@given(st.builds(fc.RegistrationRequest, st.integers(0, 255), st.integers(0, 65535), ADDRESSES, ADDRESSES, ADDRESSES,
                 st.integers(0, 2**64 - 1), DISTINCT))
def test_what_is_encoded_is_decoded(message):
    assert fc.RegistrationRequest.decode(message.encode()) == message


@given(st.binary(max_size=400), st.sampled_from([1, 3]))
def test_what_is_decoded_is_encoded(data, kind):
    data = bytes((kind,)) + data
    try:
        message = CLASSES[kind].decode(data)
    except fc.DecodeError as refusal:
        message, offset = None, refusal.offset
    if message is None:
        assert 0 <= offset <= len(data)
    else:
        assert message.encode({}) == data


@pytest.mark.parametrize(("change", "field"), [
    ({"lifetime": 65536}, "RegistrationRequest.lifetime"), ({"flags": -1}, "RegistrationRequest.flags"),
    ({"identification": 2**64}, "RegistrationRequest.identification"),
    ({"home_agent": "nowhere"}, "RegistrationRequest.home_agent"),
    ({"lifetime": "long"}, "RegistrationRequest.lifetime"),
    ({"extensions": [fc.Nai("")]}, "Nai.nai"), ({"extensions": [fc.Nai("x" * 256)]}, "Nai.nai"),
    ({"extensions": [fc.MnHaAuthentication(1, bytes(252))]}, "MnHaAuthentication"),
    ({"extensions": [fc.MnHaAuthentication(1)]}, "MnHaAuthentication.authenticator"),
    ({"extensions": ["text"]}, "extensions"), ({"extensions": [fc.Padding(70000)]}, "Padding.count"),
    ({"extensions": [fc.UnknownExtension(b"\xc8\xff" + bytes(255))] * 256}, "UnknownExtension.octets")])
def test_encode_error_names_the_field(change, field):
    message = decode(octets(BOOTSTRAP))
    for name, value in change.items():
        setattr(message, name, value)
    with pytest.raises(fc.EncodeError) as refusal:
        message.encode()
    assert refusal.value.field == field


def test_class_that_does_not_match_its_struct_fails():
    from fastcodec.mip4_extensions import Extension, overlays
    with pytest.raises(TypeError, match="are not the fields of"):
        @overlays("NonceRequest", type=42, subtype=1)
        class Wrong(Extension, frozen=True):
            another_name: int
    with pytest.raises(TypeError, match="cannot stand for 4 octets"):
        @overlays("NonceRequest", type=42, subtype=1)
        class Wide(Extension, frozen=True):
            mn_spi: IPv6Address


def test_any_buffer_decodes():
    data = octets(BOOTSTRAP)
    assert decode(data) == decode(bytearray(data)) == decode(memoryview(data))
    with pytest.raises(TypeError):
        fc.RegistrationRequest.decode("text")
