"""Configuration of the servers: what the TOML files may hold, and what must fit together in them."""
from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from pathlib import Path
from typing import Annotated, Literal

from msgspec import Meta, field

from servers.config_operation import ControlTable, LogTable, MetricsTable, Operation
from servers.config_reading import Table, decoded, fault, text_of
from servers.endpoint import Endpoint
from servers.errors import ConfigurationError
from servers.secrets_file import HexKey, Secret, read_private, read_secret

Lifetime = Annotated[int, Meta(ge=1, le=65_534)]  # 65535 is infinity (RFC 5944 section 3.3)
Window = Annotated[int, Meta(ge=3, le=255)]  # seconds that a node's clock may be wrong (RFC 5944 section 5.7.1)
ReplayProtection = Literal["timestamps", "nonces"]
OneWorker = Annotated[int, Meta(ge=1, le=1)]
Name = Annotated[str, Meta(pattern=r"^[ -~]{1,64}$")]
PoolName = Annotated[str, Meta(pattern=r"^[a-z][a-z0-9_]{0,31}$")]
MOST_CLIENTS, MOST_CHOICES = 64, 32  # what the AAAH has room for
MOST_SERVERS = 8  # that an FHA may ask
NAI_LONGEST = 253  # octets, RFC 2865 section 5.1
PATTERNS = 255  # octets of all patterns of an FHA, one a line


class Shared(Table, kw_only=True):
    """A table with a shared secret: written in it, or in a file of its own. `load_*` settles it into `secret`."""

    secret: Secret | None = None
    secret_file: Path | None = None


class AaahOfFha(Shared, kw_only=True):
    """[[fha.aaah]]: a server that the FHA asks, in order of preference."""

    address: Endpoint
    require_message_authenticator: Literal["yes", "no", "auto"] = "yes"  # in its answers; auto: once seen, for ever
    status_server: bool = True  # it answers Status-Server (RFC 5997)
    ours: bool = True  # checks MN-AAA over the octets themselves and derives keys; False: CHAP is all it knows

    @property
    def forgeable(self) -> str | None:
        """What to warn about when answers need not be signed."""
        if self.require_message_authenticator == "yes":
            return None
        until = " until the first one that has it" if self.require_message_authenticator == "auto" else ""
        return f"{self.address}: answers without Message-Authenticator are taken{until}; they can be forged (CVE-2024-3596)"


class StaticKey(Table, kw_only=True):
    """[[fha.static_key]]: an association with a node whose AAAH derives no key, RFC 5944 section 3.2."""

    nai: Annotated[str, Meta(min_length=1, max_length=253)] | None = None  # None: every node
    spi: Annotated[int, Meta(ge=256, le=2**32 - 1)]
    key: HexKey


class Pool(Table, kw_only=True):
    """[fha.pool]: the IPv4 home addresses to lease."""

    network: IPv4Network
    cool_down_s: Annotated[int, Meta(ge=0, le=86_400)] = 30
    strategy: Literal["bitmap"] = "bitmap"
    reserved: list[IPv4Address] = field(default_factory=list)


class NamedPool(Pool, kw_only=True):
    """[[fha.pools]]: a further pool, for those whom the AAAH names it for (RFC 2869 section 5.18)."""

    name: PoolName


class Fha(Table, kw_only=True):
    """[fha]: the foreign home agent."""

    listen: Endpoint
    address: IPv4Address | None = None  # None: that of `listen`
    nas_identifier: Name = "fha1.access.example"
    ipv6_prefix: IPv6Network = IPv6Network("2001:db8:f:1::/64")
    max_lifetime_s: Lifetime = 1800
    identification_window_s: Window = 7
    replay_protection: ReplayProtection = "timestamps"  # that new keys are asked for with
    strict: bool = True  # False: as RFC 3344 was, reserved bits ignored
    workers: OneWorker = 1
    state: Path | None = None
    volatile: bool = False
    gso: bool = True
    aaah: list[AaahOfFha] = field(default_factory=list)
    dynamic_authorization: Endpoint | None = None  # where the servers of [[fha.aaah]] may end bindings, RFC 5176
    static_key: Annotated[list[StaticKey], Meta(max_length=255)] = field(default_factory=list)
    assigned_addresses: Annotated[int, Meta(ge=0, le=1 << 20)] = 4096  # leases of addresses in no pool
    pool: Pool
    pools: Annotated[list[NamedPool], Meta(max_length=7)] = field(default_factory=list)

    @property
    def home_agent(self) -> IPv4Address:
        """The address that mobile nodes know this agent by."""
        return self.address or self.listen.address


class Client(Shared, kw_only=True):
    """[[aaah.client]]: who may ask the AAAH, and as what."""

    network: IPv4Network
    require_message_authenticator: Literal["yes", "no", "auto"] = "yes"
    denial_code: bool = True
    chap_without_data: bool = False
    roles: Annotated[list[Literal["nas", "fha"]], Meta(min_length=1)] = field(default_factory=lambda: ["nas", "fha"])

    @property
    def forgeable(self) -> str | None:
        """What to warn about when requests need not be signed."""
        if self.require_message_authenticator == "yes":
            return None
        until = " until one is signed" if self.require_message_authenticator == "auto" else ""
        return (f"client {self.network}: requests without Message-Authenticator are served{until}, and their answers can be "
                "forged (CVE-2024-3596)")


