"""Accounting records leave the journal for text files when the server starts: one line a record, for other programs.

    received (UTC)              client           packet (hex, RFC 2866 3)
    2026-11-24T10:31:56.000001Z 127.0.0.1:40999  040100a3...
"""
import os
import struct
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address
from pathlib import Path

from servers.store import image

HEAD = struct.Struct("<Q4sH")  # wall clock in ns, client address in network order, its port
BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)


def export(records: Iterable[bytes], folder: Path, number: int) -> Path | None:
    """Writes FOLDER/accounting.NUMBER, durably, mode 0600; a file of that number, from a start that was cut short, is
    written again. None when there are no records. OSError: the disk."""
    lines = [line(record) for record in records]
    if not lines:
        return None
    path = folder / f"accounting.{number}"
    unfinished = path.with_suffix(path.suffix + ".new")
    unfinished.unlink(missing_ok=True)
    with os.fdopen(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.writelines(lines)
        file.flush()
        os.fsync(file.fileno())
    unfinished.replace(path)
    image.sync_directory(folder)
    return path


def line(record: bytes) -> str:
    received, client, port = HEAD.unpack_from(record)
    when = BEGINNING + timedelta(microseconds=received // 1000)
    return f"{when.strftime('%Y-%m-%dT%H:%M:%S.%fZ')} {IPv4Address(client)}:{port} {record[HEAD.size:].hex()}\n"
