"""Mobile IPv4 rows: fixed fields in and out, the index of extensions, authenticators under keys by SPI; as single messages."""
import json
from ipaddress import IPv4Address
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import fastcodec as fc
from fastcodec import mip4
from fastcodec.registration import pieces_of
from fastcodec.registration_batch import COLUMNS, FIXED
from fastcodec.status import Status

FILE = json.loads((Path(__file__).parents[1] / "vectors" / "mobileip.json").read_text())
VECTORS = [bytes.fromhex(v["message_hex"]) for v in FILE["vectors"] if v["kind"] == "mip4" or v.get("proto") == "mip4"]
KINDS = {kind.plan.type: kind for kind in fc.Mip4Message.__subclasses__()}
CLASSES = {"mn_ha": fc.MnHaAuthentication, "mn_aaa": fc.GeneralizedAuthentication, "mn_fa": fc.MnFaAuthentication,
           "fa_ha": fc.FaHaAuthentication}
ALGORITHMS = [None, "hmac-md5", "hmac-sha1", "hmac-sha256", "keyed-md5"]
A, B = IPv4Address("192.0.2.25"), IPv4Address("203.0.113.10")


def batch_of(datagrams, kind):
    rows = np.zeros((len(datagrams), max(40, *map(len, datagrams))), dtype=np.uint8)
    for row, data in zip(rows, datagrams, strict=True):
        row[:len(data)] = np.frombuffer(data, dtype=np.uint8)
    batch = fc.RegistrationBatch(rows, [len(d) for d in datagrams], kind)
    batch.walk()
    return batch


def status_of(call, *arguments):
    try:
        call(*arguments)
    except (fc.DecodeError, fc.AuthenticationError) as refusal:
        return Status(refusal.status)
    return Status.OK


@pytest.mark.parametrize("kind", FIXED)
def test_rows_as_single_messages(kind):
    """Every vector of the type, whole and cut anywhere, and those of other types."""
    datagrams = [data[:n] for data in VECTORS if data[0] == kind for n in range(1, len(data) + 1)] or [bytes((kind,)) + bytes(30)]
    datagrams += [data for data in VECTORS if data[0] != kind]
    batch = batch_of(datagrams, kind)
    assert batch.status.tolist() == [status_of(KINDS[kind].decode, d) for d in datagrams]


@pytest.mark.parametrize("kind", FIXED)
@given(data=st.data())
def test_fixed_fields_in_and_out(kind, data):
    """What is written to a column stands in the message, what stands there is read from the column."""
    layout = mip4.LAYOUTS[FIXED[kind]]
    batch = batch_of([bytes((kind,)) + bytes(layout.itemsize - 1)] * 3, kind)
    for name in layout.names:
        if name != "type":
            width = layout[name].itemsize
            batch.fixed[name] = data.draw(st.lists(st.integers(0, 256 ** width - 1), min_size=3, max_size=3), label=name)
    for row in range(3):
        message = KINDS[kind].decode(batch.datagram(row))
        for name in layout.names:
            if name != "type":
                value = getattr(message, name)
                assert int(value) == int(batch.fixed[name][row]), name
        assert message.encode() == batch.datagram(row)
    assert np.shares_memory(batch.fixed, batch.octets)


def places(octets):
    """(type, subtype, head, offset, length) by the plain rules, from the single message's own extensions."""
    message = fc.Mip4Message.decode(octets)
    at, out = type(message).plan.size, []
    for extension in message.extensions:
        size = len(fc.RegistrationReply(0, 0, A, B, 1, [extension]).encode()) - 20
        if not isinstance(extension, fc.Padding):
            out.append((octets[at], at, at + size))
        at += size
    return out


def check_index(datagrams, kind):
    batch = batch_of(datagrams, kind)
    index = batch.index()
    assert index.starts[0] == 0
    assert index.starts[-1] == len(index.entries)
    for row, data in enumerate(datagrams):
        entries = index.entries[index.starts[row]:index.starts[row + 1]]
        if batch.status[row] != Status.OK:
            assert len(entries) == 0
            continue
        assert (entries["row"] == row).all()
        assert [(int(e["type"]), int(e["head"]), int(e["offset"]) + int(e["length"])) for e in entries] == places(data)
        for e in entries:
            if mip4.EXTENSIONS.get(int(e["type"])) and int(e["offset"]) - int(e["head"]) > 2:
                assert int(e["subtype"]) in (data[e["head"] + 1], data[e["head"] + 2])
            else:
                assert e["subtype"] == 0


@pytest.mark.parametrize("kind", [1, 3, 7, 15, 22, 23])
def test_index_of_vectors(kind):
    check_index([*VECTORS, *(data[:k] for data in VECTORS if data[0] == kind for k in range(1, len(data)))], kind)


