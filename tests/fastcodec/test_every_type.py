"""Every class of message and part that is declared, made of values of its annotations: it survives JSON, dict, copy and pickle,
and, by itself in a message, octets."""
import copy
import inspect
import json
import pickle
import typing
from ipaddress import IPv4Address, IPv6Address

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

import fastcodec as fc
from fastcodec.base import Message, Part, descendants

# No message or part by themselves: what others derive from.
BASES = {Part, Message, fc.Extension, fc.MobilityOption, fc.Avp, fc.EapBody, fc.GpskMessage, fc.Mip4Message, fc.MobilityMessage,
         fc.AgentMessage}
CLASSES = {cls.__name__: cls for base in (Part, Message) for cls in descendants(base)
           if cls not in BASES and cls.__module__.startswith("fastcodec.")}
HEADERS = (fc.IPv4Header, fc.IPv6Header, fc.UdpHeader, fc.GreHeader, fc.MinimalHeader)
TEXT = st.text(st.characters(exclude_categories=("Cs",)), max_size=20)
BY_HINT = {int: st.integers(0, 255), str: TEXT | st.binary(max_size=20).map(lambda b: b.decode("utf-8", "surrogateescape")),
           bytes: st.binary(max_size=40), IPv4Address: st.ip_addresses(v=4), IPv6Address: st.ip_addresses(v=6)}
DIGEST, NONCE = st.sampled_from((16, 20, 32)).flatmap(lambda n: st.binary(min_size=n, max_size=n)), st.binary(min_size=32, max_size=32)
CODES = {"code": st.sampled_from((16, 32)).flatmap(lambda n: st.binary(min_size=n, max_size=n))}
UNKNOWN = st.integers(200, 249).flatmap(lambda kind: st.binary(max_size=40).map(lambda v: bytes((kind, len(v))) + v))
SOME_TEXT = TEXT.filter(bool)
ROUTERS = st.builds(fc.RouterAddress, st.ip_addresses(v=4))      # entries of one length
VENDOR_FLAG, FLAGS = 0x8000, st.integers(0, 0x7fff)
SPECIAL = {         # fields whose values an RFC narrows further than their annotations do
    fc.UnknownExtension: {"octets": UNKNOWN}, fc.UnknownOption: {"octets": UNKNOWN},
    fc.EthernetLinkLayerAddress: {"address": st.binary(min_size=6, max_size=6)},
    fc.Eui64LinkLayerAddress: {"address": st.binary(min_size=8, max_size=8)},
    fc.Padding: {"count": st.integers(1, 40)}, fc.ServiceSelection: {"service": SOME_TEXT},
    fc.ServiceSelectionOption: {"identifier": SOME_TEXT},
    fc.MobileNodeIdentifierOption: {"identifier": SOME_TEXT},
    fc.MobilityPadding: {"octets": st.sampled_from((10, 18)).map(lambda n: bytes((1, n)) + bytes(n))},
    fc.PanaMessage: {"type": st.integers(1, 4)},
    fc.AgentAdvertisement: {"empty_entry_size": st.just(0), "routers": st.lists(ROUTERS, max_size=3)},
    fc.Nai: {"nai": TEXT.filter(lambda text: text and "\0" not in text)},
    fc.MobilityPacket: {"routing_address": st.none() | st.just(IPv6Address("2001:db8::77")),
                        "home_address": st.none() | st.just(IPv6Address("2001:db8::78"))},
    fc.BootstrapAddress: {"vendor": st.just(32473), "vendor_type": st.integers(1, 3)},
    fc.VendorExtension: {"vendor": st.integers(0, 200)}, fc.MobileNetworkAcknowledgment: {"subtype": st.integers(1, 255)},
    fc.UnknownAvp: {"code": st.integers(10, 65535)}, fc.VendorAvp: {"flags": st.just(VENDOR_FLAG)}, fc.NonceAvp: {"value": NONCE},
    fc.EapPayloadAvp: {"value": st.binary(min_size=4, max_size=40)}, fc.AuthAvp: {"value": st.sampled_from((bytes(16), bytes(20)))},
    fc.RouterAddress: {"rest": st.integers(0, 3).flatmap(lambda n: st.binary(min_size=4 * n, max_size=4 * n)),
                       "preference": st.integers(-2**31, 2**31 - 1)},
    fc.EapNak: {"types": st.lists(st.integers(0, 255), min_size=1, max_size=9).map(tuple)},
    fc.EapMd5Challenge: {"value": st.binary(min_size=1, max_size=255)}, fc.EapUnknown: {"type": st.integers(5, 50)},
    fc.Gpsk1: {"rand_server": NONCE}, fc.Gpsk2: CODES | {"rand_server": NONCE, "rand_peer": NONCE, "suite": st.integers(3, 9)},
    fc.Gpsk3: CODES | {"rand_server": NONCE, "rand_peer": NONCE, "suite": st.integers(3, 9)}, fc.Gpsk4: CODES, fc.GpskProtectedFail: CODES,
    fc.RadiusPacket: {"authenticator": st.binary(min_size=16, max_size=16),
                      "attributes": st.lists(st.tuples(st.just("Class"), st.binary(min_size=1, max_size=253))).map(fc.Attributes)}}


