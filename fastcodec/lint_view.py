"""What the rules of `lint` look at: a message's octets and where its extensions are; and what they say."""
from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from fastcodec.mip4 import EXTENSIONS, SUBTYPE_MN_AAA, ExtensionType

__all__ = ["Finding", "Place", "View", "is_sound"]

AUTHENTICATIONS = (ExtensionType.EXT_MN_HA, ExtensionType.EXT_MN_FA, ExtensionType.EXT_FA_HA, ExtensionType.EXT_GENERALIZED)
SUBTYPES = {(36, 1): "MN-AAA", (36, 2): "FA-FA", (36, 3): "MN-GFA", (36, 4): "MN-PAR", (139, 1): "requested HA",
            (139, 2): "redirected HA", (148, 0): "mobile network request", (148, 1): "mobile network acknowledgement",
            (148, 2): "mobile network acknowledgement", (152, 1): "IPv6 prefix request", (152, 2): "IPv6 prefix reply",
            (152, 3): "IPv6 tunneling mode", (154, 1): "multipath"}


class Finding(NamedTuple):
    """A rule that a message breaks: its name, the offset of what breaks it, the RFC and section, and what is wrong."""

    rule: str
    offset: int
    section: str
    text: str

    def __str__(self) -> str:
        return f"offset {self.offset}: {self.text} [RFC {self.section}] ({self.rule})"


class Place(NamedTuple):
    """An extension: where it starts, where its value starts and ends."""

    type: int
    subtype: int
    head: int
    value: int
    end: int

    @property
    def is_authentication(self) -> bool:
        return self.type in AUTHENTICATIONS

    @property
    def is_mn_aaa(self) -> bool:
        return self.type == ExtensionType.EXT_GENERALIZED and self.subtype == SUBTYPE_MN_AAA

    @property
    def is_correspondent(self) -> bool:
        """What proves a mobile router to its correspondent, RFC 6521 5.3."""
        return self.type == ExtensionType.EXT_ROUTE_OPTIMIZATION and self.subtype == 2

    def __str__(self) -> str:
        row = EXTENSIONS.get(self.type)
        name = SUBTYPES.get((self.type, self.subtype)) or (row.name.replace("_", " ") if row else "unknown")
        return f"extension {self.type} ({name})"


def is_sound(place: Place) -> bool:
    """Whether its RFC allows that length."""
    row = EXTENSIONS.get(place.type)
    return row is None or row.minimum <= place.end - place.value <= row.maximum


class View:
    """A message as the rules see it."""

    def __init__(self, octets: bytes, places: list[Place]) -> None:
        self.octets, self.places = octets, places
        self.sound = [place for place in places if is_sound(place)]

    def number(self, offset: int, width: int) -> int:
        return int.from_bytes(self.octets[offset:offset + width], "big")

    def value(self, place: Place) -> bytes:
        return self.octets[place.value:place.end]

    def all(self, type: int, subtype: int | None = None) -> Iterator[Place]:
        """Those of a possible length."""
        return (p for p in self.sound if p.type == type and subtype in (None, p.subtype))

    def first(self, type: int, subtype: int | None = None) -> Place | None:
        return next(self.all(type, subtype), None)

    @property
    def authentications(self) -> list[Place]:
        return [p for p in self.places if p.is_authentication or p.is_correspondent]
