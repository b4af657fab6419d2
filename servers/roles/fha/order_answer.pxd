from servers.roles.fha.state cimport Fha, Order

cdef void write_answer(Fha* fha, Order* order) noexcept nogil
cdef void sign_answer(Fha* fha, Order* order) noexcept nogil
cdef void hold_answer(Fha* fha, Order* order) noexcept nogil
cdef void send_answer(Fha* fha, Order* order) noexcept nogil
