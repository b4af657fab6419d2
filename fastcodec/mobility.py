"""Mobility Header messages as a person handles them: decoded, verified, changed, signed, encoded. RFC 6275 6.1."""
from __future__ import annotations

from ipaddress import IPv6Address
from typing import Annotated, ClassVar, Self

from msgspec import field

from fastcodec import binding, mip6
from fastcodec.base import Message, as_hex, flags_of, name_of
from fastcodec.fields import Plan
from fastcodec.mip6 import MobilityType
from fastcodec.mobility_options import (
    OPTIONS,
    MobileNodeIdentifierOption,
    MobilityOption,
    MobilityPadding,
    UnknownOption,
    overlays,
)
from fastcodec.sections import cite
from fastcodec.signing import Keys, Octets, unsigned, wants_keys, wants_none_empty

__all__ = ["BindingAcknowledgement", "BindingError", "BindingRefreshRequest", "BindingUpdate", "CareOfTest", "CareOfTestInit",
           "HomeTest", "HomeTestInit", "MobilityMessage"]

Address = IPv6Address | str


class MobilityMessage(Message):
    """A message of the Mobility Header, IPv6 next header 135, RFC 6275 6.1; `MobilityMessage.decode` makes the class of its type.

    `source` and `destination` are those of the checksum: the home address stands for the care-of address when a Home
    Address option or a type 2 routing header names it (RFC 6275 6.1.1). Authenticators (RFC 4285) cover the home address,
    which is the source of a Binding Update and the destination of a Binding Acknowledgement, and the care-of address: that of
    an Alternate Care-of Address option, else `care_of_address`.
    """

    plan: ClassVar[Plan]

    @classmethod
    def decode(cls, data: Octets, keys: Keys | None = None, *, source: Address | None = None,
               destination: Address | None = None, care_of_address: Address | None = None) -> Self:
        """The message in `data`; DecodeError names field and offset, a wrong checksum among them when both ends are given.

        With `keys` (one for every SPI, or a mapping from SPI to key) every authentication option that a key is known for must
        be right, and there must be one: else AuthenticationError. Octets behind its Header Len are no part of a message.
        """
        message: Self = binding.decode(getattr(cls, "plan", None), data, keys, source, destination, care_of_address)
        return message

    def encode(self, keys: Keys | None = None, *, source: Address | None = None, destination: Address | None = None,
               care_of_address: Address | None = None) -> bytes:
        """The octets, options aligned; authenticators left empty are computed with `keys`, the checksum when both ends are
        given (else it is the message's own). EncodeError names the field."""
        return binding.encode(self, self.plan, keys, source, destination, care_of_address)

    def verify(self, keys: Keys, *, source: Address | None = None, destination: Address | None = None,
               care_of_address: Address | None = None) -> None:
        """AuthenticationError unless every authenticator that a key is known for is right, and one at least is there. The
        checksum is not looked at: it changes with the addresses."""
        wants_keys(keys)
        wants_none_empty(type(self).__name__, self.parts())
        octets = self.encode(None, source=source, destination=destination)
        type(self).decode(octets, keys, source=source, destination=destination, care_of_address=care_of_address)

    def sign(self, keys: Keys, *, source: Address | None = None, destination: Address | None = None,
             care_of_address: Address | None = None) -> Self:
        """A copy, every authenticator that a key is known for computed anew, and the checksum when both ends are given: what
        `verify` wants after a change. EncodeError names the field."""
        signed = self.replace(options=unsigned(getattr(self, "options", ()), keys))
        return type(self).decode(signed.encode(keys, source=source, destination=destination, care_of_address=care_of_address))

    def nai(self) -> str | None:
        """The network access identifier, if there is one."""
        return next((o.identifier for o in self.find_all(MobileNodeIdentifierOption) if o.subtype == 1), None)


@overlays("BindingRefreshRequest", type=MobilityType.BINDING_REFRESH_REQUEST)
class BindingRefreshRequest(MobilityMessage):
    """RFC 6275 6.1.2: register again."""

    plan: ClassVar[Plan]
    options: list[MobilityOption] = field(default_factory=list)
    reserved: int = 0
    checksum: Annotated[int, as_hex] = 0
    reserved2: int = 0


