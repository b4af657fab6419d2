"""The testbed document `mipstorm.testbed/1`: where the servers of a testbed are, and what it takes to join them."""
from pathlib import Path
from typing import Literal

import msgspec

from servers.errors import ConfigurationError
from servers.secrets_file import read_private, write_private


class Part(msgspec.Struct):
    """An object of the document."""


class Aaah(Part):
    radius: str                       # ADDRESS:PORT
    pids: list[int]
    control: str | None = None        # path of its control socket
    home_agent: str | None = None     # the IPv6 home agent that it hands out


class Fha(Part):
    mip4: str                         # ADDRESS:PORT
    pids: list[int]
    control: str | None = None
    ipv6_prefix: str | None = None    # of IPv6 care-of addresses


class Servers(Part):
    aaah: Aaah
    fha: Fha


class Client(Part):
    """A network of RADIUS clients and the secret that it shares with the AAAH."""

    network: str
    secret: str

    def __repr__(self) -> str:
        return f"Client({self.network!r}, ***)"


class Network(Part):
    network: str


class Subscribers(Part):
    csv: str
    count: int


class Testbed(Part, kw_only=True):
    """The whole document. It holds a secret: its file has mode 0600."""

    schema: Literal["mipstorm.testbed/1"] = "mipstorm.testbed/1"
    pid: int
    servers: Servers
    radius_clients: list[Client]
    vendor: int
    pools: list[Network]
    care_of_networks: list[str]
    subscribers: Subscribers
    relaxed: list[str] = []           # what its servers do not do that production servers would


def encode(testbed: Testbed) -> bytes:
    """One line."""
    return msgspec.json.encode(testbed) + b"\n"


def write(testbed: Testbed, path: Path) -> None:
    write_private(path, encode(testbed))


def read(path: Path) -> Testbed:
    """ConfigurationError says in one line what is wrong with the file."""
    try:
        return msgspec.json.decode(read_private(path), type=Testbed)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ConfigurationError(f"{path}: is no testbed document: {error}") from None
