"""Extensions of Mobile IPv4 for tunnels, networks, proxies and experiments. Others in `mip4_extensions` and `mip4_routing`."""
from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address
from typing import Annotated, ClassVar

from fastcodec.base import as_hex, flags_of, name_of
from fastcodec.fields import Plan
from fastcodec.mip4 import ExtensionType, TunnelReplyFlag, TunnelRequestFlag
from fastcodec.mip4_codes import (
    DeviceIdKind,
    MobileNetworkCode,
    PrefixReplyCode,
    ProxyAccess,
    ProxyAuthentication,
    SubscriberIdKind,
    TunnelReplyCode,
)
from fastcodec.mip4_extensions import Extension, overlays

__all__ = ["CriticalExperiment", "DeliveryStyle", "Experiment", "GreKey", "Ipv6PrefixReply", "Ipv6PrefixRequest",
           "Ipv6TunnelingMode", "MessageString", "MobileNetworkAcknowledgment", "MobileNetworkRequest", "ProxyAccessTechnology",
           "ProxyAuthenticationMethod", "ProxyDeviceId", "ProxyInterfaceId", "ProxySubscriberId", "ServiceSelection",
           "TrustedNetworks", "UdpTunnelReply", "UdpTunnelRequest"]


# ---- tunnels ---------------------------------------------------------------------------------------------------------

@overlays("ShortHeader", "UdpTunnelRequest", type=ExtensionType.EXT_UDP_TUNNEL_REQUEST)
class UdpTunnelRequest(Extension, frozen=True, gc=False):
    """RFC 3519 3.1. `encapsulation` 0: as the flags M and G say, 4 IPv4, 47 GRE, 55 minimal."""

    plan: ClassVar[Plan]
    flags: Annotated[int, flags_of(TunnelRequestFlag)]
    encapsulation: int
    reserved1: int = 0
    reserved3: int = 0


@overlays("ShortHeader", "UdpTunnelReply", type=ExtensionType.EXT_UDP_TUNNEL_REPLY)
class UdpTunnelReply(Extension, frozen=True, gc=False):
    """RFC 3519 3.2. `code` is a `TunnelReplyCode`, 0-63 assent, 64-255 decline; `keepalive` in seconds, 0: 110."""

    plan: ClassVar[Plan]
    code: Annotated[int, name_of(TunnelReplyCode)]
    flags: Annotated[int, flags_of(TunnelReplyFlag)]
    keepalive: int


@overlays("LongHeader", "GreKey", type=ExtensionType.EXT_GRE_KEY)
class GreKey(Extension, frozen=True, gc=False):
    """The GRE key that the sender wants to receive; 0: the home agent assigns both, RFC 6245 5."""

    plan: ClassVar[Plan]
    key: Annotated[int, as_hex]


@overlays("TlvHeader", type=ExtensionType.EXT_DELIVERY_STYLE)
class DeliveryStyle(Extension, frozen=True, gc=False):
    """Encapsulating delivery to the foreign agent, RFC 3024 3.3."""

    plan: ClassVar[Plan]


# ---- IPv6 over IPv4 mobility, RFC 5454 -------------------------------------------------------------------------------

@overlays("ShortHeader", "PrefixRequest", type=ExtensionType.EXT_DUAL_STACK, subtype=1)
class Ipv6PrefixRequest(Extension, frozen=True, gc=False):
    """RFC 5454 2.1. `prefix_length` 255: `prefix` is a link-local address."""

    plan: ClassVar[Plan]
    prefix_length: int
    prefix: IPv6Address


@overlays("ShortHeader", "PrefixReply", type=ExtensionType.EXT_DUAL_STACK, subtype=2)
class Ipv6PrefixReply(Extension, frozen=True, gc=False):
    """RFC 5454 2.2. `code` is a `PrefixReplyCode`, 0-7 accepted, 8-255 rejected."""

    plan: ClassVar[Plan]
    code: Annotated[int, name_of(PrefixReplyCode)]
    prefix_length: int
    prefix: IPv6Address
    reserved: int = 0


@overlays("ShortHeader", "OneReserved", type=ExtensionType.EXT_DUAL_STACK, subtype=3)
class Ipv6TunnelingMode(Extension, frozen=True, gc=False):
    """The mobile node wants IPv6 tunnelled to its care-of address, RFC 5454 2.3."""

    plan: ClassVar[Plan]
    reserved: int = 0


# ---- networks and services -------------------------------------------------------------------------------------------

