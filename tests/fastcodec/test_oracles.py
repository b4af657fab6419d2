"""Other people's programs read what we write: scapy, pyrad, tshark. And agree with what we read."""
import json
import shutil
import struct
import subprocess
from ipaddress import IPv4Address, IPv6Address, IPv6Network
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyrad.dictionary import Dictionary
from pyrad.packet import AuthPacket
from scapy.layers.mobileip import MobileIP, MobileIPRRP, MobileIPRRQ

import fastcodec as fc
from fastcodec.dictionary import SHIPPED

VECTORS = Path(__file__).parents[1] / "vectors"
MOBILE = json.loads((VECTORS / "mobileip.json").read_text())
RADIUS = json.loads((VECTORS / "radius.json").read_text())
BY_ID = {v["id"]: v for v in RADIUS["vectors"]}
ADDRESSES = st.integers(0, 2**32 - 1).map(IPv4Address)
NOT_TSHARKS = {36, 40, 41, 42, 43, 0, 48, 139}      # extensions it walks wrongly, or what stands behind such
SECRET = b"a shared secret"


@given(st.integers(0, 255), st.integers(0, 65535), st.tuples(ADDRESSES, ADDRESSES, ADDRESSES),
       st.integers(0, 2**64 - 1))
def test_scapy_reads_the_request(flags, lifetime, addresses, identification):
    home, agent, care_of = addresses
    data = fc.RegistrationRequest(flags, lifetime, home, agent, care_of, identification).encode()
    theirs = MobileIP(data)[MobileIPRRQ]
    assert (int(theirs.flags), theirs.lifetime, theirs.homeaddr, theirs.haaddr, theirs.coaddr, theirs.id) == (
        flags, lifetime, str(home), str(agent), str(care_of), identification)
    assert bytes(MobileIP(data)) == data


@given(st.integers(0, 255), st.integers(0, 65535), ADDRESSES, ADDRESSES, st.integers(0, 2**64 - 1))
def test_scapy_reads_the_reply(code, lifetime, home, agent, identification):
    data = fc.RegistrationReply(code, lifetime, home, agent, identification).encode()
    theirs = MobileIP(data)[MobileIPRRP]
    assert (theirs.code, theirs.lifetime, theirs.homeaddr, theirs.haaddr, theirs.id) == (
        code, lifetime, str(home), str(agent), identification)
    assert fc.RegistrationReply.decode(bytes(MobileIP() / MobileIPRRP(
        code=code, lifetime=lifetime, homeaddr=str(home), haaddr=str(agent), id=identification))).encode() == data


@pytest.fixture(scope="module")
def dictionary():
    return Dictionary(str(SHIPPED / "dictionary.rfc2865"), str(SHIPPED / "dictionary.rfc2869"),
                      str(SHIPPED / "dictionary.rfc6911"), str(SHIPPED / "dictionary.rfc3162"),
                      str(SHIPPED / "dictionary.mipstorm"))


GRANT = [("Framed-IP-Address", IPv4Address("192.0.2.25")), ("Session-Timeout", 7200), ("Class", b"\0\xff"),
         ("Framed-IPv6-Address", IPv6Address("2001:db8:f:1::25")), ("Framed-IPv6-Prefix", IPv6Network("2001:db8::/64")),
         ("Mipstorm-IPv6-Home-Address", IPv6Address("2001:db8::1")), ("Mipstorm-AAA-SPI", 512),
         ("Mipstorm-MN-FHA-Nonce", bytes(range(16))), ("Mipstorm-FHA-FQDN", "fha.example")]


def test_pyrad_reads_what_we_sign(dictionary):
    request = fc.RadiusPacket(1, 9, bytes(range(16)), [("User-Name", "mn0001@home.example")]).encode(SECRET)
    theirs = AuthPacket(packet=request, secret=SECRET, dict=dictionary)
    assert theirs.verify_message_authenticator()
    assert theirs["User-Name"] == ["mn0001@home.example"]
    answer = fc.RadiusPacket(2, 9, attributes=GRANT).encode(SECRET, request)
    reply = theirs.CreateReply(packet=answer)
    assert theirs.VerifyReply(reply, answer)
    for name, value in GRANT:
        shown = reply[name][0]
        assert shown == (value if isinstance(value, (int, bytes)) else str(value)), name


