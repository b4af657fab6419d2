"""The sessions of PANA in a capture, and the keys of their messages: given, or derived from an MSK and what was seen. RFC 5191 5.3."""
from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable

import msgspec
from msgspec import field

from fastcodec import (
    AuthAvp,
    AuthenticationError,
    EncodeError,
    IntegrityAlgorithmAvp,
    KeyIdAvp,
    NonceAvp,
    PanaMessage,
    PrfAlgorithmAvp,
    pana_auth_key,
)
from fastcodec.pana import IntegrityAlgorithm, PanaFlag, PrfAlgorithm
from fastcodec.secret import Secret
from loadgen.decode.event import Event, judge

MOST_SESSIONS = 1 << 13
REQUEST, START = int(PanaFlag.PANA_REQUEST), int(PanaFlag.PANA_START)
KEYS_KEPT = 2                    # of a session: the present one, and the one before for what was under way
NO_KEY = "no key of this session is known ([[pana]] in a keys file)"
NO_START = "its key cannot be derived: the start of its session is not in the capture, or chose an unknown algorithm"
UNSIGNED = "not signed: its session has no key yet"


class PanaKey(msgspec.Struct, frozen=True):
    """A PANA_AUTH_KEY, for one Key-Id or (None) for all of its session; `msk` is what it was derived from."""

    key: Secret
    key_id: int | None = None
    msk: Secret | None = None


class Session(msgspec.Struct):
    """What its keys come of. The initial request and answer stay the first ones when it is authenticated again."""

    authenticator: tuple[str, int]       # the PAA's address and port
    offered: PanaMessage | None = None   # a first request that may become the initial one, and
    offer: bytes = b""                   # its octets
    initial_request: bytes = b""
    initial_answer: bytes = b""
    prf: int = int(PrfAlgorithm.PRF_HMAC_SHA1)
    integrity: int = int(IntegrityAlgorithm.AUTH_HMAC_SHA1_160)
    client_nonce: bytes = b""
    authenticator_nonce: bytes = b""
    nai: str | None = None
    key_id: int | None = None            # the last that a message named
    keys: list[PanaKey] = field(default_factory=list)    # that signed something, newest first
    spent: list[Secret] = field(default_factory=list)    # MSKs of theirs: each authentication makes a new one


