"""What every message can do, whatever its protocol: print, compare, copy, pickle, go to dict and JSON and back."""
import copy
import json
import pickle
from ipaddress import IPv4Address, IPv6Address
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest

import fastcodec as fc
from fastcodec.base import Message, Part
from fastcodec.fields import Plan
from fastcodec.overlay import Overlay

VECTORS = Path(__file__).parents[1] / "vectors"
MOBILE = [v for v in json.loads((VECTORS / "mobileip.json").read_text())["vectors"] if v["kind"] == "mip4"]
RADIUS = [v for v in json.loads((VECTORS / "radius.json").read_text())["vectors"] if v["kind"] == "radius"]
NAMES = vars(fc) | {"IPv4Address": IPv4Address, "IPv6Address": IPv6Address}
REQUEST = fc.RegistrationRequest(0x22, 1800, IPv4Address(0), IPv4Address("203.0.113.10"), IPv4Address("198.51.100.77"),
                                 0xc812ebc020000001, [fc.Nai("mn0001@home.example"), fc.GeneralizedAuthentication(0x200)])


def messages():
    for vector in MOBILE:
        yield pytest.param(fc.Mip4Message.decode(bytes.fromhex(vector["message_hex"])), id=vector["id"])
    for vector in RADIUS:
        yield pytest.param(fc.RadiusPacket.decode(bytes.fromhex(vector["message_hex"])), id=vector["id"])


@pytest.mark.parametrize("message", list(messages()))
def test_dict_json_copy_pickle(message):
    kind = type(message)
    octets = message.encode()
    if kind is fc.RadiusPacket:     # pairs do not tell which vendor attributes shared one Vendor-Specific
        message = message.replace(attributes=fc.Attributes(list(message.attributes)))
        octets = message.encode()
    for twin in (kind.from_dict(message.to_dict()), kind.from_json(message.to_json()), copy.copy(message),
                 copy.deepcopy(message), pickle.loads(pickle.dumps(message)), Message.from_json(message.to_json())):
        assert twin == message
        assert type(twin) is kind
        assert twin.encode() == octets
    assert json.loads(message.to_json()) == message.to_dict() == json.loads(json.dumps(message.to_dict()))
    if kind is not fc.RadiusPacket:
        assert eval(repr(message), dict(NAMES)) == message
    assert message.to_dict()["class"] == kind.__name__
    assert "\n" not in repr(message)
    assert str(message).startswith(kind.__name__ + "(")


def test_prints_as_a_person_would():
    assert str(REQUEST) == """\
RegistrationRequest(flags=D|T, lifetime=1800, home_address=0.0.0.0, home_agent=203.0.113.10,
        care_of_address=198.51.100.77, identification=0xc812ebc020000001,
    extensions=[
        Nai(nai='mn0001@home.example'),
        GeneralizedAuthentication(spi=0x200, authenticator=(empty)),
    ])"""
    reply = fc.RegistrationReply(134, 0, IPv4Address(1), IPv4Address(2), 3)
    assert str(reply) == ("RegistrationReply(code=POORLY_FORMED_REQUEST, lifetime=0, home_address=0.0.0.1, "
                          "home_agent=0.0.0.2,\n        identification=0x0000000000000003)")
    assert "flags=B|0x100" in str(REQUEST.replace(flags=0x140))
    assert "code=63" in str(fc.RegistrationReply(63, 0, IPv4Address(1), IPv4Address(2), 3))


def test_radius_prints_names_and_values():
    packet = fc.RadiusPacket(2, 7, bytes(16), [("User-Name", "mn"), ("Framed-IP-Address", IPv4Address("192.0.2.1"))])
    text = str(packet)
    assert text.startswith("RadiusPacket(code=ACCESS_ACCEPT, identifier=7, authenticator=" + "00" * 16)
    assert "\n        User-Name = 'mn',\n        Framed-IP-Address = 192.0.2.1,\n" in text


