"""What can go wrong, by who must act. Each says what and where, and cites the section of the RFC that is broken.

FastcodecError
├── LocalError               what this program asked for is wrong
│   ├── EncodeError          a value does not fit its field
│   └── DictionaryError      a dictionary file is wrong; says file and line
└── RemoteError              what came from the other side is wrong
    ├── DecodeError          not a well-formed message; says field and offset
    └── AuthenticationError  well-formed, but not from who it claims to be from
"""
from __future__ import annotations

from fastcodec.sections import cited, section_in

__all__ = ["AuthenticationError", "DecodeError", "DictionaryError", "EncodeError", "FastcodecError", "LocalError",
           "RemoteError"]


LONGEST = 400                   # characters of a reason: some name the wrong value, which may be of any size


def in_a_line(reason: str) -> str:
    """Without line ends, and when it is very long without its middle."""
    line = " ".join(reason.split()) if "\n" in reason else reason
    return line if len(line) <= LONGEST else f"{line[:200]} ... {line[-100:]}"


class FastcodecError(Exception):
    """Any error of this package."""

    @property
    def section(self) -> str:
        """Where the broken rule stands, "RFC 5944 3.5.2"; "" for what no RFC rules."""
        return section_in(str(self))


class LocalError(FastcodecError):
    """What this program asked for is wrong."""


class RemoteError(FastcodecError):
    """What came from the other side is wrong."""


class EncodeError(LocalError, ValueError):
    """A value does not fit its field."""

    def __init__(self, field: str, reason: str) -> None:
        reason = cited(field, in_a_line(reason))
        super().__init__(field, reason)
        self.field, self.reason = field, reason

    def __str__(self) -> str:
        return f"{self.field}: {self.reason}"


class DictionaryError(LocalError, ValueError):
    """A line of a dictionary file that cannot be right."""

    def __init__(self, path: str, line: int, reason: str) -> None:
        super().__init__(path, line, reason)
        self.path, self.line, self.reason = path, line, reason

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.reason}"


class DecodeError(RemoteError, ValueError):
    """The octets at `offset` are not what `field` may be; `status` is the number the batch API gives such a row."""

    def __init__(self, field: str, offset: int, reason: str, status: int = 0) -> None:
        reason = cited(field, reason)
        super().__init__(field, offset, reason, status)
        self.field, self.offset, self.reason, self.status = field, offset, reason, status

    def __str__(self) -> str:
        return f"{self.field} at offset {self.offset}: {self.reason}"


class AuthenticationError(RemoteError):
    """An authenticator is absent, doubled or wrong; `status` is the number the batch API gives such a row.

    `offset` is where it stands, or where the message ends that has none; None when only an argument is missing.
    """

    def __init__(self, field: str, reason: str, status: int = 0, offset: int | None = None) -> None:
        reason = cited(field, reason)
        super().__init__(field, reason, status, offset)
        self.field, self.reason, self.status, self.offset = field, reason, status, offset

    def __str__(self) -> str:
        return f"{self.field}{'' if self.offset is None else f' at offset {self.offset}'}: {self.reason}"
