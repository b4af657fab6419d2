"""The subscribers file: nai,mn_aaa_spi,mn_aaa_key,access_secret,class,location; a million rows in seconds.

SPI in decimal, key in hex, the rest is text. `location` is the NAS-Identifier that the load generator attaches the
node through; the AAAH ignores it.
"""
import csv
import io
import os
from base64 import urlsafe_b64encode
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, overload

import numpy as np
from numpy.typing import NDArray

from servers.errors import ConfigurationError
from servers.secrets_file import read_private

if TYPE_CHECKING:
    from _csv import Reader

HEADER = ["nai", "mn_aaa_spi", "mn_aaa_key", "access_secret", "class", "location"]
CHUNK = 2000
LONGEST = 253      # octets of a RADIUS attribute's value (RFC 2865 section 5), hence of a NAI
LONGEST_KEY = 64   # octets of an HMAC key that is not hashed first (RFC 2104 section 2)
MOST_CLASSES, MOST_LOCATIONS = 64, 2**16
LOWEST_SPI, HIGHEST_SPI = 256, 2**32 - 1  # 0-255 are reserved (RFC 5944 section 1.6)


class Octets(Sequence[bytes]):
    """Strings of unequal length in one piece of memory: row i is blob[offsets[i]:offsets[i + 1]]."""

    def __init__(self, blob: NDArray[np.uint8], offsets: NDArray[np.uint32]) -> None:
        self.blob, self.offsets = blob, offsets

    @classmethod
    def of(cls, strings: Sequence[bytes]) -> "Octets":
        return cls.joined([b"".join(strings)], [len(s) for s in strings])

    @classmethod
    def joined(cls, pieces: Iterable[bytes], lengths: list[int]) -> "Octets":
        """From the concatenation, in pieces, and the length of each row."""
        offsets = np.zeros(len(lengths) + 1, dtype=np.uint32)
        np.cumsum(lengths, out=offsets[1:])
        return cls(np.frombuffer(b"".join(pieces), dtype=np.uint8), offsets)

    def __len__(self) -> int:
        return self.offsets.size - 1

    @overload
    def __getitem__(self, index: int) -> bytes: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[bytes]: ...
    def __getitem__(self, index: int | slice) -> bytes | Sequence[bytes]:
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(len(self)))]
        i = range(len(self))[index]
        return self.blob[self.offsets[i]:self.offsets[i + 1]].tobytes()


@dataclass(frozen=True)
class Subscribers:
    """One row a subscriber, in the order of the file."""

    nai: Octets
    spi: NDArray[np.uint32]
    key: Octets
    access_secret: Octets
    classes: list[str]                 # each name once
    class_index: NDArray[np.uint16]    # a row's place in it
    locations: list[str]
    location_index: NDArray[np.uint16]

    def __len__(self) -> int:
        return len(self.nai)

    def __repr__(self) -> str:
        return f"<{len(self)} subscribers, {len(self.classes)} classes, {len(self.locations)} locations>"


