"""Extensions of Mobile IPv4 messages as a person handles them."""
from __future__ import annotations

from ipaddress import IPv6Address
from typing import Annotated, ClassVar

from fastcodec import mip4
from fastcodec.base import Part, as_hex, name_of
from fastcodec.fields import Plan
from fastcodec.mip4 import BootstrapType, ExtensionType
from fastcodec.overlay import Overlay

__all__ = ["BootstrapAddress", "Extension", "GeneralizedAuthentication", "MnHaAuthentication", "Nai", "NonceReply",
           "NonceRequest", "Padding", "UnknownExtension", "VendorExtension"]

Spi = Annotated[int, as_hex]
overlays = Overlay(mip4.LAYOUTS, {number: row.shape for number, row in mip4.EXTENSIONS.items()})


class Extension(Part, frozen=True, gc=False):
    """Anything that follows the fixed part of a Mobile IPv4 message."""


@overlays("Authentication", type=ExtensionType.EXT_MN_HA)
class MnHaAuthentication(Extension, frozen=True, gc=False):
    """Mobile-home authentication, RFC 5944 3.5.2. An empty authenticator is computed by `encode`."""

    plan: ClassVar[Plan]
    spi: Spi
    authenticator: bytes = b""


@overlays("GeneralizedAuthentication", type=ExtensionType.EXT_GENERALIZED, subtype=mip4.SUBTYPE_MN_AAA)
class GeneralizedAuthentication(Extension, frozen=True, gc=False):
    """MN-AAA authentication, RFC 4721 5. An empty authenticator is computed by `encode`; SPI 2 is CHAP."""

    plan: ClassVar[Plan]
    spi: Spi
    authenticator: bytes = b""


@overlays("NonceRequest", type=ExtensionType.EXT_MN_HA_NONCE_REQUEST, subtype=mip4.SUBTYPE_NONCE)
class NonceRequest(Extension, frozen=True, gc=False):
    """The mobile node asks for a key with its home agent, RFC 3957 6.3; `mn_spi` is what it wants to receive."""

    plan: ClassVar[Plan]
    mn_spi: Spi


@overlays("NonceReply", type=ExtensionType.EXT_MN_HA_NONCE_REPLY, subtype=mip4.SUBTYPE_NONCE)
class NonceReply(Extension, frozen=True, gc=False):
    """What the mobile node needs to derive that key, RFC 3957 6.4; `lifetime` in seconds."""

    plan: ClassVar[Plan]
    lifetime: int
    aaa_spi: Spi
    ha_spi: Spi
    algorithm: int
    replay_method: int
    nonce: bytes


@overlays("NormalVendorExtension", type=ExtensionType.EXT_NVSE)
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
    vendor_type: Annotated[int, name_of(BootstrapType)]
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