@overlays("TestInit", type=MobilityType.HOME_TEST_INIT)
class HomeTestInit(MobilityMessage):
    """RFC 6275 6.1.3."""

    plan: ClassVar[Plan]
    cookie: Annotated[int, as_hex] = 0
    options: list[MobilityOption] = field(default_factory=list)
    reserved: int = 0
    checksum: Annotated[int, as_hex] = 0
    reserved2: int = 0


@overlays("TestInit", type=MobilityType.CARE_OF_TEST_INIT)
class CareOfTestInit(MobilityMessage):
    """RFC 6275 6.1.4."""

    plan: ClassVar[Plan]
    cookie: Annotated[int, as_hex] = 0
    options: list[MobilityOption] = field(default_factory=list)
    reserved: int = 0
    checksum: Annotated[int, as_hex] = 0
    reserved2: int = 0


@overlays("Test", type=MobilityType.HOME_TEST)
class HomeTest(MobilityMessage):
    """RFC 6275 6.1.5."""

    plan: ClassVar[Plan]
    nonce_index: int = 0
    cookie: Annotated[int, as_hex] = 0
    keygen_token: Annotated[int, as_hex] = 0
    options: list[MobilityOption] = field(default_factory=list)
    reserved: int = 0
    checksum: Annotated[int, as_hex] = 0


@overlays("Test", type=MobilityType.CARE_OF_TEST)
class CareOfTest(MobilityMessage):
    """RFC 6275 6.1.6."""

    plan: ClassVar[Plan]
    nonce_index: int = 0
    cookie: Annotated[int, as_hex] = 0
    keygen_token: Annotated[int, as_hex] = 0
    options: list[MobilityOption] = field(default_factory=list)
    reserved: int = 0
    checksum: Annotated[int, as_hex] = 0


@overlays("BindingUpdate", type=MobilityType.BINDING_UPDATE)
class BindingUpdate(MobilityMessage):
    """RFC 6275 6.1.7. `flags` is a sum of `UpdateFlag`s, `lifetime` in units of 4 seconds, 0 deletes."""

    plan: ClassVar[Plan]
    sequence: int = 0
    flags: Annotated[int, flags_of(mip6.UpdateFlag)] = 0
    lifetime: int = 0
    options: list[MobilityOption] = field(default_factory=list)
    reserved: int = 0
    checksum: Annotated[int, as_hex] = 0


@overlays("BindingAcknowledgement", type=MobilityType.BINDING_ACKNOWLEDGEMENT)
class BindingAcknowledgement(MobilityMessage):
    """RFC 6275 6.1.8. `status` is a `BindingStatus`, `lifetime` in units of 4 seconds."""

    plan: ClassVar[Plan]
    status: Annotated[int, name_of(mip6.BindingStatus)] = 0
    flags: Annotated[int, flags_of(mip6.AcknowledgementFlag)] = 0
    sequence: int = 0
    lifetime: int = 0
    options: list[MobilityOption] = field(default_factory=list)
    reserved: int = 0
    checksum: Annotated[int, as_hex] = 0


@overlays("BindingError", type=MobilityType.BINDING_ERROR)
class BindingError(MobilityMessage):
    """RFC 6275 6.1.9. `status` is a `BindingErrorStatus`."""

    plan: ClassVar[Plan]
    status: Annotated[int, name_of(mip6.BindingErrorStatus)] = 0
    home_address: IPv6Address = IPv6Address(0)
    options: list[MobilityOption] = field(default_factory=list)
    reserved: int = 0
    checksum: Annotated[int, as_hex] = 0
    reserved2: int = 0


binding.register(UnknownOption, MobilityPadding,
                 [c.plan for c in (BindingRefreshRequest, HomeTestInit, CareOfTestInit, HomeTest, CareOfTest, BindingUpdate,
                                   BindingAcknowledgement, BindingError)],
                 [c.plan for c in OPTIONS])  # type: ignore[attr-defined]
cite([MobilityMessage])
