"""A desk whose AAAH is configured by the test: clients, reject delay, a journal, the accounting port."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from desk import Desk
from world import AAAH, FHA, HOME_AGENT, HOME_PREFIX, NAS, SECOND, SECRET, packed

from fastcodec import RadiusPacket
from fastcodec.hidden import Hidden
from fastcodec.hiding import chap_response, hide_password
from servers.roles.aaah import AaahRole
from servers.store.store import Store
from servers.tables.replies import ReplyCache
from servers.tables.subscribers import SubscriberTable

ACCESS, ACCOUNTING = 1812, 1813
STATE_RECORD, ACCOUNTING_RECORD = 1, 2


class HomeDesk(Desk):
    """`aaah_state`: folder of its journal, None: volatile. `client`: keywords of `add_client`; `role`: of AaahRole."""

    def __init__(self, nodes: int = 8, *, aaah_state: Path | None = None, client: dict[str, Any] | None = None,
                 fhas: Sequence[str] = (FHA,), **role: Any) -> None:
        self.aaah_state, self.client, self.fhas, self.role_settings = aaah_state, client or {}, fhas, role
        super().__init__(nodes)

    def add_aaah(self) -> None:
        self.aaah_store = Store(self.aaah_state, "aaah")
        rows = self.aaah_store.load()
        self.aaah = AaahRole(SubscriberTable.from_columns(self.columns), ReplyCache(), care_of_network=packed("127.64.0.0"),
                             care_of_size=1 << 22, ipv6_home_prefix=packed(HOME_PREFIX), home_agent=packed(HOME_AGENT),
                             journal=self.aaah_store.journal, **self.role_settings)
        self.aaah.add_client(packed("127.0.0.0"), 9, SECRET, **self.client)
        for address in self.fhas:
            self.aaah.add_fha(packed(address))
        self.accounted = [payload for kind, payload in rows if kind == ACCOUNTING_RECORD]
        for kind, payload in rows:
            assert kind == ACCOUNTING_RECORD or self.aaah.restore(kind, payload, self.net.now, self.wall())
        self.attach()

    def attach(self) -> None:
        self.net.attach(self.aaah, 0, AAAH, ACCESS)
        self.net.attach(self.aaah, 1, AAAH, ACCOUNTING)

    def commit(self) -> None:
        """What was appended becomes durable, and the AAAH is woken."""
        self.aaah_store.journal.drain()
        self.aaah.run_timers(self.net.now, self.wall())

    def tell(self, data: bytes, *, source: tuple[str, int] = (NAS, 40999), port: int = ACCESS, seconds: float = 0.01,
             commit: bool = False) -> list[bytes]:
        """What the AAAH answers from that port within the time, after the journal's commit if so."""
        mark = len(self.net.tap)
        self.net.inject(source, (AAAH, port), data)
        self.net.run(self.net.now + int(seconds * SECOND))
        if commit:
            self.commit()
            self.net.run(self.net.now)
        return [t.data for t in self.net.tap[mark:] if t.source == (AAAH, port)]

    def answer(self, request: bytes, **how: Any) -> RadiusPacket:
        """The one answer, both its authenticators right."""
        (octets,) = self.tell(request, **how)
        return RadiusPacket.decode(octets, SECRET, request)

    def refusal(self, request: bytes, counter: str, **how: Any) -> None:
        """Silence, and the reason counted once."""
        before = self.aaah.counters().get(counter, 0)
        assert self.tell(request, **how) == []
        assert self.aaah.counters().get(counter, 0) == before + 1

    def pap_request(self, node: int = 0, password: bytes | None = None, *, hidden: bytes | None = None, **changes: Any) -> bytes:
        """Step 2 by User-Password, RFC 2865 5.2; `hidden` as it stands on the wire."""
        authenticator = os.urandom(16)
        if hidden is None:
            hidden = hide_password(self.columns.access_secret[node] if password is None else password, SECRET, authenticator)
        return self.access_request(node, authenticator=authenticator, CHAP_Password=None, CHAP_Challenge=None,
                                   User_Password=Hidden(hidden), **changes)

    def chap_key_request(self, node: int = 0, *, identification: int | None = None, key: bytes | None = None,
                         challenge: bytes | None = None, spi: int = 2, tail: bytes = b"", **changes: Any) -> bytes:
        """Step 5 by CHAP_SPI, RFC 4721 8; `challenge` instead of MD5(C) and `tail`, ch[0] is 0."""
        covered = self.rrq(node, spi=spi, identification=identification)[:-16]
        challenge = challenge or hashlib.md5(covered).digest() + tail
        response = chap_response(0, self.columns.key[node] if key is None else key, challenge)
        values = {"Mipstorm_MN_AAA_SPI": None, "Mipstorm_MN_AAA_Authenticator": None, "CHAP_Password": b"\0" + response,
                  "CHAP_Challenge": challenge} | changes
        return self.key_request(node, rrq=covered + bytes(16), **values)


def request_authenticated(code: int, identifier: int, attributes: Sequence[tuple[str, Any]], secret: bytes = SECRET) -> bytes:
    """A packet with the authenticator of RFC 2866 3."""
    packet = RadiusPacket(code, identifier, bytes(16), attributes).encode()
    return packet[:4] + hashlib.md5(packet + secret).digest() + packet[20:]


def status_server(identifier: int = 1, secret: bytes | None = SECRET) -> bytes:
    return RadiusPacket(12, identifier, os.urandom(16), [("NAS-Identifier", "nas-1")]).encode(secret)
