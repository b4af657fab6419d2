from servers.roles.aaah.state cimport Aaah, Question

cdef void read_request(Aaah* aaah, Question* question) noexcept nogil
cdef void check_authenticator(Aaah* aaah, Question* question) noexcept nogil
cdef void take_up(Aaah* aaah, Question* question) noexcept nogil
