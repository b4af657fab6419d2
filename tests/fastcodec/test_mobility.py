"""Mobility Headers: known answers, whole, cut, flipped; padding; authenticators; and round trips of made-up ones."""
import json
import random
import typing
from ipaddress import IPv4Address, IPv6Address
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import fastcodec as fc
from fastcodec import mip6
from fastcodec.mobility_options import OPTIONS
from fastcodec.status import Status

FILE = json.loads((Path(__file__).parents[1] / "vectors" / "mobileip6.json").read_text())
GOOD = [v for v in FILE["vectors"] if v["kind"] == "mip6"]
SIGNED = [v for v in GOOD if v["auth"]]
BAD = {v["id"]: v for v in FILE["vectors"] if v["id"].startswith("n6")}
HOME, AGENT, CARE_OF = (IPv6Address(a) for a in ("2001:db8:100::25", "2001:db8:100::1", "2001:db8:f:1::25"))
CLASSES = {c.plan.type: c for c in (fc.BindingRefreshRequest, fc.HomeTestInit, fc.CareOfTestInit, fc.HomeTest, fc.CareOfTest,
                                    fc.BindingUpdate, fc.BindingAcknowledgement, fc.BindingError)}
KEYS = {0x400: bytes.fromhex(FILE["keys"]["mip6_mn_ha"]), 3: bytes.fromhex(FILE["keys"]["mip6_mn_aaa"])}
by_id = pytest.mark.parametrize("vector", GOOD, ids=lambda v: v["id"])


def octets(vector):
    return bytes.fromhex(vector["mh_hex"])


def ends(data, care_of_address=CARE_OF):
    source, destination = (HOME, AGENT) if data[2] == 5 else (AGENT, HOME)
    return {"source": source, "destination": destination, "care_of_address": care_of_address}


# ---- known answers

@by_id
def test_known_answer(vector):
    data = octets(vector)
    message = fc.MobilityMessage.decode(data)
    assert type(message) is CLASSES[vector["fields"]["mh_type"]]
    assert message.encode() == data
    assert message == type(message).decode(data)
    for name, ours in (("sequence", "sequence"), ("status", "status"), ("lifetime_units", "lifetime")):
        if name in vector["fields"]:
            assert getattr(message, ours) == vector["fields"][name]
    assert [o.plan.type for o in message.options] == [o["type"] for o in vector["options"]]
    assert message.checksum == int(vector["checksum_hex"], 16)
    assert not [o for o in message.options if isinstance(o, fc.MobilityPadding)], "what `encode` makes by itself is not shown"


@by_id
def test_checksum_is_verified_and_computed(vector):
    at = fc.look(bytes.fromhex(vector["ipv6_hex"]))
    assert at.checksum_right
    assert bytes(at.payload) == octets(vector)
    message = fc.MobilityMessage.decode(at.payload, source=at.source, destination=at.destination)
    assert message.replace(checksum=0).encode(source=at.source, destination=at.destination) == octets(vector)
    with pytest.raises(fc.DecodeError) as refusal:
        fc.MobilityMessage.decode(at.payload, source=at.source, destination="2001:db8::bad")
    assert (refusal.value.status, refusal.value.offset) == (Status.BAD_CHECKSUM, 4)


@by_id
def test_whole_packet(vector):
    data = bytes.fromhex(vector["ipv6_hex"])
    keys = {a["spi"]: bytes.fromhex(a["key_hex"]) for a in vector["auth"]} or None
    packet = fc.MobilityPacket.decode(data, keys, care_of_address=CARE_OF)
    assert packet.encode() == data
    assert packet.message.encode() == octets(vector)
    assert fc.MobilityPacket.from_json(packet.to_json()) == packet
    assert str(packet.source) in str(packet)


@pytest.mark.parametrize("vector", SIGNED, ids=lambda v: v["id"])
def test_authenticators(vector):
    data, keys = octets(vector), {a["spi"]: bytes.fromhex(a["key_hex"]) for a in vector["auth"]}
    message = fc.MobilityMessage.decode(data, keys, **ends(data))
    unsigned = [o.replace(authenticator=b"") if isinstance(o, fc.AuthenticationOption) else o for o in message.options]
    assert message.replace(options=unsigned, checksum=0).encode(keys, **ends(data)) == data
    shown = {o.spi: o.authenticator.hex() for o in message.find_all(fc.AuthenticationOption)}
    assert shown == {a["spi"]: a["authenticator_hex"] for a in vector["auth"]}


