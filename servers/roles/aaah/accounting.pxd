from servers.roles.aaah.state cimport Aaah, Question

cdef void record_accounting(Aaah* aaah, Question* question) noexcept nogil
