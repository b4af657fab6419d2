"""Single RADIUS packets: known answers, whole, cut, padded, flipped; values by the dictionary; round trips."""
import json
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import fastcodec as fc
from fastcodec.status import Status

FILE = json.loads((Path(__file__).parents[1] / "vectors" / "radius.json").read_text())
BY_ID = {v["id"]: v for v in FILE["vectors"]}
GOOD = [v for v in FILE["vectors"] if v["kind"] == "radius"]
MALFORMED = {**dict.fromkeys(("rn-01", "rn-02"), Status.TOO_SHORT),
             **dict.fromkeys(("rn-03", "rn-04", "rn-05"), Status.BAD_LENGTH),
             **dict.fromkeys(("rn-06", "rn-07", "rn-08", "rn-09", "rn-11"), Status.EXTENSION_OVERRUN)}
NOT_AUTHENTIC = {"rn-12", "rn-20", "rn-21", "rn-22", "rn-23", "rn-24", "rn-25", "rn-26", "rn-40", "rn-80", "rn-81",
                 "rn-82", "rn-83", "rn-84", "rn-86", "rn-100", "rn-101", "rn-103", "rn-104", "rn-105"}
REQUIRED_ONLY = {"rn-27", "rn-28", "rn-85"}      # refused by default, admitted with require=False
DROPPED = {"rn-10", "rn-33", "rn-34", "rn-36", "rn-50", "rn-51", "rn-52", "rn-53", "rn-54", "rn-55", "rn-56", "rn-60", "rn-61",
           "rn-62", "rn-63", "rn-64", "rn-66", "rn-70", "rn-71", "rn-72", "rn-73", "rn-92", "rn-93", "rn-94"}
NOT_CANONICAL = {"rc-23", "rc-41"}      # fragments apart; two sub-attributes in one Vendor-Specific
REQUESTS = (1, 4, 12, 40, 43)


def octets(vector):
    return bytes.fromhex(vector["message_hex"])


def authentic(vector, data, require=False):
    """The packet, checked as what it is: a request, or the answer to the request its vector names."""
    request = octets(BY_ID[vector["request"]]) if data[0] not in REQUESTS else None
    return fc.RadiusPacket.decode(data, bytes.fromhex(vector["secret_hex"]), request, require=require)


def checkable(vector):
    return octets(vector)[0] in REQUESTS or "request" in vector


def has_authenticator(vector):
    """Only then does every octet count: an Access-Request without one is signed by nothing."""
    return octets(vector)[0] not in (1, 12) or any(a["type"] == 80 for a in vector["attributes"])


@pytest.mark.parametrize("vector", GOOD, ids=lambda v: v["id"])
def test_known_answer(vector):
    data, fields = octets(vector), vector["fields"]
    packet = fc.RadiusPacket.decode(data)
    assert (packet.code, packet.identifier, packet.authenticator.hex()) == (
        fields["code"], fields["identifier"], fields["authenticator"])
    assert packet.encode() == data[:fields["length"]]
    again = fc.RadiusPacket(packet.code, packet.identifier, packet.authenticator, list(packet.attributes))
    assert packet.attributes.canonical is (vector["id"] not in NOT_CANONICAL)
    if packet.attributes.canonical:
        assert again.encode() == data[:fields["length"]]
    assert fc.RadiusPacket.decode(again.encode()).attributes == list(packet.attributes)
    if checkable(vector):
        known = authentic(vector, data)
        assert known == packet
        revealed = fc.RadiusPacket(known.code, known.identifier, known.authenticator, list(known.attributes))
        request = None if data[0] in REQUESTS else octets(BY_ID[vector["request"]])
        if known.attributes.canonical and ("Message-Authenticator" in known.attributes or data[0] in (4, 5)):
            assert revealed.encode(bytes.fromhex(vector["secret_hex"]), request) == data[:fields["length"]]


@pytest.mark.parametrize("vector", [v for v in GOOD if checkable(v) and any("encryption" in a for a in v["attributes"])],
                         ids=lambda v: v["id"])
def test_hidden_values_are_revealed(vector):
    got, hidden = authentic(vector, octets(vector)).attributes, fc.RadiusPacket.decode(octets(vector)).attributes
    for attribute in vector["attributes"]:
        if "encryption" in attribute:
            plain = bytes.fromhex(attribute["plain_hex"]) if "plain_hex" in attribute else attribute["plain"].encode()
            k = next(k for k, (_, value) in enumerate(hidden)
                     if isinstance(value, fc.Hidden) and bytes.fromhex(attribute["hex"]).endswith(value))
            value = got[k][1]
            assert (value.encode() if isinstance(value, str) else value) == plain
            assert "Revealed" in repr(value), "never printed"


