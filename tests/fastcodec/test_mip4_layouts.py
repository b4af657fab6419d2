"""Extensions that no vector holds, octet by octet as their RFCs draw them; their codes by name; what `lint` says of them."""
import contextlib
from ipaddress import IPv4Address as V4
from ipaddress import IPv6Address as V6

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import fastcodec as fc

HEAD = bytes.fromhex("03000708c0000219cb00710ac812ebc010000001")
A, B, C = V4("192.0.2.25"), V4("203.0.113.10"), V4("198.51.100.77")
HA, FH = fc.MnHaAuthentication(256), fc.FaHaAuthentication(256)

# octets as drawn, the object, what `str` says of its numbers
LAYOUTS = [
    ("2e 06 0000 c6336401", fc.GfaAddress(V4("198.51.100.1")), "address=198.51.100.1"),                                # RFC 4857 9.1
    ("8c 06 0000 c6336402", fc.HierarchicalForeignAgent(V4("198.51.100.2")), "address=198.51.100.2"),                  # 9.2
    ("8c 06 00ff c6336402", fc.HierarchicalForeignAgent(V4("198.51.100.2"), 255), "reserved=255"),
    ("8d 0a 0001 c812ebc010000001", fc.ReplayStyle(1, 0xc812ebc010000001), "style=STYLE_NONCE, identification=0xc812ebc010000001"),
    ("8e 06 0000 00000e10", fc.RegionalLifetime(3600), "lifetime=3600"),                                               # 9.4
    ("81 0a 0000 cb007101 0a000001", fc.SkipTraversal(V4("203.0.113.1"), V4("10.0.0.1")), "towards_home_agent=203.0.113.1"),
    ("8a 13 01 3331303135303132333435363738393a3132",                                                                  # RFC 4881 9.1
     fc.ImsiConnection("310150123456789:12"), "identity='310150123456789:12'"),
    ("8a 09 02 3901511032547698", fc.ImsiLinkLayerAddress(bytes.fromhex("3901511032547698")), "imsi=3901511032547698"),
    ("8a 07 03 00005e005301", fc.EthernetLinkLayerAddress(bytes.fromhex("00005e005301")), "address=00005e005301"),      # 9.3
    ("8a 09 04 02005efffe005301", fc.Eui64LinkLayerAddress(bytes.fromhex("02005efffe005301")), "address=02005efffe005301"),
    ("8a 05 05 c6336401", fc.SolicitedAddress(V4("198.51.100.1")), "address=198.51.100.1"),                            # 9.5
    ("8a 05 06 000000a7", fc.AccessPoint(0xa7), "identifier=0xa7"),                                                    # 9.6
    ("8a 05 07 c6336403", fc.ForeignAgentAddress(V4("198.51.100.3")), "address=198.51.100.3"),                         # 9.7
    ("99 02 01 c0", fc.RouteOptimizationCapability(0xc0), "flags=A|R"),                                                # RFC 6521 5.1
    ("99 06 01 20 c0000219", fc.RouteOptimizationCapability(0x20, (A,)), "flags=S, mobile_routers=[192.0.2.25]"),
    ("31 02 01 c0", fc.RouteOptimizationReply(0xc0), "flags_and_code=O|N+OPTIMIZATION_WILL_DO"),                       # 5.2
    ("31 02 01 30", fc.RouteOptimizationReply(0x30), "flags_and_code=S+OPTIMIZATION_DECLINED"),
    ("31 16 02 00 0007 0009 000102030405060708090a0b0c0d0e0f", fc.MobileCorrespondentAuthentication(7, 9, bytes(range(16))),
     "proof=000102030405060708090a0b0c0d0e0f"),                             # 5.3
    ("31 0a 03 00 c6336401 c633644d", fc.CareOfAddresses((V4("198.51.100.1"), C)), "addresses=[198.51.100.1, 198.51.100.77]"),
    ("32 01 0005 40c0000219", fc.RouteOptimizationPrefixes(bytes.fromhex("40c0000219")), "value=40c0000219"),           # 5.5
    ("9a 01 0004 05 02 07 80", fc.MultipathBinding(5, 2, 7, 0x80), "label=2, binding=7, flags=B"),                     # RFC 7629 4.1
    ("9a 02 0009 01 02 0703 01 00000800", fc.FlowBinding.of(1, (7, 3), 1, bytes.fromhex("00000800")), "action=FLOW_FORWARD, count=2"),
    ("2c 06 00 40 8000 006e", fc.UdpTunnelReply(64, 0x8000, 110), "code=TUNNEL_DECLINED, flags=F, keepalive=110"),     # RFC 3519 3.2
    ("98 14 02 09 40 00" + "20010db8000f0001" + "00" * 8, fc.Ipv6PrefixReply(9, 64, V6("2001:db8:f:1::")),
     "code=PREFIX_ADMINISTRATIVELY_PROHIBITED, prefix_length=64"),                                                     # RFC 5454 2.2
    ("94 08 01 03 18 00 c0000200", fc.MobileNetworkAcknowledgment(1, 3, 24, V4("192.0.2.0")), "code=MOBILE_NETWORK_FORWARDING_FAILED"),
    ("2f 01 0001 02", fc.ProxyAuthenticationMethod(2), "method=PROXY_IPSEC"),                                          # RFC 5563 5.1
    ("93 08 02 01 00005e005301", fc.ProxyDeviceId(1, bytes.fromhex("00005e005301")), "kind=DEVICE_ETHERNET_ADDRESS"),
    ("93 03 03 01 21", fc.ProxySubscriberId(1, b"!"), "kind=SUBSCRIBER_IMSI"),
    ("93 02 04 05", fc.ProxyAccessTechnology(5), "technology=ACCESS_LTE"),
    ("2b 01 0014 00000e10 00000200 00001001 0002 0003 a0a1a2a3", fc.NonceReply(3600, 0x200, 0x1001, 2, 3, bytes.fromhex("a0a1a2a3")),
     "algorithm=KEY_HMAC_SHA, replay_method=METHOD_NONCES"),                                                           # RFC 3957 6.4
]


