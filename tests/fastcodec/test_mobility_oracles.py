"""Mobility Headers, PANA and EAP as scapy and tshark read them; thousands of made-up messages, both ways.

MIPSTORM_DIFFERENTIAL=50000 makes more of them.
"""
import json
import os
import random
import shutil
import struct
import subprocess
from ipaddress import IPv4Address, IPv6Address
from pathlib import Path

import pytest
from scapy.layers import inet6
from scapy.layers.eap import EAP, EAP_MD5

import fastcodec as fc

PACKETS = int(os.environ.get("MIPSTORM_DIFFERENTIAL", "2000"))
ACCESS = json.loads((Path(__file__).parents[1] / "vectors" / "access.json").read_text())
RNG = random.Random(6275)
HOME, AGENT, CARE_OF = (IPv6Address(a) for a in ("2001:db8:100::25", "2001:db8:100::1", "2001:db8:f:1::25"))


# ---- made-up messages

def number(bits):
    return RNG.choice([0, 1, 2**bits - 1, RNG.randrange(2**bits)])


def address():
    return IPv6Address(RNG.getrandbits(128))


def octets(least, most):
    return RNG.randbytes(RNG.randint(least, most))


MAKERS = {
    2: lambda: fc.RefreshAdviceOption(number(16)), 3: lambda: fc.AlternateCareOfAddressOption(address()),
    4: lambda: fc.NonceIndicesOption(number(16), number(16)), 5: lambda: fc.AuthorizationDataOption(octets(12, 12)),
    6: lambda: fc.MobileNetworkPrefixOption(RNG.randint(0, 128), address()),
    8: lambda: fc.MobileNodeIdentifierOption(1, f"mn{RNG.randrange(10000):04}@home.example"),
    9: lambda: fc.AuthenticationOption(RNG.randint(1, 2), number(32), octets(12, 12)),
    10: lambda: fc.ReplayProtectionOption(number(64)),
    19: lambda: fc.MobilityVendorOption(32473, number(8), octets(1, 20)), 20: lambda: fc.ServiceSelectionOption("ims.example"),
    29: lambda: fc.IPv4HomeAddressOption(RNG.randint(0, 32) << 10, IPv4Address(number(32))),
    32: lambda: fc.IPv4CareOfAddressOption(IPv4Address(number(32))),
    31: lambda: fc.NatDetectionOption(RNG.choice([0, 0x8000]), number(32))}


def made_up(kinds=tuple(MAKERS)):
    options = [MAKERS[kind]() for kind in RNG.sample(kinds, RNG.randint(0, 4))]
    return RNG.choice([
        lambda: fc.BindingUpdate(number(16), number(16) & 0xffc0, number(16), options),
        lambda: fc.BindingAcknowledgement(RNG.choice([0, 1, *range(128, 175)]), number(8) & 0xe0, number(16), number(16), options),
        lambda: fc.BindingError(RNG.randint(1, 2), address()), lambda: fc.BindingRefreshRequest(options=options),
        lambda: fc.HomeTestInit(cookie=number(64), options=options), lambda: fc.CareOfTestInit(cookie=number(64), options=options),
        lambda: fc.HomeTest(number(16), number(64), number(64), options),
        lambda: fc.CareOfTest(number(16), number(64), number(64), options)])()


def packet(message):
    home = HOME if isinstance(message, fc.BindingUpdate) else None
    back = HOME if isinstance(message, fc.BindingAcknowledgement) else None
    return fc.MobilityPacket(CARE_OF if home or not back else AGENT, CARE_OF if back else AGENT, message, home, back).encode()


# ---- scapy

SCAPY_FIELDS = {"seq": "sequence", "status": "status", "mhtime": "lifetime", "index": "nonce_index"}
SCAPY_KINDS = (2, 3, 4, 5, 8, 9, 10)


def scapys(message):
    """The message as scapy finds it in the packet, and its options without padding."""
    layer = inet6.IPv6(packet(message))
    while "mhtype" not in layer.fields:
        layer = layer.payload
    return layer, [o for o in layer.fields.get("options", []) if getattr(o, "otype", 0) > 1]


