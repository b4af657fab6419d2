from libc.stdint cimport uint8_t, uint32_t, uint64_t

from servers.net.node cimport Datagram, Node

cdef class LateEcho(Node):
    cdef readonly uint64_t delay_ns, answered
    cdef readonly uint64_t refused_waiting       # found every place taken
    cdef Datagram* waiting                       # a ring: one delay for all, so the first in is the first due
    cdef uint64_t* due
    cdef uint8_t* octets
    cdef uint32_t places, first, count

    cdef void keep(self, Datagram* row) noexcept nogil
    cdef bint answer(self) noexcept nogil
