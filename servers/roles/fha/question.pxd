from servers.roles.fha.state cimport Fha, Registration

cdef void ask_aaah(Fha* fha, Registration* row) noexcept nogil
cdef void send_question(Fha* fha, Registration* row) noexcept nogil
