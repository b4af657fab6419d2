from libc.stdint cimport uint64_t, uint8_t
from servers.roles.fha.state cimport Fha, Registration

cdef void ask_aaah(Fha* fha, Registration* row) noexcept nogil
cdef void send_question(Fha* fha, Registration* row) noexcept nogil
cdef void write_session(uint64_t number, uint8_t* out) noexcept nogil
