"""Every declared Mobile IPv4 message and extension: what is encoded is decoded, what is decoded is encoded, to the octet."""
import copy
import json
import pickle
from ipaddress import IPv4Address, IPv6Address
from pathlib import Path
from typing import get_type_hints

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import fastcodec as fc
from fastcodec import mip4, mip4_extensions, mip4_routing, mip4_services
from fastcodec.mip4_messages import EXTENSION_CLASSES
from fastcodec.overlay import BOUND
from fastcodec.status import Status
from fastcodec.wire import Shape

FILE = json.loads((Path(__file__).parents[1] / "vectors" / "mobileip.json").read_text())
BY_ID = {v["id"]: v for v in FILE["vectors"]}
MESSAGES = {kind.plan.type: kind for kind in fc.Mip4Message.__subclasses__()}
AUTHENTICATIONS = (fc.MnHaAuthentication, fc.MnFaAuthentication, fc.FaHaAuthentication, fc.GeneralizedAuthentication,
                   fc.FaFaAuthentication, fc.MnGfaAuthentication, fc.MnParAuthentication)
TEXT = st.text(st.characters(codec="utf-8"), min_size=1, max_size=30)
SURROGATES = st.binary(min_size=1, max_size=40).map(lambda b: b.decode("utf-8", "surrogateescape"))


OTHERS = {IPv4Address: st.integers(0, 2**32 - 1).map(IPv4Address), IPv6Address: st.integers(0, 2**128 - 1).map(IPv6Address),
          str: TEXT | SURROGATES}


def strategy_of(cls, name, hint):
    """Values of a field: any that fit its octets, and where an RFC bounds the length, within it."""
    width = octets_of(cls, name)
    if hint is int:
        return st.integers(0, 256 ** width - 1)
    if hint in OTHERS:
        return OTHERS[hint]
    if hint == tuple[IPv4Address, ...]:
        return st.lists(OTHERS[IPv4Address], max_size=9).map(tuple)
    assert hint is bytes, (cls, name, hint)
    least = width or (16 if cls in AUTHENTICATIONS else 0)
    most = width or (64 if least else 300 if cls.plan.shape == Shape.LONG else 200)
    return st.binary(min_size=least, max_size=most)


def octets_of(cls, name):
    """Of a field with a place in a struct; 0 of one that takes what follows."""
    return next((dtype.fields[name][0].itemsize for _, dtype in BOUND[cls] if name in dtype.fields), 0)


def extensions_of(cls):
    hints = get_type_hints(cls)
    fields = {name: strategy_of(cls, name, hints[name]) for name in cls.__struct_fields__}
    if cls is fc.MobileNetworkAcknowledgment:
        fields["subtype"] = st.integers(1, 255)
    if cls is fc.BootstrapAddress:
        fields |= {"vendor": st.just(32473), "vendor_type": st.integers(1, 3)}
    return st.builds(cls, **fields)


CLASSES = [*dict.fromkeys(EXTENSION_CLASSES), fc.BootstrapAddress]
ANY = st.one_of(*map(extensions_of, CLASSES), st.binary(max_size=100).map(lambda b: fc.UnknownExtension(bytes((200, len(b))) + b)))


def is_single(extension):
    return mip4.EXTENSIONS[extension.plan.type].single if hasattr(extension, "plan") else False


def without_doubles(extensions):
    seen, out = set(), []
    for extension in extensions:
        key = (extension.plan.type, extension.plan.subtype) if is_single(extension) else object()
        if key not in seen:
            out.append(extension)
        seen.add(key)
    return out


def messages_of(kind):
    hints = get_type_hints(kind)
    fields = {name: strategy_of(kind, name, hints[name]) for name in kind.__struct_fields__ if name != "extensions"}
    if "extensions" in kind.__struct_fields__:
        fields["extensions"] = st.lists(ANY, max_size=8).map(without_doubles)
    return st.builds(kind, **fields)


def test_every_row_of_the_table_has_a_class():
    declared = {cls.plan.type for cls in CLASSES}
    assert declared | {0} == set(mip4.EXTENSIONS)
    assert len(CLASSES) == 62
    for cls in CLASSES:
        shape = mip4.EXTENSIONS[cls.plan.type].shape
        expected = {Shape.UNKNOWN_SKIP: Shape.TLV, Shape.EITHER: cls.plan.shape}.get(shape, shape)
        assert cls.plan.shape == expected, cls
    assert {cls.__name__ for cls in CLASSES} <= set(fc.__all__)
    assert set(mip4_extensions.__all__) | set(mip4_services.__all__) | set(mip4_routing.__all__) <= set(fc.__all__)


