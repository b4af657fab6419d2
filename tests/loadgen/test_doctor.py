"""`doctor` says what is there in one line each, and never fails for what is not."""
import re
import socket
from pathlib import Path

import pytest

from loadgen import machine
from loadgen.cli.main import main


def test_every_line_says_whether_it_is_good(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == len(machine.FINDINGS)
    assert all(re.fullmatch(r"(ok|--)  \S.{17} \S.*", line) for line in lines), lines
    assert {line[4:22].strip() for line in lines} >= {"cores", "digest lanes", "receive buffer", "UDP GSO and GRO", "TUN"}


def test_what_is_missing_is_said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(machine, "PEERS", ("no-such-program", "sh"))
    monkeypatch.setattr(machine, "EXTRAS", {"no_such_package": "nothing"})
    monkeypatch.setattr(machine, "widths", lambda: [1, 16])
    monkeypatch.setattr(machine, "number", lambda path: None)
    assert machine.peers() == machine.Finding(False, "other programs", "sh; not there: no-such-program")
    assert machine.extras().text.endswith(": none; not there: no-such-package (nothing)")
    assert machine.lanes() == machine.Finding(False, "digest lanes", "vectors of 16 octets (SSE2 or NEON)")
    assert not machine.profiling().good


def test_the_buffer_that_was_granted_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def small(made: socket.socket, force: int, ask: int, octets: int) -> None:
        made.setsockopt(socket.SOL_SOCKET, ask, 8192)

    monkeypatch.setattr("servers.net.udp.grant", small)
    found = machine.receive_buffer()
    assert not found.good
    assert found.text.startswith("8 KiB granted of 4096;")
