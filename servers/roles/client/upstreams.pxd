from libc.stdint cimport uint16_t
from servers.roles.client.state cimport RadiusClient

cdef int client_server(RadiusClient* client, bytes address, uint16_t port, bytes secret, str message_authenticator,
                       bint answers_probes, bint ours=*) except -1
cdef list client_report(const RadiusClient* client)
