from servers.net.node cimport Datagram
from servers.roles.aaah.state cimport Aaah, Question

cdef bint must_wait(const Aaah* aaah, const Question* question) noexcept nogil
cdef Datagram* open_waiting(Aaah* aaah, Question* question) noexcept nogil
cdef void close_waiting(Aaah* aaah, Question* question) noexcept nogil
cdef void park(Aaah* aaah, Question* question) noexcept nogil
cdef bint leave(Aaah* aaah, Question* question) noexcept nogil
cdef int take_committed(Aaah* aaah, void** rows, int most) noexcept nogil
cdef int take_due(Aaah* aaah, void** rows, int most) noexcept nogil
