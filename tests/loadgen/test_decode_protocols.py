"""What is said of the messages of each protocol: kind, match, latency, verdict, what is wrong."""
from __future__ import annotations

import json
import sys
from ipaddress import IPv4Address, IPv6Address, ip_network
from pathlib import Path

import pytest
from scapy.layers.eap import EAPOL
from scapy.layers.inet import ICMP, IP
from scapy.layers.l2 import CookedLinux, CookedLinuxV2, Dot1Q, Ether

import fastcodec as fc
from fastcodec.capture import LinkType
from loadgen.decode.keys import Keys
from loadgen.decode.reader import Reader
from loadgen.decode.summary import summary
from loadgen.decode.views import as_json, full, one_line

sys.path.insert(0, str(Path(__file__).parent))
from decoding import ACCESS, HERE, KEY, MS, REQUEST, SECRET, SPI, THERE, VECTORS, answer, event, events, keys, packet

ANY = IPv4Address("192.0.2.1")


def test_registration_and_its_reply_with_the_key_that_it_derives() -> None:
    derived = fc.derive_key(KEY, b"n" * 16, "mn@home.example")
    reply = fc.RegistrationReply(0, 1800, IPv4Address("192.0.2.25"), IPv4Address(THERE), 0xffff_ffff_0000_0001, [
        fc.NonceReply(3600, SPI, 0x2001, 1, 2, b"n" * 16), fc.MnHaAuthentication(0x1001)]).encode(derived)
    asked, again, found = events(packet(REQUEST), packet(REQUEST), answer(reply), known=keys())
    assert (asked.authentic, asked.repeats, again.repeats, again.authentic) == (True, None, 1, True)
    assert (found.answers, found.latency_ns, found.authentic, found.nai) == (1, 10_000_000, True, "mn@home.example")
    assert asked.faults == again.faults == found.faults == []
    wrong = Keys()
    wrong.for_all[SPI] = fc.Secret(bytes(16))
    for one in events(packet(REQUEST), answer(reply), known=wrong):
        assert (one.authentic, len(one.faults)) == (False, 1)
    unknown = event(packet(REQUEST), known=Keys())
    assert (unknown.authentic, unknown.why, unknown.faults) == (None, "", [])


@pytest.mark.parametrize(("asks", "answers"), [
    (fc.RegistrationRevocation(0, ANY, ANY, ANY, 77, [fc.FaHaAuthentication(SPI)]),
     fc.RevocationAcknowledgment(0, ANY, 77, [fc.FaHaAuthentication(SPI)])),
    (fc.GenericNotification(0, 0, ANY, ANY, ANY, 5 << 32 | 9, [fc.MnHaAuthentication(SPI)]),
     fc.NotificationAcknowledgment(2, 0, ANY, ANY, ANY, 6 << 32 | 9, [fc.MnHaAuthentication(SPI)]))])
def test_revocations_and_notifications_are_matched(asks: fc.Mip4Message, answers: fc.Mip4Message) -> None:
    sent, got = events(packet(asks.encode(KEY)), answer(answers.encode(KEY)), known=keys())
    assert (sent.authentic, got.authentic, sent.faults, got.faults) == (True, True, [], [])
    assert (got.answers, got.latency_ns) == (1, 5_000_000)
    assert summary(answers) in one_line(got)
    if isinstance(answers, fc.NotificationAcknowledgment):
        assert "Notification Acknowledgment 0 accepted md mn to ha home" in one_line(got)
        assert "Acknowledgment 197 mn identification mismatch md" in summary(answers.replace(code=197))
    other = answers.replace(**({"revocation_identifier": 78} if hasattr(answers, "revocation_identifier") else {"identification": 8}))
    assert events(packet(asks.encode(KEY)), answer(other.encode(KEY)))[1].answers is None


def test_findings_are_wrong_or_odd() -> None:
    late = fc.RegistrationRequest.decode(REQUEST)
    late.extensions = [late.extensions[0], late.extensions[2].replace(authenticator=b""), late.extensions[1]]
    found = event(packet(late.encode(KEY)))
    assert any("(order)" in fault for fault in found.faults)
    assert any("(not-covered)" in fault for fault in found.faults)
    unassigned = fc.RegistrationReply(199, 0, ANY, ANY, 1, [fc.MnHaAuthentication(SPI)]).encode(KEY)
    found = event(packet(unassigned))
    assert (found.faults, len(found.remarks)) == ([], 1)
    assert "code 199 is not assigned" in one_line(found)


