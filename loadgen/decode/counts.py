"""What was seen in all: for the last line, and for the exit code."""
from __future__ import annotations

from loadgen.decode.event import Event
from loadgen.decode.views import NAMES

OK, WRONG, INTERRUPTED = 0, 5, 130


class Counts:
    """Counts events; `broken` says why the capture could not be read to its end."""

    def __init__(self) -> None:
        self.frames = self.wrong = self.authentic = self.answered = self.repeated = self.parts = self.others = 0
        self.messages: dict[str, int] = {}
        self.broken, self.interrupted = "", False

    def add(self, event: Event) -> None:
        self.frames += 1
        if event.protocol:
            self.messages[event.protocol] = self.messages.get(event.protocol, 0) + 1
        elif not event.faults and not event.is_part:
            self.others += 1
        if event.faults:
            self.wrong += 1
        if event.authentic:
            self.authentic += 1
        if event.answers is not None:
            self.answered += 1
        if event.repeats is not None:
            self.repeated += 1
        if event.is_part:
            self.parts += 1

    @property
    def exit_code(self) -> int:
        if self.wrong or self.broken:
            return WRONG
        return INTERRUPTED if self.interrupted else OK

    def __str__(self) -> str:
        kinds = ", ".join(f"{n} {NAMES[protocol]}" for protocol, n in sorted(self.messages.items())) or "no message known"
        parts = [f"{self.frames} frames: {kinds}", f"{self.answered} answers matched", f"{self.repeated} repeated",
                 f"{self.authentic} authentic", f"{self.wrong} wrong"]
        if self.others:
            parts[0] += f", {self.others} of other kinds (--all names them)"
        if self.parts:
            parts.insert(3, f"{self.parts} in parts")
        return "; ".join(parts) + ("; interrupted" if self.interrupted else "")
