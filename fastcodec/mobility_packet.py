"""A Mobility Header with the IPv6 packet around it: Home Address option and type 2 routing header. RFC 6275 6.3, 6.4."""
from __future__ import annotations

from ipaddress import IPv6Address
from typing import Any, Self

from fastcodec import headers
from fastcodec.base import Message
from fastcodec.errors import DecodeError, EncodeError
from fastcodec.headers import Fragment, Protocol
from fastcodec.mobility import Address, MobilityMessage
from fastcodec.sections import cite
from fastcodec.signing import Keys, Octets
from fastcodec.status import Status

__all__ = ["MobilityPacket"]


class MobilityPacket(Message):
    """`message` from `source` to `destination`, the addresses of the IPv6 header, RFC 6275 6.1.

    Away from home a Binding Update names its sender in a Home Address option (`home_address`), and its acknowledgement reaches
    the care-of address by a type 2 routing header that holds the home address (`routing_address`), RFC 6275 11.7.1, 9.5.4.
    """

    source: IPv6Address
    destination: IPv6Address
    message: MobilityMessage
    home_address: IPv6Address | None = None
    routing_address: IPv6Address | None = None

    @classmethod
    def decode(cls, data: Octets, keys: Keys | None = None, *, care_of_address: Address | None = None) -> Self:
        """The packet in `data`, its checksum verified, with `keys` its authenticators, too. Other extension headers are passed
        over. DecodeError, AuthenticationError."""
        at = headers.look(data)
        if at.protocol != Protocol.MOBILITY_HEADER or at.version != 6:
            raise DecodeError("IPv6 packet", at.upper, f"protocol {at.protocol}, not 135", Status.WRONG_TYPE)
        if at.fragment != Fragment.WHOLE:
            raise DecodeError("IPv6 packet", 40, "a fragment", Status.FRAGMENT)
        packet = cls(IPv6Address(at.sender), IPv6Address(at.receiver), MobilityMessage(),
                     IPv6Address(at.source) if at.source != at.sender else None,
                     IPv6Address(at.destination) if at.destination != at.receiver else None)
        packet.message = MobilityMessage.decode(
            at.payload, keys, source=packet.home_address or packet.source,
            destination=packet.routing_address or packet.destination, care_of_address=packet.care_of_address or care_of_address)
        return packet

    def encode(self, keys: Keys | None = None, *, care_of_address: Address | None = None) -> bytes:
        """The octets, checksum computed, authenticators left empty computed with `keys`. EncodeError."""
        inside = self._inside().encode(keys, source=self.home_address or self.source,
                                     destination=self.routing_address or self.destination,
                                     care_of_address=self.care_of_address or care_of_address)
        return headers.ipv6_packet(self.source, self.destination, Protocol.MOBILITY_HEADER, inside, 64, self.home_address,
                                   self.routing_address)

    def verify(self, keys: Keys, *, care_of_address: Address | None = None) -> None:
        """AuthenticationError unless every authenticator that a key is known for is right, and one at least is there."""
        self._inside().verify(keys, source=self.home_address or self.source, destination=self.routing_address or self.destination,
                            care_of_address=self.care_of_address or care_of_address)

    def sign(self, keys: Keys, *, care_of_address: Address | None = None) -> Self:
        """A copy, every authenticator that a key is known for computed anew, and the checksum. EncodeError."""
        return self.replace(message=self._inside().sign(
            keys, source=self.home_address or self.source, destination=self.routing_address or self.destination,
            care_of_address=self.care_of_address or care_of_address))

    def _inside(self) -> MobilityMessage:
        if not isinstance(self.message, MobilityMessage):
            raise EncodeError("MobilityPacket.message", f"{self.message!r} is no MobilityMessage")
        return self.message

    def parts(self) -> list[Any]:
        """The options of the message inside, in wire order."""
        return self.message.parts()

    def nai(self) -> str | None:
        """The network access identifier, if there is one."""
        return self.message.nai()

    @property
    def care_of_address(self) -> IPv6Address | None:
        """Where the mobile node is, as far as the packet's headers tell."""
        if self.home_address is not None:
            return self.source
        return self.destination if self.routing_address is not None else None


cite([MobilityPacket])