def generate(count: int, realm: str = "home.example", classes: Sequence[str] = ("standard",),
             locations: Sequence[str] = ("nas-1",), spi: int = 4096) -> Subscribers:
    """`count` subscribers with names of equal length (so that their packets have equal sizes) and random secrets.

    Classes and locations are dealt in turn. Key and access secret hold 128 bits from the operating system each.
    """
    secrets = [urlsafe_b64encode(os.urandom(16)).rstrip(b"=") for _ in range(count)]
    width = max(6, len(str(count - 1)))
    rows = np.arange(count)
    return Subscribers(
        nai=Octets.of([b"mn%0*d@%s" % (width, i, realm.encode()) for i in range(count)]),
        spi=np.full(count, spi, dtype=np.uint32),
        key=Octets.joined([os.urandom(16 * count)], [16] * count),
        access_secret=Octets.of(secrets),
        classes=list(classes), class_index=(rows % len(classes)).astype(np.uint16),
        locations=list(locations), location_index=(rows // len(classes) % len(locations)).astype(np.uint16))


def write(subscribers: Subscribers, path: str | Path) -> None:
    """Writes the file anew, readable by its owner only."""
    Path(path).unlink(missing_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with open(descriptor, "w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(HEADER)
        for i, spi in enumerate(subscribers.spi.tolist()):
            writer.writerow((subscribers.nai[i].decode(), spi, subscribers.key[i].hex(),
                             subscribers.access_secret[i].decode(),
                             subscribers.classes[subscribers.class_index[i]],
                             subscribers.locations[subscribers.location_index[i]]))


def read(path: str | Path) -> Subscribers:
    """All subscribers of the file; ConfigurationError names the first line that is wrong, and why."""
    file = read_private(path)
    columns = Columns()
    try:
        for rows in chunks(file):
            columns.extend(rows)
        if columns.doubled():
            raise ValueError("doubled NAI")
    except (ValueError, csv.Error):
        raise ConfigurationError(first_fault(file, str(path))) from None
    if not columns.nai:
        raise ConfigurationError(f"{path}: holds no subscribers")
    return columns.finish()


def lines_of(file: bytes) -> io.TextIOWrapper:
    return io.TextIOWrapper(io.BytesIO(file), encoding="utf-8-sig", newline="")


def chunks(file: bytes) -> Iterator[list[list[str]]]:
    """Rows below the header, blank lines left out. ValueError when the header is another or it is not UTF-8."""
    reader = csv.reader(lines_of(file), strict=True)
    if next(reader, None) != HEADER:
        raise ValueError("header")
    while rows := list(islice(reader, CHUNK)):
        yield [row for row in rows if row]


class Columns:
    """Collects rows column by column. It only says *that* a chunk is wrong; `first_fault` finds the line."""

    def __init__(self) -> None:
        self.nai: list[str] = []
        self.spi: list[NDArray[np.uint32]] = []
        self.keys: list[bytes] = []
        self.key_lengths: list[int] = []
        self.secrets: list[bytes] = []
        self.secret_lengths: list[int] = []
        self.classes: dict[str, int] = {}
        self.class_index: list[int] = []
        self.locations: dict[str, int] = {}
        self.location_index: list[int] = []

    def extend(self, rows: list[list[str]]) -> None:
        """Takes a chunk; ValueError when any row of it breaks a rule of `row_fault`."""
        if not rows:
            return
        if set(map(len, rows)) != {len(HEADER)}:
            raise ValueError("fields")
        nai, spi, key, secret, class_, location = zip(*rows, strict=True)
        check_lengths(nai, 1)
        self.nai.extend(nai)
        self.add_spi(spi)
        self.add_keys(key)
        self.secret_lengths.extend(check_lengths(secret, 1))
        self.secrets.append("".join(secret).encode())
        self.class_index.extend(places(class_, self.classes, MOST_CLASSES))
        self.location_index.extend(places(location, self.locations, MOST_LOCATIONS))

    def add_spi(self, spi: Sequence[str]) -> None:
        joined = "".join(spi)
        if not (all(spi) and joined.isascii() and joined.isdecimal() and max(map(len, spi)) <= 10):
            raise ValueError("SPI")
        numbers = np.array(list(map(int, spi)), dtype=np.uint64)
        if numbers.min() < LOWEST_SPI or numbers.max() > HIGHEST_SPI:
            raise ValueError("SPI")
        self.spi.append(numbers.astype(np.uint32))

    def add_keys(self, keys: Sequence[str]) -> None:
        lengths = np.fromiter(map(len, keys), dtype=np.uint32, count=len(keys))
        octets = bytes.fromhex("".join(keys))
        if lengths.min() == 0 or (lengths & 1).any() or lengths.max() > 2 * LONGEST_KEY or \
                2 * len(octets) != lengths.sum():  # fromhex skips blanks
            raise ValueError("key")
        self.keys.append(octets)
        self.key_lengths.extend((lengths // 2).tolist())

    def doubled(self) -> bool:
        return len(set(self.nai)) != len(self.nai)

    def finish(self) -> Subscribers:
        nai = Octets.joined(["".join(self.nai).encode()], octet_lengths(self.nai))
        return Subscribers(nai, np.concatenate(self.spi), Octets.joined(self.keys, self.key_lengths),
                           Octets.joined(self.secrets, self.secret_lengths),
                           list(self.classes), np.array(self.class_index, dtype=np.uint16),
                           list(self.locations), np.array(self.location_index, dtype=np.uint16))


def octet_lengths(texts: Sequence[str]) -> list[int]:
    if "".join(texts).isascii():
        return list(map(len, texts))
    return [len(text.encode()) for text in texts]


def check_lengths(texts: Sequence[str], least: int) -> list[int]:
    lengths = octet_lengths(texts)
    if min(lengths) < least or max(lengths) > LONGEST:
        raise ValueError("length")
    return lengths


def places(names: Sequence[str], known: dict[str, int], most: int) -> list[int]:
    """The number of each name; new names are numbered on."""
    for name in dict.fromkeys(names):
        known.setdefault(name, len(known))
    check_lengths(list(known), 0)
    if len(known) > most:
        raise ValueError("names")
    return [known[name] for name in names]


def first_fault(file: bytes, path: str) -> str:
    """FILE:LINE and what is wrong there. Slow, for a file of which something is known to be wrong."""
    reader = csv.reader(lines_of(file), strict=True)
    try:
        header = next(reader, None)
        if header is None:
            return f"{path}: is empty; its first line must be {','.join(HEADER)}"
        if header != HEADER:
            return f"{path}:1: the first line must be {','.join(HEADER)}"
        for what in row_faults(reader):
            return f"{path}:{reader.line_num}: {what}"
    except csv.Error as error:
        return f"{path}:{reader.line_num}: {error}"
    except UnicodeDecodeError:
        return f"{path}: is not UTF-8 text near line {reader.line_num + 1}"
    raise AssertionError(f"{path}: the two checks of the subscribers file disagree")


def row_faults(reader: "Reader") -> Iterator[str]:
    """What is wrong in the rows below the header, by themselves or with those before."""
    lines: dict[str, int] = {}
    names: tuple[set[str], set[str]] = (set(), set())
    for row in filter(None, reader):
        if fault := row_fault(row):
            yield fault
        elif row[0] in lines:
            yield f"NAI '{row[0]}' stands in line {lines[row[0]]} already"
        elif row[4] not in names[0] and len(names[0]) == MOST_CLASSES:
            yield f"more than {MOST_CLASSES} different classes"
        elif row[5] not in names[1] and len(names[1]) == MOST_LOCATIONS:
            yield f"more than {MOST_LOCATIONS} different locations"
        else:
            lines[row[0]] = reader.line_num
            names[0].add(row[4])
            names[1].add(row[5])


def row_fault(row: list[str]) -> str | None:
    """What is wrong with one row by itself."""
    if len(row) != len(HEADER):
        return f"{len(row)} fields instead of {len(HEADER)}"
    nai, spi, key, secret, class_, location = row
    if not 1 <= len(nai.encode()) <= LONGEST:
        return f"the NAI must have 1 to {LONGEST} octets, not {len(nai.encode())}"
    if not (spi.isascii() and spi.isdecimal() and len(spi) <= 10 and LOWEST_SPI <= int(spi) <= HIGHEST_SPI):
        return f"mn_aaa_spi must be a number from {LOWEST_SPI} to {HIGHEST_SPI}, not '{spi}'"
    return key_fault(key) or length_fault(secret, class_, location)


def key_fault(key: str) -> str | None:
    """The key itself is never shown."""
    try:
        octets = bytes.fromhex(key)
    except ValueError:
        return "mn_aaa_key is not hexadecimal"
    if 2 * len(octets) != len(key):
        return "mn_aaa_key is not hexadecimal (there are blanks in it)"
    if not 1 <= len(octets) <= LONGEST_KEY:
        return f"mn_aaa_key must have 1 to {LONGEST_KEY} octets, not {len(octets)}"
    return None


def length_fault(secret: str, class_: str, location: str) -> str | None:
    if not 1 <= len(secret.encode()) <= LONGEST:
        return f"access_secret must have 1 to {LONGEST} octets, not {len(secret.encode())}"
    for name, value in (("class", class_), ("location", location)):
        if len(value.encode()) > LONGEST:
            return f"{name} must have at most {LONGEST} octets, not {len(value.encode())}"
    return None
