"""Columns of Mobility Headers against the single API: every vector and its mutations, row by row the same outcome."""
import json
from ipaddress import IPv6Address
from pathlib import Path

import numpy as np
import pytest

import fastcodec as fc
from fastcodec.status import Status

FILE = json.loads((Path(__file__).parents[1] / "vectors" / "mobileip6.json").read_text())
GOOD = [v for v in FILE["vectors"] if v["kind"] == "mip6"]
SIGNED = [(v, a) for v in GOOD for a in v["auth"]]
HOME, AGENT, CARE_OF = (IPv6Address(a) for a in ("2001:db8:100::25", "2001:db8:100::1", "2001:db8:f:1::25"))
COLUMN = {1: "mn_ha", 2: "mn_aaa"}


def rows_of(datagrams, width=400):
    rows = np.zeros((len(datagrams), width), dtype=np.uint8)
    for row, data in zip(rows, datagrams, strict=True):
        row[:len(data)] = np.frombuffer(data, dtype=np.uint8)
    return rows, np.array([len(d) for d in datagrams], dtype=np.uint32)


def octets(vector):
    return bytes.fromhex(vector["mh_hex"])


def single_status(data, kind, **options):
    try:
        fc.MobilityMessage.decode(data, **options)
    except (fc.DecodeError, fc.AuthenticationError) as refusal:
        return Status(refusal.status)
    return Status.OK if data[2] == kind else Status.WRONG_TYPE


def variants(data):
    """Whole, cut at every octet, with trailing octets, with every octet changed."""
    yield data
    yield from (data[:n] for n in range(len(data)))
    yield data + b"behind"
    yield from (data[:k] + bytes((data[k] ^ 0x41,)) + data[k + 1:] for k in range(len(data)) if k != 2)


def ends(data):
    return (HOME, AGENT) if data[2] == 5 else (AGENT, HOME)


@pytest.mark.parametrize("vector", GOOD, ids=lambda v: v["id"])
def test_rows_as_single_ones(vector):
    whole = octets(vector)
    datagrams = list(variants(whole))
    batch = fc.MobilityBatch(*rows_of(datagrams), whole[2])
    batch.walk()
    assert batch.status.tolist() == [single_status(d, whole[2]) for d in datagrams]
    at = fc.look(bytes.fromhex(vector["ipv6_hex"]))
    batch.verify_checksums(at.source, at.destination)
    assert batch.status.tolist() == [single_status(d, whole[2], source=at.source, destination=at.destination) for d in datagrams]


@pytest.mark.parametrize(("vector", "auth"), SIGNED, ids=lambda x: x.get("id", str(x.get("subtype"))))
def test_authenticators_as_single_ones(vector, auth):
    whole, key, column = octets(vector), bytes.fromhex(auth["key_hex"]), COLUMN[auth["subtype"]]
    datagrams = [whole] * 5 + list(variants(whole))
    secrets, which = fc.SecretArray([b"other", key]), np.ones(len(datagrams), np.uint32)
    which[1], which[2] = 0, 9
    batch = fc.MobilityBatch(*rows_of(datagrams), whole[2])
    batch.walk()
    status = batch.verify(secrets, HOME, CARE_OF, which, column)
    assert status[:3].tolist() == [Status.OK, Status.BAD_AUTHENTICATOR, Status.NO_AUTHENTICATOR]
    source, destination = ends(whole)
    keys = {auth["spi"]: key}
    for datagram, got in zip(datagrams[3:], status[3:], strict=True):
        malformed = single_status(datagram, whole[2])
        if malformed != Status.OK:
            assert got == malformed
            continue
        message = fc.MobilityMessage.decode(datagram)
        option = next((o for o in message.find_all(fc.AuthenticationOption) if o.subtype == auth["subtype"]), None)
        if option is None:
            assert got == Status.NO_AUTHENTICATOR
        elif option.spi == auth["spi"]:
            fixed = message.encode(source=source, destination=destination)      # a changed checksum is not covered
            alone = single_status(fixed, whole[2], keys=keys, source=source, destination=destination, care_of_address=CARE_OF)
            assert got == alone, datagram.hex()
        else:
            assert got == Status.BAD_AUTHENTICATOR, "its key is told by the row, not by the SPI"


