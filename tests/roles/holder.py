"""A desk whose AAAH does what a test tells it to, and nodes that keep what they are given: key, SPIs, home address."""

from __future__ import annotations

import hashlib
import hmac
import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from desk import Desk, Reply, derived_key, md5_mac, nai_extension, nonce_request
from world import AAAH, FHA, HOME_AGENT, SECOND, SECRET

from fastcodec import MnHaAuthentication, NonceReply, RadiusPacket, RegistrationReply
from fastcodec.hiding import salt_encrypt

ACCEPT, REJECT = 2, 3
Row = tuple[str, int, str, bytes]


def signed(message: bytes, spi: int, key: bytes) -> bytes:
    """With MN-HA behind it, RFC 5944 3.5.2."""
    message += b"\x20\x14" + spi.to_bytes(4, "big")
    return message + md5_mac(key, message)


def challenge_extension(challenge: bytes) -> bytes:
    return bytes((132, len(challenge))) + challenge


def cvse(value: bytes = b"crit") -> bytes:
    """RFC 3115 2.1, vendor 32473, type 257."""
    return b"\x26\x00" + (6 + len(value)).to_bytes(2, "big") + (32473).to_bytes(4, "big") + b"\x01\x01" + value


@dataclass
class Aaah:
    """Any RADIUS server, without sockets: checks MN-AAA as it comes, HMAC or CHAP, and answers what it is told to."""

    keys: dict[bytes, bytes]
    plain: bool = False  # knows CHAP and standard attributes only
    silent: bool = False
    reject: bool = False
    changes: dict[str, Any] = field(default_factory=dict)
    asked: list[RadiusPacket] = field(default_factory=list)
    _out: list[tuple[int, str, int, str, bytes]] = field(default_factory=list)
    _derived: int = 0

    def feed(self, port: int, rows: list[Row], now: int, wall: int) -> None:
        for peer, peer_port, local, data in rows:
            request = RadiusPacket.decode(data, SECRET)
            if request.code != 1:
                continue
            self.asked.append(request)
            if not self.silent:
                self._out.append((port, peer, peer_port, local, self.answer(request, data)))

    def answer(self, request: RadiusPacket, data: bytes) -> bytes:
        if self.reject or not self.is_right(request):
            return RadiusPacket(REJECT, data[1], b"", []).encode(SECRET, data[4:20])
        values: dict[str, Any] = {} if self.plain else {
            "Framed_IP_Address": "255.255.255.254", "Mipstorm_IPv6_Home_Address": "2001:db8:100:1::25",
            "Mipstorm_IPv6_Home_Agent": HOME_AGENT, "Session_Timeout": 7200, "Mipstorm_Registration_Lifetime": 1800}
        if not self.plain and "Mipstorm-Key-Request" in request.attributes:
            values |= self.key(request, data)
        has_key = "Mipstorm_MN_FHA_Key" in values
        values |= {name: value for name, value in self.changes.items() if has_key or "MN_FHA" not in name}
        pairs = [(name.replace("_", "-"), one) for name, value in values.items()
                 for one in (value if isinstance(value, list) else [value]) if one is not None]
        return RadiusPacket(ACCEPT, data[1], b"", pairs).encode(SECRET, data[4:20])

    def key(self, request: RadiusPacket, data: bytes) -> dict[str, Any]:
        self._derived += 1
        nai, nonce = self.name(request), self._derived.to_bytes(16, "big")
        key = derived_key(self.keys[nai], nonce, nai)
        return {"Mipstorm_AAA_SPI": 4096, "Mipstorm_MN_FHA_MN_SPI": request.attributes["Mipstorm-MN-FHA-MN-SPI"],
                "Mipstorm_MN_FHA_FHA_SPI": request.attributes["Mipstorm-MN-FHA-FHA-SPI"], "Mipstorm_MN_FHA_Nonce": nonce,
                "Mipstorm_MN_FHA_Key": salt_encrypt(key, SECRET, data[4:20], 0x8000 + self._derived),
                "Mipstorm_MN_FHA_Algorithm": 1, "Mipstorm_MN_FHA_Replay_Method": 2, "Mipstorm_MN_FHA_Key_Lifetime": 3600}

    @staticmethod
    def name(request: RadiusPacket) -> bytes:
        return str(request.attributes["User-Name"]).encode()

    def is_right(self, request: RadiusPacket) -> bool:
        """RFC 2865 2.2 for CHAP, RFC 4721 6 for HMAC."""
        key = self.keys[self.name(request)]
        if "CHAP-Password" in request.attributes:
            chap, challenge = request.attributes["CHAP-Password"], request.attributes["CHAP-Challenge"]
            return hashlib.md5(chap[:1] + key + challenge).digest() == chap[1:]
        if self.plain:
            return False
        covered = request.attributes.joined("Mipstorm-MN-AAA-Data")
        return hmac.compare_digest(md5_mac(key, covered), request.attributes["Mipstorm-MN-AAA-Authenticator"])

    def drain(self) -> list[tuple[int, str, int, str, bytes]]:
        out, self._out = self._out, []
        return out

    def due(self) -> int:
        return 0

    def run_timers(self, now: int, wall: int) -> None:
        pass


