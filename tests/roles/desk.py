"""The servers of the world with a silent fleet: a test plays mobile node, NAS or FHA, and every octet can be wrong."""

from __future__ import annotations

import hashlib
import hmac
import os
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address
from typing import Any

import numpy as np
from world import AAAH, FHA, NAS, SECOND, SECRET, World

from fastcodec import MnHaAuthentication, Nai, NonceReply, RadiusPacket, RegistrationReply
from servers.tables.subscribers_csv import Octets, Subscribers

UNIX_IN_NTP = 2_208_988_800
MN_SPI = 4096
D, T, S, B, M, G = 0x20, 0x02, 0x80, 0x40, 0x10, 0x08
RESERVED_R, RESERVED_X = 0x04, 0x01


def md5_mac(key: bytes, data: bytes) -> bytes:
    return hmac.new(key, data, hashlib.md5).digest()


def derived_key(key: bytes, nonce: bytes, nai: bytes) -> bytes:
    """RFC 3957 5."""
    return hmac.new(key, nonce + nai, hashlib.sha1).digest()


def nai_extension(nai: bytes) -> bytes:
    return bytes((131, len(nai))) + nai


def nonce_request(spi: int = MN_SPI) -> bytes:
    return b"\x2a\x01\x00\x04" + spi.to_bytes(4, "big")


def proof(message: bytes, spi: int, key: bytes) -> bytes:
    """The message with its MN-AAA extension, RFC 4721 6."""
    message += b"\x24\x01\x00\x14" + spi.to_bytes(4, "big")
    return message + md5_mac(key, message)


def subscribers(rows: Sequence[tuple[bytes, bytes]], spi: int = 4096) -> Subscribers:
    """(NAI, key) of each; the access secret is the NAI's hash."""
    count = len(rows)
    return Subscribers(
        nai=Octets.of([nai for nai, _ in rows]), spi=np.full(count, spi, dtype=np.uint32),
        key=Octets.of([key for _, key in rows]),
        access_secret=Octets.of([hashlib.sha256(nai).hexdigest().encode() for nai, _ in rows]),
        classes=["standard"], class_index=np.zeros(count, dtype=np.uint16),
        locations=["nas-1"], location_index=np.zeros(count, dtype=np.uint16))


@dataclass
class Reply:
    """A Registration Reply as the mobile node sees it. `key` is what it derives, empty without a nonce reply."""

    message: RegistrationReply
    octets: bytes
    key: bytes

    @property
    def code(self) -> int:
        return self.message.code

    @property
    def is_signed(self) -> bool:
        """With a key, and the MN-HA authenticator under it right, RFC 5944 3.8.3.3."""
        if not self.key or not self.message.find(MnHaAuthentication):
            return False
        RegistrationReply.decode(self.octets, self.key)
        return True

    @property
    def is_bare(self) -> bool:
        """Neither a key nor an authenticator."""
        return not self.message.find(NonceReply) and not self.message.find(MnHaAuthentication)


