"""Attribute dictionaries: what the names and numbers of attributes, values and vendors are.

`default()` is what the package ships; `load("my.dictionary")` adds files of the user's own to a copy of it. The files are
in FreeRADIUS's format (`fastcodec.dictionary_file`).
"""
from __future__ import annotations

from functools import cache
from pathlib import Path

import msgspec

from fastcodec.dictionary_entries import Attribute, Vendor
from fastcodec.dictionary_file import read_file
from fastcodec.errors import DictionaryError
from fastcodec.wants import wants

__all__ = ["Attribute", "Dictionary", "Vendor", "default", "load"]

SHIPPED = Path(__file__).parent / "dictionaries"


class Dictionary:
    """Attributes by name and by (vendor, number, number inside it, ...), the names of their values, vendors.

    A later line for the same name or number replaces the earlier one; a name that lost its number still encodes.
    `orphans` are the attributes that a VALUE names and nobody declared (some files in the wild have them): name to the
    DictionaryError that says where.
    """

    def __init__(self) -> None:
        self.attributes: dict[str, Attribute] = {}
        self.numbers: dict[tuple[int, ...], Attribute] = {}
        self.values: dict[str, dict[str, int]] = {}
        self.vendors: dict[str, Vendor] = {}
        self.orphans: dict[str, DictionaryError] = {}

    def __repr__(self) -> str:
        return f"Dictionary(<{len(self.attributes)} attributes, {len(self.vendors)} vendors>)"

    def copy(self) -> Dictionary:
        """Another one with the same entries, which `read` may add to."""
        other = Dictionary()
        other.attributes, other.numbers, other.vendors = dict(self.attributes), dict(self.numbers), dict(self.vendors)
        other.values = {name: dict(values) for name, values in self.values.items()}
        other.orphans = dict(self.orphans)
        return other

    def read(self, path: str | Path) -> Dictionary:
        """Add a file and all that it includes; DictionaryError names file and line."""
        read_file(self, path)
        return self

    def add_vendor(self, vendor: Vendor) -> None:
        """A vendor under another number takes its attributes along: one line in a user's file moves them all."""
        wants("vendor", vendor, Vendor)
        before = self.vendors.get(vendor.name)
        self.vendors[vendor.name] = vendor
        if before and before.number != vendor.number:
            for attribute in [a for a in self.attributes.values() if a.vendor == before.number]:
                self.numbers.pop((before.number, *attribute.path), None)
                moved = msgspec.structs.replace(attribute, vendor=vendor.number)
                self.attributes[moved.name] = self.numbers[vendor.number, *moved.path] = moved

    def name_of_value(self, attribute: str, value: int) -> str | None:
        """What that value of an attribute is called; None without a name."""
        return next((name for name, n in self.values.get(attribute, {}).items() if n == value), None)


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
