"""`mipstorm decode --json` against `tshark -T json`: the same capture of bootstraps, whole processes, what they print thrown away."""

from __future__ import annotations

import json
import os
import shutil
import struct
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Sequence
from pathlib import Path
from time import perf_counter
from typing import Any

from fastcodec.capture import CaptureWriter, read_capture

from .rounds import Plan, Run, Unavailable, compare, interleave

NAMES = ("decode.pcap",)
ASK = 5
NODES, NODES_QUICKLY = 50_000, 10_000        # four frames each
RADIUS, MOBILE_IP = 1812, 434                # the ports that tshark knows
PORTS = (20, 22)                             # offsets in a frame of the tape: IPv4 without options, then UDP
MIPSTORM = (sys.executable, "-m", "loadgen.cli.main")
ROUNDS = 5                                   # of whole seconds each: enough
FIELDS = ("frame.number", "radius.code", "radius.id", "mip.type", "mip.life")


def captured(folder: Path, nodes: int) -> tuple[Path, int]:
    """A capture of that many bootstraps on standard ports, and its number of frames."""
    tape = folder / "tape.pcap"
    done = subprocess.run([*MIPSTORM, "bench", "-n", str(nodes), "-r", "4000", "-q", "--pcap", str(tape)], capture_output=True,
                          text=True, check=False, env=environment(), cwd=folder)
    if not tape.exists() or not tape.stat().st_size:
        raise Unavailable(f"mipstorm bench --pcap: {done.stderr.strip()}")
    ports = tomllib.loads((folder / "tape.pcap.keys").read_text())["ports"]
    standard = {ports["radius"][0]: RADIUS, ports["mip4"][0]: MOBILE_IP}
    count = 0
    with tape.open("rb") as source, CaptureWriter((folder / "bootstraps.pcap").open("wb")) as writer:
        for frame in read_capture(source):
            octets = bytearray(frame.octets)
            for at in PORTS:
                port, = struct.unpack_from(">H", octets, at)
                struct.pack_into(">H", octets, at, standard.get(port, port))
            writer.write(frame.time_ns, bytes(octets))
            count += 1
    return folder / "bootstraps.pcap", count


def environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])}


def run(command: Sequence[str], frames: int) -> Run:
    """Frames a second of a process from its start to its end."""
    before, start = os.times(), perf_counter()
    subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True, env=environment())
    elapsed, after = perf_counter() - start, os.times()
    spent = after.children_user + after.children_system - before.children_user - before.children_system
    return Run(frames / elapsed, 1e6 * spent / frames, frames, frames, spent / elapsed)


def seen_by_tshark(capture: Path) -> list[tuple[int, ...]]:
    fields = [option for name in FIELDS for option in ("-e", name)]
    done = subprocess.run(["tshark", "-n", "-r", str(capture), "-T", "fields", *fields], capture_output=True, text=True, check=True)
    return [tuple(int(value) for value in line.split("\t") if value) for line in done.stdout.splitlines()]


def seen_by_us(capture: Path) -> list[tuple[int, ...]]:
    done = subprocess.run([*MIPSTORM, "decode", str(capture), "--json"], capture_output=True, check=True, env=environment())
    return [values_of(json.loads(line)) for line in done.stdout.splitlines()]


def values_of(line: dict[str, Any]) -> tuple[int, ...]:
    message = line["message"]
    if line["protocol"] == "radius":
        return line["number"], message["code"], message["identifier"]
    return line["number"], 1 if message["class"] == "RegistrationRequest" else 3, message["lifetime"]


def figures(plan: Plan | None = None) -> list[dict[str, Any]]:
    """Both must have seen the same messages, frame by frame, before their time counts."""
    plan = plan or Plan()
    if not shutil.which("tshark"):
        raise Unavailable("tshark is not installed")
    with tempfile.TemporaryDirectory() as folder:
        capture, frames = captured(Path(folder), NODES if plan.seconds >= 1 else NODES_QUICKLY)
        ours, theirs = seen_by_us(capture), seen_by_tshark(capture)
        if ours != theirs or len(ours) != frames:
            raise AssertionError(f"{len(ours)} messages, tshark {len(theirs)} of {frames}, and they differ")
        runs = interleave({"ours": lambda: run([*MIPSTORM, "decode", str(capture), "--json"], frames),
                           "theirs": lambda: run(["tshark", "-n", "-r", str(capture), "-T", "json"], frames)},
                          min(plan.rounds, ROUNDS))
    return [compare(NAMES[0], runs["ours"], runs["theirs"], unit="packets/s", reference="tshark -T json", ask=ASK).as_dict()]
