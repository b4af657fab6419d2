"""tshark reads a capture of one bootstrap, every packet of it, and has nothing to complain about."""
from __future__ import annotations

import json
import shutil
import struct
import subprocess
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path
from typing import Any

import pytest

from servers.net.memory import Tapped
from tests.roles.world import FHA, SECRET, World

pytestmark = pytest.mark.interop
RAW_IP = 101                                 # link type of the capture file
UNKNOWN_TO_TSHARK = (42, 43)                 # RFC 3957: it takes the length of their long header for a short one's


@pytest.fixture(scope="module")
def tapped() -> list[Tapped]:
    """All datagrams of the bootstrap of one node, in order."""
    world = World(1)
    world.run(2)
    assert world.tally()["succeeded"] == 1
    assert len(world.net.tap) == 6
    return world.net.tap


def sum16(octets: bytes) -> int:
    """RFC 1071."""
    octets += bytes(len(octets) % 2)
    total = sum(struct.unpack(f">{len(octets) // 2}H", octets))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def in_ip(packet: Tapped, data: bytes) -> bytes:
    """The datagram as an IPv4 packet with correct checksums."""
    ends = IPv4Address(packet.source[0]).packed + IPv4Address(packet.destination[0]).packed
    length = 8 + len(data)
    udp = struct.pack(">HHHH", packet.source[1], packet.destination[1], length, 0)
    check = sum16(ends + struct.pack(">HH", 17, length) + udp + data)
    header = struct.pack(">BBHHHBBH", 0x45, 0, 20 + length, 0, 0x4000, 64, 17, 0)
    return header[:10] + struct.pack(">H", sum16(header + ends)) + ends + udp[:6] + struct.pack(">H", check) + data


def capture(path: Path, packets: list[Tapped], data: list[bytes]) -> Path:
    with path.open("wb") as file:
        file.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, RAW_IP))
        for packet, octets in zip(packets, data, strict=True):
            ip = in_ip(packet, octets)
            file.write(struct.pack("<IIII", packet.time_ns // 10**9, packet.time_ns // 1000 % 10**6, len(ip), len(ip)) + ip)
    return path


def dissected(path: Path, *options: str) -> list[dict[str, Any]]:
    """The layers of every packet as tshark shows them."""
    if not shutil.which("tshark"):
        pytest.skip("tshark is not installed")
    done = subprocess.run(["tshark", "-n", "-r", str(path), "-T", "json", "--no-duplicate-keys", *options], capture_output=True,
                          text=True, check=True, timeout=60)
    return [packet["_source"]["layers"] for packet in json.loads(done.stdout)]


def complaints(layers: object, where: str = "") -> list[str]:
    """Everything that tshark marks as malformed, or comments on beyond a chat."""
    if isinstance(layers, list):
        return [c for part in layers for c in complaints(part, where)]
    if not isinstance(layers, dict):
        return []
    found = [f"{where}: {name}" for name in layers if name.startswith("_ws.malformed") or name.startswith("_ws.expert.message")]
    return found + [c for name, part in layers.items() for c in complaints(part, name)]


def without(data: bytes, types: tuple[int, ...]) -> bytes:
    """A registration message without the generalized (long) extensions of these types."""
    at = 24 if data[0] == 1 else 20
    kept = data[:at]
    while at < len(data):
        long = data[at] in types
        end = at + (4 + int.from_bytes(data[at + 2:at + 4], "big") if long or data[at] == 36 else 2 + data[at + 1])
        kept += b"" if long else data[at:end]
        at = end
    return kept


CHECKING = ("-o", "udp.check_checksum:TRUE", "-o", "ip.check_checksum:TRUE", "-o", "radius.validate_authenticator:TRUE", "-o",
            f"radius.shared_secret:{SECRET.decode()}")


def cut(packet: Tapped) -> bytes:
    """What is left to show to tshark."""
    is_registration = 434 in (packet.source[1], packet.destination[1]) and packet.data[0] in (1, 3)
    return without(packet.data, UNKNOWN_TO_TSHARK) if is_registration else packet.data


def values(layers: object, name: str) -> list[str]:
    """Every value of a field, in order."""
    if isinstance(layers, list):
        return [v for part in layers for v in values(part, name)]
    if not isinstance(layers, dict):
        return []
    own = layers.get(name, [])
    return (own if isinstance(own, list) else [own]) + [v for k, part in layers.items() if k != name for v in values(part, name)]


def test_all_of_it_is_read(tmp_path: Path, tapped: list[Tapped]) -> None:
    """With the secret, so that the RADIUS authenticators are checked by another's arithmetic, too."""
    packets = dissected(capture(tmp_path / "bootstrap.pcap", tapped, [cut(p) for p in tapped]), *CHECKING)
    assert len(packets) == 6
    assert complaints(packets) == []
    assert [values(packet, "udp.checksum.status") for packet in packets] == 6 * [["1"]]
    assert values(packets, "radius.code") == ["1", "2", "1", "2"]
    assert values(packets, "radius.authenticator.valid") == ["1", "1"]
    assert values(packets, "radius.User_Name")[:2] == 2 * ["mn000000@home.example"]
    assert values(packets, "mip.type") == ["1", "3"]
    assert values(packets, "mip.nai") == 2 * ["mn000000@home.example"]
    request, reply = (packet["mip"] for packet in packets if "mip" in packet)
    assert (request["mip.haaddr"], reply["mip.haaddr"], request["mip.homeaddr"], reply["mip.code"]) == (FHA, FHA, "0.0.0.0", "0")
    assert IPv4Address(reply["mip.homeaddr"]) in IPv4Network("198.18.0.0/24")
    assert values(request, "mip.ext.type") == ["131", "36"]
    assert values(reply, "mip.ext.type") == ["131", "134", "134", "134", "32"]


def test_what_is_wrong_would_be_seen(tmp_path: Path, tapped: list[Tapped]) -> None:
    """The reply without its last octet, the Accept with another bit."""
    data = [cut(p) for p in tapped]
    data[-1] = data[-1][:-1]
    data[1] = data[1][:-1] + bytes([data[1][-1] ^ 1])
    packets = dissected(capture(tmp_path / "spoilt.pcap", tapped, data), *CHECKING)
    assert complaints(packets[-1]) != []
    assert values(packets, "radius.authenticator.valid") == ["0", "1"]
