"""Accounting of a server that runs, and dies: every record that was acknowledged is in a file for other programs."""
from __future__ import annotations

import hashlib
import os
import re
import socket
from pathlib import Path

from tests.e2e.places import SECRET, Place, free_port
from tests.e2e.processes import MIPSTORM, Running, eventually


def request(identifier: int, session: str) -> bytes:
    """Accounting-Start, RFC 2866 4.1, 3."""
    attributes = b"\x28\x06\0\0\0\x01" + bytes((44, 2 + len(session))) + session.encode() + b"\x20\x05nas"
    packet = bytes((4, identifier)) + (20 + len(attributes)).to_bytes(2, "big") + bytes(16) + attributes
    return packet[:4] + hashlib.md5(packet + SECRET.encode()).digest() + attributes


class Nas:
    def __init__(self, port: int) -> None:
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.connect(("127.0.0.1", port))
        self.socket.settimeout(5)
        self.acknowledged: list[str] = []

    def account(self, n: int) -> None:
        """One after the other, each acknowledged."""
        for _ in range(n):
            session = f"s{len(self.acknowledged):06}"
            self.socket.send(request(len(self.acknowledged) % 256, session))
            assert self.socket.recv(4096)[:2] == bytes((5, len(self.acknowledged) % 256))
            self.acknowledged.append(session)


def recorded(folder: Path) -> list[str]:
    """Sessions in all files, oldest first."""
    files = sorted((p for p in folder.glob("accounting.*") if p.suffix[1:].isdigit()), key=lambda p: int(p.suffix[1:]))
    lines = [line for p in files for line in p.read_text().splitlines()]
    return re.findall(r"s\d{6}", " ".join(bytes.fromhex(line.split()[2]).decode("latin-1") for line in lines))


def test_records_leave_the_journal_while_it_runs_and_survive_a_kill(tmp_path: Path) -> None:
    place, port = Place.with_nodes(tmp_path, 5), free_port()
    config = place.aaah(more=f'accounting_listen = "127.0.0.1:{port}"\naccounting_period_s = 1')
    folder, nas = tmp_path / "aaah-state", Nas(port)
    for round_ in range(3):
        with Running(tmp_path, [*MIPSTORM, "serve", "aaah", "--config", str(config)]) as run:
            run.wait_for("listens")
            if round_:
                assert recorded(folder) == nas.acknowledged, "the start has them all"
            nas.account(300)
            assert "accounting records are in" in run.wait_for("the journal became an image")
            eventually(lambda: recorded(folder) == nas.acknowledged, "records in a file")
            nas.account(50)
            os.kill(run.pid, 9)
            run.end()
    with Running(tmp_path, [*MIPSTORM, "serve", "aaah", "--config", str(config)]) as run:
        run.wait_for("listens")
    assert recorded(folder) == nas.acknowledged
    assert len(nas.acknowledged) == 3 * 350
    assert len(list(folder.glob("journal.*"))) <= 2
    assert all(p.stat().st_mode & 0o777 == 0o600 for p in folder.iterdir())
    nas.socket.close()
