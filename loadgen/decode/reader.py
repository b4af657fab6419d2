"""One frame after another: what is around it, which protocol it is, what it says. The walk of a frame, in one place."""
from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from ipaddress import IPv4Address, IPv6Address

from fastcodec.capture import Frame, LinkType
from fastcodec.errors import DecodeError
from fastcodec.headers import DSMIPV6_PORT, MOBILE_IP_PORT, TUNNEL_DATA, Fragment, Location, Protocol, look
from fastcodec.plain import address_text
from loadgen.decode import links
from loadgen.decode.access import read_eap, read_eapol, read_pana
from loadgen.decode.agents import ADVERTISEMENT, SOLICITATION, read_agents
from loadgen.decode.checksums import header_is_right, left_to_hardware
from loadgen.decode.event import Event
from loadgen.decode.exchanges import Exchanges
from loadgen.decode.hexadecimal import kind_of
from loadgen.decode.keys import Keys
from loadgen.decode.mobile import read_mobile
from loadgen.decode.mobility import read_mobility
from loadgen.decode.radius import read_radius
from loadgen.decode.tunnels import IN_UDP, NEVER, TUNNELS, opened

Read = Callable[[Event, bytes, Keys, Exchanges, Location | None], None]
READERS: dict[str, Read] = {"mip4": read_mobile, "radius": read_radius, "mip6": read_mobility, "pana": read_pana,
                            "eap": read_eap, "icmp": read_agents}
DSMIPV6 = "dsmipv6"              # nothing but tunnelled packets, RFC 5555 4.1
PORTS = {MOBILE_IP_PORT: "mip4", 1812: "radius", 1813: "radius", 1645: "radius", 1646: "radius", 3799: "radius", 716: "pana",
         DSMIPV6_PORT: DSMIPV6}
UDP, MOBILITY, ICMP = int(Protocol.PROTOCOL_UDP), int(Protocol.MOBILITY_HEADER), int(Protocol.PROTOCOL_ICMP)
LATER = int(Fragment.LATER)
OURS = frozenset({UDP, MOBILITY, *TUNNELS})
DEEPEST = 4                      # tunnels in tunnels
LONGEST = 0xffff + 40            # octets of an IP packet