@pytest.mark.parametrize("vector", GOOD, ids=lambda v: v["id"])
def test_known_values(vector):
    packet = fc.RadiusPacket.decode(octets(vector))
    for attribute in vector["attributes"]:
        if "value" in attribute and attribute["name"] in packet.attributes and vector["id"] != "rc-40":
            values = packet.attributes.all(attribute["name"])
            if isinstance(values[0], bytes):
                assert any(v and bytes.fromhex(attribute["hex"]).endswith(v) for v in values)
            else:
                assert attribute["value"] in [v if isinstance(v, int) else str(v) for v in values]


@pytest.mark.parametrize("vector", [v for v in FILE["vectors"] if v["kind"] == "negative"], ids=lambda v: v["id"])
def test_negative(vector):
    name, data = vector["id"], octets(vector)
    if name in MALFORMED:
        with pytest.raises(fc.DecodeError) as refusal:
            fc.RadiusPacket.decode(data)
        assert refusal.value.status == MALFORMED[name]
    elif name in NOT_AUTHENTIC:
        with pytest.raises(fc.AuthenticationError):
            authentic(vector, data)
    else:
        packet = fc.RadiusPacket.decode(data)
        if checkable(vector):
            assert authentic(vector, data) == packet
            packet = authentic(vector, data)      # with hidden values revealed, where that can be
        if name in REQUIRED_ONLY:
            with pytest.raises(fc.AuthenticationError):
                authentic(vector, data, require=True)
        if name in DROPPED:
            assert any(n.startswith("Attr-") for n, _ in packet.attributes), "no value of its type: by its number"


@pytest.mark.parametrize("vector", [v for v in GOOD if len(octets(v)) < 700], ids=lambda v: v["id"])
def test_cut_anywhere(vector):
    data = octets(vector)[:vector["fields"]["length"]]
    for n in range(len(data)):
        with pytest.raises(fc.DecodeError):
            fc.RadiusPacket.decode(data[:n])


@pytest.mark.parametrize("vector", GOOD, ids=lambda v: v["id"])
def test_cut_between_attributes_or_not(vector):
    """The same cuts with a Length that claims them: good exactly at an attribute's edge."""
    data = octets(vector)[:vector["fields"]["length"]]
    edges, at = {20}, 20
    while at < len(data):
        at += data[at + 1]
        edges.add(at)
    for n in range(20, min(len(data), 700)):
        cut = data[:2] + n.to_bytes(2, "big") + data[4:n]
        if n in edges:
            assert fc.RadiusPacket.decode(cut).encode() == cut
        else:
            with pytest.raises(fc.DecodeError) as refusal:
                fc.RadiusPacket.decode(cut)
            assert refusal.value.offset in edges


@pytest.mark.parametrize("vector", [v for v in GOOD if checkable(v)], ids=lambda v: v["id"])
def test_octets_behind_length_are_padding(vector):
    data = octets(vector)
    assert authentic(vector, data + b"padding") == authentic(vector, data)


@pytest.mark.parametrize("vector", [v for v in GOOD if checkable(v) and has_authenticator(v) and len(octets(v)) < 700],
                         ids=lambda v: v["id"])
def test_flipped_bit(vector):
    data = octets(vector)[:vector["fields"]["length"]]
    for at in range(len(data)):
        flipped = bytearray(data)
        flipped[at] ^= 0x10
        if at == 0 and "request" not in vector:
            continue
        with pytest.raises((fc.AuthenticationError, fc.DecodeError, KeyError)):
            authentic(vector, bytes(flipped), require=True)


@pytest.mark.parametrize("vector", [v for v in GOOD if checkable(v) and "Message-Authenticator" in [
    a["name"] for a in v["attributes"]]], ids=lambda v: v["id"])
def test_signing_makes_the_known_answer(vector):
    data = octets(vector)[:vector["fields"]["length"]]
    packet, secret = fc.RadiusPacket.decode(data), bytes.fromhex(vector["secret_hex"])
    blank = data.replace(packet.attributes["Message-Authenticator"], bytes(16))
    unsigned = fc.RadiusPacket.decode(blank)
    request = None if data[0] in REQUESTS else octets(BY_ID[vector["request"]])
    assert unsigned.encode(secret, request) == data


def test_message_authenticator_is_put_first():
    secret = b"a shared secret"
    request = fc.RadiusPacket(1, 7, attributes=[("User-Name", "mn0001@home.example")])
    data = request.encode(secret)
    names = [name for name, _ in fc.RadiusPacket.decode(data, secret).attributes]
    assert names == ["Message-Authenticator", "User-Name"]
    assert len(set(request.authenticator)) > 1
    answer = fc.RadiusPacket(2, 7, attributes=[("Session-Timeout", 60)]).encode(secret, request)
    assert fc.RadiusPacket.decode(answer, secret, data).attributes["Session-Timeout"] == 60
    fc.verify_request(data, secret)
    fc.verify_response(answer, secret, request.authenticator)
    with pytest.raises(fc.AuthenticationError):
        fc.verify_response(answer, secret, bytes(16))
    with pytest.raises(fc.AuthenticationError):
        fc.verify_request(data, b"another")


