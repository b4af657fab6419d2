"""EAP packets as a person handles them, RFC 3748; what a Type carries is a body of its own class."""
from __future__ import annotations

from collections.abc import Callable
from enum import IntEnum
from struct import Struct, error
from typing import Annotated, Any, ClassVar, Self

from fastcodec.base import Message, Part, name_of
from fastcodec.digest.jobs import compare, md5
from fastcodec.errors import AuthenticationError, DecodeError, EncodeError
from fastcodec.secret import Secret, key_octets
from fastcodec.sections import cite
from fastcodec.signing import Octets
from fastcodec.status import Status
from fastcodec.wants import wants, wants_octets

__all__ = ["EapBody", "EapCode", "EapExpanded", "EapIdentity", "EapMd5Challenge", "EapNak", "EapNotification", "EapPacket",
           "EapType", "EapUnknown", "eap_md5_response", "verify_eap_md5"]

HEADER = 4                  # octets of Code, Identifier, Length, RFC 3748 4
LONGEST = 0xffff
HEAD = Struct(">BBH")
TYPED = Struct(">BBHB")     # and the Type
READERS: dict[int, Callable[[int, bytes], EapBody]] = {}     # Type -> (code, Type-Data) to a body; ValueError with what is wrong


class EapCode(IntEnum):
    """RFC 3748 4."""

    EAP_REQUEST = 1
    EAP_RESPONSE = 2
    EAP_SUCCESS = 3
    EAP_FAILURE = 4


REQUEST, RESPONSE, SUCCESS, FAILURE = map(int, EapCode)      # plain, for members of an enum compare ten times slower
TYPED_CODES, BARE_CODES = (REQUEST, RESPONSE), (SUCCESS, FAILURE)


class EapType(IntEnum):
    """RFC 3748 5, RFC 5433 9."""

    EAP_IDENTITY = 1
    EAP_NOTIFICATION = 2
    EAP_NAK = 3
    EAP_MD5_CHALLENGE = 4
    EAP_GPSK = 51
    EAP_EXPANDED = 254


class EapBody(Part, frozen=True, gc=False):
    """What stands behind the Type of a request or response, RFC 3748 4.1."""

    TYPE: ClassVar[int] = 0

    def octets(self) -> bytes:
        """Type-Data; EncodeError."""
        raise EncodeError("EapPacket.body", f"{type(self).__name__} has no octets of its own")

    def signed(self, keys: Any) -> Self:
        """The same with its message authentication code; EncodeError where the method has none."""
        raise EncodeError("EapPacket.body", f"{type(self).__name__} has no code (RFC 3748 7.2)")

    def check(self, keys: Any) -> None:
        """AuthenticationError unless its message authentication code is right."""
        raise AuthenticationError("EapPacket.body", f"{type(self).__name__} has no code (RFC 3748 7.2)", Status.NO_AUTHENTICATOR,
                                  HEADER)


class EapIdentity(EapBody, frozen=True, gc=False):
    """RFC 3748 5.1: a prompt, or who answers. Octets that are no UTF-8 survive as surrogates."""

    TYPE = int(EapType.EAP_IDENTITY)
    identity: str = ""

    def octets(self) -> bytes:
        return encoded("EapIdentity.identity", self.identity)


class EapNotification(EapBody, frozen=True, gc=False):
    """RFC 3748 5.2: a text for the user; empty in a response."""

    TYPE = int(EapType.EAP_NOTIFICATION)
    text: str = ""

    def octets(self) -> bytes:
        return encoded("EapNotification.text", self.text)


class EapNak(EapBody, frozen=True, gc=False):
    """RFC 3748 5.3.1: the types that the peer would rather have, 0: none."""

    TYPE = int(EapType.EAP_NAK)
    types: tuple[int, ...]

    def octets(self) -> bytes:
        try:
            return bytes(tuple(self.types))
        except (ValueError, TypeError):
            raise EncodeError("EapNak.types", f"{self.types!r} are not of one octet each (RFC 3748 5.3.1)") from None


