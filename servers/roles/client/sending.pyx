# Packets to a server: a request written in place, the same octets again, the same question to another server, a probe.
from fastcodec.digest.jobs cimport DIGEST_HMAC_MD5, queue_job
from fastcodec.radius cimport (
    ACCESS_REQUEST, CHAP_CHALLENGE, CHAP_PASSWORD, HEADER, MESSAGE_AUTHENTICATOR, NAS_IDENTIFIER, NUMBERS, Packet,
    USER_PASSWORD, put_attribute, walk_packet,
)
from fastcodec.status cimport OK
from fastcodec.wire cimport get64, put16
from libc.stdint cimport uint8_t, uint16_t, uint32_t, uint64_t
from libc.string cimport memcpy, memset
from servers.engine.counters cimport count_event
from servers.engine.reasons cimport OUTBOX_FULL, RETRANSMITTED
from servers.engine.wheel cimport wheel_arm
from servers.net.node cimport Datagram, compose, draw
from servers.roles.client.health cimport upstream_asked
from servers.roles.client.identifiers cimport close_transaction, take_place
from servers.roles.client.state cimport (
    IDENTIFIERS, MOVED, MS, NO_TRANSACTION, PROBE, RESPONSE_WINDOW_MS, Transaction, request_octets, socket_of,
    transaction_at,
)

cdef enum:
    LONGEST_INTERVAL_MS = 16000        # MRT, RFC 5080 2.2.1
    STATUS_SERVER = 12                 # RFC 5997


cdef uint8_t* begin(RadiusClient* client, uint32_t index, uint8_t code) noexcept nogil:
    cdef uint8_t* packet = request_octets(client, index)
    memcpy(transaction_at(client, index).previous, packet + 4, 16)
    packet[0], packet[1] = code, <uint8_t> (index % IDENTIFIERS)
    memcpy(packet + 4, draw(client.entropy, 16), 16)
    packet[HEADER], packet[HEADER + 1] = NUMBERS.number[<int> MESSAGE_AUTHENTICATOR], 18
    memset(packet + HEADER + 2, 0, 16)
    return packet + HEADER + 18


cdef uint8_t* client_begin(RadiusClient* client, uint32_t index) noexcept nogil:
    """Writes header and Message-Authenticator, zero and first (radius.md 2.2); attributes go where it points."""
    return begin(client, index, ACCESS_REQUEST)


cdef void client_finish(RadiusClient* client, uint32_t index, uint8_t* end, uint8_t* digest) noexcept nogil:
    """Sets the length and queues the Message-Authenticator into `digest`, RFC 3579 3.2."""
    client_finish_for_ours(client, index, end, end, digest)


cdef void client_finish_for_ours(RadiusClient* client, uint32_t index, uint8_t* common, uint8_t* end,
                                 uint8_t* digest) noexcept nogil:
    """The same; what stands from `common` to `end` goes to servers of our own kind only. It stays with the request, which
    may move to another server."""
    cdef uint8_t* packet = request_octets(client, index)
    cdef Transaction* transaction = transaction_at(client, index)
    transaction.common, transaction.whole = <uint16_t> (common - packet), <uint16_t> (end - packet)
    transaction.length = transaction.whole if client.upstream[transaction.upstream].ours else transaction.common
    put16(packet + 2, transaction.length)
    queue_job(client.queue, DIGEST_HMAC_MD5, packet, transaction.length, NULL, 0,
              &client.upstream[transaction.upstream].secret_key, digest)


cdef void client_send(RadiusClient* client, uint32_t index, const uint8_t* digest, uint64_t now) noexcept nogil:
    """First transmission to this server. A full outbox loses nothing: the timer sends it again."""
    cdef Transaction* transaction = transaction_at(client, index)
    memcpy(request_octets(client, index) + HEADER + 2, digest, 16)
    transaction.tries = 1
    transaction.interval_ms = RESPONSE_WINDOW_MS if transaction.owner == PROBE else client.first_timeout_ms
    transmit(client, index)
    wheel_arm(&client.wheel, index, now + jittered(client, transaction.interval_ms))
    if transaction.owner != PROBE:
        client.sent += 1
        client.retransmitted += transaction.moves != 0                 # a question sent before, to another server
        upstream_asked(client, transaction.upstream, now)


