"""Packets in tunnels: known answers, scapy's, round trips; nothing read past the end; fragments named."""
import json
from ipaddress import IPv4Address, IPv6Address
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scapy.layers.inet import ICMP, IP, UDP
from scapy.layers.inet6 import (
    MIP6MH_BU,
    ICMPv6EchoRequest,
    IPv6,
    IPv6ExtHdrDestOpt,
    IPv6ExtHdrFragment,
    IPv6ExtHdrHopByHop,
    IPv6ExtHdrRouting,
)
from scapy.layers.l2 import GRE

import fastcodec as fc
from fastcodec.headers import DONT_FRAGMENT, GRE_CHECKSUM, MORE_FRAGMENTS
from fastcodec.status import Status

FILE = json.loads((Path(__file__).parents[1] / "vectors" / "mobileip6.json").read_text())
VECTORS = {v["id"]: v for v in FILE["vectors"]}
HERE, THERE = IPv4Address("198.51.100.77"), IPv4Address("203.0.113.10")
SIX = bytes(IPv6(src="2001:db8::1", dst="2001:db8::2") / ICMPv6EchoRequest(data=b"abc"))
FOUR = bytes(IP(src="192.0.2.25", dst="192.0.2.1", tos=0x2e, id=7, flags="DF", ttl=9) / ICMP() / b"abc")
KINDS = {fc.TunnelKind.TUNNEL_IPV4: [FOUR], fc.TunnelKind.TUNNEL_IPV6: [SIX], fc.TunnelKind.TUNNEL_GRE: [FOUR, SIX],
         fc.TunnelKind.TUNNEL_UDP: [FOUR, SIX], fc.TunnelKind.TUNNEL_DSMIPV6: [FOUR, SIX], fc.TunnelKind.TUNNEL_MINIMAL: [FOUR]}
PAIRS = [(kind, inner) for kind, inners in KINDS.items() for inner in inners]


def packet(name):
    return bytes.fromhex(VECTORS[name]["packet_hex"])


# ---- known answers

@pytest.mark.parametrize(("name", "kind", "extra"), [
    ("m6-13", fc.TunnelKind.TUNNEL_DSMIPV6, {}), ("m6-14", fc.TunnelKind.TUNNEL_DSMIPV6, {}), ("m6-15", fc.TunnelKind.TUNNEL_IPV6, {}),
    ("m6-16", fc.TunnelKind.TUNNEL_GRE, {}), ("m6-17", fc.TunnelKind.TUNNEL_GRE, {"key": 0xdeadbeef}),
    ("m4-35", fc.TunnelKind.TUNNEL_UDP, {}), ("m4-36", fc.TunnelKind.TUNNEL_UDP, {})])
def test_known_answer(name, kind, extra):
    data = packet(name)
    found = fc.unwrap(data)
    assert found.kind == kind
    assert found.key == extra.get("key")
    if "ipv6_hex" in VECTORS[name]:
        assert bytes(found.inner).hex() == VECTORS[name]["ipv6_hex"]
    ports = {}
    if isinstance(found.header, fc.UdpHeader):
        ports = {"source_port": found.header.source_port, "destination_port": found.header.destination_port}
    again = fc.wrap(kind, found.inner, found.outer.source, found.outer.destination, ttl=found.outer.ttl, tos=found.outer.tos,
                    identification=found.outer.identification, dont_fragment=bool(found.outer.fragment & DONT_FRAGMENT), **ports,
                    **extra)
    assert again == data


def test_tunnel_in_a_tunnel():
    """Through a foreign agent, RFC 5454 3.3.2: IPv6 in IPv4 in IPv4."""
    outer = fc.unwrap(packet("m6-18"))
    inner = fc.unwrap(outer.inner)
    assert (outer.kind, inner.kind) == (fc.TunnelKind.TUNNEL_IPV4, fc.TunnelKind.TUNNEL_IPV6)
    assert bytes(inner.inner).hex() == VECTORS["m6-18"]["ipv6_hex"]
    assert fc.look(inner.inner).protocol == fc.Protocol.MOBILITY_HEADER


