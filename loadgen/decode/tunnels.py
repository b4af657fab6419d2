"""Tunnels of a capture, by IP protocol or by what their UDP port carries; and the packet inside."""
from __future__ import annotations

from fastcodec import Status, unwrap
from fastcodec.headers import TUNNEL_DATA, Location, Protocol

TUNNELS = {int(Protocol.IP_IN_IP): "ip-in-ip", int(Protocol.IPV6_IN_IP): "6in4", int(Protocol.GRE): "gre",
           int(Protocol.MINIMAL): "minimal"}
IN_UDP = frozenset(bytes((TUNNEL_DATA, protocol)) for protocol in TUNNELS)     # how tunnel data begins, RFC 3519 3.3
NEVER = int(Status.WRONG_TYPE)       # the status of what is no tunnel of ours: GRE of another protocol, another version


def opened(packet: bytes | memoryview, at: Location) -> bytes | memoryview:
    """The packet inside; DecodeError."""
    if at.version == 6 and at.protocol in (Protocol.IP_IN_IP, Protocol.IPV6_IN_IP):      # RFC 2473: no header of its own
        return at.payload
    return unwrap(packet).inner
