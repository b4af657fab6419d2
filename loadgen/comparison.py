"""At the end of a private testbed: what the FHA says it has leased, against what the nodes hold (ruling 25)."""
from __future__ import annotations

import time
from collections.abc import Iterator, Mapping

from loadgen import result as document
from loadgen.fleet import Fleet
from loadgen.leases import LeaseCheck
from loadgen.plan import Target

NS = 1_000_000_000
SHOWN = 20               # differences that are named one by one
LAG_S = 2.0               # an FHA may end a lease so much later than the last moment at which it can have been renewed


class Comparison:
    """Made before the servers are stopped; `take` is for their report, `violations` for afterwards."""

    def __init__(self, fleet: Fleet, target: Target, timeout_s: float, is_fresh: bool) -> None:
        """`timeout_s`: how long the only request of a node may have been under way; `is_fresh`: whether the FHA started
        without leases of an earlier run."""
        self.check, self.target, self.is_fresh = LeaseCheck(fleet), target, is_fresh
        self.since = time.monotonic_ns() - int((timeout_s + LAG_S) * NS)

    def take(self, leases: Mapping[str, str]) -> None:
        """{NAI in hex: THOAv4 in hex}."""
        self.check.take({bytes.fromhex(nai): bytes.fromhex(address) for nai, address in leases.items()})

    def violations(self) -> list[document.Violation]:
        """None also when the FHA did not live to tell."""
        if not self.check.told:
            return []
        found = list(self._differences())
        more = [document.Violation(kind="more", detail=f"{len(found) - SHOWN} more leases differ")] if found[SHOWN:] else []
        return found[:SHOWN] + more

    def _differences(self) -> Iterator[document.Violation]:
        unasked = self.check.unasked()
        for node, address in self.check.missing(time.monotonic_ns()):
            nai = self.target.subscribers.nai[node]
            theirs = unasked.pop(nai, None)
            has = "has no lease of it" if theirs is None else f"leased it {dotted(theirs)}"
            yield document.Violation(kind="lease_differs", detail=f"{readable(nai)} holds {dotted(address)}, the FHA {has}")
        if not self.is_fresh:                                        # those of the run before are nobody's here
            return
        for node, address in self.check.overdue(self.since):
            nai = self.target.subscribers.nai[node]
            yield document.Violation(kind="lease_left", detail=(
                f"the FHA still has {dotted(address)} leased to {readable(nai)}, whose lifetime is over"))
        for nai, address in unasked.items():
            yield document.Violation(kind="lease_left", detail=(
                f"the FHA has {dotted(address)} leased to {readable(nai)}, which neither holds it nor may have been given it"))


def dotted(address: bytes) -> str:
    return ".".join(map(str, address))


def readable(nai: bytes) -> str:
    return nai.decode(errors="backslashreplace")
