"""Every type of value in every kind of space, there and back: pairs, octets, and what cannot be."""
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from pathlib import Path

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from radius_items import items, values
from radius_kinds import FIRST, KINDS, SPACES, dictionary_text

import fastcodec as fc

RELAXED = settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], deadline=None)


@pytest.fixture(scope="module", autouse=True)
def dictionary(tmp_path_factory):
    path = Path(tmp_path_factory.mktemp("dictionary")) / "dictionary.kinds"
    path.write_text(dictionary_text())
    fc.configure(fc.load(path))
    yield
    fc.configure()


def there_and_back(pairs):
    """The pairs as decoding them again gives them; they are canonical, and encode to the same octets once more."""
    octets = fc.RadiusPacket(1, 1, bytes(16), pairs).encode(longest=65535)
    packet = fc.RadiusPacket.decode(octets, longest=65535, most_attributes=65535)
    again = list(packet.attributes)
    assert packet.encode(longest=65535) == octets
    assert fc.RadiusPacket(1, 1, bytes(16), again).encode(longest=65535) == octets
    assert packet.attributes.canonical
    return again


@RELAXED
@given(st.lists(items(), max_size=8))
def test_pairs_there_and_back(pairs):
    assume(all(alone(a, b) for a, b in zip(pairs, pairs[1:], strict=False)))
    assert there_and_back(pairs) == pairs


def alone(one, other):
    return "Joined" not in (one[0], other[0])


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("space", [*SPACES, "Ext242", "Ext246", "Evs1", "Evs5"])
@settings(RELAXED, max_examples=15)
@given(data=st.data())
def test_every_type_in_every_space(space, kind, data):
    value = data.draw(values(kind, 240))
    assert there_and_back([(f"{space}-{kind}", value)]) == [(f"{space}-{kind}", value)]


@RELAXED
@given(st.binary(max_size=300))
def test_any_octets_keep_their_meaning(body):
    """Through pairs: the same values; through the packet: the same octets."""
    data = bytes((1, 1)) + (20 + len(body)).to_bytes(2, "big") + bytes(16) + body
    try:
        packet = fc.RadiusPacket.decode(data)
    except fc.DecodeError:
        return
    assert packet.encode() == data
    pairs = list(packet.attributes)
    again = fc.RadiusPacket.decode(fc.RadiusPacket(1, 1, bytes(16), pairs).encode(longest=65535), longest=65535)
    if packet.attributes.canonical:
        assert again.encode() == data
    assert again.attributes == pairs


HEADS = [bytes((192,)), bytes((193,)), bytes((194,)), bytes((195,)), bytes((241,)), bytes((242,)), bytes((245,)), bytes((246,)),
         bytes((64,)), bytes((66,)), bytes((69,))]


@RELAXED
@given(st.lists(st.one_of(
    st.tuples(st.sampled_from(HEADS), st.binary(max_size=253)),
    st.tuples(st.just(bytes((26,))), st.builds(lambda v, b: v.to_bytes(4, "big") + b,
                                               st.sampled_from([v for v, _, _ in SPACES.values()]), st.binary(max_size=249))),
    st.tuples(st.sampled_from(HEADS[6:8]), st.builds(lambda e, f, b: bytes((e, f)) + b, st.sampled_from((9, 26, FIRST)),
                                                     st.sampled_from((0, 0x80, 0x7f)), st.binary(min_size=240, max_size=251))),
    st.tuples(st.just(bytes((26,))), st.builds(lambda t, f, b: (40005).to_bytes(4, "big") + bytes((t, len(b) + 3, f)) + b,
                                               st.sampled_from((1, FIRST)), st.sampled_from((0, 0x80)),
                                               st.binary(min_size=1, max_size=246)))), max_size=8))
def test_near_misses_keep_their_meaning(attributes):
    """Attributes of the kinds that have an inside, whose inside is anything; fragments with and without their others."""
    body = b"".join(head + bytes((len(b) + 2,)) + b for head, b in attributes)
    data = bytes((2, 1)) + (20 + len(body)).to_bytes(2, "big") + bytes(16) + body
    packet = fc.RadiusPacket.decode(data)
    assert packet.encode() == data
    pairs = list(packet.attributes)
    again = fc.RadiusPacket.decode(fc.RadiusPacket(2, 1, bytes(16), pairs).encode(longest=65535), longest=65535)
    if packet.attributes.canonical:
        assert again.encode() == data
    assert meaning(again.attributes) == meaning(pairs)


