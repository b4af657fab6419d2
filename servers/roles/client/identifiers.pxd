from libc.stdint cimport uint16_t, uint32_t, uint64_t
from servers.roles.client.state cimport RadiusClient, TransactionState

cdef int client_open(RadiusClient* client, uint32_t ports, uint16_t first_port, size_t room, uint64_t now) except -1
cdef void client_close(RadiusClient* client) noexcept nogil
cdef int reserve_places(RadiusClient* client, uint32_t upstreams) except -1
cdef void client_turn(RadiusClient* client) noexcept nogil
cdef uint32_t client_take(RadiusClient* client, uint32_t owner) noexcept nogil
cdef uint32_t take_place(RadiusClient* client, uint32_t upstream, uint32_t owner) noexcept nogil
cdef void client_release(RadiusClient* client, uint32_t index) noexcept nogil
cdef void close_transaction(RadiusClient* client, uint32_t index, TransactionState state) noexcept nogil
