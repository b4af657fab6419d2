# Asking a RADIUS server. A request passes client_take -> client_begin -> (the role writes attributes) -> client_finish
# -> [digests] -> client_send; its answer passes the four stages at the end of this file.
#
#   parked        waits for       resumes at                    on timeout
#   transaction   an answer       the owner's stage after       sent again, RFC 5080 2.2.1; after the last try
#                                 the question                  the owner resumes without an answer
from fastcodec.digest.jobs cimport DIGEST_HMAC_MD5, DIGEST_KEY_MD5, DIGEST_MD5, queue_job, run_queue
from fastcodec.radius cimport (
    ACCESS_ACCEPT, ACCESS_CHALLENGE, ACCESS_REJECT, ACCESS_REQUEST, HEADER, MESSAGE_AUTHENTICATOR, NUMBERS, walk_packet,
)
from fastcodec.status cimport OK
from fastcodec.wire cimport get64, put16, same
from libc.stdint cimport uint8_t, uint16_t, uint32_t, uint64_t
from libc.stdlib cimport calloc, free
from libc.string cimport memcpy, memset
from servers.engine.counters cimport count_event, count_offence
from servers.engine.reasons cimport (
    BAD_MESSAGE_AUTHENTICATOR, BAD_RESPONSE_AUTHENTICATOR, LATE_REPLY, NO_IDENTIFIER_FREE, NO_MESSAGE_AUTHENTICATOR,
    OUTBOX_FULL, RETRANSMITTED, UNMATCHED_REPLY,
)
from servers.engine.stages cimport Outcome
from servers.engine.wheel cimport wheel_arm, wheel_cancel, wheel_close, wheel_expired, wheel_open
from servers.net.node cimport compose, draw

cdef enum:
    LONGEST_INTERVAL_MS = 16000        # MRT, RFC 5080 2.2.1
    MS = 1000000


