"""Reading and writing whole files of records: a journal at start, an image at compaction. A million take a second.

**End, torn tail, damage.** Where no whole record stands, the file may simply end there; the last group may be torn;
or what was durable may be damaged. Nothing durable is lost in the first two cases: a group is acknowledged only when
all of it is on disk. A later record tells: it says up to which offset all was on disk when it was appended. If that
lies beyond the hole, the hole was durable once, and the file is refused. A torn group may hold whole records after
its hole; they are dropped too.
"""
import mmap
import os

from libc.stdint cimport uint8_t, uint32_t, uint64_t
from libc.string cimport memcpy, memset
from cpython.bytes cimport PyBytes_FromStringAndSize
from servers.store.journal cimport (
    END, JOURNAL_MAGIC, JOURNAL_PAGE, JOURNAL_PAYLOAD_MOST, Record, crc32c, journal_padded, record_octets,
)
from servers.store.errors import Damaged


cdef class Records:
    """Iterator of (type, payload) over the records of an open file that begins with a header page.

    `sequence`: of the first record. With `complete` (an image) anything short of the closing record is damage.
    Raises Damaged, unless `accept_loss`: then it goes on at the next whole record and counts.
    After the iteration: `next_sequence`; `closed`, whether the file ended in good order; `end`, octets up to the last
    record; `dropped_octets` and `dropped_records` of a torn tail (never acknowledged); `lost`, records of damage that
    was accepted.
    """
    cdef const uint8_t[::1] octets
    cdef object path
    cdef uint32_t nonce
    cdef bint complete, accept_loss
    cdef readonly uint64_t next_sequence, end, dropped_octets, dropped_records, lost, read
    cdef readonly bint closed

    def __init__(self, file, path, uint32_t nonce, uint64_t sequence, complete=False, accept_loss=False):
        size = os.fstat(file.fileno()).st_size
        self.octets = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) if size else b""
        self.path, self.nonce, self.next_sequence = path, nonce, sequence
        self.complete, self.accept_loss, self.end = complete, accept_loss, JOURNAL_PAGE

    def __iter__(self):
        return self

    def __next__(self):
        cdef const Record* record
        if self.closed:
            raise StopIteration
        record = self._here()
        if record == NULL:
            record = self._beyond_hole()
        if record == NULL:
            raise StopIteration
        self.next_sequence = record.sequence + 1
        self.end += sizeof(Record) + journal_padded(record.length)
        if record.type == END:
            self.closed = True
            raise StopIteration
        self.read += 1
        return record.type, PyBytes_FromStringAndSize(<const char*> (record + 1), record.length)

    cdef const Record* _here(self):
        """The record at `end` if it is whole and the one expected."""
        cdef uint64_t size = self.octets.shape[0]
        if self.end >= size or not record_octets(&self.octets[self.end], size - self.end, self.nonce):
            return NULL
        cdef const Record* record = <const Record*> &self.octets[self.end]
        return record if record.sequence == self.next_sequence else NULL

    cdef uint64_t _next_whole(self, uint64_t at):
        """Offset of the next whole record of a later sequence from `at` on, 0: none."""
        cdef uint64_t size = self.octets.shape[0]
        cdef const Record* record
        while at + sizeof(Record) <= size:
            record = <const Record*> &self.octets[at]
            if (record.magic == JOURNAL_MAGIC and record.sequence >= self.next_sequence
                    and record_octets(&self.octets[at], size - at, self.nonce)):
                return at
            at += 8
        return 0

    cdef const Record* _beyond_hole(self) except? NULL:
        """NULL at the end of the file or at a torn tail; the record to go on with where a loss is accepted."""
        cdef uint64_t hole = self.end, at = self._next_whole(hole), first = at, whole = 0
        cdef const Record* record = NULL
        cdef bint durable = self.complete
        while at:
            record = <const Record*> &self.octets[at]
            whole += 1
            durable = durable or record.synced > hole
            at = self._next_whole(at + sizeof(Record) + journal_padded(record.length))
        if durable:
            if not self.accept_loss:
                raise Damaged(str(self.path), hole, "damage to a durable record" if first else "an incomplete image")
            if first:
                record = <const Record*> &self.octets[first]
                self.lost += record.sequence - self.next_sequence
                self.end = first
                return record
            self.lost += 1
            return NULL
        self.dropped_records = whole
        self.dropped_octets = self._last_octet() - hole
        return NULL

    cdef uint64_t _last_octet(self):
        """Offset after the last octet that is not zero, but at least `end`."""
        cdef uint64_t at = self.octets.shape[0]
        while at > self.end and self.octets[at - 1] == 0:
            at -= 1
        return at if at > self.end else self.end


cdef class RecordWriter:
    """Writes records into an open file after its header page, a megabyte at a time; `finish` closes the sequence."""
    cdef object file
    cdef uint8_t[::1] piece
    cdef size_t filled
    cdef uint32_t nonce
    cdef readonly uint64_t next_sequence

    def __init__(self, file, uint32_t nonce, uint64_t sequence):
        self.file, self.nonce, self.next_sequence = file, nonce, sequence
        self.piece = bytearray(1 << 20)

    def add(self, const uint8_t[::1] payload not None, uint8_t type):
        """ValueError for a payload that is too long or the type that is ours."""
        if payload.shape[0] > JOURNAL_PAYLOAD_MOST or type == END:
            raise ValueError(f"record of type {type} and {payload.shape[0]} octets")
        self._put(&payload[0] if payload.shape[0] else NULL, payload.shape[0], type)

    def add_all(self, records):
        """Every (type, payload) of an iterable."""
        for type, payload in records:
            self.add(payload, type)

    def finish(self):
        self._put(NULL, 0, END)
        self._flush()

    cdef void _put(self, const void* payload, uint32_t n, uint8_t type) except *:
        cdef size_t octets = sizeof(Record) + journal_padded(n)
        if self.filled + octets > <size_t> self.piece.shape[0]:
            self._flush()
        cdef uint8_t* at = &self.piece[self.filled]
        cdef Record* record = <Record*> at
        memset(at, 0, octets)
        record.length, record.sequence, record.synced = n, self.next_sequence, 0
        record.magic, record.type = JOURNAL_MAGIC, type
        if n:
            memcpy(at + sizeof(Record), payload, n)
        record.crc = crc32c(self.nonce, at + 4, octets - 4)
        self.next_sequence += 1
        self.filled += octets

    def _flush(self):
        left = memoryview(self.piece)[:self.filled]
        while left:                                    # unbuffered: a nearly full disk takes less than it is offered
            left = left[self.file.write(left):]
        self.filled = 0