@pytest.mark.parametrize(("code", "reply"), [(40, 41), (40, 42), (43, 44), (43, 45), (4, 5)])
def test_orders_and_accounting_are_matched(code: int, reply: int) -> None:
    attributes = [("User-Name", "mn@home.example")]
    asked = fc.RadiusPacket(code, 9, b"", attributes)
    octets = asked.encode(SECRET)
    replied = fc.RadiusPacket(reply, 9, b"").encode(SECRET, asked)
    port = 1813 if code == 4 else 3799
    sent, got = events(packet(octets, port), answer(replied, port), known=keys())
    assert (sent.authentic, got.authentic, got.answers, got.nai) == (True, True, 1, "mn@home.example")
    assert sent.faults == got.faults == []
    strange = fc.RadiusPacket(2, 9, b"").encode(SECRET, asked.authenticator)
    assert events(packet(octets, port), answer(strange, port), known=keys())[1].authentic is False


@pytest.mark.parametrize("known", [None, keys()], ids=["no keys", "keys"])
def test_an_answer_of_another_kind_than_its_request_is_wrong(known: Keys | None) -> None:
    asked = fc.RadiusPacket(1, 9, b"", [("User-Name", "mn")]).encode(SECRET)
    strange = fc.RadiusPacket(5, 9, b"").encode(SECRET, asked[4:20])
    got = events(packet(asked, 1812), answer(strange, 1812), known=known)[1]
    assert got.faults == ["code 5 answers no request of code 1 (RFC 2865 4)"]
    assert got.authentic is (None if known is None else False)


def test_a_code_that_nobody_defined_is_odd() -> None:
    odd = event(packet(fc.RadiusPacket(99, 9).encode(), 1812), known=keys())
    assert (odd.remarks, odd.why, odd.faults) == (["code 99 is no request and no answer (RFC 2865 3)"], "", [])


@pytest.mark.parametrize(("code", "attributes", "fault"), [
    (1, [("EAP-Message", b"\3\1\0\4")], "EAP-Message without Message-Authenticator (RFC 3579 3.1)"),
    (1, [("EAP-Message", b"")], "EAP-Message without Message-Authenticator (RFC 3579 3.1)"),
    (11, [("EAP-Message", b"\3\1\0\4")], "EAP-Message without Message-Authenticator (RFC 3579 3.1)"),
    (12, [], "Status-Server without Message-Authenticator (RFC 5997 3)"), (1, [], ""), (4, [("EAP-Message", b"\3\1\0\4")], "")])
@pytest.mark.parametrize("known", [None, keys()], ids=["no keys", "keys"])
def test_what_must_have_a_message_authenticator(code: int, attributes: list[tuple[str, bytes]], fault: str, known: Keys | None) -> None:
    bare = fc.RadiusPacket(code, 9, bytes(16), attributes).encode(SECRET if code == 4 else None)
    asked = fc.RadiusPacket(1, 9, bytes(16)).encode(SECRET)
    got = events(packet(asked, 1812), (answer if code == 11 else packet)(bare, 1812), known=known)[1]
    assert got.faults == ([fault] if fault else [])


def test_eap_start_is_named() -> None:
    start = fc.RadiusPacket(1, 9, b"", [("EAP-Message", b"")]).encode(SECRET)
    got = event(packet(start, 1812), known=keys())
    assert (got.faults, got.authentic) == ([], True)
    assert "EAP-Start" in one_line(got)


@pytest.mark.parametrize("others", [[], [("Proxy-State", b"1")]], ids=["alone", "of a proxy"])
def test_what_hides_in_an_unsigned_request_is_revealed_too(others: list[tuple[str, bytes]]) -> None:
    """An Access-Request without Message-Authenticator, as NASes sent it before CVE-2024-3596."""
    wanted = keys()
    wanted.reveal = True
    seed = bytes(range(16))
    hidden = fc.hide_password("hush", SECRET, seed)
    bare = fc.RadiusPacket(1, 9, seed, [("User-Name", "mn"), ("User-Password", hidden), *others]).encode()
    got = event(packet(bare, 1812), known=wanted)
    assert (got.authentic, got.why, [str(value) for _, value in got.revealed]) == (None, "no Message-Authenticator", ["hush"])


@pytest.mark.parametrize("signature", [b"\x50\2", b"\x50\5abc", b"\x50\x13" + bytes(17), 2 * (b"\x50\x12" + bytes(16))],
                         ids=["empty", "short", "long", "twice"])
