"""IP and tunnel headers as a person handles them, and what `unwrap` makes of a packet in a tunnel."""
from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address
from typing import Annotated, ClassVar, NamedTuple

from fastcodec import headers, tunnel
from fastcodec.base import Part, as_hex
from fastcodec.fields import Plan
from fastcodec.headers import Protocol
from fastcodec.overlay import Overlay
from fastcodec.tunnel import TunnelKind

__all__ = ["GreHeader", "IPv4Header", "IPv6Header", "MinimalHeader", "UdpHeader", "Unwrapped"]

# A `type` or `length` of these headers is the user's to see.
overlays = Overlay(headers.LAYOUTS, {}, frozenset())


@overlays("IPv4Header")
class IPv4Header(Part, frozen=True, gc=False):
    """RFC 791 3.1."""

    plan: ClassVar[Plan]
    version_length: Annotated[int, as_hex]
    tos: int
    total_length: int
    identification: int
    fragment: Annotated[int, as_hex]
    ttl: int
    protocol: int
    checksum: Annotated[int, as_hex]
    source: IPv4Address
    destination: IPv4Address
    options: bytes = b""


@overlays("IPv6Header")
class IPv6Header(Part, frozen=True, gc=False):
    """RFC 8200 3."""

    plan: ClassVar[Plan]
    version_class_flow: Annotated[int, as_hex]
    payload_length: int
    next_header: int
    hop_limit: int
    source: IPv6Address
    destination: IPv6Address


@overlays("UdpHeader")
class UdpHeader(Part, frozen=True, gc=False):
    """RFC 768."""

    plan: ClassVar[Plan]
    source_port: int
    destination_port: int
    length: int
    checksum: Annotated[int, as_hex]


@overlays("GreHeader")
class GreHeader(Part, frozen=True, gc=False):
    """RFC 2784 2."""

    plan: ClassVar[Plan]
    flags: Annotated[int, as_hex]
    protocol_type: Annotated[int, as_hex]


@overlays("MinimalHeader")
class MinimalHeader(Part, frozen=True, gc=False):
    """RFC 2004 3.1."""

    plan: ClassVar[Plan]
    protocol: int
    flags: Annotated[int, as_hex]
    checksum: Annotated[int, as_hex]
    destination: IPv4Address


class Unwrapped(NamedTuple):
    """A packet out of its tunnel: `outer` the IPv4 header it came in, `header` the tunnel's own, `inner` the packet."""

    kind: TunnelKind
    outer: IPv4Header
    header: GreHeader | MinimalHeader | UdpHeader | None
    inner: memoryview
    key: int | None
    sequence: int | None


tunnel.register(Unwrapped, {"outer": IPv4Header.plan, Protocol.PROTOCOL_UDP: UdpHeader.plan, Protocol.GRE: GreHeader.plan,
                            Protocol.MINIMAL: MinimalHeader.plan})
