from servers.net.node cimport Datagram
from servers.roles.fha.state cimport Fha, Order

cdef Order* open_order(Fha* fha, const Datagram* datagram) noexcept nogil
cdef void read_order(Fha* fha, Order* order) noexcept nogil
cdef void check_order(Fha* fha, Order* order) noexcept nogil
cdef void check_order_signature(Fha* fha, Order* order) noexcept nogil
cdef void drop_order(Fha* fha, Order* order, int reason) noexcept nogil
cdef void end_order(Fha* fha, Order* order, int outcome) noexcept nogil
cdef void leave_answer(Fha* fha, const Order* order, const unsigned char* octets, unsigned int length) noexcept nogil
