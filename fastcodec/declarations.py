"""The declarations that the codec is compiled of, read from the .pxd files of the package: packed structs and enums."""
from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

__all__ = ["Enumeration", "Field", "Layout", "Member", "enumerations", "layouts"]

FOLDER = Path(__file__).parent
WIDTHS = {"uint8_t": 1, "uint16_t": 2, "uint32_t": 4, "uint64_t": 8}
STRUCT = re.compile(r"cdef packed struct (\w+):\s*(?:#\s*(.*))?")
ENUM = re.compile(r"cpdef enum ?(\w*):\s*(?:#\s*(.*))?")
FIELD = re.compile(r"\s+(uint\d+_t)(?:\[(\d+)\])? (\w+)\s*(?:#\s*(.*))?$")
MEMBER = re.compile(r"\s+([A-Z]\w*)(?: = (0x[0-9a-fA-F]+|\d+))?\s*(?:#\s*(.*))?$")
DOCSTRING = re.compile(r'\s+"""(.*?)"""')


class Field(NamedTuple):
    """A field of a packed struct, in network order."""

    name: str
    offset: int
    octets: int
    meaning: str


class Layout(NamedTuple):
    """A packed struct: where it is declared, what is said of it, its fields."""

    module: str
    name: str
    meaning: str
    fields: tuple[Field, ...]


class Member(NamedTuple):
    """A number that has a name."""

    name: str
    number: int
    meaning: str


class Enumeration(NamedTuple):
    """Numbers of one kind; `name` is "" for constants that belong to none."""

    module: str
    name: str
    meaning: str
    members: tuple[Member, ...]


def blocks(head: re.Pattern[str]) -> Iterator[tuple[str, re.Match[str], list[str]]]:
    """Every declaration that begins so: its module, its head, the lines inside it."""
    for path in sorted(FOLDER.glob("*.pxd")):
        lines = path.read_text().splitlines()
        for k, line in enumerate(lines):
            found = head.match(line)
            if found:
                end = next((n for n in range(k + 1, len(lines)) if not lines[n].startswith(" ")), len(lines))
                yield path.stem, found, lines[k + 1:end]


def layouts() -> list[Layout]:
    """All packed structs of the package."""
    found = []
    for module, head, lines in blocks(STRUCT):
        fields: list[Field] = []
        for match in filter(None, map(FIELD.match, lines)):
            offset = fields[-1].offset + fields[-1].octets if fields else 0
            fields.append(Field(match[3], offset, WIDTHS[match[1]] * int(match[2] or 1), match[4] or ""))
        found.append(Layout(module, head[1], head[2] or "", tuple(fields)))
    return found


def enumerations() -> list[Enumeration]:
    """All numbers with a name that Python sees, by the enum they are in."""
    found = []
    for module, head, lines in blocks(ENUM):
        said = next(filter(None, map(DOCSTRING.match, lines)), None)
        members: list[Member] = []
        for match in filter(None, map(MEMBER.match, lines)):
            number = int(match[2], 0) if match[2] else members[-1].number + 1 if members else 0
            members.append(Member(match[1], number, match[3] or ""))
        found.append(Enumeration(module, head[1], said[1] if said else head[2] or "", tuple(members)))
    return found
