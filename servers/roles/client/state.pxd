# What the RADIUS client keeps: a transaction for every identifier, and what is known of every server.
from libc.stdint cimport uint8_t, uint16_t, uint32_t, uint64_t
from fastcodec.digest.jobs cimport Key, Queue
from fastcodec.radius cimport Packet
from servers.engine.counters cimport Counters
from servers.engine.stages cimport Head
from servers.engine.wheel cimport Wheel
from servers.net.node cimport Datagram, Entropy, Instant, Outbox

cdef enum:
    NO_TRANSACTION = 0xffffffff
    PROBE = 0xfffffffe                # owner of a Status-Server
    IDENTIFIERS = 256                 # of a source port towards one server, RFC 5080 2.2.2
    MOST_UPSTREAMS = 8
    MS = 1000000
    RESPONSE_WINDOW_MS = 1000         # without any answer while requests are out: in doubt (ruling 19)
    WATCHDOG_MS = 30000               # Tw, RFC 3539 3.4.1
    ANSWERS_TO_RETURN = 3

cdef enum TransactionState:
    FREE = 0
    OUTSTANDING = 1
    TIMED_OUT = 2                     # kept so that an answer that comes after all is counted late
    ANSWERED = 3                      # kept so that a second answer is counted a duplicate
    MOVED = 4                         # goes on at another server; the first valid answer of the two wins

cdef enum MessageAuthenticatorRule:   # whether a server's answers need one (radius.md 2.2)
    NOT_REQUIRED = 0
    REQUIRED = 1
    REQUIRED_ONCE_SEEN = 2

cdef enum UpstreamState:
    ALIVE = 0
    SUSPECT = 1                       # asked only when no server is alive

cdef struct Transaction:              # the request's octets follow
    uint32_t owner                    # whose question it is: the role's own index, or PROBE
    uint32_t interval_ms              # to the next retransmission
    uint32_t successor                # while MOVED: index of the transaction that goes on
    uint32_t predecessor              # index + 1 of the one this goes on from, while that is MOVED
    uint16_t length                   # of what is sent: `whole` to ours, `common` to others
    uint16_t common, whole
    uint8_t state
    uint8_t tries                     # transmissions to this server
    uint8_t moves                     # servers given up before it
    uint8_t upstream
    bint has_previous
    uint8_t[16] previous              # Request Authenticator of the identifier's last use

cdef struct Upstream:                 # a RADIUS server we ask
    uint32_t address                  # network order
    uint16_t port
    uint8_t message_authenticator     # a MessageAuthenticatorRule
    bint one_was_seen                 # in an answer to an Access-Request, valid
    bint answers_probes               # Status-Server may be sent to it
    bint ours                         # a peer of our own kind; others know standard attributes only
    uint8_t state
    uint8_t answers                   # in time, since it is suspect
    uint8_t silent_probes             # sent since it was last heard
    uint32_t requests                 # outstanding, probes not counted
    uint32_t in_time, overdue         # requests answered before, and sent for, a second time since the last check
    uint32_t probe_interval_ms
    uint64_t quiet_since              # since when an answer has been waited for, monotonic ns
    uint64_t heard                    # when it last answered
    uint64_t check_at                 # when its timer fires
    uint64_t asked, answered, moved_away, timed_out, suspected, probes
    uint32_t secret_length
    uint8_t[256] secret
    Key secret_key

cdef struct Answer:                   # a row: one datagram that came to one of the client's ports
    Head head
    bint is_late                      # of the identifier's last use, perhaps
    Datagram* datagram
    Transaction* transaction
    Upstream* upstream
    uint32_t index                    # of the transaction
    Packet packet
    uint8_t[16] authenticator         # as received; the header then holds the request's
    uint8_t[16] message_authenticator
    uint8_t[16] digest

cdef struct Stray:                    # answers from where nothing was asked: how many, and of the last one
    uint64_t count
    uint32_t source, asked            # network order
    uint16_t source_port, asked_port

cdef struct RadiusClient:
    uint8_t* octets                   # transactions, `stride` apart
    size_t stride
    uint32_t ports
    uint32_t places                   # transactions of one server: ports * IDENTIFIERS
    uint16_t first_port               # of the node's sockets
    uint32_t* outstanding             # by server and port
    uint8_t* next_identifier          # by server and port: the least recently used comes first (RFC 5080 2.2.2)
    uint32_t turn                     # the port that the present batch leaves through
    uint32_t in_use
    uint32_t upstreams
    uint32_t preferred                # the server that new requests go to
    Upstream[8] upstream              # in order of preference
    uint32_t first_timeout_ms         # IRT, RFC 5080 2.2.1
    uint32_t most_tries
    Wheel wheel                       # a transaction's index; behind all of them, one timer a server
    Queue* queue
    Outbox* out
    Instant* now
    Entropy* entropy
    Counters* counters
    uint8_t identifier_length
    uint8_t[64] identifier            # NAS-Identifier in a Status-Server; empty: none
    # `sent` are requests, `retransmitted` those of them that were no first ones; probes are counted at their server
    uint64_t sent, retransmitted, received, late, duplicate, unmatched, malformed, bad_authenticator, timed_out
    Stray stray                       # of the unmatched

cdef inline Transaction* transaction_at(RadiusClient* client, uint32_t index) noexcept nogil:
    return <Transaction*> (client.octets + client.stride * index)

cdef inline uint8_t* request_octets(RadiusClient* client, uint32_t index) noexcept nogil:
    return client.octets + client.stride * index + sizeof(Transaction)

cdef inline void note_stray(Stray* stray, const Datagram* datagram, uint32_t asked, uint16_t asked_port) noexcept nogil:
    stray.count += 1
    stray.source, stray.source_port = datagram.peer_address, datagram.peer_port
    stray.asked, stray.asked_port = asked, asked_port

cdef inline uint16_t socket_of(const RadiusClient* client, uint32_t index) noexcept nogil:
    """The node's socket that a transaction's packets leave through and its answers come to."""
    return <uint16_t> (client.first_port + index // IDENTIFIERS % client.ports)

cdef inline uint32_t health_timer(const RadiusClient* client, uint32_t upstream) noexcept nogil:
    return MOST_UPSTREAMS * client.places + upstream
