"""Every limit at what it allows, and at one more; those that a caller may give at several."""
import struct
from io import BytesIO
from ipaddress import IPv4Address

import pytest

import fastcodec as fc
from fastcodec.capture import LONGEST_BLOCK, LONGEST_FRAME, MOST_INTERFACES, CaptureError, read_capture
from fastcodec.headers import checksum
from fastcodec.status import Status

REPLY = fc.RegistrationReply(0, 60, IPv4Address(1), IPv4Address(2), 3)
FEW_SHORT = {       # parts: how many are allowed, and the octets of a message with so many
    "mip4": (32, lambda n: REPLY.encode() + b"\xc8\x00" * n, fc.Mip4Message.decode, fc.RegistrationBatch),
    "icmp": (32, lambda n: summed(b"\x09\0\0\0\0\2\0\x3c" + b"\xc8\x00" * n), fc.AgentMessage.decode, fc.AgentBatch),
    "mip6": (64, lambda n: headed(b"\x3b\0\5\0\0\0" + b"\0\1\0\0\0\0" + b"\xc8\x00" * n), fc.MobilityMessage.decode, fc.MobilityBatch),
    "pana": (64, lambda n: b"\0\0" + (16 + 8 * n).to_bytes(2) + b"\x80\0\0\2" + bytes(8) + b"\x01\0\0\0\0\0\0\0" * n,
             lambda octets: fc.PanaMessage.decode(octets, strict=False), None),
    "radius": (255, lambda n: packet(b"\xc8\x02" * n), fc.RadiusPacket.decode, fc.RadiusBatch)}


def summed(octets: bytes) -> bytes:
    return octets[:2] + checksum(octets).to_bytes(2) + octets[4:]


