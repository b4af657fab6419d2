"""What messages and their parts have in common, whatever the protocol: printing, dict and JSON, finding, changing.

Equality, copying and pickling come with msgspec's structs. `repr` can be evaluated; `str` is for people.
"""
from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from enum import Enum
from functools import cache
from ipaddress import IPv4Address, IPv6Address
from types import UnionType
from typing import Any, ClassVar, Self, TypeVar, cast, get_args, get_origin, get_type_hints

import msgspec

from fastcodec import json_text, plain
from fastcodec.errors import EncodeError
from fastcodec.fields import Plan
from fastcodec.wants import called

__all__ = ["Message", "Part", "as_hex", "flags_of", "name_of", "unless_zero"]

P = TypeVar("P", bound="Part")
V = TypeVar("V")
Show = Callable[[Any], str]
WIDTH = 116             # columns of a line that `str` makes, indented or not


# ---- values for people -----------------------------------------------------------------------------------------------

def as_hex(value: int) -> str:
    """A number that people know by its hexadecimal digits, such as an SPI."""
    return f"{value:#x}" if isinstance(value, int) else repr(value)


def unless_zero(value: int) -> str:
    """A number that is nearly always 0, and then not shown."""
    return str(value) if value else ""


def name_of(names: type[Enum]) -> Show:
    """Shows a number by its name in an enum: `POORLY_FORMED_REQUEST`; without name as it is."""
    by_number = {int(member.value): name for name, member in names.__members__.items()}
    return lambda value: by_number.get(value, str(value))


def flags_of(names: type[Enum]) -> Show:
    """Shows a sum of flags by their names without their prefix: `D|T`; bits without name as one number."""
    bits = {int(member.value): name.split("_", 1)[-1] for name, member in names.__members__.items()}

    def show(value: int) -> str:
        rest = value & ~sum(bits)
        found = [name for bit, name in bits.items() if value & bit] + ([f"{rest:#x}"] if rest else [])
        return "|".join(found) or "0"
    return show


def shown(value: Any) -> str:
    """Addresses bare, octets as hexadecimal digits, the rest as Python writes it."""
    if isinstance(value, (bytes, bytearray, memoryview)):
        return bytes(value).hex() or "(empty)"
    if isinstance(value, tuple):
        return "[" + ", ".join(map(shown, value)) + "]"
    if isinstance(value, (str, list, dict)) or value is None:
        return repr(value)
    return str(value)


def filled(start: str, items: Iterable[str], end: str, indent: str) -> str:
    """`start`, the items parted by commas, `end`; on as many lines as they need."""
    lines, line = [], start
    for item in items:
        piece = item + ", "
        if "\n" in piece or len(line) + len(piece) > WIDTH - len(indent):
            lines.append(line.rstrip())
            line = "    "
        line += piece
    return f"\n{indent}".join([*lines, line.removesuffix(", ")]) + end


# ---- values from JSON ----------------------------------------------------------------------------------------------

def typed(field: str, hint: Any, value: Any) -> Any:
    """What `plain` made JSON of, by the annotation of its field; EncodeError names the field."""
    if hint in READERS:
        try:
            return READERS[hint](value)
        except (ValueError, TypeError, KeyError):
            raise EncodeError(field, f"{value!r} is no {hint.__name__}") from None
    if isinstance(hint, UnionType):     # X | None
        return None if value is None else typed(field, get_args(hint)[0], value)
    if get_origin(hint) in (list, tuple):
        if not isinstance(value, (list, tuple)):
            raise EncodeError(field, f"{value!r} is no list")
        return get_origin(hint)(typed(field, get_args(hint)[0], item) for item in value)
    if isinstance(hint, type) and issubclass(hint, (Part, Message)):
        return hint.from_dict(value)
    return value


def text_of(value: Any) -> str:
    if isinstance(value, dict):
        return bytes.fromhex(value["octets"]).decode("utf-8", "surrogateescape")
    if not isinstance(value, str):
        raise TypeError
    value.encode("utf-8", "surrogateescape")      # other surrogates have no octets: ValueError
    return value


def address_of(value: Any) -> IPv6Address:
    """No zone: octets have no place for it."""
    address = IPv6Address(value)
    if address.scope_id is not None:
        raise ValueError
    return address


def number_of(value: Any) -> int:
    if not isinstance(value, int):
        raise TypeError
    return int(value)


READERS: dict[Any, Callable[[Any], Any]] = {
    int: number_of, str: text_of, bytes: bytes.fromhex, IPv4Address: IPv4Address, IPv6Address: address_of}


def once(function: Callable[[Any], V]) -> Callable[[Any], V]:
    """Remembers what is known of a class."""
    return cache(function)


@once
def hints_of(cls: Any) -> dict[str, Any]:
    hints = get_type_hints(cls)
    return {name: hints[name] for name in cls.__struct_fields__}


@once
def lists_of(cls: Any) -> list[str]:
    """Its fields that are lists."""
    return [name for name, hint in hints_of(cls).items() if get_origin(hint) is list]


