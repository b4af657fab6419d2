"""What was seen in all: for the last line, and for the exit code."""
from __future__ import annotations

from collections import Counter

from loadgen.decode.event import Event
from loadgen.decode.views import NAMES

OK, WRONG, INTERRUPTED = 0, 5, 130


class Counts:
    """Counts events; `broken` says why the capture could not be read to its end."""

    def __init__(self) -> None:
        self.frames = self.wrong = self.authentic = self.answered = self.repeated = 0
        self.messages = Counter[str]()
        self.broken, self.interrupted = "", False

    def add(self, event: Event) -> None:
        self.frames += 1
        if event.protocol:
            self.messages[event.protocol] += 1
        self.wrong += bool(event.faults)
        self.authentic += event.authentic is True
        self.answered += event.answers is not None
        self.repeated += event.repeats is not None

    @property
    def exit_code(self) -> int:
        if self.wrong or self.broken:
            return WRONG
        return INTERRUPTED if self.interrupted else OK

    def __str__(self) -> str:
        kinds = ", ".join(f"{n} {NAMES[protocol]}" for protocol, n in sorted(self.messages.items())) or "no message known"
        parts = [f"{self.frames} frames: {kinds}", f"{self.answered} answers matched", f"{self.repeated} repeated",
                 f"{self.authentic} authentic", f"{self.wrong} wrong"]
        return "; ".join(parts) + ("; interrupted" if self.interrupted else "")
