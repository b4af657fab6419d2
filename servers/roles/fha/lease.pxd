from libc.stdint cimport uint64_t
from servers.roles.fha.state cimport Fha, Registration
from servers.tables.bindings cimport Binding

cdef void lease_address(Fha* fha, Registration* row) noexcept nogil
cdef void end_lifetime(Fha* fha, Binding* binding) noexcept nogil
