"""The batch API against the single one: every vector and random octets, row by row the same outcome."""
import json
from ipaddress import IPv4Address
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import fastcodec as fc
from fastcodec.status import Status

VECTORS = Path(__file__).parents[1] / "vectors"
MOBILE = json.loads((VECTORS / "mobileip.json").read_text())
RADIUS = json.loads((VECTORS / "radius.json").read_text())
CLASSES = {1: fc.RegistrationRequest, 3: fc.RegistrationReply}
WIDTH = 600


def rows_of(datagrams, width=WIDTH):
    rows = np.zeros((len(datagrams), width), dtype=np.uint8)
    for row, data in zip(rows, datagrams, strict=True):
        row[:len(data)] = np.frombuffer(data, dtype=np.uint8)
    return rows, np.array([len(d) for d in datagrams], dtype=np.uint32)


def single_status(call, *arguments, **options):
    try:
        call(*arguments, **options)
    except (fc.DecodeError, fc.AuthenticationError) as refusal:
        return Status(refusal.status)
    return Status.OK


def variants(data):
    """Whole, cut at every octet, with trailing octets, with every octet changed."""
    yield data
    yield from (data[:n] for n in range(len(data)))
    yield from (data + tail for tail in (b"\0", b"\xc8\0", b"\xc8\1", b"\x3c"))
    yield from (data[:k] + bytes((data[k] ^ 0x41,)) + data[k + 1:] for k in range(len(data)))


@pytest.mark.parametrize("vector", [v for v in MOBILE["vectors"] if v["message_hex"][:2] in ("01", "03")], ids=lambda v: v["id"])
def test_registration_rows_as_single_ones(vector):
    whole = bytes.fromhex(vector["message_hex"])
    datagrams = list(variants(whole))
    batch = fc.RegistrationBatch(*rows_of(datagrams), whole[0])
    batch.walk()
    assert batch.status.tolist() == [single_status(CLASSES[whole[0]].decode, d) for d in datagrams]
    for auth in vector.get("auth", []):
        if auth["type"] in (32, 36):
            key = bytes.fromhex(auth["key_hex"])
            check = fc.verify_mn_ha if auth["type"] == 32 else fc.verify_mn_aaa
            batch.walk()
            status = batch.verify(fc.SecretArray([b"other", key]), np.ones(len(datagrams), np.uint32),
                                  "mn_ha" if auth["type"] == 32 else "mn_aaa")
            for datagram, got in zip(datagrams, status, strict=True):
                if datagram[:1] == whole[:1]:
                    assert got == single_status(check, datagram, key), datagram.hex()
    assert all(batch.datagram(k) == d for k, d in enumerate(datagrams)), "checking changes no octet"


@pytest.mark.parametrize("vector", [v for v in RADIUS["vectors"] if len(v["message_hex"]) < 1000],
                         ids=lambda v: v["id"])
@pytest.mark.parametrize("require", [True, False])
def test_radius_rows_as_single_ones(vector, require):
    whole, secret = bytes.fromhex(vector["message_hex"]), bytes.fromhex(vector["secret_hex"])
    datagrams = list(variants(whole))
    batch = fc.RadiusBatch(*rows_of(datagrams))
    batch.walk()
    assert batch.status.tolist() == [single_status(fc.RadiusPacket.decode, d) for d in datagrams]
    status = batch.verify(fc.SecretArray([secret]), require=require)
    assert status.tolist() == [single_status(fc.verify_request, d, secret, require=require) for d in datagrams]
    authenticator = next((bytes.fromhex(v["fields"]["authenticator"]) for v in RADIUS["vectors"]
                          if v["id"] == vector.get("request")), bytes(16))
    batch.walk()
    answered = np.tile(np.frombuffer(authenticator, np.uint8), (len(batch), 1))
    status = batch.verify(fc.SecretArray([secret]), None, answered, require)
    assert status.tolist() == [single_status(fc.verify_response, d, secret, authenticator, require=require)
                               for d in datagrams]
    assert all(batch.datagram(k) == d for k, d in enumerate(datagrams)), "checking changes no octet"


@given(st.lists(st.binary(max_size=120), max_size=20), st.sampled_from([1, 3]))
def test_random_registration_rows(bodies, kind):
    datagrams = [bytes((kind,)) + b for b in bodies]
    batch = fc.RegistrationBatch(*rows_of(datagrams), kind)
    batch.walk()
    assert batch.status.tolist() == [single_status(CLASSES[kind].decode, d) for d in datagrams]
    for k in np.flatnonzero(batch.status == Status.OK):
        extensions = CLASSES[kind].decode(datagrams[k]).extensions
        assert batch.found[k] == len([e for e in extensions if not isinstance(e, fc.Padding)])


@given(st.lists(st.binary(max_size=120), max_size=20))
def test_random_radius_rows(bodies):
    datagrams = [bytes((1, 1)) + (20 + len(b)).to_bytes(2, "big") + bytes(16) + b for b in bodies]
    batch = fc.RadiusBatch(*rows_of(datagrams))
    batch.walk()
    assert batch.status.tolist() == [single_status(fc.RadiusPacket.decode, d) for d in datagrams]
    for k in np.flatnonzero(batch.status == Status.OK):
        names = [name for name, _ in fc.RadiusPacket.decode(datagrams[k]).attributes]
        assert batch.counts[k, fc.Slot.SESSION_TIMEOUT] >= names.count("Session-Timeout")


REQUEST = fc.RegistrationRequest(0x22, 1800, IPv4Address(0), IPv4Address("203.0.113.10"), IPv4Address(7), 0, [
    fc.Nai("mn0001@home.example"), fc.NonceRequest(0x1001), fc.GeneralizedAuthentication(0x200)])


