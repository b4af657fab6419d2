"""Subscribers in an LMDB file: read by the AAAH in a moment, changed by `import_csv` without moving anybody.

One record a CHUNK of subscribers, under its number (4 octets, big-endian), and one of the whole under `meta` (JSON). A
chunk: the count (4 octets), then column by column, little-endian: SPI (4 octets each), class and location (2 each; places
in the lists of `meta`), the lengths of NAI, key and access secret (1 each), and their octets.

A subscriber's place is what its addresses are computed from. It is kept as long as the subscriber is; a place without
one has a NAI of no octets, and the next new subscriber takes it.
"""
import stat
from dataclasses import replace
from pathlib import Path
from typing import Any

import lmdb
import msgspec
import numpy as np
from numpy.typing import NDArray

from servers.errors import ConfigurationError
from servers.tables import subscribers_csv
from servers.tables.subscribers_csv import HIGHEST_SPI, LONGEST, LONGEST_KEY, LOWEST_SPI, Octets, Subscribers

FORMAT = "mipstorm.subscribers/1"
META = b"meta"
CHUNK = 4096
NUMBERS = (("<u4", 4), ("<u2", 2), ("<u2", 2), ("u1", 1), ("u1", 1), ("u1", 1))  # of a row: SPI, class, location, lengths


class Meta(msgspec.Struct, forbid_unknown_fields=True):
    """What all chunks share."""

    format: str
    count: int
    classes: list[str]
    locations: list[str]


def write(subscribers: Subscribers, path: str | Path) -> None:
    """Writes the file anew, readable by its owner only; whoever has the old one open keeps it."""
    path = Path(path)
    unfinished = path.with_name(path.name + ".new")
    unfinished.unlink(missing_ok=True)
    size = sum(column.blob.size for column in texts(subscribers))
    environment = lmdb.open(str(unfinished), subdir=False, lock=False, mode=0o600, sync=False,
                            map_size=2 * size + 64 * len(subscribers) + (1 << 22))
    try:
        with environment.begin(write=True) as transaction:
            for number, first in enumerate(range(0, len(subscribers), CHUNK)):
                transaction.put(number.to_bytes(4, "big"), packed(subscribers, first, min(first + CHUNK, len(subscribers))),
                                append=True)
            meta = Meta(FORMAT, len(subscribers), subscribers.classes, subscribers.locations)
            transaction.put(META, msgspec.json.encode(meta), append=True)
        environment.sync(True)
    finally:
        environment.close()
    unfinished.replace(path)


def texts(subscribers: Subscribers) -> tuple[Octets, Octets, Octets]:
    return subscribers.nai, subscribers.key, subscribers.access_secret


def packed(subscribers: Subscribers, first: int, last: int) -> bytes:
    """Rows first to last - 1 as a chunk."""
    columns = texts(subscribers)
    numbers: list[NDArray[Any]] = [
        subscribers.spi[first:last], subscribers.class_index[first:last], subscribers.location_index[first:last],
        *(np.diff(column.offsets[first:last + 1]) for column in columns)]
    return b"".join([(last - first).to_bytes(4, "little"),
                     *(values.astype(kind).tobytes() for values, (kind, _) in zip(numbers, NUMBERS, strict=True)),
                     *(column.blob[column.offsets[first]:column.offsets[last]].tobytes() for column in columns)])


def read(path: str | Path) -> Subscribers:
    """All places of the file; ConfigurationError says what is wrong."""
    path = Path(path)
    check_private(path)
    try:
        with (lmdb.open(str(path), subdir=False, readonly=True, lock=False, create=False) as environment,
              environment.begin(buffers=True) as transaction):
            check_size(environment, path)
            meta = msgspec.json.decode(transaction.get(META, b""), type=Meta)
            if meta.format != FORMAT:
                raise ValueError(f"its format is {meta.format}, not {FORMAT}")
            chunks = [unpacked(value) for key, value in transaction.cursor() if bytes(key) != META]
    except lmdb.Error:
        raise ConfigurationError(f"{path}: is not an LMDB file of subscribers") from None
    except (msgspec.DecodeError, ValueError) as error:
        raise ConfigurationError(f"{path}: is not an LMDB file of subscribers: {error}") from None
    try:
        return joined(chunks, meta)
    except ValueError as error:
        raise ConfigurationError(f"{path}: {error}") from None


def check_private(path: Path) -> None:
    try:
        mode = path.stat().st_mode
    except OSError as error:
        raise ConfigurationError(f"{path}: cannot be read: {error.strerror}") from None
    if mode & stat.S_IROTH:
        raise ConfigurationError(f"{path}: holds secrets but everyone may read it; run: chmod 600 {path}")


