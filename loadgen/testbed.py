"""A private testbed: an AAAH and an FHA of our own on loopback, with ports, subscribers and secrets of this run only."""
from __future__ import annotations

import secrets
import tempfile
from ipaddress import IPv4Address, IPv6Address, IPv6Network
from pathlib import Path
from types import TracebackType

from loadgen.plan import Plan, Target, Testbed
from servers.secrets_file import Secret
from servers.supervisor import Child
from servers.tables import subscribers_csv

HOST = IPv4Address("127.0.0.1")
CARE_OF = "127.64.0.0/10"
CLIENTS = "127.0.0.0/9"
IPV6_PREFIX = IPv6Network("2001:db8:f:1::/64")
HOME_PREFIX = IPv6Network("2001:db8:100:1::/64")
HOME_AGENT = IPv6Address("2001:db8:100::1")

AAAH = """[aaah]
listen = "{host}:0"
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
listen = "{host}:0"
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


class RunningTestbed:
    """`with RunningTestbed(plan) as testbed:` - both servers run inside; afterwards nothing is left but `--state`."""

    def __init__(self, plan: Plan) -> None:
        assert plan.testbed is not None
        self.plan, self.wanted = plan, plan.testbed
        self.children: list[Child] = []
        self.secret = Secret(secrets.token_hex(16).encode())
        self.subscribers = subscribers_csv.generate(plan.nodes)
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

    def stop(self) -> None:
        """Both servers drain and report."""
        for child in self.children:
            child.stop()

    @property
    def target(self) -> Target:
        aaah, fha = (child.endpoint for child in self.children)
        assert aaah is not None
        return Target(aaah, fha, self.secret, self.subscribers)

    def _start(self) -> None:
        subscribers_csv.write(self.subscribers, self.folder / "subscribers.csv")
        self._write("policy.toml", POLICY, self.wanted)
        aaah = self._child("aaah", AAAH, "")
        self._child("fha", FHA, str(aaah.wait_ready())).wait_ready()

    def _child(self, role: str, template: str, aaah: str) -> Child:
        config = self._write(f"{role}.toml", template, self.wanted, aaah)
        child = Child(role, config, self.folder / f"{role}.log", self.plan.receive_buffer)
        self.children.append(child)
        return child

    def _write(self, name: str, template: str, wanted: Testbed, aaah: str = "") -> Path:
        path = self.folder / name
        state = (wanted.state or self.folder / "fha-state").absolute()
        path.write_text(template.format(
            host=HOST, offload=str(self.plan.offload).lower(), home_prefix=HOME_PREFIX, home_agent=HOME_AGENT, care_of=CARE_OF,
            clients=CLIENTS, secret=self.secret.octets.decode(), ipv6_prefix=IPV6_PREFIX,
            max_lifetime_s=wanted.max_lifetime_s, volatile=str(wanted.volatile).lower(), state=state, aaah=aaah,
            pool=wanted.pool, cool_down_s=wanted.cool_down_s))
        path.chmod(0o600)
        return path

    def _clean_up(self) -> None:
        """Whoever wants the servers' reports has called `stop` before."""
        for child in self.children:
            child.kill()
        self.temporary.cleanup()