class Aaah(Table, kw_only=True):
    """[aaah]: the home operator's RADIUS server."""

    listen: Endpoint
    accounting_listen: Endpoint | None = None
    workers: OneWorker = 1
    gso: bool = True
    subscribers: Path
    policy: Path
    state: Path = Path("aaah-state")
    volatile: bool = False
    accounting_period_s: Annotated[int, Meta(ge=1, le=7 * 86_400)] = 3600
    reject_delay_s: Annotated[float, Meta(ge=0, le=10)] = 1.0
    ipv6_home_prefix: IPv6Network = IPv6Network("2001:db8:100::/64")
    home_agent: IPv6Address = IPv6Address("2001:db8:100:0:ffff::1")
    care_of_network: IPv4Network = IPv4Network("127.64.0.0/10")
    session_timeout_s: Annotated[int, Meta(ge=60, le=2**31)] = 7200
    registration_lifetime_s: Lifetime = 1800
    key_lifetime_s: Annotated[int, Meta(ge=60, le=2**31)] = 3600
    identification_window_s: Window = 7
    replay_protection: Annotated[list[ReplayProtection], Meta(min_length=1)] = field(
        default_factory=lambda: ["timestamps", "nonces"])  # that new keys may have
    client: list[Client] = field(default_factory=list)


class Document(Table, kw_only=True):
    """A configuration file; one file may serve both roles."""

    fha: Fha | None = None
    aaah: Aaah | None = None
    log: LogTable = field(default_factory=LogTable)
    control: ControlTable | None = None
    metrics: MetricsTable | None = None


class FhaChoice(Table, kw_only=True):
    """[[fha]] of the policy: an FHA, and whom it is given to."""

    address: IPv4Address
    weight: Annotated[int, Meta(ge=1, le=1_000_000)] = 1
    healthy: bool = True
    classes: list[str] = field(default_factory=list)           # subscription classes; none: every class
    nas_identifiers: list[Name] = field(default_factory=list)  # patterns with * and ?; none: every NAS
    pool: PoolName | None = None                               # which of its pools it shall lease from


class Policy(Table, kw_only=True):
    """The AAAH's choice of FHA, by location and subscription."""

    fha: list[FhaChoice] = field(default_factory=list)


def load_fha(path: str | Path) -> Fha:
    """The [fha] of a file, checked; relative paths in it start at the file's folder."""
    file, text = Path(path), text_of(path)
    fha = decoded(text, file, Document).fha
    if fha is None:
        raise ConfigurationError(f"{file}: has no table [fha]")
    check_state(fha, text, file)
    check_addresses(fha, text, file)
    if not fha.aaah:
        raise fault(text, file, "fha", "has no server to ask; it needs at least one [[fha.aaah]]")
    check_servers(fha.aaah, text, file)
    settle_secrets(fha.aaah, text, file, "fha.aaah")
    if fha.static_key:
        read_private(file)
    for i, known in enumerate(fha.static_key):
        if known.nai and len(known.nai.encode()) > NAI_LONGEST:
            raise fault(text, file, f"fha.static_key[{i}].nai", f"more than {NAI_LONGEST} octets")
    return fha


def load_aaah(path: str | Path) -> Aaah:
    """The [aaah] of a file, checked; relative paths in it start at the file's folder."""
    file, text = Path(path), text_of(path)
    aaah = decoded(text, file, Document).aaah
    if aaah is None:
        raise ConfigurationError(f"{file}: has no table [aaah]")
    check_home(aaah, text, file)
    check_clients(aaah.client, text, file)
    settle_secrets(aaah.client, text, file, "aaah.client")
    aaah.subscribers, aaah.policy = file.parent / aaah.subscribers, file.parent / aaah.policy
    aaah.state = file.parent / aaah.state
    return aaah


def load_operation(path: str | Path) -> Operation:
    """[log], [control] and [metrics] of a server's file; the socket's path starts at the file's folder."""
    file, text = Path(path), text_of(path)
    document = decoded(text, file, Document)
    return Operation(log_format=document.log.format,
                     control=file.parent / document.control.socket if document.control else None,
                     metrics=document.metrics.listen if document.metrics else None)


def load_policy(path: str | Path) -> Policy:
    """The policy file, which the AAAH reads again when it is told to."""
    file, text = Path(path), text_of(path)
    policy = decoded(text, file, Policy)
    if not any(choice.healthy for choice in policy.fha):
        raise ConfigurationError(f"{file}: names no healthy FHA; it needs at least one [[fha]] with healthy = true")
    if len(policy.fha) > MOST_CHOICES:
        raise fault(text, file, f"fha[{MOST_CHOICES}]", f"more than {MOST_CHOICES} FHAs")
    for i, choice in enumerate(policy.fha):
        if len("\n".join(choice.nas_identifiers)) > PATTERNS:
            raise fault(text, file, f"fha[{i}].nas_identifiers", f"more than {PATTERNS} octets in all")
    return policy


