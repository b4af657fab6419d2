from enum import IntEnum
from ipaddress import IPv4Address, IPv6Address
from typing import Any, NamedTuple

import numpy as np

LAYOUTS: dict[str, np.dtype[Any]]
DONT_FRAGMENT: int
MORE_FRAGMENTS: int
FRAGMENT_OFFSET: int
GRE_CHECKSUM: int
GRE_KEY: int
GRE_SEQUENCE: int
MINIMAL_SOURCE: int
TUNNEL_DATA: int
MOBILE_IP_PORT: int
DSMIPV6_PORT: int
HOME_ADDRESS_OPTION: int

class Protocol(IntEnum):
    HOP_BY_HOP = 0
    PROTOCOL_ICMP = 1
    IP_IN_IP = 4
    PROTOCOL_TCP = 6
    PROTOCOL_UDP = 17
    IPV6_IN_IP = 41
    ROUTING_HEADER = 43
    FRAGMENT_HEADER = 44
    GRE = 47
    AUTHENTICATION_HEADER = 51
    MINIMAL = 55
    PROTOCOL_ICMPV6 = 58
    NO_NEXT_HEADER = 59
    DESTINATION_OPTIONS = 60
    MOBILITY_HEADER = 135

class Fragment(IntEnum):
    WHOLE = 0
    FIRST = 1
    LATER = 2

class Location(NamedTuple):
    version: int
    protocol: int
    source: IPv4Address | IPv6Address
    destination: IPv4Address | IPv6Address
    sender: IPv4Address | IPv6Address
    receiver: IPv4Address | IPv6Address
    source_port: int
    destination_port: int
    fragment: int
    upper: int
    payload: memoryview
    checksum_right: bool

def look(data: bytes | bytearray | memoryview) -> Location: ...
def ipv6_packet(source: IPv6Address | str, destination: IPv6Address | str, next_header: int,
                payload: bytes | bytearray | memoryview, hop_limit: int = 64, home_address: IPv6Address | str | None = None,
                routing_address: IPv6Address | str | None = None) -> bytes: ...
def checksum(data: bytes | bytearray | memoryview, start: int = 0) -> int: ...
