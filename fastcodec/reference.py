"""The reference of all formats, made of the declarations: `python -m fastcodec.reference build/docs`.

One page of Markdown for each protocol, and an index. A field table is what the packed struct says, a number what the enum says.
"""
from __future__ import annotations

import argparse
import inspect
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, get_type_hints

from fastcodec import (
    agents,
    eap,
    gpsk,
    mip4,
    mip4_extensions,
    mip4_messages,
    mip6,
    mobility,
    mobility_options,
    pana,
    pana_messages,
    tunnels,
)
from fastcodec.base import Message, Part
from fastcodec.declarations import Enumeration, Field, Layout, Member, enumerations, layouts
from fastcodec.lint_content import sizes_of
from fastcodec.mip4_extensions import Extension
from fastcodec.overlay import BOUND
from fastcodec.reference_radius import radius_page
from fastcodec.sections import section_of
from fastcodec.tables import table
from fastcodec.wire import Shape

__all__ = ["main", "pages", "write"]

SHAPES = {Shape.TLV: "type 1, length 1", Shape.SHORT: "type 1, length 1, subtype 1", Shape.LONG: "type 1, subtype 1, length 2",
          Shape.PAD: "one octet", Shape.UNKNOWN_SKIP: "type 1, length 1"}
TAILS = {"bytes": "octets", "str": "text, UTF-8", "tuple[IPv4Address, ...]": "IPv4 addresses", "tuple[int, ...]": "numbers of one octet",
         "list[Extension]": "extensions", "list[MobilityOption]": "mobility options", "list[Avp]": "attribute-value pairs"}
GPSK = {gpsk.COUNTED: ("2 +", "length of 2 octets, and so many octets"), gpsk.NONCE: ("32", "octets"),
        gpsk.SUITES: ("2 +", "length of 2 octets, and ciphersuites of 6"), gpsk.SUITE: ("6", "vendor of 4 octets, specifier of 2"),
        gpsk.NUMBER: ("4", "number"), gpsk.CODE: ("16 or 32", "message authentication code, the rest")}
TEXT = "text, UTF-8"
PLAIN: dict[type, list[tuple[str, str, str]]] = {
    agents.RouterAddress: [("address", "4", ""), ("preference", "4", "signed; higher is better"), ("rest", "*", "of a longer entry")],
    mip4_extensions.Padding: [("count", "*", "so many zeros")],
    eap.EapPacket: [("code", "1", "`EapCode`"), ("identifier", "1", "number"), ("length", "2", "of all, in octets"),
                    ("body", "*", "requests and responses: type of 1 octet, and what it says")],
    eap.EapIdentity: [("identity", "*", TEXT)], eap.EapNotification: [("text", "*", TEXT)],
    eap.EapNak: [("types", "*", "numbers of one octet")], eap.EapUnknown: [("data", "*", "octets")],
    eap.EapMd5Challenge: [("value", "1 +", "length of 1 octet, and so many octets"), ("name", "*", TEXT)],
    eap.EapExpanded: [("vendor", "3", "number"), ("vendor_type", "4", "number"), ("data", "*", "octets")]}


# ---- fields

def layout_of(name: str, names: Sequence[str]) -> Layout:
    """The struct of that name with these fields."""
    return next(row for row in layouts() if row.name == name and [field.name for field in row.fields] == list(names))


def fields_of(cls: Any) -> list[Field]:
    """The fields of a class that is bound to structs, one struct behind the other."""
    found: list[Field] = []
    for name, dtype in BOUND[cls]:
        start = found[-1].offset + found[-1].octets if found else 0
        found += [field._replace(offset=field.offset + start) for field in layout_of(name, dtype.names or ()).fields]
    return found


def tail_of(cls: Any) -> tuple[str, str] | None:
    """The field that takes what follows the structs, and what that is."""
    fixed = {field.name for field in fields_of(cls)}
    name = next((name for name in cls.__struct_fields__ if name not in fixed), None)
    return None if name is None else (name, TAILS[shown(get_type_hints(cls)[name])])


def shown(hint: Any) -> str:
    return hint.__name__ if isinstance(hint, type) and not getattr(hint, "__args__", ()) else str(hint).replace(
        "ipaddress.", "").replace(hint.__args__[0].__module__ + ".", "")


def field_rows(cls: Any) -> Iterator[tuple[Any, ...]]:
    if cls in BOUND:
        for field in fields_of(cls):
            yield field.offset, field.octets, f"`{field.name}`", field.meaning
        tail = tail_of(cls)
        if tail:
            yield cls.plan.size, "*", f"`{tail[0]}`", tail[1]
    elif cls in PLAIN:
        yield from (("", octets, f"`{name}`", meaning) for name, octets, meaning in PLAIN[cls])
    elif issubclass(cls, agents.AgentMessage):
        for field in next(row for row in layouts() if row.module == "agent_discovery" and row.name == cls.__name__).fields:
            yield field.offset, field.octets, f"`{field.name}`", field.meaning
    elif issubclass(cls, gpsk.GpskMessage):
        yield "", 1, "", f"operation: {cls.OPERATION}"
        for name, form in zip(cls.__struct_fields__, cls.FORM, strict=True):
            yield "", GPSK[form][0], f"`{name}`", GPSK[form][1]
    else:
        yield from (("", "*", f"`{name}`", "") for name in cls.__struct_fields__)


# ---- what is said of a class

def range_of(low: int, high: int) -> str:
    return f"{low} octets" if low == high else f"{low} to {high} octets" if high < 0xffff else f"{low} octets at least"


