from ipaddress import IPv4Address

from libc.string cimport memcpy
from servers.engine.reasons import NAMES, NUMBERS


cdef void count_offence(Counters* counters, int reason, const Datagram* datagram) noexcept nogil:
    cdef Offender* last = &counters.last[reason]
    counters.counts[reason] += 1
    last.address, last.port = datagram.peer_address, datagram.peer_port
    last.length = <uint16_t> datagram.length
    memcpy(last.octets, datagram.data, min(datagram.length, KEPT))


cdef dict counts_of(const Counters* counters):
    """{reason: count} of everything that was counted."""
    cdef int k
    return {NAMES[k]: counters.counts[k] for k in range(REASONS) if counters.counts[k]}


cdef str offender_of(const Counters* counters, str name):
    """Where the last row of a reason came from and how it began, in hexadecimal, so that no remote text is printed;
    empty for events that have no datagram."""
    cdef int reason = NUMBERS[name]
    cdef const Offender* last = &counters.last[reason]
    if not last.address:
        return ""
    address = IPv4Address((<const uint8_t*> &last.address)[:4])
    octets = last.octets[:min(last.length, 24)]
    return f"; the last from {address}:{last.port}, {last.length} octets: {octets.hex()}"
