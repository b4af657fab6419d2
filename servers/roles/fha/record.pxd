from libc.stdint cimport uint8_t, uint32_t, uint64_t
from servers.roles.fha.state cimport Fha, Registration
from servers.tables.bindings cimport Binding

cdef uint64_t journal_registration(Fha* fha, const Registration* row, const Binding* binding) noexcept nogil
cdef uint64_t journal_end(Fha* fha, const Binding* binding, uint64_t rest) noexcept nogil
cdef uint64_t journal_change(Fha* fha, const Binding* binding) noexcept nogil
cdef uint32_t write_binding(const Binding* binding, uint64_t now, uint64_t wall, uint8_t* octets) noexcept nogil