# ---- scapy reads what we wrap, we read what scapy wraps

@pytest.mark.parametrize(("kind", "inner"), PAIRS)
def test_scapy_reads_it(kind, inner):
    data = fc.wrap(kind, inner, HERE, THERE, identification=77)
    theirs = IP(data)
    again = IP(data)
    del again.chksum, again.len
    if UDP in again and kind in (fc.TunnelKind.TUNNEL_UDP, fc.TunnelKind.TUNNEL_DSMIPV6):
        del again[UDP].chksum, again[UDP].len
    assert bytes(again) == data, "checksums and lengths are those that scapy computes"
    assert (theirs.src, theirs.dst) == (str(HERE), str(THERE))
    assert bytes(fc.unwrap(data).inner) == inner


def test_we_read_what_scapy_wraps():
    for theirs, kind, inner in (
            (IP(src="192.0.2.1", dst="192.0.2.2") / IPv6(SIX), 41, SIX), (IP(src="192.0.2.1", dst="192.0.2.2") / IP(FOUR), 4, FOUR),
            (IP() / GRE(key_present=1, key=7, seqnum_present=1, sequence_number=9, chksum_present=1) / IPv6(SIX), 47, SIX),
            (IP(options=b"\1\1\1\0") / GRE() / IP(FOUR), 47, FOUR)):
        found = fc.unwrap(bytes(theirs))
        assert (found.kind, bytes(found.inner)) == (kind, inner)
    keyed = fc.unwrap(bytes(IP() / GRE(key_present=1, key=7, seqnum_present=1, sequence_number=9, chksum_present=1) / IPv6(SIX)))
    assert (keyed.key, keyed.sequence, keyed.header.flags & GRE_CHECKSUM) == (7, 9, GRE_CHECKSUM)


def test_other_encapsulations_inside_udp():
    """RFC 3519 3.3: the next header may be 47 or 55, too."""
    gre = bytes(IP(src="192.0.2.1", dst="192.0.2.2") / UDP(sport=434, dport=434) / (b"\4\x2f\0\0" + bytes(GRE() / IPv6(SIX))))
    assert (fc.unwrap(gre).kind, bytes(fc.unwrap(gre).inner)) == (fc.TunnelKind.TUNNEL_UDP, SIX)
    hidden = fc.wrap(55, FOUR, HERE, THERE)
    minimal = IP(hidden)
    minimal.proto, minimal.payload = 17, UDP(sport=434, dport=434) / (b"\4\x37\0\0" + hidden[20:])
    del minimal.chksum, minimal.len
    assert bytes(fc.unwrap(bytes(minimal)).inner) == FOUR


# ---- rules

def test_outer_header_takes_after_the_inner():
    """RFC 2003 3.1 for IPv4: TOS and DF; RFC 4213 3.5 for IPv6: neither."""
    four, six = (fc.unwrap(fc.wrap(kind, inner, HERE, THERE)).outer for kind, inner in ((4, FOUR), (41, SIX)))
    assert (four.tos, four.fragment) == (0x2e, DONT_FRAGMENT)
    assert (six.tos, six.fragment) == (0, 0)
    forced = fc.unwrap(fc.wrap(4, FOUR, HERE, THERE, tos=1, ttl=3, dont_fragment=False)).outer
    assert (forced.tos, forced.ttl, forced.fragment) == (1, 3, 0)


@pytest.mark.parametrize("source", ["192.0.2.25", "198.51.100.77"])
def test_minimal_encapsulation(source):
    """RFC 2004 3.1: 8 octets from the packet's own source, 12 from another; the packet comes out as it went in."""
    data = fc.wrap(fc.TunnelKind.TUNNEL_MINIMAL, FOUR, source, THERE)
    found = fc.unwrap(data)
    assert len(data) - len(FOUR) == (8 if source == "192.0.2.25" else 12)
    assert bytes(found.inner) == FOUR
    assert (found.outer.ttl, found.outer.identification, found.outer.tos) == (9, 7, 0x2e)
    assert found.header.destination == IPv4Address("192.0.2.1")
    assert IP(data).chksum == IP(bytes(IP(data))).chksum
    with_options = bytes(IP(src="192.0.2.25", dst="192.0.2.1", options=b"\x94\4\0\0") / ICMP())
    assert bytes(fc.unwrap(fc.wrap(55, with_options, source, THERE)).inner) == with_options


