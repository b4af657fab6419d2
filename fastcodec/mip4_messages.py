"""Mobile IPv4 messages as a person handles them: decoded, verified, changed, signed, encoded."""
from __future__ import annotations

from ipaddress import IPv4Address
from typing import Annotated, ClassVar, Self

from msgspec import field

from fastcodec import mip4, mip4_extensions, mip4_routing, mip4_services, registration
from fastcodec.base import Message, flags_of, name_of
from fastcodec.errors import EncodeError
from fastcodec.extension_codec import ExtensionCodec
from fastcodec.fields import Plan
from fastcodec.mip4 import MessageType
from fastcodec.mip4_codes import NotificationCode
from fastcodec.mip4_extensions import BootstrapAddress, Extension, Nai, Padding, UnknownExtension, overlays
from fastcodec.sections import cite
from fastcodec.signing import Keys, Octets, keys_like_before, unsigned, wants_keys, wants_none_empty

__all__ = ["GenericNotification", "Mip4Message", "NotificationAcknowledgment", "RegistrationReply", "RegistrationRequest",
           "RegistrationRevocation", "RevocationAcknowledgment", "TunnelData"]

Identification = Annotated[int, "{:#018x}".format]


class Mip4Message(Message):
    """A message of Mobile IPv4, UDP port 434, RFC 5944 3. Its own `decode` takes any of them."""

    plan: ClassVar[Plan] = None  # type: ignore[assignment]  # each message has its own; this class decodes any of them

    @classmethod
    def decode(cls, data: Octets, keys: Keys | None = None) -> Self:
        """The message in `data`; DecodeError names field and offset.

        With `keys` (one for every SPI, or a mapping from SPI to key) every authenticator that a key is known for must
        be right (32, 33, 34, 36), and there must be one: else AuthenticationError.
        """
        return registration.decode(cls.plan, data, keys)  # type: ignore[no-any-return]

    def encode(self, keys: Keys | None = None) -> bytes:
        """The octets; authenticators left empty are computed with `keys`. EncodeError names the field."""
        return registration.encode(self, self.plan, keys)

    def verify(self, keys: Keys) -> None:
        """AuthenticationError unless every authenticator that a key is known for is right, and one at least is there."""
        wants_keys(keys)
        wants_none_empty(type(self).__name__, self.parts())
        type(self).decode(self.encode(), keys)

    def sign(self, keys: Keys) -> Self:
        """A copy, every authenticator that a key is known for computed anew: what `verify` wants after a change.

        One that was there keeps its length, and so its algorithm, unless its key names another; others stay as they are.
        EncodeError names the field, among others when an authenticator is empty and no key is known for it.
        """
        if not hasattr(self, "extensions"):
            raise EncodeError(type(self).__name__, "holds no authenticator")
        signed = self.replace(extensions=unsigned(self.extensions, keys))
        return type(self).decode(signed.encode(keys_like_before(self.extensions, keys)))

    def nai(self) -> str | None:
        """The network access identifier, if there is one."""
        for extension in getattr(self, "extensions", ()):
            if type(extension) is Nai:
                return extension.nai
        return None


@overlays("RegistrationRequest", type=MessageType.REGISTRATION_REQUEST)
class RegistrationRequest(Mip4Message):
    """RFC 5944 3.3. `flags` is a sum of `Flag`s, `lifetime` in seconds, `identification` an NTP timestamp."""

    plan: ClassVar[Plan]
    flags: Annotated[int, flags_of(mip4.Flag)]
    lifetime: int
    home_address: IPv4Address
    home_agent: IPv4Address
    care_of_address: IPv4Address
    identification: Identification
    extensions: list[Extension] = field(default_factory=list)


@overlays("RegistrationReply", type=MessageType.REGISTRATION_REPLY)
class RegistrationReply(Mip4Message):
    """RFC 5944 3.4. `code` is a `ReplyCode`."""

    plan: ClassVar[Plan]
    code: Annotated[int, name_of(mip4.ReplyCode)]
    lifetime: int
    home_address: IPv4Address
    home_agent: IPv4Address
    identification: Identification
    extensions: list[Extension] = field(default_factory=list)


@overlays("TunnelData", type=MessageType.TUNNEL_DATA)
class TunnelData(Mip4Message):
    """A packet through a UDP tunnel; `next_header` 4 IPv4, 41 IPv6, 47 GRE, 55 minimal. RFC 3519 3.3."""

    plan: ClassVar[Plan]
    next_header: int
    packet: bytes
    reserved: int = 0


@overlays("RegistrationRevocation", type=MessageType.REGISTRATION_REVOCATION)
class RegistrationRevocation(Mip4Message):
    """RFC 3543 3.3. `flags` is a sum of `RevocationFlag`s, `revocation_identifier` a timestamp."""

    plan: ClassVar[Plan]
    flags: Annotated[int, flags_of(mip4.RevocationFlag)]
    home_address: IPv4Address
    home_domain_address: IPv4Address
    foreign_domain_address: IPv4Address
    revocation_identifier: int
    extensions: list[Extension] = field(default_factory=list)
    reserved: int = 0


@overlays("RevocationAcknowledgment", type=MessageType.REVOCATION_ACKNOWLEDGMENT)
class RevocationAcknowledgment(Mip4Message):
    """RFC 3543 3.4. `flags` is an `InformFlag` or 0, another bit than in the revocation."""

    plan: ClassVar[Plan]
    flags: Annotated[int, flags_of(mip4.InformFlag)]
    home_address: IPv4Address
    revocation_identifier: int
    extensions: list[Extension] = field(default_factory=list)
    reserved: int = 0


@overlays("GenericNotification", type=MessageType.GENERIC_NOTIFICATION)
class GenericNotification(Mip4Message):
    """RFC 6098 4.1. `direction` is a `NotificationDirection`, `flags` a `NotificationFlag` or 0."""

    plan: ClassVar[Plan]
    direction: Annotated[int, name_of(mip4.NotificationDirection)]
    flags: Annotated[int, flags_of(mip4.NotificationFlag)]
    home_address: IPv4Address
    home_agent: IPv4Address
    care_of_address: IPv4Address
    identification: Identification
    extensions: list[Extension] = field(default_factory=list)


@overlays("NotificationAcknowledgment", type=MessageType.NOTIFICATION_ACKNOWLEDGMENT)
class NotificationAcknowledgment(Mip4Message):
    """RFC 6098 4.2. `direction` is a `NotificationDirection`, `code` a `NotificationCode`."""

    plan: ClassVar[Plan]
    direction: Annotated[int, name_of(mip4.NotificationDirection)]
    code: Annotated[int, name_of(NotificationCode)]
    home_address: IPv4Address
    home_agent: IPv4Address
    care_of_address: IPv4Address
    identification: Identification
    extensions: list[Extension] = field(default_factory=list)
    reserved: int = 0


EXTENSION_CLASSES = [cls for module in (mip4_extensions, mip4_services, mip4_routing) for cls in vars(module).values()
                     if isinstance(cls, type) and issubclass(cls, Extension) and hasattr(cls, "plan") and cls is not BootstrapAddress]
CODEC = ExtensionCodec(UnknownExtension, Padding, list(dict.fromkeys(EXTENSION_CLASSES)))
cite(EXTENSION_CLASSES, "extension")
cite([Mip4Message, Padding, UnknownExtension])
registration.register(CODEC, BootstrapAddress.plan, Mip4Message.__subclasses__())
