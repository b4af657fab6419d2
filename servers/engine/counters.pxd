# Compiled code does not log: it counts per reason and keeps the last offender of each, for Python to print.
from libc.stdint cimport uint8_t, uint16_t, uint32_t, uint64_t
from servers.net.node cimport Datagram

cdef enum:
    REASONS = 128
    KEPT = 64                        # octets kept of an offending datagram

cdef struct Offender:
    uint32_t address                 # network order
    uint16_t port
    uint16_t length
    uint8_t[64] octets

cdef struct Counters:
    uint64_t[128] counts
    Offender[128] last

cdef void count_offence(Counters* counters, int reason, const Datagram* datagram) noexcept nogil

cdef inline void count_event(Counters* counters, int reason) noexcept nogil:
    counters.counts[reason] += 1

cdef dict counts_of(const Counters* counters)
cdef str offender_of(const Counters* counters, str name)
