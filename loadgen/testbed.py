"""A private testbed: an AAAH and an FHA of our own on loopback, with ports, subscribers and secrets of this run only."""
from __future__ import annotations

import os
import secrets
import tempfile
from collections.abc import Callable
from ipaddress import IPv4Address, IPv6Address, IPv6Network
from pathlib import Path
from types import TracebackType

from fastcodec.dictionary import default
from fastcodec.radius import OUR_VENDOR
from loadgen import testbed_document as document
from loadgen.plan import CARE_OF, Expectation, Target, Testbed
from servers.secrets_file import Secret
from servers.supervisor import Child
from servers.tables import subscribers_csv

HOST = IPv4Address("127.0.0.1")
CLIENTS = "127.0.0.0/9"
IPV6_PREFIX = IPv6Network("2001:db8:f:1::/64")
HOME_PREFIX = IPv6Network("2001:db8:100:1::/64")
HOME_AGENT = IPv6Address("2001:db8:100::1")

AAAH = """[aaah]
listen = "{host}:{port}"
gso = {offload}
subscribers = "subscribers.csv"
policy = "policy.toml"
state = "aaah-state"
volatile = {volatile}
reject_delay_s = 0
ipv6_home_prefix = "{home_prefix}"
home_agent = "{home_agent}"
care_of_network = "{care_of}"
[[aaah.client]]
network = "{clients}"
secret = "{secret}"
"""
POLICY = """[[fha]]
address = "{host}"
"""
FHA = """[fha]
listen = "{host}:{port}"
gso = {offload}
ipv6_prefix = "{ipv6_prefix}"
max_lifetime_s = {max_lifetime_s}
volatile = {volatile}
state = "{state}"
[[fha.aaah]]
address = "{aaah}"
secret = "{secret}"
[fha.pool]
network = "{pool}"
cool_down_s = {cool_down_s}
"""
CONTROL = """[control]
socket = "{role}.control"
"""


class RunningTestbed:
    """`with RunningTestbed(wanted) as testbed:` - both servers run inside; afterwards nothing is left but `--state`."""

    def __init__(self, wanted: Testbed) -> None:
        self.wanted = wanted
        self.children: list[Child] = []
        self.is_fresh = wanted.state is None or not wanted.state.is_dir() or not any(wanted.state.iterdir())
        self.secret = Secret(secrets.token_hex(16).encode())
        self.subscribers = subscribers_csv.generate(wanted.nodes)
        self.temporary = tempfile.TemporaryDirectory(prefix="mipstorm-", ignore_cleanup_errors=True)
        self.folder = Path(self.temporary.name)

    def __enter__(self) -> RunningTestbed:
        try:
            self._start()
        except BaseException:
            self._clean_up()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None,
                 trace: TracebackType | None) -> None:
        self._clean_up()

    def stop(self, take: Callable[[dict[str, str]], None] = lambda leases: None) -> None:
        """Both servers drain and report; `take` gets the leases, see `Child.stop`."""
        for child in self.children:
            child.stop(take)

    def check(self) -> None:
        """Raises ChildDied when a server is not there any more."""
        for child in self.children:
            child.check()

    @property
    def target(self) -> Target:
        aaah, fha = (child.endpoint for child in self.children)
        return Target(aaah, fha, self.secret, self.subscribers, expected=self.expected, relaxed=self.wanted.relaxed)

    @property
    def expected(self) -> Expectation:
        return Expectation(self.wanted.pool, IPV6_PREFIX, HOME_AGENT)

    def describe(self) -> document.Testbed:
        """The testbed document. It holds the secret."""
        aaah, fha = self.children
        return document.Testbed(
            pid=os.getpid(), vendor=default().vendors[OUR_VENDOR].number,
            radius_clients=[document.Client(CLIENTS, self.secret.octets.decode())],
            servers=document.Servers(
                document.Aaah(str(aaah.endpoint), [aaah.pid], self._control(aaah), str(HOME_AGENT)),
                document.Fha(str(fha.endpoint), [fha.pid], self._control(fha), str(IPV6_PREFIX))),
            pools=[document.Network(str(self.wanted.pool))], care_of_networks=[str(CARE_OF)],
            subscribers=document.Subscribers(str(self.folder / "subscribers.csv"), len(self.subscribers)),
            relaxed=list(self.wanted.relaxed))

    def _control(self, child: Child) -> str | None:
        return str(self.folder / f"{child.role}.control") if self.wanted.watched else None

    def _start(self) -> None:
        subscribers_csv.write(self.subscribers, self.folder / "subscribers.csv")
        self._write("policy.toml", POLICY)
        aaah = self._child("aaah", AAAH, port=self.wanted.radius_port)
        self._child("fha", FHA, port=self.wanted.mip4_port, aaah=str(aaah.wait_ready())).wait_ready()

    def _child(self, role: str, template: str, **values: object) -> Child:
        config = self._write(f"{role}.toml", template + (CONTROL if self.wanted.watched else ""), role=role, **values)
        child = Child(role, config, self.folder / f"{role}.log", self.wanted.receive_buffer)
        self.children.append(child)
        return child

    def _write(self, name: str, template: str, **values: object) -> Path:
        path, wanted = self.folder / name, self.wanted
        state = (wanted.state or self.folder / "fha-state").absolute()
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with open(descriptor, "w", encoding="utf-8") as file:
            file.write(template.format(
                host=HOST, offload=str(wanted.offload).lower(), home_prefix=HOME_PREFIX, home_agent=HOME_AGENT,
                care_of=CARE_OF, clients=CLIENTS, secret=self.secret.octets.decode(), ipv6_prefix=IPV6_PREFIX,
                max_lifetime_s=wanted.max_lifetime_s, volatile=str(wanted.volatile).lower(), state=state,
                pool=wanted.pool, cool_down_s=wanted.cool_down_s, **values))
        return path

    def _clean_up(self) -> None:
        """Whoever wants the servers' reports has called `stop` before."""
        for child in self.children:
            child.kill()
        self.temporary.cleanup()
