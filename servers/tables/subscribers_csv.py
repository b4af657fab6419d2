"""The subscribers file: nai,mn_aaa_spi,mn_aaa_key,access_secret,class,location; a million rows in seconds.

SPI in decimal, key in hex, the rest is text. `location` is the NAS-Identifier that the load generator attaches the
node through; the AAAH ignores it.
"""
import csv
import io
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, overload

import numpy as np
from numpy.typing import NDArray

from servers.errors import ConfigurationError
from servers.secrets_file import open_private

if TYPE_CHECKING:
    from _csv import Reader

HEADER = ["nai", "mn_aaa_spi", "mn_aaa_key", "access_secret", "class", "location"]
CHUNK = 2000
LONGEST = 253      # octets of a RADIUS attribute's value (RFC 2865 section 5), hence of a NAI
LONGEST_KEY = 64   # octets of an HMAC key that is not hashed first (RFC 2104 section 2)
MOST_CLASSES, MOST_LOCATIONS = 64, 2**16
BASE64 = np.frombuffer(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_", dtype=np.uint8)  # RFC 4648 5
LOWEST_SPI, HIGHEST_SPI = 256, 2**32 - 1  # 0-255 are reserved (RFC 5944 section 1.6)


class Octets(Sequence[bytes]):
    """Strings in one piece of memory: row i is blob[offsets[i]:offsets[i + 1]]. Those of one width need no offsets, four
    octets a row; who asks for them all the same gets them made."""

    def __init__(self, blob: NDArray[np.uint8], offsets: NDArray[np.uint32] | None = None, width: int = 0) -> None:
        """`width`: of every row, if that is so; 0: `offsets` tell."""
        self.blob, self.width = blob, width
        if offsets is not None:
            self.offsets = offsets

    @cached_property
    def offsets(self) -> NDArray[np.uint32]:
        return np.arange(len(self) + 1, dtype=np.uint32) * np.uint32(self.width)

    @classmethod
    def of(cls, strings: Sequence[bytes]) -> "Octets":
        return cls.joined([b"".join(strings)], np.fromiter(map(len, strings), dtype=np.uint32, count=len(strings)))

    @classmethod
    def joined(cls, pieces: Iterable[bytes], lengths: NDArray[Any] | Sequence[int]) -> "Octets":
        """From the concatenation, in pieces, and the length of each row."""
        blob, each = np.frombuffer(b"".join(pieces), dtype=np.uint8), np.asarray(lengths)
        if each.size and each[0] and (each == each[0]).all():
            return cls(blob, width=int(each[0]))
        offsets = np.zeros(each.size + 1, dtype=np.uint32)
        np.cumsum(each, out=offsets[1:])
        return cls(blob, offsets)

    def __len__(self) -> int:
        return self.blob.size // self.width if self.width else self.offsets.size - 1

    @overload
    def __getitem__(self, index: int) -> bytes: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[bytes]: ...
    def __getitem__(self, index: int | slice) -> bytes | Sequence[bytes]:
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(len(self)))]
        i = range(len(self))[index]
        if self.width:
            return self.blob[self.width * i:self.width * (i + 1)].tobytes()
        return self.blob[self.offsets[i]:self.offsets[i + 1]].tobytes()

    def arrays(self) -> list[NDArray[np.uint8] | NDArray[np.uint32]]:
        """All that it takes memory for."""
        return [self.blob] if "offsets" not in self.__dict__ else [self.blob, self.offsets]


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

    def octets(self) -> int:
        """Memory that all of it takes."""
        arrays = [*self.nai.arrays(), *self.key.arrays(), *self.access_secret.arrays(), self.spi, self.class_index,
                  self.location_index]
        return sum(array.nbytes for array in arrays)

    def __repr__(self) -> str:
        return f"<{len(self)} subscribers, {len(self.classes)} classes, {len(self.locations)} locations>"