@pytest.mark.parametrize(("vector", "auth"), SIGNED, ids=lambda x: x.get("id", str(x.get("subtype"))))
def test_signing_makes_the_known_answer(vector, auth):
    whole, column = octets(vector), COLUMN[auth["subtype"]]
    batch = fc.MobilityBatch(*rows_of([whole] * 40), whole[2])
    batch.walk()
    at = batch.offset(column)[0] + 5
    batch.octets[:, at:at + len(auth["authenticator_hex"]) // 2] = 0
    batch.octets[:, 4:6] = 0x55
    homes = np.tile(np.frombuffer(HOME.packed, dtype=np.uint8), (40, 1))
    batch.sign(fc.SecretArray([bytes.fromhex(auth["key_hex"])]), homes, CARE_OF, authenticator=column)
    batch.fill_checksums(*ends(whole))
    assert {batch.datagram(k) for k in range(40)} == {whole}


def test_template():
    """Ten thousand Binding Updates, each node's own, and each is what the single API makes of it."""
    n, key = 10_000, bytes(16)
    template = fc.BindingUpdate(flags=0xc000, lifetime=450, options=[
        fc.MobileNodeIdentifierOption(1, "mn0000@home.example"), fc.ReplayProtectionOption(0), fc.AuthenticationOption(1, 0x400),
        fc.AuthenticationOption(2, 3)])
    batch = fc.MobilityBatch.from_template(template, n)
    batch.fixed["sequence"] = np.arange(n)
    batch.value("mobile_node_identifier")[:, 3:7] = np.array([list(b"%04d" % k) for k in range(n)], dtype=np.uint8)
    homes = np.zeros((n, 16), dtype=np.uint8)
    homes[:, 14:] = np.arange(n, dtype=">u2").view(np.uint8).reshape(n, 2)
    secrets = fc.SecretArray([key, b"aaa"])
    batch.sign(secrets, homes, CARE_OF)
    batch.sign(secrets, homes, CARE_OF, np.ones(n, np.uint32), "mn_aaa")
    batch.fill_checksums(homes, AGENT)
    for k in (0, 1, 2, 777, n - 1):
        options = [template.options[0].replace(identifier=f"mn{k:04}@home.example"), *template.options[1:]]
        alone = template.replace(sequence=k, options=options).encode(
            {0x400: key, 3: b"aaa"}, source=IPv6Address(k), destination=AGENT, care_of_address=CARE_OF)
        assert batch.datagram(k) == alone
    batch.walk()
    assert not batch.verify(secrets, homes, CARE_OF).any()
    assert not batch.verify(secrets, homes, CARE_OF, np.ones(n, np.uint32), "mn_aaa").any()
    assert not batch.verify_checksums(homes, AGENT).any()
    batch.octets[5, 40] ^= 1
    assert np.flatnonzero(batch.verify(secrets, homes, CARE_OF)).tolist() == [5]


def test_care_of_address_is_needed_unless_told():
    told, silent = (next(octets(v) for v in GOOD if v["id"] == name) for name in ("m6-03", "m6-05"))
    batch = fc.MobilityBatch(*rows_of([told, silent]), 5)
    batch.walk()
    assert batch.verify(fc.SecretArray([bytes.fromhex(FILE["keys"]["mip6_mn_ha"])]), HOME).tolist() == [0, Status.NO_AUTHENTICATOR]


def test_keys_by_spi_and_index():
    names = ["m6-03", "m6-06", "m6-01", "m6-05"]
    rows = [next(octets(v) for v in GOOD if v["id"] == name) for name in names]
    batch = fc.MobilityBatch(*rows_of(rows), 5)
    batch.walk()
    assert batch.spi("mn_ha").tolist() == [0x400, 0x400, 0, 0]
    assert batch.spi("mn_aaa").tolist() == [0, 3, 0, 3]
    keys = {0x400: bytes.fromhex(FILE["keys"]["mip6_mn_ha"]), 3: bytes.fromhex(FILE["keys"]["mip6_mn_aaa"])}
    index = batch.index()
    for k, data in enumerate(rows):
        mine = index.entries[index.starts[k]:index.starts[k + 1]]
        message = fc.BindingUpdate.decode(data)
        assert mine["type"].tolist() == [o.plan.type for o in message.options]
        assert [data[e["head"]] for e in mine] == mine["type"].tolist()
    none = Status.NO_AUTHENTICATOR
    assert batch.verify(fc.KeyTable(keys), HOME, CARE_OF).tolist() == [0, 0, none, none]
    batch.walk()
    assert batch.verify(fc.KeyTable({0x401: b"other"}), HOME, CARE_OF).tolist() == [none] * 4
    batch.walk()
    assert batch.verify(fc.KeyTable(keys), HOME, CARE_OF, authenticator="mn_aaa").tolist() == [none, 0, none, 0]


def test_rows_that_nobody_walked():
    batch = fc.MobilityBatch(np.zeros((3, 4), np.uint8), [0, 1, 4], 5)
    assert batch.fill_checksums(HOME, AGENT).tolist() == [Status.TOO_SHORT] * 3
    assert not batch.octets.any()
    batch = fc.MobilityBatch(*rows_of([octets(GOOD[2])]), 5)
    assert batch.verify(fc.SecretArray([b"key"]), HOME, CARE_OF).tolist() == [Status.NO_AUTHENTICATOR]
    batch.walk()
    batch.octets[:, 1] = 255
    assert batch.verify_checksums(HOME, AGENT).tolist() == [Status.BAD_CHECKSUM], "no octet behind the row is looked at"
    batch.walk()
    assert len(batch.index().entries) == 0


def test_what_does_not_fit_is_named():
    batch = fc.MobilityBatch(*rows_of([octets(GOOD[0])] * 3), 5)
    batch.walk()
    secrets = fc.SecretArray([b"key"])
    for call, field in ((lambda: batch.verify_checksums(np.zeros((2, 16), np.uint8), AGENT), "sources"),
                        (lambda: batch.fill_checksums(HOME, np.zeros(4, np.uint8)), "destinations"),
                        (lambda: batch.verify(secrets, "nowhere"), "home_addresses"),
                        (lambda: batch.sign(secrets, HOME, HOME, authenticator="x"), "authenticator"),
                        (lambda: fc.MobilityBatch(batch.octets, batch.lengths, 8), "type"),
                        (lambda: batch.value("mn_ha"), "mn_ha"),
                        (lambda: fc.MobilityBatch(np.zeros((1, 8), np.uint8), [8], 5).fixed, "octets")):
        with pytest.raises(fc.EncodeError) as refusal:
            call()
        assert refusal.value.field == field