@pytest.mark.parametrize(("drawn", "extension", "shown"), LAYOUTS, ids=lambda v: type(v).__name__ if isinstance(v, fc.Extension) else "")
def test_octets_as_drawn(drawn, extension, shown):
    octets = HEAD + bytes.fromhex(drawn)
    message = fc.Mip4Message.decode(octets)
    assert message.extensions == [extension]
    assert message.encode() == octets
    assert shown in str(extension), str(extension)
    assert fc.Mip4Message.from_json(message.to_json()) == message


@pytest.mark.parametrize("drawn", ["8d 02 0001", "8a 06 03 0000000000", "8a 05 08 00000000", "99 02 02 00", "31 02 04 00", "32 02 0001 00",
                                   "9a 03 0001 00", "9a 01 0003 050207", "81 09 0000 cb007101 0a0000", "8c 05 0000 c63364"])
def test_what_fits_no_layout_passes_through(drawn):
    """Other subtypes and other lengths: octets, whole. RFC 4857 9.3 says "Length 2" below a drawing of ten octets."""
    octets = HEAD + bytes.fromhex(drawn)
    message = fc.Mip4Message.decode(octets)
    assert message.extensions == [fc.UnknownExtension(bytes.fromhex(drawn))]
    assert message.encode() == octets


def test_parts_of_a_flow():
    flow = fc.FlowBinding.of(0, (255,), fc.SelectorFormat.SELECTOR_IPV6, b"selector")
    assert (flow.bindings, flow.selector_format, flow.selector) == ((255,), 2, b"selector")
    cut = fc.FlowBinding(1, 3, b"\1\2")
    assert (cut.bindings, cut.selector_format, cut.selector) == ((1, 2), None, b"")
    with pytest.raises(fc.EncodeError) as refusal:
        fc.FlowBinding.of(1, (256,), 1)
    assert refusal.value.field == "FlowBinding.bindings"
    with pytest.raises(fc.EncodeError) as refusal:
        fc.FlowBinding.of(1, (1,), 300)
    assert refusal.value.field == "FlowBinding.selector_format"
    reply = fc.RouteOptimizationReply(0xb0)
    assert (reply.flags, reply.code) == (0xa0, fc.OptimizationCode.OPTIMIZATION_DECLINED)


# ---- networks of route optimization, with the examples of RFC 6521 4.1 and 4.2.3 --------------------------------------

def realm(*labels):
    return b"".join(bytes((len(label),)) + label for label in labels)


def test_prefixes_as_differences():
    """RFC 6521 4.1: 192.0.2.0/28 whole, 192.0.2.64/26 and 192.0.2.128/25 by one octet each."""
    octets = bytes.fromhex("41c0000219" "1cc000020000" "9a0900" "990500")
    assert fc.RouteOptimizationPrefixes(octets).prefixes() == [
        fc.RoutePrefix(A, True, V4("192.0.2.0"), 28), fc.RoutePrefix(A, True, V4("192.0.2.64"), 26),
        fc.RoutePrefix(A, True, V4("192.0.2.128"), 25)]


