"""What is around a message: links, tunnels, fragments, frames cut short, checksums. Frames are built by scapy."""
from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from scapy.layers.inet import IP, TCP, UDP, fragment
from scapy.layers.inet6 import IPv6, IPv6ExtHdrFragment
from scapy.layers.l2 import GRE, CookedLinux, CookedLinuxV2, Dot1AD, Dot1Q, Ether, Loopback

import fastcodec as fc
from fastcodec.capture import LinkType, read_capture
from loadgen.decode.keys import Keys
from loadgen.decode.reader import Reader

sys.path.insert(0, str(Path(__file__).parent))
from decoding import ACCESS, HERE, REQUEST, THERE, VECTORS, event, events, packet

IN_IP = IP(src=HERE, dst=THERE) / UDP(sport=40000, dport=434) / REQUEST
IN_IP6 = IPv6(src="2001:db8::1", dst="2001:db8::2") / UDP(sport=40000, dport=434) / REQUEST
LINKS = {"raw": (LinkType.RAW, IN_IP), "raw IPv6": (LinkType.RAW, IN_IP6), "ipv4": (LinkType.IPV4, IN_IP),
         "raw of the BSDs": (12, IN_IP), "raw of the BSDs, IPv6": (12, IN_IP6), "raw of OpenBSD": (14, IN_IP),
         "ethernet": (LinkType.ETHERNET, Ether() / IN_IP), "ethernet IPv6": (LinkType.ETHERNET, Ether() / IN_IP6),
         "vlan": (LinkType.ETHERNET, Ether() / Dot1Q(vlan=5) / IN_IP),
         "two tags": (LinkType.ETHERNET, Ether() / Dot1AD(vlan=9) / Dot1Q(vlan=5) / IN_IP),
         "sll": (LinkType.LINUX_SLL, CookedLinux(proto=0x800) / IN_IP),
         "sll vlan": (LinkType.LINUX_SLL, CookedLinux(proto=0x8100) / Dot1Q(vlan=5) / IN_IP),
         "sll2": (LinkType.LINUX_SLL2, CookedLinuxV2(proto=0x800) / IN_IP),
         "loopback": (LinkType.NULL, Loopback(type=2) / IN_IP), "loopback IPv6": (LinkType.NULL, Loopback(type=30) / IN_IP6),
         "network order": (LinkType.LOOP, b"\0\0\0\x02" + bytes(IN_IP))}


@pytest.mark.parametrize("name", LINKS)
def test_every_link_carries_the_message(name: str) -> None:
    link, frame = LINKS[name]
    found = event(bytes(frame), link=link)
    assert (found.protocol, found.nai, found.faults, found.destination_port) == ("mip4", "mn@home.example", [], 434)
    assert found.message == fc.RegistrationRequest.decode(REQUEST)
    assert {found.source, found.destination} in ({HERE, THERE}, {"2001:db8::1", "2001:db8::2"})


@pytest.mark.parametrize("name", LINKS)
def test_no_link_is_read_past_the_end_of_a_frame(name: str) -> None:
    link, frame = LINKS[name]
    octets = bytes(frame)
    for size in range(len(octets)):
        cut = event(octets[:size], link=link, missing=len(octets) - size)
        assert (cut.message, cut.faults) == (None, [])
        short = event(octets[:size], link=link)
        assert short.message is None


def test_what_holds_no_message_is_named() -> None:
    assert event(b"\0" * 14 + b"rest", link=LinkType.ETHERNET).note == "EtherType 0x0000"
    assert event(bytes(Ether(type=0x806)), link=LinkType.ETHERNET).note == "EtherType 0x0806"
    assert event(bytes(20), link=147).note == "a frame of link type 147 that is too short or not known"
    assert event(bytes(IP() / TCP())).note == "IP protocol 6"
    assert event(packet(b"x", 53)).note.startswith("UDP of no protocol known")
    assert event(bytes(Ether() / Dot1Q() / Dot1Q())[:18], link=LinkType.ETHERNET).note.startswith("a frame of link type 1")


# ---- tunnels