def number_of(cls: Any) -> str:
    plan = getattr(cls, "plan", None)
    if plan is None:
        return f"type {cls.TYPE}" if getattr(cls, "TYPE", 0) else ""
    subtype = f", subtype {plan.subtype}" if plan.subtype > 0 else ", any other subtype" if plan.subtype < 0 else ""
    return f"type {plan.type}{subtype}" if plan.type or issubclass(cls, Message) else ""


def facts_of(cls: Any) -> Iterator[str]:
    """Number, header shape, length, multiplicity and section."""
    plan = getattr(cls, "plan", None)
    if number_of(cls):
        yield number_of(cls)
    if plan is not None and issubclass(cls, Extension):
        yield f"header: {SHAPES[Shape(plan.shape)]}"
        row = mip4.EXTENSIONS.get(plan.type)
        if row:
            least, most = sizes_of(plan)
            yield f"value: {range_of(max(least, row.minimum), min(most, row.maximum))}"
            yield "at most once for a subtype" if row.single else "any number of times"
    elif plan is not None and issubclass(cls, mobility_options.MobilityOption):
        option = mip6.OPTIONS[plan.type]
        yield f"data: {range_of(option.minimum, option.maximum)}, at {option.every}n+{option.offset}"
    elif plan is not None and issubclass(cls, pana_messages.Avp) and plan.type in pana.AVPS:
        pair = pana.AVPS[plan.type]
        yield f"value: {range_of(pair.minimum, pair.maximum)}"
        yield "at most once" if pair.single else "any number of times"
    if section_of(cls):
        yield section_of(cls)


def class_text(cls: Any) -> str:
    rows = list(field_rows(cls))
    return "\n\n".join(filter(None, [f"### {cls.__name__}", inspect.cleandoc(cls.__doc__ or ""), "; ".join(facts_of(cls)) + ".",
                                     table(("offset", "octets", "field", "meaning"), rows) if rows else "No fields.", ""]))


def enum_text(row: Enumeration) -> str:
    return "\n\n".join([f"### {row.name or 'Constants of ' + row.module}", row.meaning,
                        table(("number", "", "name", "meaning"),
                              [(m.number, hex(m.number), f"`{m.name}`", m.meaning) for m in row.members]), ""])


# ---- pages

def declared(module: Any, base: type) -> list[Any]:
    """Classes of a module that derive from `base`, in the order of their declaration."""
    found: list[Any] = [cls for cls in vars(module).values() if isinstance(cls, type) and issubclass(cls, base)
                        and cls.__module__ == module.__name__]
    return [cls for cls in dict.fromkeys(found) if cls in BOUND or cls.__struct_fields__]


def python_enums() -> list[Enumeration]:
    return [Enumeration("eap", cls.__name__, inspect.cleandoc(cls.__doc__ or ""), tuple(Member(m.name, m.value, "") for m in cls))
            for cls in (eap.EapCode, eap.EapType, gpsk.GpskFailure)]


def page(title: str, classes: Iterable[Any], modules: Iterable[str]) -> str:
    numbers = [row for row in [*enumerations(), *python_enums()] if row.module in modules]
    return "\n".join([f"# {title}\n", "## Formats\n", *map(class_text, classes), "## Numbers\n", *map(enum_text, numbers)])


def pages() -> dict[str, str]:
    """File name to Markdown."""
    from fastcodec import mip4_routing, mip4_services
    return {
        "mobile-ipv4.md": page("Mobile IPv4", [*declared(mip4_messages, Message), *declared(mip4_extensions, Part),
                                               *declared(mip4_services, Part), *declared(mip4_routing, Part)],
                               ("mip4", "mip4_codes", "wire")),
        "agent-discovery.md": page("Agent discovery", [*declared(agents, Message), *declared(agents, Part)], ("agent_discovery",)),
        "mobile-ipv6.md": page("Mobile IPv6", [*declared(mobility, Message), *declared(mobility_options, Part)], ("mip6",)),
        "radius.md": radius_page([enum_text(row) for row in enumerations() if row.module == "radius"],
                                 next(row for row in layouts() if row.name == "RadiusHeader")),
        "eap.md": page("EAP", [eap.EapPacket, *declared(eap, Part), *declared(gpsk, Part)], ("eap",)),
        "pana.md": page("PANA", [pana_messages.PanaMessage, *declared(pana_messages, Part)], ("pana",)),
        "tunnels.md": page("Tunnels and headers", declared(tunnels, Part), ("headers", "tunnel")),
        "status.md": page("What a batch says of a row", [], ("status",)),
        "structs.md": "# All packed structs\n\n" + "\n".join(map(struct_text, layouts()))}


def struct_text(row: Layout) -> str:
    return "\n\n".join([f"### {row.module}.{row.name}", row.meaning, table(
        ("offset", "octets", "field", "meaning"), [(f.offset, f.octets, f"`{f.name}`", f.meaning) for f in row.fields]), ""])


def write(folder: Path) -> list[Path]:
    """Write all pages; their paths, the index first."""
    folder.mkdir(parents=True, exist_ok=True)
    made = pages()
    index = "# Formats\n\nNumbers are in network order, offsets and lengths in octets; `*` is what is left.\n\n" + "".join(
        f"- [{text.split(chr(10), 1)[0].removeprefix('# ')}]({name})\n" for name, text in made.items())
    for name, text in {"index.md": index, **made}.items():
        (folder / name).write_text(text)
    return [folder / "index.md", *(folder / name for name in made)]


def main(arguments: Sequence[str] | None = None) -> int:
    """The command; 0, or 2 when the folder cannot be written."""
    parser = argparse.ArgumentParser(prog="python -m fastcodec.reference", description="write the reference of all formats as Markdown")
    parser.add_argument("folder", type=Path)
    try:
        for path in write(parser.parse_args(arguments).folder):
            print(path)
    except OSError as error:
        print(f"fastcodec.reference: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
