"""RADIUS rows of all codes mixed, the index of their attributes, columns by name: as the single packets say."""
import json
from ipaddress import IPv4Address, IPv6Address
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from radius_items import items
from radius_kinds import dictionary_text

import fastcodec as fc
from fastcodec.status import Status

FILE = json.loads((Path(__file__).parents[1] / "vectors" / "radius.json").read_text())
BY_ID = {v["id"]: v for v in FILE["vectors"]}
REQUESTS = (1, 4, 12, 40, 43)


def rows_of(datagrams):
    out = np.zeros((len(datagrams), max(map(len, datagrams), default=1)), np.uint8)
    for k, data in enumerate(datagrams):
        out[k, :len(data)] = np.frombuffer(data, np.uint8)
    return out, np.array([len(data) for data in datagrams], np.uint32)


def status_of(check, *args, **keywords):
    try:
        check(*args, **keywords)
    except (fc.DecodeError, fc.AuthenticationError) as error:
        return error.status
    return Status.OK


@pytest.mark.parametrize("require", [True, False])
def test_all_vectors_mixed(require):
    """Requests and answers of every code in one batch, each row with its own secret."""
    vectors = [v for v in FILE["vectors"] if len(v["message_hex"]) >= 40]
    datagrams = [bytes.fromhex(v["message_hex"]) for v in vectors]
    secrets = sorted({v["secret_hex"] for v in vectors})
    which = [secrets.index(v["secret_hex"]) for v in vectors]
    asked = [bytes.fromhex(BY_ID[v["request"]]["message_hex"]) if "request" in v and d[0] not in REQUESTS else b""
             for v, d in zip(vectors, datagrams, strict=True)]
    batch = fc.RadiusBatch(*rows_of(datagrams))
    batch.walk()
    got = batch.verify(fc.SecretArray([bytes.fromhex(s) for s in secrets]), which,
                       [list(a[4:20] or bytes(16)) for a in asked], require, [a[0] if a else 0 for a in asked])
    for vector, data, request, status in zip(vectors, datagrams, asked, got, strict=True):
        secret = bytes.fromhex(vector["secret_hex"])
        if request and data[1] != request[1]:
            continue         # the Identifier is the caller's to compare
        ought = (status_of(fc.verify_response, data, secret, request, require=require) if request else
                 status_of(fc.verify_request, data, secret, require=require))
        assert status == ought, vector["id"]
    assert {Status.OK, Status.BAD_AUTHENTICATOR, Status.NO_AUTHENTICATOR, Status.WRONG_TYPE} <= set(got.tolist())
    assert all(batch.datagram(k) == d for k, d in enumerate(datagrams)), "checking changes no octet"


def test_mixed_rows_are_signed_as_single_ones():
    secrets = [b"first", b"the second secret"]
    codes = [1, 2, 3, 4, 5, 11, 12, 40, 41, 42, 43, 44, 45, 52] * 4
    answered = np.random.default_rng(2).integers(0, 256, (len(codes), 16)).astype(np.uint8)
    packets, datagrams = [], []
    for k, code in enumerate(codes):
        extra = [] if code in (4, 5) else [("Message-Authenticator", bytes(16))]
        packets.append(fc.RadiusPacket(code, k, bytes(range(16)), [*extra, ("User-Name", f"mn{k}")]))
        datagrams.append(packets[k].encode())
    batch = fc.RadiusBatch(*rows_of(datagrams))
    batch.walk()
    which = np.arange(len(codes)) % 2
    assert batch.sign(fc.SecretArray(secrets), which, answered).tolist() == [Status.OK] * len(codes)
    for k, code in enumerate(codes):
        assert batch.datagram(k) == packets[k].encode(secrets[k % 2], None if code in REQUESTS else answered[k].tobytes())
    batch.walk()
    asked = [{2: 1, 3: 1, 11: 1, 5: 4, 41: 40, 42: 40, 44: 43, 45: 43, 52: 4}.get(code, 0) for code in codes]
    assert (batch.verify(fc.SecretArray(secrets), which, answered, asked=asked) == Status.OK).all()
    batch.walk()
    status = batch.verify(fc.SecretArray(secrets), which, answered, asked=np.roll(asked, 1))
    assert all(s == Status.WRONG_TYPE for s, code, a in zip(status, codes, np.roll(asked, 1), strict=True) if code == 2 and a != 1)


def test_rows_that_cannot_be_signed():
    datagrams = [fc.RadiusPacket(code, 1, bytes(16), attributes).encode() for code, attributes in [
        (1, []), (2, [("Message-Authenticator", bytes(16))]), (99, [("Message-Authenticator", bytes(16))]),
        (1, [("Message-Authenticator", bytes(15))]), (43, []), (4, [])]]
    batch = fc.RadiusBatch(*rows_of(datagrams))
    batch.walk()
    assert batch.sign(fc.SecretArray([b"s"])).tolist() == [Status.NO_AUTHENTICATOR, Status.WRONG_TYPE, Status.WRONG_TYPE,
                                                         Status.BAD_AUTHENTICATOR, Status.NO_AUTHENTICATOR, Status.OK]
    for wrong in ({"asked": [1] * 6}, {"requests": np.zeros((6, 15))}, {"requests": np.zeros((6, 16)), "asked": [1]}):
        with pytest.raises(fc.EncodeError):
            batch.verify(fc.SecretArray([b"s"]), **wrong)


