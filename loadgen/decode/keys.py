"""The keys of a capture: shared secrets by network, keys of nodes by NAI and SPI, and those derived in the capture.

A keys file is TOML (`FORMAT` shows all of it); a testbed document serves as well.
"""
from collections import OrderedDict
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from pathlib import Path
from typing import Annotated, Literal

import msgspec
from msgspec import Meta, field

from fastcodec.registration import derive_key
from fastcodec.secret import Secret
from loadgen import testbed_document
from loadgen.decode.pana_sessions import PanaKey, PanaSessions
from servers.config_reading import Table, decoded
from servers.endpoint import parse_endpoint
from servers.errors import ConfigurationError
from servers.secrets_file import read_private, write_private
from servers.tables import subscribers_csv

Network = IPv4Network | IPv6Network
CHAP_SPI = 2                     # RFC 4721 8: the same key, used the way of CHAP
MOST_NODES = 1 << 16             # whose keys are at hand; the oldest go first
MOST_ADDRESSES = 1 << 14         # whose secret is at hand

FORMAT = """\
keys file (TOML, mode 0600; every part may be left out):
  subscribers = "nodes.csv"           MN-AAA keys; relative to the keys file
  ports = { radius = [1912], mip4 = [4340] }    UDP ports beside the usual ones
  [[radius]]                          shared secret of the clients in a network; the narrowest network counts
  network = "127.0.0.0/9"
  secret = "..."                      or secret_hex = "0011..."
  [[mobile]]                          a key of Mobile IP: MN-AAA, MN-HA, MN-FA, FA-HA, or of Mobile IPv6
  spi = 4096
  key = "00112233..."                 hexadecimal
  nai = "mn1@home.example"            only for this node; without it for all
  algorithm = "hmac-md5"              or hmac-sha1, hmac-sha256, keyed-md5
  [[pana]]                            a key of PANA: a session's PANA_AUTH_KEY, or the MSK that EAP made
  session = 1510735873
  key = "00112233..."                 hexadecimal; or
  msk = "00112233..."                 then the key is derived, where the capture has the session from its start
  nai = "mn1@home.example"            with msk instead of a session: of this node's, one MSK for each authentication
  key_id = 1                          with key: only for this Key-Id; without it for all of the session
Keys that RFC 3957 derives are found out from the capture itself where the MN-AAA key is known.
"""


def hexadecimal(where: str, digits: str) -> bytes:
    """ValueError says where the digits stand, and not what they are."""
    try:
        octets = bytes.fromhex(digits)
    except ValueError:
        raise ValueError(f"{where}: is no hexadecimal") from None
    if not octets:
        raise ValueError(f"{where}: is empty")
    return octets


class SharedSecret(Table):
    """[[radius]]"""

    network: str
    secret: str = ""
    secret_hex: str = ""

    def octets(self) -> bytes:
        where = f"radius: network {self.network}"
        if bool(self.secret) == bool(self.secret_hex):
            raise ValueError(f"{where}: {'both secret and secret_hex' if self.secret else 'a secret is missing (secret or secret_hex)'}")
        return hexadecimal(f"{where}: secret_hex", self.secret_hex) if self.secret_hex else self.secret.encode()


class MobileKey(Table):
    """[[mobile]]"""

    spi: Annotated[int, Meta(ge=0, le=0xffffffff)]
    key: str
    nai: str = ""
    algorithm: Literal["hmac-md5", "hmac-sha1", "hmac-sha256", "keyed-md5"] = "hmac-md5"


class PanaSecret(Table):
    """[[pana]]"""

    session: Annotated[int, Meta(ge=0, le=0xffffffff)] | None = None
    nai: str = ""
    key: str = ""
    msk: str = ""
    key_id: Annotated[int, Meta(ge=0, le=0xffffffff)] | None = None

    def enter(self, sessions: PanaSessions) -> None:
        """ValueError says what is missing, or too much."""
        where = f"pana: {f'NAI {self.nai}' if self.session is None else f'session {self.session}'}"
        if bool(self.key) == bool(self.msk):
            raise ValueError(f"{where}: {'both key and msk' if self.key else 'a key is missing (key or msk)'}")
        if self.key:
            if self.session is None or self.nai:
                raise ValueError(f"{where}: a key is of one session, not of a node")
            sessions.given.setdefault(self.session, []).append(PanaKey(Secret(hexadecimal(f"{where}: key", self.key)), self.key_id))
            return
        if (self.session is None) == (not self.nai):
            raise ValueError(f"{where}: an msk is of a session or of a node (nai)")
        if self.key_id is not None:
            raise ValueError(f"{where}: an msk has no key_id")
        owner = self.nai if self.session is None else self.session
        sessions.msks.setdefault(owner, []).append(Secret(hexadecimal(f"{where}: msk", self.msk)))


class KeysFile(Table):
    """The whole file."""

    subscribers: str = ""
    ports: dict[Literal["radius", "mip4", "pana"], list[Annotated[int, Meta(ge=1, le=0xffff)]]] = field(default_factory=dict)
    radius: list[SharedSecret] = field(default_factory=list)
    mobile: list[MobileKey] = field(default_factory=list)
    pana: list[PanaSecret] = field(default_factory=list)


