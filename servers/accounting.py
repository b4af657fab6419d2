"""Accounting records leave the journal for text files, one line a record, for other programs: when the server starts, and
while it runs whenever the journal becomes an image. A file is complete when it bears its name, and is then the operator's:
the server never reads, changes or removes it.

    received (UTC)              client           packet (hex, RFC 2866 3)
    2026-11-24T10:31:56.000001Z 127.0.0.1:40999  040100a3...
"""
import os
import struct
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address
from pathlib import Path
from typing import IO

from servers.store import image

HEAD = struct.Struct("<Q4sH")  # wall clock in ns, client address in network order, its port
BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)


class Export:
    """FOLDER/accounting.NUMBER in the making, mode 0600. The number is that of the image which is about to be replaced:
    what was cut short before that writes the same file again, with all that it had and perhaps more. OSError: the disk."""

    def __init__(self, folder: Path, number: int) -> None:
        self.path = folder / f"accounting.{number}"
        self.unfinished = folder / f"accounting.{number}.new"
        self.file: IO[str] | None = None

    def add(self, records: Iterable[bytes]) -> None:
        for record in records:
            if self.file is None:
                self.unfinished.unlink(missing_ok=True)
                self.file = os.fdopen(os.open(self.unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w")
            self.file.write(line(record))

    def finish(self) -> Path | None:
        """Durable under its name; None when there were no records. Releases the GIL while it waits for the disk."""
        if self.file is None:
            return None
        self.file.flush()
        os.fsync(self.file.fileno())
        self.file.close()
        self.unfinished.replace(self.path)
        image.sync_directory(self.path.parent)
        return self.path

    def abandon(self) -> None:
        if self.file is not None:
            self.unfinished.unlink(missing_ok=True)
            self.file.close()


def export(records: Iterable[bytes], folder: Path, number: int) -> Path | None:
    """All in one go; None when there are no records."""
    made = Export(folder, number)
    made.add(records)
    return made.finish()


def line(record: bytes) -> str:
    received, client, port = HEAD.unpack_from(record)
    when = BEGINNING + timedelta(microseconds=received // 1000)
    return f"{when.strftime('%Y-%m-%dT%H:%M:%S.%fZ')} {IPv4Address(client)}:{port} {record[HEAD.size:].hex()}\n"
