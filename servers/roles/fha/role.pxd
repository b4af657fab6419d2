from libc.stdint cimport uint32_t
from servers.net.node cimport Datagram, Node
from servers.roles.fha.state cimport Fha
from servers.roles.radius_client cimport Answer

cdef class FhaRole(Node):
    cdef Fha fha
    cdef Answer* answers
    cdef object pool_owner
    cdef object journal_owner
    cdef void receive_requests(self, Datagram* datagrams, uint32_t n) noexcept nogil
    cdef void receive_answers(self, Datagram* datagrams, uint32_t n) noexcept nogil
    cdef void run_ready(self) noexcept nogil
    cdef bint release_held(self) noexcept nogil
    cdef bint give_up(self) noexcept nogil
    cdef bint expire(self) noexcept nogil
    cdef list bound_rows(self)
