"""PANA messages and their attribute-value pairs as a person handles them. RFC 5191."""
from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, ClassVar

from msgspec import field

from fastcodec import pana
from fastcodec.base import Message, Part, as_hex, flags_of, name_of
from fastcodec.eap import EapPacket
from fastcodec.errors import AuthenticationError, DecodeError
from fastcodec.fields import Plan
from fastcodec.overlay import FRAMING, Overlay
from fastcodec.pana import AVP_VENDOR_FLAG, AvpCode
from fastcodec.secret import Secret
from fastcodec.sections import cite
from fastcodec.signing import Keys, Octets, wants_keys
from fastcodec.status import Status

__all__ = ["AuthAvp", "Avp", "EapPayloadAvp", "IntegrityAlgorithmAvp", "KeyIdAvp", "NonceAvp", "PanaMessage", "PrfAlgorithmAvp",
           "RawAvp", "ResultCodeAvp", "SessionLifetimeAvp", "TerminationCauseAvp", "UnknownAvp", "VendorAvp"]

INTEGRITY = {16: pana.IntegrityAlgorithm.AUTH_HMAC_SHA2_256_128}    # by octets of the AUTH
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
    """A pair of a vendor's, RFC 5191 6.3. Of ours `code` is a `HandOffAvp`."""

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
    def decode(cls, data: Octets, keys: Keys | None = None, *, strict: bool = True) -> PanaMessage:
        """The message in `data`; DecodeError names field and offset, among others for what makes a message invalid without
        looking at the session (RFC 5191 5.5), unless `strict` is false. With `keys` (the PANA_AUTH_KEY, or a mapping from
        Key-Id to it) its AUTH must be there and right: else AuthenticationError."""
        if not isinstance(keys, Mapping):
            return pana.decode(data, keys, strict)
        message = pana.decode(data, None, strict)
        key = message.key_of(keys)
        if key is None:
            raise AuthenticationError("KeyIdAvp", "none that a key is known for", Status.NO_AUTHENTICATOR, len(data))
        return pana.decode(data, key, strict)

    def encode(self, keys: Keys | None = None, integrity: int = pana.IntegrityAlgorithm.AUTH_HMAC_SHA1_160) -> bytes:
        """The octets; an AuthAvp left empty is computed with `keys` by the `IntegrityAlgorithm`. EncodeError names the field."""
        return pana.encode(self, None if keys is None else self.key_of(keys), integrity)

    def verify(self, keys: Keys) -> None:
        """AuthenticationError unless the AUTH is there, last, and right."""
        wants_keys(keys)
        auth = self.find(AuthAvp)
        if auth is not None and not auth.value:
            raise AuthenticationError("AuthAvp.value", "empty: the message is not signed", Status.NO_AUTHENTICATOR)
        PanaMessage.decode(self.encode(), keys, strict=False)

    def sign(self, keys: Keys, *, integrity: int | None = None) -> PanaMessage:
        """A copy, its AUTH computed anew, put last when there is none: what `verify` wants after a change. Without `integrity`
        by the algorithm of the AUTH that is there, else HMAC-SHA1. EncodeError names the field."""
        wants_keys(keys)
        auth = self.find(AuthAvp) or AuthAvp()
        if integrity is None:
            integrity = INTEGRITY.get(len(auth.value), pana.IntegrityAlgorithm.AUTH_HMAC_SHA1_160)
        empty = [a for a in self.avps if not isinstance(a, AuthAvp)] + [auth.replace(value=b"")]
        octets = self.replace(avps=empty).encode(keys, integrity=integrity)
        return PanaMessage.decode(octets, strict=False)

    def key_of(self, keys: Keys) -> Secret | Octets | None:
        """`keys`, or of a mapping the key of the message's Key-Id; None when it is not known."""
        if not isinstance(keys, Mapping):
            return keys
        key_id = self.find(KeyIdAvp)
        return keys.get(key_id.value) if key_id and isinstance(key_id.value, int) else None

    def nai(self) -> str | None:
        """The identity in an EAP response, if there is one."""
        payload = self.find(EapPayloadAvp)
        try:
            return EapPacket.decode(payload.value).nai() if payload else None
        except DecodeError:
            return None


pana.register(PanaMessage, UnknownAvp, VendorAvp, RawAvp, {c.plan.type: c.plan for c in (
    AuthAvp, EapPayloadAvp, IntegrityAlgorithmAvp, KeyIdAvp, NonceAvp, PrfAlgorithmAvp, ResultCodeAvp, SessionLifetimeAvp,
    TerminationCauseAvp)})
cite([AuthAvp, EapPayloadAvp, IntegrityAlgorithmAvp, KeyIdAvp, NonceAvp, PrfAlgorithmAvp, ResultCodeAvp, SessionLifetimeAvp,
      TerminationCauseAvp], "AVP")
cite([PanaMessage, RawAvp])
