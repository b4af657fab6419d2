"""Extensions of Mobile IPv4 for regional registration, handoffs, route optimization, several paths, and firewalls.

Subtypes that no class is known for pass through as `UnknownExtension`.
"""
from __future__ import annotations

from ipaddress import IPv4Address
from typing import Annotated, ClassVar, Self

from fastcodec.base import as_hex, flags_of, name_of
from fastcodec.errors import EncodeError
from fastcodec.fields import Plan
from fastcodec.mip4 import ExtensionType
from fastcodec.mip4_codes import CapabilityFlag, FlowAction, MultipathFlag, OptimizationCode, OptimizationFlag, RegionalReplayStyle
from fastcodec.mip4_extensions import Extension, overlays
from fastcodec.route_prefixes import RoutePrefix, route_prefixes

__all__ = ["AccessPoint", "CareOfAddresses", "EthernetLinkLayerAddress", "Eui64LinkLayerAddress", "FlowBinding",
           "ForeignAgentAddress", "GfaAddress", "HierarchicalForeignAgent", "ImsiConnection", "ImsiLinkLayerAddress",
           "MobileCorrespondentAuthentication", "MultipathBinding", "RegionalLifetime", "ReplayStyle", "RouteOptimizationCapability",
           "RouteOptimizationPrefixes", "RouteOptimizationReply", "SkipTraversal", "SolicitedAddress"]

CODE = 0x1f                      # the bits of a Route Optimization Reply that are its code
show_flags, show_code = flags_of(OptimizationFlag), name_of(OptimizationCode)


def flags_and_code(value: int) -> str:
    """`O|N+OPTIMIZATION_WILL_DO`."""
    return f"{show_flags(value & ~CODE)}+{show_code(value & CODE)}"


# ---- regional registration, RFC 4857 ---------------------------------------------------------------------------------

@overlays("TlvHeader", "RegionalAddress", type=ExtensionType.EXT_GFA_ADDRESS)
class GfaAddress(Extension, frozen=True, gc=False):
    """The gateway foreign agent that was assigned, RFC 4857 9.1."""

    plan: ClassVar[Plan]
    address: IPv4Address
    reserved: int = 0


@overlays("TlvHeader", "RegionalAddress", type=ExtensionType.EXT_HIERARCHICAL_FA)
class HierarchicalForeignAgent(Extension, frozen=True, gc=False):
    """The foreign agent that relays the request, RFC 4857 9.2."""

    plan: ClassVar[Plan]
    address: IPv4Address
    reserved: int = 0


@overlays("TlvHeader", "RegionalReplay", type=ExtensionType.EXT_REPLAY_STYLE)
class ReplayStyle(Extension, frozen=True, gc=False):
    """Replay protection of regional registrations, RFC 4857 9.3. `identification` is a timestamp or a nonce to start with.

    The RFC draws ten octets, and says "Length 2" below: this is the drawing.
    """

    plan: ClassVar[Plan]
    style: Annotated[int, name_of(RegionalReplayStyle)]
    identification: Annotated[int, "{:#018x}".format]


@overlays("TlvHeader", "RegionalLifetime", type=ExtensionType.EXT_REGIONAL_LIFETIME)
class RegionalLifetime(Extension, frozen=True, gc=False):
    """Of the registration with the gateway foreign agent, seconds; 0 deregistered, 0xffff infinite, RFC 4857 9.4."""

    plan: ClassVar[Plan]
    lifetime: int
    reserved: int = 0


# ---- low-latency handoffs, RFC 4881 ----------------------------------------------------------------------------------

@overlays("ShortHeader", type=ExtensionType.EXT_LINK_LAYER_ADDRESS, subtype=1)
class ImsiConnection(Extension, frozen=True, gc=False):
    """3GPP2 subscriber identity and connection, `IMSI:connection`, RFC 4881 9.1."""

    plan: ClassVar[Plan]
    identity: str


@overlays("ShortHeader", type=ExtensionType.EXT_LINK_LAYER_ADDRESS, subtype=2)
class ImsiLinkLayerAddress(Extension, frozen=True, gc=False):
    """3GPP subscriber identity, coded as 3GPP TS 23.003 says, RFC 4881 9.2."""

    plan: ClassVar[Plan]
    imsi: bytes


@overlays("ShortHeader", "EthernetAddress", type=ExtensionType.EXT_LINK_LAYER_ADDRESS, subtype=3)
class EthernetLinkLayerAddress(Extension, frozen=True, gc=False):
    """Six octets, RFC 4881 9.3."""

    plan: ClassVar[Plan]
    address: bytes


@overlays("ShortHeader", "Eui64", type=ExtensionType.EXT_LINK_LAYER_ADDRESS, subtype=4)
class Eui64LinkLayerAddress(Extension, frozen=True, gc=False):
    """Eight octets, RFC 4881 9.4."""

    plan: ClassVar[Plan]
    address: bytes


@overlays("ShortHeader", "AgentAddress", type=ExtensionType.EXT_LINK_LAYER_ADDRESS, subtype=5)
class SolicitedAddress(Extension, frozen=True, gc=False):
    """The foreign agent that is solicited, RFC 4881 9.5."""

    plan: ClassVar[Plan]
    address: IPv4Address


@overlays("ShortHeader", "AccessPoint", type=ExtensionType.EXT_LINK_LAYER_ADDRESS, subtype=6)
class AccessPoint(Extension, frozen=True, gc=False):
    """The access point that the mobile node moves to, RFC 4881 9.6."""

    plan: ClassVar[Plan]
    identifier: Annotated[int, as_hex]


