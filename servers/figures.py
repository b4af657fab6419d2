"""What a running server tells of itself: counters, gauges and what the process uses. No names, no addresses of nodes."""
from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any, Protocol

SCHEMA = "mipstorm.stats/1"
FRESH_S = 0.25                 # asked more often, the same figures are given again: gauges walk tables
PAGE = os.sysconf("SC_PAGE_SIZE")


class Told(Protocol):
    """A server, as far as its figures go."""

    name: str
    role: Any

    @property
    def address(self) -> str: ...

    def use(self) -> dict[str, Any]: ...


class Figures:
    """Called, it returns the figures of a server as a JSON object."""

    def __init__(self, server: Told) -> None:
        self.server, self.began = server, time.monotonic()
        self.known: dict[str, Any] = {}
        self.known_at = 0.0

    def __call__(self) -> dict[str, Any]:
        now = time.monotonic()
        if not self.known or now - self.known_at > FRESH_S:
            self.known, self.known_at = self._gather(now), now
        return self.known

    def _gather(self, now: float) -> dict[str, Any]:
        use, role = self.server.use(), self.server.role
        accepted, refused = role.replies_sent
        drops = use["dropped"].pop("kernel_drops", 0)
        return {"schema": SCHEMA, "role": self.server.name, "pid": os.getpid(), "address": self.server.address,
                "uptime_s": round(now - self.began, 3), "cpu_s": use["cpu_s"], "rss_bytes": resident_octets(),
                "max_rss_bytes": use["max_rss_bytes"], "packets_in": use["packets_in"], "packets_out": use["packets_out"],
                "kernel_drops": drops, "replies": {"accepted": accepted, "refused": refused},
                "upstreams": role.upstreams() if hasattr(role, "upstreams") else [],
                "gauges": {name: {"now": value, "most": most} for name, (value, most) in
                           role.gauges(time.monotonic_ns()).items()},
                "dropped": use["dropped"], "events": use["events"]}


def peak_resident_octets() -> int:
    """Of this program only: getrusage's maximum contains the process that it was forked from."""
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) * 1024


def resident_octets() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * PAGE