VALUES = [("User-Name", "näme"), ("Class", b"\0\1"), ("Session-Timeout", 2**32 - 1),
          ("Service-Type", 2),
          ("Framed-IP-Address", IPv4Address("192.0.2.25")), ("Framed-IPv6-Address", IPv6Address("2001:db8::1")),
          ("Framed-IPv6-Prefix", IPv6Network("2001:db8:f::/48")), ("Framed-IPv6-Prefix", IPv6Network("::/0")),
          ("PMIP6-Home-IPv4-HoA", IPv4Network("192.0.2.0/24")), ("MIP6-Feature-Vector", 2**64 - 1), ("PKM-SAID", 258),
          ("Framed-Interface-Id", "0:0:0:1"), ("Event-Timestamp", 1147694400), ("Tunnel-Type:3", 10),
          ("Tunnel-Type", 10),
          ("Tunnel-Client-Endpoint:1", "a"), ("Tunnel-Client-Endpoint", "a"), ("Mipstorm-FHA-FQDN", "fha.example"),
          ("Mipstorm-MN-FHA-Key", fc.Hidden(bytes(34))), ("MS-MPPE-Send-Key", fc.Hidden(bytes(34))), ("Attr-250", b""),
          ("Attr-26", b"\0\0\0"),
          ("Attr-26.32473.250", b"x"), ("Attr-26.9.1", b"of a vendor that no dictionary knows"), ("EAP-Message", b"")]


@pytest.mark.parametrize("item", VALUES, ids=lambda i: f"{i[0]}={i[1]!r}")
def test_value_of_every_type(item):
    data = fc.RadiusPacket(1, 1, bytes(16), [item]).encode()
    assert list(fc.RadiusPacket.decode(data).attributes) == [item]


@pytest.mark.parametrize(("item", "field"), [
    (("No-Such", 1), "No-Such"), (("Session-Timeout", 2**32), "Session-Timeout"),
    (("Session-Timeout", "x"), "Session-Timeout"),
    (("User-Name", ""), "User-Name"), (("User-Name", "x" * 254), "User-Name"), (("User-Name", 7), "User-Name"),
    (("Framed-IP-Address", "x"), "Framed-IP-Address"), (("Mipstorm-MN-AAA-Data", bytes(248)), "Mipstorm-MN-AAA-Data"),
    (("Tunnel-Type:0", 1), "Tunnel-Type:0"), (("Tunnel-Type", 2**24), "Tunnel-Type"),
    (("User-Name:1", "x"), "User-Name:1"),
    (("Attr-0", b""), "Attr-0"), (("Attr-256", b""), "Attr-256"), (("Attr-x", b""), "Attr-x"), (("Class", 7), "Class"),
    (("Framed-IPv6-Prefix", "2001:db8::1/64"), "Framed-IPv6-Prefix")])
def test_encode_error_names_the_attribute(item, field):
    with pytest.raises(fc.EncodeError) as refusal:
        fc.RadiusPacket(1, 1, bytes(16), [item]).encode()
    assert refusal.value.field == field


@pytest.mark.parametrize("odd", [
    bytes((2, 2)), bytes((1, 2)), bytes((79, 2)), bytes((26, 6, 0, 0, 0, 9)), bytes((26, 8, 0, 0, 0, 9, 1, 2)),
    bytes((26, 12, 0, 0, 0, 9, 1, 3, 65, 2, 3, 66)), bytes((26, 9, 0, 0, 0, 9, 1, 4, 65)), bytes((26, 9, 0, 0, 1, 55, 16, 2, 0))],
    ids=bytes.hex)
@pytest.mark.parametrize("secret", [None, b"secret"])
def test_what_no_value_is_for_survives_a_change_elsewhere(odd, secret):
    """An EAP-Start (RFC 3579 2.1), attributes of no octets, unknown vendors: packets that hold them can be changed and signed."""
    data = bytes((1, 1, 0, 20 + len(odd) + 6)) + bytes(16) + odd + bytes((5, 6, 0, 0, 0, 1))
    packet = fc.RadiusPacket.decode(data)
    if secret and odd[0] != 79:
        packet = fc.RadiusPacket.decode(data, secret, require=False)
    packet = packet.replace(attributes=[(name, 2 if name == "NAS-Port" else value) for name, value in packet.attributes])
    assert packet.sign(b"secret").encode()[38:] == odd + bytes((5, 6, 0, 0, 0, 2))