@pytest.mark.parametrize("known", [None, keys()], ids=["no keys", "keys"])
def test_a_message_authenticator_of_another_shape_is_wrong(signature: bytes, known: Keys | None) -> None:
    if known:
        known.reveal = True
    hidden = b"\2\x12" + fc.hide_password("hush", SECRET, bytes(16))
    octets = b"\1\x09" + (20 + len(signature + hidden)).to_bytes(2, "big") + bytes(16) + signature + hidden
    got = event(packet(octets, 1812), known=known)
    assert got.faults == ["Message-Authenticator doubled or not of 16 octets (RFC 3579 3.2)"]
    assert (got.authentic, got.revealed) == (False if known else None, [])


def test_what_hides_beside_attributes_that_pairs_write_otherwise_is_revealed() -> None:
    """Many sub-attributes in one Vendor-Specific: by pairs each would have its own, and the packet more than 4096 octets."""
    wanted, seed = keys(), bytes(range(16))
    wanted.reveal = True
    many = b"".join(b"\x1a\xfc\0\0\0\x09" + 82 * b"\xfa\3x" for _ in range(15))
    attributes = b"\2\x12" + fc.hide_password("hush", SECRET, seed) + b"\x21\3p" + many
    octets = b"\1\x09" + (20 + len(attributes)).to_bytes(2, "big") + seed + attributes
    got = event(packet(octets, 1812), known=wanted)
    assert (got.faults, [str(value) for _, value in got.revealed]) == ([], ["hush"])


def test_codes_are_written_as_the_rfcs_write_them() -> None:
    names = [summary(fc.RadiusPacket(code, 1)).removesuffix(" id 1") for code in (1, 41, 42, 43, 44, 45)]
    assert names == ["Access-Request", "Disconnect-ACK", "Disconnect-NAK", "CoA-Request", "CoA-ACK", "CoA-NAK"]


@pytest.mark.parametrize(("code", "attributes", "text"), [
    (4, [("Acct-Status-Type", "Interim-Update")], "Accounting-Request id 1 Interim-Update"),
    (4, [("Acct-Status-Type", 77)], "Accounting-Request id 1 77"), (4, [], "Accounting-Request id 1"),
    (45, [("Error-Cause", 503)], "CoA-NAK id 1 Session-Context-Not-Found"),
    (3, [("Reply-Message", "go\x1b[2Jaway\n")], "Access-Reject id 1 'go\\x1b[2Jaway\\n'"),
    (2, [("Reply-Message", "x")], "Access-Accept id 1")])
def test_a_line_says_why(code: int, attributes: list[tuple[str, object]], text: str) -> None:
    assert summary(fc.RadiusPacket.decode(fc.RadiusPacket(code, 1, bytes(16), attributes).encode())) == text


def test_what_radius_hides_stays_hidden_unless_it_is_wanted() -> None:
    hidden = event(packet(ACCESS, 1812), known=keys())
    assert hidden.authentic
    wanted = keys()
    wanted.reveal = True
    shown = event(packet(ACCESS, 1812), known=wanted)
    for view in (one_line, full, lambda e: as_json(e).decode()):
        assert "hush" not in view(hidden)
        assert ("hush" in view(shown) or b"hush, hush".hex() in view(shown)) == (view is not one_line)
    assert json.loads(as_json(shown))["revealed"] == [["User-Password", "hush, hush"]]
    wrong = Keys()
    wrong.add_network(ip_network("0.0.0.0/0"), b"another")
    wrong.reveal = True
    assert event(packet(ACCESS, 1812), known=wrong).revealed == []


def test_eap_inside_radius_is_named() -> None:
    inside = fc.EapPacket(2, 3, fc.EapIdentity("me@home.example")).encode()
    octets = fc.RadiusPacket(1, 7, bytes(16), [("EAP-Message", inside)]).encode(SECRET)
    found = event(packet(octets, 1812), known=keys())
    assert (found.inside, found.nai, found.authentic) == (fc.EapPacket.decode(inside), "me@home.example", True)
    assert "Access-Request id 7 with EAP Response Identity id 3 me@home.example" in one_line(found)
    assert json.loads(as_json(found))["inside"]["body"]["identity"] == "me@home.example"
    broken = fc.RadiusPacket(1, 7, bytes(16), [("EAP-Message", b"\x02\x03\x00\x99x")]).encode(SECRET)
    assert event(packet(broken, 1812)).faults[0].startswith("EAP inside: EapPacket.length")


