"""Agent discovery: known answers, everything cut and flipped, made-up messages, and scapy's reading of them."""
import json
from ipaddress import IPv4Address
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scapy.layers.inet import ICMP

import fastcodec as fc
from fastcodec.base import Message
from fastcodec.status import Status

FILE = json.loads((Path(__file__).parents[1] / "vectors" / "mobileip.json").read_text())
BY_ID = {v["id"]: v for v in FILE["vectors"]}
ADVERTISEMENT = bytes.fromhex(BY_ID["ad-01"]["message_hex"])
SOLICITATION = bytes.fromhex(BY_ID["ad-02"]["message_hex"])


def test_known_advertisement():
    fields, message = BY_ID["ad-01"]["fields"], fc.AgentAdvertisement.decode(ADVERTISEMENT)
    assert (message.code, message.lifetime) == (fields["code"], fields["lifetime"])
    assert message.routers == [fc.RouterAddress(IPv4Address(fields["router"]), fields["preference"])]
    assert message.extensions == [
        fc.MobilityAgent(fields["seq"], fields["reg_lifetime"], int(fields["flags16"], 16), tuple(map(IPv4Address, fields["care_of"]))),
        fc.PrefixLengths((24,)), fc.AdvertisedChallenge(bytes.fromhex(fields["challenge_hex"])), fc.Padding(1)]
    assert message.encode() == ADVERTISEMENT
    assert str(message) == """\
AgentAdvertisement(code=0, lifetime=1800,
    routers=[
        RouterAddress(address=198.51.100.1, preference=0, rest=(empty)),
    ],
    extensions=[
        MobilityAgent(sequence=7, lifetime=1800, flags=R|F|G|T|X, care_of_addresses=[198.51.100.1]),
        PrefixLengths(lengths=[24]),
        AdvertisedChallenge(challenge=b0b1b2b3b4b5b6b7b8b9babbbcbdbebf),
        Padding(count=1),
    ])"""
    assert Message.from_json(message.to_json()) == message


@pytest.mark.parametrize(("drawn", "extension"), [
    ("ff 00", fc.AdvertisedExperiment(b"")), ("ff 02 0102", fc.AdvertisedExperiment(b"\1\2")),           # RFC 4064 4.4
    ("7f 02 0102", fc.CriticalAdvertisedExperiment(b"\1\2")),                                            # RFC 4064 4.2
    ("8c 07 03 00005e005301", fc.AdvertisedLinkLayerAddress(3, bytes.fromhex("00005e005301")))])           # RFC 4881 9
def test_extensions_that_are_others_in_registrations(drawn, extension):
    octets = fc.AgentAdvertisement(0, 60, [], [fc.MobilityAgent(1, 60, 0x2000)]).encode() + bytes.fromhex(drawn)
    octets = octets[:2] + fc.checksum(octets[:2] + bytes(2) + octets[4:]).to_bytes(2, "big") + octets[4:]
    message = fc.AgentAdvertisement.decode(octets)
    assert message.extensions[1:] == [extension]
    assert message.encode() == octets


def test_known_solicitation():
    assert fc.AgentSolicitation.decode(SOLICITATION) == fc.AgentSolicitation()
    assert fc.AgentSolicitation().encode() == SOLICITATION


@pytest.mark.parametrize(("kind", "data"), [(fc.AgentAdvertisement, ADVERTISEMENT), (fc.AgentSolicitation, SOLICITATION)])
def test_no_changed_bit_and_no_cut_passes(kind, data):
    for at in range(len(data)):
        for bit in range(8):
            flipped = bytearray(data)
            flipped[at] ^= 1 << bit
            with pytest.raises(fc.DecodeError):
                kind.decode(bytes(flipped))
    for n in range(len(data)):
        if data[n:] != b"\0":       # a last octet of padding does not count in the sum
            with pytest.raises(fc.DecodeError) as refusal:
                kind.decode(data[:n])
            assert 0 <= refusal.value.offset <= n or refusal.value.offset == 2