@dataclass
class Holding:
    """What a node knows after a reply."""

    node: int
    home: str
    key: bytes
    ha_spi: int
    mn_spi: int
    reply: Reply


class Holder(Desk):
    cool_down_s = 30

    def add_aaah(self) -> None:
        keys = {self.columns.nai[k]: self.columns.key[k] for k in range(len(self.columns))}
        self.server = Aaah(keys)
        self.net.attach(self.server, 0, AAAH, 1812)  # type: ignore[arg-type]

    # ---- what a node sends -------------------------------------------------------------------------------------------

    def bootstrap(self, node: int = 0, **changes: Any) -> Holding:
        request = self.rrq(node, **changes)
        return self.taken(self.one(request, node), node)

    def taken(self, octets: bytes, node: int = 0) -> Holding:
        """A reply with a new key, which it is signed with."""
        reply = self.read(octets, node)
        nonce = reply.message.find(NonceReply)
        assert (reply.code, reply.is_signed) == (0, True), reply
        return Holding(node, str(reply.message.home_address), reply.key, nonce.ha_spi,
                       reply.message.find(MnHaAuthentication).spi, reply)

    def renewal(self, held: Holding, *, extra: bytes = b"", after: bytes = b"", key: bytes | None = None,
                spi: int | None = None, nai: bytes | None = None, **fixed: Any) -> bytes:
        """A request under MN-HA alone; `extra` stands before it, `after` behind it."""
        fixed = {"home": held.home} | fixed
        message = self.open_rrq(held.node, **fixed) + (nai_extension(self.columns.nai[held.node]) if nai is None else nai)
        return signed(message + extra, held.ha_spi if spi is None else spi, held.key if key is None else key) + after

    def rekeying(self, held: Holding, *, with_mn_ha: bool = True, nonce: bytes | None = None, between: bytes = b"",
                 **fixed: Any) -> bytes:
        """42, then 32 if asked for, then 36, RFC 5944 3.6.1.3."""
        fixed = {"home": held.home} | fixed
        message = self.open_rrq(held.node, **fixed) + nai_extension(self.columns.nai[held.node])
        message += nonce_request(held.mn_spi) if nonce is None else nonce
        if with_mn_ha:
            message = signed(message, held.ha_spi, held.key)
        message += between + b"\x24\x01\x00\x14" + int(self.columns.spi[held.node]).to_bytes(4, "big")
        return message + md5_mac(self.columns.key[held.node], message)

    def chap_request(self, node: int = 0, *, challenge: bytes = b"", key: bytes | None = None, nonce: bytes | None = None,
                     **fixed: Any) -> bytes:
        """MN-AAA by CHAP_SPI, RFC 4721 8."""
        message = self.open_rrq(node, **fixed) + nai_extension(self.columns.nai[node])
        message += nonce_request() if nonce is None else nonce
        if challenge:
            message += challenge_extension(challenge)
        message += b"\x24\x01\x00\x14\x00\x00\x00\x02"
        used = challenge or b"\0"
        secret = self.columns.key[node] if key is None else key
        return message + hashlib.md5(used[:1] + secret + hashlib.md5(message).digest() + used[-237:]).digest()

    # ---- what comes back ---------------------------------------------------------------------------------------------

    def one(self, request: bytes, node: int = 0, **how: Any) -> bytes:
        replies = self.send(request, node=node, **how)
        if not replies:
            mark = len(self.net.tap)
            self.settle()
            replies = [t.data for t in self.net.tap[mark:] if t.source == (FHA, 434)]
        assert len(replies) == 1, f"{len(replies)} replies; {self.fha.counters()}"
        return replies[0]

    def verified(self, octets: bytes, held: Holding) -> RegistrationReply:
        """Signed under the key that the node holds, with its SPI."""
        message = RegistrationReply.decode(octets, held.key)
        assert message.find(MnHaAuthentication).spi == held.mn_spi
        return message

    def renew(self, held: Holding, **changes: Any) -> RegistrationReply:
        return self.verified(self.one(self.renewal(held, **changes), held.node), held)

    def wait(self, seconds: float) -> None:
        self.net.run(self.net.now + int(seconds * SECOND))

    def count(self, reason: str) -> int:
        return int(self.fha.counters().get(reason, 0))

    def restarted(self, folder: Path, after_s: float = 0.0) -> Holder:
        """The same, started again from a copy of the journal, as a crash would have left it."""
        self.settle()
        assert self.state is not None
        shutil.copytree(self.state, folder)
        return type(self)(len(self.columns), columns=self.columns, state=folder, pool=self.pool_network,
                          wall_ns=self.wall() + int(after_s * SECOND))
