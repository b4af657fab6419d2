"""EAP-GPSK, RFC 5433: its messages, its keys, and the code that protects them."""
from __future__ import annotations

from enum import IntEnum
from typing import Annotated, Any, ClassVar, NamedTuple, Self

from fastcodec.base import name_of
from fastcodec.cmac import aes_cmac
from fastcodec.digest.jobs import compare, hmac_sha256
from fastcodec.eap import READERS, EapBody, EapPacket, EapType, binary, encoded, number
from fastcodec.errors import AuthenticationError, EncodeError
from fastcodec.secret import Secret, key_octets
from fastcodec.sections import cite
from fastcodec.signing import Octets
from fastcodec.status import Status
from fastcodec.wants import wants, wants_octets

__all__ = ["Gpsk1", "Gpsk2", "Gpsk3", "Gpsk4", "GpskFail", "GpskFailure", "GpskKeys", "GpskMessage", "GpskProtectedFail",
           "derive_gpsk_keys", "gpsk_psk", "sign_gpsk", "verify_gpsk"]

# What the value of a field is made of; a code fills the rest and is of 16 or 32 octets (RFC 5433 6).
COUNTED, NONCE, SUITES, SUITE, NUMBER, CODE = "counted", "nonce", "suites", "suite", "number", "code"
WIDTHS = {NONCE: 32, SUITE: 6, NUMBER: 4}
KEY_SIZE = {1: 16, 2: 32}                   # octets of keys and codes by ciphersuite, RFC 5433 6.1, 6.2
FAIL, PROTECTED_FAIL = 5, 6


class GpskFailure(IntEnum):
    """Failure-Code, RFC 5433 9.5."""

    GPSK_PSK_NOT_FOUND = 1
    GPSK_AUTHENTICATION_FAILURE = 2
    GPSK_AUTHORIZATION_FAILURE = 3


class GpskMessage(EapBody, frozen=True, gc=False):
    """A message of EAP-GPSK, RFC 5433 9. Ciphersuites are numbers of 6 octets, vendor and specifier: 1 is AES-CMAC, 2 HMAC-SHA256."""

    TYPE = int(EapType.EAP_GPSK)
    OPERATION: ClassVar[int] = 0
    FORM: ClassVar[tuple[str, ...]] = ()    # of each field, in the order of the class

    def covered(self) -> bytes:
        """What the message's code is computed over, RFC 5433 9."""
        return b"".join(written(f"{type(self).__name__}.{name}", form, getattr(self, name))
                        for name, form in zip(self.__struct_fields__, self.FORM, strict=True) if form != CODE)

    def octets(self) -> bytes:
        return bytes([self.OPERATION]) + self.covered() + binary(f"{type(self).__name__}.code", getattr(self, "code", b""))

    def signed(self, keys: GpskKeys) -> Self:
        """The same with its code, which covers the message behind the operation code, RFC 5433 9."""
        wants("keys", keys, GpskKeys)
        if CODE not in self.FORM:
            raise EncodeError("EapPacket.body", f"{type(self).__name__} has no code (RFC 5433 9)")
        return self.replace(code=mac(keys.suite, keys.sk, self.covered()))

    def check(self, keys: GpskKeys) -> None:
        """AuthenticationError unless its code is right under these keys."""
        wants("keys", keys, GpskKeys)
        if CODE not in self.FORM:
            raise AuthenticationError("EapPacket.body", f"{type(self).__name__} has no code (RFC 5433 9)", Status.NO_AUTHENTICATOR, 5)
        octets, size = self.octets(), KEY_SIZE[keys.suite]
        if not compare(octets[-size:], mac(keys.suite, keys.sk, self.covered())):
            raise AuthenticationError(f"{type(self).__name__}.code", "wrong (RFC 5433 10)", Status.BAD_AUTHENTICATOR,
                                      max(5 + len(octets) - size, 5))


class Gpsk1(GpskMessage, frozen=True, gc=False):
    """Server to peer, RFC 5433 9.1."""

    OPERATION, FORM = 1, (COUNTED, NONCE, SUITES)
    server: bytes
    rand_server: bytes
    suites: tuple[int, ...]


