from servers.roles.fha.state cimport Fha, Registration

cdef void read_answer(Fha* fha, Registration* row) noexcept nogil
cdef void take_key(Fha* fha, Registration* row) noexcept nogil
