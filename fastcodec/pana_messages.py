"""PANA messages and their attribute-value pairs as a person handles them. RFC 5191."""
from __future__ import annotations

from typing import Annotated, ClassVar

from msgspec import field

from fastcodec import pana
from fastcodec.base import Message, Part, as_hex, flags_of, name_of
from fastcodec.fields import Plan
from fastcodec.overlay import FRAMING, Overlay
from fastcodec.pana import AVP_VENDOR_FLAG, AvpCode
from fastcodec.secret import Secret

__all__ = ["AuthAvp", "Avp", "EapPayloadAvp", "IntegrityAlgorithmAvp", "KeyIdAvp", "NonceAvp", "PanaMessage", "PrfAlgorithmAvp",
           "RawAvp", "ResultCodeAvp", "SessionLifetimeAvp", "TerminationCauseAvp", "UnknownAvp", "VendorAvp"]

Octets = bytes | bytearray | memoryview
overlays = Overlay(pana.LAYOUTS, {}, FRAMING | {"code"}, frozenset({"flags"}))


class Avp(Part, frozen=True, gc=False):
    """An attribute-value pair, RFC 5191 6.3. Flags but V, and the reserved field, are sent as 0 and ignored."""


@overlays("Avp", type=AvpCode.AVP_AUTH)
class AuthAvp(Avp, frozen=True, gc=False):
    """The authenticator of the whole message, last, RFC 5191 8.1. `encode` computes an empty one."""

    plan: ClassVar[Plan]
    value: bytes = b""
    flags: int = 0
    reserved: int = 0


@overlays("Avp", type=AvpCode.AVP_EAP_PAYLOAD)
class EapPayloadAvp(Avp, frozen=True, gc=False):
    """An EAP packet, RFC 5191 8.2."""

    plan: ClassVar[Plan]
    value: bytes
    flags: int = 0
    reserved: int = 0


@overlays("NumberAvp", type=AvpCode.AVP_INTEGRITY_ALGORITHM)
class IntegrityAlgorithmAvp(Avp, frozen=True, gc=False):
    """An `IntegrityAlgorithm`, RFC 5191 8.3."""

    plan: ClassVar[Plan]
    value: Annotated[int, name_of(pana.IntegrityAlgorithm)]
    flags: int = 0
    reserved: int = 0


@overlays("NumberAvp", type=AvpCode.AVP_KEY_ID)
class KeyIdAvp(Avp, frozen=True, gc=False):
    """Which key, RFC 5191 8.4."""

    plan: ClassVar[Plan]
    value: int
    flags: int = 0
    reserved: int = 0


@overlays("Avp", type=AvpCode.AVP_NONCE)
class NonceAvp(Avp, frozen=True, gc=False):
    """8 to 256 random octets, RFC 5191 8.5."""

    plan: ClassVar[Plan]
    value: bytes
    flags: int = 0
    reserved: int = 0


@overlays("NumberAvp", type=AvpCode.AVP_PRF_ALGORITHM)
class PrfAlgorithmAvp(Avp, frozen=True, gc=False):
    """A `PrfAlgorithm`, RFC 5191 8.6."""

    plan: ClassVar[Plan]
    value: Annotated[int, name_of(pana.PrfAlgorithm)]
    flags: int = 0
    reserved: int = 0


@overlays("NumberAvp", type=AvpCode.AVP_RESULT_CODE)
class ResultCodeAvp(Avp, frozen=True, gc=False):
    """A `PanaResult`, RFC 5191 8.7."""

    plan: ClassVar[Plan]
    value: Annotated[int, name_of(pana.PanaResult)]
    flags: int = 0
    reserved: int = 0


@overlays("NumberAvp", type=AvpCode.AVP_SESSION_LIFETIME)
class SessionLifetimeAvp(Avp, frozen=True, gc=False):
    """Seconds, RFC 5191 8.8."""

    plan: ClassVar[Plan]
    value: int
    flags: int = 0
    reserved: int = 0


@overlays("NumberAvp", type=AvpCode.AVP_TERMINATION_CAUSE)
class TerminationCauseAvp(Avp, frozen=True, gc=False):
    """A `TerminationCause`, RFC 5191 8.9."""

    plan: ClassVar[Plan]
    value: Annotated[int, name_of(pana.TerminationCause)]
    flags: int = 0
    reserved: int = 0


@overlays("Avp")
class UnknownAvp(Avp, frozen=True, gc=False):
    """Any other pair without vendor: a message with it is invalid, RFC 5191 5.5; `decode` shows it with `strict` false."""

    plan: ClassVar[Plan]
    code: int
    value: bytes
    flags: int = 0
    reserved: int = 0


@overlays("VendorAvp")
class VendorAvp(Avp, frozen=True, gc=False):
    """A pair of a vendor's, RFC 5191 6.3."""

    plan: ClassVar[Plan]
    code: int
    vendor: int
    value: bytes
    flags: Annotated[int, as_hex] = AVP_VENDOR_FLAG
    reserved: int = 0


class RawAvp(Avp, frozen=True, gc=False):
    """A pair whose padding is not zero, whole, so that it passes through unchanged."""

    octets: bytes


@Overlay(pana.LAYOUTS, {})("PanaHeader")
class PanaMessage(Message):
    """RFC 5191 6.2. `flags` is a sum of `PanaFlag`s, `type` a `PanaType`; UDP port 716."""

    plan: ClassVar[Plan]
    flags: Annotated[int, flags_of(pana.PanaFlag)]
    type: Annotated[int, name_of(pana.PanaType)]
    session: Annotated[int, as_hex]
    sequence: int
    avps: list[Avp] = field(default_factory=list)
    reserved: int = 0

    @classmethod
    def decode(cls, data: Octets, key: Secret | Octets | None = None, *, strict: bool = True) -> PanaMessage:
        """The message in `data`; DecodeError names field and offset, among others for what makes a message invalid without
        looking at the session (RFC 5191 5.5), unless `strict` is false. With `key` (the PANA_AUTH_KEY) its AUTH must be
        there and right: else AuthenticationError."""
        return pana.decode(data, key, strict)

    def encode(self, key: Secret | Octets | None = None, integrity: int = pana.IntegrityAlgorithm.AUTH_HMAC_SHA1_160) -> bytes:
        """The octets; an AuthAvp left empty is computed with `key` by the `IntegrityAlgorithm`. EncodeError names the field."""
        return pana.encode(self, key, integrity)


pana.register(PanaMessage, UnknownAvp, VendorAvp, RawAvp, {c.plan.type: c.plan for c in (
    AuthAvp, EapPayloadAvp, IntegrityAlgorithmAvp, KeyIdAvp, NonceAvp, PrfAlgorithmAvp, ResultCodeAvp, SessionLifetimeAvp,
    TerminationCauseAvp)})
