"""What a pump moves, on tape: read back by our reader and by scapy."""
from __future__ import annotations

import contextlib
import errno
import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from scapy.layers.inet import IP, UDP

from fastcodec.capture import read_capture
from servers.net.echo import Echo
from servers.net.mmsg import Socket
from servers.net.pump import Pump
from servers.net.tape import Tape
from servers.net.udp import open_socket


@contextlib.contextmanager
def client(ip: str = "127.0.0.1") -> Iterator[socket.socket]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as made:
        made.bind((ip, 0))
        made.settimeout(5)
        yield made


def endpoint(opened: Socket) -> tuple[str, int]:
    ip, port = opened.address.split(":")
    return ip, int(port)


def test_both_ways_are_on_tape_with_the_addresses_they_had(tmp_path: Path) -> None:
    server = open_socket("0.0.0.0", 0, pktinfo=True)
    tape = Tape(str(tmp_path / "tape.pcap"), [server.address])
    pump = Pump(Echo(), [server], tape)
    with client("127.0.0.9") as caller:
        for k in range(300):
            caller.sendto(b"%d" % k, ("127.0.0.7", endpoint(server)[1]))
        pump.on_readable(0)
        source = caller.getsockname()
    tape.close()
    with open(tape.path, "rb") as file:
        frames = list(read_capture(file))
    assert len(frames) == tape.written == 600
    packets = [IP(f.octets) for f in frames]
    asked, answered = ([p for p in packets if p.src == ip] for ip in ("127.0.0.9", "127.0.0.7"))
    assert [bytes(p[UDP].payload) for p in asked] == [bytes(p[UDP].payload) for p in answered] == [b"%d" % k for k in range(300)]
    assert {(p.src, p[UDP].sport, p.dst, p[UDP].dport) for p in asked} == {(*source, "127.0.0.7", endpoint(server)[1])}
    assert {(p.src, p[UDP].sport, p.dst, p[UDP].dport) for p in answered} == {("127.0.0.7", endpoint(server)[1], *source)}
    for packet in packets:
        written = packet.chksum
        del packet.chksum
        assert IP(bytes(packet)).chksum == written
    assert [f.time_ns for f in frames] == sorted(f.time_ns for f in frames)
    server.close()
    pump.close()


def test_a_tape_that_cannot_be_written_says_so() -> None:
    with pytest.raises(OSError, match="cannot be written"):
        Tape("/nonexistent/tape.pcap", ["127.0.0.1:1"])


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs /dev/full")
def test_a_full_disk_ends_the_tape_not_the_service() -> None:
    server = open_socket("127.0.0.1", 0)
    tape = Tape("/dev/full", [server.address])
    pump = Pump(Echo(), [server], tape)
    with client() as caller:
        for _ in range(3000):
            caller.sendto(bytes(1000), endpoint(server))
            pump.on_readable(0)
            assert caller.recv(2000) == bytes(1000)
    tape.close()
    assert tape.error == errno.ENOSPC
    server.close()
    pump.close()
