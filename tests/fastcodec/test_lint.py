"""Rules of order, multiplicity, coverage and content: what is right has no finding, each rule finds what breaks it."""
import json
from ipaddress import IPv4Address, IPv6Address
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import fastcodec as fc

FILE = json.loads((Path(__file__).parents[1] / "vectors" / "mobileip.json").read_text())
GOOD = [v for v in FILE["vectors"] if v["kind"] != "negative"]
BAD = {"n4-01": ("malformed", 45), "n4-02": None, "n4-03": ("malformed", 45), "n4-04": ("malformed", 23), "n4-05": None,
       "n4-06": ("doubled", 42), "n4-07": ("reserved-flags", 1), "n4-08": ("length", 45), "n4-09": ("no-authorization", 45),
       "n4-10": None, "n4-11": ("length", 45), "n4-12": ("fa-ha-forbidden", 46)}
A, B, C = IPv4Address("192.0.2.25"), IPv4Address("203.0.113.10"), IPv4Address("198.51.100.77")
DIRECT, TUNNEL = fc.Flag.FLAG_D, fc.Flag.FLAG_T


def octets(vector):
    return bytes.fromhex(vector["message_hex"])


@pytest.mark.parametrize("vector", GOOD, ids=lambda v: v["id"])
def test_what_is_right_has_no_finding(vector):
    assert fc.lint(octets(vector)) == []
    if vector["kind"] == "mip4":
        assert fc.lint(fc.Mip4Message.decode(octets(vector))) == []


@pytest.mark.parametrize("vector", [v for v in FILE["vectors"] if v["kind"] == "negative"], ids=lambda v: v["id"])
def test_negatives(vector):
    """Those without finding are wrong by a key, a vendor or a rule of the receiver only."""
    found = [(f.rule, f.offset) for f in fc.lint(octets(vector))]
    assert found[:1] == ([BAD[vector["id"]]] if BAD[vector["id"]] else [])


def request(*extensions, flags=0, lifetime=60, home=A, agent=B):
    return fc.RegistrationRequest(flags, lifetime, home, agent, C, 1, list(extensions))


def reply(*extensions, code=0, home=A, agent=B):
    return fc.RegistrationReply(code, 60, home, agent, 1, list(extensions))


def notification(direction, *extensions, flags=0):
    return fc.GenericNotification(direction, flags, A, B, C, 1, list(extensions))


def advertisement(*extensions, code=0):
    return fc.AgentAdvertisement(code, 60, [fc.RouterAddress(B)], list(extensions))


HA, FA, FH, AAA = (kind(256) for kind in (fc.MnHaAuthentication, fc.MnFaAuthentication, fc.FaHaAuthentication,
                                          fc.GeneralizedAuthentication))