def test_we_read_what_pyrad_signs(dictionary):
    theirs = AuthPacket(code=1, id=3, secret=SECRET, dict=dictionary, authenticator=bytes(range(16)))
    theirs["User-Name"] = "mn0001@home.example"
    theirs["User-Password"] = theirs.PwCrypt("boot-strap-2006")
    theirs.add_message_authenticator()
    request = theirs.RequestPacket()
    ours = fc.RadiusPacket.decode(request, SECRET)
    assert ours.attributes["User-Name"] == "mn0001@home.example"
    assert fc.reveal_password(ours.attributes["User-Password"], SECRET, ours.authenticator) == b"boot-strap-2006"
    reply = theirs.CreateReply()
    for name, value in GRANT:
        reply.AddAttribute(name, value if isinstance(value, (int, bytes)) else str(value))
    reply.add_message_authenticator()
    got = fc.RadiusPacket.decode(reply.ReplyPacket(), SECRET, request).attributes
    for name, value in GRANT:
        assert got[name] == value


def capture(path, datagrams):
    """A pcap of raw IP packets, link type 101."""
    with path.open("wb") as out:
        out.write(struct.pack("<IHHiIII", 0xa1b2c3d4, 2, 4, 0, 0, 65535, 101))
        for second, packet in enumerate(datagrams):
            out.write(struct.pack("<IIII", second, 0, len(packet), len(packet)) + packet)
    return path


def udp(data, source, destination):
    """An IPv4 packet with that UDP payload; UDP checksum 0, none."""
    length = 28 + len(data)
    head = struct.pack(">BBHHHBBH4s4s", 0x45, 0, length, 1, 0, 64, 17, 0, bytes(4), b"\x7f\0\0\1")
    total = sum(struct.unpack(">10H", head))
    total = (total & 0xffff) + (total >> 16)
    total = (total & 0xffff) + (total >> 16)
    head = head[:10] + struct.pack(">H", ~total & 0xffff) + head[12:]
    return head + struct.pack(">HHHH", source, destination, length - 20, 0) + data


def tshark(path, *fields):
    program = shutil.which("tshark")
    if program is None:
        pytest.skip("tshark is not installed")
    command = [program, "-r", str(path), "-T", "fields", "-E", "separator=|", "-e", "_ws.malformed"]
    for field in fields:
        command += ["-e", field]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    return [line.split("|") for line in done.stdout.splitlines()]


@pytest.mark.interop
def test_tshark_reads_registrations(tmp_path):
    """Those without the extensions that tshark 4.0 does not know (42, 43) or walks as another shape."""
    plain = []
    for vector in MOBILE["vectors"]:
        if vector["kind"] == "mip4" and vector["message_hex"][:2] in ("01", "03") and (
                not {e["type"] for e in vector["extensions"]} & NOT_TSHARKS):
            data = bytes.fromhex(vector["message_hex"])
            kind = fc.RegistrationRequest if data[0] == 1 else fc.RegistrationReply
            plain.append(kind.decode(data))
    assert len(plain) >= 8
    path = capture(tmp_path / "registrations.pcap", [udp(m.encode(), 434, 434) for m in plain])
    rows = tshark(path, "mip.life", "mip.homeaddr", "mip.haaddr", "mip.ext.type")
    for message, (malformed, life, home, agent, types) in zip(plain, rows, strict=True):
        assert malformed == ""
        assert (int(life), home, agent) == (message.lifetime, str(message.home_address), str(message.home_agent))
        assert len([t for t in types.split(",") if t]) == len([e for e in message.extensions if not isinstance(e, fc.Padding)])


@pytest.mark.interop
def test_tshark_reads_radius(tmp_path):
    packets = [fc.RadiusPacket.decode(bytes.fromhex(v["message_hex"])) for v in RADIUS["vectors"]
               if v["kind"] == "radius" and v["id"].startswith(("rx-", "rc-")) and v["fields"]["code"] in (1, 2, 3, 11)]
    path = capture(tmp_path / "radius.pcap", [udp(p.encode(), 1812 if p.code != 1 else 40000, 1812 if p.code == 1 else
                                                  40000) for p in packets])
    rows = tshark(path, "radius.code", "radius.id", "radius.avp.type")
    for packet, (malformed, code, identifier, types) in zip(packets, rows, strict=True):
        assert malformed == ""
        assert (int(code), int(identifier)) == (packet.code, packet.identifier)
        assert len([t for t in types.split(",") if t]) >= len(packet.attributes) - 1
