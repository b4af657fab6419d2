"""A directory with one image and the journals after it, owned by one process: load, journal on, compact, close.

    lock            held (flock) while a process uses the directory
    image.N         live state, complete in itself; covers everything before journal.N
    journal.N ...   what came after, one file after another; loading means image.N, then every journal from N on

Compaction first moves journalling to a new file M, then writes the state into image.M and only then, when it is durable
under its name, removes what is older. The state may go on changing meanwhile, because every record is a whole row that
replaces the one before it: image.M may hold some of journal.M's changes already, and replaying them changes nothing.
"""

import fcntl
import os
from collections.abc import Iterable, Iterator
from itertools import pairwise
from pathlib import Path
from types import TracebackType
from typing import BinaryIO

from servers import failpoint
from servers.store import image
from servers.store.errors import Damaged, Locked, StoreError, WrongFormat
from servers.store.journal import JournalWriter
from servers.store.records import Records, RecordWriter

Rows = Iterable[tuple[int, bytes]]
NO_FSYNC = "no fsync"                                  # what a report must name as relaxed in volatile mode


class Store:
    """Durable by default. With `directory` None it is volatile: nothing is written, every ticket is durable at once.

    `identity`: whose state it is (the pool's network, say); files of another identity are refused.
    `ring`, `chunk`: see JournalWriter. Raises Locked, WrongFormat, Damaged, OSError.
    """

    def __init__(self, directory: Path | str | None, identity: str, *, ring: int = 1 << 22, chunk: int = 1 << 23,
                 accept_loss: bool = False) -> None:
        self.directory = None if directory is None else Path(directory)
        self.identity, self.accept_loss, self.chunk = identity, accept_loss, chunk
        self.journal = JournalWriter(ring, chunk)
        self.dropped_records = self.dropped_octets = self.lost = 0
        self._file: BinaryIO | None = None
        self._generation = 0
        self.base = 0                                  # number of the newest image, 0: none
        self._loaded = False
        self._lock = -1
        if self.directory is not None:
            self.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._lock = take_lock(self.directory)

    @property
    def relaxed(self) -> list[str]:
        """What this store does not promise."""
        return [NO_FSYNC] if self.directory is None else []

    def load(self) -> list[tuple[int, bytes]]:
        """All (type, payload) in order, later ones replacing earlier ones; then the journal is ready.

        `dropped_records` and `dropped_octets` say what a torn tail held (never acknowledged), `lost` what damage took.
        Every start adds a journal file, and an accepted loss must be accepted again: compact soon afterwards.
        """
        if self._loaded:
            raise StoreError("a store is loaded once")
        self._loaded = True
        if self.directory is None:
            return []
        rows: list[tuple[int, bytes]] = []
        newest, journals = self._find()
        self.base = newest
        sequence = self._read(newest, image.IMAGE, rows, None) if newest else None
        for number in journals:
            sequence = self._read(number, image.JOURNAL, rows, sequence)
        self._generation = max([newest, *journals])
        self._advance(sequence or 1)
        return rows

    def begin(self) -> "Compaction":
        """Moves journalling to a new file; the compaction then takes the state, at once or bit by bit."""
        if self._file is None or self.directory is None:
            raise StoreError("only a loaded, durable store is compacted")
        self._advance(self.journal.next_sequence)
        return Compaction(self, self._generation)

    def compact(self, rows: Rows) -> None:
        """The whole live state, in one go."""
        compaction = self.begin()
        try:
            compaction.add(rows)
            compaction.finish()
        except BaseException:
            compaction.abandon()
            raise

    def close(self) -> None:
        """Makes durable what was appended, marks the good end, lets others in. May be called twice."""
        self.journal.close()
        if self._file is not None:
            if not self.journal.failed:
                self._file.truncate(self.journal.file_octets)
                os.fsync(self._file.fileno())
            self._file.close()
            self._file = None
        if self._lock >= 0:
            os.close(self._lock)
            self._lock = -1

    def __enter__(self) -> "Store":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None,
                 trace: TracebackType | None) -> None:
        self.close()

    def path(self, kind: int, generation: int) -> Path:
        """Of the image or journal of that number."""
        assert self.directory is not None
        return self.directory / f"{'image' if kind == image.IMAGE else 'journal'}.{generation}"

    def _find(self) -> tuple[int, list[int]]:
        """(number of the newest image or 0, numbers of the journals after it); removes what a crash left half done."""
        assert self.directory is not None
        for half_done in self.directory.glob("*" + image.UNFINISHED):
            half_done.unlink()
        files = numbered(self.directory)
        newest = max((int(p.suffix[1:]) for p in files if p.stem == "image"), default=0)
        journals = sorted(n for p in files if p.stem == "journal" and (n := int(p.suffix[1:])) >= newest)
        if newest and journals[:1] != [newest]:
            raise WrongFormat(f"{self.path(image.JOURNAL, newest)}: missing, though its image is there")
        gaps = [a + 1 for a, b in pairwise(journals) if b != a + 1]
        if gaps or (journals and not newest and journals[0] != 1):
            missing = self.path(image.JOURNAL, gaps[0] if gaps else 1)
            raise WrongFormat(f"{missing}: missing, though later ones are there")
        return newest, journals

    def _read(self, number: int, kind: int, rows: list[tuple[int, bytes]], expected: int | None) -> int | None:
        """Adds a file's rows; returns the sequence the next file goes on with."""
        path = self.path(kind, number)
        with path.open("rb") as file:
            header = image.read_header(file, path, kind, self.identity)
            records = Records(file, path, header.nonce, header.sequence, kind == image.IMAGE, self.accept_loss)
            added = list(records)
        self.lost += records.lost
        if kind == image.IMAGE:
            rows += added
            return None                                # a journal's sequence does not go on from an image's
        if records.dropped_octets == 0 and path.stat().st_size > records.end:
            os.truncate(path, records.end)             # what was set aside and never used
        if expected is not None and header.sequence != expected:
            if not self.accept_loss:
                raise Damaged(str(path), image.PAGE, f"record {header.sequence} follows record {expected - 1}")
            self.lost += abs(header.sequence - expected)
        rows += added
        self.dropped_records += records.dropped_records
        self.dropped_octets += records.dropped_octets
        return records.next_sequence

    def _advance(self, sequence: int) -> None:
        """Goes on in the journal of the next number. That it exists proves that all before its sequence is durable."""
        number = self._generation + 1
        self.journal.drain()
        path = self.path(image.JOURNAL, number)
        file, header = image.create(path, image.JOURNAL, self.identity, sequence, self.chunk)
        failpoint.at("journal_creating")
        image.publish(path)
        failpoint.at("journal_created")
        before, self._file = self._file, file
        self.journal.use(file, header.nonce, sequence, image.PAGE + self.chunk)
        self._generation = number
        if before is not None:
            before.close()