def meaning(pairs):
    """A piece of a split value that is not full may come to stand beside another one: then they are one."""
    return [(n, v) for n, v in pairs if n != "Joined"], b"".join(v for n, v in pairs if n == "Joined")


@pytest.mark.parametrize(("name", "most"), [
    *((f"{vendor}-octets", most) for vendor, (_, _, most) in SPACES.items() if vendor != "Going-On"),
    ("Ext242-octets", 252), ("Evs1-octets", 247), ("User-Name", 253), ("Class", 253), ("Attr-250", 253), ("Attr-241.250", 252),
    ("Attr-241.26.40009.1", 247), ("Attr-26.40001.250", 247), ("Attr-26.49999.1", 247)])
def test_longest_value_and_one_more(name, most):
    assert len(fc.RadiusPacket(1, 1, bytes(16), [(name, b"x" * most)]).encode()) == 20 + 255
    with pytest.raises(fc.EncodeError) as refusal:
        fc.RadiusPacket(1, 1, bytes(16), [(name, b"x" * (most + 1))]).encode()
    assert refusal.value.field == name


@pytest.mark.parametrize(("name", "room"), [("Ext246-octets", 251), ("Evs5-octets", 246), ("Going-On-octets", 246), ("Joined", 253)])
@pytest.mark.parametrize("more", [-1, 0, 1])
def test_values_in_pieces(name, room, more):
    """One piece as long as it is full, two from one octet more."""
    octets = fc.RadiusPacket(1, 1, bytes(16), [(name, b"x" * (room + more))]).encode()[20:]
    sizes = []
    while octets:
        sizes.append(octets[1])
        octets = octets[octets[1]:]
    assert sizes == {-1: [254], 0: [255], 1: [255, {"Ext246-octets": 5, "Evs5-octets": 5, "Going-On-octets": 10, "Joined": 3}[name]]}[more]
    assert there_and_back([(name, b"x" * (room + more))]) == [(name, b"x" * (room + more))]


