from servers.roles.aaah.state cimport Aaah, Question

cdef void decide(Aaah* aaah, Question* question) noexcept nogil
