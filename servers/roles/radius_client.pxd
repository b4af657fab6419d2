# The RADIUS client that the FHA and the generator's NAS share: identifiers, ports, retransmission, response check.
from libc.stdint cimport uint8_t, uint16_t, uint32_t, uint64_t
from fastcodec.digest.jobs cimport Key, Queue
from fastcodec.radius cimport Packet
from servers.engine.counters cimport Counters
from servers.engine.stages cimport Head
from servers.engine.wheel cimport Wheel
from servers.net.node cimport Datagram, Entropy, Outbox

cdef enum:
    NO_TRANSACTION = 0xffffffff
    IDENTIFIERS = 256                 # a source port's, RFC 2865 3

cdef enum TransactionState:
    FREE = 0
    OUTSTANDING = 1
    TIMED_OUT = 2                     # kept so that an answer that comes after all is counted late
    ANSWERED = 3                      # kept so that a second answer is counted a duplicate

cdef struct Transaction:              # the request's octets follow
    uint32_t owner                    # whose question it is: the role's own index
    uint16_t length
    uint8_t state
    uint8_t tries
    uint32_t interval_ms              # to the next retransmission

cdef struct Upstream:                 # a RADIUS server we ask
    uint32_t address                  # network order
    uint16_t port
    uint8_t require_message_authenticator
    uint8_t ours                      # a peer of our own kind: may be sent padding
    uint32_t secret_length
    uint8_t[256] secret
    Key secret_key

cdef struct Answer:                   # a row: one datagram that came to one of the client's ports
    Head head
    Datagram* datagram
    Transaction* transaction
    uint32_t index                    # of the transaction
    Packet packet
    uint8_t[16] authenticator         # as received; the header then holds the request's
    uint8_t[16] message_authenticator
    uint8_t[16] digest

cdef struct RadiusClient:
    uint8_t* octets                   # transactions, `stride` apart, index = port * 256 + identifier
    size_t stride
    uint32_t ports
    uint16_t first_port               # of the node's sockets
    uint32_t* outstanding             # a port's
    uint8_t* next_identifier          # a port's: the least recently used comes first (RFC 5080 2.2.2)
    uint32_t turn                     # the port that the present batch leaves through
    uint32_t in_use
    Upstream server
    uint32_t first_timeout_ms         # IRT, RFC 5080 2.2.1
    uint32_t most_tries
    Wheel wheel
    Queue* queue
    Outbox* out
    Entropy* entropy
    Counters* counters
    uint64_t sent, retransmitted, received, late, duplicate, unmatched, malformed, bad_authenticator, timed_out

cdef int client_open(RadiusClient* client, uint32_t ports, uint16_t first_port, size_t room, uint64_t now) except -1
cdef int client_server(RadiusClient* client, bytes address, uint16_t port, bytes secret, bint require_ma) except -1
cdef void client_close(RadiusClient* client) noexcept nogil
cdef void client_turn(RadiusClient* client) noexcept nogil

cdef uint32_t client_take(RadiusClient* client, uint32_t owner) noexcept nogil
cdef void client_release(RadiusClient* client, uint32_t index) noexcept nogil
cdef uint8_t* client_begin(RadiusClient* client, uint32_t index) noexcept nogil
cdef void client_finish(RadiusClient* client, uint32_t index, uint8_t* end, uint8_t* digest) noexcept nogil
cdef void client_send(RadiusClient* client, uint32_t index, const uint8_t* digest, uint64_t now) noexcept nogil
cdef uint32_t client_expire(RadiusClient* client, uint64_t now, uint32_t* gave_up, uint32_t most, bint* more) noexcept nogil

cdef void match_answer(RadiusClient* client, Answer* answer) noexcept nogil
cdef void check_response_authenticator(RadiusClient* client, Answer* answer) noexcept nogil
cdef void check_message_authenticator(RadiusClient* client, Answer* answer) noexcept nogil
cdef void accept_answer(RadiusClient* client, Answer* answer) noexcept nogil

cdef inline Transaction* transaction_at(RadiusClient* client, uint32_t index) noexcept nogil:
    return <Transaction*> (client.octets + client.stride * index)

cdef inline uint8_t* request_octets(RadiusClient* client, uint32_t index) noexcept nogil:
    return client.octets + client.stride * index + sizeof(Transaction)
