# The newest Identification of nodes whose binding is gone while a copy of their request could still pass for new.
from libc.stdint cimport uint32_t, uint64_t

cdef enum:
    ENDED_SLOTS = 65536

cdef struct LastWord:
    uint64_t identification        # NTP timestamp, RFC 5944 5.7.1; 0: none
    uint32_t key                   # the upper half of the NAI's hash; ANY_NODE: of several nodes

cdef struct Ended:                 # fixed and direct-mapped: it cannot grow, and forgets nothing that counts
    LastWord* slots

cdef int ended_open(Ended* ended) except -1
cdef void ended_close(Ended* ended) noexcept nogil
cdef void ended_note(Ended* ended, uint64_t hash, uint64_t identification, uint64_t oldest) noexcept nogil
cdef bint ended_allows(const Ended* ended, uint64_t hash, uint64_t identification) noexcept nogil
