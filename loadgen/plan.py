"""What a run shall do: every option parsed, every file read, every target looked at."""
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from ipaddress import IPv4Network, IPv6Address, IPv6Network
from pathlib import Path
from typing import Literal

from loadgen.errors import UsageError
from loadgen.verdict import MaxFailures
from servers import failpoint
from servers.endpoint import Endpoint
from servers.secrets_file import Secret
from servers.tables.subscribers_csv import Subscribers

SCENARIOS = ("integrated-colocated",)
Steps = Literal["access", "registration", "all"]
MessageAuthenticator = Literal["yes", "no", "auto"]  # whether RADIUS answers need one; auto: once seen, for ever
MOST_AAAHS = 8
IDENTIFIERS = 256              # of a source port, RFC 2865 3
MOST_UNDER_WAY = 32 * IDENTIFIERS
MOST_TRIES = 16                # Identifications that a node keeps of its request
LONGEST_INTERVAL_S = 16.0      # between two transmissions, RFC 5080 2.2.1 (MRT)
JITTER = 1.1                   # of those intervals, at most
LIFETIME_S = 1800
CARE_OF = IPv4Network("127.64.0.0/10")

LOOPBACK = IPv4Network("127.0.0.0/8")
NOT_UNICAST = (IPv4Network("0.0.0.0/8"), IPv4Network("240.0.0.0/4"))  # RFC 1122 3.2.1.3, RFC 1112 4


@dataclass(frozen=True)
class Expectation:
    """What replies must say, where the servers are known to be ours."""

    pool: IPv4Network
    ipv6_prefix: IPv6Network       # of care-of addresses
    home_agent: IPv6Address


@dataclass(frozen=True)
class Target:
    """Servers that already run."""

    radius: Endpoint | None        # the AAAH; None when only registration is asked for
    mip4: Endpoint | None          # the FHA; None when only access is asked for
    secret: Secret | None          # shared with the AAAH
    subscribers: Subscribers       # node i of the run is row i
    standby: tuple[tuple[Endpoint, Secret], ...] = ()  # other AAAHs, asked when the one before does not answer
    message_authenticator: MessageAuthenticator = "yes"
    expected: Expectation | None = None
    relaxed: tuple[str, ...] = ()  # what these servers do not do

    @property
    def aaahs(self) -> list[tuple[Endpoint, Secret]]:
        """In order of preference; none when only registration is asked for."""
        return [(self.radius, self.secret), *self.standby] if self.radius and self.secret else []


@dataclass(frozen=True)
class Testbed:
    """The private servers of `bench` and `up`."""

    nodes: int                     # subscribers to make
    pool: IPv4Network
    cool_down_s: int
    max_lifetime_s: int
    state: Path | None             # None: a private temporary folder, removed at the end
    volatile: bool                 # no journal; `relaxed` must say so
    offload: bool = True           # runs of equal datagrams leave as one (UDP_SEGMENT)
    receive_buffer: int | None = None
    radius_port: int = 0           # 0: any that is free
    mip4_port: int = 0
    watched: bool = False          # with control sockets

    @property
    def relaxed(self) -> tuple[str, ...]:
        """What these servers do not do that production servers would."""
        return (*(["no fsync"] if self.volatile else []), "no reject delay", *failpoint.relaxed())


@dataclass(frozen=True)
class Plan:
    """Exactly one of `rate` and `concurrency` is set, and exactly one of `target` and `testbed`."""

    command: tuple[str, ...]       # as typed, for the result document
    nodes: int
    rate: float | None             # bootstraps a second, open loop
    concurrency: int | None        # nodes at once, closed loop
    duration_s: float | None       # None: every node once; else nodes start over, in the same order, until then
    seed: int
    scenario: str
    steps: Steps
    warm_up_s: float               # bootstraps begun earlier are not counted
    tries: int                     # transmissions of a request before it has timed out
    radius_timeout_s: float        # before the first retransmission
    mip4_timeout_s: float
    goal: MaxFailures
    target: Target | None
    testbed: Testbed | None
    own_network: bool              # the user answers for targets off loopback
    offload: bool                  # runs of equal datagrams leave as one (UDP_SEGMENT)
    receive_buffer: int | None     # octets to ask for at each socket; None: as much as is granted
    json: str | None               # file, or "-" for standard output
    quiet: bool
    verbose: bool
    warnings: tuple[str, ...] = ()  # to be shown before the run
    care_of: IPv4Network = CARE_OF  # of nodes that register without access: this network + 1 + their place
    lifetime_s: int = LIFETIME_S   # that the nodes ask for
    hold_s: float = 0.0             # that a node stays after its bootstrap
    renew: bool = False            # while it stays
    release: bool = False          # when it has stayed
    pcap: str | None = None        # file for what is sent and received
    max_packets: int | None = None  # requests that a closed loop may make in all, first transmissions


