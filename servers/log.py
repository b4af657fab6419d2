"""Log lines: one an event, as text for people or as JSON for machines. Nothing from a packet is printed as it came."""
from __future__ import annotations

import json
import os
from datetime import UTC, datetime
from typing import Any, Literal

Format = Literal["text", "json"]
Level = Literal["info", "warning", "error"]


class Log:
    """Writes events to a file descriptor, standard error by default, unbuffered: a full disk loses lines, no memory."""

    def __init__(self, format: Format = "text", role: str = "", descriptor: int = 2) -> None:
        self.format, self.role, self.descriptor = format, role, descriptor
        self.lost = 0              # lines that could not be written

    def __call__(self, event: str, text: str, level: Level = "info", **facts: Any) -> None:
        """`event`: its name, for machines; `text`: the whole of it, for people; `facts`: the same as JSON members."""
        line = self._json(event, text, level, facts) if self.format == "json" else self._text(text)
        try:
            os.write(self.descriptor, line.encode() + b"\n")
        except OSError:
            self.lost += 1

    def _text(self, text: str) -> str:
        role = f"{self.role}: " if self.role else ""
        return f"mipstorm: {role}{escaped(text)}"

    def _json(self, event: str, text: str, level: Level, facts: dict[str, Any]) -> str:
        now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        role = {"role": self.role} if self.role else {}
        return json.dumps({"time": now, "level": level, **role, "event": event, **facts, "text": text},
                          separators=(",", ":"), default=str)


def escaped(text: str) -> str:
    """One line of printable ASCII: whatever else is in the text becomes a backslash sequence."""
    return "".join(c if " " <= c <= "~" and c != "\\" else c.encode("unicode_escape").decode() for c in text)