class Gpsk2(GpskMessage, frozen=True, gc=False):
    """Peer to server, RFC 5433 9.2."""

    OPERATION, FORM = 2, (COUNTED, COUNTED, NONCE, NONCE, SUITES, SUITE, COUNTED, CODE)
    peer: bytes
    server: bytes
    rand_peer: bytes
    rand_server: bytes
    suites: tuple[int, ...]
    suite: int
    protected: bytes = b""
    code: bytes = b""


class Gpsk3(GpskMessage, frozen=True, gc=False):
    """Server to peer, RFC 5433 9.3."""

    OPERATION, FORM = 3, (NONCE, NONCE, COUNTED, SUITE, COUNTED, CODE)
    rand_peer: bytes
    rand_server: bytes
    server: bytes
    suite: int
    protected: bytes = b""
    code: bytes = b""


class Gpsk4(GpskMessage, frozen=True, gc=False):
    """Peer to server, RFC 5433 9.4."""

    OPERATION, FORM = 4, (COUNTED, CODE)
    protected: bytes = b""
    code: bytes = b""


class GpskFail(GpskMessage, frozen=True, gc=False):
    """Why the method failed, a `GpskFailure`, RFC 5433 9.5."""

    OPERATION, FORM = FAIL, (NUMBER,)
    failure: Annotated[int, name_of(GpskFailure)]


class GpskProtectedFail(GpskMessage, frozen=True, gc=False):
    """RFC 5433 9.6: the same, protected."""

    OPERATION, FORM = PROTECTED_FAIL, (NUMBER, CODE)
    failure: Annotated[int, name_of(GpskFailure)]
    code: bytes = b""


MESSAGES: dict[int, type[GpskMessage]] = {c.OPERATION: c for c in (Gpsk1, Gpsk2, Gpsk3, Gpsk4, GpskFail, GpskProtectedFail)}


# ---- octets

def taken(data: bytes, at: int, size: int) -> bytes:
    if size > len(data) - at:
        raise IndexError("a field runs past the packet (RFC 5433 9)")
    return data[at:at + size]


def read_field(data: bytes, at: int, form: str) -> tuple[Any, int]:
    """The value of a field at `at`, and where it ends; IndexError, ValueError."""
    if form == CODE:
        if len(data) - at not in (16, 32):
            raise ValueError(f"{len(data) - at} octets are no message authentication code (RFC 5433 6)")
        return data[at:], len(data)
    if form in WIDTHS:
        octets = taken(data, at, WIDTHS[form])
        return octets if form == NONCE else int.from_bytes(octets, "big"), at + WIDTHS[form]
    size = int.from_bytes(taken(data, at, 2), "big")
    octets = taken(data, at + 2, size)
    if form == SUITES:
        if size % 6:
            raise ValueError(f"{size} octets are no list of ciphersuites (RFC 5433 9.1)")
        return tuple(int.from_bytes(octets[k:k + 6], "big") for k in range(0, size, 6)), at + 2 + size
    return octets, at + 2 + size


def read_gpsk(code: int, data: bytes) -> GpskMessage:
    """Type-Data of a request or response to a message; IndexError, ValueError."""
    if not data or data[0] not in MESSAGES:
        raise ValueError("no operation that is known (RFC 5433 9)")
    kind, at, values = MESSAGES[data[0]], 1, []
    for form in kind.FORM:
        value, at = read_field(data, at, form)
        values.append(value)
    if at != len(data):
        raise ValueError(f"{len(data) - at} octets follow the message (RFC 5433 9)")
    if isinstance(values[-1], bytes) and kind in (Gpsk2, Gpsk3) and len(values[-1]) != KEY_SIZE.get(values[-3], len(values[-1])):
        raise ValueError(f"a code of {len(values[-1])} octets is not of ciphersuite {values[-3]} (RFC 5433 6)")
    return kind(*values)


READERS[EapType.EAP_GPSK] = read_gpsk
cite([GpskMessage, *MESSAGES.values()])