@overlays("ShortHeader", "AgentAddress", type=ExtensionType.EXT_LINK_LAYER_ADDRESS, subtype=7)
class ForeignAgentAddress(Extension, frozen=True, gc=False):
    """The foreign agent that the mobile node comes from, RFC 4881 9.7."""

    plan: ClassVar[Plan]
    address: IPv4Address


# ---- route optimization by the home agent, RFC 6521 ------------------------------------------------------------------

@overlays("ShortHeader", "Capability", type=ExtensionType.EXT_ROUTE_OPTIMIZATION_INDICATION, subtype=1)
class RouteOptimizationCapability(Extension, frozen=True, gc=False):
    """What a mobile router can do, and whose networks it asks for (flag S), RFC 6521 5.1."""

    plan: ClassVar[Plan]
    flags: Annotated[int, flags_of(CapabilityFlag)]
    mobile_routers: tuple[IPv4Address, ...] = ()


@overlays("ShortHeader", "OptimizationReply", type=ExtensionType.EXT_ROUTE_OPTIMIZATION, subtype=1)
class RouteOptimizationReply(Extension, frozen=True, gc=False):
    """Whether the home agent does it, RFC 6521 5.2. One octet: `OptimizationFlag`s and an `OptimizationCode`."""

    plan: ClassVar[Plan]
    flags_and_code: Annotated[int, flags_and_code]

    @property
    def flags(self) -> int:
        """A sum of `OptimizationFlag`s."""
        return self.flags_and_code & ~CODE

    @property
    def code(self) -> int:
        """An `OptimizationCode`; 0-15 assent."""
        return self.flags_and_code & CODE


@overlays("ShortHeader", "NonceIndexes", type=ExtensionType.EXT_ROUTE_OPTIMIZATION, subtype=2)
class MobileCorrespondentAuthentication(Extension, frozen=True, gc=False):
    """Between a mobile router and its correspondent, RFC 6521 5.3. `proof` is the RFC's Authenticator, made by a key that
    return routability gives: it is neither computed nor verified here."""

    plan: ClassVar[Plan]
    home_nonce_index: int
    care_of_nonce_index: int
    proof: bytes
    reserved: int = 0


@overlays("ShortHeader", "OneReserved", type=ExtensionType.EXT_ROUTE_OPTIMIZATION, subtype=3)
class CareOfAddresses(Extension, frozen=True, gc=False):
    """Where a tunnel to the correspondent may end, best first, RFC 6521 5.4."""

    plan: ClassVar[Plan]
    addresses: tuple[IPv4Address, ...]
    reserved: int = 0


@overlays("LongHeader", type=ExtensionType.EXT_ROUTE_OPTIMIZATION_DATA, subtype=1)
class RouteOptimizationPrefixes(Extension, frozen=True, gc=False):
    """Networks of other mobile routers, compressed, RFC 6521 5.5; `prefixes` reads them."""

    plan: ClassVar[Plan]
    value: bytes

    def prefixes(self) -> list[RoutePrefix]:
        """What the octets say; DecodeError."""
        return route_prefixes(self.value)


# ---- several paths, RFC 7629 -----------------------------------------------------------------------------------------

@overlays("LongHeader", "Multipath", type=ExtensionType.EXT_FLOW_BINDING, subtype=1)
class MultipathBinding(Extension, frozen=True, gc=False):
    """One care-of address of several, RFC 7629 4.1. `access_technology` is of the interface, by RFC 5213's registry."""

    plan: ClassVar[Plan]
    access_technology: int
    label: int
    binding: int
    flags: Annotated[int, flags_of(MultipathFlag)]


@overlays("LongHeader", "FlowBinding", type=ExtensionType.EXT_FLOW_BINDING, subtype=2)
class FlowBinding(Extension, frozen=True, gc=False):
    """Packets that take one of several paths, RFC 7629 4.2. `rest` holds `count` bindings, a `SelectorFormat`, the traffic
    selector of RFC 6088; `of` puts them together."""

    plan: ClassVar[Plan]
    action: Annotated[int, name_of(FlowAction)]
    count: int
    rest: bytes

    @classmethod
    def of(cls, action: int, bindings: tuple[int, ...], selector_format: int, selector: bytes = b"") -> Self:
        """One of its parts; EncodeError names the one that does not fit its octets."""
        if not all(0 <= number <= 255 for number in bindings):
            raise EncodeError("FlowBinding.bindings", f"{bindings!r} are not of one octet each")
        if not 0 <= selector_format <= 255:
            raise EncodeError("FlowBinding.selector_format", f"{selector_format!r} does not fit 1 octet")
        return cls(action, len(bindings), bytes((*bindings, selector_format)) + selector)

    @property
    def bindings(self) -> tuple[int, ...]:
        """Binding identifiers, in order of preference."""
        return tuple(self.rest[:self.count])

    @property
    def selector_format(self) -> int | None:
        """A `SelectorFormat`; None where the octets end before it."""
        return self.rest[self.count] if self.count < len(self.rest) else None

    @property
    def selector(self) -> bytes:
        """The traffic selector, in that format."""
        return self.rest[self.count + 1:]


# ---- firewalls -------------------------------------------------------------------------------------------------------

@overlays("TlvHeader", "TraversalAddresses", type=ExtensionType.EXT_SKIP_TRAVERSAL)
class SkipTraversal(Extension, frozen=True, gc=False):
    """A firewall between mobile node and home agent, as packets either way meet it, RFC 2356 7.3; 0.0.0.0 where not said."""

    plan: ClassVar[Plan]
    towards_home_agent: IPv4Address
    towards_mobile_node: IPv4Address
    reserved: int = 0
