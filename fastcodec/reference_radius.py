"""The page of the format reference about RADIUS: its attributes are in dictionary files, and so are their RFCs."""
from __future__ import annotations

import re
from collections.abc import Iterable

from fastcodec.declarations import Layout
from fastcodec.dictionary import SHIPPED, Attribute, Dictionary, default
from fastcodec.tables import table

__all__ = ["DATA_TYPES", "radius_page"]

# Of a dictionary's attribute: octets, what it is in Python, section.
DATA_TYPES = {
    "string": ("1-253", "text, UTF-8", "RFC 8044 3.4"), "octets": ("1-253", "bytes", "RFC 8044 3.5"),
    "integer": ("4", "int, or the name of a value", "RFC 8044 3.1"), "date": ("4", "int, seconds of 1970", "RFC 8044 3.3"),
    "integer64": ("8", "int", "RFC 8044 3.13"), "short": ("2", "int", "RFC 8044 3.1"), "byte": ("1", "int", "RFC 8044 3.1"),
    "bool": ("1", "int", "RFC 8044 3.1"), "signed": ("4", "int, two's complement", "RFC 8044 3.1"),
    "ipaddr": ("4", "IPv4Address", "RFC 8044 3.8"), "ipv6addr": ("16", "IPv6Address", "RFC 8044 3.9"),
    "ipv4prefix": ("6", "IPv4Network", "RFC 8044 3.11"), "ipv6prefix": ("2-18", "IPv6Network", "RFC 8044 3.10"),
    "ifid": ("8", "text, 0:0:0:1", "RFC 8044 3.7"), "ether": ("6", "text, 00:1b:24:b5:6e:01", "RFC 8044 3"),
    "combo-ip": ("4 or 16", "IPv4Address or IPv6Address", "RFC 8044 3.8"), "abinary": ("1-253", "bytes", "RFC 8044 3.5"),
    "vsa": ("5-253", "a vendor's own", "RFC 8044 3.14"), "tlv": ("3-253", "list of pairs", "RFC 8044 3.12"),
    "extended": ("1-252", "by its inner number", "RFC 6929 2.1"), "long-extended": ("1-251", "by its inner number", "RFC 6929 2.2"),
    "evs": ("6-251", "a vendor's own, extended", "RFC 6929 2.4")}


def sources(dictionary: Dictionary) -> dict[str, str]:
    """Attribute to the RFC, else the vendor, whose file declares it."""
    found: dict[str, str] = {}
    for path in sorted(SHIPPED.glob("dictionary.*")):
        kind = path.suffix.removeprefix(".")
        source = f"RFC {kind.removeprefix('rfc')}" if kind.startswith("rfc") else kind
        for name in re.findall(r"^ATTRIBUTE\s+(\S+)", path.read_text(), re.MULTILINE):
            found.setdefault(name, source)
    return {name: found.get(name, "") for name in dictionary.attributes}


def number_of(attribute: Attribute) -> str:
    path = ".".join(map(str, attribute.path))
    if not attribute.vendor:
        return path
    return f"26.{attribute.vendor}.{path}" if len(attribute.path) == 1 else f"{path} of vendor {attribute.vendor}"


def flags_of(attribute: Attribute) -> str:
    hidden = {1: "hidden as User-Password (RFC 2865 5.2)", 2: "hidden with a salt (RFC 2868 3.5)", 3: "hidden as Ascend-Send-Secret"}
    return ", ".join(filter(None, ["tagged (RFC 2868 3.1)" if attribute.has_tag else "", hidden.get(attribute.encrypt, ""),
                                   "split over several (RFC 3579 3.1)" if attribute.concat else "",
                                   "several values in one" if attribute.array else "", f"{attribute.size} octets" if attribute.size else "",
                                   "never on the wire" if attribute.is_internal else ""]))


def radius_page(numbers: Iterable[str], header: Layout) -> str:
    """Header, attributes, data types, values and codes."""
    dictionary = default()
    of = sources(dictionary)
    attributes = sorted(dictionary.attributes.values(), key=lambda a: (a.vendor, a.path))
    return "\n\n".join([
        "# RADIUS", "## Formats", "### RadiusPacket",
        "RFC 2865 3. Attributes follow: type 1, length 1 (of all), value; RFC 2865 5.",
        table(("offset", "octets", "field", "meaning"), [(f.offset, f.octets, f"`{f.name}`", f.meaning) for f in header.fields]),
        "### Data types", table(("type", "octets", "in Python", "section"), [(kind, *row) for kind, row in DATA_TYPES.items()]),
        "### Vendors", table(("number", "name", "octets of type", "octets of length", "continued"),
                             [(v.number, v.name, v.type_size, v.length_size, "yes" if v.continuation else "")
                              for v in dictionary.vendors.values()]),
        "### Attributes", table(("number", "name", "type", "how", "from"),
                                [(number_of(a), f"`{a.name}`", a.kind, flags_of(a), of[a.name]) for a in attributes]),
        "### Values", table(("attribute", "value", "name"), [
            (f"`{name}`", number, f"`{value}`") for name, values in dictionary.values.items() for value, number in values.items()]),
        "## Numbers", *numbers])