@overlays("ShortHeader", "MobileNetwork", type=ExtensionType.EXT_MOBILE_NETWORK, subtype=0)
class MobileNetworkRequest(Extension, frozen=True, gc=False):
    """A network behind the mobile router, RFC 5177 4.1."""

    plan: ClassVar[Plan]
    prefix_length: int
    prefix: IPv4Address


@overlays("ShortHeader", "MobileNetworkReply", type=ExtensionType.EXT_MOBILE_NETWORK)
class MobileNetworkAcknowledgment(Extension, frozen=True, gc=False):
    """`subtype` 1: a network that was asked for, 2: one that the home agent knows of; `code` a `MobileNetworkCode`. RFC 5177 4.2."""

    plan: ClassVar[Plan]
    subtype: int
    code: Annotated[int, name_of(MobileNetworkCode)]
    prefix_length: int
    prefix: IPv4Address
    reserved: int = 0


@overlays("ShortHeader", "OneReserved", type=ExtensionType.EXT_TRUSTED_NETWORKS)
class TrustedNetworks(Extension, frozen=True, gc=False):
    """Trusted networks are configured at the home agent, RFC 5265 3.4."""

    plan: ClassVar[Plan]
    reserved: int = 0


@overlays("TlvHeader", type=ExtensionType.EXT_SERVICE_SELECTION)
class ServiceSelection(Extension, frozen=True, gc=False):
    """The service that the mobile node wants, 1 to 255 octets, RFC 5446 3."""

    plan: ClassVar[Plan]
    service: str


@overlays("ShortHeader", type=ExtensionType.EXT_MESSAGE_STRING)
class MessageString(Extension, frozen=True, gc=False):
    """A text for the user; `subtype` 1 from the home agent, 2 from the foreign agent, RFC 4917 3."""

    plan: ClassVar[Plan]
    subtype: int
    text: str


# ---- proxies, RFC 5563 -----------------------------------------------------------------------------------------------

@overlays("LongHeader", "AuthenticationMethod", type=ExtensionType.EXT_PROXY_MIP_MUST, subtype=1)
class ProxyAuthenticationMethod(Extension, frozen=True, gc=False):
    """`method` is a `ProxyAuthentication`, RFC 5563 5.1."""

    plan: ClassVar[Plan]
    method: Annotated[int, name_of(ProxyAuthentication)]


@overlays("ShortHeader", type=ExtensionType.EXT_PROXY_MIP, subtype=1)
class ProxyInterfaceId(Extension, frozen=True, gc=False):
    """RFC 5563 5.2."""

    plan: ClassVar[Plan]
    identifier: bytes


@overlays("ShortHeader", "IdentifierKind", type=ExtensionType.EXT_PROXY_MIP, subtype=2)
class ProxyDeviceId(Extension, frozen=True, gc=False):
    """`kind` is a `DeviceIdKind`, RFC 5563 5.3."""

    plan: ClassVar[Plan]
    kind: Annotated[int, name_of(DeviceIdKind)]
    identifier: bytes


@overlays("ShortHeader", "IdentifierKind", type=ExtensionType.EXT_PROXY_MIP, subtype=3)
class ProxySubscriberId(Extension, frozen=True, gc=False):
    """`kind` is a `SubscriberIdKind`, RFC 5563 5.4."""

    plan: ClassVar[Plan]
    kind: Annotated[int, name_of(SubscriberIdKind)]
    identifier: bytes


@overlays("ShortHeader", "AccessTechnology", type=ExtensionType.EXT_PROXY_MIP, subtype=4)
class ProxyAccessTechnology(Extension, frozen=True, gc=False):
    """`technology` is a `ProxyAccess`, RFC 5563 5.5."""

    plan: ClassVar[Plan]
    technology: Annotated[int, name_of(ProxyAccess)]


# ---- experiments: what they hold is theirs ----------------------------------------------------------------------------

@overlays("LongHeader", type=ExtensionType.EXT_EXPERIMENTAL_MUST)
class CriticalExperiment(Extension, frozen=True, gc=False):
    """Experiments that may not be skipped; the RFC leaves the value to them, RFC 4064 4.1."""

    plan: ClassVar[Plan]
    subtype: int
    value: bytes


@overlays("ShortHeader", type=ExtensionType.EXT_EXPERIMENTAL)
class Experiment(Extension, frozen=True, gc=False):
    """Experiments that may be skipped; the RFC leaves the value to them, RFC 4064 4.3."""

    plan: ClassVar[Plan]
    subtype: int
    value: bytes
