from servers.roles.aaah.state cimport Aaah, Question

cdef void find_who_asks(Aaah* aaah, Question* question) noexcept nogil
cdef bint password_is_right(const Aaah* aaah, const Question* question) noexcept nogil
