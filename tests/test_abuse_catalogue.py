"""The catalogue of abuse and the tables that play it: every row stands in one, and no table has a row that is not asked
for. Rows of foreign agents and of the IPv6 home agent (A24, A25, A43-A46) are not of these servers; A52 is the control
socket's own test."""

from __future__ import annotations

import importlib
from collections import Counter
from pathlib import Path

import pytest

HERE = Path(__file__).parent
TABLES = {"roles/test_abuse_mip4": "ROWS", "roles/test_abuse_radius": "ROWS", "roles/test_abuse_scripts": "SCRIPTS",
          "roles/test_abuse_aaa_scripts": "SCRIPTS", "servers/test_abuse_state": "TABLE", "loadgen/test_abuse_generator": "TABLE"}
ELSEWHERE = {"A22"}  # revocation (RFC 3543) has tests of its own
ASKED_FOR = [*range(1, 24), *range(26, 43), *range(47, 52), *range(53, 56)]
Line = tuple[str, str, str]


@pytest.fixture
def lines(monkeypatch: pytest.MonkeyPatch) -> list[Line]:
    """Row, to whom, and what, of every line of every table."""
    for folder in ("roles", "servers", "loadgen"):
        monkeypatch.syspath_prepend(HERE / folder)
    tables = [getattr(importlib.import_module(path.split("/")[1]), name) for path, name in TABLES.items()]
    return [(row.id, getattr(row, "target", ""), row.what) for table in tables for row in table]


def test_every_row_is_played(lines: list[Line]) -> None:
    played = {row for row, _, _ in lines if row.startswith("A")}
    assert not played & ELSEWHERE
    assert played | ELSEWHERE == {f"A{k}" for k in ASKED_FOR}


def test_no_line_stands_twice(lines: list[Line]) -> None:
    assert [line for line, n in Counter(lines).items() if n > 1] == []