class EapMd5Challenge(EapBody, frozen=True, gc=False):
    """RFC 3748 5.4: a challenge of 1 to 255 octets, or its answer, 16 octets; and a name."""

    TYPE = int(EapType.EAP_MD5_CHALLENGE)
    value: bytes
    name: str = ""

    def octets(self) -> bytes:
        value = binary("EapMd5Challenge.value", self.value)
        if not 1 <= len(value) <= 255:
            raise EncodeError("EapMd5Challenge.value", f"{len(value)} octets, 1 to 255 allowed (RFC 1994 4.1)")
        return bytes([len(value)]) + value + encoded("EapMd5Challenge.name", self.name)


class EapExpanded(EapBody, frozen=True, gc=False):
    """RFC 3748 5.7: a type of a vendor's; vendor 0, type 3 is the Expanded Nak of 5.3.2."""

    TYPE = int(EapType.EAP_EXPANDED)
    vendor: int
    vendor_type: int
    data: bytes = b""

    def octets(self) -> bytes:
        return (number("EapExpanded.vendor", self.vendor, 3) + number("EapExpanded.vendor_type", self.vendor_type, 4)
                + binary("EapExpanded.data", self.data))


class EapUnknown(EapBody, frozen=True, gc=False):
    """Any other type, whole, so that it passes through unchanged, RFC 3748 5."""

    type: int
    data: bytes = b""

    def octets(self) -> bytes:
        return binary("EapUnknown.data", self.data)


class EapPacket(Message):
    """RFC 3748 4. `code` is an `EapCode`; requests and responses have a body, Success and Failure have none."""

    code: Annotated[int, name_of(EapCode)]
    identifier: int
    body: EapBody | None = None

    @classmethod
    def decode(cls, data: Octets) -> Self:
        """The packet in `data`; DecodeError. Octets behind its Length are padding, and ignored (RFC 3748 4)."""
        octets = data if type(data) is bytes else wants_octets("data", data)
        if len(octets) < HEADER:
            raise DecodeError("EapPacket", len(octets), f"{len(octets)} octets, 4 needed (RFC 3748 4)", Status.TOO_SHORT)
        code, identifier, length = HEAD.unpack_from(octets)
        if not REQUEST <= code <= FAILURE:
            raise DecodeError("EapPacket.code", 0, f"{code} is unknown (RFC 3748 4)", Status.WRONG_TYPE)
        if length > len(octets) or (length <= HEADER if code <= RESPONSE else length != HEADER):
            raise DecodeError("EapPacket.length", 2, f"{length} in {len(octets)} octets (RFC 3748 4)", Status.BAD_LENGTH)
        return cls(code, identifier, body_of(code, octets[4], octets[5:length]) if code <= RESPONSE else None)

    def encode(self) -> bytes:
        """The octets; EncodeError names the field."""
        code, body = self.code, self.body
        if (body is None) is not (code in BARE_CODES):
            raise EncodeError("EapPacket.body", f"code {code} has {'a' if body is None else 'no'} body (RFC 3748 4.1, 4.2)")
        try:
            if body is None:
                return HEAD.pack(code, self.identifier, HEADER)
            if not isinstance(body, EapBody):
                raise EncodeError("EapPacket.body", f"{body!r} is no EapBody")
            inside = body.octets()
            head = TYPED.pack(code, self.identifier, HEADER + 1 + len(inside), type_of(body))
        except error:
            raise self._fault(len(inside) if body is not None else 0) from None
        if code not in TYPED_CODES:
            raise self._fault(0)
        return head + inside

    def _fault(self, size: int) -> EncodeError:
        if HEADER + 1 + size > LONGEST:
            return EncodeError("EapPacket.body", "is longer than 65531 octets (RFC 3748 4)")
        return EncodeError("EapPacket.code", f"code {self.code}, identifier {self.identifier}: of one octet, codes 1 to 4 (RFC 3748 4)")

    def verify(self, keys: Any) -> None:
        """AuthenticationError unless the code of its method is right under that method's keys: `GpskKeys`."""
        if self.body is None:
            raise AuthenticationError("EapPacket.body", "none, and so no code (RFC 3748 4.2)", Status.NO_AUTHENTICATOR, HEADER)
        self.body.check(keys)

    def sign(self, keys: Any) -> Self:
        """A copy with the code of its method under that method's keys (`GpskKeys`); EncodeError when it has none."""
        if self.body is None:
            raise EncodeError("EapPacket.body", "none, and so no code (RFC 3748 4.2)")
        return self.replace(body=self.body.signed(keys))

    def nai(self) -> str | None:
        """The identity in a response, if there is one."""
        return self.body.identity if isinstance(self.body, EapIdentity) and self.code == RESPONSE else None


