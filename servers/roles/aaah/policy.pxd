from libc.stdint cimport uint8_t
from servers.roles.aaah.state cimport Aaah, PolicyFha, Question

cdef void name_fhas(const Aaah* aaah, Question* question) noexcept nogil
cdef const PolicyFha* fha_of_class(const Aaah* aaah, const uint8_t* address, int subscription) noexcept nogil
