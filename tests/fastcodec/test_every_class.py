"""Every message and every part of one that is declared, all its fields filled: copied, compared, printed, to JSON and back."""
from __future__ import annotations

import copy
import enum
import json
import pickle
from ipaddress import IPv4Address, IPv6Address
from types import UnionType
from typing import Any, get_args, get_origin

import numpy as np
import pytest

import fastcodec as fc
from fastcodec.base import Message, Part, descendants, hints_of

NAMES = vars(fc) | {"IPv4Address": IPv4Address, "IPv6Address": IPv6Address}
PARTS = [cls for cls in descendants(Part) if cls.__struct_fields__ and cls.__module__.startswith("fastcodec.")]
MESSAGES = [cls for cls in descendants(Message) if cls.__struct_fields__]
CLASSES = [cls for cls in PARTS + MESSAGES if cls is not fc.RadiusPacket]
ENUMS = [value for value in vars(fc).values() if isinstance(value, type) and issubclass(value, enum.Enum)]
#   two values of every annotation that a field has
VALUES: dict[Any, tuple[Any, Any]] = {int: (3, 5), str: ("mn@home.example", "mün\udcff"), bytes: (b"\x01\xff\x00", b"\x02"), IPv4Address: (
    IPv4Address("192.0.2.1"), IPv4Address("0.0.0.0")), IPv6Address: (IPv6Address("2001:db8::1"), IPv6Address("::"))}


def value_of(hint: Any, which: int) -> Any:
    if hint in VALUES:
        return VALUES[hint][which]
    if isinstance(hint, UnionType):                 # X | None
        return value_of(get_args(hint)[0], which)
    if get_origin(hint) is tuple:
        return (value_of(get_args(hint)[0], which),) * 2
    if get_origin(hint) is list:                    # one of every class that may stand there
        return [made(cls, which) for cls in PARTS if issubclass(cls, get_args(hint)[0])]
    first = next(cls for cls in CLASSES if issubclass(cls, hint))
    return made(first, which)


def made(cls: Any, which: int = 0) -> Any:
    return cls(**{name: value_of(hint, which) for name, hint in hints_of(cls).items()})


def twins_of(one: Any) -> list[Any]:
    cls, base = type(one), Part if isinstance(one, Part) else Message
    return [copy.copy(one), copy.deepcopy(one), one.replace(), *(pickle.loads(pickle.dumps(one, protocol)) for protocol in range(2, 6)),
            cls.from_dict(one.to_dict()), cls.from_json(one.to_json()), cls.from_json(one.to_json().decode()),
            base.from_dict(one.to_dict()), base.from_json(one.to_json()), eval(repr(one), dict(NAMES))]


def test_all_are_here():
    assert len(PARTS) > 90
    assert {fc.Mip4Message, fc.MobilityMessage, fc.AgentMessage, fc.EapPacket, fc.PanaMessage, fc.MobilityPacket, fc.RadiusPacket} <= {
        base for cls in MESSAGES for base in cls.__mro__}
    assert [cls.__name__ for cls in CLASSES if getattr(fc, cls.__name__, None) is not cls] == []


@pytest.mark.parametrize("which", [0, 1])
@pytest.mark.parametrize("cls", CLASSES, ids=lambda cls: cls.__name__)
def test_copies_are_equal(cls, which):
    one = made(cls, which)
    for twin in twins_of(one):
        assert twin == one
        assert (twin != one) is False
        assert type(twin) is cls
        if issubclass(cls, Part):
            assert hash(twin) == hash(one)
            assert len({one, twin}) == 1
    assert json.loads(json.dumps(one.to_dict())) == json.loads(one.to_json()) == one.to_dict()
    assert list(one.to_dict()) == ["class", *cls.__struct_fields__]


@pytest.mark.parametrize("cls", CLASSES, ids=lambda cls: cls.__name__)
def test_every_field_counts(cls):
    one, other = made(cls), made(cls, 1)
    for name in cls.__struct_fields__:
        changed = one.replace(**{name: getattr(other, name)})
        assert changed != one, name
        assert getattr(changed, name) == getattr(other, name)
        assert all(twin == changed for twin in twins_of(changed))
        assert one == made(cls), "the first is as it was"
    assert one != "another type"
    assert one.__eq__(5) is NotImplemented


@pytest.mark.parametrize("cls", CLASSES, ids=lambda cls: cls.__name__)
def test_prints_and_completes(cls):
    one = made(cls)
    assert str(one).startswith(f"{cls.__name__}(")
    assert str(one).endswith(")")
    assert "\n" not in repr(one)
    assert max(map(len, str(one).splitlines())) < 160
    assert {*cls.__struct_fields__, "replace", "to_dict", "from_dict", "to_json", "from_json"} <= set(dir(one))
    assert issubclass(cls, Part) or {"decode", "encode", "find", "find_all", "nai", "parts"} <= set(dir(one))
    with pytest.raises(TypeError, match=f"`{cls.__name__}` has no field 'no_such'"):
        one.replace(no_such=1)
    if issubclass(cls, Part):
        with pytest.raises(AttributeError, match="immutable type"):
            setattr(one, cls.__struct_fields__[0], None)
    else:
        with pytest.raises(AttributeError):
            one.no_such = 1
        with pytest.raises(TypeError, match="unhashable"):
            hash(one)