def with_sum(data):
    data = data[:2] + b"\0\0" + data[4:]
    padded = data + b"\0" * (len(data) % 2)
    total = sum(int.from_bytes(padded[k:k + 2], "big") for k in range(0, len(padded), 2))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return data[:2] + (total ^ 0xffff).to_bytes(2, "big") + data[4:]


@pytest.mark.parametrize(("data", "status", "offset"), [
    ("0900000000010708", Status.BAD_LENGTH, 5), ("0900000002020708" + "00" * 8, Status.TOO_SHORT, 16),
    ("0900000000020708" + "0a00", Status.UNKNOWN_EXTENSION, 8), ("0900000000020708" + "1006", Status.EXTENSION_OVERRUN, 8),
    ("0a00000000000000", Status.WRONG_TYPE, 0), ("", Status.TOO_SHORT, 0), ("090000", Status.TOO_SHORT, 3)])
def test_refusals(data, status, offset):
    octets = bytes.fromhex(data)
    with pytest.raises(fc.DecodeError) as refusal:
        fc.AgentAdvertisement.decode(with_sum(octets) if len(octets) > 4 else octets)
    assert (refusal.value.status, refusal.value.offset) == (status, offset)


ADDRESSES = st.integers(0, 2**32 - 1).map(IPv4Address)
U16 = st.integers(0, 65535)
EXTENSIONS = st.one_of(
    st.builds(fc.MobilityAgent, U16, U16, U16, st.lists(ADDRESSES, max_size=5).map(tuple)),
    st.builds(fc.PrefixLengths, st.lists(st.integers(0, 255), max_size=9).map(tuple)),
    st.builds(fc.AdvertisedChallenge, st.binary(max_size=255)),
    st.builds(fc.AdvertisedExperiment, st.binary(max_size=255)), st.builds(fc.CriticalAdvertisedExperiment, st.binary(max_size=255)),
    st.builds(fc.AdvertisedLinkLayerAddress, st.integers(0, 255), st.binary(max_size=254)),
    st.builds(fc.HomeAgentIdentity, st.text(max_size=9)),
    st.builds(fc.VendorExtension, st.integers(0, 2**32 - 1), U16, st.binary(max_size=40)))
ROUTERS = st.integers(0, 3).flatmap(lambda words: st.lists(st.builds(
    fc.RouterAddress, ADDRESSES, st.integers(-2**31, 2**31 - 1), st.binary(min_size=4 * words, max_size=4 * words)), max_size=4))


@given(st.builds(fc.AgentAdvertisement, st.integers(0, 255), U16, ROUTERS, st.lists(EXTENSIONS, max_size=5)))
def test_advertisement_survives(message):
    octets = message.encode()
    assert fc.AgentAdvertisement.decode(octets) == message
    assert Message.from_json(message.to_json()) == message
    assert with_sum(octets) == octets


@given(st.binary(min_size=6, max_size=80))
def test_octets_survive(body):
    data = with_sum(b"\x09\0" + body)
    try:
        message = fc.AgentAdvertisement.decode(data)
    except fc.DecodeError as refusal:
        message, offset = None, refusal.offset
    if message is None:
        assert 0 <= offset <= len(data)
    else:
        assert message.encode() in (data, data[:2] + b"\0\0" + data[4:], data[:2] + b"\xff\xff" + data[4:])


@given(st.integers(0, 2**32 - 1), st.integers(0, 255))
def test_solicitation_survives(reserved, code):
    message = fc.AgentSolicitation(code, reserved)
    assert fc.AgentSolicitation.decode(message.encode()) == message
    theirs = ICMP(message.encode())
    del theirs.chksum
    assert bytes(theirs) == message.encode()