def under_way(plan: Plan) -> int:
    """Bootstraps to have room for: in an open loop all that begin until the first has had its last try, in a closed one
    twice as many as there are at once."""
    if plan.concurrency:
        return min(2 * plan.concurrency, MOST_UNDER_WAY)
    assert plan.rate is not None
    return min(plan.nodes, math.ceil(plan.rate * patience_s(plan)), MOST_UNDER_WAY)


def patience_s(plan: Plan) -> float:
    """The longest that a bootstrap may take before it has timed out."""
    firsts = {"access": [plan.radius_timeout_s], "registration": [plan.mip4_timeout_s]}
    asked = firsts.get(plan.steps, [plan.radius_timeout_s, plan.mip4_timeout_s])
    return JITTER * sum(min(math.ldexp(first, k), max(first, LONGEST_INTERVAL_S)) for first in asked for k in range(plan.tries))


def check_targets(endpoints: Sequence[Endpoint], own_network: bool) -> None:
    """RFC 6815: load tests stay in networks of one's own."""
    for endpoint in endpoints:
        address = endpoint.address
        if not endpoint.port:
            raise UsageError(f"{endpoint}: port 0 is no target")
        if address.is_unspecified or address.is_multicast or address.is_reserved:
            raise UsageError(f"{endpoint}: {address} is no address of a server")
        if address not in LOOPBACK and not own_network:
            raise UsageError(f"{endpoint} is not on loopback; if that network is yours, add --i-own-this-network")


def check_pool(pool: IPv4Network, nodes: int) -> str | None:
    """UsageError when it cannot be one; a warning when it is too small for the fleet."""
    if pool.overlaps(LOOPBACK):
        raise UsageError(f"--pool {pool} contains the FHA's own address (the testbed lives in {LOOPBACK})")
    if pool.is_multicast or pool.prefixlen < 8 or any(pool.overlaps(other) for other in NOT_UNICAST):
        raise UsageError(f"--pool {pool} is not a network of unicast addresses, /8 to /32")
    usable = pool.num_addresses - (2 if pool.prefixlen < 31 else 0)  # the first and the last are never leased
    if usable >= nodes:
        return None
    return f"the pool {pool} has {usable} addresses for {nodes} nodes: {nodes - usable} bootstraps will fail"


def check_care_of(care_of: IPv4Network, nodes: int, fha: Endpoint) -> None:
    """Nodes that register without access need addresses of this machine that the FHA's replies come back to."""
    if care_of.num_addresses < nodes + 2:
        raise UsageError(f"--care-of {care_of} has no room for {nodes} nodes")
    if care_of.overlaps(LOOPBACK) != (fha.address in LOOPBACK):
        raise UsageError(f"{fha} cannot answer to {care_of}; give --care-of a network that reaches this machine")


def check_packets(plan: Plan, most: int) -> Plan:
    """More requests than `most` are refused beforehand; where their number is not known, the load ends there."""
    steps = 2 if plan.steps == "all" else 1
    if plan.duration_s is None or plan.rate is not None:
        bootstraps = plan.nodes if plan.duration_s is None or plan.rate is None else int(plan.rate * plan.duration_s)
        if bootstraps * steps > most:
            raise UsageError(f"{bootstraps} bootstraps are {bootstraps * steps} packets and more; --max-packets allows {most}")
    return replace(plan, max_packets=most)


def check_output(option: str, target: str | None) -> None:
    """Finds out before the run, not after it, that what the option asks for could not be written."""
    if target is None or target == "-":
        return
    path = Path(target)
    try:
        existed = path.exists()
        with path.open("ab"):
            pass
        if not existed:
            path.unlink()
    except OSError as error:
        raise UsageError(f"{option} {target}: cannot be written: {error.strerror}") from None
