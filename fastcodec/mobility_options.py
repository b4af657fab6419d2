"""Mobility options as a person handles them. Alignment and padding are the writer's business."""
from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address
from typing import Annotated, ClassVar

from fastcodec import mip6
from fastcodec.base import Part, as_hex, flags_of, name_of
from fastcodec.fields import Plan
from fastcodec.mip6 import IPv4AddressStatus, NatFlag, OptionType
from fastcodec.overlay import FRAMING, Overlay
from fastcodec.sections import cite

__all__ = ["AlternateCareOfAddressOption", "AuthenticationOption", "AuthorizationDataOption", "HomeNetworkPrefixOption",
           "IPv4AcknowledgementOption", "IPv4CareOfAddressOption", "IPv4HomeAddressOption", "MobileNetworkPrefixOption",
           "MobileNodeIdentifierOption", "MobilityOption", "MobilityPadding", "MobilityVendorOption", "NatDetectionOption",
           "NonceIndicesOption", "RefreshAdviceOption", "ReplayProtectionOption", "ServiceSelectionOption", "TimestampOption",
           "UnknownOption"]

PREFIX_SHIFT, WANTS_NETWORK = 10, 0x200      # of the prefix length in 16 bits, and flag P, RFC 5555 3.1.1
overlays = Overlay(mip6.LAYOUTS, {}, FRAMING | {"payload_proto", "header_length"}, frozenset({"checksum"}))


class MobilityOption(Part, frozen=True, gc=False):
    """Anything that follows the fixed part of a Mobility Header, RFC 6275 6.2."""


@overlays("RefreshAdvice", type=OptionType.OPTION_REFRESH_ADVICE)
class RefreshAdviceOption(MobilityOption, frozen=True, gc=False):
    """When to register again, RFC 6275 6.2.4; `interval` in units of 4 seconds."""

    plan: ClassVar[Plan]
    interval: int


@overlays("AlternateCareOfAddress", type=OptionType.OPTION_ALTERNATE_CARE_OF_ADDRESS)
class AlternateCareOfAddressOption(MobilityOption, frozen=True, gc=False):
    """The care-of address to register instead of the packet's source, RFC 6275 6.2.5."""

    plan: ClassVar[Plan]
    address: IPv6Address


@overlays("NonceIndices", type=OptionType.OPTION_NONCE_INDICES)
class NonceIndicesOption(MobilityOption, frozen=True, gc=False):
    """Which nonces a correspondent node made its keygen tokens of, RFC 6275 6.2.6."""

    plan: ClassVar[Plan]
    home_nonce_index: int
    care_of_nonce_index: int


@overlays("MobilityOption", type=OptionType.OPTION_AUTHORIZATION_DATA)
class AuthorizationDataOption(MobilityOption, frozen=True, gc=False):
    """Binding authorization data of return routability, RFC 6275 6.2.7; last."""

    plan: ClassVar[Plan]
    data: bytes


@overlays("NetworkPrefix", type=OptionType.OPTION_MOBILE_NETWORK_PREFIX)
class MobileNetworkPrefixOption(MobilityOption, frozen=True, gc=False):
    """A prefix behind a mobile router, RFC 3963 4.3."""

    plan: ClassVar[Plan]
    prefix_length: int
    prefix: IPv6Address
    reserved: int = 0


@overlays("NetworkPrefix", type=OptionType.OPTION_HOME_NETWORK_PREFIX)
class HomeNetworkPrefixOption(MobilityOption, frozen=True, gc=False):
    """The home network prefix of a node, RFC 5213 8.3."""

    plan: ClassVar[Plan]
    prefix_length: int
    prefix: IPv6Address
    reserved: int = 0


@overlays("MobileNodeIdentifier", type=OptionType.OPTION_MOBILE_NODE_IDENTIFIER)
class MobileNodeIdentifierOption(MobilityOption, frozen=True, gc=False):
    """Who the mobile node is, RFC 4283 3; `subtype` 1: a network access identifier."""

    plan: ClassVar[Plan]
    subtype: int
    identifier: str


@overlays("MobilityAuthentication", type=OptionType.OPTION_AUTHENTICATION)
class AuthenticationOption(MobilityOption, frozen=True, gc=False):
    """Mobility message authentication, RFC 4285 5; `subtype` 1: MN-HA, 2: MN-AAA. `encode` computes an empty authenticator."""

    plan: ClassVar[Plan]
    subtype: int
    spi: Annotated[int, as_hex]
    authenticator: bytes = b""


