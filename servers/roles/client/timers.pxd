from libc.stdint cimport uint32_t, uint64_t
from servers.roles.client.state cimport RadiusClient

cdef uint32_t client_expire(RadiusClient* client, uint64_t now, uint32_t* gave_up, uint32_t most, bint* more) noexcept nogil
