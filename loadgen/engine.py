"""The fleet on real sockets: opens them, drives it, keeps the user informed, ends when it is done or told to."""
from __future__ import annotations

import asyncio
import os
import resource
import signal
import socket
import sys
import time
from collections.abc import Callable
from ipaddress import IPv4Address
from types import TracebackType

from loadgen.fleet import Fleet
from loadgen.pacer import Pacer
from loadgen.plan import IDENTIFIERS, Expectation, Plan, Target, under_way
from loadgen.result import percentile_ms
from loadgen.status import Snapshot, Status
from servers.net.mmsg import Socket
from servers.net.tape import Tape
from servers.net.udp import BUFFER, Driver, open_socket

LOOK_EVERY_S = 0.1              # status, children, the end
DRAIN_S = 3.0                   # after an interrupt, for what is under way
RELEASE_S = 10.0                # and for nodes that stay to give back what they hold
FOREVER = 2**62                 # bootstraps, when only the duration limits
NS = 1_000_000_000
INTERRUPTS = (signal.SIGINT, signal.SIGTERM)


class Engine:
    """One run: `with Engine(plan, target) as engine`, then `await engine.run(...)` once per phase."""

    def __init__(self, plan: Plan, target: Target) -> None:
        self.plan = plan
        self.pacer = Pacer(plan.nodes, plan.seed, plan.rate)
        ports, nearest = source_ports(plan), target.radius or target.mip4
        assert nearest is not None
        own = local_address(str(nearest.address))
        self.fleet = Fleet(target.subscribers, self.pacer, ports=ports, capacity=ports * IDENTIFIERS,
                           now=time.monotonic_ns(), total=plan.nodes, concurrency=plan.concurrency or 0,
                           access_only=plan.steps == "access", tries=plan.tries,
                           first_timeout_ms=int(plan.mip4_timeout_s * 1000), lifetime_s=plan.lifetime_s, nas_address=own.packed)
        for endpoint, secret in target.aaahs if plan.steps != "registration" else ():
            self.fleet.set_aaa(endpoint.address.packed, endpoint.port, secret.octets, tries=plan.tries,
                               first_timeout_ms=int(plan.radius_timeout_s * 1000),
                               message_authenticator=target.message_authenticator)
        if target.mip4:
            self._expect(target.mip4.port, target.expected)
            if plan.steps == "registration":
                self.fleet.skip_access(target.mip4.address.packed, plan.care_of.network_address.packed)
        self.fleet.stay(int(plan.hold_s * NS), plan.renew, plan.release)
        self.sockets = open_sockets(plan, ports, str(own))
        self.tape = Tape(plan.pcap, [s.address for s in self.sockets]) if plan.pcap else None
        self.driver: Driver | None = None
        self.interrupted = False

    def _expect(self, port: int, expected: Expectation | None) -> None:
        """What servers of ours must answer is known; of anyone else's only the port is."""
        if expected is None:
            self.fleet.set_fha(port)
            return
        self.fleet.set_fha(port, ipv6_prefix=expected.ipv6_prefix.network_address.packed,
                           home_agent=expected.home_agent.packed, pool=int(expected.pool.network_address),
                           pool_size=expected.pool.num_addresses)

    def __enter__(self) -> Engine:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None,
                 trace: TracebackType | None) -> None:
        if self.driver:
            self.driver.close()
        for s in self.sockets:
            s.close()
        if self.tape:
            self.tape.close()
            if self.tape.error:
                print(f"mipstorm: --pcap {self.tape.path}: ends after {self.tape.written} datagrams: "
                      f"{os.strerror(self.tape.error)}", file=sys.stderr)

    def attach(self) -> None:
        """Joins the fleet to the running loop; SIGINT and SIGTERM then stop the load, a second one at once."""
        loop = asyncio.get_running_loop()
        self.driver = Driver(self.fleet, self.sockets, loop, tape=self.tape)
        for number in INTERRUPTS:
            loop.add_signal_handler(number, self._interrupt)

    def _interrupt(self) -> None:
        if self.interrupted:
            raise KeyboardInterrupt
        self.interrupted = True
        self.fleet.stop()
        if self.driver:
            self.driver.pump.on_timer()                              # whoever stays leaves now

    async def run(self, bootstraps: int, duration_s: float, skip: int, status: Status, check: Callable[[], None]) -> None:
        """Starts so many bootstraps, or those that begin within the duration (0: no limit), and sees them end."""
        assert self.driver is not None
        self.fleet.limit(bootstraps, int(duration_s * NS))
        self.fleet.start(time.monotonic_ns(), skip)
        self.driver.pump.on_timer()
        drained_by, total = 0.0, None if duration_s else bootstraps
        while not self.fleet.done and not (drained_by and time.monotonic() > drained_by):
            await asyncio.sleep(LOOK_EVERY_S)
            check()
            status.update(self.snapshot(total))
            if self.interrupted and not drained_by:
                drained_by = time.monotonic() + (RELEASE_S if self.plan.release else DRAIN_S)

    def snapshot(self, total: int | None) -> Snapshot:
        _, succeeded, failed, timed_out = self.fleet.tallies()["bootstrap"]
        elapsed = max((time.monotonic_ns() - self.fleet.first_start) / NS, 1e-9)
        loading = self.duration_s() if self.fleet.bootstrapped else elapsed
        return Snapshot(done=succeeded + failed + timed_out, total=total, succeeded=succeeded, failed=failed,
                        timed_out=timed_out, in_flight=self.fleet.in_flight, rate=succeeded / loading,
                        p99_ms=percentile_ms(self.fleet.latencies()["bootstrap"], 0.99), elapsed_s=elapsed,
                        holding=self.fleet.holding)

    def drops(self) -> int:
        """Datagrams that the kernel dropped at our sockets so far."""
        return sum(s.drops for s in self.sockets)

    def duration_s(self) -> float:
        """From the first intended send to the last success (ruling 27); without a success, to now."""
        end = self.fleet.last_success or time.monotonic_ns()
        return max(end - self.fleet.first_start, 1) / NS if self.fleet.first_start else 0.0


def source_ports(plan: Plan) -> int:
    """Enough identifiers for all that may be under way at once, and few sockets where that is little."""
    return max(4, -(-under_way(plan) // IDENTIFIERS))


def open_sockets(plan: Plan, ports: int, address: str) -> list[Socket]:
    """The NAS's RADIUS ports, then the one socket that registrations leave through, from every node's own address."""
    size, made = plan.receive_buffer or BUFFER, []
    try:
        for k in range(ports):
            made.append(open_socket(address, 0, index=k, receive_buffer=size, gro=True, gso=plan.offload))
        made.append(open_socket("0.0.0.0", 0, index=ports, receive_buffer=size, pktinfo=True))
    except OSError:
        for s in made:
            s.close()
        raise
    return made


def local_address(target: str) -> IPv4Address:
    """The address of ours that packets to the target leave from; nothing is sent."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.connect((target, 9))
        return IPv4Address(probe.getsockname()[0])


def own_cpu_s() -> float:
    spent = resource.getrusage(resource.RUSAGE_SELF)
    return spent.ru_utime + spent.ru_stime
