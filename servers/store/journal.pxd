# Append-only, checksummed, group-committed. One thread appends (the worker), one writes (the journal's own, without the GIL).
from libc.stdint cimport uint8_t, uint32_t, uint64_t

cdef extern from "store/journal.h" nogil:
    enum:
        JOURNAL_PAYLOAD_MOST       # octets of payload a record may have
    ctypedef struct Journal "journal":
        uint64_t durable           # everything below this ticket is on disk; read it through journal_durable
        uint64_t refused           # appends refused: ring full, or the journal failed
        uint64_t commits           # groups written
        uint64_t records

# The ticket of the record, 0: refused (ring full, failed, too long). The reply may go out once `journal_durable() >= ticket`.
cdef uint64_t journal_append(Journal* journal, const void* payload, uint32_t n, uint8_t type) noexcept nogil
cdef void journal_kick(Journal* journal) noexcept nogil              # once after a batch of appends
cdef uint64_t journal_durable(const Journal* journal) noexcept nogil
cdef int journal_failed(const Journal* journal) noexcept nogil       # errno of the write or sync that failed, 0: well

cdef class JournalWriter:
    """Owns the ring, the file and the thread; roles take `writer.c` and watch `writer.done`."""
    cdef Journal* c
    cdef readonly int done         # eventfd, readable when more is durable or the journal failed
    cdef readonly bint volatile_mode
