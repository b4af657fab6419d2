"""The files of a store: a header page that says what it is and whose, then records. Journals grow, images do not."""

import os
import secrets
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from servers.store.errors import WrongFormat
from servers.store.journal import checksum

PAGE = 4096
MAGIC = b"mipstore"
VERSION = 1
JOURNAL, IMAGE = 1, 2
UNFINISHED = ".new"
FIXED = struct.Struct("<8sIIIIQ")                      # magic, version, kind, nonce, octets of identity, first sequence
IDENTITY_MOST = PAGE - FIXED.size - 4


@dataclass(frozen=True)
class Header:
    """First page of a file. `nonce` starts every checksum in it: no record of another file passes for its own."""

    kind: int
    nonce: int
    sequence: int
    identity: str

    def pack(self) -> bytes:
        """A page that ends in its CRC32C."""
        name = self.identity.encode()
        if len(name) > IDENTITY_MOST:
            raise ValueError(f"identity of {len(name)} octets, at most {IDENTITY_MOST}")
        page = FIXED.pack(MAGIC, VERSION, self.kind, self.nonce, len(name), self.sequence) + name
        page = page.ljust(PAGE - 4, b"\0")
        return page + struct.pack("<I", checksum(page))


def read_header(file: BinaryIO, path: Path, kind: int, identity: str) -> Header:
    """WrongFormat names what does not fit: no store file, another version, damage, another owner."""
    page = file.read(PAGE)
    if len(page) < PAGE or page[:8] != MAGIC:
        raise WrongFormat(f"{path}: not a file of a mipstorm store")
    _, version, seen_kind, nonce, name_octets, sequence = FIXED.unpack_from(page)
    if version != VERSION:
        raise WrongFormat(f"{path}: format version {version}, this program knows version {VERSION}")
    if struct.unpack("<I", page[-4:])[0] != checksum(page[:-4]) or name_octets > IDENTITY_MOST:
        raise WrongFormat(f"{path}: the header page is damaged")
    name = page[FIXED.size:FIXED.size + name_octets].decode()
    if seen_kind != kind:
        raise WrongFormat(f"{path}: {'an image' if seen_kind == IMAGE else 'a journal'} under the other kind's name")
    if name != identity:
        raise WrongFormat(f"{path}: belongs to {name!r}, not to {identity!r}")
    return Header(seen_kind, nonce, sequence, name)


def create(path: Path, kind: int, identity: str, sequence: int, reserve: int = 0) -> tuple[BinaryIO, Header]:
    """A new file, mode 0600, its header on disk, `reserve` octets after it set aside. OSError: disk full, file exists.

    It bears the name `unfinished(path)` until `publish`: under its own name no file is ever seen incomplete.
    """
    header, path = Header(kind, secrets.randbits(32), sequence, identity), unfinished(path)
    file = os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600), "r+b", buffering=0)
    try:
        os.posix_fallocate(file.fileno(), 0, PAGE + reserve)
        os.pwrite(file.fileno(), header.pack(), 0)     # whole: there is room
        file.seek(PAGE)
        os.fsync(file.fileno())
    except BaseException:
        file.close()
        path.unlink()
        raise
    return file, header


def unfinished(path: Path) -> Path:
    """The name a file has until it is complete; what bears it after a crash is removed."""
    return path.with_name(path.name + UNFINISHED)


def publish(path: Path) -> None:
    """Gives a finished and synced file its name, durably."""
    unfinished(path).rename(path)
    sync_directory(path.parent)


def sync_directory(directory: Path) -> None:
    """Makes creations, renames and removals in the directory durable."""
    fd = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