@pytest.mark.parametrize("cls", CLASSES, ids=lambda c: c.__name__)
@settings(max_examples=30)
@given(data=st.data())
def test_extension_survives(cls, data):
    """Alone in a message, through octets, dict, JSON, copy and pickle."""
    extension = data.draw(extensions_of(cls))
    message = fc.RegistrationReply(0, 60, IPv4Address(1), IPv4Address(2), 3, [extension])
    octets = message.encode()
    assert fc.RegistrationReply.decode(octets) == message
    assert fc.Extension.from_json(extension.to_json()) == extension
    assert copy.deepcopy(extension) == extension == pickle.loads(pickle.dumps(extension))
    assert str(extension).startswith(cls.__name__ + "(")
    assert hash(extension) == hash(copy.copy(extension))


@pytest.mark.parametrize("kind", MESSAGES.values(), ids=lambda c: c.__name__)
@settings(max_examples=60)
@given(data=st.data())
def test_message_survives(kind, data):
    message = data.draw(messages_of(kind))
    octets = message.encode()
    assert kind.decode(octets) == message
    assert fc.Mip4Message.decode(octets) == message
    assert fc.Mip4Message.from_json(message.to_json()) == message
    assert octets[0] == kind.plan.type


def refusal_of(kind, data):
    """None, or why `data` is no message of that class; then its offset lies inside."""
    try:
        message = kind.decode(data)
    except fc.DecodeError as refusal:
        return refusal.status if 0 <= refusal.offset <= len(data) else refusal
    assert message.encode() == data, "whatever decodes encodes to the same octets"
    return None


@settings(max_examples=300)
@given(st.sampled_from(sorted(MESSAGES)), st.binary(max_size=300))
def test_octets_survive(kind, body):
    assert refusal_of(fc.Mip4Message, bytes((kind,)) + body) in (None, *Status)


@settings(max_examples=300)
@given(st.lists(st.tuples(st.sampled_from(sorted(mip4.EXTENSIONS)), st.integers(0, 5), st.binary(max_size=24)), max_size=6))
def test_made_up_extensions_survive(parts):
    """Headers that are right, contents that are anything: unknown subtypes, reserved octets, lengths of no class."""
    head = fc.RegistrationReply(0, 60, IPv4Address(1), IPv4Address(2), 3).encode()
    assert refusal_of(fc.RegistrationReply, head + b"".join(made_up(*part) for part in parts)) in (
        None, Status.BAD_EXTENSION, Status.DOUBLED_EXTENSION, Status.EXTENSION_OVERRUN,
        Status.UNKNOWN_EXTENSION)       # a short 139 that looks like a long one takes octets of the next


def made_up(number, subtype, content):
    shape = mip4.EXTENSIONS[number].shape
    if shape == Shape.PAD:
        return b"\0"
    if shape == Shape.LONG:
        return bytes((number, subtype)) + len(content).to_bytes(2, "big") + content
    if shape in (Shape.SHORT, Shape.EITHER):
        return bytes((number, len(content) + 1, subtype)) + content
    return bytes((number, len(content))) + content


def test_reserved_octets_are_kept():
    revocation = bytes.fromhex(BY_ID["m4-33"]["message_hex"])
    message = fc.RegistrationRevocation.decode(b"\7\x55" + revocation[2:])
    assert message.reserved == 0x55
    assert "reserved=85" in str(message)
    assert "reserved" not in str(fc.RegistrationRevocation.decode(revocation))
    critical = fc.RegistrationReply(0, 0, IPv4Address(1), IPv4Address(2), 3, [fc.UnknownExtension(b"\x26\1\0\6" + bytes(6))])
    assert fc.RegistrationReply.decode(critical.encode()) == critical, "a CVSE with its reserved octet set is no class's"


@pytest.mark.parametrize("vector", ["m4-35", "m4-36"])
def test_tunnel_data(vector):
    data = bytes.fromhex(BY_ID[vector]["message_hex"])
    message = fc.TunnelData.decode(data)
    assert (message.next_header, message.packet, message.encode()) == (BY_ID[vector]["fields"]["next_header"], data[4:], data)
    for n in range(4):
        with pytest.raises(fc.DecodeError) as refusal:
            fc.TunnelData.decode(data[:n])
        assert (refusal.value.status, refusal.value.offset) == (Status.TOO_SHORT, n)
    with pytest.raises(fc.EncodeError):
        fc.TunnelData(4, bytes(65535)).encode()


