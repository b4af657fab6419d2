"""`mipstorm decode` as people use it: on what a bench moved, on a stream, interrupted, cut off; and against tshark."""
from __future__ import annotations

import json
import os
import shutil
import signal
import struct
import subprocess
import time
from collections.abc import Iterator
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any

import pytest
from scapy.layers.inet import IP, UDP

import fastcodec as fc
from fastcodec.capture import CaptureWriter, read_capture
from tests.e2e.processes import MIPSTORM, Running, bench, environment, mipstorm

NODES = 300
MB = 1 << 20
KEY, SPI = bytes(range(16)), 0x200


@pytest.fixture(scope="module")
def tape(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What a bench sent and received, and beside it its keys."""
    folder = tmp_path_factory.mktemp("tape")
    bench(folder, "-n", str(NODES), "-r", "300", "--pcap", "tape.pcap", "-q")
    return folder / "tape.pcap"


def decode(tape: Path, *arguments: str, **options: Any) -> subprocess.CompletedProcess[str]:
    return mipstorm(tape.parent, "decode", *arguments, **options)


def lines(done: subprocess.CompletedProcess[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in done.stdout.splitlines()]


def changed(tape: Path, name: str, number: int, offset: int) -> Path:
    """The capture with one octet of a frame flipped; offset from the frame's end when negative."""
    other = tape.with_name(name)
    with tape.open("rb") as source, CaptureWriter(other.open("wb")) as writer:
        for frame in read_capture(source):
            octets = bytearray(frame.octets)
            if frame.number == number:
                octets[offset] ^= 0x20
            writer.write(frame.time_ns, bytes(octets))
    return other


# ---- on what a bench moved

def test_every_request_is_matched_and_everything_is_authentic(tape: Path) -> None:
    done = decode(tape, "tape.pcap", "--keys", "tape.pcap.keys", "--json")
    assert done.returncode == 0, done.stderr
    events = lines(done)
    replies = [e for e in events if "answers" in e]
    assert len(events) >= 4 * NODES
    assert all(e["authentic"] for e in events)
    assert not any("faults" in e or "remarks" in e for e in events)
    by_number = {e["number"]: e for e in events}
    for reply in replies:
        request = by_number[reply["answers"]]
        assert (request["source"], request["source_port"]) == (reply["destination"], reply["destination_port"])
        assert reply["latency_ms"] == pytest.approx((reply["time_ns"] - request["time_ns"]) / 1e6)
        assert reply["nai"] == request["nai"]
    first = {e["number"] for e in events if "answers" not in e and "repeats" not in e}
    assert first <= {e["answers"] for e in replies}
    assert sum(e["message"]["class"] == "RegistrationReply" for e in replies) >= NODES           # under derived MN-HA keys
    assert f"{len(events)} frames" in done.stderr
    assert " 0 wrong" in done.stderr


def test_other_keys_make_it_wrong(tape: Path) -> None:
    keys = tape.with_name("other.keys")
    keys.write_text((tape.parent / "tape.pcap.keys").read_text().replace('secret_hex = "', 'secret_hex = "00'))
    keys.chmod(0o600)
    done = decode(tape, "tape.pcap", "--keys", "other.keys", "--wrong", "--protocol", "radius")
    assert done.returncode == 5
    assert len(done.stdout.splitlines()) >= 2 * NODES
    assert all("WRONG" in line for line in done.stdout.splitlines())


@pytest.mark.parametrize("number", [1, 4 * NODES])
@pytest.mark.parametrize("offset", [-1, 40, 15, 8, 30])
def test_one_flipped_octet_names_the_frame(tape: Path, number: int, offset: int) -> None:
    changed(tape, "flipped.pcap", number, offset)
    done = decode(tape, "flipped.pcap", "--keys", "tape.pcap.keys", "--wrong", "--json", "--all")
    assert done.returncode == 5, (done.stdout, done.stderr)
    assert number in [e["number"] for e in lines(done)]


def test_filters(tape: Path) -> None:
    everything = lines(decode(tape, "tape.pcap", "--keys", "tape.pcap.keys", "--json"))
    nai = everything[0]["nai"]
    one = decode(tape, "tape.pcap", "--keys", "tape.pcap.keys", "--nai", nai, "--protocol", "mip4", "--json")
    assert {e["message"]["class"] for e in lines(one)} == {"RegistrationRequest", "RegistrationReply"}
    assert {e["nai"] for e in lines(one)} == {nai}
    host = next(e["source"] for e in lines(one))
    found = lines(decode(tape, "tape.pcap", "--keys", "tape.pcap.keys", "--host", host, "--json"))
    assert found
    assert all(host in (e["source"], e["destination"]) for e in found)


def test_a_testbed_document_holds_the_keys(tmp_path: Path) -> None:
    with Running(tmp_path, [*MIPSTORM, "up", "-n", "50", "--testbed", "tb.json"]) as run:
        assert run.process.stdout is not None
        assert run.process.stdout.readline()
        run.descendants()
        done = mipstorm(tmp_path, "load", "--testbed", "tb.json", "-n", "50", "-r", "50", "--pcap", "load.pcap", "-q")
        assert done.returncode in (0, 3), done.stderr
        decoded = mipstorm(tmp_path, "decode", "load.pcap", "--keys", "tb.json", "--json")
        run.interrupt()
        run.end()
    assert decoded.returncode == 0, decoded.stderr
    assert len(lines(decoded)) >= 200
    assert all(e["authentic"] for e in lines(decoded))


# ---- damage, hexadecimal, interruption

def test_a_damaged_capture_is_read_up_to_the_damage(tape: Path) -> None:
    whole = tape.read_bytes()
    tape.with_name("cut.pcap").write_bytes(whole[:len(whole) // 2])
    done = decode(tape, "cut.pcap", "--keys", "tape.pcap.keys", "--json")
    assert done.returncode == 5
    errors = [line for line in done.stderr.splitlines() if "capture at offset" in line]
    assert len(errors) == 1
    assert len(lines(done)) > NODES
    tape.with_name("no.pcap").write_bytes(b"GIF89a" + bytes(60))
    done = decode(tape, "no.pcap")
    assert (done.returncode, done.stdout) == (5, "")
    assert "neither pcap nor pcapng" in done.stderr
    assert decode(tape, "nothing.pcap").returncode == 2


def test_hexadecimal_on_the_command_line_and_on_standard_input(tmp_path: Path) -> None:
    request = fc.RegistrationRequest(0x22, 60, IPv4Address(0), IPv4Address(1), IPv4Address(2), 1 << 63, [
        fc.Nai("mn@home"), fc.GeneralizedAuthentication(SPI)]).encode(KEY)
    done = mipstorm(tmp_path, "decode", request.hex(), "--json")
    assert done.returncode == 0
    assert lines(done)[0]["message"]["extensions"][0] == {"class": "Nai", "nai": "mn@home"}
    spaced = mipstorm(tmp_path, "decode", *request.hex(" ").split())
    assert (spaced.returncode, "Registration Request lifetime 60" in spaced.stdout) == (0, True)
    several = subprocess.run([*MIPSTORM, "decode", "-"], input=f"{request.hex()}\n\n{request.hex(':')}\n", cwd=tmp_path, text=True,
                             env=environment(tmp_path), capture_output=True, check=False)
    assert (several.returncode, several.stdout.count("Registration Request")) == (0, 2)
    for wrong in ("ff00ff", "0g", "010"):
        refused = mipstorm(tmp_path, "decode", wrong)
        assert (refused.returncode, refused.stdout, refused.stderr.count("\n")) == (2, "", 1), wrong


def stream(frames: int, size: int = 0) -> Iterator[bytes]:
    """A pcap file: requests and replies of as many nodes; with `size` about so many octets each."""
    yield struct.pack("<IHHiIII", 0xa1b23c4d, 2, 4, 0, 0, 1 << 18, 101)
    padding = [fc.VendorExtension(9, k, bytes(200)) for k in range(size // 216)]
    pair = [fc.RegistrationRequest(0x22, 60, IPv4Address(0), IPv4Address(1), IPv4Address(2), 0, [
                fc.Nai("mn@home.example"), *padding, fc.GeneralizedAuthentication(SPI)]).encode(KEY),
            fc.RegistrationReply(0, 60, IPv4Address(3), IPv4Address(1), 0, [fc.MnHaAuthentication(SPI)]).encode(KEY)]
    packets = [bytes(IP(src="127.0.0.1", dst="127.0.0.2", id=0) / UDP(sport=ports[0], dport=ports[1], chksum=0) / payload)
               for payload, ports in zip(pair, ((9, 434), (434, 9)), strict=True)]
    packets[1] = bytes(IP(src="127.0.0.2", dst="127.0.0.1", id=0) / UDP(sport=434, dport=9, chksum=0) / pair[1])
    places = (28 + 16, 28 + 12)                                          # of the identification
    heads = [struct.pack("<II", len(p), len(p)) for p in packets]
    for number in range(frames):
        which = number & 1
        packet, at = packets[which], places[which]
        yield b"%b%b%b%b%b" % (struct.pack("<II", 1_700_000_000 + number // 1000, number % 1000), heads[which], packet[:at],
                               struct.pack(">Q", number // 2), packet[at + 8:])


def most_memory(folder: Path, octets: int) -> tuple[int, int]:
    """The greatest RSS in octets of a decode that reads so much from a pipe, and how many frames it read."""
    with (folder / "err").open("w+") as errors:
        process = subprocess.Popen([*MIPSTORM, "decode", "-", "--json"], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL,
                                   stderr=errors, env=environment(folder), cwd=folder)
        assert process.stdin is not None
        given, pieces = 0, []
        for piece in stream(1 << 62, 2000):
            pieces.append(piece)
            if len(pieces) == 256:
                given += process.stdin.write(b"".join(pieces))
                pieces.clear()
                if given >= octets:
                    break
        process.stdin.close()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        errors.seek(0)
        said = errors.read()
    assert process.returncode == 0, said
    return usage.ru_maxrss * 1024, int(said.split("mipstorm: ")[1].split()[0])


@pytest.mark.timeout(300)
def test_memory_does_not_grow_with_the_capture(tmp_path: Path) -> None:
    """Frames of about 1 KB on average, so that 200 MB are more requests than are remembered."""
    small, few = most_memory(tmp_path, 10 * MB)
    large, many = most_memory(tmp_path, int(os.environ.get("MIPSTORM_STREAM_MB", "200")) * MB)
    print(f"{few} frames: {small / MB:.0f} MB; {many} frames: {large / MB:.0f} MB")
    assert many > 2 * (1 << 16) > few
    assert large - small < 64 * MB


def test_an_interrupt_leaves_whole_lines(tmp_path: Path) -> None:
    with (tmp_path / "out").open("wb") as out:
        process = subprocess.Popen([*MIPSTORM, "decode", "-", "--json"], stdin=subprocess.PIPE, stdout=out, stderr=subprocess.PIPE,
                                   env=environment(tmp_path), cwd=tmp_path)
        assert process.stdin is not None
        assert process.stderr is not None
        sent = b"".join(stream(5000))
        process.stdin.write(sent)
        process.stdin.flush()
        deadline = time.monotonic() + 30
        while (tmp_path / "out").stat().st_size < 1000 and time.monotonic() < deadline:          # it prints before it waits
            time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        said = process.stderr.read().decode()
        process.stdin.close()
        assert process.wait(30) == 130
    assert "interrupted" in said
    written = (tmp_path / "out").read_bytes()
    assert written.endswith(b"\n")
    numbers = [json.loads(line)["number"] for line in written.splitlines()]
    assert numbers == list(range(1, len(numbers) + 1))
    assert len(numbers) > 100


def test_a_reader_that_leaves_is_no_error(tape: Path) -> None:
    done = subprocess.run(["sh", "-c", f"{' '.join(MIPSTORM)} decode tape.pcap --keys tape.pcap.keys --full | head -3"], cwd=tape.parent,
                          env=environment(tape.parent), capture_output=True, text=True, check=False)
    assert (len(done.stdout.splitlines()), done.stderr) == (3, "")


# ---- against tshark

FIELDS = ("frame.number", "ip.src", "ip.dst", "udp.srcport", "udp.dstport", "radius.code", "radius.id", "mip.type", "mip.code", "mip.life",
          "mip.homeaddr", "mip.haaddr")


def test_tshark_s_fields_agree(tape: Path) -> None:
    if not shutil.which("tshark"):
        pytest.skip("tshark is not installed")
    events = lines(decode(tape, "tape.pcap", "--keys", "tape.pcap.keys", "--json"))
    ports = {e["protocol"]: e["destination_port"] for e in events if "answers" not in e}
    options = [o for field in FIELDS for o in ("-e", field)]
    done = subprocess.run(["tshark", "-n", "-r", str(tape), "-d", f"udp.port=={ports['radius']},radius", "-d",
                           f"udp.port=={ports['mip4']},mip", "-T", "fields", "-E", "occurrence=f", *options],
                          capture_output=True, text=True, check=True)
    seen = [dict(zip(FIELDS, line.split("\t"), strict=True)) for line in done.stdout.splitlines()]
    assert len(seen) == len(events)
    for theirs, ours in zip(seen, events, strict=True):
        assert [theirs[f] for f in FIELDS[:5]] == [str(ours[n]) for n in (
            "number", "source", "destination", "source_port", "destination_port")]
        message = ours["message"]
        if ours["protocol"] == "radius":
            assert (int(theirs["radius.code"]), int(theirs["radius.id"])) == (message["code"], message["identifier"])
            continue
        assert int(theirs["mip.type"]) == {"RegistrationRequest": 1, "RegistrationReply": 3}[message["class"]]
        assert int(theirs["mip.life"]) == message["lifetime"]
        assert (theirs["mip.homeaddr"], theirs["mip.haaddr"]) == (message["home_address"], message["home_agent"])
        if theirs["mip.code"]:
            assert int(theirs["mip.code"]) == message["code"]


def test_tshark_s_spis_agree(tmp_path: Path) -> None:
    """Of messages without RFC 3957's extensions, whose long header it takes for a short one's."""
    if not shutil.which("tshark"):
        pytest.skip("tshark is not installed")
    (tmp_path / "spi.pcap").write_bytes(b"".join(stream(20)))
    ours = [next(part["spi"] for part in event["message"]["extensions"] if "authenticator" in part)
            for event in lines(mipstorm(tmp_path, "decode", "spi.pcap", "--json"))]
    done = subprocess.run(["tshark", "-n", "-r", "spi.pcap", "-T", "fields", "-e", "mip.auth.spi"], cwd=tmp_path,
                          capture_output=True, text=True, check=True)
    assert [int(line, 0) for line in done.stdout.split()] == ours == [SPI] * 20
