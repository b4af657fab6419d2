"""Capture files against scapy and editcap, and what is wrong with them."""
from __future__ import annotations

import contextlib
import gzip
import io
import os
import random
import shutil
import struct
import subprocess
from pathlib import Path

import pytest
from scapy.layers.inet import IP, UDP
from scapy.layers.l2 import Ether
from scapy.utils import PcapNgWriter, PcapWriter

from fastcodec.capture import LONGEST_FRAME, CaptureError, CaptureWriter, Frame, LinkType, read_capture

TIMES = [1_700_000_000_123_456_000, 1_700_000_000_123_457_000, 1_700_000_001_000_000_000]
PACKETS = [Ether() / IP(src="127.0.0.1", dst="127.0.0.2") / UDP(sport=1, dport=434) / bytes(n) for n in (0, 24, 1300)]


def frames(octets: bytes) -> list[Frame]:
    return list(read_capture(io.BytesIO(octets)))


@pytest.fixture(params=["pcap", "pcap-ns", "pcap-big", "pcapng"])
def written(request: pytest.FixtureRequest, tmp_path: Path) -> bytes:
    """The three packets as scapy writes them."""
    path = tmp_path / "capture"
    writer = PcapNgWriter(str(path)) if request.param == "pcapng" else PcapWriter(
        str(path), endianness=">" if request.param == "pcap-big" else "<", nano=request.param == "pcap-ns", linktype=1)
    for packet, time_ns in zip(PACKETS, TIMES, strict=True):
        packet.time = time_ns / 10**9
        writer.write(packet)
    writer.close()
    return path.read_bytes()


def test_reads_what_scapy_wrote(written: bytes) -> None:
    found = frames(written)
    assert [f.octets for f in found] == [bytes(p) for p in PACKETS]
    assert [(f.number, f.link, f.length) for f in found] == [(k + 1, LinkType.ETHERNET, len(p)) for k, p in enumerate(PACKETS)]
    assert all(abs(f.time_ns - t) < 1000 for f, t in zip(found, TIMES, strict=True))


def test_gzip_and_small_reads(written: bytes) -> None:
    class Dripping(io.BytesIO):
        def read(self, count: int | None = -1) -> bytes:
            return super().read(min(count or 7, 7) if count != -1 else 7)

    assert frames(gzip.compress(written)) == frames(written) == list(read_capture(Dripping(written)))


def test_a_cut_file_gives_its_whole_frames_then_the_offset(written: bytes) -> None:
    whole = frames(written)
    for cut in range(24, len(written)):
        found: list[Frame] = []
        try:
            for frame in read_capture(io.BytesIO(written[:cut])):
                found.append(frame)
        except CaptureError:
            assert len(found) < len(whole)
        assert found == whole[:len(found)]


def test_damage_never_hangs_or_surprises(written: bytes) -> None:
    chance = random.Random(1)
    for _ in range(3000):
        octets = bytearray(written)
        for _ in range(chance.randint(1, 4)):
            octets[chance.randrange(len(octets))] = chance.choice((0, 1, 255, chance.randrange(256)))
        with contextlib.suppress(CaptureError):
            assert len(frames(bytes(octets))) <= len(octets) // 12


def test_a_damaged_gzip_file_is_a_damaged_capture(written: bytes) -> None:
    packed = gzip.compress(written)
    for octets in (packed[:-9], packed[:40] + bytes(9) + packed[49:], b"\x1f\x8b" + bytes(30)):
        with pytest.raises(CaptureError):
            frames(octets)


def test_a_cut_gzip_file_gives_the_frames_before_the_cut(written: bytes) -> None:
    """As a capture does that is still being written; so does what follows it and is no gzip."""
    many = written * 40 if written[:4] == b"\x0a\x0d\x0d\x0a" else written + written[24:] * 40
    whole, packed = frames(many), gzip.compress(many, 0)
    for octets in (packed[:len(packed) // 2], packed[:-9], packed + b"junk"):
        found = []
        with pytest.raises(CaptureError, match="gzip"):
            for frame in read_capture(io.BytesIO(octets)):
                found.append(frame)
        assert len(found) > len(whole) // 4
        assert found == whole[:len(found)]


@pytest.mark.parametrize(("octets", "says"), [
    (b"", "is empty"), (b"abc", "3 octets are no capture"), (b"GIF89a" + bytes(40), "neither pcap nor pcapng"),
    (b"\xd4\xc3\xb2\xa1" + bytes(10), "cut off"),
    (struct.pack("<IHHiIII", 0xa1b2c3d4, 2, 4, 0, 0, 65535, 1) + struct.pack("<IIII", 0, 0, LONGEST_FRAME + 1, 9), "cannot be"),
    (b"\x0a\x0d\x0d\x0a\x1c\0\0\0" + bytes(20), "byte order magic"),
    (struct.pack("<IIIHHqI", 0x0A0D0D0A, 28, 0x1A2B3C4D, 1, 0, -1, 24), "two lengths differ"),
    (struct.pack("<IIIHHqI", 0x0A0D0D0A, 28, 0x1A2B3C4D, 1, 0, -1, 28) + struct.pack("<IIIIIIII", 6, 32, 0, 0, 0, 0, 0, 32),
     "names no interface"),
])
def test_what_is_no_capture_says_why(octets: bytes, says: str) -> None:
    with pytest.raises(CaptureError, match=says):
        frames(octets)


def test_writes_what_it_and_tshark_read(tmp_path: Path) -> None:
    path = tmp_path / "out.pcap"
    raw = [bytes(p[IP]) for p in PACKETS]
    with CaptureWriter(path.open("wb")) as writer:
        for time_ns, octets in zip(TIMES, raw, strict=True):
            writer.write(time_ns + 7, octets)
    assert frames(path.read_bytes()) == [Frame(k + 1, t + 7, LinkType.RAW, o, len(o))
                                         for k, (t, o) in enumerate(zip(TIMES, raw, strict=True))]
    if not shutil.which("editcap"):
        pytest.skip("needs editcap (tshark)")
    without_sanitizer = {name: value for name, value in os.environ.items() if name != "LD_PRELOAD"}    # of ours, in which it can hang
    for form in ("pcapng", "pcap", "nsecpcap"):
        other = tmp_path / form
        subprocess.run(["editcap", "-F", form, str(path), str(other)], check=True, timeout=60, env=without_sanitizer)
        assert [f.octets for f in frames(other.read_bytes())] == raw
        assert all(abs(f.time_ns - t) < 1000 for f, t in zip(frames(other.read_bytes()), TIMES, strict=True))
