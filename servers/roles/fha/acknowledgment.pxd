from servers.roles.fha.state cimport Acknowledgment, Fha

cdef void match_acknowledgment(Fha* fha, Acknowledgment* row) noexcept nogil
cdef void check_acknowledgment(Fha* fha, Acknowledgment* row) noexcept nogil