def strategy(cls, hint, name):
    """Of a field, by its annotation."""
    if name in SPECIAL.get(cls, {}):
        return SPECIAL[cls][name]
    if cls.__base__ is fc.Avp and name == "flags":
        return FLAGS
    if name == "authenticator":
        return st.binary(min_size=12, max_size=12) if issubclass(cls, fc.MobilityOption) else DIGEST
    return BY_HINT[hint] if hint in BY_HINT else made_of_others(cls, hint, name)


UNKNOWN_OF = {fc.Avp: fc.UnknownAvp, fc.Extension: fc.UnknownExtension, fc.MobilityOption: fc.UnknownOption}


def made_of_others(cls, hint, name):
    arguments = typing.get_args(hint)
    if typing.get_origin(hint) is tuple:
        return st.lists(strategy(cls, arguments[0], ""), max_size=5).map(tuple)
    if typing.get_origin(hint) is list:
        return st.lists(made(UNKNOWN_OF.get(arguments[0], arguments[0])), max_size=3)
    return made(fc.BindingUpdate) if hint is fc.MobilityMessage else st.none() | strategy(cls, arguments[0], name)


def made(cls):
    hints = typing.get_type_hints(cls)
    if cls is fc.EapPacket:
        return st.builds(cls, st.sampled_from((1, 2)), BY_HINT[int], made(fc.EapExpanded))
    return st.builds(cls, **{name: strategy(cls, hints[name], name) for name in cls.__struct_fields__})


def test_every_class_is_tried():
    """And everything that is told apart in `fastcodec.__all__` is among them."""
    exported = {name for name in fc.__all__ if inspect.isclass(getattr(fc, name)) and issubclass(getattr(fc, name), (Part, Message))}
    assert exported == set(CLASSES) | {base.__name__ for base in BASES}
    assert len(CLASSES) == 139


@pytest.mark.parametrize("name", CLASSES)
@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_values_survive(name, data):
    value = data.draw(made(CLASSES[name]))
    for twin in (CLASSES[name].from_json(value.to_json()), (Part if isinstance(value, Part) else Message).from_json(value.to_json()),
                 CLASSES[name].from_dict(json.loads(json.dumps(value.to_dict()))), copy.copy(value), copy.deepcopy(value),
                 pickle.loads(pickle.dumps(value)), value.replace()):
        assert twin == value
        assert type(twin) is CLASSES[name]
    assert json.loads(value.to_json()) == json.loads(json.dumps(value.to_dict()))
    assert str(value).startswith(name + "(")
    if isinstance(value, Part):
        assert hash(value) == hash(copy.copy(value))
        with pytest.raises(AttributeError):
            setattr(value, next(iter(value.__struct_fields__), "octets"), 1)


