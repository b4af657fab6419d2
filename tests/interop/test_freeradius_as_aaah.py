"""Our FHA asks a plain FreeRADIUS, which knows the node's MN-AAA key as a password (CHAP_SPI, RFC 4721 8)."""
from __future__ import annotations

import hashlib
import hmac
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from ipaddress import IPv4Address, IPv4Network, IPv6Address
from pathlib import Path

import pytest

from fastcodec import MnHaAuthentication, NonceReply, RegistrationReply
from tests.interop.peers import SECRET, aaah, freeradius, freeradius_process, ours, private, started

pytestmark = pytest.mark.interop
NAI, KEY, STATIC = b"mn1@home.example", b"printable key 16", bytes(range(16))
CARE_OF, POOL, CHAP_SPI, MN_SPI, STATIC_SPI, AAA_SPI = "127.64.0.9", "198.18.0.0/24", 2, 4096, 5000, 512
NONCE = bytes(range(100, 116))

FHA = f"""[fha]
listen = "127.0.0.1:0"
volatile = true
[fha.pool]
network = "{POOL}"
[[fha.static_key]]
nai = "{NAI.decode()}"
spi = {STATIC_SPI}
key = "{STATIC.hex()}"
[[fha.aaah]]
address = "127.0.0.1:{{port}}"
secret = "{SECRET.decode()}"
require_message_authenticator = "no"
ours = false
"""
USER = f"""{NAI.decode()}	Cleartext-Password := "{KEY.decode()}"
	Session-Timeout = 600{{more}}

"""
ASSIGNED = f""",
	Framed-IP-Address = 255.255.255.254,
	Mipstorm-IPv6-Home-Address = 2001:db8:100:1::25,
	Mipstorm-IPv6-Home-Agent = 2001:db8:100::1,
	Mipstorm-AAA-SPI = {AAA_SPI},
	Mipstorm-MN-FHA-MN-SPI = {MN_SPI},
	Mipstorm-MN-FHA-FHA-SPI = "%{{Mipstorm-MN-FHA-FHA-SPI}}",
	Mipstorm-MN-FHA-Nonce = 0x{NONCE.hex()},
	Mipstorm-MN-FHA-Key = 0x{hmac.new(KEY, NONCE + NAI, hashlib.sha1).hexdigest()},
	Mipstorm-MN-FHA-Algorithm = 1,
	Mipstorm-MN-FHA-Replay-Method = 2,
	Mipstorm-MN-FHA-Key-Lifetime = 3600"""


def rrq(agent: str, key: bytes = KEY, extension: bytes = b"") -> bytes:
    """RFC 5944 3.3 with MN-AAA by CHAP_SPI and without a challenge, which then is one octet 0 (RFC 4721 3.5)."""
    now = time.time() + 2_208_988_800
    identification = (int(now) % 2**32 << 32) + int(now % 1 * 2**32)
    message = b"\x01\x22" + (1800).to_bytes(2, "big") + bytes(4) + IPv4Address(agent).packed + IPv4Address(CARE_OF).packed
    message += identification.to_bytes(8, "big") + bytes((131, len(NAI))) + NAI + extension
    covered = message + b"\x24\x01\x00\x14" + CHAP_SPI.to_bytes(4, "big")
    return covered + hashlib.md5(b"\x00" + key + hashlib.md5(covered).digest() + b"\x00").digest()


@contextmanager
def fha(folder: Path, more: str = "") -> Iterator[tuple[str, int]]:
    """Our FHA with a FreeRADIUS behind it."""
    with (freeradius(folder, USER.format(more=more)) as port,
          ours("fha", private(folder / "fha.toml", FHA.format(port=port))) as endpoint):
        yield str(endpoint.address), endpoint.port


def ask(to: tuple[str, int], request: bytes) -> bytes:
    """The reply, as the node at its care-of address gets it."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as node:
        node.bind((CARE_OF, 0))
        node.settimeout(5)
        node.sendto(request, to)
        return node.recv(2048)


def check(reply: bytes, key: bytes, spi: int) -> RegistrationReply:
    """Accepted, and signed with this key."""
    message = RegistrationReply.decode(reply, key)
    assert (message.code, message.lifetime) == (0, 600), "no longer than FreeRADIUS's Session-Timeout"
    assert message.home_address in IPv4Network(POOL)
    proof = message.find(MnHaAuthentication)
    assert proof is not None
    assert proof.spi == spi
    return message


def test_key_from_our_configuration(tmp_path: Path) -> None:
    with fha(tmp_path) as to:
        check(ask(to, rrq(to[0])), STATIC, STATIC_SPI)


def test_key_from_its_configuration(tmp_path: Path) -> None:
    """FreeRADIUS hides the key itself (RFC 2868 3.5); the node derives the same one (RFC 3957 5)."""
    with fha(tmp_path, ASSIGNED) as to:
        reply = ask(to, rrq(to[0], extension=b"\x2a\x01\x00\x04" + MN_SPI.to_bytes(4, "big")))
        message = check(reply, hmac.new(KEY, NONCE + NAI, hashlib.sha1).digest(), MN_SPI)
        nonce = message.find(NonceReply)
        assert nonce is not None
        assert nonce.nonce == NONCE
        assert IPv6Address("2001:db8:100:1::25").packed in reply


def test_ours_takes_over(tmp_path: Path) -> None:
    """FreeRADIUS stops; what was under way, and all after it, is asked of our AAAH, which draws a nonce of its own."""
    private(tmp_path / "subscribers.csv", "nai,mn_aaa_spi,mn_aaa_key,access_secret,class,location\n"
            f"{NAI.decode()},4096,{KEY.hex()},an access secret,standard,nas1\n")
    nonce_request = b"\x2a\x01\x00\x04" + MN_SPI.to_bytes(4, "big")
    with aaah(tmp_path) as standby:
        second = f'[[fha.aaah]]\naddress = "{standby}"\nsecret = "{SECRET.decode()}"\n'
        with (freeradius_process(tmp_path, USER.format(more=ASSIGNED)) as (peer, port),
              started("fha", private(tmp_path / "fha.toml", FHA.format(port=port) + second)) as agent):
            to = (str(agent.endpoint.address), agent.endpoint.port)
            first = check(ask(to, rrq(to[0], extension=nonce_request)), hmac.new(KEY, NONCE + NAI, hashlib.sha1).digest(), MN_SPI)
            peer.terminate()
            peer.wait(5)
            reply = ask(to, rrq(to[0], extension=nonce_request))
            nonce = RegistrationReply.decode(reply).find(NonceReply)
            assert nonce is not None
            assert nonce.nonce != NONCE
            again = RegistrationReply.decode(reply, hmac.new(KEY, nonce.nonce + NAI, hashlib.sha1).digest())
            assert (again.code, again.home_address) == (0, first.home_address)


def test_wrong_key_is_refused(tmp_path: Path) -> None:
    with fha(tmp_path) as to:
        reply = RegistrationReply.decode(ask(to, rrq(to[0], key=b"another key of 16")))
        assert reply.code in (131, 144)
        assert reply.find(MnHaAuthentication) is None