class Subscribers:
    """MN-AAA keys by NAI, read once; a million of them take the room of their columns and an index."""

    def __init__(self, path: Path) -> None:
        self.columns = subscribers_csv.read(path)
        self.rows = {self.columns.nai[k]: k for k in range(len(self.columns))}

    def keys_of(self, nai: str) -> dict[int, Secret]:
        row = self.rows.get(nai.encode("utf-8", "surrogateescape"))
        if row is None:
            return {}
        key = Secret(self.columns.key[row])
        return {int(self.columns.spi[row]): key, CHAP_SPI: key}


class Keys:
    """Who shares what; what is derived or looked up while a capture is read is kept up to a bound."""

    def __init__(self) -> None:
        self.networks: list[tuple[Network, Secret]] = []
        self.for_all: dict[int, Secret] = {}
        self.of_node: dict[str, dict[int, Secret]] = {}
        self.subscribers: Subscribers | None = None
        self.ports: dict[int, str] = {}
        self.pana = PanaSessions()
        self._nodes: OrderedDict[str, dict[int, Secret]] = OrderedDict()
        self._secrets: dict[str, Secret | None] = {}
        self.reveal = False              # whether what hides under a secret is shown

    @property
    def any_of_nodes(self) -> bool:
        """Whether any key of Mobile IP is known."""
        return bool(self.for_all or self.of_node or self.subscribers)

    def secret_of(self, *ends: str) -> Secret | None:
        """The secret of the first end that is in a network known, narrowest network first. RFC 2865 3: by source.

        Of a message without addresses (in hexadecimal) it is that of the narrowest network.
        """
        for end in ends:
            if end not in self._secrets:
                if len(self._secrets) >= MOST_ADDRESSES:
                    self._secrets.clear()
                address = ip_address(end) if end else None
                self._secrets[end] = next((s for network, s in self.networks if address is None or address in network), None)
            if self._secrets[end] is not None:
                return self._secrets[end]
        return None

    def of(self, nai: str | None) -> dict[int, Secret]:
        """SPI to key for one node: those of all, its own, and those derived in the capture."""
        if nai is None:
            return self.for_all
        known = self._nodes.get(nai)
        if known is None:
            known = self.for_all | (self.subscribers.keys_of(nai) if self.subscribers else {}) | self.of_node.get(nai, {})
            self._nodes[nai] = known
            if len(self._nodes) > MOST_NODES:
                self._nodes.popitem(last=False)
        return known

    def learn(self, nai: str, aaa_spi: int, nonce: bytes, *spis: int) -> None:
        """The key that RFC 3957 5 derives, under the SPIs that it goes by."""
        known = self.of(nai)
        if aaa_spi in known:
            known.update(dict.fromkeys(spis, Secret(derive_key(known[aaa_spi], nonce, nai))))

    def add_network(self, network: Network, octets: bytes) -> None:
        self.networks.append((network, Secret(octets)))
        self.networks.sort(key=lambda row: -row[0].prefixlen)


def as_key(octets: bytes, algorithm: str) -> Secret:
    return Secret(octets) if algorithm == "hmac-md5" else Secret(octets, algorithm)


def read_keys(path: Path) -> Keys:
    """From a keys file or a testbed document; ConfigurationError says what is wrong with it."""
    octets = read_private(path)
    try:
        if octets.lstrip()[:1] == b"{":
            return _of_testbed(path)
        return _of_file(path, decoded(octets.decode(), path, KeysFile))
    except ValueError as error:
        raise ConfigurationError(f"{path}: {error} (its format: mipstorm decode --help)") from None


def _of_file(path: Path, file: KeysFile) -> Keys:
    keys = Keys()
    keys.ports = {port: protocol for protocol, ports in file.ports.items() for port in ports}
    for row in file.radius:
        keys.add_network(ip_network(row.network), row.octets())
    for entry in file.mobile:
        table = keys.of_node.setdefault(entry.nai, {}) if entry.nai else keys.for_all
        table[entry.spi] = as_key(hexadecimal(f"mobile: SPI {entry.spi}: key", entry.key), entry.algorithm)
    for row_of_pana in file.pana:
        row_of_pana.enter(keys.pana)
    if file.subscribers:
        keys.subscribers = Subscribers(path.parent / file.subscribers)
    return keys


def _of_testbed(path: Path) -> Keys:
    testbed = testbed_document.read(path)
    keys = Keys()
    keys.ports = {parse_endpoint(testbed.servers.aaah.radius).port: "radius", parse_endpoint(testbed.servers.fha.mip4).port: "mip4"}
    for client in testbed.radius_clients:
        keys.add_network(ip_network(client.network), client.secret.encode())
    keys.subscribers = Subscribers(path.parent / testbed.subscribers.csv)
    return keys


def write_keys(capture: str, network: str, secret: bytes, ports: dict[str, int],
               subscribers: subscribers_csv.Subscribers) -> None:
    """Keys files for a capture of a private testbed: CAPTURE.keys, and CAPTURE.csv that it names; mode 0600."""
    csv = Path(capture + ".csv")
    subscribers_csv.write(subscribers, csv)
    listed = ", ".join(f"{protocol} = [{port}]" for protocol, port in ports.items())
    write_private(Path(capture + ".keys"),
                  (f'subscribers = {msgspec.json.encode(csv.name).decode()}\nports = {{ {listed} }}\n'
                   f'[[radius]]\nnetwork = "{network}"\nsecret_hex = "{secret.hex()}"\n').encode())
