"""Which section of which RFC a message, a part of one or a rule comes from: what errors and the format reference cite.

Classes are cited from their docstrings, the rest is in the table here.
"""
from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

__all__ = ["SECTIONS", "cite", "cited", "section_in", "section_of"]

SECTION = re.compile(r"RFC \d+(?: \d+(?:\.\d+)*)?")

# What a field of an error begins with: a class, a kind of part, or what RFCs call it.
SECTIONS: dict[str, str] = {
    "extension": "RFC 5944 1.8", "extensions": "RFC 5944 1.8", "registration message": "RFC 5944 3", "option": "RFC 6275 6.2.1",
    "options": "RFC 6275 6.2.1", "AVP": "RFC 5191 6.3", "avps": "RFC 5191 6.3", "Mobility Header": "RFC 6275 6.1.1",
    "IP packet": "RFC 791 3.1, RFC 8200 3", "IPv6 packet": "RFC 8200 3", "inner": "RFC 2003 3.1", "tunnel": "RFC 2003 3.1",
    "mn_ha": "RFC 5944 3.5.2", "mn_fa": "RFC 5944 3.5.3", "fa_ha": "RFC 5944 3.5.4", "mn_aaa": "RFC 4721 5",
    "fa_fa": "RFC 4857 11", "mn_gfa": "RFC 4857 11", "mn_par": "RFC 4988 8", "generalized": "RFC 4721 5",
    "attribute": "RFC 2865 5", "Attributes": "RFC 2865 5", "Message-Authenticator": "RFC 3579 3.2", "request": "RFC 2865 3",
    "Secret": "RFC 2865 3", "authenticator": "RFC 2865 3"}


def section_in(text: str | None) -> str:
    """The first that is named in a text, "" without one."""
    found = SECTION.search(text or "")
    return found.group() if found else ""


def section_of(cls: Any) -> str:
    """That of a class, else that of the class it derives from."""
    return next(filter(None, (section_in(vars(base).get("__doc__")) for base in cls.__mro__[:-1])), "")


def cite(classes: Iterable[Any], kind: str = "") -> None:
    """From now on errors in fields of these classes cite their sections; with `kind` those of their types, too."""
    for cls in classes:
        SECTIONS[cls.__name__] = section_of(cls)
        if kind:
            SECTIONS.setdefault(f"{kind} {cls.plan.type}", section_of(cls))


def cited(field: str, reason: str) -> str:
    """A reason with the section behind it, unless it says so itself: of the part named last, else of the whole."""
    if "RFC " in reason:
        return reason
    whole, _, part = field.partition(": ")
    part = part.partition(" (")[0]
    names = (part, part.partition(" ")[0], whole, whole.partition(".")[0])
    section = next((SECTIONS[name] for name in names if SECTIONS.get(name)), "")
    return f"{reason} ({section})" if section else reason