@pytest.mark.parametrize("source", ["ff02::1", "::1", "::192.0.2.1", "::ffff:192.0.2.1"])
def test_sources_that_send_nothing(source):
    bad = bytes(IPv6(src=source, dst="2001:db8::2") / ICMPv6EchoRequest())
    data = fc.wrap(41, bad, HERE, THERE)
    with pytest.raises(fc.DecodeError) as refusal:
        fc.unwrap(data)
    assert (refusal.value.status, refusal.value.offset) == (Status.BAD_EXTENSION, 28)
    assert bytes(fc.unwrap(data, check_source=False).inner) == bad
    assert fc.unwrap(fc.wrap(41, bytes(IPv6(src="::", dst="ff02::2") / ICMPv6EchoRequest()), HERE, THERE))


def test_inner_packet_ends_by_its_own_header():
    for kind, inner in PAIRS:
        assert fc.wrap(kind, inner + b"trailer", HERE, THERE) == fc.wrap(kind, inner, HERE, THERE)
    data = bytes(IP(src="192.0.2.1", dst="192.0.2.2", proto=41) / (SIX + b"padding"))
    assert bytes(fc.unwrap(data).inner) == SIX


@pytest.mark.parametrize(("kind", "inner"), PAIRS)
def test_fragments_are_named(kind, inner):
    data = fc.wrap(kind, inner, HERE, THERE)
    for part in (MORE_FRAGMENTS, 1):
        broken = IP(data)
        broken.flags, broken.frag = (1 if part == MORE_FRAGMENTS else 0), part & 0x1fff
        del broken.chksum
        with pytest.raises(fc.DecodeError) as refusal:
            fc.unwrap(bytes(broken))
        assert refusal.value.status == Status.FRAGMENT


@pytest.mark.parametrize(("kind", "inner"), PAIRS)
def test_cut_and_flipped(kind, inner):
    extra = {"checksum": True, "key": 1, "sequence": 2} if kind == fc.TunnelKind.TUNNEL_GRE else {}
    data = fc.wrap(kind, inner, HERE, THERE, **extra)
    for n in range(len(data)):
        with pytest.raises(fc.DecodeError):
            fc.unwrap(data[:n])
    for at in range(20):
        with pytest.raises(fc.DecodeError):
            fc.unwrap(data[:at] + bytes([data[at] ^ 4]) + data[at + 1:])
    if extra:
        for at in range(20, len(data)):
            with pytest.raises(fc.DecodeError):
                fc.unwrap(data[:at] + bytes([data[at] ^ 1]) + data[at + 1:])


@pytest.mark.parametrize("flags", [0x4000, 0x0800, 0x0007, 0x0001])
def test_gre_bits_that_are_not_ours(flags):
    data = bytearray(fc.wrap(47, SIX, HERE, THERE))
    data[20:22] = flags.to_bytes(2)
    with pytest.raises(fc.DecodeError) as refusal:
        fc.unwrap(bytes(data))
    assert refusal.value.status == Status.WRONG_TYPE


