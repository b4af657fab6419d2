"""What `lint` says of a message: wrong, or odd. A capture repeats itself, and so do its findings: they are remembered."""
from __future__ import annotations

from fastcodec import lint
from fastcodec.lint_shape import lint_shape
from loadgen.decode.event import Event

# Rules whose breach does no harm: what is reserved is ignored, numbers may have been assigned since, others may have
# their own algorithms, and not every router is a mobility agent.
ODD = frozenset({"reserved-octets", "authenticator-length", "vendor", "no-agent", "odd-length", "unassigned-code"})
MOST_SHAPES = 4096

_known: dict[bytes, tuple[list[str], list[str]]] = {}


def add_findings(event: Event, octets: bytes) -> None:
    shape = lint_shape(octets)
    found = _known.get(shape)
    if found is None:
        if len(_known) >= MOST_SHAPES:
            _known.clear()
        found = _known[shape] = sorted_out(octets)
    if found[0]:
        event.faults += found[0]
    if found[1]:
        event.remarks += found[1]


def sorted_out(octets: bytes) -> tuple[list[str], list[str]]:
    """What is wrong, what is odd."""
    findings = lint(octets)
    return [str(f) for f in findings if f.rule not in ODD], [str(f) for f in findings if f.rule in ODD]