def test_dict_in_words():
    assert REQUEST.to_dict() == {
        "class": "RegistrationRequest", "flags": 34, "lifetime": 1800, "home_address": "0.0.0.0",
        "home_agent": "203.0.113.10", "care_of_address": "198.51.100.77", "identification": 0xc812ebc020000001,
        "extensions": [{"class": "Nai", "nai": "mn0001@home.example"},
                       {"class": "GeneralizedAuthentication", "spi": 512, "authenticator": ""}]}


def test_octets_that_are_no_text_survive_json():
    nai = fc.Nai(b"mn\xff\xfe".decode("utf-8", "surrogateescape"))
    message = REQUEST.replace(extensions=[nai])
    assert nai.to_dict()["nai"] == {"octets": "6d6efffe"}
    assert fc.RegistrationRequest.from_json(message.to_json()) == message


@pytest.mark.parametrize(("change", "field"), [
    ({"home_agent": "nowhere"}, "RegistrationRequest.home_agent"), ({"lifetime": "long"}, "RegistrationRequest.lifetime"),
    ({"extensions": [{"class": "Nothing"}]}, "Extension.class"), ({"speed": 1}, "RegistrationRequest"),
    ({"extensions": [{"class": "Nai", "nai": 5}]}, "Nai.nai"), ({"class": "RegistrationReply"}, "RegistrationRequest.class"),
    ({"extensions": [{"class": "UnknownExtension", "octets": "xy"}]}, "UnknownExtension.octets")])
def test_from_dict_names_what_is_wrong(change, field):
    with pytest.raises(fc.EncodeError) as refusal:
        fc.RegistrationRequest.from_dict(REQUEST.to_dict() | change)
    assert refusal.value.field == field


@pytest.mark.parametrize("text", [b"", b"[]", b"{", b"\xff", b'{"class": 5}', b'{"flags": 1}'])
def test_from_json_of_something_else(text):
    with pytest.raises(fc.EncodeError):
        fc.RegistrationRequest.from_json(text)
    with pytest.raises(fc.EncodeError):
        fc.RadiusPacket.from_json(text)


@pytest.mark.parametrize("attributes", [5, [5], [["User-Name"]], [["User-Name", {}]], [["No-Such", "x"]], [[1, 2]]])
def test_radius_attributes_that_are_none(attributes):
    with pytest.raises(fc.EncodeError):
        fc.RadiusPacket.from_dict({"code": 1, "identifier": 1, "attributes": attributes})


def test_find():
    assert REQUEST.find(fc.Nai) is REQUEST.extensions[0]
    assert REQUEST.find(fc.NonceReply) is None
    twice = REQUEST.replace(extensions=[fc.Padding(1), fc.Nai("a"), fc.Padding(2)])
    assert twice.find_all(fc.Padding) == [fc.Padding(1), fc.Padding(2)]
    assert twice != REQUEST


def test_overlay_of_another_protocol():
    """Structs, header shapes and reserved fields of anyone; octets of a fixed number, text and lists at the end."""
    layouts = {"Option": np.dtype([("kind", "u1"), ("size", "u1"), ("cookie", "u1", 8), ("address", "u1", 16)])}
    overlays = Overlay(layouts, {7: 3}, frozenset({"kind", "size"}))

    @overlays("Option", type=7)
    class Cookie(Part, frozen=True):
        plan: ClassVar[Plan]
        cookie: bytes
        address: IPv6Address
        name: str = ""
    assert (Cookie.plan.size, Cookie.plan.type, Cookie.plan.shape, Cookie.plan.tail) == (26, 7, 3, 2)
    made = Cookie(bytes(8), IPv6Address("2001:db8::1"), "x")
    assert Cookie.from_json(made.to_json()) == made
    assert Part.from_dict(made.to_dict()) == made
    assert str(made) == "Cookie(cookie=0000000000000000, address=2001:db8::1, name='x')"
    with pytest.raises(TypeError, match="cannot stand for 16 octets"):
        @overlays("Option", type=7)
        class Wrong(Part, frozen=True):
            cookie: bytes
            address: int
    with pytest.raises(TypeError, match="nor is"):
        @overlays("Option", type=7)
        class NoTail(Part, frozen=True):
            cookie: bytes
            address: bytes
            count: int
