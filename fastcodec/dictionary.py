"""Attribute dictionaries in FreeRADIUS's format: VENDOR, BEGIN-/END-VENDOR, ATTRIBUTE, VALUE, $INCLUDE.

`default()` is what the package ships; `load("my.dictionary")` adds files of the user's own to a copy of it.
"""
from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from pathlib import Path

import msgspec

from fastcodec.errors import DictionaryError

__all__ = ["KINDS", "Attribute", "Dictionary", "Vendor", "default", "load"]

KINDS = frozenset({"string", "octets", "integer", "integer64", "short", "byte", "signed", "date", "ipaddr", "ipv6addr",
                   "ipv6prefix", "ipv4prefix", "ifid", "ether", "abinary", "combo-ip", "bool", "tlv", "vsa", "extended",
                   "long-extended", "evs"})
SHIPPED = Path(__file__).parent / "dictionaries"


class Attribute(msgspec.Struct, frozen=True):
    """One ATTRIBUTE line; `path` has more than one number for what sits inside a TLV or an extended attribute."""

    name: str
    vendor: int                # 0: standard
    path: tuple[int, ...]
    kind: str
    size: int = 0              # octets[16] and the like; 0: any
    has_tag: bool = False      # RFC 2868 3.1
    encrypt: int = 0           # 1 User-Password, RFC 2865 5.2; 2 salt, RFC 2868 3.5
    concat: bool = False       # one value split over several attributes, RFC 3579 3.1

    @property
    def number(self) -> int:
        return self.path[0]


class Vendor(msgspec.Struct, frozen=True):
    """One VENDOR line; sizes in octets of its attributes' type and length, RFC 2865 5.26."""

    name: str
    number: int
    type_size: int = 1
    length_size: int = 1
    continuation: bool = False


class Dictionary:
    """Attributes by name and by (vendor, number), the names of their values, vendors."""

    def __init__(self) -> None:
        self.attributes: dict[str, Attribute] = {}
        self.numbers: dict[tuple[int, int], Attribute] = {}
        self.values: dict[str, dict[str, int]] = {}
        self.vendors: dict[str, Vendor] = {}

    def copy(self) -> Dictionary:
        other = Dictionary()
        other.attributes, other.numbers, other.vendors = dict(self.attributes), dict(self.numbers), dict(self.vendors)
        other.values = {name: dict(values) for name, values in self.values.items()}
        return other

    def read(self, path: str | Path) -> Dictionary:
        """Add a file and all that it includes; DictionaryError names file and line."""
        _Reader(self, Path(path), ()).read()
        return self

    def add(self, attribute: Attribute) -> None:
        """A later line for the same name or number replaces the earlier one."""
        self.attributes[attribute.name] = attribute
        if len(attribute.path) == 1:
            self.numbers[attribute.vendor, attribute.number] = attribute

    def renumber(self, before: int, number: int) -> None:
        """Move a vendor's attributes to another enterprise number: one VENDOR line in a user's file does this."""
        for attribute in [a for a in self.attributes.values() if a.vendor == before]:
            self.numbers.pop((before, attribute.number), None)
            self.add(msgspec.structs.replace(attribute, vendor=number))

    def name_of_value(self, attribute: str, value: int) -> str | None:
        return next((name for name, n in self.values.get(attribute, {}).items() if n == value), None)


