"""Values that RADIUS hides on the wire: as they are there, and as they were before."""
from __future__ import annotations

from typing import Self

__all__ = ["Hidden", "Revealed", "RevealedText"]


class Hidden(bytes):
    """Octets of a value as they are on the wire, hidden already: they are written as they stand."""


class Revealed(bytes):
    """Octets of a value that was hidden on the wire. `salt` is what it was salted with, and will be again."""

    salt: int | None

    def __new__(cls, octets: bytes | bytearray | memoryview = b"", salt: int | None = None) -> Self:
        value = bytes.__new__(cls, octets)
        value.salt = salt
        return value

    def __getnewargs__(self) -> tuple[bytes, int | None]:  # type: ignore[override]
        return bytes(self), self.salt

    def __repr__(self) -> str:
        return f"Revealed(<{len(self)} octets>)"


class RevealedText(str):
    """Text of a value that was hidden on the wire, as `Revealed`."""

    salt: int | None

    def __new__(cls, text: str = "", salt: int | None = None) -> Self:
        value = str.__new__(cls, text)
        value.salt = salt
        return value

    def __getnewargs__(self) -> tuple[str, int | None]:  # type: ignore[override]
        return str(self), self.salt

    def __repr__(self) -> str:
        return f"RevealedText(<{len(self)} characters>)"