def type_of(body: EapBody) -> int:
    kind = body.type if isinstance(body, EapUnknown) else body.TYPE
    if not isinstance(kind, int) or not 0 <= kind <= 255:
        raise EncodeError(f"{type(body).__name__}.type", f"{kind!r} is no type of one octet (RFC 3748 5)")
    return kind


def encoded(field: str, text: str) -> bytes:
    try:
        return text.encode("utf-8", "surrogateescape")
    except (UnicodeEncodeError, AttributeError):
        raise EncodeError(field, f"{text!r} is no text") from None


def binary(field: str, octets: bytes) -> bytes:
    try:
        return octets if type(octets) is bytes else bytes(memoryview(octets))
    except TypeError:
        raise EncodeError(field, f"{octets!r} are no octets") from None


def number(field: str, value: int, width: int) -> bytes:
    if not isinstance(value, int) or not 0 <= value < 1 << 8 * width:
        raise EncodeError(field, f"{value!r} does not fit {width} octets")
    return int(value).to_bytes(width, "big")


def body_of(code: int, kind: int, data: bytes) -> EapBody:
    """The body of a request or response; DecodeError."""
    reader = READERS.get(kind)
    if reader is None:
        return EapUnknown(kind, data)
    try:
        return reader(code, data)
    except IndexError as error:
        raise DecodeError(f"EapPacket: type {kind}", 5 + len(data), str(error), Status.EXTENSION_OVERRUN) from None
    except ValueError as error:
        raise DecodeError(f"EapPacket: type {kind}", 5, str(error), Status.BAD_EXTENSION) from None


def read_nak(code: int, data: bytes) -> EapNak:
    if code != RESPONSE or not data:
        raise ValueError("a Nak is a response with one type at least (RFC 3748 5.3.1)")
    return EapNak(tuple(data))


def read_md5(code: int, data: bytes) -> EapMd5Challenge:
    if not data or not data[0]:
        raise ValueError("without a value (RFC 3748 5.4)")
    if data[0] > len(data) - 1:
        raise IndexError("the value runs past the packet (RFC 3748 5.4)")
    return EapMd5Challenge(data[1:1 + data[0]], data[1 + data[0]:].decode("utf-8", "surrogateescape"))


def read_expanded(code: int, data: bytes) -> EapExpanded:
    if len(data) < 7:
        raise IndexError("vendor and type are 7 octets (RFC 3748 5.7)")
    return EapExpanded(int.from_bytes(data[:3], "big"), int.from_bytes(data[3:7], "big"), data[7:])


READERS[EapType.EAP_IDENTITY] = lambda code, data: EapIdentity(data.decode("utf-8", "surrogateescape"))
READERS[EapType.EAP_NOTIFICATION] = lambda code, data: EapNotification(data.decode("utf-8", "surrogateescape"))
READERS[EapType.EAP_NAK] = read_nak
READERS[EapType.EAP_MD5_CHALLENGE] = read_md5
READERS[EapType.EAP_EXPANDED] = read_expanded
cite([EapBody, EapPacket, EapIdentity, EapNotification, EapNak, EapMd5Challenge, EapExpanded, EapUnknown])


# ---- EAP-MD5, RFC 3748 5.4, RFC 1994 4.1

def eap_md5_response(identifier: int, secret: Secret | Octets, challenge: Octets) -> bytes:
    """MD5(Identifier || secret || challenge): 16 octets; the identifier is that of the EAP request."""
    return md5(number("EapPacket.identifier", identifier, 1) + key_octets(secret) + wants_octets("challenge", challenge))


def verify_eap_md5(response: EapPacket, secret: Secret | Octets, challenge: Octets) -> None:
    """AuthenticationError unless `response` is the right answer to `challenge`."""
    wants("response", response, EapPacket)
    value = response.body.value if isinstance(response.body, EapMd5Challenge) else b""
    if not compare(value, eap_md5_response(response.identifier, secret, challenge)):
        raise AuthenticationError("EapMd5Challenge.value", "wrong answer to the challenge (RFC 3748 5.4)", Status.BAD_AUTHENTICATOR, 6)