@pytest.mark.parametrize("vector", SIGNED, ids=lambda v: v["id"])
def test_flipped_bit(vector):
    """No bit under an authenticator but those of the checksum, nor of the authenticator, can change unseen."""
    data = octets(vector)
    keys = {a["spi"]: bytes.fromhex(a["key_hex"]) for a in vector["auth"]}
    for at in (k for k in range(len(data)) if k not in (4, 5)):
        flipped = bytearray(data)
        flipped[at] ^= 1 << at % 8
        with pytest.raises((fc.AuthenticationError, fc.DecodeError)):
            fc.MobilityMessage.decode(bytes(flipped), keys, **ends(data))


def test_sums_hold_without_the_checksum_too():
    """A middle box that fixed the checksum of what it changed is found by the authenticator."""
    vector = SIGNED[0]
    data = bytearray(octets(vector))
    data[9] ^= 1
    fixed = fc.MobilityMessage.decode(bytes(data)).encode(**{k: v for k, v in ends(data).items() if k != "care_of_address"})
    with pytest.raises(fc.AuthenticationError) as refusal:
        fc.MobilityMessage.decode(fixed, KEYS, **ends(fixed))
    assert refusal.value.status == Status.BAD_AUTHENTICATOR


def test_what_authentication_needs_is_named():
    data = octets(next(v for v in GOOD if v["id"] == "m6-04"))
    with pytest.raises(fc.AuthenticationError, match="care_of_address"):
        fc.MobilityMessage.decode(data, KEYS, source=AGENT, destination=HOME)
    with pytest.raises(fc.AuthenticationError, match="home address"):
        fc.MobilityMessage.decode(data, KEYS, care_of_address=CARE_OF)
    with pytest.raises(fc.AuthenticationError) as refusal:
        fc.MobilityMessage.decode(data, {0x401: b"another"}, **ends(data))
    assert refusal.value.status == Status.NO_AUTHENTICATOR
    with pytest.raises(fc.AuthenticationError):
        fc.MobilityMessage.decode(octets(GOOD[0]), KEYS, **ends(octets(GOOD[0])))
    unsigned = fc.BindingUpdate(options=[fc.AuthenticationOption(1, 0x400)])
    with pytest.raises(fc.EncodeError, match="no key"):
        unsigned.encode(**ends(b"\0\0\5"))
    with pytest.raises(fc.EncodeError, match="care_of_address"):
        unsigned.encode(KEYS, source=HOME, destination=AGENT)


@pytest.mark.parametrize(("kinds", "right"), [
    ([1], True), ([2], True), ([1, 2], True), ([2, 1], False), ([1, 1], False), ([2, 2], False), ([1, 0], False), ([1, 2, 0], False),
    ([0, 1], True)])
def test_authentication_stands_at_the_end(kinds, right):
    """RFC 4285 5: MN-HA before MN-AAA, and no other option behind them."""
    options = [fc.AuthenticationOption(kind, 0x400 if kind == 1 else 3) if kind else fc.ReplayProtectionOption(1) for kind in kinds]
    data = fc.BindingUpdate(options=options).encode(KEYS, **ends(b"\0\0\5"))
    batch = fc.MobilityBatch(np.frombuffer(bytearray(data), np.uint8).reshape(1, -1), [len(data)], 5)
    batch.walk()
    first = "mn_ha" if 1 in kinds else "mn_aaa"
    if right:
        assert fc.BindingUpdate.decode(data, KEYS, **ends(data))
    else:
        with pytest.raises(fc.AuthenticationError) as refusal:
            fc.BindingUpdate.decode(data, KEYS, **ends(data))
        assert refusal.value.status == Status.BAD_AUTHENTICATOR
    if kinds != [2, 1]:        # there the MN-HA option, which is checked, is the last
        assert (batch.verify(fc.KeyTable(KEYS), HOME, CARE_OF, authenticator=first)[0] == 0) == right


# ---- refusals

@pytest.mark.parametrize(("name", "status", "offset"), [
    ("n6-01", Status.BAD_CHECKSUM, 4), ("n6-02", Status.WRONG_TYPE, 0), ("n6-03", Status.TOO_SHORT, 1),
    ("n6-04", Status.WRONG_TYPE, 2)])
def test_negative(name, status, offset):
    data = bytes.fromhex(BAD[name]["message_hex"])
    with pytest.raises(fc.DecodeError) as refusal:
        fc.MobilityMessage.decode(data, source=HOME, destination=AGENT)
    assert (refusal.value.status, refusal.value.offset) == (status, offset)