cdef int client_open(RadiusClient* client, uint32_t ports, uint16_t first_port, size_t room, uint64_t now) except -1:
    """`room`: octets that the longest request may have. The queue, outbox, entropy and server are the caller's to set."""
    client.ports, client.first_port = ports, first_port
    client.stride = ((sizeof(Transaction) + room + 63) // 64 | 1) * 64
    client.octets = <uint8_t*> calloc(ports * IDENTIFIERS, client.stride)
    client.outstanding = <uint32_t*> calloc(ports, sizeof(uint32_t))
    client.next_identifier = <uint8_t*> calloc(ports, 1)
    if not client.octets or not client.outstanding or not client.next_identifier:
        client_close(client)
        raise MemoryError
    wheel_open(&client.wheel, ports * IDENTIFIERS, now)
    return 0


cdef int client_server(RadiusClient* client, bytes address, uint16_t port, bytes secret, bint require_ma) except -1:
    """The server all requests go to: packed address, secret of 1-255 octets."""
    if not 1 <= len(secret) <= 255:
        raise ValueError(f"a shared secret has 1 to 255 octets, not {len(secret)}")
    memcpy(&client.server.address, <const uint8_t*> address, 4)
    memcpy(client.server.secret, <const uint8_t*> secret, len(secret))
    client.server.port, client.server.secret_length = port, <uint32_t> len(secret)
    client.server.require_message_authenticator = require_ma
    queue_job(client.queue, DIGEST_KEY_MD5, client.server.secret, client.server.secret_length, NULL, 0, NULL,
              &client.server.secret_key)
    run_queue(client.queue)
    return 0


cdef void client_close(RadiusClient* client) noexcept nogil:
    free(client.octets)
    free(client.outstanding)
    free(client.next_identifier)
    client.octets, client.outstanding, client.next_identifier = NULL, NULL, NULL
    wheel_close(&client.wheel)


cdef void client_turn(RadiusClient* client) noexcept nogil:
    """The next batch leaves through the next socket, so that one system call carries a whole batch."""
    client.turn = (client.turn + 1) % client.ports


cdef uint32_t client_take(RadiusClient* client, uint32_t owner) noexcept nogil:
    """A transaction for `owner`, from the present port or, when its identifiers are all outstanding, the next with one
    free; NO_TRANSACTION when there is none (counted). An identifier outstanding is never reused (RFC 5080 2.2.2)."""
    cdef uint32_t k, port, index
    cdef uint8_t identifier
    cdef Transaction* transaction
    for k in range(client.ports):
        port = (client.turn + k) % client.ports
        if client.outstanding[port] < IDENTIFIERS:
            break
    else:
        count_event(client.counters, NO_IDENTIFIER_FREE)
        return NO_TRANSACTION
    client.turn = port
    identifier = client.next_identifier[port]
    while transaction_at(client, port * IDENTIFIERS + identifier).state == TransactionState.OUTSTANDING:
        identifier += 1
    client.next_identifier[port] = identifier + 1
    index = port * IDENTIFIERS + identifier
    transaction = transaction_at(client, index)
    transaction.owner, transaction.state, transaction.tries = owner, TransactionState.OUTSTANDING, 0
    client.outstanding[port] += 1
    client.in_use += 1
    return index


cdef void close_transaction(RadiusClient* client, uint32_t index, TransactionState state) noexcept nogil:
    transaction_at(client, index).state = state
    wheel_cancel(&client.wheel, index)
    client.outstanding[index // IDENTIFIERS] -= 1
    client.in_use -= 1


cdef void client_release(RadiusClient* client, uint32_t index) noexcept nogil:
    """Gives back a transaction that was never sent."""
    close_transaction(client, index, TransactionState.FREE)


cdef uint8_t* client_begin(RadiusClient* client, uint32_t index) noexcept nogil:
    """Writes header and Message-Authenticator, zero and first (radius.md 2.2); attributes go where it points."""
    cdef uint8_t* packet = request_octets(client, index)
    packet[0], packet[1] = ACCESS_REQUEST, <uint8_t> (index % IDENTIFIERS)
    memcpy(packet + 4, draw(client.entropy, 16), 16)
    packet[HEADER], packet[HEADER + 1] = NUMBERS.number[<int> MESSAGE_AUTHENTICATOR], 18
    memset(packet + HEADER + 2, 0, 16)
    return packet + HEADER + 18


cdef void client_finish(RadiusClient* client, uint32_t index, uint8_t* end, uint8_t* digest) noexcept nogil:
    """Sets the length and queues the Message-Authenticator into `digest`, RFC 3579 3.2."""
    cdef uint8_t* packet = request_octets(client, index)
    cdef Transaction* transaction = transaction_at(client, index)
    transaction.length = <uint16_t> (end - packet)
    put16(packet + 2, transaction.length)
    queue_job(client.queue, DIGEST_HMAC_MD5, packet, transaction.length, NULL, 0, &client.server.secret_key, digest)


cdef bint transmit(RadiusClient* client, uint32_t index) noexcept nogil:
    cdef Transaction* transaction = transaction_at(client, index)
    cdef Datagram* datagram = compose(client.out, <uint16_t> (client.first_port + index // IDENTIFIERS))
    if not datagram:
        count_event(client.counters, OUTBOX_FULL)
        return False
    memcpy(datagram.data, request_octets(client, index), transaction.length)
    datagram.length = transaction.length
    datagram.peer_address, datagram.peer_port = client.server.address, client.server.port
    datagram.local_address = 0
    return True


cdef void client_send(RadiusClient* client, uint32_t index, const uint8_t* digest, uint64_t now) noexcept nogil:
    """First transmission. A full outbox loses nothing: the timer sends it again."""
    cdef Transaction* transaction = transaction_at(client, index)
    memcpy(request_octets(client, index) + HEADER + 2, digest, 16)
    transaction.tries = 1
    transaction.interval_ms = client.first_timeout_ms
    transmit(client, index)
    client.sent += 1
    wheel_arm(&client.wheel, index, now + jittered(client, transaction.interval_ms))


cdef uint64_t jittered(RadiusClient* client, uint32_t interval_ms) noexcept nogil:
    """RT(1 + r), r uniform in -0.1..0.1, in ns; RFC 5080 2.2.1."""
    cdef uint64_t r = get64(draw(client.entropy, 8)) % 2001
    return <uint64_t> interval_ms * (9000 + r) * (MS // 10000)


cdef uint32_t client_expire(RadiusClient* client, uint64_t now, uint32_t* gave_up, uint32_t most, bint* more) noexcept nogil:
    """Retransmits what is due (the same octets, RFC 2865 2.5). Fills in the owners of requests that had their last try."""
    cdef uint32_t[256] due
    cdef uint32_t k, n, lost = 0
    cdef Transaction* transaction
    n = wheel_expired(&client.wheel, now, due, min(most, 256))
    more[0] = n == min(most, 256)
    for k in range(n):
        transaction = transaction_at(client, due[k])
        if transaction.tries >= client.most_tries:
            close_transaction(client, due[k], TransactionState.TIMED_OUT)
            client.timed_out += 1
            gave_up[lost] = transaction.owner
            lost += 1
            continue
        if transmit(client, due[k]):
            transaction.tries += 1
            client.sent += 1
            client.retransmitted += 1
            count_event(client.counters, RETRANSMITTED)
            transaction.interval_ms = min(2 * transaction.interval_ms, <uint32_t> LONGEST_INTERVAL_MS)
        wheel_arm(&client.wheel, due[k], now + jittered(client, transaction.interval_ms))
    return lost


# ---- the stages of an answer ---------------------------------------------------------------------------------------

cdef void refuse(RadiusClient* client, Answer* answer, int reason) noexcept nogil:
    answer.head.outcome = Outcome.DROPPED
    count_offence(client.counters, reason, answer.datagram)


cdef void match_answer(RadiusClient* client, Answer* answer) noexcept nogil:
    """RFC 5080 2.2.2: port, identifier and server must be those of an outstanding request; RFC 2865 3: well-formed."""
    cdef Datagram* datagram = answer.datagram
    cdef uint8_t* packet = datagram.data
    cdef uint8_t* request
    cdef int status
    client.received += 1
    status = walk_packet(packet, datagram.length, &NUMBERS, &answer.packet)
    if status != OK:
        client.malformed += 1
        refuse(client, answer, status)
        return
    answer.index = (datagram.port - client.first_port) * <uint32_t> IDENTIFIERS + packet[1]
    answer.transaction = transaction_at(client, answer.index)
    if (datagram.peer_address != client.server.address or datagram.peer_port != client.server.port
            or answer.transaction.state == TransactionState.FREE
            or packet[0] not in (ACCESS_ACCEPT, ACCESS_REJECT, ACCESS_CHALLENGE)):
        client.unmatched += 1
        refuse(client, answer, UNMATCHED_REPLY)
        return
    request = request_octets(client, answer.index)
    memcpy(answer.authenticator, packet + 4, 16)
    memcpy(packet + 4, request + 4, 16)
    queue_job(client.queue, DIGEST_MD5, packet, answer.packet.length, client.server.secret,
              client.server.secret_length, NULL, answer.digest)


cdef void check_response_authenticator(RadiusClient* client, Answer* answer) noexcept nogil:
    """RFC 2865 3. The request stays outstanding whatever a forger sends."""
    cdef int at = answer.packet.offset[<int> MESSAGE_AUTHENTICATOR]
    cdef uint8_t* packet = answer.datagram.data
    if not same(answer.digest, answer.authenticator, 16):
        client.bad_authenticator += 1
        refuse(client, answer, BAD_RESPONSE_AUTHENTICATOR)
        return
    if not at:
        if client.server.require_message_authenticator:
            client.bad_authenticator += 1
            refuse(client, answer, NO_MESSAGE_AUTHENTICATOR)
        return
    if answer.packet.count[<int> MESSAGE_AUTHENTICATOR] != 1 or answer.packet.size[<int> MESSAGE_AUTHENTICATOR] != 16:
        client.bad_authenticator += 1
        refuse(client, answer, BAD_MESSAGE_AUTHENTICATOR)
        return
    memcpy(answer.message_authenticator, packet + at, 16)
    memset(packet + at, 0, 16)
    queue_job(client.queue, DIGEST_HMAC_MD5, packet, answer.packet.length, NULL, 0, &client.server.secret_key,
              answer.digest)


cdef void check_message_authenticator(RadiusClient* client, Answer* answer) noexcept nogil:
    """RFC 3579 3.2, with the authenticator of the request in the header."""
    if answer.packet.offset[<int> MESSAGE_AUTHENTICATOR] and not same(answer.digest, answer.message_authenticator, 16):
        client.bad_authenticator += 1
        refuse(client, answer, BAD_MESSAGE_AUTHENTICATOR)


cdef void accept_answer(RadiusClient* client, Answer* answer) noexcept nogil:
    """The first valid answer wins (RFC 5080 2.2.2); the owner goes on from here."""
    if answer.transaction.state == TransactionState.TIMED_OUT:
        client.late += 1
        refuse(client, answer, LATE_REPLY)
    elif answer.transaction.state == TransactionState.ANSWERED:
        client.duplicate += 1
        refuse(client, answer, UNMATCHED_REPLY)
    else:
        close_transaction(client, answer.index, TransactionState.ANSWERED)