def check_size(environment: Any, path: Path) -> None:
    """A file that was cut would end the process when the missing pages are read."""
    if path.stat().st_size < (environment.info()["last_pgno"] + 1) * environment.stat()["psize"]:
        raise ValueError("it was cut short")


Chunk = tuple[list[NDArray[Any]], list[bytes]]


def unpacked(value: memoryview) -> Chunk:
    """Six columns of numbers and three texts of a chunk."""
    count = int.from_bytes(value[:4], "little")
    if len(value) < 4 or len(value) < 4 + count * sum(size for _, size in NUMBERS):
        raise ValueError("a chunk is too short")
    at, numbers, octets = 4, [], []
    for kind, size in NUMBERS:
        numbers.append(np.frombuffer(value, kind, count, at).copy())
        at += count * size
    for lengths in numbers[3:]:
        octets.append(bytes(value[at:at + int(lengths.sum())]))
        at += int(lengths.sum())
    if at != len(value):
        raise ValueError("a chunk has another size than its columns")
    return numbers, octets


def joined(chunks: list[Chunk], meta: Meta) -> Subscribers:
    """ValueError: what no subscribers file may hold."""
    if not chunks:
        raise ValueError("holds no subscribers")
    spi, class_, location, *lengths = (np.concatenate([numbers[k] for numbers, _ in chunks]) for k in range(6))
    if spi.size != meta.count:
        raise ValueError(f"holds {spi.size} subscribers instead of {meta.count}")
    check(spi, class_, location, lengths, meta)
    nai, key, secret = (Octets.joined([octets[k] for _, octets in chunks], lengths[k]) for k in range(3))
    return Subscribers(nai, spi.astype(np.uint32), key, secret, meta.classes, class_.astype(np.uint16),
                       meta.locations, location.astype(np.uint16))


def check(spi: NDArray[Any], class_: NDArray[Any], location: NDArray[Any], lengths: list[NDArray[Any]], meta: Meta) -> None:
    """The rules of the CSV file; places without a subscriber have none."""
    taken = lengths[0] > 0
    if not taken.any():
        raise ValueError("holds no subscribers")
    for what, values, least, most in (
            ("NAI", lengths[0], 1, LONGEST), ("key", lengths[1], 1, LONGEST_KEY), ("access secret", lengths[2], 1, LONGEST),
            ("SPI", spi, LOWEST_SPI, HIGHEST_SPI), ("class", class_, 0, len(meta.classes) - 1),
            ("location", location, 0, len(meta.locations) - 1)):
        if (values[taken] < least).any() or (values[taken] > most).any():
            raise ValueError(f"a {what} (or its length) is not within {least} to {most}")


def import_csv(source: str | Path, path: str | Path) -> int:
    """Makes the file hold exactly the subscribers of a CSV file; returns how many. Who was in it keeps the place."""
    after = subscribers_csv.read(source)
    if Path(path).exists():
        after = placed(read(path), after)
    write(after, path)
    return len(present(after))


def export_csv(path: str | Path, target: str | Path) -> int:
    """Writes the subscribers as a CSV file, in the order of their places; returns how many."""
    subscribers = read(path)
    rows = present(subscribers)
    subscribers_csv.write(subscribers if len(rows) == len(subscribers) else picked(subscribers, rows), target)
    return len(rows)


def present(subscribers: Subscribers) -> NDArray[np.int64]:
    """Places that have a subscriber."""
    return np.flatnonzero(np.diff(subscribers.nai.offsets.astype(np.int64)))


def placed(before: Subscribers, after: Subscribers) -> Subscribers:
    """The rows of `after`, each at its place in `before`; new ones take the places that are free, then new places."""
    places = {before.nai[int(i)]: int(i) for i in present(before)}
    at = [places.get(nai, -1) for nai in after.nai]
    kept = set(at)
    free = [place for place in range(len(before)) if place not in kept]
    size = max(len(before), len(after))
    rows = np.full(size, -1, dtype=np.int64)
    fresh = iter([*free, *range(len(before), size)])
    for row, place in enumerate(at):
        rows[next(fresh) if place < 0 else place] = row
    return picked(after, rows)


def picked(subscribers: Subscribers, rows: NDArray[np.int64]) -> Subscribers:
    """These rows; -1: a place without a subscriber."""
    def numbers(values: NDArray[Any]) -> NDArray[Any]:
        return np.where(rows < 0, 0, values[rows]).astype(values.dtype)

    nai, key, secret = (Octets.of([column[i] if i >= 0 else b"" for i in rows.tolist()]) for column in texts(subscribers))
    return replace(subscribers, nai=nai, key=key, access_secret=secret, spi=numbers(subscribers.spi),
                   class_index=numbers(subscribers.class_index), location_index=numbers(subscribers.location_index))