NAI, CHALLENGE = fc.Nai("mn@home.example"), fc.Challenge(bytes(16))
ANY = IPv4Address("255.255.255.255")
AGENT = fc.MobilityAgent(0, 60, 0x1000, (B,))
CASES = [
    (request(NAI, HA), []), (request(HA, NAI), ["order", "not-covered"]), (request(AAA, HA), ["order"]),
    (request(NAI, HA, CHALLENGE, AAA), []), (request(NAI, CHALLENGE, HA, AAA), ["order"]),
    (request(NAI, HA, CHALLENGE), ["challenge-not-covered", "not-covered"]), (request(HA, FH, FA), ["order"]),
    (request(HA, FA), []), (request(FA, HA), ["order"]), (request(AAA, CHALLENGE, FA), ["order"]),
    (request(FH, AAA), ["order"]), (request(HA, fc.NonceRequest(256)), ["order", "not-covered"]),
    (request(AAA, fc.MnFaNonceRequest(256), FA), ["order"]), (request(HA, fc.DeliveryStyle(), FA), ["delivery-without-tunnel"]),
    (request(HA, fc.DeliveryStyle(), FA, flags=TUNNEL), []), (request(fc.DeliveryStyle(), HA, FA, flags=TUNNEL), ["order"]),
    (request(HA, FA, fc.DeliveryStyle(), flags=TUNNEL), ["order", "not-covered"]), (request(HA, fc.GreKey(1), FH), []),
    (request(fc.GreKey(1), HA, FH), ["order"]), (request(HA, FH, fc.GreKey(1)), ["order", "not-covered"]),
    (request(HA, fc.HomeAgentIdentity("a@b"), FH), ["order"]), (request(HA, flags=0x05), ["reserved-flags", "reserved-flags"]),
    (request(HA, fc.NonceReply(1, 2, 3, 1, 2, bytes(16)), FA), ["wrong-message"]), (request(fc.FaError(68), HA), ["wrong-message"]),
    (request(HA, home=IPv4Address(0)), ["nobody"]), (request(HA, agent=ANY), ["dynamic-home-agent"]),
    (request(NAI, AAA, home=IPv4Address(0), agent=ANY, flags=DIRECT), ["dynamic-home-agent"]),
    (request(NAI, fc.RequestedHomeAgent(B), AAA, home=IPv4Address(0), agent=ANY, flags=DIRECT), []),
    (request(HA, FH, lifetime=0), ["fa-ha-forbidden"]), (request(HA, FH, flags=DIRECT), ["fa-ha-forbidden"]),
    (request(fc.RevocationSupport(0x8000, 1), HA), ["revocation-support"]),
    (request(fc.RevocationSupport(0x8000, 1), HA, flags=DIRECT), []),
    (request(fc.UdpTunnelRequest(0, 0), HA), ["udp-tunnel-sender"]), (request(fc.UdpTunnelRequest(0, 0), HA, flags=DIRECT), []),
    (request(HA, fc.UdpTunnelRequest(0, 0), FH), []), (request(fc.Ipv6TunnelingMode(), HA), ["tunneling-mode"]),
    (request(fc.Ipv6PrefixRequest(64, IPv6Address("2001:db8::1")), HA), ["prefix-bits"]), (request(NAI), ["no-authorization"]),
    (request(fc.GeneralizedAuthentication(2)), ["chap-without-challenge"]), (request(fc.GeneralizedAuthentication(2), flags=DIRECT), []),
    (request(fc.MnHaAuthentication(255)), ["reserved-spi"]), (request(fc.MnHaAuthentication(256, bytes(12))), ["authenticator-length"]),
    (request(fc.VendorExtension(32473, 1, b"", 1), HA), ["reserved-octets"]), (request(fc.VendorExtension(2**24, 1), HA), ["vendor"]),
    (request(fc.UnknownExtension(b"\x26\1\0\6\0\0\x7e\xd9\0\1"), HA), ["reserved-octets"]), (request(fc.Nai("a\0"), HA), ["nai-text"]),
    (reply(NAI, HA), []), (reply(NAI), ["no-mn-ha"]), (reply(code=65), []), (reply(HA, NAI), ["order", "not-covered"]),
    (reply(HA, fc.NonceReply(1, 2, 3, 1, 2, bytes(16)), FH), ["order"]),
    (reply(fc.NonceReply(1, 2, 3, 1, 1, bytes(16)), HA), ["replay-method"]),
    (reply(fc.NonceReply(1, 2, 3, 5, 2, bytes(16)), HA), ["key-algorithm"]),
    (reply(fc.MnFaNonceReply(1, 2, 3, 0, b""), HA), ["key-algorithm"]),
    (reply(HA, FA, fc.MnFaNonceReply(1, 2, 3, 1, b"")), ["order", "not-covered"]), (reply(HA, AAA), ["wrong-message"]),
    (reply(fc.NonceRequest(256), HA), ["wrong-message"]), (reply(HA, CHALLENGE, FH), []), (reply(CHALLENGE, HA, FH), ["order"]),
    (reply(HA, FH, CHALLENGE), ["order"]), (reply(fc.FaError(68), HA, FA), ["order"]), (reply(HA, FA, fc.FaError(68)), ["order"]),
    (reply(HA, fc.FaError(128), FA), ["fa-error-status"]), (reply(HA, home=IPv4Address(0)), ["accepted-nothing"]),
    (reply(HA, agent=IPv4Address(0)), ["accepted-nothing"]), (reply(HA, code=143), ["no-redirection"]), (reply(code=106), ["no-challenge"]),
    (reply(code=63), ["unassigned-code"]), (fc.RegistrationRevocation(0xc000, A, B, C, 1, [FH]), []),
    (fc.RegistrationRevocation(0x0001, A, B, C, 1, [FH], 1), ["reserved-octets", "reserved-flags"]),
    (fc.RegistrationRevocation(0, A, B, C, 1), ["no-authorization"]), (fc.RevocationAcknowledgment(0x8000, A, 1, [FH]), []),
    (fc.RevocationAcknowledgment(0x4000, A, 1, [FH]), ["reserved-flags"]), (notification(0, fc.MessageString(1, "x"), HA), []),
    (notification(6, HA), ["direction"]), (notification(1, HA), ["no-authorization"]), (notification(0, NAI, HA), ["wrong-message"]),
    (notification(0, HA, flags=1), ["reserved-flags"]), (fc.NotificationAcknowledgment(5, 0, A, B, C, 1, [FH], 1), ["reserved-octets"]),
    (fc.TunnelData(4, b"x"), []), (fc.TunnelData(4, b"x", 1), ["reserved-octets"]), (fc.TunnelData(6, b"x"), ["next-header"]),
    (advertisement(AGENT), []), (advertisement(AGENT, code=3), ["code"]), (advertisement(), ["no-agent"]),
    (advertisement(AGENT, fc.Padding(1)), ["odd-length"]), (advertisement(AGENT, fc.PrefixLengths((24, 24))), ["prefix-lengths"]),
    (advertisement(fc.MobilityAgent(0, 60, 0x1000)), ["no-care-of-address"]),
    (advertisement(fc.MobilityAgent(0, 60, 0x3200, (B,))), ["reserved-flags"]),
    (advertisement(fc.MobilityAgent(0, 60, 0xa000)), ["agent-flags"]), (advertisement(fc.MobilityAgent(0, 60, 0)), ["agent-flags"]),
    (fc.AgentSolicitation(), []), (fc.AgentSolicitation(1, 2), ["reserved-octets", "reserved-octets"]),
]