cdef bint transmit(RadiusClient* client, uint32_t index) noexcept nogil:
    cdef Transaction* transaction = transaction_at(client, index)
    cdef Datagram* datagram = compose(client.out, socket_of(client, index))
    if not datagram:
        count_event(client.counters, OUTBOX_FULL)
        return False
    memcpy(datagram.data, request_octets(client, index), transaction.length)
    datagram.length = transaction.length
    datagram.peer_address = client.upstream[transaction.upstream].address
    datagram.peer_port = client.upstream[transaction.upstream].port
    datagram.local_address = 0
    return True


cdef uint64_t jittered(RadiusClient* client, uint32_t interval_ms) noexcept nogil:
    """RT(1 + r), r uniform in -0.1..0.1, in ns; RFC 5080 2.2.1."""
    cdef uint64_t r = get64(draw(client.entropy, 8)) % 2001
    return <uint64_t> interval_ms * (9000 + r) * (MS // 10000)


cdef bint send_again(RadiusClient* client, uint32_t index, uint64_t now) noexcept nogil:
    """The same octets to the same server, RFC 2865 2.5; False, and nothing done, after the last try."""
    cdef Transaction* transaction = transaction_at(client, index)
    if transaction.owner == PROBE or transaction.tries >= client.most_tries:
        return False
    if transmit(client, index):
        client.upstream[transaction.upstream].overdue += transaction.tries == 1
        transaction.tries += 1
        client.sent += 1
        client.retransmitted += 1
        count_event(client.counters, RETRANSMITTED)
        transaction.interval_ms = min(2 * transaction.interval_ms, <uint32_t> LONGEST_INTERVAL_MS)
    wheel_arm(&client.wheel, index, now + jittered(client, transaction.interval_ms))
    return True


cdef uint32_t start_probe(RadiusClient* client, uint32_t upstream, uint8_t* digest) noexcept nogil:
    """A Status-Server (RFC 5997 3), to be sent by client_send; it has an identifier of its own and is never sent again."""
    cdef uint32_t index = take_place(client, upstream, PROBE)
    cdef uint8_t* at
    if index != NO_TRANSACTION:
        at = begin(client, index, STATUS_SERVER)
        if client.identifier_length:
            at = put_attribute(at, &NUMBERS, NAS_IDENTIFIER, client.identifier, client.identifier_length)
        client_finish(client, index, at, digest)
        client.upstream[upstream].probes += 1
    return index


cdef uint32_t move_request(RadiusClient* client, uint32_t index, uint8_t* digest) noexcept nogil:
    """The question of a transaction as a new one at the preferred server, to be sent by client_send: the same attributes
    under a new identifier, Request Authenticator and Message-Authenticator, since another source of truth may answer
    (RFC 5080 2.2.2, RFC 5997 4.3). NO_TRANSACTION: it stays where it is."""
    cdef Transaction* old = transaction_at(client, index)
    cdef Transaction* new
    cdef uint8_t* packet
    cdef uint32_t to
    if old.moves + 1 >= <int> client.upstreams or not is_movable(request_octets(client, index), old.length):
        return NO_TRANSACTION
    to = take_place(client, client.preferred, old.owner)
    if to == NO_TRANSACTION:
        return NO_TRANSACTION
    new, packet = transaction_at(client, to), begin(client, to, ACCESS_REQUEST)
    memcpy(packet, request_octets(client, index) + HEADER + 18, old.whole - HEADER - 18)
    client.upstream[old.upstream].moved_away += 1
    new.moves = old.moves + 1
    close_transaction(client, index, MOVED)
    old.successor, new.predecessor = to, index + 1
    packet -= HEADER + 18
    client_finish_for_ours(client, to, packet + old.common, packet + old.whole, digest)
    return to


cdef bint is_movable(const uint8_t* octets, uint32_t length) noexcept nogil:
    """Nothing but the Message-Authenticator may depend on the Request Authenticator: no User-Password, and CHAP only with
    its challenge in attribute 60 (RFC 2865 2.2, 5.2)."""
    cdef Packet packet
    return (walk_packet(octets, length, &NUMBERS, &packet) == OK and not packet.count[<int> USER_PASSWORD]
            and (not packet.count[<int> CHAP_PASSWORD] or packet.count[<int> CHAP_CHALLENGE]))
