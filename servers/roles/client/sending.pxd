from libc.stdint cimport uint8_t, uint32_t, uint64_t
from servers.roles.client.state cimport RadiusClient

cdef uint8_t* client_begin(RadiusClient* client, uint32_t index) noexcept nogil
cdef void client_finish(RadiusClient* client, uint32_t index, uint8_t* end, uint8_t* digest) noexcept nogil
cdef void client_finish_for_ours(RadiusClient* client, uint32_t index, uint8_t* common, uint8_t* end,
                                 uint8_t* digest) noexcept nogil
cdef void client_send(RadiusClient* client, uint32_t index, const uint8_t* digest, uint64_t now) noexcept nogil
cdef bint send_again(RadiusClient* client, uint32_t index, uint64_t now) noexcept nogil
cdef uint32_t start_probe(RadiusClient* client, uint32_t upstream, uint8_t* digest) noexcept nogil
cdef uint32_t move_request(RadiusClient* client, uint32_t index, uint8_t* digest) noexcept nogil