class Reader:
    """Frames to events. `ports` adds to, or overrides, the protocols of UDP ports."""

    def __init__(self, keys: Keys, ports: Mapping[int, str] | None = None) -> None:
        self.keys, self.exchanges = keys, Exchanges()
        self.ports = PORTS | keys.ports | dict(ports or {})

    def events(self, frames: Iterable[Frame]) -> Iterator[Event]:
        """An event a frame, in order."""
        for frame in frames:
            yield self.event(frame)

    def messages(self, octets: Iterable[bytes], kind: str | None) -> Iterator[Event]:
        """An event for each message without a capture around it; `kind` is what they are, None: what they look like."""
        for number, message in enumerate(octets, 1):
            event = Event(number=number, time_ns=0, length=len(message))
            found = kind or kind_of(message)
            if found == "ethernet":
                event = self.event(Frame(number, 0, LinkType.ETHERNET, message, len(message)))
            elif found == "ip":
                self.read_ip(event, message, DEEPEST)
            else:
                READERS[found](event, message, self.keys, self.exchanges, None)
            yield event

    def event(self, frame: Frame) -> Event:
        number, time_ns, link, octets, length = frame
        event = Event(number, time_ns, len(octets))
        peeled = links.peel(link, octets)
        if peeled is None:
            event.note = f"a frame of link type {link} that is too short or not known"
        elif peeled[0] in (links.IPV4, links.IPV6):
            packet = octets[peeled[1]:] if peeled[1] else octets
            if length > len(octets):
                self.read_cut(event, packet, length - len(octets))
            else:
                self.read_ip(event, packet, DEEPEST)
        elif peeled[0] == links.EAPOL and length == len(octets):
            read_eapol(event, octets[peeled[1]:], self.keys, self.exchanges, links.ends(link, octets))
        else:
            event.note = f"EtherType {peeled[0]:#06x}"
        return event

    def read_cut(self, event: Event, packet: bytes, missing: int) -> None:
        """A frame of which `missing` octets were not captured: read as far as its packet is whole, else only named."""
        size = len(packet) + missing
        event.note = f"cut: {len(packet)} of {size} octets were captured"
        try:
            whole = look(packet)
        except DecodeError:
            whole = None
        if whole is not None:
            self.read_ip(event, packet, DEEPEST)
            return
        header, protocol = (40, 6) if packet[:1] >= b"\x60" else (20, 9)
        if len(packet) < header:         # the addresses are not all there
            event.is_part = True
            return
        try:
            at = look(packet + bytes(min(missing, LONGEST)))
        except DecodeError:              # nor is the length of what is inside
            event.is_part = packet[protocol] in OURS
            name_ends(event, packet)
            return
        event.source, event.destination = address_text(at.source), address_text(at.destination)
        event.source_port, event.destination_port = at.source_port, at.destination_port
        has_ports = len(packet) >= at.upper + 4
        event.length, event.is_part = len(at.payload), self.may_be_ours(at) if has_ports else at.protocol in OURS

    def read_ip(self, event: Event, packet: bytes | memoryview, tunnels: int) -> None:
        """An IP packet, and what is in it; `tunnels` more of them are opened."""
        try:
            at = look(packet)
        except DecodeError as error:
            event.faults.append(f"no whole IP packet: {error}")
            name_ends(event, packet)
            return
        event.source, event.destination = address_text(at.source), address_text(at.destination)
        event.source_port, event.destination_port = at.source_port, at.destination_port
        event.length = len(at.payload)
        if at.version == 4 and not header_is_right(packet):
            event.faults.append("wrong IPv4 header checksum")
        protocol = at.protocol
        if at.fragment:
            event.is_part = self.may_be_ours(at)
            event.add_note("a later fragment" if at.fragment == LATER else "the first fragment of a packet")
        elif protocol == UDP:
            self.read_udp(event, packet, at, tunnels)
        elif protocol in TUNNELS:
            self.open_tunnel(event, packet, at, TUNNELS[protocol], tunnels)
        elif protocol == MOBILITY:
            self.read(event, "mip6", packet, at)
        elif protocol == ICMP and at.payload[:1].tobytes() in (bytes((ADVERTISEMENT,)), bytes((SOLICITATION,))):
            self.read(event, "icmp", packet, at)
        else:
            event.add_note(f"IP protocol {protocol}")

    def may_be_ours(self, at: Location) -> bool:
        """Whether a part of a packet may be of a message; a later fragment of UDP does not tell."""
        if at.protocol == UDP and at.fragment != LATER:
            return at.destination_port in self.ports or at.source_port in self.ports
        return at.protocol in OURS

    def read_udp(self, event: Event, packet: bytes | memoryview, at: Location, tunnels: int) -> None:
        protocol = self.ports.get(at.destination_port) or self.ports.get(at.source_port)
        if protocol is None:
            event.add_note("UDP of no protocol known (see --port)")
        elif protocol == DSMIPV6:
            self.open_tunnel(event, packet, at, DSMIPV6, tunnels)
        elif protocol == "mip4" and len(at.payload) > 1 and at.payload[0] == TUNNEL_DATA and at.payload[:2].tobytes() in IN_UDP:
            self.open_tunnel(event, packet, at, "udp", tunnels)
        else:
            self.read(event, protocol, packet, at)

    def read(self, event: Event, protocol: str, packet: bytes | memoryview, at: Location) -> None:
        if not at.checksum_right:
            if left_to_hardware(packet, at):
                event.remarks.append("checksum left to the network card")
            else:
                event.faults.append("wrong checksum")
        READERS[protocol](event, at.payload.tobytes(), self.keys, self.exchanges, at)

    def open_tunnel(self, event: Event, packet: bytes | memoryview, at: Location, kind: str, tunnels: int) -> None:
        """What is inside has its own addresses; the tunnel stays as one of the event's layers."""
        if not tunnels:
            event.add_note(f"more than {DEEPEST} tunnels in one another")
            event.is_part = True
            return
        event.layers += (f"{kind} {event.source} > {event.destination}",)
        try:
            inner = opened(packet, at)
        except DecodeError as error:
            if error.status == NEVER:
                event.add_note(f"{kind}: {error}")
            else:
                event.faults.append(f"{kind} tunnel: {error}")
            return
        self.read_ip(event, inner, tunnels - 1)


def name_ends(event: Event, packet: bytes | memoryview) -> None:
    """The addresses in the header of an IP packet that is not whole."""
    if len(packet) >= 20 and packet[0] >> 4 == 4:
        event.source, event.destination = (str(IPv4Address(bytes(packet[at:at + 4]))) for at in (12, 16))
    elif len(packet) >= 40 and packet[0] >> 4 == 6:
        event.source, event.destination = (str(IPv6Address(bytes(packet[at:at + 16]))) for at in (8, 24))