def test_columns_by_name_in_and_out():
    packets = [fc.RadiusPacket(1, k, bytes(16), [("Class", b"c" * k)] * (k > 0) + [
        ("Session-Timeout", 60 + k), ("Session-Timeout", 1), ("Framed-IPv6-Address", IPv6Address(k + 1)), ("Mipstorm-AAA-SPI", 2**31 + k),
        ("MIP6-Feature-Vector", 2**63 + k), ("PKM-SAID", k), ("Original-Packet-Code", k)]) for k in range(20)]
    packets.append(fc.RadiusPacket(1, 20, bytes(16), [("Attr-27", b"abc")]))
    batch = fc.RadiusBatch(*rows_of([p.encode() for p in packets]))
    batch.walk()
    for name, ought in (("Session-Timeout", lambda k: 60 + k), ("Mipstorm-AAA-SPI", lambda k: 2**31 + k), ("PKM-SAID", lambda k: k),
                        ("MIP6-Feature-Vector", lambda k: 2**63 + k), ("Original-Packet-Code", lambda k: k)):
        values, present = batch.column(name)
        assert present.tolist() == [True] * 20 + [False]
        assert values.tolist() == [ought(k) for k in range(20)] + [0]
    values, present = batch.column("Framed-IPv6-Address")
    assert values.shape == (21, 16)
    assert values[7].tobytes() == IPv6Address(8).packed
    batch.put("Session-Timeout", np.arange(21) + 7)
    batch.put("Framed-IPv6-Address", np.full((21, 16), 9, np.uint8))
    for k in range(20):
        got = fc.RadiusPacket.decode(batch.datagram(k)).attributes
        assert got.all("Session-Timeout") == [k + 7, 1]
        assert got["Framed-IPv6-Address"] == IPv6Address(b"\t" * 16)
    assert batch.datagram(20) == packets[20].encode()
    for name, values in (("Session-Timeout", [1]), ("Framed-IPv6-Address", np.zeros((21, 4), np.uint8)), ("Class", np.zeros(21)),
                         ("No-Such", np.zeros(21)), ("IPv6-6rd-IPv4MaskLen", np.zeros(21))):
        with pytest.raises(fc.EncodeError):
            batch.put(name, values)
    batch.header["code"] = 12
    assert {fc.RadiusPacket.decode(batch.datagram(k)).code for k in range(21)} == {12}


def test_index_of_vectors():
    """Entries lie one behind the other, and name what the single packet names."""
    vectors = [v for v in FILE["vectors"] if v["kind"] == "radius"]
    batch = fc.RadiusBatch(*rows_of([bytes.fromhex(v["message_hex"]) for v in vectors]))
    batch.walk()
    table = batch.index()
    assert table["row"].tolist() == sorted(table["row"].tolist())
    for row, vector in enumerate(vectors):
        entries = table[table["row"] == row]
        top = [a["type"] for a in vector["attributes"]]
        assert [int(e["type"]) for e in entries if e["vendor"] != 32473 or vector["id"] != "rc-41"] == [
            t for t in top if t != 26 or vector["id"] != "rc-41"]
        assert int(entries["more"].sum()) == sum(bool(a.get("more")) for a in vector["attributes"])
        ours = [a["hex"] for a in vector["attributes"] if a["hex"].startswith("1a") and a["hex"][4:12] == "00007ed9"]
        if vector["id"] == "rc-20":      # an extended vendor space in three fragments, the first of which names it
            assert entries[entries["vendor"] == 32473][["type", "vtype", "more"]].tolist() == [(245, 21, 1), (245, 21, 1), (245, 21, 0)]
        elif vector["id"] != "rc-41":
            found = entries[(entries["vendor"] == 32473) & (entries["type"] == 26)]
            assert [f"{int(e['vtype']):02x}" for e in found] == [h[12:14] for h in ours]


