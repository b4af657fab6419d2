from libc.stdint cimport uint32_t, uint64_t
from servers.net.node cimport Datagram
from servers.roles.fha.memory cimport FhaMemory

cdef class FhaRole(FhaMemory):
    cdef void receive_requests(self, Datagram* datagrams, uint32_t n) noexcept nogil
    cdef void receive_answers(self, Datagram* datagrams, uint32_t n) noexcept nogil
    cdef void receive_orders(self, Datagram* datagrams, uint32_t n) noexcept nogil
    cdef void take_acknowledgments(self, uint32_t n) noexcept nogil
    cdef void run_revocations(self) noexcept nogil
    cdef bint release_revocations(self, uint64_t durable) noexcept nogil
    cdef bint repeat_revocations(self) noexcept nogil
    cdef bint release_orders(self, uint64_t durable) noexcept nogil
    cdef void run_ready(self) noexcept nogil
    cdef bint release_held(self) noexcept nogil
    cdef bint give_up(self) noexcept nogil
    cdef bint expire(self) noexcept nogil
