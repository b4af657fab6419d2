from servers.roles.fha.state cimport Fha, Registration

cdef void hold_reply(Fha* fha, Registration* row) noexcept nogil
cdef void send_reply(Fha* fha, Registration* row) noexcept nogil
cdef void forget_reply(Fha* fha, const Registration* row) noexcept nogil