def test_one_attribute_may_fill_the_packet():
    """RFC 6929 2.2: fragments of 255 octets, 4 of them head, and their flag."""
    whole = b"x" * (4076 // 255 * 251 + 4076 % 255 - 4)
    octets = fc.RadiusPacket(1, 1, bytes(16), [("Ext246-octets", whole)]).encode()
    assert len(octets) == 4096
    assert fc.RadiusPacket.decode(octets).attributes["Ext246-octets"] == whole
    with pytest.raises(fc.EncodeError, match="more than 4076"):
        fc.RadiusPacket(1, 1, bytes(16), [("Ext246-octets", whole + b"x")]).encode()


def nested(depth):
    name, value = f"Group-Leaf{depth}", 7
    for level in range(depth, 0, -1):
        name, value = f"Group-Deep{level}", [(name, value)]
    return [("Group", [(name, value)])]


@pytest.mark.parametrize("depth", range(1, 10))
def test_depth_of_tlvs(depth):
    """Eight inside one another unless the caller says otherwise; what is deeper is octets and passes."""
    pairs = nested(depth)
    octets = fc.RadiusPacket(1, 1, bytes(16), pairs).encode()
    assert list(fc.RadiusPacket.decode(octets, depth=20).attributes) == pairs
    shallow = fc.RadiusPacket.decode(octets)
    assert (list(shallow.attributes) == pairs) is (depth <= 7)
    assert fc.RadiusPacket(1, 1, bytes(16), list(shallow.attributes)).encode() == octets
    assert list(fc.RadiusPacket.decode(octets, depth=0).attributes) == [("Attr-192", octets[22:])]


@pytest.mark.parametrize(("item", "field"), [
    (("Group", []), "Group"), (("Group", 7), "Group"), (("Group", [7]), "Group"), (("Group", [("User-Name", "x")]), "User-Name"),
    (("Group", [("Going-On-Group-integer", 7)]), "Going-On-Group-integer"), (("Group-integer", 7), "Group-integer"),
    (("Group", [("Attr-191.1", b"x")]), "Attr-191.1"), (("Group", [("Attr-192.256", b"x")]), "Attr-192.256"),
    (("Group", [("Group-octets", bytes(252))]), "Group"), (("Group", [("Group-octets", bytes(254))]), "Group-octets"),
    (("Group", [("Group-octets", b"")]), "Group-octets"), (("Internal", 7), "Internal"), (("Attr-241.26.1.256", b"x"), "Attr-241.26.1.256"),
    (("Attr-241.256", b"x"), "Attr-241.256"), (("Attr-241.1", b""), "Attr-241.1"), (("Attr-1.2", b"x"), "Attr-1.2"),
    (("Attr-26.40001.256", b"x"), "Attr-26.40001.256"), (("Attr-26.40003.65536", b"x"), "Attr-26.40003.65536"),
    (("Attr-26..1", b"x"), "Attr-26..1"), (("List-ipaddr", []), "List-ipaddr"), (("List-ipaddr", ["x"]), "List-ipaddr"),
    (("List-ipaddr", ["192.0.2.1"] * 64), "List-ipaddr"), (("Tunnel-Client-Endpoint:32", "x"), "Tunnel-Client-Endpoint:32"),
    (("Tunnel-Client-Endpoint", "\5x"), "Tunnel-Client-Endpoint"), (("Tunnel-Client-Endpoint:1", ""), "Tunnel-Client-Endpoint"),
    (("Plain-ifid", "1:2:3"), "Plain-ifid"), (("Plain-ifid", "1:2:3:x"), "Plain-ifid"), (("Plain-ether", "1:2:3:4:5:666"), "Plain-ether"),
    (("Plain-signed", 2**31), "Plain-signed"), (("Plain-short", 65536), "Plain-short"), (("Plain-byte", -1), "Plain-byte"),
    (("Plain-integer64", 2**64), "Plain-integer64"), (("Plain-combo-ip", "x"), "Plain-combo-ip"), (("Plain-combo-ip", 7), "Plain-combo-ip"),
    (("Plain-ipv4prefix", "192.0.2.1/24"), "Plain-ipv4prefix"), (("Plain-string", "x\udc80"), "Plain-string"),
    (("Plain-octets", "text"), "Plain-octets"), (("Wide-octets", "text"), "Wide-octets"), (("Ext246-octets", b""), "Ext246-octets")])
def test_what_cannot_be_is_named(item, field):
    with pytest.raises(fc.EncodeError) as refusal:
        fc.RadiusPacket(1, 1, bytes(16), [item]).encode()
    assert refusal.value.field == field


@pytest.mark.parametrize(("item", "value"), [
    (("Plain-ifid", "0000-0-a-1"), "0:0:a:1"), (("Plain-ether", "0-1B-24-b5-6E-1"), "00:1b:24:b5:6e:01"),
    (("Plain-ifid", bytes(8)), "0:0:0:0"), (("Plain-combo-ip", "192.0.2.1"), IPv4Address("192.0.2.1")),
    (("Plain-combo-ip", "2001:db8::1"), IPv6Address("2001:db8::1")), (("Plain-ipv4prefix", "192.0.2.0/24"), IPv4Network("192.0.2.0/24")),
    (("Plain-ipv6prefix", "2001:db8::/33"), IPv6Network("2001:db8::/33")), (("Plain-octets", bytearray(b"x")), b"x"),
    (("Group", [("Group-ether", bytes(6))]), [("Group-ether", "00:00:00:00:00:00")]), (("Group", b"\x65\x03x"), [("Group-string", "x")]),
    (("List-short", [1]), [1]), (("Plain-string", b"\xff"), b"\xff")])
def test_other_ways_to_say_it(item, value):
    assert fc.RadiusPacket.decode(fc.RadiusPacket(1, 1, bytes(16), [item]).encode()).attributes[item[0]] == value


def test_fragments_apart_and_several_in_one_are_read_but_not_canonical():
    """RFC 6929 2.2: the receiver MUST cope with other attributes between fragments; RFC 2865 5.26: several in one."""
    first, last = b"\xf6\xff\x66\x80" + b"x" * 251, b"\xf6\x07\x66\x7fyyy"
    for body in (first + b"\x19\x03c" + last, first + last):
        packet = fc.RadiusPacket.decode(bytes((1, 1)) + (20 + len(body)).to_bytes(2, "big") + bytes(16) + body)
        assert packet.attributes["Ext246-octets"] == b"x" * 251 + b"yyy"
        assert not packet.attributes.canonical, "apart, and with reserved bits of the last one's flags"
    body = b"\x1a\x10" + (40003).to_bytes(4, "big") + b"\0\x6a\x04a" + b"\0\x65\x06abc"
    packet = fc.RadiusPacket.decode(bytes((1, 1)) + (20 + len(body)).to_bytes(2, "big") + bytes(16) + body)
    assert list(packet.attributes) == [("Two-One-byte", 97), ("Two-One-string", "abc")]
    assert not packet.attributes.canonical
    assert packet.encode()[20:] == body
