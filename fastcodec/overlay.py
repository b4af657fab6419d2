"""Annotated classes bound to packed structs: layout from the struct, meaning from the annotation.

A protocol has one `Overlay`, made of the numpy layouts of its structs and of the header shape of each of its types.
A field that is missing, renamed, out of order or of another size fails when the class is made, that is at import.
"""
from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from ipaddress import IPv4Address, IPv6Address
from typing import Any, TypeVar, get_origin, get_type_hints

import numpy as np

from fastcodec.fields import Plan
from fastcodec.sections import cite

__all__ = ["BOUND", "Overlay", "dtype_of"]

C = TypeVar("C", bound=type)
FRAMING = frozenset({"type", "subtype", "length"})      # the writer's business, not the user's
WIDTHS: dict[Any, tuple[int, ...]] = {int: (1, 2, 4, 8), IPv4Address: (4,), IPv6Address: (16,)}
TAILS: dict[Any, int] = {bytes: 1, str: 2, list: 3,         # Plan.tail: octets, text, extensions
                         tuple[IPv4Address, ...]: 4, tuple[int, ...]: 5}
BOUND: dict[type, list[tuple[str, np.dtype[Any]]]] = {}      # class -> the structs it was bound to, by name
CODES = {"B": "u1", "H": ">u2", "I": ">u4", "Q": ">u8"}


def dtype_of(view: Any) -> np.dtype[Any]:
    """numpy dtype, network order, of the packed struct behind a memoryview (numpy itself refuses '^(16)B')."""
    fields = re.findall(r"\^?(?:\((\d+)\))?([BHIQ]):(\w+):", memoryview(view).format)
    return np.dtype([(name, CODES[code], *([int(n)] if n else [])) for n, code, name in fields])


class Overlay:
    """Binds classes to structs: `overlays = Overlay(LAYOUTS, SHAPES)`, then `@overlays("NonceRequest", type=42)`.

    `layouts` is struct name to dtype, `shapes` extension type to header shape (`wire.Shape`); types that are not in it
    have no header to write. `framing` are the fields that users never see, `last` those that they rarely give: these
    stand behind all others in a class, as reserved ones do.
    """

    def __init__(self, layouts: Mapping[str, np.dtype[Any]], shapes: Mapping[int, int],
                 framing: frozenset[str] = FRAMING, last: frozenset[str] = frozenset()) -> None:
        self.layouts, self.shapes, self.framing, self.last = layouts, shapes, framing, last

    def __call__(self, *structs: str, type: int = 0, subtype: int = 0, shape: int | None = None,
                 leave_out: frozenset[str] = frozenset()) -> Callable[[C], C]:
        """Bind an annotated class to the struct (or the structs, one behind the other) of that name.

        A field that is in no struct takes what follows: `bytes`, `str` (UTF-8), a tuple of
        addresses or of numbers, or a list of extensions. Reserved fields
        (`reserved...`, or left out) may stand behind all others, or be missing: then they are zero, and octets where
        they are not do not fit the class. `shape` is for types that come in two.
        """
        def bind(cls: C) -> C:
            hints = get_type_hints(cls)
            fields, hidden, size = self._fields(structs, leave_out, hints)
            tail = self._tail(cls, structs, [name for name, *_ in fields], hints)
            for name, _, width, kind in fields:
                if width not in WIDTHS.get(kind, (width,) if kind is bytes else ()):
                    raise TypeError(f"{cls.__name__}.{name}: {kind} cannot stand for {width} octets")
            number = -1 if "subtype" in hints else subtype
            cls.plan = Plan(cls, fields, size, tail, type, number,  # type: ignore[attr-defined]
                            self.shapes.get(type, 0) if shape is None else shape, hidden)
            BOUND[cls] = [(name, self.layouts[name]) for name in structs]
            cite([cls])
            return cls
        return bind

    def _fields(self, structs: tuple[str, ...], left_out: frozenset[str],
                hints: dict[str, Any]) -> tuple[list[tuple[str, int, int, Any]], set[int], int]:
        """[(name, offset, octets, annotation), ...] of what users see, offsets of what is reserved, the octets of it all."""
        fields: list[tuple[str, int, int, Any]] = []
        behind: list[tuple[str, int, int, Any]] = []
        hidden: set[int] = set()
        start = 0
        for dtype in (self.layouts[name] for name in structs):
            for name, (field, offset, *_) in (dtype.fields or {}).items():
                reserved, seen = name.startswith("reserved"), name in hints and name not in left_out
                if name in left_out or (reserved and not seen):
                    hidden.update(range(start + offset, start + offset + field.itemsize))
                elif seen or name not in self.framing:
                    (behind if reserved or name in self.last else fields).append((name, start + offset, field.itemsize, hints.get(name)))
            start += dtype.itemsize
        return fields + behind, hidden, start

    def _tail(self, cls: Any, structs: tuple[str, ...], fields: list[str], hints: dict[str, Any]) -> int:
        names = list(cls.__struct_fields__)
        rest = [name for name in names if name not in fields]
        if [name for name in names if name in fields] != fields or len(rest) > 1:
            raise TypeError(f"{cls.__name__}: {names} are not the fields of {structs}: {fields}")
        kind = hints[rest[0]] if rest else None
        kind = list if get_origin(kind) is list else kind
        if rest and kind not in TAILS:
            raise TypeError(f"{cls.__name__}: {names} are not the fields of {structs}: {fields}, nor is {kind} a tail")
        return TAILS[kind] if rest else 0