def written(field: str, form: str, value: Any) -> bytes:
    """EncodeError names the field."""
    try:
        if form in (SUITE, NUMBER):
            return number(field, value, WIDTHS[form])
        octets = b"".join(number(field, suite, WIDTHS[SUITE]) for suite in value) if form == SUITES else bytes(memoryview(value))
    except (OverflowError, TypeError):
        raise EncodeError(field, f"{value!r} does not fit") from None
    if form == NONCE:
        if len(octets) != WIDTHS[NONCE]:
            raise EncodeError(field, f"{len(octets)} octets, not 32 (RFC 5433 9)")
        return octets
    if len(octets) > 0xffff:
        raise EncodeError(field, f"{len(octets)} octets do not fit a length of two octets")
    return len(octets).to_bytes(2, "big") + octets


# ---- keys and codes

class GpskKeys(NamedTuple):
    """RFC 5433 4, 7: what both ends derive. `pk` is empty in ciphersuite 2; `session_id` is 0x33 and the Method-ID."""

    mk: bytes
    msk: bytes
    emsk: bytes
    sk: bytes
    pk: bytes
    session_id: bytes
    suite: int

    def __repr__(self) -> str:
        return f"GpskKeys(<ciphersuite {self.suite}>)"


def mac(suite: int, key: bytes, data: bytes) -> bytes:
    if suite not in KEY_SIZE:
        raise EncodeError("suite", f"{suite:#x} is neither 1 (AES-CMAC) nor 2 (HMAC-SHA256), RFC 5433 6")
    return aes_cmac(key, data) if suite == 1 else hmac_sha256(key, data)


def gkdf(suite: int, key: bytes, seed: bytes, octets: int) -> bytes:
    """RFC 5433 4: blocks of MAC(key, counter of 2 octets || seed)."""
    size = KEY_SIZE.get(suite, 32)
    return b"".join(mac(suite, key, (k + 1).to_bytes(2, "big") + seed) for k in range(-(-octets // size)))[:octets]


def derive_gpsk_keys(psk: Secret | Octets, peer: Octets, server: Octets, rand_peer: Octets, rand_server: Octets,
                     suite: int) -> GpskKeys:
    """The keys of a conversation. Of a longer PSK the first 16 (32) octets are the key, yet all of it is hashed (RFC 5433 4)."""
    if not isinstance(suite, int) or suite not in KEY_SIZE:
        raise EncodeError("suite", f"{suite!r} is neither 1 (AES-CMAC) nor 2 (HMAC-SHA256), RFC 5433 6")
    secret, size = key_octets(psk), KEY_SIZE[suite]
    if len(secret) < size:
        raise EncodeError("psk", f"{len(secret)} octets, {size} needed (RFC 5433 4)")
    given = b"".join(wants_octets(name, octets) for name, octets in (
        ("rand_peer", rand_peer), ("peer", peer), ("rand_server", rand_server), ("server", server)))
    chosen = written("suite", SUITE, suite)
    mk = gkdf(suite, secret[:size], len(secret).to_bytes(2, "big") + secret + chosen + given, size)
    keys = gkdf(suite, mk, given, 128 + 2 * size)
    method = gkdf(suite, secret[:size], b"Method ID" + bytes([EapType.EAP_GPSK]) + chosen + given, 16)
    return GpskKeys(mk, keys[:64], keys[64:128], keys[128:128 + size], keys[128 + size:] if suite == 1 else b"",
                    bytes([EapType.EAP_GPSK]) + method, suite)


def gpsk_psk(mn_aaa: Secret | Octets, nai: str) -> bytes:
    """A key for EAP-GPSK of a subscriber's MN-AAA key, for RFC 5433 12.11 wants one apart from other uses; 32 octets."""
    return hmac_sha256(key_octets(mn_aaa), b"mipstorm eap-gpsk psk\0" + encoded("nai", nai))


def sign_gpsk(packet: EapPacket, keys: GpskKeys) -> EapPacket:
    """The same packet with its code, which covers the message behind the operation code, RFC 5433 9: `packet.sign(keys)`."""
    wants("packet", packet, EapPacket)
    return packet.sign(keys)


def verify_gpsk(packet: EapPacket, keys: GpskKeys) -> None:
    """AuthenticationError unless the code of the message is right under these keys: `packet.verify(keys)`."""
    wants("packet", packet, EapPacket)
    packet.verify(keys)
