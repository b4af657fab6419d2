"""Single messages as a person handles them: layout from the packed struct, meaning from the annotation.

Each class is bound to the struct of its name at import; a field that is missing, renamed or out of order fails there.
"""
from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping, Sequence
from ipaddress import IPv4Address, IPv6Address
from typing import Any, ClassVar, Self, TypeVar, get_type_hints

import msgspec

from fastcodec import mip4, packet, registration
from fastcodec.attributes import Attributes
from fastcodec.fields import Plan
from fastcodec.mip4 import ExtensionType
from fastcodec.secret import Secret

__all__ = ["BootstrapAddress", "Extension", "GeneralizedAuthentication", "MnHaAuthentication", "Nai", "NonceReply",
           "NonceRequest", "Padding", "RadiusPacket", "RegistrationReply", "RegistrationRequest", "UnknownExtension",
           "VendorExtension"]

Octets = bytes | bytearray | memoryview
Keys = Secret | Octets | Mapping[int, Secret | Octets]
FRAMING = {"type", "subtype", "length"}     # the writer's business, not the user's
WIDEST = {IPv4Address: 4, IPv6Address: 16}
C = TypeVar("C", bound=type)


def overlays(*structs: str, type: int, subtype: int = 0, tail: bool = False,
             leave_out: frozenset[str] = frozenset()) -> Callable[[C], C]:
    """Bind an annotated class to the struct (or the structs, one behind the other) of that name."""
    def bind(cls: C) -> C:
        hints, start = get_type_hints(cls), 0
        fields: list[tuple[str, int, int, Any]] = []
        for layout in (mip4.LAYOUTS[name] for name in structs):
            for name, (dtype, offset, *_) in (layout.fields or {}).items():
                if name not in FRAMING | leave_out:
                    fields.append((name, start + offset, dtype.itemsize, hints.get(name)))
            start += layout.itemsize
        names = list(cls.__struct_fields__)  # type: ignore[attr-defined]
        if [name for name, *_ in fields] != names[:len(fields)] or len(names) != len(fields) + tail:
            raise TypeError(f"{cls.__name__}: {names} are not the fields of {structs}: {[f[0] for f in fields]}")
        for name, _, width, kind in fields:
            if kind not in (int, IPv4Address, IPv6Address) or width != WIDEST.get(kind, width):
                raise TypeError(f"{cls.__name__}.{name}: {kind} cannot stand for {width} octets")
        shape = mip4.EXTENSIONS[type].shape if issubclass(cls, Extension) else 0
        cls.plan = Plan(cls, fields, start, tail, type, subtype, shape)  # type: ignore[attr-defined]
        return cls
    return bind


class Extension(msgspec.Struct, frozen=True, gc=False):
    """Anything that follows the fixed part of a registration message."""


@overlays("Authentication", type=ExtensionType.EXT_MN_HA, tail=True)
class MnHaAuthentication(Extension, frozen=True, gc=False):
    """Mobile-home authentication, RFC 5944 3.5.2. An empty authenticator is computed by `encode`."""

    plan: ClassVar[Plan]
    spi: int
    authenticator: bytes = b""


@overlays("GeneralizedAuthentication", type=ExtensionType.EXT_GENERALIZED, subtype=mip4.SUBTYPE_MN_AAA, tail=True)
class GeneralizedAuthentication(Extension, frozen=True, gc=False):
    """MN-AAA authentication, RFC 4721 5. An empty authenticator is computed by `encode`; SPI 2 is CHAP."""

    plan: ClassVar[Plan]
    spi: int
    authenticator: bytes = b""


@overlays("NonceRequest", type=ExtensionType.EXT_MN_HA_NONCE_REQUEST, subtype=mip4.SUBTYPE_NONCE)
class NonceRequest(Extension, frozen=True, gc=False):
    """The mobile node asks for a key with its home agent, RFC 3957 6.3; `mn_spi` is what it wants to receive."""

    plan: ClassVar[Plan]
    mn_spi: int


@overlays("NonceReply", type=ExtensionType.EXT_MN_HA_NONCE_REPLY, subtype=mip4.SUBTYPE_NONCE, tail=True)
class NonceReply(Extension, frozen=True, gc=False):
    """What the mobile node needs to derive that key, RFC 3957 6.4; `lifetime` in seconds."""

    plan: ClassVar[Plan]
    lifetime: int
    aaa_spi: int
    ha_spi: int
    algorithm: int
    replay_method: int
    nonce: bytes