@settings(max_examples=60)
@given(st.lists(st.lists(st.sampled_from([b"\0", b"\xc8\2ab", b"\x83\1x", b"\x24\1\0\x14" + bytes(20), b"\x2d\2\0\x44", b"\x8b\5\1abcd",
                                          b"\x3c\0", b"\x86\x09" + bytes(9)]), max_size=36), max_size=8))
def test_index_of_made_up_rows(rows):
    head = fc.RegistrationReply(0, 60, A, B, 3).encode()
    if rows:
        check_index([head + b"".join(parts) for parts in rows], 3)


def places_alone(data, kind):
    """Status, number of extensions, and offsets and sizes in the columns, by the walk of single messages."""
    _, pieces, _, _ = pieces_of(data)
    status = status_of(KINDS[kind].decode, data)
    offsets, sizes = [0] * len(COLUMNS), [0] * len(COLUMNS)
    for column, identity in enumerate(COLUMNS.values()) if status == Status.OK else ():
        found = [(value, end - value) for type_, subtype, _, value, end in pieces if (type_, subtype) == identity]
        offsets[column], sizes[column] = found[0] if found else (0, 0)
    return status, len(pieces), offsets, sizes


PARTS = [b"\x83\2mn", b"\x83\0", b"\x83\xff", b"\x84\2ab", b"\x84\0", b"\x20\5\0\0\1\0x", b"\x21\5\0\0\1\0y", b"\x22\3abc",
         b"\x24\1\0\x14" + bytes(20), b"\x24\2\0\x14" + bytes(20), b"\x24\1\0\x13" + bytes(19), b"\x2a\1\0\4abcd", b"\x2a\2\0\4abcd",
         b"\x2b\1\0\x10" + bytes(16), b"\x28\1\0\4abcd", b"\x89\6abcdef", b"\x2d\2\0\x44", b"\x2d\0", b"\x8b\1\0\4abcd",
         b"\xc8\1a", b"\xc8\0", b"\x3c\1a", b"\0"]


@settings(max_examples=300)
@given(st.lists(st.lists(st.sampled_from(PARTS), max_size=5), min_size=1, max_size=6), st.sampled_from([1, 3, 7, 15, 22, 23]))
def test_columns_as_single_walk(rows, kind):
    """Of whatever kinds, twice, of other subtypes, cut, padded: the columns hold the first of each that the single message has."""
    head = bytes((kind,)) + bytes(mip4.LAYOUTS[FIXED[kind]].itemsize - 1)
    datagrams = [head + b"".join(parts) for parts in rows]
    batch = batch_of(datagrams, kind)
    for row, data in enumerate(datagrams):
        status, found, offsets, sizes = places_alone(data, kind)
        assert batch.status[row] == status
        assert (batch.offsets[row].tolist(), batch.sizes[row].tolist()) == (offsets, sizes)
        if status == Status.OK:
            assert batch.found[row] == found


@pytest.mark.parametrize("count", [mip4.MOST_EXTENSIONS, mip4.MOST_EXTENSIONS + 1])
def test_most_extensions_of_a_row(count):
    data = fc.RegistrationReply(0, 60, A, B, 3).encode() + b"\xc8\2ab" * count
    batch = batch_of([data], 3)
    assert (batch.status[0], batch.found[0]) == (
        (Status.OK, count) if count == mip4.MOST_EXTENSIONS else (Status.TOO_MANY_EXTENSIONS, 0))


def test_columns_by_index():
    """All NAIs of a batch in one go."""
    datagrams = [fc.RegistrationRequest(0, 60, A, B, A, 1, [fc.Padding(k % 3), fc.Nai(f"mn{k}@x"), fc.MnHaAuthentication(256, bytes(16))]
                                        ).encode() for k in range(100)]
    batch = batch_of(datagrams, 1)
    entries = batch.index().entries
    nais = entries[entries["type"] == 131]
    names = [batch.octets[e["row"], e["offset"]:e["offset"] + e["length"]].tobytes() for e in nais]
    assert names == [b"mn%d@x" % k for k in range(100)]


def secret(spi):
    return fc.Secret(b"key of %d" % spi * (1 + spi % 7), ALGORITHMS[spi % 5])