def test_eapol_frames() -> None:
    request = Ether() / EAPOL(version=2, type=0) / fc.EapPacket(1, 9, fc.EapMd5Challenge(bytes(16))).encode()
    found = event(bytes(request) + bytes(18), link=LinkType.ETHERNET)           # an Ethernet frame is padded
    assert (found.protocol, found.faults, found.length) == ("eap", [], 22)
    assert "EAP Request MD5-Challenge id 9" in one_line(found)
    start = event(bytes(Ether() / EAPOL(version=2, type=1)), link=LinkType.ETHERNET)
    assert (start.protocol, start.note, start.faults) == ("eap", "EAPOL start", [])
    assert event(bytes(Ether(type=0x888e) / b"\x02\x00\x00\x16\x01"), link=LinkType.ETHERNET).faults


PAC, NAS, OTHER, GROUP = "00:00:5e:00:53:01", "00:00:5e:00:53:10", "00:00:5e:00:53:02", "01:80:c2:00:00:03"


def eapol(packet: fc.EapPacket, source: str, destination: str, tag: int | None = None) -> bytes:
    head = Ether(src=source, dst=destination) / Dot1Q(vlan=tag) if tag else Ether(src=source, dst=destination)
    return bytes(head / EAPOL(version=2, type=0) / packet.encode())


@pytest.mark.parametrize(("asked", "told", "tag"), [(PAC, GROUP, None), (PAC, NAS, None), (GROUP, GROUP, None), (PAC, GROUP, 7)])
def test_eapol_frames_are_matched(asked: str, told: str, tag: int | None) -> None:
    """Identity, a challenge, success: each answer by its Identifier, be the group's address on either side or a VLAN around."""
    identity, md5 = fc.EapIdentity("me@home.example"), fc.EapMd5Challenge(bytes(16))
    found = events(eapol(fc.EapPacket(1, 9, fc.EapIdentity("")), NAS, asked, tag), eapol(fc.EapPacket(2, 9, identity), PAC, told, tag),
                   eapol(fc.EapPacket(1, 10, md5), NAS, asked, tag), eapol(fc.EapPacket(2, 10, md5), PAC, told, tag),
                   eapol(fc.EapPacket(3, 10), NAS, asked, tag), link=LinkType.ETHERNET)
    assert [e.answers for e in found] == [None, 1, None, 3, 4]
    assert [e.latency_ns for e in found] == [None, 5 * MS, None, 5 * MS, 5 * MS]
    assert [e.repeats for e in found] == [None] * 5
    assert (found[0].source, found[0].destination) == (NAS, asked)
    assert f"{PAC} > {told}  EAP Response Identity id 9 me@home.example  [answers 1 after 5.000 ms]" in one_line(found[1])


def test_eapol_frames_of_others_are_not_matched() -> None:
    """Another station's answer, another Identifier, an answer before its request; a retransmission keeps the time of the first."""
    md5 = fc.EapMd5Challenge(bytes(16))
    asks, tells = fc.EapPacket(1, 9, md5), fc.EapPacket(2, 9, md5)
    found = events(eapol(tells, PAC, GROUP), eapol(asks, NAS, PAC), eapol(tells, OTHER, GROUP), eapol(fc.EapPacket(2, 8, md5), PAC, GROUP),
                   eapol(asks, NAS, PAC), eapol(tells, PAC, GROUP), eapol(tells, PAC, GROUP), eapol(fc.EapPacket(4, 9), NAS, OTHER),
                   link=LinkType.ETHERNET)
    assert [e.answers for e in found] == [None, None, None, None, None, 2, 2, 3]
    assert [e.repeats for e in found] == [None, None, None, None, 2, 1, 1, None]
    assert [e.latency_ns for e in found[5:]] == [20 * MS, 25 * MS, 25 * MS]


@pytest.mark.parametrize("link", [LinkType.LINUX_SLL, LinkType.LINUX_SLL2])
def test_eapol_in_cooked_captures(link: int) -> None:
    """They keep the source's address alone."""
    def cooked(packet: fc.EapPacket, source: str) -> bytes:
        address = bytes.fromhex(source.replace(":", "")) + bytes(2)
        body = bytes(EAPOL(version=2, type=0) / packet.encode())
        head = CookedLinux(lladdrlen=6, src=address, proto=0x888e) if link == LinkType.LINUX_SLL else CookedLinuxV2(
            lladdrlen=6, src=address, proto=0x888e)
        return bytes(head / body)
    found = events(cooked(fc.EapPacket(1, 9, fc.EapIdentity("")), NAS), cooked(fc.EapPacket(2, 9, fc.EapIdentity("me")), PAC),
                   cooked(fc.EapPacket(4, 9), NAS), link=link)
    assert [(e.source, e.destination, e.answers) for e in found] == [(NAS, "", None), (PAC, "", 1), (NAS, "", 2)]
    assert found[2].nai == "me"


