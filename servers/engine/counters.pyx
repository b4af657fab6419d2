from libc.string cimport memcpy


cdef void count_offence(Counters* counters, int reason, const Datagram* datagram) noexcept nogil:
    cdef Offender* last = &counters.last[reason]
    counters.counts[reason] += 1
    last.address, last.port = datagram.peer_address, datagram.peer_port
    last.length = <uint16_t> datagram.length
    memcpy(last.octets, datagram.data, min(datagram.length, KEPT))
