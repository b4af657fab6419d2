"""Extensions of Mobile IPv4 messages as a person handles them: names, NAIs, keys, vendors. Others in `mip4_services`, `mip4_routing`."""
from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address
from typing import Annotated, ClassVar

from fastcodec import mip4, mip4_parts
from fastcodec.base import Part, as_hex, flags_of, name_of
from fastcodec.fields import Plan
from fastcodec.mip4 import BootstrapType, ExtensionType, InformFlag, ReplyCode
from fastcodec.mip4_codes import KeyAlgorithm, ReplayMethod
from fastcodec.overlay import Overlay
from fastcodec.wire import Shape

__all__ = ["AaahIdentity", "BootstrapAddress", "Challenge", "CriticalVendorExtension", "Extension", "FaError",
           "FaFaAuthentication", "FaHaAuthentication", "GeneralizedAuthentication", "HomeAgentIdentity", "MnFaAuthentication",
           "MnFaNonceReply", "MnFaNonceRequest", "MnGfaAuthentication", "MnHaAuthentication", "MnParAuthentication", "Nai",
           "NonceReply", "NonceRequest", "Padding", "RedirectedHomeAgent", "RequestedHomeAgent", "RevocationSupport",
           "ShortRedirectedHomeAgent", "ShortRequestedHomeAgent", "UnknownExtension", "VendorExtension"]

Spi = Annotated[int, as_hex]
SHAPES = {number: Shape.TLV if row.shape == Shape.UNKNOWN_SKIP else row.shape for number, row in mip4.EXTENSIONS.items()}
overlays = Overlay({**mip4.LAYOUTS, **mip4_parts.LAYOUTS}, SHAPES)


class Extension(Part, frozen=True, gc=False):
    """Anything that follows the fixed part of a Mobile IPv4 message, RFC 5944 1.8."""


class Padding(Extension, frozen=True, gc=False):
    """A run of one-octet padding extensions, RFC 5944 1.8; `count` octets of 0."""

    count: int


class UnknownExtension(Extension, frozen=True, gc=False):
    """Any other extension, whole, so that it passes through unchanged."""

    octets: bytes

    @property
    def type(self) -> int:
        """Its first octet."""
        return self.octets[0]


# ---- authentication: an empty authenticator is computed by `encode` --------------------------------------------------

@overlays("Authentication", type=ExtensionType.EXT_MN_HA)
class MnHaAuthentication(Extension, frozen=True, gc=False):
    """Mobile-home authentication, RFC 5944 3.5.2. An empty authenticator is computed by `encode`."""

    plan: ClassVar[Plan]
    spi: Spi
    authenticator: bytes = b""


@overlays("Authentication", type=ExtensionType.EXT_MN_FA)
class MnFaAuthentication(Extension, frozen=True, gc=False):
    """Mobile-foreign authentication, RFC 5944 3.5.3."""

    plan: ClassVar[Plan]
    spi: Spi
    authenticator: bytes = b""


@overlays("Authentication", type=ExtensionType.EXT_FA_HA)
class FaHaAuthentication(Extension, frozen=True, gc=False):
    """Foreign-home authentication, RFC 5944 3.5.4."""

    plan: ClassVar[Plan]
    spi: Spi
    authenticator: bytes = b""


@overlays("GeneralizedAuthentication", type=ExtensionType.EXT_GENERALIZED, subtype=mip4.SUBTYPE_MN_AAA)
class GeneralizedAuthentication(Extension, frozen=True, gc=False):
    """MN-AAA authentication, RFC 4721 5. An empty authenticator is computed by `encode`; SPI 2 is CHAP."""

    plan: ClassVar[Plan]
    spi: Spi
    authenticator: bytes = b""


@overlays("GeneralizedAuthentication", type=ExtensionType.EXT_GENERALIZED, subtype=2)
class FaFaAuthentication(Extension, frozen=True, gc=False):
    """FA-FA authentication, RFC 4857 11."""

    plan: ClassVar[Plan]
    spi: Spi
    authenticator: bytes = b""


@overlays("GeneralizedAuthentication", type=ExtensionType.EXT_GENERALIZED, subtype=3)
class MnGfaAuthentication(Extension, frozen=True, gc=False):
    """MN-GFA authentication, RFC 4857 11."""

    plan: ClassVar[Plan]
    spi: Spi
    authenticator: bytes = b""


@overlays("GeneralizedAuthentication", type=ExtensionType.EXT_GENERALIZED, subtype=4)
class MnParAuthentication(Extension, frozen=True, gc=False):
    """Mobile node to previous access router, RFC 4988 8."""

    plan: ClassVar[Plan]
    spi: Spi
    authenticator: bytes = b""


# ---- keys ------------------------------------------------------------------------------------------------------------

@overlays("NonceRequest", type=ExtensionType.EXT_MN_FA_NONCE_REQUEST, subtype=mip4.SUBTYPE_NONCE)
class MnFaNonceRequest(Extension, frozen=True, gc=False):
    """The mobile node asks for a key with its foreign agent, RFC 3957 6.1."""

    plan: ClassVar[Plan]
    mn_spi: Spi