TUNNELS = {"ip-in-ip": IP(src="10.0.0.1", dst="10.0.0.2") / IN_IP, "6in4": IP(src="10.0.0.1", dst="10.0.0.2") / IN_IP6,
           "gre": IP(src="10.0.0.1", dst="10.0.0.2") / GRE() / IN_IP, "gre ": IP(src="10.0.0.1", dst="10.0.0.2") / GRE() / IN_IP6,
           "udp": fc.wrap(fc.TunnelKind.TUNNEL_UDP, bytes(IN_IP), "10.0.0.1", "10.0.0.2"),
           "dsmipv6": fc.wrap(fc.TunnelKind.TUNNEL_DSMIPV6, bytes(IN_IP6), "10.0.0.1", "10.0.0.2"),
           "minimal": fc.wrap(fc.TunnelKind.TUNNEL_MINIMAL, bytes(IN_IP), "10.0.0.1", "10.0.0.2")}


@pytest.mark.parametrize("name", TUNNELS)
def test_every_tunnel_is_opened(name: str) -> None:
    found = event(bytes(TUNNELS[name]))
    assert found.layers == (f"{name.strip()} 10.0.0.1 > 10.0.0.2",)
    assert (found.protocol, found.message, found.faults) == ("mip4", fc.RegistrationRequest.decode(REQUEST), [])
    assert found.source in (HERE, "2001:db8::1")


def test_tunnels_over_ipv6_are_opened() -> None:
    outer = IPv6(src="2001:db8::a", dst="2001:db8::b")
    assert event(bytes(outer / IN_IP6)).layers == ("6in4 2001:db8::a > 2001:db8::b",)
    assert event(bytes(outer / IN_IP)).layers == ("ip-in-ip 2001:db8::a > 2001:db8::b",)
    assert event(bytes(outer / IN_IP)).protocol == "mip4"


def test_tunnels_in_tunnels_end() -> None:
    deep = IN_IP
    for depth in range(1, 8):
        deep = IP(src="10.0.0.1", dst="10.0.0.2") / deep
        found = event(bytes(deep))
        assert len(found.layers) == min(depth, 4)
        assert (found.message is None) == (depth > 4)
    assert found.note == "more than 4 tunnels in one another"


def test_what_is_wrong_with_a_tunnel_is_said() -> None:
    octets = bytearray(bytes(TUNNELS["6in4"]))
    octets[20 + 4:20 + 6] = b"\xff\xff"                              # a payload longer than the packet
    fault, = event(bytes(octets)).faults
    assert fault.startswith("6in4 tunnel: tunnel at offset 20: bad length")
    other = bytes(IP() / GRE(proto=0x6558) / bytes(40))              # bridged Ethernet is not wrong, and not ours
    assert event(other).faults == []
    assert "no tunnel" in event(other).note
    foreign = fc.TunnelData(99, b"abc").encode()
    assert (event(packet(foreign)).message, event(packet(foreign)).faults) == (
        fc.TunnelData(99, b"abc"), ["offset 1: next header 99 is no tunnel's [RFC 3519 3.3] (next-header)"])


def test_vectors_of_tunnels() -> None:
    for name, layer in (("m6-13", "dsmipv6"), ("m6-15", "6in4"), ("m6-16", "gre"), ("m6-17", "gre"), ("m4-35", "udp")):
        found = event(bytes.fromhex(VECTORS[name]["packet_hex"]))
        assert found.layers[0].startswith(layer), name


# ---- fragments, frames cut short, checksums

def test_fragments_are_named_and_not_read() -> None:
    pieces = [bytes(piece) for piece in fragment(IP(src=HERE, dst=THERE) / UDP(sport=1, dport=1812) / (ACCESS * 9), 160)]
    first, *later = events(*pieces)
    assert (first.note, first.is_part, first.destination_port) == ("the first fragment of a packet", True, 1812)
    assert {(e.note, e.is_part, e.destination_port) for e in later} == {("a later fragment", True, 0)}
    assert all(e.message is None and not e.faults for e in (first, *later))
    six = bytes(IPv6() / IPv6ExtHdrFragment(m=1, offset=0, nh=17) / UDP(sport=1, dport=434, len=900) / bytes(64))
    assert (event(six).note, event(six).is_part) == ("the first fragment of a packet", True)
    other = [bytes(piece) for piece in fragment(IP() / UDP(sport=1, dport=53) / bytes(900), 160)]
    assert not event(other[0]).is_part