@overlays("MobilityTimestamp", type=OptionType.OPTION_REPLAY_PROTECTION)
class ReplayProtectionOption(MobilityOption, frozen=True, gc=False):
    """MESG-ID, RFC 4285 6; `timestamp` in NTP's format."""

    plan: ClassVar[Plan]
    timestamp: Annotated[int, "{:#018x}".format]


@overlays("MobilityVendor", type=OptionType.OPTION_VENDOR)
class MobilityVendorOption(MobilityOption, frozen=True, gc=False):
    """Vendor specific, RFC 5094 3."""

    plan: ClassVar[Plan]
    vendor: int
    subtype: int
    data: bytes = b""


@overlays("MobilityOption", type=OptionType.OPTION_SERVICE_SELECTION)
class ServiceSelectionOption(MobilityOption, frozen=True, gc=False):
    """Which service the node asks for, RFC 5149 3; 1 to 255 octets of UTF-8."""

    plan: ClassVar[Plan]
    identifier: str


@overlays("MobilityTimestamp", type=OptionType.OPTION_TIMESTAMP)
class TimestampOption(MobilityOption, frozen=True, gc=False):
    """Of Proxy Mobile IPv6, RFC 5213 8.8: 1/65536 seconds since 1970, not NTP's format."""

    plan: ClassVar[Plan]
    timestamp: int


@overlays("IPv4HomeAddress", type=OptionType.OPTION_IPV4_HOME_ADDRESS)
class IPv4HomeAddressOption(MobilityOption, frozen=True, gc=False):
    """The IPv4 home address registered, 0.0.0.0 to be assigned, RFC 5555 3.1.1. The upper 6 bits of `prefix_and_flags`
    are the prefix length, 0x200 asks for a mobile network prefix."""

    plan: ClassVar[Plan]
    prefix_and_flags: Annotated[int, as_hex]
    address: IPv4Address

    @property
    def prefix_length(self) -> int:
        """Of the home address asked for, in bits."""
        return self.prefix_and_flags >> PREFIX_SHIFT

    @property
    def wants_network(self) -> bool:
        """Flag P: a mobile network prefix is asked for."""
        return bool(self.prefix_and_flags & WANTS_NETWORK)


@overlays("IPv4Acknowledgement", type=OptionType.OPTION_IPV4_ACKNOWLEDGEMENT)
class IPv4AcknowledgementOption(MobilityOption, frozen=True, gc=False):
    """The IPv4 home address granted, RFC 5555 3.2.1. `status` is an `IPv4AddressStatus`; the upper 6 bits of
    `prefix_and_reserved` are the prefix length."""

    plan: ClassVar[Plan]
    status: Annotated[int, name_of(IPv4AddressStatus)]
    prefix_and_reserved: Annotated[int, as_hex]
    address: IPv4Address

    @property
    def prefix_length(self) -> int:
        """Of the home address given, in bits."""
        return self.prefix_and_reserved >> 2


@overlays("NatDetection", type=OptionType.OPTION_NAT_DETECTION)
class NatDetectionOption(MobilityOption, frozen=True, gc=False):
    """A NAT is in the way, RFC 5555 3.2.2; `flags` a `NatFlag` or 0, `refresh_time` in seconds, all ones: no keepalives."""

    plan: ClassVar[Plan]
    flags: Annotated[int, flags_of(NatFlag)]
    refresh_time: int


@overlays("IPv4CareOfAddress", type=OptionType.OPTION_IPV4_CARE_OF_ADDRESS)
class IPv4CareOfAddressOption(MobilityOption, frozen=True, gc=False):
    """The IPv4 care-of address, RFC 5555 3.1.2."""

    plan: ClassVar[Plan]
    address: IPv4Address
    reserved: int = 0


class MobilityPadding(MobilityOption, frozen=True, gc=False):
    """Padding other than the one that `encode` makes by itself, whole; empty: none where alignment asks for some."""

    octets: bytes


class UnknownOption(MobilityOption, frozen=True, gc=False):
    """Any other option, whole, so that it passes through unchanged."""

    octets: bytes

    @property
    def type(self) -> int:
        """Its first octet."""
        return self.octets[0]


OPTIONS: list[type[MobilityOption]] = [
    RefreshAdviceOption, AlternateCareOfAddressOption, NonceIndicesOption, AuthorizationDataOption, MobileNetworkPrefixOption,
    HomeNetworkPrefixOption, MobileNodeIdentifierOption, AuthenticationOption, ReplayProtectionOption, MobilityVendorOption,
    ServiceSelectionOption, TimestampOption, IPv4HomeAddressOption, IPv4AcknowledgementOption, NatDetectionOption,
    IPv4CareOfAddressOption]
cite(OPTIONS, "option")
cite([MobilityOption, MobilityPadding, UnknownOption])
