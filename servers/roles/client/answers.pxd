from servers.roles.client.state cimport Answer, RadiusClient

cdef void match_answer(RadiusClient* client, Answer* answer) noexcept nogil
cdef void check_response_authenticator(RadiusClient* client, Answer* answer) noexcept nogil
cdef void check_message_authenticator(RadiusClient* client, Answer* answer) noexcept nogil
cdef void accept_answer(RadiusClient* client, Answer* answer) noexcept nogil