@pytest.mark.parametrize("spi", [2, 0x200])
def test_template_columns_and_signing(spi):
    """Every row with its own key; what the batch writes is what the single API writes."""
    REQUEST.extensions[-1] = fc.GeneralizedAuthentication(spi)
    keys = [bytes((k + 1,)) * 16 for k in range(50)]
    batch = fc.RegistrationBatch.from_template(REQUEST, 50)
    batch.fixed["identification"] = np.arange(50, dtype=np.uint64) + np.uint64(2**63)
    batch.fixed["care_of_address"] = np.arange(50) + 0xc6336400
    batch.value("nai")[:, 2:6] = np.frombuffer(b"".join(b"%04d" % k for k in range(50)), np.uint8).reshape(50, 4)
    assert (batch.sign(fc.SecretArray(keys), np.arange(50), "mn_aaa") == Status.OK).all()
    for k in range(50):
        single = fc.RegistrationRequest(0x22, 1800, IPv4Address(0), IPv4Address("203.0.113.10"),
                                        IPv4Address(0xc6336400 + k), 2**63 + k,
                                        [fc.Nai(f"mn{k:04}@home.example"), fc.NonceRequest(0x1001),
                                         fc.GeneralizedAuthentication(spi)])
        assert batch.datagram(k) == single.encode(keys[k])
    batch.walk()
    assert (batch.verify(fc.SecretArray(keys), np.arange(50), "mn_aaa") == Status.OK).all()
    wrong = np.arange(50)
    wrong[7], wrong[8] = 9, 50
    batch.walk()
    status = batch.verify(fc.SecretArray(keys), wrong, "mn_aaa")
    assert (status[7], status[8]) == (Status.BAD_AUTHENTICATOR, Status.NO_AUTHENTICATOR)
    assert (np.delete(status, [7, 8]) == Status.OK).all()


def test_registration_columns():
    data = bytes.fromhex(next(v for v in MOBILE["vectors"] if v["id"] == "m4-08")["message_hex"])
    batch = fc.RegistrationBatch(*rows_of([data, data[:19], data]), 3)
    batch.walk()
    assert batch.fixed["home_address"].tolist() == [0xc0000219] * 3
    assert batch.offset("nai").tolist() == [22, 0, 22]
    assert batch.size("nai").tolist() == [19, 0, 19]
    assert batch.found.tolist() == [6, 0, 6]
    assert batch.offset("challenge").tolist() == [0, 0, 0]
    with pytest.raises(fc.EncodeError):
        batch.value("nai")
    assert np.shares_memory(batch.fixed, batch.octets)


def test_radius_template_columns_and_signing():
    secrets = [b"first secret", b"the second secret, longer than one block of sixty-four octets, that is"]
    answer = fc.RadiusPacket(2, 0, attributes=[("Framed-IP-Address", IPv4Address(0)), ("Session-Timeout", 60)])
    authenticators = np.random.default_rng(1).integers(0, 256, (40, 16)).astype(np.uint8)
    batch = fc.RadiusBatch.from_template(answer, 40)
    batch.header["identifier"] = np.arange(40)
    batch.value(fc.Slot.FRAMED_IP_ADDRESS).view(">u4")[:, 0] = np.arange(40)
    assert (batch.sign(fc.SecretArray(secrets), np.arange(40) % 2, authenticators) == Status.OK).all()
    for k in range(40):
        packet = fc.RadiusPacket(2, k, attributes=[("Framed-IP-Address", IPv4Address(k)), ("Session-Timeout", 60)])
        assert batch.datagram(k) == packet.encode(secrets[k % 2], authenticators[k].tobytes())
    batch.walk()
    assert (batch.verify(fc.SecretArray(secrets), np.arange(40) % 2, authenticators) == Status.OK).all()
    batch.walk()
    status = batch.verify(fc.SecretArray(secrets), np.arange(40) % 3, authenticators)
    assert (status[2::3] == Status.NO_AUTHENTICATOR).all()


def test_requests_are_signed_too():
    batch = fc.RadiusBatch.from_template(fc.RadiusPacket(1, 3, bytes(range(16)), [("User-Name", "x")]), 5)
    batch.header["authenticator"] = np.arange(80).reshape(5, 16)
    assert (batch.sign(fc.SecretArray([b"s"])) == Status.OK).all()
    for k in range(5):
        fc.verify_request(batch.datagram(k), b"s")


def test_what_the_caller_gets_wrong():
    rows, lengths = rows_of([b"\1" * 24] * 3)
    with pytest.raises(fc.EncodeError):
        fc.RegistrationBatch(rows, lengths + WIDTH, 1)
    with pytest.raises(fc.EncodeError):
        fc.RegistrationBatch(rows, lengths[:2], 1)
    with pytest.raises(fc.EncodeError):
        fc.RegistrationBatch(rows, lengths, 2)
    batch = fc.RegistrationBatch(rows, lengths, 1)
    with pytest.raises(fc.EncodeError):
        batch.verify(fc.SecretArray([b"k"]), np.zeros(2))
    with pytest.raises(fc.EncodeError):
        batch.verify(fc.SecretArray([b"k"]), None, "other")
    with pytest.raises(fc.EncodeError):
        fc.SecretArray([b"k", b""])
    empty = fc.RadiusBatch(np.zeros((0, 30), np.uint8), np.zeros(0))
    empty.walk()
    assert len(empty.verify(fc.SecretArray([]))) == 0


def test_rows_narrower_than_the_fixed_part():
    batch = fc.RegistrationBatch(np.ones((2, 10), np.uint8), [10, 0], 1)
    batch.walk()
    assert batch.status.tolist() == [Status.TOO_SHORT] * 2
    with pytest.raises(fc.EncodeError):
        _ = batch.fixed
