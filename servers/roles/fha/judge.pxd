from servers.roles.fha.state cimport Fha, Registration

cdef void judge(Fha* fha, Registration* row) noexcept nogil