def test_realms_by_a_dictionary():
    """RFC 6521 4.2.3: five realms of 79 octets in 35, without their end marks."""
    realms = [realm(b"foo", b"example", b"com"), realm(b"bar") + b"\x83", realm(b"buz") + b"\x80\x81" + realm(b"org"), b"\x84",
              b"\x85\x84\x87"]
    assert sum(map(len, realms)) == 35
    octets = bytes.fromhex("40c0000219") + b"".join(b"\x08\x0a" + text + b"\0" for text in realms)
    names = ["foo.example.com", "bar.foo.example.com", "buz.foo.example.org", "example.com", "bar.example.com.org"]
    assert [p.realm for p in fc.route_prefixes(octets)] == names
    assert {(p.address, p.length) for p in fc.route_prefixes(octets)} == {(V4("10.0.0.0"), 8)}


def test_routers_without_networks_and_several():
    octets = bytes.fromhex("40c0000201" "41c0000202" "0000" "40c0000203" "20c000020300")
    assert fc.route_prefixes(octets) == [
        fc.RoutePrefix(V4("192.0.2.1"), False), fc.RoutePrefix(V4("192.0.2.2"), True, V4(0), 0),
        fc.RoutePrefix(V4("192.0.2.3"), False, V4("192.0.2.3"), 32)]
    assert fc.route_prefixes(b"") == []
    assert fc.route_prefixes(bytes.fromhex("40c0000203")) == [fc.RoutePrefix(V4("192.0.2.3"), False)]


def test_what_enters_the_dictionary():
    """Suffixes of the labels behind the last one told by index, RFC 6521 4.2.2: "c.d" is 4, and "b.c.d" nothing."""
    texts = [realm(b"a"), realm(b"b") + b"\x80" + realm(b"c", b"d"), b"\x84"]
    octets = bytes.fromhex("40c0000203") + b"".join(b"\0" + text + b"\0" for text in texts)
    assert [p.realm for p in fc.route_prefixes(octets)] == ["a", "b.a.c.d", "c.d"]


def test_a_difference_of_less_than_an_octet():
    """Of a prefix of 4 bits one octet is told, and the last four bits of it count."""
    octets = bytes.fromhex("40c0000203" "080a00" "84fc00" "800000")
    assert [(p.address, p.length) for p in fc.route_prefixes(octets)] == [(V4("10.0.0.0"), 8), (V4("192.0.0.0"), 4), (V4(0), 0)]


def test_the_dictionary_rolls_over():
    """The 129th string takes the place of the first, RFC 6521 4.2.1."""
    labels = [b"label%d" % k for k in range(129)]
    octets = bytes.fromhex("40c0000203") + b"".join(b"\0" + realm(label) + b"\0" for label in labels) + b"\0\x80\0" + b"\0\x81\0"
    assert [p.realm for p in fc.route_prefixes(octets)][-2:] == ["label128", "label1"]


@pytest.mark.parametrize(("octets", "offset", "reason"), [
    ("08c000", 1, "before any"), ("40c00002", 1, "octets"), ("40c0000203 2100", 6, "33 bits"), ("40c0000203 8801", 6, "no prefix"),
    ("40c0000203 080a", 7, "octets"), ("40c0000203 080a03616200", 11, "octets"), ("40c0000203 080a8000", 8, "label 0 of 0"),
    ("40c0000203 080a7f" + "61" * 127 + "808000", 136, "realm")])
def test_what_cannot_be_read(octets, offset, reason):
    with pytest.raises(fc.DecodeError, match=reason) as refusal:
        fc.route_prefixes(bytes.fromhex(octets))
    assert refusal.value.offset == offset


# ---- codes by their names ---------------------------------------------------------------------------------------------

def noted(direction, code, *extensions):
    return fc.NotificationAcknowledgment(direction, code, A, B, C, 1, list(extensions))


def test_notification_codes():
    """RFC 6098 4.2, 6: 64-69 are a foreign agent's, 128-133 a home agent's, 192-197 a mobile node's."""
    assert {int(code) for code in fc.NotificationCode} == {0, *range(64, 70), *range(128, 134), *range(192, 198)}
    assert [fc.NotificationCode(code).name for code in (69, 133, 197)] == [
        "NOTIFICATION_FA_IDENTIFICATION_MISMATCH", "NOTIFICATION_IDENTIFICATION_MISMATCH", "NOTIFICATION_MN_IDENTIFICATION_MISMATCH"]
    for code in fc.NotificationCode:
        message = noted(0, code)
        assert f"code={code.name}," in str(message)
        assert fc.Mip4Message.decode(message.encode()).code == code
        assert fc.Mip4Message.from_json(message.to_json()) == message
    assert "code=70," in str(noted(0, 70))


