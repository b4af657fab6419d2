from libc.stdint cimport uint32_t
from servers.net.node cimport Datagram
from servers.roles.client.state cimport Answer, RadiusClient

cdef uint32_t client_receive(RadiusClient* client, Datagram* datagrams, uint32_t n, Answer* answers, void** good) noexcept nogil
