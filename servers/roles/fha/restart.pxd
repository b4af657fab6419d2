from libc.stdint cimport uint64_t
from servers.roles.fha.overlap cimport OldKey
from servers.roles.fha.state cimport Fha
from servers.tables.bindings cimport Record

cdef void remember_clock(Fha* fha, uint64_t written) noexcept nogil
cdef bint restore_binding(Fha* fha, const Record* record, const OldKey* old, bint is_over, uint64_t now,
                          uint64_t wall) noexcept nogil
