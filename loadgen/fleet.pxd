# The emulated mobile nodes as one node of the network.
from libc.stdint cimport uint32_t
from loadgen.load cimport Load
from loadgen.starts cimport Starts
from servers.net.node cimport Datagram, Node
from servers.roles.radius_client cimport Answer

cdef class Fleet(Node):
    cdef Load load
    cdef Answer* answers
    cdef Starts starts
    cdef object kept                 # the columns that pointers lead into
    cdef list histograms
    cdef void start_due(self) noexcept nogil
    cdef void receive_answers(self, Datagram* rows, uint32_t n) noexcept nogil
    cdef void receive_replies(self, Datagram* rows, uint32_t n) noexcept nogil
    cdef bint give_up(self) noexcept nogil
    cdef bint retransmit(self) noexcept nogil
    cdef bint act(self) noexcept nogil
