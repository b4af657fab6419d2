from servers.roles.fha.state cimport Fha, Registration

cdef void write_reply(Fha* fha, Registration* row) noexcept nogil
