from servers.roles.aaah.state cimport Aaah, Question

cdef void queue_proof(Aaah* aaah, Question* question) noexcept nogil
cdef void derive(Aaah* aaah, Question* question) noexcept nogil
cdef int proof_fault(const Question* question) noexcept nogil
cdef bint proof_is_right(const Question* question) noexcept nogil