@once
def shows_of(cls: Any) -> dict[str, Show]:
    """How `str` shows each field: as its annotation says, `Annotated[int, as_hex]`, else as any value."""
    hints = get_type_hints(cls, include_extras=True)
    return {name: next(iter(getattr(hints[name], "__metadata__", ())), shown) for name in cls.__struct_fields__}


def descendants(base: Any) -> Iterator[Any]:
    yield base
    for cls in base.__subclasses__():
        yield from descendants(cls)


def class_named(base: Any, name: Any) -> Any:
    """`base`, or the class of that name that derives from it."""
    known = CLASSES.setdefault(base, {})
    if not isinstance(name, str):
        raise EncodeError(f"{base.__name__}.class", f"{name!r} is no name")
    if name not in known:
        known.update((cls.__name__, cls) for cls in descendants(base))
    if name not in known:
        raise EncodeError(f"{base.__name__}.class", f"{name!r} is not known")
    return known[name]


CLASSES: dict[Any, dict[str, Any]] = {}


# ---- the two bases ---------------------------------------------------------------------------------------------------

class Shown:
    """Prints, and goes to dict and JSON and back: what is added to a struct."""

    __slots__ = ()
    __struct_fields__: ClassVar[tuple[str, ...]]
    def _items(self) -> Iterable[str]:
        for name, show in shows_of(type(self)).items():
            value = getattr(self, name)
            if not isinstance(value, list) or (value and not isinstance(value[0], Part)):
                text = show(value)
                if text and (value or not name.startswith("reserved")):
                    yield f"{name}={text}"

    def __str__(self) -> str:
        return filled(type(self).__name__ + "(", self._items(), ")", "")

    def to_dict(self) -> dict[str, Any]:
        """What `json.dumps` takes: the class by name under "class", addresses as text, octets as hexadecimal digits."""
        return plain.as_dict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """The other way. Fields left out have their default; EncodeError names what is wrong."""
        if not isinstance(values, Mapping):
            raise EncodeError(cls.__name__, f"{values!r} is no mapping of fields to values")
        kind = class_named(cls, values.get("class", cls.__name__))
        if kind is not cls:
            other: Self = kind.from_dict(values)
            return other
        if not cls.__struct_fields__ and cls.__subclasses__():
            raise EncodeError(f"{cls.__name__}.class", "is missing: there are several")
        hints = hints_of(kind)
        unknown = values.keys() - hints.keys() - {"class"}
        if unknown:
            raise EncodeError(kind.__name__, f"has no field {min(unknown)!r}")
        try:
            return cls(**{name: typed(f"{cls.__name__}.{name}", hints[name], value)
                          for name, value in values.items() if name != "class"})
        except TypeError as error:
            raise EncodeError(kind.__name__, str(error)) from None

    def to_json(self) -> bytes:
        """JSON of `to_dict`."""
        return json_text.as_json(self)

    @classmethod
    def from_json(cls, text: bytes | str) -> Self:
        """The other way; EncodeError."""
        try:
            values = msgspec.json.decode(text, type=dict[str, Any])
        except (msgspec.DecodeError, UnicodeError, TypeError) as error:
            raise EncodeError(cls.__name__, f"no JSON object: {error}") from None
        return cls.from_dict(values)

    def replace(self, **changes: Any) -> Self:
        """A copy with other values in some fields."""
        return cast(Self, msgspec.structs.replace(cast(Any, self), **changes))


plain.register(Shown.to_dict)


class Part(Shown, msgspec.Struct, frozen=True, gc=False):
    """Something that a message holds any number of: an extension, an option."""


def wants_part(kind: Any) -> None:
    """TypeError: what names no part is found in no message, and that would look like an absent one."""
    if not isinstance(kind, type) or not issubclass(kind, Part):
        raise TypeError(f"kind: a class of extensions, options or AVPs is needed, not {called(kind)}")


class Message(Shown, msgspec.Struct):
    """A message; its classes add `decode` and `encode`, for what these need differs from protocol to protocol."""

    plan: ClassVar[Plan]

    def parts(self) -> list[Any]:
        """Extensions or options, in wire order."""
        return [part for name in lists_of(type(self)) for part in getattr(self, name) if isinstance(part, Part)]

    def nai(self) -> str | None:
        """The network access identifier, if there is one."""
        return None

    def find(self, kind: type[P]) -> P | None:
        """The first extension or option of a class, or None."""
        wants_part(kind)
        return next((part for part in self.parts() if isinstance(part, kind)), None)

    def find_all(self, kind: type[P]) -> list[P]:
        """Every extension or option of a class, in wire order."""
        wants_part(kind)
        return [part for part in self.parts() if isinstance(part, kind)]

    def __str__(self) -> str:
        lists = [(name, getattr(self, name)) for name in self.__struct_fields__ if isinstance(getattr(self, name), list)]
        text = filled(type(self).__name__ + "(", self._items(), "", "    ")
        for name, parts in lists:
            if parts and isinstance(parts[0], Part):
                lines = "".join("\n        " + str(part).replace("\n", "\n        ") + "," for part in parts)
                text += f",\n    {name}=[{lines}\n    ]"
        return text + ")"
