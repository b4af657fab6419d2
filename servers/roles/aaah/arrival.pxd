from servers.roles.aaah.state cimport Aaah, Question

cdef void read_request(Aaah* aaah, Question* question) noexcept nogil
cdef void check_authenticator(Aaah* aaah, Question* question) noexcept nogil
cdef void answer_watchdog(Aaah* aaah, Question* question) noexcept nogil
cdef void answer_duplicate(Aaah* aaah, Question* question) noexcept nogil