def test_scapy_reads_what_we_write():
    for _ in range(PACKETS // 2):
        message = made_up(SCAPY_KINDS)
        theirs, options = scapys(message)
        assert theirs.mhtype == message.plan.type
        for name, ours in SCAPY_FIELDS.items():
            if name in theirs.fields and hasattr(message, ours):
                assert theirs.fields[name] == getattr(message, ours), name
        for name in ("cookie", "token"):
            if name in theirs.fields:
                assert int.from_bytes(theirs.fields[name]) == (message.cookie if name == "cookie" else message.keygen_token)
        assert [o.otype for o in options] == [o.plan.type for o in message.options]
        for their, our in zip(options, message.options, strict=True):
            check_option(their, our)


def check_option(theirs, ours):
    if isinstance(ours, fc.AlternateCareOfAddressOption):
        assert theirs.acoa == str(ours.address)
    elif isinstance(ours, fc.MobileNodeIdentifierOption):
        assert (theirs.subtype, theirs.id.decode()) == (ours.subtype, ours.identifier)
    elif isinstance(ours, fc.AuthenticationOption):
        assert (theirs.subtype, theirs.mspi, theirs.authdata) == (ours.subtype, ours.spi, ours.authenticator)
    elif isinstance(ours, fc.NonceIndicesOption):
        assert (theirs.hni, theirs.coni) == (ours.home_nonce_index, ours.care_of_nonce_index)


def test_scapy_computes_the_same_checksum():
    """Without Home Address option, for scapy takes that into account only without padding before it."""
    for _ in range(200):
        message = made_up(SCAPY_KINDS)
        data = message.encode(source=CARE_OF, destination=AGENT)
        layer = inet6.IPv6(src=str(CARE_OF), dst=str(AGENT), nh=135) / inet6.conf.raw_layer(data)
        theirs = inet6.in6_chksum(135, layer, data[:4] + bytes(2) + data[6:])
        assert theirs == int.from_bytes(data[4:6])


def test_we_read_what_scapy_writes():
    for _ in range(300):
        spi, sequence, text = number(32), number(16), f"mn{RNG.randrange(1000)}@home.example"
        other = str(address())
        theirs = inet6.IPv6(src=str(CARE_OF), dst=str(AGENT)) / inet6.MIP6MH_BU(
            seq=sequence, flags=0b110000, mhtime=450, options=[
                inet6.MIP6OptAltCoA(acoa=other), inet6.MIP6OptMNID(id=text), inet6.MIP6OptMsgAuth(mspi=spi, authdata=b"a" * 12)])
        at = fc.look(bytes(theirs))
        assert at.checksum_right
        ours = fc.BindingUpdate.decode(at.payload, source=CARE_OF, destination=AGENT)
        assert (ours.sequence, ours.lifetime, ours.nai()) == (sequence, 450, text)
        assert ours.find(fc.AlternateCareOfAddressOption).address == IPv6Address(other)
        assert ours.find(fc.AuthenticationOption) == fc.AuthenticationOption(1, spi, b"a" * 12)
        assert ours.encode() == bytes(at.payload)


def test_scapy_reads_eap():
    for vector in ACCESS["vectors"]:
        if vector["kind"] == "eap":
            data = bytes.fromhex(vector["message_hex"])
            theirs, ours = EAP(data), fc.EapPacket.decode(data)
            assert (theirs.code, theirs.id) == (ours.code, ours.identifier)
            assert getattr(theirs, "type", None) == (None if ours.body is None else ours.body.TYPE)
            if isinstance(ours.body, fc.EapMd5Challenge):
                assert (theirs[EAP_MD5].value, theirs[EAP_MD5].optional_name.decode()) == (ours.body.value, ours.body.name)


# ---- tshark

def tshark(path, *fields):
    program = shutil.which("tshark")
    if program is None:
        pytest.skip("tshark is not installed")
    command = [program, "-r", str(path), "-T", "fields", "-E", "separator=|", "-e", "_ws.malformed"]
    for field in fields:
        command += ["-e", field]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=110)
    return [line.split("|") for line in done.stdout.splitlines()]


def capture(path, datagrams):
    """A pcap of raw IP packets, link type 101."""
    with path.open("wb") as out:
        out.write(struct.pack("<IHHiIII", 0xa1b2c3d4, 2, 4, 0, 0, 65535, 101))
        for second, data in enumerate(datagrams):
            out.write(struct.pack("<IIII", second, 0, len(data), len(data)) + data)
    return path


def told(value):
    """What tshark shows for a message's fields, in the order of TSHARK."""
    update, acknowledgement = isinstance(value, fc.BindingUpdate), isinstance(value, fc.BindingAcknowledgement)
    alternate, who = value.find(fc.AlternateCareOfAddressOption), value.find(fc.MobileNodeIdentifierOption)
    proof, service = value.find(fc.AuthenticationOption), value.find(fc.ServiceSelectionOption)
    return [str(value.plan.type), str(value.sequence) if update else "", str(value.lifetime) if update else "",
            str(value.status) if acknowledgement else "", str(value.sequence) if acknowledgement else "",
            str(alternate.address) if alternate else "", who.identifier if who else "", str(proof.spi) if proof else "",
            service.identifier if service else ""]


TSHARK = ("mip6.mhtype", "mip6.bu.seqnr", "mip6.bu.lifetime", "mip6.ba.status", "mip6.ba.seqnr", "mip6.acoa.acoa",
          "mip6.mnid.identifier", "mip6.auth.mobility_spi", "mip6.ss.identifier")


@pytest.mark.interop
def test_tshark_reads_mobility_headers(tmp_path):
    messages = [made_up() for _ in range(PACKETS)]
    rows = tshark(capture(tmp_path / "mobility.pcap", map(packet, messages)), *TSHARK)
    for message, (malformed, *fields) in zip(messages, rows, strict=True):
        assert malformed == ""
        assert fields == told(message), message


@pytest.mark.interop
def test_tshark_reads_pana(tmp_path):
    """PANA and the EAP in it, of messages that we decoded and encoded again; reserved bits make tshark look away."""
    vectors = [v for v in ACCESS["vectors"] if v["kind"] == "pana" and v["id"] != "s-05"]
    messages = [fc.PanaMessage.decode(bytes.fromhex(v["message_hex"])) for v in vectors]
    packets = [bytes.fromhex(v["packet_hex"])[:28] + m.encode() for v, m in zip(vectors, messages, strict=True)]
    rows = tshark(capture(tmp_path / "pana.pcap", packets), "pana.type", "pana.seq", "pana.avp.data_length", "eap.code", "eap.gpsk.opcode")
    for message, (malformed, kind, sequence, lengths, code, operation) in zip(messages, rows, strict=True):
        inside = message.find(fc.EapPayloadAvp)
        eap = fc.EapPacket.decode(inside.value) if inside else None
        assert malformed == ""
        assert (int(kind, 0), int(sequence, 0)) == (message.type, message.sequence)
        assert [int(n) for n in lengths.split(",") if n] == [len(a.value) if isinstance(a.value, bytes) else 4 for a in message.avps]
        assert code == (str(eap.code) if eap else "")
        assert operation == (f"{eap.body.OPERATION:#04x}" if eap and isinstance(eap.body, fc.GpskMessage) else "")
