from libc.stdint cimport uint32_t, uint64_t
from servers.roles.fha.state cimport Fha, Registration
from servers.tables.bindings cimport Binding

cdef void lease_address(Fha* fha, Registration* row) noexcept nogil
cdef void end_lifetime(Fha* fha, Binding* binding) noexcept nogil
cdef uint64_t revoke(Fha* fha, Binding* binding) noexcept nogil
cdef uint64_t shorten(Fha* fha, Binding* binding, uint32_t session_s, uint32_t registration_s) noexcept nogil