def test_pana_is_matched() -> None:
    asks = fc.PanaMessage(0x8000, 2, 0xabc, 5, [fc.EapPayloadAvp(fc.EapPacket(2, 1, fc.EapIdentity("pac")).encode())])
    answers = fc.PanaMessage(0, 2, 0xabc, 5)
    sent, got = events(packet(asks.encode(), 716), answer(answers.encode(), 716))
    assert (sent.protocol, sent.nai, got.answers, got.faults) == ("pana", "pac", 1, [])
    assert "Auth Request session 0xabc sequence 5" in one_line(sent)
    assert "with EAP Response Identity" in one_line(sent)


@pytest.mark.parametrize("kind", ["pana", "eap", "radius"])
def test_good_vectors_are_explained(kind: str) -> None:
    vectors = {name: bytes.fromhex(v["message_hex"]) for name, v in VECTORS.items() if v.get("kind") == kind}
    assert len(vectors) > 10
    for name, octets in vectors.items():
        found, = Reader(Keys()).messages([octets], kind)
        assert (found.protocol, found.faults, found.message is None) == (kind, [], False), name
        assert "\n" not in one_line(found)


def test_good_packets_are_explained() -> None:
    packets = {name: bytes.fromhex(v["packet_hex"]) for name, v in VECTORS.items() if "packet_hex" in v and v["kind"] != "negative"}
    assert len(packets) > 60
    for name, octets in packets.items():
        found = event(octets)
        assert (found.protocol != "" or found.layers != (), found.faults) == (True, []), name


def test_agent_discovery() -> None:
    agent = fc.AgentAdvertisement(0, 1800, [], [fc.MobilityAgent(7, 600, 0x90 | 0x20, (IPv4Address("198.51.100.1"),))])
    found = event(bytes(IP(src=HERE, dst="224.0.0.1", proto=1) / agent.encode()))
    assert (found.protocol, found.message.find(fc.MobilityAgent).sequence) == ("icmp", 7)
    assert "Agent Advertisement sequence 7 registrations 600 s" in one_line(found)
    plain = event(bytes(IP(src=HERE, dst="224.0.0.1") / ICMP(bytes.fromhex("0900000001020708") + bytes(8))))
    assert plain.protocol == "icmp"
    router = event(bytes(IP(src=HERE, dst="224.0.0.1", proto=1) / fc.AgentAdvertisement(0, 1800).encode()))
    assert (router.faults, len(router.remarks)) == ([], 1)


def test_mobility_headers_are_matched_by_home_address() -> None:
    home, agent, care_of = "2001:db8:100::25", "2001:db8:100::1", "2001:db8:f:1::25"
    update = fc.BindingUpdate(7, 0xc000, 300, [fc.MobileNodeIdentifierOption(1, "mn@home.example"), fc.AuthenticationOption(1, SPI)])
    reply = fc.BindingAcknowledgement(0, 0, 7, 300, [fc.AuthenticationOption(1, SPI)])
    packets = [fc.MobilityPacket(six(care_of), six(agent), update, home_address=six(home)).encode(KEY),
               fc.MobilityPacket(six(agent), six(care_of), reply, routing_address=six(home)).encode(KEY)]
    sent, got = events(*packets, known=keys())
    assert (sent.source, sent.destination, got.destination) == (home, agent, home)
    assert (sent.authentic, got.authentic, got.answers, got.nai) == (True, True, 1, "mn@home.example")
    assert f"care-of address {care_of}" in one_line(sent)
    assert f"care-of address {care_of}" in one_line(got)
    assert sent.faults == got.faults == []
    init, test = fc.HomeTestInit(0xabcdef), fc.HomeTest(1, 0xabcdef, 5)
    asked, told = events(fc.MobilityPacket(six(home), six(agent), init).encode(), fc.MobilityPacket(six(agent), six(home), test).encode())
    assert (told.answers, told.faults) == (1, [])
    assert "Home Test Init cookie 0xabcdef" in one_line(asked)


def six(text: str) -> IPv6Address:
    return IPv6Address(text)


def test_64_bit_numbers_are_text_too() -> None:
    line = json.loads(as_json(event(packet(REQUEST))))
    assert line["message"]["identification_hex"] == f"{line['message']['identification']:#018x}" == "0xeeb012d300000001"
