"""Random packets, read by us and by others: pyrad, scapy, tshark, FreeRADIUS's radsniff.

MIPSTORM_DIFFERENTIAL is how many packets (2000 unless set; 50000 takes some minutes).
"""
import os
import re
import shutil
import subprocess
from collections import Counter
from functools import cache
from ipaddress import IPv4Address
from pathlib import Path

import pytest
from pyrad.dictionary import Dictionary as PyradDictionary
from pyrad.packet import AuthPacket
from radius_captures import SECRET, Exchanges, capture, udp
from scapy.layers.radius import Radius, RadiusAttr_Vendor_Specific

import fastcodec as fc
from fastcodec.dictionary import SHIPPED, Dictionary, default

PACKETS = int(os.environ.get("MIPSTORM_DIFFERENTIAL", "2000"))
FREERADIUS = Path("/usr/share/freeradius")
LIMIT = 120 + PACKETS // 50
NEEDS = {"tshark": "tshark is not installed", "radsniff": "freeradius-utils is not installed"}


def needs(program):
    return pytest.mark.skipif(shutil.which(program) is None, reason=NEEDS[program])


@pytest.fixture
def whole():
    """FreeRADIUS's dictionary, for us too."""
    if not (FREERADIUS / "dictionary").is_file():
        pytest.skip("freeradius-common is not installed")
    fc.configure(fc.load(FREERADIUS / "dictionary"))
    yield Dictionary().read(FREERADIUS / "dictionary")
    fc.configure()


@cache
def theirs():
    return PyradDictionary(*(str(path) for path in sorted(SHIPPED.iterdir()) if path.name != "dictionary"
                             and path.name not in ("dictionary.rfc7499", "dictionary.rfc7930", "dictionary.rfc8559", "dictionary.rfc8045")))