def generate(count: int, realm: str = "home.example", classes: Sequence[str] = ("standard",),
             locations: Sequence[str] = ("nas-1",), spi: int = 4096, seed: int | None = None) -> Subscribers:
    """`count` subscribers with names of equal length (so that their packets have equal sizes) and random secrets.

    Classes and locations are dealt in turn. Key and access secret hold 128 bits from the operating system and more, or
    follow from `seed`. No Python object is made a subscriber: a million of them take the room of their columns.
    """
    octets = os.urandom if seed is None else seeded_octets(seed)
    rows = np.arange(count, dtype=np.uint32)
    secrets = np.empty((count, 22), dtype=np.uint8)                  # 6 bits each
    for first in range(0, count, CHUNK):
        drawn = np.frombuffer(octets(secrets[first:first + CHUNK].size), dtype=np.uint8)
        np.take(BASE64, drawn & 63, out=secrets[first:first + CHUNK].reshape(-1))
    return Subscribers(
        nai=names(count, realm.encode()), spi=np.full(count, spi, dtype=np.uint32),
        key=Octets(np.frombuffer(octets(16 * count), dtype=np.uint8), width=16),
        access_secret=Octets(secrets.reshape(-1), width=22),
        classes=list(classes), class_index=(rows % len(classes)).astype(np.uint16),
        locations=list(locations), location_index=(rows // len(classes) % len(locations)).astype(np.uint16))


def seeded_octets(seed: int) -> Callable[[int], bytes]:
    """Like os.urandom, but the same for the same seed, on every machine (a Philox stream never changes)."""
    stream = np.random.Philox(key=seed)
    return lambda count: np.asarray(stream.random_raw(-(-count // 8))).astype("<u8").tobytes()[:count]


def names(count: int, realm: bytes) -> Octets:
    """mn000000@realm and so on, as many digits as the last one needs."""
    digits = max(6, len(str(count - 1)))
    table = np.empty((count, 2 + digits + 1 + len(realm)), dtype=np.uint8)
    table[:] = np.frombuffer(b"mn" + bytes(digits) + b"@" + realm, dtype=np.uint8)
    left = np.arange(count, dtype=np.uint32)
    for place in range(1 + digits, 1, -1):
        table[:, place] = left % 10 + ord("0")
        left //= 10
    return Octets(table.reshape(-1), width=table.shape[1])


def write(subscribers: Subscribers, path: str | Path) -> None:
    """Writes the file anew, readable by its owner only."""
    Path(path).unlink(missing_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with open(descriptor, "w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(HEADER)
        for first in range(0, len(subscribers), CHUNK):
            writer.writerows(rows_of(subscribers, slice(first, first + CHUNK)))


def rows_of(subscribers: Subscribers, rows: slice) -> Iterator[tuple[str, ...]]:
    """The fields of some rows, as text."""
    classes, locations = subscribers.classes, subscribers.locations
    return zip([nai.decode() for nai in subscribers.nai[rows]], map(str, subscribers.spi[rows].tolist()),
               [key.hex() for key in subscribers.key[rows]], [secret.decode() for secret in subscribers.access_secret[rows]],
               [classes[k] for k in subscribers.class_index[rows].tolist()],
               [locations[k] for k in subscribers.location_index[rows].tolist()], strict=True)


def read(path: str | Path) -> Subscribers:
    """All subscribers of the file; ConfigurationError names the first line that is wrong, and why."""
    columns = Columns()
    try:
        with lines_of(path) as lines:
            for rows in chunks(lines):
                columns.extend(rows)
        if columns.doubled():
            raise ValueError("doubled NAI")
    except (ValueError, csv.Error):
        raise ConfigurationError(first_fault(path)) from None
    except OSError as error:
        raise ConfigurationError(f"{path}: cannot be read: {error.strerror}") from None
    if not columns.count:
        raise ConfigurationError(f"{path}: holds no subscribers")
    return columns.finish()


def lines_of(path: str | Path) -> io.TextIOWrapper:
    return io.TextIOWrapper(open_private(path), encoding="utf-8-sig", newline="")


def chunks(lines: io.TextIOWrapper) -> Iterator[list[list[str]]]:
    """Rows below the header, blank lines left out. ValueError when the header is another or it is not UTF-8."""
    reader = csv.reader(lines, strict=True)
    if next(reader, None) != HEADER:
        raise ValueError("header")
    while rows := list(islice(reader, CHUNK)):
        yield [row for row in rows if row]


class Columns:
    """Collects rows column by column. It only says *that* a chunk is wrong; `first_fault` finds the line."""

    def __init__(self) -> None:
        self.count = 0
        self.nai, self.key, self.secret = Pieces(), Pieces(), Pieces()
        self.hashes: list[NDArray[np.int64]] = []  # of the NAIs
        self.spi: list[NDArray[np.uint32]] = []
        self.classes: dict[str, int] = {}
        self.class_index: list[NDArray[np.uint16]] = []
        self.locations: dict[str, int] = {}
        self.location_index: list[NDArray[np.uint16]] = []

    def extend(self, rows: list[list[str]]) -> None:
        """Takes a chunk; ValueError when any row of it breaks a rule of `row_fault`."""
        if not rows:
            return
        if set(map(len, rows)) != {len(HEADER)}:
            raise ValueError("fields")
        nai, spi, key, secret, class_, location = zip(*rows, strict=True)
        if not all_visible("".join(nai)):
            raise ValueError("NAI")
        self.count += len(rows)
        self.nai.add("".join(nai).encode(), check_lengths(nai, 1))
        self.hashes.append(np.fromiter(map(hash, nai), dtype=np.int64, count=len(nai)))
        self.add_spi(spi)
        self.add_keys(key)
        self.secret.add("".join(secret).encode(), check_lengths(secret, 1))
        self.class_index.append(places(class_, self.classes, MOST_CLASSES))
        self.location_index.append(places(location, self.locations, MOST_LOCATIONS))

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
        self.key.add(octets, lengths // 2)

    def doubled(self) -> bool:
        """Equal hashes are looked at more closely; there are none in all likelihood, and no set of all names is made."""
        if not self.count:
            return False
        hashes = np.sort(np.concatenate(self.hashes))
        if not (hashes[1:] == hashes[:-1]).any():
            return False
        nai = self.nai.joined()
        return len(set(nai)) != len(nai)

    def finish(self) -> Subscribers:
        return Subscribers(self.nai.joined(), np.concatenate(self.spi), self.key.joined(), self.secret.joined(),
                           list(self.classes), np.concatenate(self.class_index),
                           list(self.locations), np.concatenate(self.location_index))


class Pieces:
    """A column of octets that grows."""

    def __init__(self) -> None:
        self.octets: list[bytes] = []
        self.lengths: list[NDArray[np.uint8]] = []

    def add(self, octets: bytes, lengths: NDArray[np.uint32]) -> None:
        self.octets.append(octets)
        self.lengths.append(lengths.astype(np.uint8))                # LONGEST fits

    def joined(self) -> Octets:
        return Octets.joined(self.octets, np.concatenate(self.lengths))


def all_visible(text: str) -> bool:
    """Neither blanks nor control characters."""
    return text.isprintable() and " " not in text


def octet_lengths(texts: Sequence[str]) -> NDArray[np.uint32]:
    if not "".join(texts).isascii():
        texts = [text.encode().decode("latin-1") for text in texts]
    return np.fromiter(map(len, texts), dtype=np.uint32, count=len(texts))


def check_lengths(texts: Sequence[str], least: int) -> NDArray[np.uint32]:
    lengths = octet_lengths(texts)
    if lengths.min() < least or lengths.max() > LONGEST:
        raise ValueError("length")
    return lengths


def places(names: Sequence[str], known: dict[str, int], most: int) -> NDArray[np.uint16]:
    """The number of each name; new names are numbered on."""
    for name in dict.fromkeys(names):
        known.setdefault(name, len(known))
    check_lengths(list(known), 0)
    if len(known) > most:
        raise ValueError("names")
    return np.fromiter(map(known.__getitem__, names), dtype=np.uint16, count=len(names))


def first_fault(path: str | Path) -> str:
    """FILE:LINE and what is wrong there. Slow, for a file of which something is known to be wrong."""
    with lines_of(path) as lines:
        reader = csv.reader(lines, strict=True)
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
    if not all_visible(nai):
        return f"the NAI {nai!r} has a blank or an invisible character, which no server takes (RFC 4282 2.1)"
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