class Desk(World):
    def __init__(self, nodes: int = 8, **settings: Any) -> None:
        super().__init__(nodes, **settings)

    # ---- mobile node -------------------------------------------------------------------------------------------------

    def ntp(self, seconds: float = 0.0) -> int:
        """Now as an NTP timestamp, so many seconds off, RFC 5944 5.7.1."""
        wall = self.wall() + int(seconds * SECOND)
        return ((wall // SECOND + UNIX_IN_NTP) % (1 << 32) << 32) + (wall % SECOND << 32) // SECOND

    def care_of(self, node: int) -> str:
        return str(IPv4Address("127.64.0.1") + node)

    def open_rrq(self, node: int = 0, *, identification: int | None = None, kind: int = 1, flags: int = D | T,
                 lifetime: int = 1800, home: str = "0.0.0.0", agent: str = FHA, care_of: str | None = None) -> bytes:
        """The fixed part, RFC 5944 3.3."""
        addresses = (home, agent, care_of or self.care_of(node))
        return (bytes((kind, flags)) + lifetime.to_bytes(2, "big") + b"".join(IPv4Address(a).packed for a in addresses)
                + (self.ntp() if identification is None else identification).to_bytes(8, "big"))

    def rrq(self, node: int = 0, *, nai: bytes | None = None, nonce: bytes | None = None, extra: bytes = b"",
            after: bytes = b"", spi: int | None = None, key: bytes | None = None, **fixed: Any) -> bytes:
        """A good request, but for what is said: `extra` stands before the proof, `after` behind it."""
        message = self.open_rrq(node, **fixed)
        message += nai_extension(self.columns.nai[node]) if nai is None else nai
        message += nonce_request() if nonce is None else nonce
        return proof(message + extra, int(self.columns.spi[node]) if spi is None else spi,
                     self.columns.key[node] if key is None else key) + after

    def send(self, data: bytes, *, node: int = 0, source: tuple[str, int] | None = None, port: int = 434,
             seconds: float = 0.01) -> list[bytes]:
        """To the FHA; what its registration port sent meanwhile."""
        return self.exchange(source or (self.care_of(node), 5001), (FHA, port), data, (FHA, 434), seconds)

    def ask(self, node: int = 0, *, source: tuple[str, int] | None = None, seconds: float = 0.01, **changes: Any
            ) -> Reply:
        """Sends `rrq(...)`; there must be exactly one reply."""
        replies = self.send(self.rrq(node, **changes), node=node, source=source, seconds=seconds)
        assert len(replies) == 1, f"{len(replies)} replies; {self.fha.counters()} {self.aaah.counters()}"
        return self.read(replies[0], node)

    def read(self, octets: bytes, node: int = 0) -> Reply:
        message = RegistrationReply.decode(octets)
        nonce, nai = message.find(NonceReply), message.find(Nai)
        assert nai, "a reply without NAI (RFC 2794 2)"
        key = derived_key(self.columns.key[node], nonce.nonce, nai.nai.encode("utf-8", "surrogateescape")) if nonce else b""
        return Reply(message, octets, key)

    # ---- NAS and FHA -------------------------------------------------------------------------------------------------

    def exchange(self, source: tuple[str, int], to: tuple[str, int], data: bytes, answers_from: tuple[str, int],
                 seconds: float = 0.01) -> list[bytes]:
        mark = len(self.net.tap)
        self.net.inject(source, to, data)
        self.net.run(self.net.now + int(seconds * SECOND))
        return [t.data for t in self.net.tap[mark:] if t.source == answers_from]

    def ask_aaah(self, data: bytes, source: tuple[str, int] = (NAS, 40999)) -> list[bytes]:
        return self.exchange(source, (AAAH, 1812), data, (AAAH, 1812))

    def access_request(self, node: int = 0, *, identifier: int = 1, authenticator: bytes | None = None,
                       secret: bytes = SECRET, leave_out: Sequence[str] = (), more: Sequence[tuple[str, Any]] = (),
                       challenge: bytes | None = b"a challenge of 16", **changes: Any) -> bytes:
        """Step 2, by CHAP with attribute 60, or with the Request Authenticator when `challenge` is None."""
        authenticator = authenticator or os.urandom(16)
        digest = hashlib.md5(b"\x07" + self.columns.access_secret[node] + (challenge or authenticator)).digest()
        values = {"User_Name": self.columns.nai[node].decode(), "CHAP_Password": b"\x07" + digest,
                  "CHAP_Challenge": challenge, "NAS_IP_Address": NAS, "NAS_Identifier": "nas-1", "NAS_Port_Type": 15,
                  "Service_Type": 2, "Mipstorm_Requester_Role": 1, "Mipstorm_CoA_Type": 1} | changes
        return self.packet(values, identifier, authenticator, secret, leave_out, more)

    def key_request(self, node: int = 0, *, rrq: bytes | None = None, identifier: int = 1, secret: bytes = SECRET,
                    authenticator: bytes | None = None, leave_out: Sequence[str] = (),
                    more: Sequence[tuple[str, Any]] = (), **changes: Any) -> bytes:
        """Step 5, as an FHA asks; `rrq` ends with its MN-AAA extension."""
        rrq = rrq or self.rrq(node)
        covered = rrq[:-16]
        values = {"User_Name": self.columns.nai[node].decode(), "Mipstorm_MN_AAA_SPI": int.from_bytes(covered[-4:], "big"),
                  "Mipstorm_MN_AAA_Data": covered, "Mipstorm_MN_AAA_Authenticator": rrq[-16:],
                  "NAS_IP_Address": FHA, "NAS_Identifier": "fha", "NAS_Port_Type": 5, "Service_Type": 2,
                  "Mipstorm_Requester_Role": 2, "Mipstorm_Care_of_Address": self.care_of(node), "Mipstorm_CoA_Type": 1,
                  "Acct_Session_Id": "0000000000000001", "Mipstorm_Registration_Lifetime": 1800,
                  "Mipstorm_Key_Request": 1, "Mipstorm_MN_FHA_MN_SPI": MN_SPI, "Mipstorm_MN_FHA_FHA_SPI": 9999} | changes
        return self.packet(values, identifier, authenticator or os.urandom(16), secret, leave_out, more)

    def packet(self, values: dict[str, Any], identifier: int, authenticator: bytes, secret: bytes,
               leave_out: Sequence[str], more: Sequence[tuple[str, Any]]) -> bytes:
        pairs = [(name.replace("_", "-"), value) for name, value in values.items()
                 if value is not None and name not in leave_out]
        return RadiusPacket(1, identifier, authenticator, [*pairs, *more]).encode(secret)

    # ---- what must not have changed ----------------------------------------------------------------------------------

    def kept(self) -> tuple[dict[bytes, bytes], int]:
        """The leases, and the requests under way."""
        return self.fha.leases(), self.fha.under_way