class PanaSessions:
    """Sessions seen, the oldest forgotten; keys given by session, MSKs by session and by NAI."""

    def __init__(self) -> None:
        self.given: dict[int, list[PanaKey]] = {}
        self.msks: dict[int | str, list[Secret]] = {}
        self._seen: OrderedDict[tuple[int, str, int], Session] = OrderedDict()

    def session_of(self, event: Event, message: PanaMessage) -> tuple[Session, bool] | None:
        """Its session, and whether the PAA sent it; None where no first request was seen."""
        for address, port, sent in ((event.source, event.source_port, True), (event.destination, event.destination_port, False)):
            session = self._seen.get((message.session, address, port))
            if session is not None:
                return session, bool(message.flags & REQUEST) if event.source == event.destination == "" else sent
        return None

    def follow(self, event: Event, message: PanaMessage, octets: bytes) -> Session | None:
        """Remembers what the message says of its session; the session."""
        if message.flags & START and message.flags & REQUEST:
            self._begin(event, message, octets)
        found = self.session_of(event, message)
        if found is None:
            return None
        session, from_authenticator = found
        if message.flags & START and not message.flags & REQUEST:
            answered(session, message, octets)
        nonce = message.find(NonceAvp)
        if nonce is not None and from_authenticator:
            session.authenticator_nonce = nonce.value
        elif nonce is not None:
            session.client_nonce = nonce.value
        session.nai = event.nai or session.nai
        return session

    def _begin(self, event: Event, message: PanaMessage, octets: bytes) -> None:
        """A request with the S bit, which may become the initial one."""
        place = (message.session, event.source, event.source_port)
        session = self._seen.setdefault(place, Session((event.source, event.source_port)))
        session.offered, session.offer = message, octets
        if len(self._seen) > MOST_SESSIONS:
            self._seen.popitem(last=False)

    def authenticate(self, event: Event, message: PanaMessage, octets: bytes, session: Session | None) -> None:
        """AUTH by any key that may be the message's; once a session has a key all its messages have one, RFC 5191 5.4."""
        signed, keyed = message.find(AuthAvp) is not None, session is not None and bool(session.keys)
        if not signed and not keyed:
            event.why = UNSIGNED if self.given or self.msks else ""
            return
        named = message.find(KeyIdAvp)
        key_id = named.value if named else session.key_id if session else None
        candidates = self._candidates(message.session, session, key_id, named is not None)
        right = next((key for key in candidates if is_right(octets, key)), None)
        if right is not None:
            event.authentic = True
        elif any(key_id is None or key.key_id in (None, key_id) for key in candidates):
            judge(event, lambda: PanaMessage.decode(octets, candidates[-1].key))
            return
        else:
            event.why = NO_START if self._msks(message.session, session) else NO_KEY
        if session is not None:
            remember(session, key_id, right)

    def _candidates(self, number: int, session: Session | None, key_id: int | None, is_named: bool) -> list[PanaKey]:
        """Keys that signed before, given ones, and, where the message names its key, what the MSKs give for that name."""
        found = [*(session.keys if session else []), *self.given.get(number, [])]
        if not is_named:
            return found
        found = [key for key in found if key.key_id in (None, key_id)]
        if session is not None and not any(key.key_id == key_id for key in session.keys):
            found += derived(session, key_id, self._msks(number, session))
        return found

    def _msks(self, number: int, session: Session | None) -> list[Secret]:
        """Those of its number and of its node that gave no key yet."""
        by_name = self.msks.get(session.nai, []) if session is not None and session.nai is not None else []
        return [msk for msk in [*self.msks.get(number, []), *by_name] if session is None or msk not in session.spent]


def answered(session: Session, message: PanaMessage, octets: bytes) -> None:
    """The client's answer to a first request: with it the initial pair is complete, and the algorithms are chosen. One that
    comes when the session has a key changes nothing: it is invalid (RFC 5191 5.5), or forged."""
    if session.offered is None or session.offered.sequence != message.sequence or session.keys:
        return
    session.initial_request, session.initial_answer = session.offer, octets
    prf, integrity = message.find(PrfAlgorithmAvp), message.find(IntegrityAlgorithmAvp)
    session.prf = prf.value if prf else int(PrfAlgorithm.PRF_HMAC_SHA1)
    session.integrity = integrity.value if integrity else int(IntegrityAlgorithm.AUTH_HMAC_SHA1_160)


def derived(session: Session, key_id: int | None, msks: Iterable[Secret]) -> list[PanaKey]:
    """Nothing where the session's start was not seen, or where it chose an algorithm that is not known."""
    if key_id is None or not (session.initial_answer and session.client_nonce and session.authenticator_nonce):
        return []
    try:
        return [PanaKey(Secret(pana_auth_key(msk, session.initial_request, session.initial_answer, session.client_nonce,
                                             session.authenticator_nonce, key_id, session.prf, session.integrity)), key_id, msk)
                for msk in msks]
    except EncodeError:
        return []


def is_right(octets: bytes, key: PanaKey) -> bool:
    try:
        PanaMessage.decode(octets, key.key)
    except AuthenticationError:
        return False
    return True


def remember(session: Session, key_id: int | None, key: PanaKey | None) -> None:
    """What signed a message, and which key is in use from now on, be it known or not."""
    session.key_id = key_id
    if key is not None and key not in session.keys:
        session.keys = [key, *session.keys][:KEYS_KEPT]
        if key.msk is not None:
            session.spent.append(key.msk)