def test_a_packet_over_the_limit_is_told_the_limit():
    data = fc.RadiusPacket(1, 1, bytes(16), [("Class", bytes(100))]).encode()
    with pytest.raises(fc.DecodeError, match="122 octets, over the limit"):
        fc.RadiusPacket.decode(data, longest=100)


def walked(octets):
    """[(type, length), ...]."""
    out, at = [], 0
    while at < len(octets):
        out.append((octets[at], octets[at + 1]))
        at += octets[at + 1]
    return out


def test_named_values_and_split_ones():
    packet = fc.RadiusPacket(1, 1, bytes(16), [("Service-Type", "Framed-User"), ("EAP-Message", bytes(600))])
    attributes = fc.RadiusPacket.decode(packet.encode()).attributes
    assert attributes["Service-Type"] == 2
    assert [size for number, size in walked(attributes.octets) if number == 79] == [255, 255, 96]
    assert attributes["EAP-Message"] == attributes.joined("EAP-Message") == bytes(600)
    assert attributes.get("State") is None
    assert "State" not in attributes
    with pytest.raises(KeyError):
        attributes["State"]


def test_packet_too_long_and_too_many_attributes():
    with pytest.raises(fc.EncodeError):
        fc.RadiusPacket(1, 1, bytes(16), [("Class", bytes(253))] * 16 + [("Class", b"x")]).encode()
    many = fc.RadiusPacket(1, 1, bytes(16), [("Class", b"x")] * 256).encode()
    with pytest.raises(fc.DecodeError) as refusal:
        fc.RadiusPacket.decode(many)
    assert refusal.value.status == Status.TOO_MANY_EXTENSIONS
    assert len(fc.RadiusPacket.decode(many[:2] + (20 + 255 * 3).to_bytes(2, "big") + many[4:]).attributes) == 255


def test_attribute_type_zero_is_malformed():
    with pytest.raises(fc.DecodeError) as refusal:
        fc.RadiusPacket.decode(bytes((1, 1, 0, 23)) + bytes(16) + b"\0\3x")
    assert (refusal.value.offset, refusal.value.status) == (20, Status.EXTENSION_OVERRUN)


@given(st.binary(max_size=200))
def test_any_octets_pass_or_are_refused(body):
    data = bytes((1, 1)) + (20 + len(body)).to_bytes(2, "big") + bytes(16) + body
    try:
        packet = fc.RadiusPacket.decode(data)
    except fc.DecodeError as refusal:
        packet, offset = None, refusal.offset
    if packet is None:
        assert 20 <= offset <= len(data)
    else:
        assert packet.encode() == data
        again = fc.RadiusPacket(1, 1, bytes(16), list(packet.attributes))
        assert fc.RadiusPacket.decode(again.encode()).attributes == list(packet.attributes)


@pytest.mark.parametrize("case", FILE["crypto"], ids=lambda c: c["id"])
def test_transforms(case):
    take = {k.removesuffix("_hex"): bytes.fromhex(v) for k, v in case.items() if k.endswith("_hex")}
    if case["what"] == "user-password":
        hidden = fc.hide_password(take["plain"], take["secret"], take["request_authenticator"])
        assert hidden == take["cipher"]
        assert fc.reveal_password(hidden, take["secret"], take["request_authenticator"]) == take["plain"]
    elif "salt" in take:
        salt = int.from_bytes(take["salt"], "big")
        assert fc.salt_encrypt(take["plain"], take["secret"], take["request_authenticator"], salt) == take["value"]
        assert fc.salt_decrypt(take["value"], take["secret"], take["request_authenticator"]) == take["plain"]
    elif "response" in take:
        assert fc.chap_response(case["ident"], take["password"], take["challenge"]) == take["response"]
    else:
        assert "hmac_md5" in take       # the digest engine's own tests cover these


def test_hidden_values_that_cannot_be():
    with pytest.raises(fc.EncodeError):
        fc.hide_password(bytes(129), b"s", bytes(16))
    with pytest.raises(fc.EncodeError):
        fc.hide_password(b"x", b"s", bytes(15))
    with pytest.raises(fc.EncodeError):
        fc.salt_encrypt(bytes(240), b"s", bytes(16), 0x8000)
    with pytest.raises(fc.EncodeError):
        fc.salt_encrypt(b"k", b"s", bytes(16), 0x7fff)
    for size in (0, 2, 17, 20, 259):
        with pytest.raises(fc.DecodeError):
            fc.salt_decrypt(bytes(size), b"s", bytes(16))
    for size in (0, 15, 17, 144):
        with pytest.raises(fc.DecodeError):
            fc.reveal_password(bytes(size), b"s", bytes(16))


def test_secrets_do_not_show():
    assert "hush" not in repr(fc.Secret(b"hush"))
    assert fc.Secret(b"hush") == fc.Secret(b"hush") != fc.Secret(b"rush")
    with pytest.raises(fc.EncodeError):
        fc.Secret(b"")