@overlays("NormalVendorExtension", type=ExtensionType.EXT_NVSE, tail=True)
class VendorExtension(Extension, frozen=True, gc=False):
    """Normal vendor extension, RFC 3115 2.2."""

    plan: ClassVar[Plan]
    reserved: int
    vendor: int
    vendor_type: int
    value: bytes


@overlays("NormalVendorExtension", "BootstrapAddress", type=ExtensionType.EXT_NVSE, leave_out=frozenset({"reserved"}))
class BootstrapAddress(Extension, frozen=True, gc=False):
    """One of our vendor extensions, `vendor_type` a `BootstrapType`: an IPv6 address and its prefix length."""

    plan: ClassVar[Plan]
    vendor: int
    vendor_type: int
    prefix_length: int
    address: IPv6Address


class Nai(Extension, frozen=True, gc=False):
    """Network access identifier, RFC 2794 2. Octets that are no UTF-8 survive as surrogates."""

    nai: str


class Padding(Extension, frozen=True, gc=False):
    """A run of one-octet padding extensions, RFC 5944 1.8."""

    count: int


class UnknownExtension(Extension, frozen=True, gc=False):
    """Any other extension, whole, so that it passes through unchanged."""

    octets: bytes

    @property
    def type(self) -> int:
        return self.octets[0]


class _Message(msgspec.Struct):
    plan: ClassVar[Plan]

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
        return self.find(Nai).nai if self.find(Nai) else None

    def find(self, kind: type[Any]) -> Any:
        """The first extension of a class, or None."""
        return next((e for e in getattr(self, "extensions", ()) if isinstance(e, kind)), None)


@overlays("RegistrationRequest", type=mip4.MessageType.REGISTRATION_REQUEST, tail=True)
class RegistrationRequest(_Message):
    """RFC 5944 3.3. `flags` is a sum of `Flag`s, `lifetime` in seconds, `identification` an NTP timestamp."""

    plan: ClassVar[Plan]
    flags: int
    lifetime: int
    home_address: IPv4Address
    home_agent: IPv4Address
    care_of_address: IPv4Address
    identification: int
    extensions: list[Extension] = []


@overlays("RegistrationReply", type=mip4.MessageType.REGISTRATION_REPLY, tail=True)
class RegistrationReply(_Message):
    """RFC 5944 3.4. `code` is a `ReplyCode`."""

    plan: ClassVar[Plan]
    code: int
    lifetime: int
    home_address: IPv4Address
    home_agent: IPv4Address
    identification: int
    extensions: list[Extension] = []


registration.register(Nai, UnknownExtension, Padding, BootstrapAddress.plan,
                      [c.plan for c in (MnHaAuthentication, GeneralizedAuthentication, NonceRequest, NonceReply,
                                        VendorExtension)])


class RadiusPacket(msgspec.Struct):
    """RFC 2865 3. `attributes` are (name, value) in wire order; of a decoded packet they are typed when looked at."""

    code: int
    identifier: int
    authenticator: bytes = b""
    attributes: Attributes | Sequence[tuple[str, Any]] = ()

    @classmethod
    def decode(cls, data: Octets, secret: Secret | Octets | None = None, request: RadiusPacket | Octets | None = None,
               *, require: bool = True) -> Self:
        """The packet in `data`; DecodeError names attribute and offset. What follows its Length is ignored.

        With `secret` it must be authentic, as a request, or as the answer to `request` (packet, octets, or the request
        authenticator alone): else AuthenticationError. `require` false admits packets without Message-Authenticator.
        """
        message: Self = packet.decode(cls, data, secret, request, require)
        return message

    def encode(self, secret: Secret | Octets | None = None, request: RadiusPacket | Octets | None = None) -> bytes:
        """The octets; EncodeError names the attribute.

        With `secret` they are signed: Message-Authenticator (put first when there is none), and in an answer to
        `request` the Response Authenticator. A request without authenticator gets a random one.
        """
        if not self.authenticator and request is None:
            self.authenticator = secrets.token_bytes(16)
        return packet.encode(self, secret, request)
