"""Bounded memory: many bogus packets from as many sources cost neither memory nor the good load (reliability C11, small)."""
from __future__ import annotations

import os
import re
import socket
import struct
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from loadgen import result as document
from servers.control import ask
from servers.endpoint import parse_endpoint
from tests.e2e.processes import MIPSTORM, Running
from tests.e2e.test_up import up

PACKETS = 200_000
A_SECOND = 20_000
GROWTH = 64 << 20
IP_PKTINFO = 8
NTP = 2_208_988_800


def source(k: int) -> str:
    """A different address for each, known clients' (127.0.0.0/9) and strangers' in turn."""
    half, place = (k & 1) << 7, k >> 1
    return f"127.{half + 1 + place // 62_500}.{place // 250 % 250}.{1 + place % 250}"


def request_of_nobody(k: int) -> bytes:
    """A Registration Request in perfect shape: a NAI that nobody has, an authenticator that nobody can check."""
    nai = b"nobody%d@home.example" % k
    identification = struct.pack("!II", int(time.time()) + NTP, k)
    return b"".join([bytes([1, 0x02]), struct.pack("!H", 1800), bytes(4), socket.inet_aton("127.0.0.1"),
                     socket.inet_aton(source(k)), identification, bytes([131, len(nai)]), nai,
                     bytes([36, 1]), struct.pack("!HI", 20, 4096 + k), os.urandom(16)])


def question_of_nobody(k: int) -> bytes:
    """An Access-Request whose Message-Authenticator is wrong."""
    attributes = b"\x01\x0fnobody%07d" % (k % 10_000_000) + b"\x50\x12" + os.urandom(16)
    return struct.pack("!BBH", 1, k & 255, 20 + len(attributes)) + os.urandom(16) + attributes


def garbage(k: int) -> bytes:
    return os.urandom(k % 200)


def flood(mip4: str, radius: str) -> Iterator[tuple[bytes, str, tuple[str, int]]]:
    """(octets, source, destination), half of them to each server, one in four mere noise."""
    fha, aaah = (parse_endpoint(address) for address in (mip4, radius))
    for k in range(PACKETS):
        make: Callable[[int], bytes] = garbage if k % 16 < 4 else request_of_nobody if k & 2 else question_of_nobody
        to = fha if k & 2 else aaah
        yield make(k), source(k), (str(to.address), to.port)


def send(packets: Iterator[tuple[bytes, str, tuple[str, int]]]) -> set[str]:
    """At the pace of A_SECOND; returns the sources."""
    used, began = set(), time.monotonic()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as out:
        out.bind(("0.0.0.0", 0))
        for k, (octets, address, to) in enumerate(packets):
            note = struct.pack("=I4s4s", 0, socket.inet_aton(address), bytes(4))
            out.sendmsg([octets], [(socket.IPPROTO_IP, IP_PKTINFO, note)], 0, to)
            used.add(address)
            if not k % 500:
                time.sleep(max(0.0, began + k / A_SECOND - time.monotonic()))
    return used


def resident(pid: int) -> int:
    match = re.search(r"VmRSS:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    assert match
    return int(match[1]) << 10


def test_a_flood_from_many_sources_leaves_memory_and_the_good_load_alone(tmp_path: Path) -> None:
    with up(tmp_path, "--cool-down", "0") as (_, testbed):
        servers = testbed["servers"]
        pids = {role: servers[role]["pids"][0] for role in servers}
        before = {role: resident(pid) for role, pid in pids.items()}
        good = ["load", "--testbed", "tb.json", "-r", "50", "-d", str(PACKETS / A_SECOND + 4), "--max-failures", "1%", "-q",
                "--json", "good.json"]
        with Running(tmp_path, [*MIPSTORM, *good]) as load:
            time.sleep(1.0)
            sources = send(flood(servers["fha"]["mip4"], servers["aaah"]["radius"]))
            code, _, err = load.end(60)
        assert len(sources) == PACKETS
        assert code in (0, 3), err                                       # 3: others kept the machine busy
        result = document.decode((tmp_path / "good.json").read_bytes())
        assert result.bootstraps.attempted >= 500
        assert result.bootstraps.succeeded >= 0.99 * result.bootstraps.attempted
        for role, pid in pids.items():
            told = ask(Path(servers[role]["control"]))
            assert told["packets_in"] + told["kernel_drops"] > 0.95 * PACKETS / 2
            assert resident(pid) - before[role] <= GROWTH, told
        dropped = ask(Path(servers["aaah"]["control"]))["dropped"]
        assert dropped["unknown_client"] > 10_000
        assert dropped["bad_message_authenticator"] > 10_000
