from servers.roles.aaah.state cimport Aaah, Question

cdef void find_who_asks(Aaah* aaah, Question* question) noexcept nogil
cdef void derive(Aaah* aaah, Question* question) noexcept nogil