# ---- lint -------------------------------------------------------------------------------------------------------------

def request(*extensions, flags=0):
    return fc.RegistrationRequest(flags, 60, A, B, C, 1, list(extensions))


def reply(*extensions, code=0):
    return fc.RegistrationReply(code, 60, A, B, 1, list(extensions))


def raw(text):
    return fc.UnknownExtension(bytes.fromhex(text))


PREFIX, NETWORK = V6("2001:db8:f:1::"), V4("192.0.2.0")
CASES = [
    (noted(5, 69, FH), []), (noted(1, 133, FH), []), (noted(2, 197, HA), []), (noted(0, 0, HA), []),
    (noted(4, 64, fc.MnFaAuthentication(256)), []),
    (noted(0, 70, HA), ["unassigned-code"]), (noted(0, 69, HA), ["code-of-another"]), (noted(5, 133, FH), ["code-of-another"]),
    (noted(2, 128, HA), ["code-of-another"]), (noted(9, 1), ["direction", "unassigned-code"]), (noted(9, 64), ["direction"]),
    (reply(fc.UdpTunnelReply(64, 0x8000, 0), HA), []), (reply(fc.UdpTunnelReply(1, 0, 0), HA), ["unassigned-code"]),
    (reply(fc.UdpTunnelReply(0, 1, 0), HA), ["reserved-octets"]), (request(fc.UdpTunnelRequest(0xc0, 47), HA, flags=0x20), []),
    (request(fc.UdpTunnelRequest(1, 47), HA, flags=0x20), ["reserved-octets"]),
    (request(fc.UdpTunnelRequest(0, 0, 0, 1), HA, flags=0x20), ["reserved-octets"]),
    (request(fc.UdpTunnelRequest(0, 41), HA, flags=0x20), ["encapsulation"]),
    (reply(fc.Ipv6PrefixReply(8, 64, PREFIX), HA), []), (reply(fc.Ipv6PrefixReply(2, 64, PREFIX), HA), ["unassigned-code"]),
    (reply(fc.Ipv6PrefixReply(0, 255, V6("fe80::1")), HA), []), (reply(fc.Ipv6PrefixReply(0, 129, PREFIX), HA), ["prefix-length"]),
    (reply(fc.Ipv6PrefixReply(0, 48, PREFIX), HA), ["prefix-bits"]), (reply(fc.Ipv6PrefixReply(0, 64, PREFIX, 1), HA), ["reserved-octets"]),
    (reply(fc.Ipv6PrefixRequest(64, PREFIX), HA), ["wrong-message"]), (request(fc.Ipv6PrefixReply(0, 64, PREFIX), HA), ["wrong-message"]),
    (request(fc.Ipv6PrefixRequest(200, PREFIX), HA), ["prefix-length"]),
    (request(fc.Ipv6TunnelingMode(1), HA, flags=0x20), ["reserved-octets"]),
    (request(raw("98 03 03 0000"), HA, flags=0x20), ["length"]), (request(raw("98 02 09 00"), HA), []),
    (reply(fc.MobileNetworkAcknowledgment(1, 3, 24, NETWORK), HA), []),
    (reply(fc.MobileNetworkRequest(24, NETWORK), HA), ["wrong-message"]),
    (reply(fc.MobileNetworkAcknowledgment(2, 4, 24, NETWORK), HA), ["unassigned-code"]),
    (reply(fc.MobileNetworkAcknowledgment(2, 0, 33, NETWORK), HA), ["prefix-length"]),
    (reply(fc.MobileNetworkAcknowledgment(2, 0, 32, NETWORK, 1), HA), ["reserved-octets"]),
    (request(fc.MobileNetworkRequest(33, NETWORK), HA), ["prefix-length"]),
    (request(fc.MobileNetworkAcknowledgment(1, 0, 24, NETWORK), HA), ["wrong-message"]),
    (request(HA, fc.GfaAddress(B), FH), []), (request(HA, FH, fc.GfaAddress(B)), ["order", "not-covered"]),
    (request(HA, fc.HierarchicalForeignAgent(B, 1), FH), ["reserved-octets"]),
    (reply(fc.HierarchicalForeignAgent(B), HA), ["wrong-message"]),
    (request(HA, raw("8c 05 0000 c63364"), FH), ["length"]), (request(fc.RegionalLifetime(1), HA), ["wrong-message"]),
    (reply(HA, fc.RegionalLifetime(1), fc.MnFaAuthentication(256)), []), (request(fc.ReplayStyle(2, 1), HA), ["replay-method"]),
    (request(raw("8d 02 0001"), HA), []), (request(fc.SkipTraversal(B, A), HA), []), (request(HA, fc.SkipTraversal(B, A), FH), ["order"]),
    (request(fc.EthernetLinkLayerAddress(bytes(6)), HA), []), (request(raw("8a 06 03 0000000000"), HA), ["length"]),
    (request(fc.RouteOptimizationCapability(0xc0), HA), []), (request(fc.RouteOptimizationCapability(0x20), HA), ["solicited-router"]),
    (request(fc.RouteOptimizationCapability(0xc0, (B,)), HA), ["solicited-router"]),
    (request(fc.RouteOptimizationCapability(0xc1), HA), ["reserved-octets"]),
    (reply(fc.RouteOptimizationCapability(0), HA), ["wrong-message"]),
    (reply(fc.RouteOptimizationReply(0xd0), HA), []), (reply(fc.RouteOptimizationReply(0x01), HA), ["unassigned-code"]),
    (request(fc.RouteOptimizationReply(0), HA), ["wrong-message"]), (request(fc.CareOfAddresses((B,)), HA), ["wrong-message"]),
    (reply(fc.CareOfAddresses((B,), 1), HA), ["reserved-octets"]), (request(fc.MobileCorrespondentAuthentication(1, 2, bytes(16))), []),
    (reply(fc.CareOfAddresses((B,)), fc.MobileCorrespondentAuthentication(1, 2, bytes(16))), []),
    (request(fc.RouteOptimizationPrefixes(b""), HA), ["wrong-message"]),
    (request(fc.MultipathBinding(5, 1, 1, 0x40), HA), []), (request(fc.MultipathBinding(5, 1, 1, 0xc0), HA), ["binding-flags"]),
    (request(fc.MultipathBinding(5, 0, 1, 0), HA), ["binding"]), (request(fc.MultipathBinding(5, 1, 255, 0), HA), ["binding"]),
    (request(fc.MultipathBinding(5, 1, 1, 1), HA), ["reserved-octets"]), (reply(fc.MultipathBinding(5, 1, 1, 0), HA), ["wrong-message"]),
    (request(HA, fc.FlowBinding.of(1, (1,), 1), FH), ["order"]), (reply(fc.FlowBinding.of(1, (1, 2), 1), HA), []),
    (reply(fc.FlowBinding.of(1, (), 1), HA), ["flow"]), (reply(fc.FlowBinding.of(1, (1,), 0), HA), ["flow"]),
    (reply(fc.FlowBinding(1, 2, b"\1\2"), HA), ["flow"]), (reply(fc.FlowBinding.of(1, (1,) * 9, 1), HA), ["flow"]),
    (reply(fc.MessageString(1, "x"), HA), []), (request(fc.MessageString(1, "x"), HA), ["wrong-message"]),
]


