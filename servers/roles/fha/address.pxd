from libc.stdint cimport uint32_t, uint64_t
from servers.pool.bitmap cimport Pool
from servers.roles.fha.state cimport Fha
from servers.tables.bindings cimport Binding

cdef Pool* pool_of(const Fha* fha, uint32_t address) noexcept nogil
cdef uint64_t rest_of(const Fha* fha, uint32_t address) noexcept nogil
cdef bint may_be_leased(const Fha* fha, uint32_t address) noexcept nogil
cdef bint take_exactly(Fha* fha, uint32_t address, uint64_t owner) noexcept nogil
cdef bint keep_outside(Fha* fha, uint32_t address, uint64_t owner) noexcept nogil
cdef bint leave_outside(Fha* fha, uint32_t address, uint64_t owner) noexcept nogil
cdef void give_address(Fha* fha, uint32_t address, uint64_t owner) noexcept nogil
cdef void drop_binding(Fha* fha, Binding* binding) noexcept nogil
cdef void note_end(Fha* fha, uint64_t hash, uint64_t identification) noexcept nogil
