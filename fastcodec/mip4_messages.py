"""Mobile IPv4 messages as a person handles them: decoded, verified, changed, signed, encoded."""
from __future__ import annotations

from collections.abc import Mapping
from ipaddress import IPv4Address
from typing import Annotated, ClassVar, Self

from msgspec import field

from fastcodec import mip4, registration
from fastcodec.base import Message, flags_of, name_of
from fastcodec.fields import Plan
from fastcodec.mip4_extensions import (
    BootstrapAddress,
    Extension,
    GeneralizedAuthentication,
    MnHaAuthentication,
    Nai,
    NonceReply,
    NonceRequest,
    Padding,
    UnknownExtension,
    VendorExtension,
    overlays,
)
from fastcodec.secret import Secret

__all__ = ["Mip4Message", "RegistrationReply", "RegistrationRequest"]

Octets = bytes | bytearray | memoryview
Keys = Secret | Octets | Mapping[int, Secret | Octets]


class Mip4Message(Message):
    """A message of Mobile IPv4, UDP port 434."""

    @classmethod
    def decode(cls, data: Octets, keys: Keys | None = None) -> Self:
        """The message in `data`; DecodeError names field and offset.

        With `keys` (one for every SPI, or a mapping from SPI to key) every MN-HA and MN-AAA authenticator that a key
        is known for must be right, and there must be one: else AuthenticationError.
        """
        message: Self = registration.decode(cls.plan, data, keys)
        return message

    def encode(self, keys: Keys | None = None) -> bytes:
        """The octets; authenticators left empty are computed with `keys`. EncodeError names the field."""
        return registration.encode(self, self.plan, keys)

    def nai(self) -> str | None:
        """The network access identifier, if there is one."""
        found = self.find(Nai)
        return found.nai if found else None


@overlays("RegistrationRequest", type=mip4.MessageType.REGISTRATION_REQUEST)
class RegistrationRequest(Mip4Message):
    """RFC 5944 3.3. `flags` is a sum of `Flag`s, `lifetime` in seconds, `identification` an NTP timestamp."""

    plan: ClassVar[Plan]
    flags: Annotated[int, flags_of(mip4.Flag)]
    lifetime: int
    home_address: IPv4Address
    home_agent: IPv4Address
    care_of_address: IPv4Address
    identification: Annotated[int, "{:#018x}".format]
    extensions: list[Extension] = field(default_factory=list)


@overlays("RegistrationReply", type=mip4.MessageType.REGISTRATION_REPLY)
class RegistrationReply(Mip4Message):
    """RFC 5944 3.4. `code` is a `ReplyCode`."""

    plan: ClassVar[Plan]
    code: Annotated[int, name_of(mip4.ReplyCode)]
    lifetime: int
    home_address: IPv4Address
    home_agent: IPv4Address
    identification: Annotated[int, "{:#018x}".format]
    extensions: list[Extension] = field(default_factory=list)


registration.register(Nai, UnknownExtension, Padding, BootstrapAddress.plan,
                      [c.plan for c in (MnHaAuthentication, GeneralizedAuthentication, NonceRequest, NonceReply,
                                        VendorExtension)])
