# Append-only, checksummed, group-committed. One thread appends (the worker), one writes (the journal's own, no GIL).
from libc.stdint cimport uint8_t, uint32_t, uint64_t

cdef extern from "store/journal.h" nogil:
    enum:
        JOURNAL_PAGE
        JOURNAL_PAYLOAD_MOST       # octets of payload a record may have
        JOURNAL_MAGIC
    ctypedef struct Record "journal_record":
        uint32_t crc
        uint32_t length
        uint64_t sequence
        uint64_t synced
        uint32_t magic
        uint8_t type
        uint8_t[3] zero
    ctypedef struct Journal "journal":
        uint64_t appended
        uint64_t base
        int started
        uint64_t durable           # read it through journal_durable
        uint64_t refused           # appends refused: ring full, no room on disk, or the journal failed
        uint64_t records
        uint64_t commits           # groups written
        uint64_t sequence          # of the next record
        int failed
        int no_space               # errno of the last attempt to set room aside on disk, 0: well
        int done
        int is_volatile
    uint64_t journal_padded(uint64_t n)

cdef enum:
    END = 0                        # type of the record that says "closed in good order" or "image complete"

# The ticket of the record, 0: refused (ring full, no room on disk, failed, too long). The reply may go out once
# `journal_durable() >= ticket`. `type` 1 to 255 is the caller's.
cdef uint64_t journal_append(Journal* journal, const void* payload, uint32_t n, uint8_t type) noexcept nogil
cdef void journal_kick(Journal* journal) noexcept nogil              # once after a batch of appends
cdef uint64_t journal_durable(const Journal* journal) noexcept nogil
cdef int journal_failed(const Journal* journal) noexcept nogil       # errno of the write or sync that failed, 0: well
cdef uint64_t record_octets(const uint8_t* at, uint64_t left, uint32_t nonce) noexcept nogil   # 0: no whole record here
cdef uint32_t crc32c(uint32_t crc, const void* octets, uint64_t n) noexcept nogil

cdef class JournalWriter:
    """Owns the ring, the file and the thread; roles take `writer.c` and watch `writer.done`."""
    cdef Journal* c
    cdef readonly int done         # eventfd, readable when more is durable or the journal failed
    cdef object file