class Compaction:
    """An image in the making; abandoned, it has changed nothing but the file that journalling goes on in."""

    def __init__(self, store: Store, number: int) -> None:
        self._store, self._number = store, number
        self._path = store.path(image.IMAGE, number)
        self._file, header = image.create(self._path, image.IMAGE, store.identity, 1)
        self._writer = RecordWriter(self._file, header.nonce, 1)

    def add(self, rows: Rows) -> None:
        """Rows as (type, payload); may be called often."""
        self._writer.add_all(rows)
        failpoint.at("image_writing")

    def replaced(self) -> Iterator[tuple[int, bytes]]:
        """(type, payload) of every record in the journals that it will remove, in their order: for what no image keeps.
        Damaged, WrongFormat, OSError."""
        store = self._store
        for number in range(store.base or 1, self._number):
            path = store.path(image.JOURNAL, number)
            with path.open("rb") as file:
                header = image.read_header(file, path, image.JOURNAL, store.identity)
                yield from Records(file, path, header.nonce, header.sequence, False, store.accept_loss)

    def finish(self) -> None:
        """Durable under its name, then removes what it replaces. Releases the GIL while it waits for the disk."""
        self._writer.finish()
        os.fsync(self._file.fileno())
        self._file.close()
        failpoint.at("image_renaming")
        image.publish(self._path)
        self._store.base = self._number
        failpoint.at("image_renamed")
        for old in numbered(self._path.parent):
            if int(old.suffix[1:]) < self._number:
                old.unlink()
                failpoint.at("image_removing")
        failpoint.at("image_removed")
        image.sync_directory(self._path.parent)

    def abandon(self) -> None:
        """After a failure, a full disk say: the older files stay and stay valid."""
        self._file.close()
        image.unfinished(self._path).unlink(missing_ok=True)


def numbered(directory: Path) -> list[Path]:
    """The images and journals of a store."""
    return [p for p in directory.iterdir() if p.stem in ("image", "journal") and p.suffix[1:].isdigit()]


def take_lock(directory: Path) -> int:
    """The descriptor that holds the lock; Locked names the process that has it."""
    path = directory / "lock"
    fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        holder = os.read(fd, 20).decode(errors="replace").strip()
        os.close(fd)
        raise Locked(f"{directory}: in use by process {holder or 'unknown'}") from None
    os.ftruncate(fd, 0)
    os.write(fd, f"{os.getpid()}\n".encode())
    return fd
