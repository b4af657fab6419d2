from servers.roles.fha.state cimport Fha, Order

cdef void obey(Fha* fha, Order* order) noexcept nogil
