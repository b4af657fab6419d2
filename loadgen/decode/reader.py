"""One frame after another: what is around it, which protocol it is, what it says. The walk of a frame, in one place."""
from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping

from fastcodec.capture import Frame
from fastcodec.errors import DecodeError
from fastcodec.headers import Fragment, Location, Protocol, look
from fastcodec.tunnel import unwrap
from loadgen.decode import links
from loadgen.decode.event import Event
from loadgen.decode.exchanges import Exchanges
from loadgen.decode.hexadecimal import kind_of
from loadgen.decode.keys import Keys
from loadgen.decode.mobile import read_mobile
from loadgen.decode.mobility import read_mobility
from loadgen.decode.radius import read_radius

Read = Callable[[Event, bytes, Keys, Exchanges, Location | None], None]
READERS: dict[str, Read] = {"mip4": read_mobile, "radius": read_radius, "mip6": read_mobility}
PORTS = {434: "mip4", 1812: "radius", 1813: "radius", 1645: "radius", 1646: "radius", 3799: "radius"}
TUNNEL_DATA = 4                  # message type, RFC 3519 3.3
AGENTS = (b"\x09", b"\x0a")      # ICMP types of agent discovery, RFC 5944 2.1
TUNNELS = {Protocol.IP_IN_IP: "ip-in-ip", Protocol.IPV6_IN_IP: "6in4", Protocol.GRE: "gre", Protocol.MINIMAL: "minimal"}
DEEPEST = 4                      # tunnels in tunnels


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
            if found == "ip":
                self.read_ip(event, message, DEEPEST)
            else:
                READERS[found](event, message, self.keys, self.exchanges, None)
            yield event

    def event(self, frame: Frame) -> Event:
        event = Event(number=frame.number, time_ns=frame.time_ns, length=len(frame.octets))
        peeled = links.peel(frame.link, frame.octets)
        if peeled is None:
            event.note = f"a frame of link type {frame.link} that is too short or not known"
            return event
        kind, at = peeled
        if kind not in (links.IPV4, links.IPV6):
            event.note = f"EtherType {kind:#06x}"
            return event
        self.read_ip(event, frame.octets[at:], DEEPEST)
        if frame.length > len(frame.octets):
            event.note = joined(event.note, f"{len(frame.octets)} of {frame.length} octets were captured")
        return event

    def read_ip(self, event: Event, packet: bytes | memoryview, tunnels: int) -> None:
        """An IP packet, and what is in it; `tunnels` more of them are opened."""
        try:
            at = look(packet)
        except DecodeError as error:
            event.note = joined(event.note, f"no whole IP packet: {error}")
            return
        event.source, event.destination = at.source, at.destination
        event.source_port, event.destination_port = at.source_port, at.destination_port
        event.length = len(at.payload)
        if at.fragment == Fragment.LATER:
            event.note = "a later fragment: not read"
        elif at.fragment == Fragment.FIRST:
            event.note = "the first fragment: not read"
        elif at.protocol == Protocol.PROTOCOL_UDP:
            self.read_udp(event, at, tunnels)
        elif at.protocol in TUNNELS:
            self.open_tunnel(event, bytes(packet), TUNNELS[at.protocol], tunnels)
        elif at.protocol == Protocol.MOBILITY_HEADER:
            self.read(event, "mip6", at)
        elif at.protocol == Protocol.PROTOCOL_ICMP and at.payload[:1].tobytes() in AGENTS:
            self.read(event, "icmp", at)
        else:
            event.note = joined(event.note, f"IP protocol {at.protocol}")

    def read_udp(self, event: Event, at: Location, tunnels: int) -> None:
        protocol = self.ports.get(at.destination_port) or self.ports.get(at.source_port)
        if protocol is None:
            event.note = joined(event.note, "UDP of no protocol known (see --port)")
        elif protocol == "mip4" and at.payload[:1].tobytes() == bytes((TUNNEL_DATA,)):
            self.open_tunnel(event, bytes(at.payload), "udp", tunnels)
        else:
            self.read(event, protocol, at)

    def read(self, event: Event, protocol: str, at: Location) -> None:
        if not at.checksum_right:
            event.faults.append("wrong checksum")
        READERS[protocol](event, bytes(at.payload), self.keys, self.exchanges, at)

    def open_tunnel(self, event: Event, octets: bytes, kind: str, tunnels: int) -> None:
        """What is inside has its own addresses; the tunnel stays as one of the event's layers."""
        if not tunnels:
            event.note = joined(event.note, f"more than {DEEPEST} tunnels in one another")
            return
        event.layers += (f"{kind} {event.source} > {event.destination}",)
        try:
            inner = unwrap(octets)
        except DecodeError as error:
            event.faults.append(f"{kind} tunnel: {error}")
            return
        self.read_ip(event, inner, tunnels - 1)


def joined(*notes: str) -> str:
    return "; ".join(note for note in notes if note)