@pytest.mark.parametrize(("change", "field"), [
    ({"code": 256}, "AgentAdvertisement.code"), ({"routers": [fc.RouterAddress("x")]}, "RouterAddress.address"),
    ({"routers": [fc.RouterAddress(IPv4Address(1), 2**31)]}, "RouterAddress.preference"),
    ({"routers": [fc.RouterAddress(IPv4Address(1), 0, b"abc")]}, "RouterAddress.rest"),
    ({"routers": [fc.RouterAddress(IPv4Address(1))] * 256}, "AgentAdvertisement.routers"),
    ({"routers": [fc.RouterAddress(IPv4Address(1))], "empty_entry_size": 3}, "AgentAdvertisement.empty_entry_size"),
    ({"empty_entry_size": 1}, "AgentAdvertisement.empty_entry_size"), ({"empty_entry_size": 2}, "AgentAdvertisement.empty_entry_size"),
    ({"extensions": ["text"]}, "extensions"), ({"extensions": [fc.PrefixLengths((256,))]}, "PrefixLengths.lengths"),
    ({"extensions": [fc.MobilityAgent(1, 2, 3, ("x",))]}, "MobilityAgent.care_of_addresses")])
def test_encode_error_names_the_field(change, field):
    with pytest.raises(fc.EncodeError) as refusal:
        fc.AgentAdvertisement(0, 1).replace(**change).encode()
    assert refusal.value.field == field


# ---- many at once ----------------------------------------------------------------------------------------------------

def batch_of(datagrams):
    rows = np.zeros((len(datagrams), max(map(len, datagrams)) + 8), dtype=np.uint8)
    for row, data in zip(rows, datagrams, strict=True):
        row[:len(data)] = np.frombuffer(data, dtype=np.uint8)
    batch = fc.AgentBatch(rows, [len(d) for d in datagrams])
    batch.walk()
    return batch


def status_of(data):
    try:
        fc.AgentAdvertisement.decode(data)
    except fc.DecodeError as refusal:
        return refusal.status
    return Status.OK


@given(st.lists(st.builds(fc.AgentAdvertisement, st.integers(0, 255), U16, ROUTERS, st.lists(EXTENSIONS, max_size=5)), min_size=1,
                max_size=4))
def test_rows_as_single_messages(messages):
    whole = [m.encode() for m in messages]
    changed = [d[:k] + b"\x7e" + d[k + 1:] for d in whole for k in range(0, len(d), 3)]
    datagrams = [*whole, *(d[:n] for d in whole for n in range(len(d))), *changed, *map(with_sum, changed), SOLICITATION]
    batch = batch_of(datagrams)
    assert batch.status.tolist() == [status_of(d) for d in datagrams]
    index = batch.index()
    for row, message in enumerate(messages):
        entries = index.entries[index.starts[row]:index.starts[row + 1]]
        assert entries["type"].tolist() == [e.plan.type for e in message.extensions]
        first = next((k for k, e in enumerate(message.extensions) if isinstance(e, fc.MobilityAgent)), None)
        assert batch.agents[row] == (0 if first is None else entries[first]["offset"])


def test_columns_and_sums():
    template = fc.AgentAdvertisement(0, 60, [fc.RouterAddress(IPv4Address(1))], [fc.MobilityAgent(0, 60, 0x1000, (IPv4Address(2),))])
    batch = fc.AgentBatch.from_template(template, 500)
    batch.mobility_agent["sequence"] = np.arange(500)
    batch.fixed["lifetime"] = np.arange(500) + 100
    batch.walk()
    assert (batch.status[1:] == Status.BAD_CHECKSUM).all()
    batch.sum_up()
    batch.walk()
    for row in range(500):
        message = fc.AgentAdvertisement.decode(batch.datagram(row))
        assert (message.lifetime, message.find(fc.MobilityAgent).sequence) == (row + 100, row)
    with pytest.raises(fc.EncodeError):
        batch_of([ADVERTISEMENT, SOLICITATION]).mobility_agent  # noqa: B018
