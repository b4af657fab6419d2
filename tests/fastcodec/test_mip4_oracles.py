"""Other people's programs read our Mobile IPv4: scapy the fixed parts, tshark the extensions that it knows.

tshark 4.0 walks 40-43, 48-50, 127, 139 and 154 as other shapes, takes padding for an extension and shows 45, 132, 136 and
152 as octets: these rest on the known answers. Generic notifications it does not take apart at all.
"""
import os
import random
import shutil
import struct
import subprocess
from ipaddress import IPv4Address

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scapy.layers.mobileip import MobileIP, MobileIPTunnelData

import fastcodec as fc
from fastcodec.mip4 import EXTENSIONS

PACKETS = int(os.environ.get("MIPSTORM_DIFFERENTIAL", "2500"))
FIELDS = ["mip.type", "mip.flags", "mip.flags2", "mip.code", "mip.life", "mip.homeaddr", "mip.haaddr", "mip.coa", "mip.rev.hda",
          "mip.rev.fda", "mip.revid", "mip.ext.type", "mip.auth.spi", "mip.auth.auth", "mip.nai", "mip.ext.auth.subtype",
          "mip.ext.rev.tstamp", "mip.ext.msgstr.text", "mip.ext.utrq.encaptype", "mip.ext.utrp.code", "mip.ext.utrp.keepalive",
          "mip.ext.cvse.vendor_id", "mip.ext.nvse.vendor_id", "mip.ext.nvse.vendor_type", "mip.ext.mne.prefix_length", "mip.ext.mne.prefix",
          "mip.ext.pmipv4skipext.deviceid_type", "mip.ext.pmipv4skipext.deviceid_id", "mip.ext.pmipv4skipext.accesstechnology_type",
          "mip.ext.pmipv4nonskipext.pernodeauthmethod"]


@given(st.integers(0, 255), st.integers(0, 65535), st.binary(max_size=40))
def test_scapy_reads_tunnel_data(next_header, reserved, packet):
    data = fc.TunnelData(next_header, packet, reserved).encode()
    theirs = MobileIP(data)[MobileIPTunnelData]
    assert (theirs.nexthdr, theirs.res) == (next_header, reserved)
    assert bytes(MobileIP(data))[:4] == data[:4]


# ---- tshark ----------------------------------------------------------------------------------------------------------

def internet(protocol, payload):
    """A raw IPv4 packet."""
    head = struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(payload), 1, 0, 1, protocol, 0) + b"\x7f\0\0\1\x7f\0\0\2"
    total = sum(struct.unpack(">10H", head))
    total = (total & 0xffff) + (total >> 16)
    total = (total & 0xffff) + (total >> 16)
    return head[:10] + struct.pack(">H", ~total & 0xffff) + head[12:] + payload


def tshark(path, packets, fields):
    """The fields of every packet: a dict of lists of texts."""
    program = shutil.which("tshark")
    if program is None:
        pytest.skip("tshark is not installed")
    with path.open("wb") as out:
        out.write(struct.pack("<IHHiIII", 0xa1b2c3d4, 2, 4, 0, 0, 65535, 101))
        for packet in packets:
            out.write(struct.pack("<IIII", 0, 0, len(packet), len(packet)) + packet)
    command = [program, "-r", str(path), "-T", "fields", "-E", "separator=|", "-e", "_ws.malformed"]
    for field in fields:
        command += ["-e", field]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=100)
    rows = [line.split("|") for line in done.stdout.splitlines()]
    assert len(rows) == len(packets)
    return [dict(zip(["malformed", *fields], ([t for t in text.split(",") if t] for text in row), strict=True)) for row in rows]


class Maker:
    """Messages of every kind that tshark reads, from a seed."""

    def __init__(self, seed):
        self.random = random.Random(seed)

    def number(self, octets):
        return self.random.choice((0, 1, 256 ** octets - 1, self.random.randrange(256 ** octets)))

    def address(self):
        return IPv4Address(self.number(4))

    def octets(self, least, most):
        return self.random.randbytes(self.random.randint(least, most))

    def text(self):
        return "".join(self.random.choices("abcdefghijkmnop@.", k=self.random.randint(1, 40)))

    def extension(self):
        return self.random.choice((
            lambda: fc.Nai(self.text()), lambda: fc.MnHaAuthentication(self.number(4), self.octets(16, 20)),
            lambda: fc.MnFaAuthentication(self.number(4), self.octets(16, 32)),
            lambda: fc.FaHaAuthentication(self.number(4), self.octets(16, 16)),
            lambda: fc.GeneralizedAuthentication(self.number(4), self.octets(16, 20)),
            lambda: fc.FaFaAuthentication(self.number(4), self.octets(16, 20)),
            lambda: fc.RevocationSupport(self.number(2), self.number(4)), lambda: fc.MessageString(1, self.text()),
            lambda: fc.UdpTunnelRequest(self.number(1), self.number(1)),
            lambda: fc.UdpTunnelReply(self.number(1), self.number(2), self.number(2)), lambda: fc.Challenge(self.octets(0, 60)),
            lambda: fc.CriticalVendorExtension(32473, self.number(2), self.octets(1, 40)),
            lambda: fc.VendorExtension(32473, self.number(2), self.octets(1, 40)), lambda: fc.ServiceSelection(self.text()),
            lambda: fc.MobileNetworkRequest(self.random.randint(0, 32), self.address()),
            lambda: fc.ProxyDeviceId(self.number(1), self.octets(1, 20)), lambda: fc.ProxyAccessTechnology(self.number(1)),
            lambda: fc.ProxyAuthenticationMethod(self.number(1)), lambda: fc.HomeAgentIdentity(self.text()),
            lambda: fc.Ipv6PrefixReply(0, 64, "2001:db8::"), lambda: fc.FaError(self.number(1))))()

    def extensions(self):
        found = {}
        for _ in range(self.random.randrange(7)):
            made = self.extension()
            found.setdefault((made.plan.type, made.plan.subtype) if EXTENSIONS[made.plan.type].single else len(found), made)
        return list(found.values())

    def message(self):
        a, n = self.address, self.number
        return self.random.choice((
            lambda: fc.RegistrationRequest(n(1), n(2), a(), a(), a(), n(8), self.extensions()),
            lambda: fc.RegistrationReply(n(1), n(2), a(), a(), n(8), self.extensions()),
            lambda: fc.RegistrationRevocation(n(2), a(), a(), a(), n(4), self.extensions()),
            lambda: fc.RevocationAcknowledgment(n(2), a(), n(4), self.extensions())))()