@by_id
def test_cut_anywhere(vector):
    data = octets(vector)
    for n in range(len(data)):
        with pytest.raises(fc.DecodeError) as refusal:
            fc.MobilityMessage.decode(data[:n])
        assert 0 <= refusal.value.offset <= n
    assert fc.MobilityMessage.decode(data + b"behind") == fc.MobilityMessage.decode(data)


def update(options):
    """A Binding Update with these octets of options, which must fill its units of 8."""
    size = 12 + len(options)
    assert size % 8 == 0
    return bytes((59, size // 8 - 1, 5, 0, 0, 0, 0, 1, 0, 0, 0, 1)) + options


@pytest.mark.parametrize(("options", "status", "offset"), [
    ("01030000", Status.EXTENSION_OVERRUN, 12), ("000000c8", Status.EXTENSION_OVERRUN, 15), ("00c80200", Status.EXTENSION_OVERRUN, 13),
    ("02010000", Status.BAD_EXTENSION, 12), ("0a020000", Status.BAD_EXTENSION, 12), ("08010100", Status.BAD_EXTENSION, 12),
    ("09020100", Status.BAD_EXTENSION, 12), ("00140000", Status.BAD_EXTENSION, 13)])
def test_options_that_cannot_be(options, status, offset):
    with pytest.raises(fc.DecodeError) as refusal:
        fc.BindingUpdate.decode(update(bytes.fromhex(options)))
    assert (refusal.value.status, refusal.value.offset) == (status, offset)


def test_too_many_options():
    assert len(fc.BindingUpdate.decode(update(b"\xc8\0" * 64 + bytes(4))).options) == 65, "with the padding by hand"
    with pytest.raises(fc.DecodeError) as refusal:
        fc.BindingUpdate.decode(update(b"\xc8\0" * 66))
    assert refusal.value.status == Status.TOO_MANY_EXTENSIONS


def test_longest_message():
    most = [fc.UnknownOption(b"\xc8\xfe" + bytes(254))] * 7 + [fc.UnknownOption(b"\xc8\xf2" + bytes(242))]
    data = fc.BindingUpdate(options=most).encode()
    assert len(data) == 2048
    assert fc.BindingUpdate.decode(data).options == most
    for more in (b"\xc9\0", b"\xc9\xff" + bytes(255)):
        with pytest.raises(fc.EncodeError, match="2048"):
            fc.BindingUpdate(options=[*most, fc.UnknownOption(more)]).encode()


# ---- padding

def test_padding_by_hand_is_kept():
    for text in ("00000000", "01020000", "01020101", "01000100", "00010100", "01010000"):
        data = update(bytes.fromhex(text))
        message = fc.BindingUpdate.decode(data)
        assert message.encode() == data
        assert message.options == ([] if text == "01020000" else [fc.MobilityPadding(bytes.fromhex(text))])


def test_option_out_of_alignment_stays_where_it_is():
    data = update(bytes.fromhex("0a08c812ebc060000001" + "0000") + bytes.fromhex("0a08c812ebc06000000100000000"[:28]) + bytes(2))
    message = fc.BindingUpdate.decode(data)
    assert message.options[0] == fc.MobilityPadding(b"")
    assert message.encode() == data


@given(st.permutations(range(6)))
def test_alignment(order):
    options = [fc.AlternateCareOfAddressOption(CARE_OF), fc.ReplayProtectionOption(7), fc.MobileNodeIdentifierOption(1, "a@b"),
               fc.IPv4HomeAddressOption(32 << 10, IPv4Address("192.0.2.1")), fc.AuthenticationOption(1, 0x400, bytes(12)),
               fc.HomeNetworkPrefixOption(64, CARE_OF)]
    message = fc.BindingUpdate(options=[options[k] for k in order])
    data = message.encode()
    assert fc.BindingUpdate.decode(data) == message
    assert all(at % mip6.OPTIONS[kind].every == mip6.OPTIONS[kind].offset for kind, at in places(data))


def places(data):
    """(type, offset) of every option behind the 12 octets of a Binding Update, padding left out."""
    at = 12
    while at < len(data):
        if data[at] > 1:
            yield data[at], at
        at += 1 if data[at] == 0 else 2 + data[at + 1]


# ---- made-up ones

U8, U16, U32, U64 = (st.integers(0, 2**n - 1) for n in (8, 16, 32, 64))
SIX, FOUR = st.integers(0, 2**128 - 1).map(IPv6Address), st.integers(0, 2**32 - 1).map(IPv4Address)
TEXTS = st.text(min_size=1, max_size=40)
BUILD = {int: {1: U8, 2: U16, 4: U32, 8: U64}, IPv6Address: {16: SIX}, IPv4Address: {4: FOUR}}


def fields_of(layouts, cls, name):
    """A strategy a field by name, from the layout and the annotation: what the declaration says is what is tried."""
    hints, layout = typing.get_type_hints(cls), layouts[name]
    return {field: BUILD[hints[field]][layout.fields[field][0].itemsize] for field in cls.__struct_fields__ if field in layout.names}


def option_strategy(cls):
    row = mip6.OPTIONS[cls.plan.type]
    fields = fields_of(mip6.LAYOUTS, cls, row.layout)
    for name in set(cls.__struct_fields__) - set(fields):
        fields[name] = TEXTS if cls.plan.tail == 2 else st.binary(min_size=1, max_size=60)
    return st.builds(cls, **fields)


ANY_OPTION = st.one_of(*map(option_strategy, OPTIONS),
                       st.tuples(st.sampled_from([7, 11, 33, 200, 255]), st.binary(max_size=40)).map(
                           lambda t: fc.UnknownOption(bytes((t[0], len(t[1]))) + t[1])))


@given(st.data())
def test_what_is_encoded_is_decoded(data):
    cls = CLASSES[data.draw(st.integers(0, 7))]
    fields = {name: data.draw(s) for name, s in fields_of(mip6.LAYOUTS, cls, mip6.MESSAGES[cls.plan.type]).items()}
    message = cls(**fields, options=data.draw(st.lists(ANY_OPTION, max_size=12)))
    octets = message.encode()
    assert len(octets) % 8 == 0
    assert fc.MobilityMessage.decode(octets) == message
    summed = message.encode(source=HOME, destination=AGENT)
    assert fc.MobilityMessage.decode(summed, source=HOME, destination=AGENT) == message.replace(checksum=int.from_bytes(summed[4:6]))
    assert cls.from_json(message.to_json()) == message


@given(st.integers(0, 7), st.binary(max_size=200), st.integers(0, 30))
def test_what_is_decoded_is_encoded(kind, body, length):
    check_kept(bytes((59, length, kind)) + body)


def check_kept(data):
    try:
        message = fc.MobilityMessage.decode(data)
    except fc.DecodeError as refusal:
        message, offset = None, refusal.offset
    if message is None:
        assert 0 <= offset <= len(data)
    else:
        assert message.encode() == data[:8 * (data[1] + 1)]


def test_mutations_of_the_vectors_are_refused_or_kept():
    rng = random.Random(6)
    for _ in range(3000):
        data = bytearray(octets(rng.choice(GOOD)))
        for _ in range(rng.randint(1, 4)):
            data[rng.randrange(len(data))] = rng.choice([0, 1, 2, 9, 255, rng.randrange(256)])
        check_kept(bytes(data))


@pytest.mark.parametrize(("make", "field"), [
    (lambda: fc.BindingUpdate(sequence=65536), "BindingUpdate.sequence"),
    (lambda: fc.BindingError(home_address="x"), "BindingError.home_address"),
    (lambda: fc.BindingUpdate(options=[fc.ServiceSelectionOption("x" * 256)]), "ServiceSelectionOption"),
    (lambda: fc.BindingUpdate(options=["text"]), "options"), (lambda: fc.BindingUpdate(options=[fc.Padding(3)]), "options"),
    (lambda: fc.BindingUpdate(options=[fc.UnknownOption(b"\xc8\1")]), "UnknownOption.octets")])
def test_encode_error_names_the_field(make, field):
    with pytest.raises(fc.EncodeError) as refusal:
        make().encode()
    assert refusal.value.field == field


@pytest.mark.parametrize("case", FILE["bu_sequence"], ids=str)
def test_sequence_numbers(case):
    assert fc.sequence_is_fresh(case["received"], case["last"]) == case["fresh"]


def test_names_for_people():
    text = str(fc.BindingAcknowledgement(status=146, flags=0x80, options=[fc.AuthenticationOption(1, 0x400, b"\1")]))
    assert "MIPV6_AUTH_FAIL" in text
    assert "KEY_MOBILITY" in text
    assert "0x400" in text
    assert "ACKNOWLEDGE|HOME_REGISTRATION" in str(fc.BindingUpdate(flags=0xc000))
    assert fc.MobilityMessage.decode(octets(GOOD[2])).nai() == "mn0001@home.example"