@pytest.fixture(scope="module")
def kinds(tmp_path_factory):
    path = Path(tmp_path_factory.mktemp("dictionary")) / "dictionary.kinds"
    path.write_text(dictionary_text())
    fc.configure(fc.load(path))
    yield
    fc.configure()


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], deadline=None, max_examples=50)
@given(pairs=st.lists(st.lists(items(), max_size=4), min_size=1, max_size=5))
def test_index_finds_what_single_packets_hold(kinds, pairs):
    """Every value that is whole in one attribute is where the index says."""
    datagrams = [fc.RadiusPacket(1, 1, bytes(16), p).encode(longest=65535) for p in pairs]
    datagrams = [d for d in datagrams if len(d) <= 4096]
    if not datagrams:
        return
    batch = fc.RadiusBatch(*rows_of(datagrams))
    batch.walk()
    assert batch.status.tolist() == [status_of(fc.RadiusPacket.decode, d) for d in datagrams]
    table = batch.index()
    for row in np.flatnonzero(batch.status == Status.OK):
        packet = fc.RadiusPacket.decode(datagrams[row])
        entries = table[table["row"] == row]
        assert len(entries) - int(entries["more"].sum()) == len(packet.attributes) or any(n == "Joined" for n, _ in packet.attributes)
        whole = iter(entries[np.concatenate([[True], entries["more"][:-1] == 0])] if len(entries) else [])
        for (name, value), entry in zip(packet.attributes, whole, strict=False):
            if isinstance(value, IPv4Address) and not entry["more"] and not name.startswith("List"):
                at = int(entry["offset"])
                assert datagrams[row][at:at + int(entry["size"])] == value.packed


def test_index_of_nothing_and_of_what_does_not_add_up():
    assert len(fc.RadiusBatch(np.zeros((0, 30), np.uint8), np.zeros(0)).index()) == 0
    ours = (32473).to_bytes(4, "big")
    bodies = [b"", b"\x1a\x02", b"\x1a\x05abc", b"\x1a\x06" + ours, b"\x1a\x0a" + ours + b"\1\3xy",
              b"\x1a\x0a" + (99).to_bytes(4, "big") + b"\1\4xy", b"\xf1\x02",
              b"\xf1\x03\x01", b"\xf1\x08\x1a\0\0\0\1\1", b"\xf5\x04\1\x80"]
    datagrams = [bytes((1, 1)) + (20 + len(b)).to_bytes(2, "big") + bytes(16) + b for b in bodies] + [b"short"]
    batch = fc.RadiusBatch(*rows_of(datagrams))
    batch.walk()
    assert batch.index().tolist() == [
        (1, 26, 0, 0, 22, 0, 0), (2, 26, 0, 0, 22, 3, 0), (3, 26, 32473, 0, 26, 0, 0), (4, 26, 32473, 0, 26, 4, 0),
        (5, 26, 99, 0, 26, 4, 0), (6, 241, 0, 0, 22, 0, 0), (7, 241, 0, 0, 22, 1, 0), (8, 241, 1, 1, 28, 0, 0),
        (9, 245, 0, 0, 22, 2, 0)]


def test_rows_that_nobody_walked_are_not_read_beyond_their_end():
    rows = np.full((4, 24), 255, np.uint8)
    rows[0] = np.frombuffer(bytes((1, 1, 0, 24)) + bytes(16) + bytes((25, 0, 0, 0)), np.uint8)      # an attribute of length 0
    rows[1, :4] = (4, 1, 0x10, 0)                                                                  # a Length of 4096
    batch = fc.RadiusBatch(rows, [24, 24, 10, 0])
    assert batch.status.tolist() == [Status.OK] * 4, "not walked"
    assert len(batch.index()) == 0
    assert batch.verify(fc.SecretArray([b"s"])).tolist() == [Status.NO_AUTHENTICATOR] + [Status.BAD_LENGTH] * 3
    batch.status[:] = 0
    assert batch.sign(fc.SecretArray([b"s"])).tolist() == [Status.NO_AUTHENTICATOR] + [Status.BAD_LENGTH] * 3


def test_put_takes_octets_that_cannot_be_written():
    batch = fc.RadiusBatch.from_template(fc.RadiusPacket(2, 1, bytes(16), [
        ("Message-Authenticator", bytes(16)), ("Framed-IP-Address", "192.0.2.1")]), 3)
    batch.put("Framed-IP-Address", np.frombuffer(bytes(range(12)), np.uint8).reshape(3, 4))
    values, present = batch.column("Framed-IP-Address")
    assert present.all()
    assert values.tolist() == [0x00010203, 0x04050607, 0x08090a0b]


def test_more_rows_than_are_signed_together():
    """Every row has its own identifier and secret; where one octet is changed, that row alone is refused."""
    count = 1300
    secrets, which = fc.SecretArray([bytes([1 + k % 250]) * 20 for k in range(count)]), np.arange(count, dtype=np.uint32)
    batch = fc.RadiusBatch.from_template(fc.RadiusPacket(1, 0, bytes(16), [
        ("Message-Authenticator", bytes(16)), ("User-Name", "mn")]), count)
    batch.header["identifier"] = which % 256
    assert not batch.sign(secrets, which).any()
    for row in (0, 511, 512, 1023, 1024, count - 1):
        fc.verify_request(batch.datagram(row), bytes([1 + row % 250]) * 20)
    batch.octets[::7, -1] ^= 1
    batch.walk()
    assert (batch.verify(secrets, which).astype(bool) == (which % 7 == 0)).all()
