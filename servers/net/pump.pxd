# One node and its sockets: what is received goes to the node, what the node leaves is sent.
from libc.stdint cimport uint32_t, uint64_t

from servers.net.mmsg cimport Port
from servers.net.node cimport Datagram, Node
from servers.net.tape cimport Tape

cdef class Pump:
    cdef readonly Node node
    cdef readonly tuple sockets
    cdef readonly Tape tape                      # what is moved is written to it, None: to none
    cdef readonly uint64_t misdirected           # datagrams left for a socket that does not exist
    cdef readonly uint64_t wakes                 # timer and waker calls
    cdef bint taping
    cdef Port** ports
    cdef uint32_t count
    cdef Datagram* sorted                        # the outbox by socket, where the node left it mixed
    cdef uint32_t* places                        # per socket: where its next row goes in `sorted`
    cdef int timer
    cdef uint64_t armed                          # monotonic ns for which the timer is set, 0: it is not

    cdef void pump(self, uint32_t index) noexcept nogil
    cdef void flush(self) noexcept nogil
    cdef uint32_t sort(self, Datagram* rows, uint32_t n) noexcept nogil
    cdef void record(self, Datagram* rows, uint32_t n, bint incoming) noexcept nogil
    cdef void run_timers(self) noexcept nogil
    cdef void rearm(self) noexcept nogil
    cdef void arm(self, uint64_t due) noexcept nogil
