"""The format reference holds every class, number and field that is declared, and its tables are the structs."""
import re
import subprocess
import sys
from enum import IntEnum

import pytest

import fastcodec as fc
from fastcodec import agent_discovery, headers, mip4, mip4_codes, mip4_parts, mip6, pana, radius, reference, status, tunnel, wire
from fastcodec.base import Message, Part
from fastcodec.declarations import enumerations, layouts
from fastcodec.dictionary import default
from fastcodec.overlay import BOUND
from fastcodec.reference_radius import DATA_TYPES

MODULES = {m.__name__.split(".")[1]: m for m in (
    agent_discovery, headers, mip4, mip4_codes, mip4_parts, mip6, pana, radius, status, tunnel, wire)}
PAGES = reference.pages()
WHOLE = "\n".join(PAGES.values())
ABSTRACT = {"Message", "Part", "Mip4Message", "MobilityMessage", "AgentMessage", "Extension", "MobilityOption", "Avp", "EapBody",
            "GpskMessage"}


def sections(text):
    """Heading to [(offset, octets, field), ...] of the table below it."""
    parts = re.split(r"^### (.+)$", text, flags=re.MULTILINE)
    return {name: [tuple(cell.strip() for cell in line.split("|")[1:4]) for line in body.splitlines()
                   if re.match(r"\| \d+ \| \d+ \| `", line)] for name, body in zip(parts[1::2], parts[2::2], strict=True)}


TABLES = {name: rows for page in PAGES.values() for name, rows in sections(page).items()}


def test_every_class_is_there():
    exported = [name for name in fc.__all__ if isinstance(getattr(fc, name), type) and issubclass(getattr(fc, name), (Message, Part))]
    assert [name for name in exported if name not in TABLES and name not in ABSTRACT | {"MobilityPacket"}] == []
    assert len(exported) > 110


@pytest.mark.parametrize("cls", BOUND, ids=lambda cls: cls.__name__)
def test_field_tables_are_the_structs(cls):
    if not cls.__module__.startswith("fastcodec."):
        pytest.skip("a class of a test")
    expected, start = [], 0
    for _, dtype in BOUND[cls]:
        expected += [(str(start + dtype.fields[name][1]), str(dtype.fields[name][0].itemsize), f"`{name}`") for name in dtype.names]
        start += dtype.itemsize
    assert TABLES[cls.__name__] == expected
    assert start == cls.plan.size


@pytest.mark.parametrize("module", [name for name in MODULES if hasattr(MODULES[name], "LAYOUTS")])
def test_declarations_are_what_is_compiled(module):
    compiled = MODULES[module].LAYOUTS
    declared = {row.name: [(f.name, f.offset, f.octets) for f in row.fields] for row in layouts() if row.module == module}
    for name, dtype in compiled.items():
        assert declared[name] == [(field, dtype.fields[field][1], dtype.fields[field][0].itemsize) for field in dtype.names]
    assert len(compiled) >= 3


def test_every_number_is_there():
    compiled = {cls.__name__: cls for module in MODULES.values() for cls in vars(module).values()
                if isinstance(cls, type) and issubclass(cls, IntEnum) and cls is not IntEnum}
    declared = {row.name: {m.name: m.number for m in row.members} for row in enumerations() if row.name}
    for name, cls in compiled.items():
        assert declared[name] == {member: int(value) for member, value in cls.__members__.items()}, name
        assert all(f"| {int(value)} | {hex(value)} | `{member}` |" in WHOLE for member, value in cls.__members__.items()), name
    assert len(compiled) > 30
    constants = [(row.module, m) for row in enumerations() if not row.name and row.module in MODULES for m in row.members]
    assert all(getattr(MODULES[module], m.name, m.number) == m.number for module, m in constants)


def test_every_attribute_is_there():
    dictionary, page = default(), PAGES["radius.md"]
    assert [name for name in dictionary.attributes if f"| `{name}` |" not in page] == []
    assert {a.kind for a in dictionary.attributes.values()} <= set(DATA_TYPES)
    assert "| 1 | `User-Name` | string |  | RFC 2865 |" in page
    assert "| 26.311.16 | `MS-MPPE-Send-Key` | octets | hidden with a salt (RFC 2868 3.5) | microsoft |" in page
    assert "| `NAS-Port-Type` | 5 | `Virtual` |" in page


def test_what_is_said_of_a_format():
    text = PAGES["mobile-ipv4.md"]
    assert "type 131; header: type 1, length 1; value: 1 to 255 octets; at most once for a subtype; RFC 2794 2." in text
    assert "type 42, subtype 1; header: type 1, subtype 1, length 2; value: 4 octets; at most once for a subtype; RFC 3957 6.3." in text
    assert "type 152, subtype 2; header: type 1, length 1, subtype 1; value: 19 octets; any number of times; RFC 5454 2.2." in text
    assert "type 154, subtype 2; header: type 1, subtype 1, length 2; value: 2 octets at least; any number of times; RFC 7629 4.2." in text
    assert "type 3; data: 16 octets, at 8n+6; RFC 6275 6.2.5." in PAGES["mobile-ipv6.md"]
    assert "type 5; value: 8 to 256 octets; at most once; RFC 5191 8.5." in PAGES["pana.md"]
    assert "type 51" in PAGES["eap.md"]


def test_the_command(tmp_path):
    done = subprocess.run([sys.executable, "-m", "fastcodec.reference", str(tmp_path / "docs")], capture_output=True, text=True,
                          check=False)
    assert done.returncode == 0, done.stderr
    index = (tmp_path / "docs" / "index.md").read_text()
    assert all((tmp_path / "docs" / name).read_text() == text and f"({name})" in index for name, text in PAGES.items())
    (tmp_path / "file").write_text("")
    assert reference.main([str(tmp_path / "file")]) == 2
