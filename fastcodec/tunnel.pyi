from enum import IntEnum
from ipaddress import IPv4Address
from typing import Any

from fastcodec.fields import Plan
from fastcodec.tunnels import Unwrapped

_Octets = bytes | bytearray | memoryview

LONGEST_TUNNEL_HEAD: int
GRE_IPV4: int
GRE_IPV6: int

class TunnelKind(IntEnum):
    TUNNEL_IPV4 = 4
    TUNNEL_UDP = 17
    TUNNEL_IPV6 = 41
    TUNNEL_GRE = 47
    TUNNEL_MINIMAL = 55
    TUNNEL_DSMIPV6 = 273

def register(unwrapped: type[Any], plans: dict[Any, Plan]) -> None: ...
def unwrap(data: _Octets, check_source: bool = True) -> Unwrapped: ...
def wrap(kind: int, inner: _Octets, source: IPv4Address | str, destination: IPv4Address | str, *, ttl: int = 64,
         identification: int = 0, tos: int | None = None, dont_fragment: bool | None = None, key: int | None = None,
         sequence: int | None = None, checksum: bool = False, source_port: int | None = None,
         destination_port: int | None = None) -> bytes: ...
