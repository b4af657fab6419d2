"""What this machine offers: each function looks at one thing and says it in one line."""
from __future__ import annotations

import ctypes
import importlib.util
import os
import platform
import shutil
import socket
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from fastcodec.digest import widths
from servers.net.udp import BUFFER, open_socket

SOL_UDP, UDP_SEGMENT, UDP_GRO = 17, 103, 104      # linux/udp.h
CLONE_NEWUSER, CLONE_NEWNET = 0x10000000, 0x40000000
LANES = {16: "SSE2 or NEON", 32: "AVX2", 64: "AVX-512"}
PEERS = ("freeradius", "radclient", "tshark", "perf")
EXTRAS = {"prometheus_client": "metrics"}
SYNCS = 20


@dataclass(frozen=True)
class Finding:
    good: bool
    name: str
    text: str


def number(path: str) -> int | None:
    """A kernel setting."""
    try:
        return int(Path(path).read_text().split()[0])
    except (OSError, ValueError):
        return None


def cores() -> Finding:
    usable, there = len(os.sched_getaffinity(0)), os.cpu_count() or 1
    text = f"{usable} of {there} usable, Linux {platform.release()}, Python {platform.python_version()}"
    return Finding(usable > 1, "cores", text + ("" if usable > 1 else "; servers and load share one: they limit each other"))


def lanes() -> Finding:
    have = sorted(width for width in widths() if width > 1)         # 1: no vectors
    named = ", ".join(f"{w} octets ({LANES.get(w, '?')})" for w in have)
    return Finding(have[-1] > 16, "digest lanes", f"vectors of {named}")


def receive_buffer() -> Finding:
    made = open_socket("127.0.0.1", 0)
    granted, limit = made.receive_buffer, number("/proc/sys/net/core/rmem_max")
    made.close()
    if granted >= BUFFER:
        return Finding(True, "receive buffer", f"{granted >> 10} KiB granted")
    return Finding(False, "receive buffer", f"{granted >> 10} KiB granted of {BUFFER >> 10}; bursts are dropped sooner. "
                   f"As root: sysctl -w net.core.rmem_max={BUFFER} (now {limit})")


def udp_offload() -> Finding:
    """Three datagrams sent as one buffer must arrive as three, or as one that says how it is cut."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as inbox, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as out:
        inbox.bind(("127.0.0.1", 0))
        inbox.settimeout(1.0)
        try:
            inbox.setsockopt(SOL_UDP, UDP_GRO, 1)
            out.setsockopt(SOL_UDP, UDP_SEGMENT, 100)
            out.sendto(bytes(300), inbox.getsockname())
            octets, notes, _, _ = inbox.recvmsg(65536, 64)
        except OSError as error:
            return Finding(False, "UDP GSO and GRO", f"not there ({error.strerror or error}): every datagram costs a whole trip "
                           "through the kernel")
    return Finding(len(octets) == 300 and bool(notes), "UDP GSO and GRO",
                   "runs of datagrams travel as one buffer" if notes else "sent as one buffer, received one by one")


def care_of_addresses() -> Finding:
    try:
        open_socket("127.64.0.1", 0).close()
    except OSError as error:
        return Finding(False, "care-of addresses", f"127.64.0.0/10 cannot be used: {error}")
    return Finding(True, "care-of addresses", "any of 127.64.0.0/10 without configuration")


def low_ports() -> Finding:
    first = number("/proc/sys/net/ipv4/ip_unprivileged_port_start")
    capabilities = int(next(line.split()[1] for line in Path("/proc/self/status").read_text().splitlines()
                            if line.startswith("CapEff:")), 16)
    if capabilities >> 10 & 1 or (first is not None and first <= 434):  # CAP_NET_BIND_SERVICE
        return Finding(True, "port 434", "may be used")
    return Finding(False, "port 434", "needs root or CAP_NET_BIND_SERVICE; mipstorm bench and up take free ports instead")


def disk() -> Finding:
    """How long one fdatasync takes, where temporary journals go."""
    times = []
    with tempfile.TemporaryFile() as file:
        for _ in range(SYNCS):
            file.write(bytes(4096))
            file.flush()
            began = time.perf_counter()
            os.fdatasync(file.fileno())
            times.append(time.perf_counter() - began)
    middle = sorted(times)[SYNCS // 2] * 1000
    text = f"a synced write in {tempfile.gettempdir()} takes {middle:.2f} ms"
    if middle < 0.02:
        return Finding(False, "journal", text + ": memory, not a disk; nothing there survives a power cut")
    slow = "; each registration waits for one (--state DIR elsewhere, or --volatile)"
    return Finding(middle < 5, "journal", text + ("" if middle < 5 else slow))


def memory() -> Finding:
    have = {line.split(":")[0]: int(line.split()[1]) for line in Path("/proc/meminfo").read_text().splitlines()}
    free = have["MemAvailable"] >> 10
    return Finding(free >= 1024, "memory", f"{free} MiB available")


def namespaces() -> Finding:
    """Tried in a child, so that this process stays where it is."""
    child = os.fork()
    if not child:
        libc = ctypes.CDLL(None, use_errno=True)
        os._exit(0 if libc.unshare(CLONE_NEWUSER | CLONE_NEWNET) == 0 else ctypes.get_errno() or 1)
    failed = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    return Finding(not failed, "network namespaces", "may be made" if not failed else f"may not be made: {os.strerror(failed)}")


def tun() -> Finding:
    try:
        os.close(os.open("/dev/net/tun", os.O_RDWR))
    except OSError as error:
        return Finding(False, "TUN", f"/dev/net/tun cannot be opened: {error.strerror}")
    return Finding(True, "TUN", "/dev/net/tun can be opened")


def profiling() -> Finding:
    level = number("/proc/sys/kernel/perf_event_paranoid")
    allowed = level is not None and (level <= 1 or os.geteuid() == 0)
    text = f"kernel.perf_event_paranoid is {level}"
    return Finding(allowed, "profiling", text + ("" if allowed else "; perf sees no kernel time"))


def peers() -> Finding:
    there = [p for p in PEERS if shutil.which(p, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")]
    missing = [p for p in PEERS if p not in there]
    return Finding(not missing, "other programs", listed(there, missing))


def extras() -> Finding:
    missing = [f"{name.replace('_', '-')} ({what})" for name, what in EXTRAS.items() if not importlib.util.find_spec(name)]
    there = [name.replace("_", "-") for name in EXTRAS if importlib.util.find_spec(name)]
    return Finding(not missing, "packages", f"in {sys.prefix}: {listed(there, missing)}")


def listed(there: list[str], missing: list[str]) -> str:
    return (", ".join(there) or "none") + (f"; not there: {', '.join(missing)}" if missing else "")


FINDINGS: tuple[Callable[[], Finding], ...] = (
    cores, lanes, memory, receive_buffer, udp_offload, care_of_addresses, low_ports, disk, namespaces, tun, profiling, peers,
    extras)