ADVERTISED = (fc.MobilityAgent, fc.PrefixLengths, fc.AdvertisedChallenge, fc.AdvertisedLinkLayerAddress, fc.AdvertisedExperiment,
              fc.CriticalAdvertisedExperiment)
REPLY, ADVERTISEMENT = fc.RegistrationReply(0, 60, IPv4Address(1), IPv4Address(2), 3), fc.AgentAdvertisement(0, 60)


def message_with(part):
    """A message that holds the part alone."""
    if isinstance(part, Message):
        return part
    if isinstance(part, fc.RouterAddress):
        return ADVERTISEMENT.replace(routers=[part])
    if isinstance(part, fc.Extension):
        return (ADVERTISEMENT if isinstance(part, ADVERTISED) else REPLY).replace(extensions=[part])
    if isinstance(part, fc.MobilityOption):
        return fc.BindingUpdate(1, options=[part])
    return fc.PanaMessage(0x8000, 2, 1, 1, [part]) if isinstance(part, fc.Avp) else fc.EapPacket(2, 1, part)


IN_NO_MESSAGE = {*HEADERS, fc.RawAvp}           # headers stand around others; a RawAvp is whatever octets it is given


@pytest.mark.parametrize("name", [name for name, cls in CLASSES.items() if cls not in IN_NO_MESSAGE])
@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_octets_survive(name, data):
    message = message_with(data.draw(made(CLASSES[name])))
    octets = message.encode()
    decode = (lambda octets: fc.PanaMessage.decode(octets, strict=False)) if isinstance(message, fc.PanaMessage) else type(message).decode
    again = decode(octets)
    assert again.encode() == octets
    if isinstance(message, fc.MobilityPacket):                             # whose checksum is computed
        again, message = (m.replace(message=m.message.replace(checksum=0)) for m in (again, message))
    assert again == message


@given(st.sampled_from(fc.TunnelKind), st.binary(max_size=300), st.booleans(), BY_HINT[IPv4Address], BY_HINT[IPv4Address],
       st.none() | st.integers(0, 2**32 - 1), st.none() | st.integers(0, 2**32 - 1), st.booleans())
def test_tunnels_survive(kind, payload, is_ipv6, source, destination, key, sequence, checksum):
    """Whatever is wrapped comes out of its tunnel, and of a tunnel in that one."""
    if is_ipv6:
        assume(kind not in (fc.TunnelKind.TUNNEL_IPV4, fc.TunnelKind.TUNNEL_MINIMAL))
        inner = fc.ipv6_packet(IPv6Address("2001:db8::1"), IPv6Address("2001:db8::2"), 59, payload)
    else:
        assume(kind != fc.TunnelKind.TUNNEL_IPV6)
        inner = (b"\x45\0" + (20 + len(payload)).to_bytes(2) + b"\0\0\0\0\x40\xfd\0\0" + bytes((192, 0, 2, 1, 192, 0, 2, 2)))
        inner = inner[:10] + fc.checksum(inner).to_bytes(2) + inner[12:] + payload
    given = {"key": key, "sequence": sequence, "checksum": checksum} if kind == fc.TunnelKind.TUNNEL_GRE else {}
    outer = fc.wrap(kind, inner, source, destination, **given)
    out = fc.unwrap(outer)
    assert (out.kind, bytes(out.inner), out.outer.source, out.outer.destination) == (kind, inner, source, destination)
    assert (out.key, out.sequence) == ((key, sequence) if given else (None, None))
    again = fc.unwrap(fc.wrap(fc.TunnelKind.TUNNEL_GRE, outer, source, destination))
    assert bytes(again.inner) == outer
    for header in filter(None, (out.outer, out.header)):
        assert Part.from_json(header.to_json()) == header