@pytest.mark.parametrize(("message", "rules"), CASES, ids=lambda v: "-".join(v) or "right" if isinstance(v, list) else "")
def test_lint(message, rules):
    found = fc.lint(message)
    assert sorted(f.rule for f in found) == sorted(rules), list(map(str, found))
    assert all(f"[RFC {f.section}]" in str(f) and f.section[:4].isdigit() for f in found)


@settings(max_examples=500)
@given(st.sampled_from(LAYOUTS), st.lists(st.tuples(st.integers(0, 30), st.integers(0, 255)), max_size=3), st.integers(0, 4))
def test_never_raises(layout, changes, cut):
    """Whatever the octets of these extensions become: lint says something or nothing, and what decodes encodes to the same."""
    data = bytearray(HEAD + bytes.fromhex(layout[0]))
    for at, value in changes:
        data[len(HEAD) + at % (len(data) - len(HEAD))] = value
    data = bytes(data[:len(data) - cut])
    for finding in fc.lint(data):
        assert 0 <= finding.offset <= len(data)
        assert finding.section
    with contextlib.suppress(fc.DecodeError):
        message = fc.Mip4Message.decode(data)
        assert message.encode() == data
        str(message)


@settings(max_examples=300)
@given(st.binary(max_size=40) | st.lists(st.sampled_from([
    b"\x40\xc0\0\2\1", b"\x08\x0a\0", b"\x88\x01\0", b"\x03foo", b"\x80", b"\x81", b"\0"]), max_size=12).map(b"".join))
def test_networks_are_read_or_refused(octets):
    with contextlib.suppress(fc.DecodeError):
        assert all(0 <= prefix.length <= 32 for prefix in fc.route_prefixes(octets))
