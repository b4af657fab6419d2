"""Messages and their parts out of JSON and dicts: EncodeError, or what encodes and comes back."""
from __future__ import annotations

import json
import random
from collections.abc import Callable
from typing import Any

from rules import attempt, must, one_way_to_write

import fastcodec as fc
from fastcodec import EncodeError
from fastcodec.base import Message, Part, descendants

BASES: tuple[Any, ...] = (Message, Part)
CLASSES = sorted({cls.__name__: cls for base in BASES for cls in descendants(base)})
FIELDS = sorted({name for base in BASES for cls in descendants(base) for name in cls.__struct_fields__})
WORDS_OF_JSON = (*(f'"{name}"' for name in (*CLASSES, *FIELDS)), '"class":', '"octets":', '"hidden":', "null", "true", "[]",
                 "{}", "1e9", "-1",
                 "18446744073709551616", '"192.0.2.1"', '"2001:db8::1"', '"\\ud800"', '"User-Name"', '"Attr-26.9.1"', '"00"')


# ---- from

def from_json(data: bytes) -> None:
    for base in BASES:
        try:
            made = base.from_json(data)
        except EncodeError as error:
            must(bool(str(error)), "a refusal says nothing", error)
            continue
        comes_back(made)


def from_dict(data: bytes) -> None:
    try:
        values = json.loads(data)
    except (ValueError, RecursionError):
        return
    for base in BASES:
        try:
            made = base.from_dict(values)
        except EncodeError as error:
            must(bool(str(error)), "a refusal says nothing", error)
            continue
        comes_back(made)


def comes_back(made: Any) -> None:
    """Through JSON always; through octets where it encodes, for not every value that a class holds fits its octets."""
    str(made)
    repr(made)
    if not isinstance(made, Message) or one_way_to_write(made):
        must(type(made).from_json(made.to_json()) == made, "another one after to_json", made, made.to_json())
    if not isinstance(made, Message) or not can_stand_alone(made):
        return
    try:
        octets = made.encode()
    except EncodeError as error:
        must(bool(str(error)), "a refusal says nothing", error)
        return
    decode = DECODERS.get(type(made), type(made).decode)
    again = attempt(decode, octets)
    if again is None:                   # an extension twice, a code of 28 octets: who makes it by hand may send it
        return
    must(again.encode() == octets, "encodes in another way the second time", made, octets)
    if kinds_of(again) == kinds_of(made):      # what is known comes back in its own class, such as EapUnknown(1) as EapIdentity
        must(summed_up(again) == summed_up(made), "comes back as another", made, octets, again)


def summed_up(message: Any) -> Any:
    """The checksum of a packet's Mobility Header is computed, whatever was given."""
    return message.replace(message=message.message.replace(checksum=0)) if isinstance(message, fc.MobilityPacket) else message


def kinds_of(message: Any) -> list[Any]:
    """Of its parts, the names of RADIUS attributes among them."""
    if isinstance(message, fc.RadiusPacket):
        return [name for name, _ in message.attributes]
    return [type(part) for part in [*message.parts(), getattr(message, "body", None)]]


def can_stand_alone(made: Any) -> bool:
    """A random authenticator would be made for a RADIUS packet without one; a header that names the address of the packet's own is lost."""
    if isinstance(made, fc.MobilityPacket):
        return made.source != made.home_address and made.destination != made.routing_address
    return not isinstance(made, fc.RadiusPacket) or len(made.authenticator) == 16


DECODERS: dict[Any, Callable[[bytes], Any]] = {fc.PanaMessage: lambda octets: fc.PanaMessage.decode(octets, strict=False)}


# ---- changed by its structure

VALUES = (None, True, -1, 0, 1, 4, 255, 256, 0xffff, 0x10000, 2**24, 2**32 - 1, 2**32, 2**63, 2**64, 2**70, 1.5, "", "text", "\ud800", "\0",
          "zz",          "00", "00" * 16, "ff" * 300, "192.0.2.1", "192.0.2.256", "2001:db8::1", "fe80::1%eth0", [], {}, [None],
          [[]], {"octets": "zz"},
          {"octets": "c3"}, {"hidden": "00112233445566778899aabbccddeeff"}, [["User-Name", "mn"]], [["Class", {"octets": "00"}]])


def places(values: Any, into: list[tuple[Any, Any]]) -> list[tuple[Any, Any]]:
    """Every place that holds a value: what it is in, and its key or index."""
    keys = list(values) if isinstance(values, dict) else range(len(values)) if isinstance(values, list) else ()
    for key in keys:
        into.append((values, key))
        places(values[key], into)
    return into


def varied(data: bytes, seed: int) -> bytes:
    """One to three values replaced, left out, doubled or exchanged; classes and fields renamed."""
    source = random.Random(seed)
    try:
        values = json.loads(data)
        for _ in range(source.randrange(1, 4)):
            found = places(values, [])
            if found:
                source.choice(WAYS)(*source.choice(found), found, source)
        return json.dumps(values).encode()
    except (ValueError, RecursionError):
        return data


def replaced(inside: Any, key: Any, found: Any, source: random.Random) -> None:
    old = inside[key]
    near = (*(old + d for d in (-1, 1, 256)),) if isinstance(old, int) else (old[:-1], old + old, old + "0") if isinstance(old, str) else ()
    inside[key] = source.choice((*VALUES, *near, *near, *near))


def left_out(inside: Any, key: Any, found: Any, source: random.Random) -> None:
    del inside[key]


def doubled(inside: Any, key: Any, found: Any, source: random.Random) -> None:
    if isinstance(inside, list):
        inside[key:key] = json.loads(json.dumps([inside[key]])) * source.choice((1, 1, 2, 40))


def exchanged(inside: Any, key: Any, found: Any, source: random.Random) -> None:
    other, at = source.choice(found)
    inside[key] = json.loads(json.dumps(other[at]))


def renamed(inside: Any, key: Any, found: Any, source: random.Random) -> None:
    if key == "class":
        inside[key] = source.choice(CLASSES)
    elif isinstance(inside, dict):
        inside[source.choice(FIELDS)] = inside.pop(key)


WAYS: tuple[Callable[..., None], ...] = (replaced, replaced, left_out, doubled, exchanged, renamed)