@overlays("LongHeader", "MnFaNonce", type=ExtensionType.EXT_MN_FA_NONCE_REPLY, subtype=mip4.SUBTYPE_NONCE)
class MnFaNonceReply(Extension, frozen=True, gc=False):
    """What the mobile node needs to derive that key, RFC 3957 6.2; `lifetime` in seconds."""

    plan: ClassVar[Plan]
    lifetime: int
    aaa_spi: Spi
    fa_spi: Spi
    algorithm: Annotated[int, name_of(KeyAlgorithm)]
    nonce: bytes


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
    algorithm: Annotated[int, name_of(KeyAlgorithm)]
    replay_method: Annotated[int, name_of(ReplayMethod)]
    nonce: bytes


# ---- vendors ---------------------------------------------------------------------------------------------------------

@overlays("LongHeader", "VendorType", type=ExtensionType.EXT_CVSE)
class CriticalVendorExtension(Extension, frozen=True, gc=False):
    """Critical vendor extension: who does not know it refuses the message, RFC 3115 2.1."""

    plan: ClassVar[Plan]
    vendor: int
    vendor_type: int
    value: bytes = b""


@overlays("NormalVendorExtension", type=ExtensionType.EXT_NVSE)
class VendorExtension(Extension, frozen=True, gc=False):
    """Normal vendor extension: who does not know it skips it, RFC 3115 2.2."""

    plan: ClassVar[Plan]
    vendor: int
    vendor_type: int
    value: bytes = b""
    reserved: int = 0


@overlays("NormalVendorExtension", "BootstrapAddress", type=ExtensionType.EXT_NVSE, leave_out=frozenset({"reserved"}))
class BootstrapAddress(Extension, frozen=True, gc=False):
    """One of our vendor extensions, `vendor_type` a `BootstrapType`: an IPv6 address and its prefix length; RFC 3115 2.2."""

    plan: ClassVar[Plan]
    vendor: int
    vendor_type: Annotated[int, name_of(BootstrapType)]
    prefix_length: int
    address: IPv6Address


# ---- who is who ------------------------------------------------------------------------------------------------------

@overlays("TlvHeader", type=ExtensionType.EXT_NAI)
class Nai(Extension, frozen=True, gc=False):
    """Network access identifier, RFC 2794 2. Octets that are no UTF-8 survive as surrogates."""

    plan: ClassVar[Plan]
    nai: str


@overlays("ShortHeader", type=ExtensionType.EXT_NAI_CARRYING, subtype=1)
class HomeAgentIdentity(Extension, frozen=True, gc=False):
    """NAI of the home agent, RFC 3846 4."""

    plan: ClassVar[Plan]
    nai: str


@overlays("ShortHeader", type=ExtensionType.EXT_NAI_CARRYING, subtype=2)
class AaahIdentity(Extension, frozen=True, gc=False):
    """NAI of the home AAA server, RFC 3846 5."""

    plan: ClassVar[Plan]
    nai: str


@overlays("LongHeader", "HomeAgentAddress", type=ExtensionType.EXT_DYNAMIC_HA, subtype=1, shape=Shape.LONG)
class RequestedHomeAgent(Extension, frozen=True, gc=False):
    """The home agent that the mobile node would like, RFC 4433 3.4."""

    plan: ClassVar[Plan]
    home_agent: IPv4Address


@overlays("LongHeader", "HomeAgentAddress", type=ExtensionType.EXT_DYNAMIC_HA, subtype=2, shape=Shape.LONG)
class RedirectedHomeAgent(Extension, frozen=True, gc=False):
    """The home agent that the mobile node should ask instead, RFC 4433 3.4."""

    plan: ClassVar[Plan]
    home_agent: IPv4Address


@overlays("ShortHeader", "HomeAgentAddress", type=ExtensionType.EXT_DYNAMIC_HA, subtype=1, shape=Shape.SHORT)
class ShortRequestedHomeAgent(RequestedHomeAgent, frozen=True, gc=False):
    """The same in the short shape, which RFC 5944 1.10 would have for a skippable type."""


@overlays("ShortHeader", "HomeAgentAddress", type=ExtensionType.EXT_DYNAMIC_HA, subtype=2, shape=Shape.SHORT)
class ShortRedirectedHomeAgent(RedirectedHomeAgent, frozen=True, gc=False):
    """The same in the short shape."""


# ---- challenges, errors, revocation ----------------------------------------------------------------------------------

@overlays("TlvHeader", type=ExtensionType.EXT_CHALLENGE)
class Challenge(Extension, frozen=True, gc=False):
    """Challenge of a foreign agent, RFC 4721 4."""

    plan: ClassVar[Plan]
    challenge: bytes


@overlays("ShortHeader", "FaError", type=ExtensionType.EXT_FA_ERROR)
class FaError(Extension, frozen=True, gc=False):
    """The foreign agent refuses what the home agent accepted; `status` is a `ReplyCode` of 64 to 127, RFC 4636 3."""

    plan: ClassVar[Plan]
    status: Annotated[int, name_of(ReplyCode)]


@overlays("RevocationSupport", type=ExtensionType.EXT_REVOCATION_SUPPORT)
class RevocationSupport(Extension, frozen=True, gc=False):
    """The sender understands revocation; `timestamp` is of its clock, seconds, RFC 3543 3.2."""

    plan: ClassVar[Plan]
    flags: Annotated[int, flags_of(InformFlag)]
    timestamp: int
