"""An IPv4 address and UDP port, as written in options and configuration files."""
from ipaddress import IPv4Address


class Endpoint:
    """Where a socket is bound or a datagram goes. (Not a tuple or dataclass: TOML must write it as one string.)"""

    __slots__ = ("address", "port")

    def __init__(self, address: IPv4Address, port: int) -> None:
        self.address, self.port = address, port

    def __str__(self) -> str:
        return f"{self.address}:{self.port}"

    def __repr__(self) -> str:
        return f"<{self}>"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Endpoint) and (other.address, other.port) == (self.address, self.port)

    def __hash__(self) -> int:
        return hash((self.address, self.port))


def parse_endpoint(text: str) -> Endpoint:
    """`127.0.0.1:1812`; port 0 lets the kernel choose. ValueError says what is wrong."""
    address, colon, port = text.rpartition(":")
    if not colon:
        raise ValueError(f"'{text}' is not ADDRESS:PORT, such as 127.0.0.1:1812")
    try:
        parsed = IPv4Address(address)
    except ValueError:
        raise ValueError(f"'{address}' in '{text}' is not an IPv4 address") from None
    if not (port.isascii() and port.isdecimal() and int(port) <= 65535):
        raise ValueError(f"'{port}' in '{text}' is not a port (0-65535)")
    return Endpoint(parsed, int(port))
