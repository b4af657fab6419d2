"""How an event is shown: one line, everything, or a line of JSON."""
from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from fastcodec import json_text
from fastcodec.plain import plain_pairs
from loadgen.decode.event import Event
from loadgen.decode.summary import summary

NAMES = {"mip4": "Mobile IPv4", "radius": "RADIUS", "mip6": "Mobile IPv6", "pana": "PANA", "eap": "EAP", "icmp": "ICMP"}
WIDE = ("identification", "cookie", "keygen_token")      # fields of 64 bits: JavaScript and jq read numbers to 2**53


# ---- for people ------------------------------------------------------------------------------------------------------

def one_line(event: Event) -> str:
    """Number, time, ends, what it is, what became of it; remote text is escaped."""
    parts = [f"{event.number:>6} {clock(event.time_ns)} {ends(event)}", what(event)]
    parts += [f"[{remark}]" for remark in remarks(event)]
    return "  ".join(part for part in parts if part)


def full(event: Event) -> str:
    """The line, then the message as it prints, then what is wrong with it."""
    lines = [one_line(event)]
    lines += [f"    inside {layer}" for layer in event.layers]
    for message in (event.message, event.inside):
        if message is not None:
            lines += ["    " + printable(line) for line in str(message).splitlines()]
    lines += [f"    revealed: {name} = {value!s}" if isinstance(value, int) else f"    revealed: {name} = {bare(value)!r}"
              for name, value in event.revealed]
    lines += [f"    fault: {printable(fault)}" for fault in event.faults]
    lines += [f"    odd: {printable(remark)}" for remark in event.remarks]
    return "\n".join(lines)


def clock(time_ns: int) -> str:
    """Time of day, UTC, microseconds; a dash where the capture has no times."""
    if not time_ns:
        return "-"
    of_day = time_ns // 10**9 % 86400
    return datetime.fromtimestamp(of_day, UTC).strftime("%H:%M:%S") + f".{time_ns % 10**9 // 1000:06}"


def ends(event: Event) -> str:
    if not event.source:
        return ""
    def end(address: str, port: int) -> str:
        text = f"[{address}]" if port and ":" in address else address
        return f"{text}:{port}" if port else text
    return f"{end(event.source, event.source_port)} > {end(event.destination, event.destination_port)}"


def what(event: Event) -> str:
    """Protocol and kind of message, and the few fields that people look for."""
    if event.message is None:
        return " ".join(part for part in (NAMES.get(event.protocol, ""), event.note) if part)
    inside = f" with EAP {summary(event.inside)}" if event.inside is not None else ""
    nai = f" {printable(event.nai)}" if event.nai is not None else ""
    return f"{NAMES[event.protocol]} {summary(event.message)}{inside}{nai}"


def remarks(event: Event) -> Iterator[str]:
    if event.repeats is not None:
        yield f"repeats {event.repeats}"
    if event.answers is not None and event.latency_ns is not None:
        yield f"answers {event.answers} after {event.latency_ns / 1e6:.3f} ms"
    if event.authentic:
        yield "authentic"
    elif event.authentic is None and event.why:
        yield event.why
    yield from (f"WRONG {printable(fault)}" for fault in event.faults)
    yield from (printable(remark) for remark in event.remarks)
    if event.note and event.message is not None:
        yield event.note


def printable(text: str) -> str:
    """Remote text that cannot move the cursor or end the line."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(c if c.isprintable() else f"\\x{ord(c):02x}" if ord(c) < 256 else f"\\u{ord(c):04x}" for c in text)


def bare(value: Any) -> Any:
    """A revealed value, whose own repr hides it."""
    return str(value) if isinstance(value, str) else bytes(value)


# ---- for programs ----------------------------------------------------------------------------------------------------

HEADS = json_text.object_heads((
    "number", "time_ns", "protocol", "layers", "source", "source_port", "destination", "destination_port", "length", "nai",
    "authentic", "why", "answers", "repeats", "latency_ms", "faults", "remarks", "note", "revealed", "message", "inside"))


def as_json(event: Event) -> bytes:
    """One object; what is not known, or empty, is left out. `message` is what `to_dict` of the codec's classes gives, and its
    64-bit numbers in hexadecimal, too."""
    return json_text.as_object(HEADS, (
        event.number, event.time_ns, event.protocol, event.layers, event.source, event.source_port or None, event.destination,
        event.destination_port or None, event.length, event.nai and printable(event.nai), event.authentic, event.why,
        event.answers, event.repeats, None if event.latency_ns is None else event.latency_ns / 1e6,
        event.faults and [printable(fault) for fault in event.faults], event.remarks, event.note,
        event.revealed and plain_pairs(event.revealed), event.message, event.inside), WIDE)
