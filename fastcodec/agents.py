"""Agent discovery as a person handles it: ICMP messages without their IP header. RFC 5944 2, RFC 1256 3."""
from __future__ import annotations

from ipaddress import IPv4Address
from typing import Annotated, ClassVar, Self, cast

from msgspec import field

from fastcodec import agent_discovery, mip4_parts
from fastcodec.agent_discovery import AdvertisedType, AgentFlag
from fastcodec.base import Message, Part, flags_of, unless_zero
from fastcodec.errors import EncodeError
from fastcodec.extension_codec import ExtensionCodec
from fastcodec.fields import Plan
from fastcodec.mip4_extensions import (
    AaahIdentity,
    CriticalVendorExtension,
    Extension,
    HomeAgentIdentity,
    Padding,
    UnknownExtension,
    VendorExtension,
)
from fastcodec.overlay import Overlay
from fastcodec.sections import cite

__all__ = ["AdvertisedChallenge", "AdvertisedExperiment", "AdvertisedLinkLayerAddress", "AgentAdvertisement", "AgentMessage",
           "AgentSolicitation", "CriticalAdvertisedExperiment", "MobilityAgent", "PrefixLengths", "RouterAddress"]

Octets = bytes | bytearray | memoryview
overlays = Overlay({**mip4_parts.LAYOUTS, **agent_discovery.LAYOUTS}, agent_discovery.ADVERTISED)


@overlays("TlvHeader", "MobilityAgent", type=AdvertisedType.ADVERTISED_AGENT)
class MobilityAgent(Extension, frozen=True):
    """Mobility Agent Advertisement, RFC 5944 2.1.1; `lifetime` of registrations in seconds, 0xffff infinite."""

    plan: ClassVar[Plan]
    sequence: int
    lifetime: int
    flags: Annotated[int, flags_of(AgentFlag)]
    care_of_addresses: tuple[IPv4Address, ...] = ()


@overlays("TlvHeader", type=AdvertisedType.ADVERTISED_PREFIX_LENGTHS)
class PrefixLengths(Extension, frozen=True):
    """Of each router address, in their order, RFC 5944 2.1.2."""

    plan: ClassVar[Plan]
    lengths: tuple[int, ...]


@overlays("TlvHeader", type=AdvertisedType.ADVERTISED_CHALLENGE)
class AdvertisedChallenge(Extension, frozen=True):
    """A challenge for registrations to answer; there it is extension 132, RFC 4721 2."""

    plan: ClassVar[Plan]
    challenge: bytes


@overlays("ShortHeader", type=AdvertisedType.ADVERTISED_LINK_LAYER_ADDRESS)
class AdvertisedLinkLayerAddress(Extension, frozen=True):
    """`subtype` 1 IMSI and connection, 2 IMSI, 3 Ethernet address, 4 EUI-64, 5 the agent solicited, 6 access point, 7 foreign agent:
    `value` as in the extension of registrations, RFC 4881 9."""

    plan: ClassVar[Plan]
    subtype: int
    value: bytes


@overlays("TlvHeader", type=AdvertisedType.ADVERTISED_EXPERIMENT_MUST)
class CriticalAdvertisedExperiment(Extension, frozen=True):
    """Experiments that may not be skipped, here without subtype, RFC 4064 4.2."""

    plan: ClassVar[Plan]
    value: bytes


@overlays("TlvHeader", type=AdvertisedType.ADVERTISED_EXPERIMENT)
class AdvertisedExperiment(Extension, frozen=True):
    """Experiments that may be skipped, here without subtype, RFC 4064 4.4."""

    plan: ClassVar[Plan]
    value: bytes


class RouterAddress(Part, frozen=True):
    """A router's address and how much it is preferred; `rest` is what a longer entry holds, RFC 1256 3."""

    address: IPv4Address
    preference: int = 0
    rest: bytes = b""


class AgentMessage(Message):
    """A message of agent discovery, RFC 1256 3. Its own `decode` takes either."""

    @classmethod
    def decode(cls, data: Octets) -> Self:
        """The message in `data`; DecodeError names field and offset. A wrong checksum is one."""
        return cast(Self, agent_discovery.decode(data))

    def encode(self) -> bytes:
        """The octets, checksum and all; EncodeError names the field."""
        raise EncodeError("AgentMessage", f"{type(self).__name__} has no octets of its own")


class AgentAdvertisement(AgentMessage):
    """ICMP Router Advertisement with mobility extensions, RFC 5944 2.1; `lifetime` in seconds, `code` 16: routes no common traffic.

    `empty_entry_size` is the Addr Entry Size (words) of an advertisement without router addresses, 0: as usual.
    """

    code: int
    lifetime: int
    routers: list[RouterAddress] = field(default_factory=list)
    extensions: list[Extension] = field(default_factory=list)
    empty_entry_size: Annotated[int, unless_zero] = 0

    @classmethod
    def decode(cls, data: Octets) -> Self:
        """The message in `data`; DecodeError names field and offset. A wrong checksum is one."""
        return cast(Self, agent_discovery.decode_advertisement(data))

    def encode(self) -> bytes:
        """The octets, checksum and all; EncodeError names the field."""
        return agent_discovery.encode_advertisement(self)


class AgentSolicitation(AgentMessage):
    """ICMP Router Solicitation, RFC 5944 2.2."""

    code: int = 0
    reserved: int = 0

    @classmethod
    def decode(cls, data: Octets) -> Self:
        """The message in `data`; DecodeError names field and offset. A wrong checksum is one."""
        return cast(Self, agent_discovery.decode_solicitation(data))

    def encode(self) -> bytes:
        """The octets, checksum and all; EncodeError names the field."""
        return agent_discovery.encode_solicitation(self)


ADVERTISED_CLASSES = [MobilityAgent, PrefixLengths, AdvertisedChallenge, AdvertisedLinkLayerAddress, CriticalAdvertisedExperiment,
                      AdvertisedExperiment, HomeAgentIdentity, AaahIdentity, VendorExtension, CriticalVendorExtension]
cite([MobilityAgent, PrefixLengths, AdvertisedChallenge], "extension")
cite([AdvertisedLinkLayerAddress, CriticalAdvertisedExperiment, AdvertisedExperiment])
cite([AgentMessage, AgentAdvertisement, AgentSolicitation, RouterAddress])
agent_discovery.register(ExtensionCodec(UnknownExtension, Padding, ADVERTISED_CLASSES), AgentAdvertisement, RouterAddress,
                         AgentSolicitation)