@pytest.mark.parametrize(("call", "field"), [
    (lambda: fc.wrap(41, FOUR, HERE, THERE), "inner"), (lambda: fc.wrap(4, SIX, HERE, THERE), "inner"),
    (lambda: fc.wrap(55, SIX, HERE, THERE), "inner"), (lambda: fc.wrap(5, SIX, HERE, THERE), "kind"),
    (lambda: fc.wrap(4, FOUR[:30], HERE, THERE), "inner"), (lambda: fc.wrap(4, b"", HERE, THERE), "inner"),
    (lambda: fc.wrap(55, bytes(IP(flags="MF") / ICMP()), HERE, THERE), "inner"), (lambda: fc.wrap(4, FOUR, "x", THERE), "source"),
    (lambda: fc.wrap(47, FOUR, HERE, THERE, key=2**32), "key"), (lambda: fc.wrap(17, FOUR, HERE, THERE, source_port=-1), "source_port"),
    (lambda: fc.wrap(4, bytes(IP() / bytes(65510)), HERE, THERE), "inner"),
    (lambda: fc.wrap(55, bytes(IP() / bytes(65510)), HERE, THERE), "inner")])
def test_encode_error_names_the_field(call, field):
    with pytest.raises(fc.EncodeError) as refusal:
        call()
    assert refusal.value.field == field


@given(st.binary(max_size=120), st.sampled_from([4, 17, 41, 47, 55]))
def test_any_octets(body, protocol):
    data = bytes(IP(src="192.0.2.1", dst="192.0.2.2", proto=protocol) / body)
    try:
        found = fc.unwrap(data, check_source=False)
    except fc.DecodeError as refusal:
        offset = refusal.offset
        assert 0 <= offset <= len(data)
        return
    assert len(found.inner) <= len(data)


@given(st.binary(max_size=200))
def test_looking_at_any_octets(data):
    try:
        at = fc.look(data)
    except fc.DecodeError as refusal:
        offset = refusal.offset
        assert 0 <= offset <= len(data)
        return
    assert at.upper <= len(data)


# ---- the walk to the upper layer

def test_extension_headers():
    headers = IPv6(src="2001:db8::1", dst="2001:db8::2") / IPv6ExtHdrHopByHop() / IPv6ExtHdrRouting(addresses=["2001:db8::3"]) \
        / IPv6ExtHdrDestOpt() / IPv6ExtHdrFragment(offset=0, m=0) / UDP(sport=5, dport=434) / b"hello"
    at = fc.look(bytes(headers))
    assert (at.protocol, bytes(at.payload), at.source_port, at.destination_port) == (17, b"hello", 5, 434)
    assert at.fragment == fc.Fragment.WHOLE
    first = fc.look(bytes(IPv6() / IPv6ExtHdrFragment(offset=0, m=1) / UDP(len=2000) / b"part"))
    later = fc.look(bytes(IPv6() / IPv6ExtHdrFragment(offset=5, m=0, nh=17) / b"part"))
    assert (first.fragment, bytes(first.payload)) == (fc.Fragment.FIRST, b"part")
    assert (later.fragment, bytes(later.payload)) == (fc.Fragment.LATER, b"part")


def test_home_addresses_stand_in_for_those_of_the_header():
    update = bytes.fromhex(VECTORS["m6-03"]["ipv6_hex"])
    acknowledgement = bytes.fromhex(VECTORS["m6-04"]["ipv6_hex"])
    home = IPv6Address("2001:db8:100::25")
    assert (fc.look(update).source, fc.look(update).sender) == (home, IPv6Address("2001:db8:f:1::25"))
    assert (fc.look(acknowledgement).destination, fc.look(acknowledgement).receiver) == (home, IPv6Address("2001:db8:f:1::25"))


@pytest.mark.parametrize("name", [v for v in VECTORS if v.startswith("m6")])
def test_scapy_finds_the_same(name):
    data = bytes.fromhex(VECTORS[name]["ipv6_hex"])
    at, theirs = fc.look(data), IPv6(data)
    assert (str(at.sender), str(at.receiver)) == (theirs.src, theirs.dst)
    if VECTORS[name]["fields"]["mh_type"] == 5:
        assert theirs[MIP6MH_BU].seq == VECTORS[name]["fields"]["sequence"]


@given(st.binary(max_size=65))
def test_checksum_of_any_octets(data):
    ours = fc.checksum(data)
    words = data + bytes(len(data) % 2)
    total = sum(int.from_bytes(words[k:k + 2]) for k in range(0, len(words), 2))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    assert ours == total ^ 0xffff