@pytest.mark.parametrize("name", CLASSES)
def test_verify_by_spi(name):
    """300 rows under 100 SPIs and five algorithms, some unknown, some wrong, some without: each as the single verifier says."""
    cls, keys = CLASSES[name], {spi: secret(spi) for spi in range(300, 400)}
    datagrams = []
    for k in range(300):
        spi = 300 + k % 100
        extensions = [fc.Nai(f"mn{k}"), fc.Challenge(bytes(k % 30)), cls(2 if name == "mn_aaa" and k % 11 == 0 else spi)]
        data = bytearray(fc.RegistrationReply(0, k, A, B, k, extensions[:2 if k % 13 == 0 else 3]).encode(keys | {2: secret(2)}))
        if k % 7 == 0:
            data[-1] ^= 1
        datagrams.append(bytes(data))
    known = {spi: key for spi, key in keys.items() if spi % 9} | {2: secret(2)}
    batch = batch_of(datagrams, 3)
    before = batch.octets.copy()
    status = batch.verify(fc.KeyTable(known), None, name)
    assert status.tolist() == [status_of(fc.verify_authentication, d, cls, known) for d in datagrams]
    assert {Status.OK, Status.NO_AUTHENTICATOR, Status.BAD_AUTHENTICATOR} <= set(status.tolist())
    assert (batch.octets == before).all()
    assert batch.spi(name).tolist() == [0 if k % 13 == 0 else 2 if name == "mn_aaa" and k % 11 == 0 else 300 + k % 100 for k in range(300)]


@pytest.mark.parametrize("name", CLASSES)
@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_sign_by_spi(name, algorithm):
    keys = {spi: fc.Secret(b"key %d" % spi, algorithm) for spi in range(1000, 1050)}
    template = fc.RegistrationRequest(0x22, 60, A, B, A, 0, [fc.Nai("mn"), CLASSES[name](1000)])
    batch = fc.RegistrationBatch.from_template(template, 60, keys)
    batch.fixed["identification"] = np.arange(60)
    batch.value(name)[:, :4] = np.arange(1000, 1060, dtype=">u4").view(np.uint8).reshape(60, 4)
    status = batch.sign(fc.KeyTable(keys), None, name)
    assert status.tolist() == [Status.OK] * 50 + [Status.NO_AUTHENTICATOR] * 10
    for row in range(50):
        single = template.replace(identification=row, extensions=[fc.Nai("mn"), CLASSES[name](1000 + row)])
        assert batch.datagram(row) == single.encode(keys)
    batch.walk()
    assert batch.verify(fc.KeyTable(keys), None, name).tolist() == status.tolist()


def test_sign_where_there_is_no_room():
    template = fc.RegistrationRequest(0, 60, A, B, A, 0, [fc.MnHaAuthentication(1000)])
    batch = fc.RegistrationBatch.from_template(template, 2)
    before = batch.octets.copy()
    assert (batch.sign(fc.KeyTable({1000: fc.Secret(b"key", "hmac-sha1")})) == Status.BAD_AUTHENTICATOR).all()
    assert (batch.octets == before).all()


@given(st.dictionaries(st.integers(0, 2**32 - 1), st.binary(min_size=1, max_size=70), max_size=80), st.lists(st.integers(0, 2**32 - 1)))
def test_key_table(keys, others):
    table = fc.KeyTable(keys)
    assert len(table) == len(keys)
    assert all(spi in table for spi in keys)
    assert [spi in table for spi in others] == [spi in keys for spi in others]


@pytest.mark.parametrize("keys", [{-1: b"x"}, {2**32: b"x"}, {"1": b"x"}, {1: b""}])
def test_key_table_of_something_else(keys):
    with pytest.raises(fc.EncodeError):
        fc.KeyTable(keys)


def test_what_is_no_batch():
    rows = np.zeros((1, 40), dtype=np.uint8)
    with pytest.raises(fc.EncodeError):
        fc.RegistrationBatch(rows, [40], 2)
    batch = fc.RegistrationBatch(rows, [40], 1)
    with pytest.raises(fc.EncodeError):
        batch.verify(fc.KeyTable({}), None, "mn_xx")
    empty = fc.RegistrationBatch(rows[:0], [], 1)
    empty.walk()
    assert empty.index().starts.tolist() == [0]


def test_more_rows_than_are_verified_together():
    """Every row has its own key; where one octet is changed, that row alone is refused. Every fifth row answers CHAP_SPI."""
    count, address = 1300, IPv4Address("192.0.2.1")
    keys, which = [bytes([1 + k % 250]) * 16 for k in range(count)], np.arange(count, dtype=np.uint32)
    octets = [fc.RegistrationRequest(0, 60, address, address, address, 1, [
        fc.Nai("mn"), fc.GeneralizedAuthentication(2 if k % 5 == 0 else 0x200)]).encode(keys[k]) for k in range(count)]
    rows = np.frombuffer(b"".join(octets), np.uint8).reshape(count, len(octets[0])).copy()
    batch = fc.RegistrationBatch(rows, np.full(count, len(octets[0])), 1)
    batch.walk()
    assert not batch.verify(fc.SecretArray(keys), which, "mn_aaa").any()
    rows[::7, 5] ^= 1
    batch.walk()
    assert (batch.verify(fc.SecretArray(keys), which, "mn_aaa").astype(bool) == (which % 7 == 0)).all()