@pytest.mark.timeout(LIMIT)
def test_pyrad_reads_the_same():
    """Values by name, both authenticators, passwords and salted keys."""
    # pyrad wants a reply's Proxy-State to be the request's
    absent = frozenset(a for a in default().attributes if a not in theirs())
    nested = frozenset(a.name for a in default().attributes.values() if a.kind == "tlv" or len(a.path) > 1)
    exchanges = Exchanges(default(), 1, leave_out=absent | nested | {"Proxy-State"})
    for k in range(PACKETS // 2):
        octets, answer, asked, granted = exchanges.pair(k % 256)
        request = AuthPacket(packet=octets, secret=SECRET, dict=theirs())
        assert request.verify_message_authenticator()
        assert request.PwDecrypt(request["User-Password"][0]) == asked[0][1]
        reply = request.CreateReply(packet=answer)
        assert request.VerifyReply(reply, answer)
        compare(request, [item for item in asked if item[0] != "User-Password"])
        # pyrad reveals under the authenticator in the header
        compare(AuthPacket(packet=answer[:4] + octets[4:20] + answer[20:], secret=SECRET, dict=theirs()), granted)


def compare(packet, items):
    """Name by name, a tagged one with its tag."""
    for name in {name for name, _ in items}:
        ours, got = [value for full, value in items if full == name], packet[name]
        assert [plain(g) for g in got] == [plain(o) for o in ours], name


def plain(value):
    return value.encode() if isinstance(value, str) else value if isinstance(value, (int, bytes)) else str(value).encode()


@pytest.mark.timeout(LIMIT)
def test_scapy_builds_the_same_octets():
    exchanges = Exchanges(default(), 2)
    for k in range(PACKETS // 2):
        for octets in exchanges.pair(k % 256)[:2]:
            packet = Radius(octets)
            assert bytes(packet) == octets
            walked = fc.Attributes.from_octets(octets[20:])
            names = [a for a in packet.attributes if a.type != 26]
            vendors = [a for a in packet.attributes if isinstance(a, RadiusAttr_Vendor_Specific)]
            assert len(packet.attributes) == len(walked)      # none here is long
            assert [bytes(a)[2:] for a in names if a.type == 8] == [v.packed for n, v in walked if n == "Framed-IP-Address"]
            assert sum(a.vendor_id == 32473 for a in vendors) == sum(n.startswith("Mipstorm") for n, _ in walked)


def packets_of(exchanges):
    """Datagrams of a capture, requests and answers by turns, and what is in them."""
    datagrams, contents = [], []
    for k in range(PACKETS // 2):
        octets, answer, asked, granted = exchanges.pair(k % 256)
        datagrams += [udp(octets, 40000 + k // 256, 1812), udp(answer, 1812, 40000 + k // 256)]
        contents += [(octets, asked), (answer, granted)]
    return datagrams, contents


@needs("tshark")
@pytest.mark.interop
@pytest.mark.timeout(LIMIT)
def test_tshark_reads_the_same(tmp_path):
    datagrams, contents = packets_of(Exchanges(default(), 3))
    path = capture(tmp_path / "radius.pcap", datagrams)
    command = ["tshark", "-r", str(path), "-T", "fields", "-E", "separator=|", "-E", "occurrence=a"]
    for field in ("_ws.malformed", "radius.code", "radius.id", "radius.avp.type", "radius.avp.length", "radius.Framed-IP-Address",
                  "radius.Session_Timeout", "radius.User_Name"):
        command += ["-e", field]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=LIMIT)
    lines = done.stdout.splitlines()
    assert len(lines) == len(contents)
    for (octets, _), line in zip(contents, lines, strict=True):
        malformed, code, identifier, types, lengths, addresses, timeouts, names = line.split("|")
        packet = fc.RadiusPacket.decode(octets)
        assert (malformed, int(code), int(identifier)) == ("", packet.code, packet.identifier)
        assert list(zip(map(int, types.split(",")), map(int, lengths.split(",")), strict=True)) == walked(octets)
        assert [IPv4Address(a) for a in addresses.split(",") if a] == packet.attributes.all("Framed-IP-Address")
        assert [int(t) for t in timeouts.split(",") if t] == packet.attributes.all("Session-Timeout")
        assert [n for n in names.split(",") if n] == packet.attributes.all("User-Name")


def walked(octets):
    out, at = [], 20
    while at < len(octets):
        out.append((octets[at], octets[at + 1]))
        at += octets[at + 1]
    return out


@needs("radsniff")
@pytest.mark.interop
@pytest.mark.timeout(LIMIT)
def test_radsniff_reads_the_same(tmp_path, whole):
    """Every attribute of FreeRADIUS's dictionaries, hidden ones revealed, by name and value."""
    exchanges = Exchanges(whole, 4, leave_out=unlike(whole))
    datagrams, contents = packets_of(exchanges)
    path = capture(tmp_path / "radius.pcap", datagrams)
    # it exits 1 at the end of every capture
    done = subprocess.run(["radsniff", "-I", str(path), "-x", "-s", SECRET.decode()], capture_output=True, text=True, check=False,
                          timeout=LIMIT)
    seen = re.split(r"^\d{4}-\d\d-\d\d .* Access-\w+ Id .*$", done.stdout, flags=re.MULTILINE)[1:]
    assert len(seen) == len(contents)
    compared = Counter()
    for (_, items), text in zip(contents, seen, strict=True):
        lines = [line.strip() for line in text.splitlines() if line.startswith("\t")]
        theirs = Counter(line for line in lines if not line.startswith(("Message-Authenticator", "Authenticator-Field")))
        ours = Counter(line for name, value in items for line in printed(whole, name, value))
        assert ours == theirs
        compared.update(whole.attributes[name.partition(":")[0]].kind for name, _ in items)
    assert len(compared) >= 12


def unlike(whole):
    """Dates are printed in the time zone of the machine; names inside a TLV of standard attributes radsniff does not know."""
    return frozenset(name for name, a in whole.attributes.items() if a.kind == "date") | {"IPv6-6rd-Configuration"}


def printed(dictionary, name, value):
    """As FreeRADIUS writes it; what is in a TLV by itself."""
    attribute = dictionary.attributes[name.partition(":")[0]]
    if attribute.kind == "tlv":
        return [line for inner in value for line in printed(dictionary, *inner)]
    if attribute.kind == "string":
        return [f'{name} = "{value}"']
    if attribute.kind == "octets":
        return [f"{name} = 0x{value.hex()}"]
    labels = {number: label for label, number in dictionary.values.get(attribute.name, {}).items()}
    return [f"{name} = {labels.get(value, value) if isinstance(value, int) else value}"]