class _Reader:
    """One file being read; `vendor` and `parents` are the blocks that are open."""

    def __init__(self, into: Dictionary, path: Path, stack: tuple[Path, ...]) -> None:
        self.into, self.path, self.stack = into, path, (*stack, path)
        self.line, self.vendor, self.parents = 0, Vendor("", 0), list[Attribute]()

    def fault(self, reason: str) -> DictionaryError:
        return DictionaryError(str(self.path), self.line, reason)

    def read(self) -> None:
        try:
            text = self.path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise self.fault(f"cannot be read: {error}") from error
        for self.line, line in enumerate(text.splitlines(), 1):
            words = line.partition("#")[0].split()
            if words:
                self.statement(words[0].upper(), words[1:])
        if self.vendor.number:
            raise self.fault(f"BEGIN-VENDOR {self.vendor.name} without its END-VENDOR")
        if self.parents:
            raise self.fault(f"BEGIN-TLV {self.parents[-1].name} without its END-TLV")

    def statement(self, keyword: str, words: list[str]) -> None:
        known: dict[str, tuple[Callable[[list[str]], None], int, int]] = {
            "$INCLUDE": (self.include, 1, 1), "ATTRIBUTE": (self.attribute, 3, 4), "VALUE": (self.value, 3, 3),
            "VENDOR": (self.declare_vendor, 2, 3), "BEGIN-VENDOR": (self.begin_vendor, 1, 2),
            "END-VENDOR": (self.end_vendor, 1, 1), "BEGIN-TLV": (self.begin_tlv, 1, 1), "END-TLV": (self.end_tlv, 1, 1)}
        if keyword not in known:
            raise self.fault(f"unknown keyword {keyword}")
        act, least, most = known[keyword]
        if not least <= len(words) <= most:
            raise self.fault(f"{keyword} takes {least} to {most} words, not {len(words)}")
        act(words)

    def number(self, word: str, most: int, least: int = 0) -> int:
        try:
            value = int(word, 0)
        except ValueError:
            raise self.fault(f"{word!r} is no number") from None
        if not least <= value <= most:
            raise self.fault(f"{word} is not within {least} to {most}")
        return value

    def include(self, words: list[str]) -> None:
        path = self.path.parent / words[0]
        if path in self.stack:
            raise self.fault(f"{path} includes itself")
        if not path.is_file():
            raise self.fault(f"{path} does not exist")
        _Reader(self.into, path, self.stack).read()

    def declare_vendor(self, words: list[str]) -> None:
        sizes = re.fullmatch(r"format=([124]),([012])(,c)?", words[2]) if len(words) == 3 else None
        if len(words) == 3 and sizes is None:
            raise self.fault(f"{words[2]!r} is not format=T,L or format=T,L,c")
        number = self.number(words[1], 0xffffffff)
        before = self.into.vendors.get(words[0])
        self.into.vendors[words[0]] = Vendor(words[0], number, *((int(sizes[1]), int(sizes[2]), bool(sizes[3]))
                                                                 if sizes else ()))
        if before and before.number != number:
            self.into.renumber(before.number, number)

    def begin_vendor(self, words: list[str]) -> None:
        if self.vendor.number:
            raise self.fault(f"BEGIN-VENDOR inside that of {self.vendor.name}")
        if words[0] not in self.into.vendors:
            raise self.fault(f"unknown vendor {words[0]}")
        self.vendor = self.into.vendors[words[0]]
        if words[1:]:      # parent=...: extended vendor space, RFC 6929 2.4
            if not words[1].startswith("parent=") or words[1][7:] not in self.into.attributes:
                raise self.fault(f"{words[1]!r} is no parent= of a known attribute")
            self.parents.append(self.into.attributes[words[1][7:]])

    def end_vendor(self, words: list[str]) -> None:
        if not self.vendor.number or words[0] != self.vendor.name:
            raise self.fault(f"END-VENDOR {words[0]} without its BEGIN-VENDOR")
        self.vendor = Vendor("", 0)
        self.parents.clear()

    def begin_tlv(self, words: list[str]) -> None:
        if words[0] not in self.into.attributes:
            raise self.fault(f"unknown attribute {words[0]}")
        self.parents.append(self.into.attributes[words[0]])

    def end_tlv(self, words: list[str]) -> None:
        if not self.parents or self.parents[-1].name != words[0]:
            raise self.fault(f"END-TLV {words[0]} without its BEGIN-TLV")
        self.parents.pop()

    def attribute(self, words: list[str]) -> None:
        name, numbers, kind = words[:3]
        size = re.fullmatch(r"(\w[\w-]*)\[(\d+)\]", kind)
        base = size[1] if size else kind
        if base not in KINDS:
            raise self.fault(f"unknown type {kind}")
        inside = bool(self.parents) or "." in numbers
        most = 0xff if self.vendor.type_size == 1 else 0xffffffff
        path = tuple(self.number(n.strip("{}"), 0xffffffff if inside else most, 1) for n in numbers.split("."))
        if self.parents:
            path = self.parents[-1].path + path
        self.into.add(Attribute(name, self.vendor.number, path, base, int(size[2]) if size else 0,
                                *self.flags(words[3] if len(words) == 4 else "")))

    def flags(self, text: str) -> tuple[bool, int, bool]:
        has_tag, encrypt, concat = False, 0, False
        for flag in filter(None, text.split(",")):
            if flag == "has_tag":
                has_tag = True
            elif flag == "concat":
                concat = True
            elif re.fullmatch(r"encrypt=[123]", flag):
                encrypt = int(flag[-1])
            elif flag in self.into.vendors:      # the old way to say BEGIN-VENDOR for one line
                raise self.fault(f"{flag}: say BEGIN-VENDOR {flag} instead")
            else:
                raise self.fault(f"unknown flag {flag}")
        return has_tag, encrypt, concat

    def value(self, words: list[str]) -> None:
        if words[0] not in self.into.attributes:
            raise self.fault(f"VALUE for the unknown attribute {words[0]}")
        self.into.values.setdefault(words[0], {})[words[1]] = self.number(words[2], 0xffffffffffffffff)


@cache
def default() -> Dictionary:
    """What the package ships. Do not change it: `load` and `copy` are for that."""
    return Dictionary().read(SHIPPED / "dictionary")


def load(*paths: str | Path) -> Dictionary:
    """The shipped dictionary and, on top of it, files of the user's own."""
    dictionary = default().copy()
    for path in paths:
        dictionary.read(path)
    return dictionary