def weaknesses(tables: Sequence[Shared]) -> list[str]:
    """What to warn about when the server starts."""
    weak = [table.secret.weakness for table in tables if table.secret and table.secret.weakness]
    return weak + [warning for table in tables if isinstance(table, AaahOfFha | Client) and (warning := table.forgeable)]


def check_state(fha: Fha, text: str, file: Path) -> None:
    """A server that acknowledges only what it will remember needs a folder to remember it in."""
    if fha.state is not None:
        fha.state = file.parent / fha.state
    elif not fha.volatile:
        raise fault(text, file, "fha", "needs `state` for its journal, or `volatile = true` to forget all on exit")


def check_addresses(fha: Fha, text: str, file: Path) -> None:
    """The agent's own address is one that nodes can use, and no node ever leases it."""
    own = fha.home_agent
    if own.is_unspecified or own.is_multicast:
        raise fault(text, file, "fha.address", f"mobile nodes cannot reach {own}; set it to this agent's own address")
    check_pool(fha.pool, "fha.pool", own, text, file)
    before = [("default", fha.pool.network)]
    for i, pool in enumerate(fha.pools):
        check_pool(pool, f"fha.pools[{i}]", own, text, file)
        for name, network in before:
            if pool.name == name:
                raise fault(text, file, f"fha.pools[{i}].name", f"there is a pool {name!r} already")
            if pool.network.overlaps(network):
                raise fault(text, file, f"fha.pools[{i}].network", f"{pool.network} overlaps {network} of the pool {name!r}")
        before.append((pool.name, pool.network))
    if fha.ipv6_prefix.prefixlen > 96:
        raise fault(text, file, "fha.ipv6_prefix", "must leave 32 bits for the IPv4 home address (/96 or shorter)")


def check_pool(pool: Pool, where: str, own: IPv4Address, text: str, file: Path) -> None:
    if own in pool.network:
        raise fault(text, file, f"{where}.network", f"{pool.network} contains the FHA's own address {own}")
    if pool.network.prefixlen < 8 or pool.network.is_multicast:
        raise fault(text, file, f"{where}.network", f"{pool.network} is not a network of unicast addresses, /8 to /32")
    for i, reserved in enumerate(pool.reserved):
        if reserved not in pool.network:
            raise fault(text, file, f"{where}.reserved[{i}]", f"{reserved} is not in the pool {pool.network}")


def check_servers(servers: Sequence[AaahOfFha], text: str, file: Path) -> None:
    if len(servers) > MOST_SERVERS:
        raise fault(text, file, f"fha.aaah[{MOST_SERVERS}]", f"more than {MOST_SERVERS} servers")
    for i, server in enumerate(servers):
        if not server.address.port or server.address.address.is_unspecified:
            raise fault(text, file, f"fha.aaah[{i}].address", f"nobody can be asked at {server.address}")
        if server.address in (before.address for before in servers[:i]):
            raise fault(text, file, f"fha.aaah[{i}].address", f"{server.address} is listed twice")


def check_home(aaah: Aaah, text: str, file: Path) -> None:
    """Subscriber i has the home address prefix + 1 + i, and the home agent's own is none of those."""
    prefix = aaah.ipv6_home_prefix
    if prefix.prefixlen > 96:
        raise fault(text, file, "aaah.ipv6_home_prefix", "must leave 32 bits for the subscriber (/96 or shorter)")
    if 0 <= int(aaah.home_agent) - int(prefix.network_address) <= 2**32:
        raise fault(text, file, "aaah.home_agent", f"{aaah.home_agent} is among the home addresses of subscribers")


def check_clients(clients: list[Client], text: str, file: Path) -> None:
    if not clients:
        raise fault(text, file, "aaah", "has no client; it needs at least one [[aaah.client]]")
    if len(clients) > MOST_CLIENTS:
        raise fault(text, file, f"aaah.client[{MOST_CLIENTS}]", f"more than {MOST_CLIENTS} clients")
    for i, client in enumerate(clients):
        if client.network in (before.network for before in clients[:i]):
            raise fault(text, file, f"aaah.client[{i}].network", f"{client.network} is listed twice")


def settle_secrets(tables: Sequence[Shared], text: str, file: Path, name: str) -> None:
    """Reads the files of secrets. A configuration that holds secrets itself must not be readable by everyone."""
    for i, table in enumerate(tables):
        if (table.secret is None) == (table.secret_file is None):
            raise fault(text, file, f"{name}[{i}]", "needs either `secret` or `secret_file`")
        if table.secret_file is not None:
            table.secret = read_secret(file.parent / table.secret_file)
        else:
            read_private(file)
