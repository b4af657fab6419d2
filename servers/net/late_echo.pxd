from libc.stdint cimport uint8_t, uint32_t, uint64_t

from servers.net.node cimport Datagram, Node

cdef class LateEcho(Node):
    cdef public uint64_t delay_ns                # of what arrives from now on
    cdef readonly uint64_t answered
    cdef readonly uint64_t refused_waiting       # found every place taken
    cdef Datagram* waiting                       # a ring in the order of `due`
    cdef uint64_t* due
    cdef uint8_t* octets
    cdef uint32_t places, first, count

    cdef void keep(self, Datagram* row) noexcept nogil
    cdef bint answer(self) noexcept nogil