def test_reply_codes_have_their_names():
    """RFC 5944 6.4: 0-8 success, 64-127 foreign agent, 128-192 home agent, 193-200 gateway, 201-210 correspondent."""
    for code in fc.ReplyCode:
        assert 0 <= code <= 2 or 64 <= code <= 192 or code in (194, 201, 202, 203)
        assert (64 <= code < 128 or code in (132, 141, 194)) == code.name.startswith(("FA_", "GFA_"))
        assert f"code={code.name}," in str(fc.RegistrationReply(code, 0, IPv4Address(1), IPv4Address(2), 3))
    assert len(fc.ReplyCode) == 71


@pytest.mark.parametrize("algorithm", ["hmac-md5", "hmac-sha1", "hmac-sha256", "keyed-md5"])
@pytest.mark.parametrize("cls", AUTHENTICATIONS, ids=lambda c: c.__name__)
def test_algorithms(algorithm, cls):
    """The key says how; a verifier whose key says nothing goes by the length, but never to keyed MD5."""
    key = fc.Secret(b"0123456789abcdef", algorithm)
    message = fc.GenericNotification(0, 0, IPv4Address(1), IPv4Address(2), IPv4Address(3), 4, [fc.Nai("a"), cls(700)])
    octets = message.encode({700: key})
    size = {"hmac-sha1": 20, "hmac-sha256": 32}.get(algorithm, 16)
    assert len(fc.Mip4Message.decode(octets, {700: key}).extensions[1].authenticator) == size
    assert fc.verify_authentication(octets, cls, {700: key}) == 700
    plain = fc.Secret(bytes(key))
    if algorithm == "keyed-md5":
        with pytest.raises(fc.AuthenticationError):
            fc.verify_authentication(octets, cls, plain)
    else:
        assert fc.verify_authentication(octets, cls, plain) == 700
    other = fc.Secret(bytes(key), "hmac-sha1" if algorithm == "hmac-md5" else "hmac-md5")
    with pytest.raises(fc.AuthenticationError) as refusal:
        fc.Mip4Message.decode(octets, {700: other})
    assert refusal.value.status == Status.BAD_AUTHENTICATOR
    with pytest.raises(fc.AuthenticationError) as refusal:
        fc.Mip4Message.decode(octets, {701: key})
    assert refusal.value.status == Status.NO_AUTHENTICATOR
    assert pickle.loads(pickle.dumps(key)) == key != plain


def test_algorithms_against_the_standard_library():
    import hashlib
    import hmac
    key, spi = b"k" * 70, 700
    head = fc.RegistrationReply(0, 0, IPv4Address(1), IPv4Address(2), 3, []).encode()
    for name, size, digest in (("hmac-sha256", 32, lambda c: hmac.digest(key, c, "sha256")),
                               ("hmac-sha1", 20, lambda c: hmac.digest(key, c, "sha1")),
                               ("keyed-md5", 16, lambda c: hashlib.md5(key + c + key).digest())):
        octets = fc.RegistrationReply(0, 0, IPv4Address(1), IPv4Address(2), 3, [fc.FaHaAuthentication(spi)]).encode(
            fc.Secret(key, name))
        covered = head + bytes((34, 4 + size)) + spi.to_bytes(4, "big")
        assert octets == covered + digest(covered)


def test_authentication_of_something_else():
    data = bytes.fromhex(BY_ID["m4-01"]["message_hex"])
    with pytest.raises(fc.EncodeError):
        fc.verify_authentication(data, fc.Nai, b"key")
    with pytest.raises(fc.EncodeError):
        fc.Secret(b"key", "md4")
    with pytest.raises(fc.AuthenticationError):
        fc.verify_authentication(data, fc.FaHaAuthentication, b"key")
    with pytest.raises(fc.DecodeError):
        fc.verify_authentication(b"\7", fc.FaHaAuthentication, b"key")


@pytest.mark.parametrize(("extension", "field"), [
    (fc.GreKey(2**32), "GreKey.key"), (fc.Padding(-1), "Padding.count"), (fc.MessageString(1, 5), "MessageString.text"),
    (fc.Challenge("text"), "Challenge.challenge"), (fc.Challenge(bytes(256)), "Challenge"),
    (fc.MessageString(1, "x" * 255), "MessageString"), (fc.RouteOptimizationPrefixes(bytes(65536)), "RouteOptimizationPrefixes"),
    (fc.Ipv6PrefixRequest(64, "nowhere"), "Ipv6PrefixRequest.prefix"), (fc.FaError(-1), "FaError.status"),
    (fc.UdpTunnelReply(0, 0, 2**16), "UdpTunnelReply.keepalive"), (fc.RouterAddress(IPv4Address(1)), "extensions")])
def test_encode_error_names_the_field(extension, field):
    with pytest.raises(fc.EncodeError) as refusal:
        fc.RegistrationReply(0, 0, IPv4Address(1), IPv4Address(2), 3, [extension]).encode()
    assert refusal.value.field == field
