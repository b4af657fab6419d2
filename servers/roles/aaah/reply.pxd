from servers.roles.aaah.state cimport Aaah, Question

cdef void write_reply(Aaah* aaah, Question* question) noexcept nogil
cdef void sign_reply(Aaah* aaah, Question* question) noexcept nogil
cdef void send_reply(Aaah* aaah, Question* question) noexcept nogil
