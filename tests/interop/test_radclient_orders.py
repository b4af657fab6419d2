"""radclient's Disconnect- and CoA-Request to our FHA, between its node and its AAAH."""
from __future__ import annotations

import hashlib
import hmac
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from ipaddress import IPv4Address
from pathlib import Path

import pytest

from fastcodec import RadiusPacket
from fastcodec.dictionary import SHIPPED
from tests.interop.peers import SECRET, aaah, free_port, ours, private, program, subscribers
from tests.interop.test_freeradius_as_aaah import CARE_OF, ask
from tests.interop.test_radclient import radclient

pytestmark = pytest.mark.interop
FHA = f"""[fha]
listen = "127.0.0.1:0"
volatile = true
nas_identifier = "fha1"
dynamic_authorization = "127.0.0.1:{{orders}}"
[fha.pool]
network = "198.18.0.0/24"
[[fha.aaah]]
address = "127.0.0.1:{{aaah}}"
secret = "{SECRET.decode()}"
status_server = false
"""


def rrq(nai: bytes, spi: int, key: bytes) -> bytes:
    """RFC 5944 3.3 with a key request (RFC 3957 6.3) and MN-AAA by HMAC-MD5 (RFC 4721 6)."""
    now = time.time() + 2_208_988_800
    identification = (int(now) % 2**32 << 32) + int(now % 1 * 2**32)
    message = b"\x01\x22" + (1800).to_bytes(2, "big") + bytes(4) + IPv4Address("127.0.0.1").packed + IPv4Address(CARE_OF).packed
    message += identification.to_bytes(8, "big") + bytes((131, len(nai))) + nai + b"\x2a\x01\x00\x04\x00\x00\x10\x00"
    message += b"\x24\x01\x00\x14" + spi.to_bytes(4, "big")
    return message + hmac.new(key, message, hashlib.md5).digest()


@contextmanager
def overheard(server: int) -> Iterator[tuple[int, list[bytes]]]:
    """A port that hands everything on to the server and back; what the FHA asked there."""
    asked: list[bytes] = []
    with (socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as front, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as back):
        front.bind(("127.0.0.1", 0))
        back.connect(("127.0.0.1", server))
        front.settimeout(0.1)
        back.settimeout(2)
        ended = threading.Event()

        def run() -> None:
            while not ended.is_set():
                try:
                    question, source = front.recvfrom(4096)
                except TimeoutError:
                    continue
                asked.append(question)
                back.send(question)
                front.sendto(back.recv(4096), source)

        thread = threading.Thread(target=run)
        thread.start()
        try:
            yield int(front.getsockname()[1]), asked
        finally:
            ended.set()
            thread.join()


def test_orders(tmp_path: Path) -> None:
    program("radclient")
    made, orders = subscribers(tmp_path, 2), free_port()
    (tmp_path / "dictionary").write_text(f"$INCLUDE /usr/share/freeradius/dictionary\n$INCLUDE {SHIPPED}/dictionary.mipstorm\n")
    nai = made.nai[1]
    with (aaah(tmp_path) as home, overheard(home.port) as (port, asked),
          ours("fha", private(tmp_path / "fha.toml", FHA.format(orders=orders, aaah=port))) as agent):
        reply = ask(("127.0.0.1", agent.port), rrq(nai, int(made.spi[1]), made.key[1]))
        assert reply[:2] == b"\x03\x00"
        session = RadiusPacket.decode(asked[-1]).attributes["Acct-Session-Id"]
        named = [f'User-Name = "{nai.decode()}"', "NAS-IP-Address = 127.0.0.1", 'NAS-Identifier = "fha1"',
                 f'Acct-Session-Id = "{session}"', f"Event-Timestamp = {int(time.time())}", "Message-Authenticator = 0x00"]
        assert "No reply" in radclient(tmp_path, orders, "disconnect", named, "another secret")
        assert "Received CoA-ACK" in radclient(tmp_path, orders, "coa", [*named, "Session-Timeout = 600"])
        assert "Error-Cause = Missing-Attribute" in radclient(tmp_path, orders, "coa", named)
        assert "Error-Cause = NAS-Identification-Mismatch" in radclient(
            tmp_path, orders, "disconnect", [*named[:1], "NAS-IP-Address = 127.0.0.9", *named[2:]])
        assert "Received Disconnect-ACK" in radclient(tmp_path, orders, "disconnect", named)
        assert "Error-Cause = Session-Context-Not-Found" in radclient(tmp_path, orders, "disconnect", named)
