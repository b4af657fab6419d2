"""Messages in text: a message a line, and dumps with offsets as people's tools print them."""
from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from scapy.layers.l2 import Ether

import fastcodec as fc
from loadgen.decode.dumps import messages_of
from loadgen.decode.hexadecimal import kind_of
from loadgen.decode.keys import Keys
from loadgen.decode.reader import Reader
from loadgen.errors import UsageError

sys.path.insert(0, str(Path(__file__).parent))
from decoding import ACCESS, HERE, REQUEST, packet

HEX_LIKE = fc.RadiusPacket(1, 1, bytes(16), [("User-Name", "cafe 00 11 22 33 44 55 66 77"), ("Class", b"ab cd ef 12 34")]).encode()


def xxd(octets: bytes, upper: bool = False) -> str:
    lines = []
    for at in range(0, len(octets), 16):
        part = octets[at:at + 16]
        text = "".join(chr(c) if 32 <= c < 127 else "." for c in part)
        lines.append(f"{at:08x}: {part.hex(' ', -2):<39}  {text}")
    return "\n".join(lines).upper() if upper else "\n".join(lines)


def hexdump(octets: bytes) -> str:
    lines = []
    for at in range(0, len(octets), 16):
        part = octets[at:at + 16]
        text = "".join(chr(c) if 32 <= c < 127 else "." for c in part)
        lines.append(f"{at:08x}  {part[:8].hex(' '):<23}  {part[8:].hex(' '):<23}  |{text}|")
    return "\n".join([*lines, f"{len(octets):08x}"])


def od(octets: bytes, offset: str = "07o") -> str:
    lines = [f"{at:{offset}} {octets[at:at + 16].hex(' ')}" for at in range(0, len(octets), 16)]
    return "\n".join([*lines, f"{len(octets):{offset}}"])


def tcpdump(octets: bytes) -> str:
    return "\n".join(f"\t0x{at:04x}:  {octets[at:at + 16].hex(' ', -2)}" for at in range(0, len(octets), 16))


def tshark(octets: bytes) -> str:
    lines = []
    for at in range(0, len(octets), 16):
        part = octets[at:at + 16]
        text = "".join(chr(c) if 32 <= c < 127 else "." for c in part)
        lines.append(f"{at:04x}  {part.hex(' '):<47}   {text}")
    return "\n".join(lines)


@pytest.mark.parametrize("octets", [ACCESS, HEX_LIKE, REQUEST, HEX_LIKE[:47], HEX_LIKE[:33]], ids=len)
@pytest.mark.parametrize("form", [xxd, hexdump, od, lambda o: od(o, "06x"), tcpdump, tshark, lambda o: xxd(o, True)],
                         ids=["xxd", "hexdump -C", "od", "od -Ax", "tcpdump", "tshark", "xxd -u"])
def test_dumps_are_read(form, octets: bytes) -> None:  # type: ignore[no-untyped-def]
    text = form(octets)
    assert list(messages_of(text.splitlines())) == [octets]
    assert list(messages_of(f"{text}\n{text}\n\n# one a line\n{ACCESS.hex()}\n{text}".splitlines())) == [octets, octets, ACCESS, octets]


@pytest.mark.skipif(not Path("/usr/bin/hexdump").exists() or not Path("/usr/bin/od").exists(), reason="needs hexdump and od")
@pytest.mark.parametrize("command", [["hexdump", "-Cv"], ["od", "-tx1", "-v"], ["od", "-Ax", "-tx1", "-v"]], ids=" ".join)
def test_dumps_of_the_tools_themselves(command: list[str]) -> None:
    for octets in (ACCESS, HEX_LIKE, bytes(200) + REQUEST):
        text = subprocess.run(command, input=octets, capture_output=True, check=True).stdout.decode()
        assert list(messages_of(text.splitlines())) == [octets]


@pytest.mark.parametrize("line", ["0000 0038 2000 0002 5a0c 0001 1000", "00000038200000025a0c000110000003", "0000003820000002 5a0c"])
def test_a_message_in_groups_that_begins_with_zeros_is_no_dump(line: str) -> None:
    assert list(messages_of([line])) == [bytes.fromhex(line)]


@pytest.mark.parametrize("text", [
    "00000000: 0101 001f\n00000020: 0001", "00000000  01 02 |..|\n*\n00000040  01", "00000000: 0101 001f\nno", "0000  zz"])
def test_a_dump_with_lines_left_out_is_refused(text: str) -> None:
    with pytest.raises(UsageError):
        list(messages_of(text.splitlines()))


def test_an_ethernet_frame_is_told_by_its_own_lengths() -> None:
    frame = bytes(Ether(src="04:00:00:00:00:01", dst="01:00:5e:00:00:01", type=0x800) / packet(ACCESS, 1812))
    assert kind_of(frame) == "ethernet"
    found, = Reader(Keys()).messages([frame], None)
    assert (found.source, found.message) == (HERE, fc.RadiusPacket.decode(ACCESS))
