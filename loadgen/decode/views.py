"""How an event is shown: one line, everything, or a line of JSON."""
from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import msgspec

from loadgen.decode.event import Event
from loadgen.decode.summary import summary

NAMES = {"mip4": "Mobile IPv4", "radius": "RADIUS", "mip6": "Mobile IPv6", "pana": "PANA", "eap": "EAP", "icmp": "ICMP"}


def one_line(event: Event) -> str:
    """Number, time, ends, what it is, what became of it; remote text is escaped."""
    parts = [f"{event.number:>6} {clock(event.time_ns)} {ends(event)}", what(event)]
    parts += [f"[{remark}]" for remark in remarks(event)]
    return "  ".join(part for part in parts if part)


def full(event: Event) -> str:
    """The line, then the message as it prints, then what is wrong with it."""
    lines = [one_line(event)]
    lines += [f"    inside {layer}" for layer in event.layers]
    if event.message is not None:
        lines += ["    " + line for line in str(event.message).splitlines()]
    lines += [f"    fault: {printable(fault)}" for fault in event.faults]
    return "\n".join(lines)


def as_json(event: Event) -> bytes:
    """One object; what is not known is left out. `message` is what `to_dict` of the codec's classes gives."""
    return ENCODER.encode({name: value for name, value in entries(event) if value not in (None, "", (), [])})


def entries(event: Event) -> Iterator[tuple[str, Any]]:
    yield from (("number", event.number), ("time_ns", event.time_ns), ("protocol", event.protocol), ("layers", event.layers))
    if event.source is not None:
        yield from (("source", str(event.source)), ("source_port", event.source_port),
                    ("destination", str(event.destination)), ("destination_port", event.destination_port))
    yield from (("length", event.length), ("nai", event.nai and printable(event.nai)), ("authentic", event.authentic),
                ("why", event.why), ("answers", event.answers), ("repeats", event.repeats),
                ("latency_ms", None if event.latency_ns is None else event.latency_ns / 1e6),
                ("faults", event.faults), ("note", event.note))
    if event.message is not None:
        yield "message", event.message.to_dict()


ENCODER = msgspec.json.Encoder()


def clock(time_ns: int) -> str:
    """Time of day, UTC, microseconds; a dash where the capture has no times."""
    if not time_ns:
        return "-"
    return datetime.fromtimestamp(time_ns // 10**9, UTC).strftime("%H:%M:%S") + f".{time_ns % 10**9 // 1000:06}"


def ends(event: Event) -> str:
    if event.source is None:
        return ""
    def end(address: object, port: int) -> str:
        text = f"[{address}]" if port and ":" in str(address) else str(address)
        return f"{text}:{port}" if port else text
    return f"{end(event.source, event.source_port)} > {end(event.destination, event.destination_port)}"


def what(event: Event) -> str:
    """Protocol and kind of message, and the few fields that people look for."""
    if event.message is None:
        return " ".join(part for part in (NAMES.get(event.protocol, ""), event.note) if part)
    nai = f" {printable(event.nai)}" if event.nai is not None else ""
    return f"{NAMES[event.protocol]} {summary(event.message)}{nai}"


def remarks(event: Event) -> Iterator[str]:
    if event.repeats is not None:
        yield f"repeats {event.repeats}"
    if event.answers is not None and event.latency_ns is not None:
        yield f"answers {event.answers} after {event.latency_ns / 1e6:.3f} ms"
    if event.authentic:
        yield "authentic"
    elif event.authentic is None and event.why:
        yield event.why
    yield from (printable(fault) for fault in event.faults)
    if event.note and event.message is not None:
        yield event.note


def printable(text: str) -> str:
    """Remote text that cannot move the cursor or end the line."""
    return "".join(c if c.isprintable() else f"\\x{ord(c):02x}" if ord(c) < 256 else f"\\u{ord(c):04x}" for c in text)