@pytest.mark.parametrize(("message", "rules"), CASES, ids=lambda v: "-".join(v) or "right" if isinstance(v, list) else "")
def test_each_rule_finds_what_breaks_it(message, rules):
    found = fc.lint(message)
    assert sorted(f.rule for f in found) == sorted(rules), list(map(str, found))
    for finding in found:
        assert finding.section[:4].isdigit()
        assert f"[RFC {finding.section}]" in str(finding)


@pytest.mark.parametrize(("thing", "rule"), [
    (b"", "malformed"), (b"\x63", "malformed"), (b"\4\4", "malformed"), (5, "no-message"), (None, "no-message"), ("text", "no-message"),
    (b"\x09", "malformed"), (b"\x0a", "malformed"), (request(HA, flags=300), "not-encodable"), (request("text"), "not-encodable"),
    (reply(HA, FH, FH), "doubled"), (reply(HA, fc.UnknownExtension(b"\x2d\1\0")), "length")])
def test_nothing_is_raised(thing, rule):
    assert rule in [f.rule for f in fc.lint(thing)]


@settings(max_examples=400)
@given(st.sampled_from(GOOD), st.lists(st.tuples(st.integers(0, 400), st.integers(0, 255)), max_size=4), st.integers(0, 400))
def test_never_raises(vector, changes, size):
    data = bytearray(octets(vector)[:size])
    for at, value in changes:
        if at < len(data):
            data[at] = value
    for finding in fc.lint(data):
        assert 0 <= finding.offset <= len(data)
