from libc.stdint cimport uint32_t
from servers.net.node cimport Datagram
from servers.roles.fha.state cimport Fha, Registration

cdef void* open_row(Fha* fha, uint32_t slot, const Datagram* datagram) noexcept nogil
cdef void read_request(Fha* fha, Registration* row) noexcept nogil
cdef void find_node(Fha* fha, Registration* row) noexcept nogil
