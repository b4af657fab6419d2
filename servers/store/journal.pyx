"""The journal as Cython and Python see it; the ring and the writer thread are in journal_writer.c."""
import errno
import os
import select
import time

from libc.errno cimport errno as c_errno
from libc.stdint cimport uint8_t, uint32_t, uint64_t
from servers.engine.failpoint cimport ANY_WRITING, failpoint

cdef extern from "store/journal.h" nogil:
    Journal* journal_open(uint64_t room, uint64_t chunk)
    int journal_drain(Journal* j)
    int journal_use(Journal* j, int file, uint32_t nonce, uint64_t sequence, uint64_t reserved)
    uint64_t journal_put(Journal* j, const void* payload, uint32_t n, uint8_t type)
    void journal_wake(Journal* j)
    void journal_stop(Journal* j)
    void journal_shut(Journal* j)
    uint64_t journal_record_octets(const uint8_t* at, uint64_t left, uint32_t nonce)
    uint32_t journal_crc32c(uint32_t crc, const void* octets, uint64_t n)
    int (*journal_step)(int step) noexcept

cdef extern from *:
    """
    #define READ_WORD(p) __atomic_load_n(p, __ATOMIC_ACQUIRE)
    """
    uint64_t READ_WORD(const uint64_t*) nogil
    int READ_FLAG "READ_WORD"(const int*) nogil


cdef int at_step(int step) noexcept nogil:
    return failpoint(<int> ANY_WRITING + step)

journal_step = at_step


cdef uint64_t journal_append(Journal* journal, const void* payload, uint32_t n, uint8_t type) noexcept nogil:
    return journal_put(journal, payload, n, type)


cdef void journal_kick(Journal* journal) noexcept nogil:
    journal_wake(journal)


cdef uint64_t journal_durable(const Journal* journal) noexcept nogil:
    return READ_WORD(&journal.durable)


cdef int journal_failed(const Journal* journal) noexcept nogil:
    return READ_FLAG(&journal.failed)


cdef uint64_t record_octets(const uint8_t* at, uint64_t left, uint32_t nonce) noexcept nogil:
    return journal_record_octets(at, left, nonce)


cdef uint32_t crc32c(uint32_t crc, const void* octets, uint64_t n) noexcept nogil:
    return journal_crc32c(crc, octets, n)


def checksum(const uint8_t[::1] octets not None):
    """CRC32C of the octets."""
    return journal_crc32c(0, &octets[0] if octets.shape[0] else NULL, octets.shape[0])


cdef class JournalWriter:
    """The ring and its writer thread. Without `use` it is volatile: every ticket is durable at once, nothing is kept.

    `ring`: octets that may wait for the disk, a power of two from 128 KiB. `chunk`: octets set aside on disk at a time.
    Not to be carried across a fork. Raises OSError.
    """

    def __cinit__(self, uint64_t ring=1 << 22, uint64_t chunk=1 << 23):
        if ring < 1 << 17 or ring & (ring - 1) or chunk < 1 << 12:
            raise ValueError("ring: a power of two from 128 KiB; chunk: at least 4 KiB")
        self.c = journal_open(ring, chunk)
        if self.c == NULL:
            raise OSError(c_errno, os.strerror(c_errno))
        self.done = self.c.done

    def __dealloc__(self):
        if self.c != NULL:
            with nogil:
                journal_shut(self.c)

    def use(self, file, uint32_t nonce, uint64_t sequence, uint64_t reserved):
        """Goes on in this open file object, after all that was appended is on disk in the one before.

        `reserved`: octets of it that are set aside on disk, header page included; 0 where the file system cannot.
        """
        cdef int error, fd = file.fileno()
        with nogil:
            error = journal_use(self.c, fd, nonce, sequence, reserved)
        if error:
            raise OSError(error, os.strerror(error))
        self.file = file                               # the one before is closed by whoever opened it

    def append(self, const uint8_t[::1] payload not None, uint8_t type):
        """Ticket, or 0 when refused."""
        return journal_put(self.c, &payload[0] if payload.shape[0] else NULL, payload.shape[0], type)

    def append_many(self, const uint8_t[::1] payload not None, uint8_t type, uint32_t n):
        """The same record n times and one kick, from a compiled loop; the last ticket, or 0 once one was refused."""
        cdef uint64_t ticket = 1
        cdef uint32_t _
        with nogil:
            for _ in range(n):
                if ticket:
                    ticket = journal_put(self.c, &payload[0], payload.shape[0], type)
            journal_wake(self.c)
        return ticket

    def kick(self):
        journal_wake(self.c)

    def wait(self, uint64_t ticket, double seconds=10.0):
        """Whether the ticket is durable before the journal fails or the time is over. Takes the events of `done`."""
        end = time.monotonic() + seconds
        self.kick()
        while journal_durable(self.c) < ticket:
            if journal_failed(self.c) or time.monotonic() >= end:
                return False
            select.select([self.done], [], [], min(0.1, max(0.0, end - time.monotonic())))
            self.clear()
        return True

    def drain(self):
        """Waits until all that was appended is durable, however long it takes; OSError when the journal failed."""
        cdef int error
        with nogil:
            error = journal_drain(self.c)
        if error:
            raise OSError(error, os.strerror(error))

    def clear(self):
        """Makes `done` unreadable until more is durable; the count it held."""
        try:
            return os.eventfd_read(self.done)
        except BlockingIOError:
            return 0

    @property
    def durable(self):
        return journal_durable(self.c)

    @property
    def failed(self):
        """errno of the write or sync that failed, 0 while all is well. It is final."""
        return journal_failed(self.c)

    @property
    def is_volatile(self):
        return self.c.is_volatile != 0

    @property
    def next_sequence(self):
        return self.c.sequence

    def counters(self):
        """records, commits (groups), refused, waiting (octets not on disk yet); failed, no_space: errno names or ''."""
        return {"records": self.c.records, "commits": READ_WORD(&self.c.commits), "refused": self.c.refused,
                "waiting": self.c.appended - journal_durable(self.c),
                "failed": errno.errorcode.get(self.failed, str(self.failed)) if self.failed else "",
                "no_space": errno.errorcode.get(self.c.no_space, "?") if self.c.no_space else ""}

    def close(self):
        """Writes what was appended and the mark of a good end, stops the thread. Appends are refused from then on."""
        with nogil:
            if self.c.started and journal_drain(self.c) == 0:
                journal_put(self.c, NULL, 0, END)
            journal_stop(self.c)                       # writes the mark, too

    @property
    def file_octets(self):
        """Length of the current file without what is set aside: the header page and the records."""
        return JOURNAL_PAGE + self.c.appended - self.c.base