def headed(octets: bytes) -> bytes:
    """A Mobility Header, its length in units of eight octets; PadN fills it."""
    rest = -len(octets) % 8
    octets += b"" if rest == 0 else b"\0" if rest == 1 else bytes((1, rest - 2)) + bytes(rest - 2)
    return octets[:1] + bytes((len(octets) // 8 - 1,)) + octets[2:]


def packet(body: bytes) -> bytes:
    return b"\2\1" + (20 + len(body)).to_bytes(2) + bytes(16) + body


@pytest.mark.parametrize("name", FEW_SHORT)
def test_parts_of_a_message(name):
    """Single and in a batch."""
    most, make, decode, batch = FEW_SHORT[name]
    message = decode(make(most))
    assert message.encode() == make(most)
    with pytest.raises(fc.DecodeError) as refusal:
        decode(make(most + 1))
    assert refusal.value.status == Status.TOO_MANY_EXTENSIONS
    if batch is not None:
        rows = batch.from_datagrams([make(most), make(most + 1), make(10 * most)[:60000], make(most)])
        last = Status.TOO_MANY_EXTENSIONS if name != "radius" else Status.BAD_LENGTH       # longer than a packet may be
        if name == "mip6":                                                                 # its length does not fit Header Len
            last = Status(rows.status[2])
        assert rows.status.tolist() == [Status.OK, Status.TOO_MANY_EXTENSIONS, last, Status.OK]


@pytest.mark.parametrize("most", [0, 1, 5, 254, 255, 1000])
def test_most_attributes_as_asked_for(most):
    fc.RadiusPacket.decode(packet(b"\xc8\x02" * most), most_attributes=most)
    with pytest.raises(fc.DecodeError) as refusal:
        fc.RadiusPacket.decode(packet(b"\xc8\x02" * (most + 1)), most_attributes=most)
    assert (refusal.value.status, refusal.value.offset) == (Status.TOO_MANY_EXTENSIONS, 20 + 2 * most)


@pytest.mark.parametrize("longest", [20, 24, 4095, 4096, 65535])
def test_longest_packet_as_asked_for(longest):
    def filled(n: int) -> bytes:
        body = b"\xc8\xff" + bytes(253)
        return packet(body * ((n - 20) // 255) + (bytes((200, (n - 20) % 255)) + bytes((n - 20) % 255 - 2) if (n - 20) % 255 else b""))
    fits = filled(longest)
    assert len(fits) == longest
    assert fc.RadiusPacket.decode(fits, longest=longest, most_attributes=1000).encode(longest=longest) == fits
    if longest > 20:
        with pytest.raises(fc.DecodeError) as refusal:
            fc.RadiusPacket.decode(fits, longest=longest - 1, most_attributes=1000)
        assert (refusal.value.status, refusal.value.offset) == (Status.BAD_LENGTH, 2)
        with pytest.raises(fc.EncodeError, match=f"more than {longest - 21}"):
            fc.RadiusPacket.decode(fits, longest=longest, most_attributes=1000).encode(longest=longest - 1)


@pytest.mark.parametrize(("name", "room", "pieces"), [("EAP-Message", 253, 16), ("Attr-246.77", 251, 16), ("CHAP-Challenge", 253, 1)])
def test_value_in_pieces_fills_the_packet_and_no_more(name, room, pieces):
    """All attributes that one value is split into, RFC 3579 3.1, RFC 6929 2.2, have the room of the packet; others one attribute."""
    head = 255 - room
    most = room if pieces == 1 else 4076 - pieces * head
    octets = fc.RadiusPacket(1, 1, bytes(16), [(name, bytes(most))]).encode()
    assert fc.RadiusPacket.decode(octets).attributes[name] == bytes(most)
    assert pieces == 1 or len(octets) == 4096
    with pytest.raises(fc.EncodeError):
        fc.RadiusPacket(1, 1, bytes(16), [(name, bytes(most + 1))]).encode()
    if pieces > 1:
        longer = fc.RadiusPacket(1, 1, bytes(16), [(name, bytes(most + 1))]).encode(longest=4097)
        assert fc.RadiusPacket.decode(longer, longest=4097).attributes[name] == bytes(most + 1)


@pytest.mark.parametrize("pieces", [1, 254, 255, 256])
def test_eap_message_in_small_pieces(pieces):
    """However it was cut, a value is whole; its pieces count as attributes."""
    octets = packet(b"\x4f\x04ab" * pieces)
    if pieces > 255:
        with pytest.raises(fc.DecodeError):
            fc.RadiusPacket.decode(octets)
    decoded = fc.RadiusPacket.decode(octets, most_attributes=pieces)
    assert decoded.attributes.joined("EAP-Message") == b"ab" * pieces
    assert decoded.encode() == octets


@pytest.mark.parametrize(("attribute", "most"), [("User-Password", 128), ("MS-MPPE-Send-Key", 239), ("Tunnel-Password:1", 239)])
def test_longest_hidden_values(attribute, most):
    secret, request = b"secret", fc.RadiusPacket(1, 1, bytes(range(16)))
    code, asked = (1, None) if attribute == "User-Password" else (2, request)
    octets = fc.RadiusPacket(code, 1, bytes(16), [(attribute, b"x" * most)]).encode(secret, asked)
    assert fc.RadiusPacket.decode(octets, secret, asked).find(attribute) in ("x" * most, b"x" * most)
    with pytest.raises(fc.EncodeError) as refusal:
        fc.RadiusPacket(code, 1, bytes(16), [(attribute, b"x" * (most + 1))]).encode(secret, asked)
    assert refusal.value.field == attribute.partition(":")[0]


# ---- the longest message of each protocol

def test_longest_messages():
    """65535 octets where the length, or the datagram, has two octets; 2048 where it counts up to 256 units of eight."""
    assert len(fc.EapPacket(2, 1, fc.EapUnknown(9, bytes(65530))).encode()) == 65535
    with pytest.raises(fc.EncodeError, match="65531"):
        fc.EapPacket(2, 1, fc.EapUnknown(9, bytes(65531))).encode()
    pana = fc.PanaMessage(0x8000, 2, 1, 1, [fc.UnknownAvp(100, bytes(65508))])
    assert len(pana.encode()) == 65532
    assert fc.PanaMessage.decode(pana.encode(), strict=False) == pana
    with pytest.raises(fc.EncodeError):
        pana.replace(avps=[fc.UnknownAvp(100, bytes(65509))]).encode()
    update = fc.BindingUpdate(1, options=[fc.UnknownOption(b"\xc8\xff" + bytes(255))] * 7 + [fc.UnknownOption(b"\xc8\xeb" + bytes(235))])
    assert len(update.encode()) == 2048
    assert fc.MobilityMessage.decode(update.encode()) == update
    with pytest.raises(fc.EncodeError):
        update.replace(options=[*update.options, fc.UnknownOption(b"\xc8\x00")]).encode()


def test_longest_mobile_ipv4_messages():
    longest = 65535 - len(fc.TunnelData(4, b"").encode())
    data = fc.TunnelData(4, bytes(longest))
    assert fc.Mip4Message.decode(data.encode()) == data
    with pytest.raises(fc.EncodeError):
        fc.TunnelData(4, bytes(longest + 1)).encode()
    with pytest.raises(fc.EncodeError, match="longer than a datagram|datagram"):
        fc.AgentAdvertisement(0, 60, [], [fc.UnknownExtension(b"\xc8\xff" + bytes(255))] * 256).encode()


# ---- captures

def pcap(captured: int) -> bytes:
    return struct.pack("<IHHiIII", 0xa1b2c3d4, 2, 4, 0, 0, 65535, 101) + struct.pack("<IIII", 0, 0, captured, captured) + bytes(captured)


def block(kind: int, body: bytes) -> bytes:
    return struct.pack("<II", kind, len(body) + 12) + body + struct.pack("<I", len(body) + 12)


SECTION = block(0x0A0D0D0A, struct.pack("<IHHq", 0x1A2B3C4D, 1, 0, -1))
INTERFACE = block(1, struct.pack("<HHI", 101, 0, 0))


def test_longest_frame_of_a_capture():
    assert [len(frame.octets) for frame in read_capture(BytesIO(pcap(LONGEST_FRAME)))] == [LONGEST_FRAME]
    with pytest.raises(CaptureError, match="cannot be"):
        list(read_capture(BytesIO(pcap(LONGEST_FRAME + 1))))


def test_longest_block_of_a_capture():
    assert list(read_capture(BytesIO(SECTION + block(0x7777, bytes(LONGEST_BLOCK - 12))))) == []
    with pytest.raises(CaptureError):
        list(read_capture(BytesIO(SECTION + block(0x7777, bytes(LONGEST_BLOCK - 8)))))


def test_most_interfaces_of_a_capture():
    frame = block(6, struct.pack("<IIIII", MOST_INTERFACES - 1, 0, 0, 4, 4) + b"abcd")
    assert [f.octets for f in read_capture(BytesIO(SECTION + INTERFACE * MOST_INTERFACES + frame))] == [b"abcd"]
    with pytest.raises(CaptureError):
        list(read_capture(BytesIO(SECTION + INTERFACE * (MOST_INTERFACES + 1) + frame)))