def test_a_frame_that_was_not_captured_whole_is_named_and_not_wrong() -> None:
    octets = packet(REQUEST)
    found = event(octets[:60], missing=len(octets) - 60)
    assert found.note == f"cut: 60 of {len(octets)} octets were captured"
    assert (found.source, found.destination, found.destination_port, found.is_part) == (HERE, THERE, 434, True)
    assert (found.message, found.faults) == (None, [])
    padded = event(bytes(Ether() / IP(octets)) + b"", link=LinkType.ETHERNET, missing=4)      # only the FCS is missing
    assert (padded.message, padded.faults) == (fc.RegistrationRequest.decode(REQUEST), [])


def test_a_frame_cut_within_its_headers_is_a_part_without_ends() -> None:
    octets, six = packet(REQUEST), bytes(IPv6() / UDP(sport=1, dport=434) / REQUEST)
    for whole, captured in ((octets, 0), (octets, 6), (octets, 19), (six, 39)):
        found = event(whole[:captured], missing=len(whole) - captured, link=LinkType.IPV4 if whole is octets else LinkType.IPV6)
        assert (found.source, found.destination, found.faults) == ("", "", []), captured
        assert found.is_part is (captured > 0)
    for captured in (20, 23, 26, 28):
        found = event(octets[:captured], missing=len(octets) - captured)
        assert (found.source, found.destination, found.is_part) == (HERE, THERE, True), captured
    assert not event(bytes(IP(proto=6)), missing=40).is_part


def test_a_packet_whose_lengths_are_wrong_still_has_ends() -> None:
    for layer in (IP(src=HERE, dst=THERE), IPv6(src="2001:db8::1", dst="2001:db8::2")):
        found = event(bytes(layer / UDP(sport=1, dport=434, len=900) / REQUEST))
        assert (found.source, found.destination) == (layer.src, layer.dst)
        assert found.faults[0].startswith("no whole IP packet")
    assert event(b"\x45" + bytes(10)).source == event(b"\x60" + bytes(30)).source == ""


def test_a_wrong_checksum_is_wrong_unless_the_card_was_to_fill_it_in() -> None:
    octets = bytearray(packet(REQUEST))
    octets[40] ^= 1
    assert "wrong checksum" in event(bytes(octets)).faults
    pseudo = bytes(octets[12:20]) + b"\0\x11" + bytes(octets[24:26])
    octets[26:28] = (0xffff ^ fc.checksum(pseudo)).to_bytes(2, "big")
    found = event(bytes(octets))
    assert ("wrong checksum" in found.faults, found.remarks) == (False, ["checksum left to the network card"])
    octets = bytearray(packet(REQUEST))
    octets[8] ^= 1                                                   # the time to live
    assert event(bytes(octets)).faults == ["wrong IPv4 header checksum"]
    octets[10:12] = b"\0\0"
    assert event(bytes(octets)).faults == []


def test_what_wireshark_s_tools_write_is_read(tmp_path: Path) -> None:
    if not shutil.which("text2pcap") or not shutil.which("editcap"):
        pytest.skip("needs text2pcap and editcap (tshark)")
    lines = "".join(f"{at:06x} {REQUEST[at:at + 16].hex(' ')}\n" for at in range(0, len(REQUEST), 16))
    (tmp_path / "hex.txt").write_text(lines)
    subprocess.run(["text2pcap", "-q", "-u", "40000,434", "-4", f"{HERE},{THERE}", "hex.txt", "a.pcap"], cwd=tmp_path, check=True)
    subprocess.run(["editcap", "-s", "70", "-F", "pcapng", "a.pcap", "cut.pcapng"], cwd=tmp_path, check=True)
    for name, is_part in (("a.pcap", False), ("cut.pcapng", True)):
        with (tmp_path / name).open("rb") as file:
            found, = Reader(Keys()).events(read_capture(file))
        assert (found.is_part, found.faults, found.destination_port) == (is_part, [], 434)
        assert (found.message is None) == is_part