def test_a_radius_packet_does_it_too():
    values = [("User-Name", "mn"), ("NAS-Port", 3), ("Framed-IP-Address", IPv4Address(1)), ("Framed-IPv6-Address", IPv6Address(1)),
              ("Class", b"\x01"), ("User-Password", fc.Hidden(bytes(16))), ("Attr-200", b"x"), ("Cisco-AVPair", "a=b")]
    values = [pair for pair in values if pair[0] in fc.load().attributes or pair[0].startswith("Attr-")]
    one = fc.RadiusPacket(1, 7, bytes(range(16)), fc.Attributes(values))
    assert len(one.attributes) == len(values) > 6
    for twin in twins_of_radius(one):
        assert twin == one
        assert type(twin) is fc.RadiusPacket
        assert twin.encode() == one.encode()
    assert json.loads(json.dumps(one.to_dict())) == json.loads(one.to_json()) == one.to_dict()
    for name, value in {"code": 2, "identifier": 8, "authenticator": bytes(16), "attributes": fc.Attributes(values[1:])}.items():
        assert one.replace(**{name: value}) != one
    assert {*fc.RadiusPacket.__struct_fields__, "decode", "sign", "find", "to_json"} <= set(dir(one))


def twins_of_radius(one):
    return [copy.copy(one), copy.deepcopy(one), pickle.loads(pickle.dumps(one)), one.replace(), fc.RadiusPacket.from_dict(one.to_dict()),
            fc.RadiusPacket.from_json(one.to_json()), Message.from_json(one.to_json()), Message.from_dict(one.to_dict())]


@pytest.mark.parametrize("names", ENUMS, ids=lambda names: names.__name__)
def test_numbers_with_names(names):
    assert set(names.__members__) <= set(dir(names))
    for name, member in names.__members__.items():
        assert member is names[name] is names(int(member)) is pickle.loads(pickle.dumps(member)) is copy.deepcopy(member)
        assert member == int(member)
        assert hash(member) == hash(int(member))
        assert str(member) == str(int(member))
        assert name in repr(member) or member.name in repr(member)


# ---- what batches work with

def test_keys_copy_and_print():
    secrets = fc.SecretArray([b"first", fc.Secret(b"second", "hmac-sha256"), fc.Secret(b"third", "keyed-md5")])
    table = fc.KeyTable({0x100 + k: fc.Secret(b"key %d" % k, "hmac-sha1" if k % 2 else None) for k in range(50)})
    assert (repr(secrets), repr(table)) == ("SecretArray(<3 secrets>)", "KeyTable(<50 keys>)")
    gpsk = fc.derive_gpsk_keys(bytes(32), b"mn", b"aaah", bytes(32), bytes(32), suite=2)
    assert (repr(gpsk), repr(fc.Secret(b"key"))) == ("GpskKeys(<ciphersuite 2>)", "Secret(<3 octets>)"), "no key is shown"
    address = IPv4Address(1)
    message = fc.RegistrationRequest(0, 1, address, address, address, 1, [fc.Nai("mn")])
    octets = [message.replace(extensions=[*message.extensions, fc.MnHaAuthentication(0x100 + k)]).encode(
        {0x100 + k: fc.Secret(b"key %d" % k, "hmac-sha1" if k % 2 else "hmac-md5")}) for k in range(50)]
    signed = [message.replace(extensions=[fc.MnHaAuthentication(9)]).encode(key)
              for key in (b"first", fc.Secret(b"second", "hmac-sha256"), fc.Secret(b"third", "keyed-md5"))]
    for again in (copy.copy, copy.deepcopy, lambda one: pickle.loads(pickle.dumps(one))):
        assert not fc.RegistrationBatch.from_datagrams(octets).verify(again(table)).any()
        assert len(again(table)) == 50
        assert not fc.RegistrationBatch.from_datagrams(signed).verify(again(secrets), [0, 1, 2]).any()
        assert fc.RegistrationBatch.from_datagrams(signed).verify(again(secrets), [1, 2, 0]).all()


def batches():
    address = IPv4Address(1)
    yield fc.RegistrationBatch.from_datagrams([fc.RegistrationRequest(0, k, address, address, address, 1, [
        fc.MnHaAuthentication(9)]).encode(b"key") for k in range(3)] + [b"\x01short"])
    yield fc.MobilityBatch.from_datagrams([fc.BindingUpdate(k, options=[fc.NonceIndicesOption(1, 2)]).encode() for k in range(3)])
    yield fc.AgentBatch.from_datagrams([fc.AgentAdvertisement(0, k, [], [fc.MobilityAgent(1, 2, 3)]).encode() for k in range(3)])
    yield fc.RadiusBatch.from_datagrams([*(fc.RadiusPacket(1, k, bytes(16)).encode(b"secret") for k in range(3)), b"short"])


@pytest.mark.parametrize("batch", list(batches()), ids=lambda batch: type(batch).__name__)
def test_batches_copy_and_print(batch):
    assert repr(batch) == f"{type(batch).__name__}(<{len(batch)} rows of {batch.octets.shape[1]} octets>)"
    batch.status[1] = fc.Status.BAD_AUTHENTICATOR
    for twin in (copy.copy(batch), copy.deepcopy(batch), pickle.loads(pickle.dumps(batch))):
        assert type(twin) is type(batch)
        assert twin.datagrams() == batch.datagrams()
        assert twin.status.tolist() == batch.status.tolist()
        for ours, theirs in zip(entries(twin), entries(batch), strict=True):
            assert (ours == theirs).all()
    twin.octets[0, 0] ^= 1
    twin.status[0] = 1
    assert batch.status[0] == 0
    assert batch.octets[0, 0] != twin.octets[0, 0]


def entries(batch):
    index = batch.index()
    return (index,) if isinstance(index, np.ndarray) else index