def expected(message):
    """What tshark ought to show."""
    return {
        "mip.type": [message.plan.type], "mip.code": of(message, "code"), "mip.life": of(message, "lifetime"),
        "mip.homeaddr": of(message, "home_address"), "mip.haaddr": of(message, "home_agent"), "mip.coa": of(message, "care_of_address"),
        "mip.rev.hda": of(message, "home_domain_address"), "mip.rev.fda": of(message, "foreign_domain_address"),
        "mip.revid": of(message, "revocation_identifier"), "mip.ext.type": [e.plan.type for e in message.extensions],
        "mip.auth.spi": all_of(message, "spi", hex8), "mip.auth.auth": all_of(message, "authenticator", bytes.hex),
        "mip.nai": all_of(message, "nai", str, fc.Nai),
        "mip.ext.auth.subtype": [e.plan.subtype for e in message.extensions if e.plan.type == 36],
        "mip.ext.rev.tstamp": all_of(message, "timestamp"), "mip.ext.msgstr.text": all_of(message, "text"),
        "mip.ext.utrq.encaptype": all_of(message, "encapsulation"), "mip.ext.utrp.code": all_of(message, "code", int, fc.UdpTunnelReply),
        "mip.ext.utrp.keepalive": all_of(message, "keepalive"),
        "mip.ext.cvse.vendor_id": all_of(message, "vendor", int, fc.CriticalVendorExtension),
        "mip.ext.nvse.vendor_id": all_of(message, "vendor", int, fc.VendorExtension),
        "mip.ext.nvse.vendor_type": all_of(message, "vendor_type", int, fc.VendorExtension),
        "mip.ext.mne.prefix_length": all_of(message, "prefix_length", int, fc.MobileNetworkRequest),
        "mip.ext.mne.prefix": all_of(message, "prefix", str, fc.MobileNetworkRequest),
        "mip.ext.pmipv4skipext.deviceid_type": all_of(message, "kind", int, fc.ProxyDeviceId),
        "mip.ext.pmipv4skipext.deviceid_id": all_of(message, "identifier", bytes.hex, fc.ProxyDeviceId),
        "mip.ext.pmipv4skipext.accesstechnology_type": all_of(message, "technology"),
        "mip.ext.pmipv4nonskipext.pernodeauthmethod": all_of(message, "method")}


def of(message, name):
    return [getattr(message, name)] if hasattr(message, name) else []


def all_of(message, name, show=str, kind=fc.Extension):
    return [show(getattr(e, name)) for e in message.extensions if isinstance(e, kind) and hasattr(e, name)]


def hex8(spi):
    return f"0x{spi:08x}"


@pytest.mark.interop
def test_tshark_reads_what_we_write(tmp_path):
    """Thousands of messages, field by field; MIPSTORM_DIFFERENTIAL says how many."""
    maker = Maker(5944)
    messages = [maker.message() for _ in range(PACKETS)]
    rows = tshark(tmp_path / "all.pcap", [internet(17, struct.pack(">HHHH", 434, 434, 8 + len(d), 0) + d)
                                          for d in (m.encode() for m in messages)], FIELDS)
    for message, row in zip(messages, rows, strict=True):
        assert row["malformed"] == [], message
        for field, values in expected(message).items():
            assert row[field] == [str(value) for value in values], (field, message)
        assert [int(f, 0) for f in row["mip.flags"] + row["mip.flags2"]] == of(message, "flags")


@pytest.mark.interop
def test_tshark_reads_advertisements(tmp_path):
    maker = Maker(1256)
    messages = [fc.AgentAdvertisement(maker.random.choice((0, 16)), maker.number(2), [fc.RouterAddress(maker.address(), 7)] * k, [
        fc.MobilityAgent(maker.number(2), maker.number(2), maker.number(2) & 0xfff0, tuple(maker.address() for _ in range(k + 1))),
        fc.PrefixLengths(tuple(range(k))), fc.AdvertisedChallenge(maker.octets(4, 16))]) for k in range(4) for _ in range(100)]
    rows = tshark(tmp_path / "agents.pcap", [internet(1, m.encode()) for m in messages], [
        "icmp.checksum.status", "icmp.mip.seq", "icmp.mip.life", "icmp.mip.coa", "icmp.mip.challenge", "icmp.mip.r", "icmp.mip.x"])
    for message, row in zip(messages, rows, strict=True):
        agent = message.find(fc.MobilityAgent)
        assert row["malformed"] == []
        assert row["icmp.checksum.status"] == ["1"], "good"
        assert row["icmp.mip.seq"] == [str(agent.sequence)]
        assert row["icmp.mip.life"] == [str(agent.lifetime)]
        assert row["icmp.mip.coa"] == [str(a) for a in agent.care_of_addresses]
        assert row["icmp.mip.challenge"] == [message.find(fc.AdvertisedChallenge).challenge.hex()]
        assert row["icmp.mip.r"] == [str(agent.flags >> 15)]
