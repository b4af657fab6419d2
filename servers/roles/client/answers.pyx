# The stages of an answer: whose it is, whether the server said it, what becomes of it.
from fastcodec.digest.jobs cimport DIGEST_HMAC_MD5, DIGEST_MD5, queue_job
from fastcodec.radius cimport (
    ACCESS_ACCEPT, ACCESS_CHALLENGE, ACCESS_REJECT, MESSAGE_AUTHENTICATOR, NUMBERS, PROXY_STATE, walk_packet,
)
from fastcodec.status cimport BAD_LENGTH, OK
from fastcodec.wire cimport same
from libc.stdint cimport uint8_t, uint32_t
from libc.string cimport memcpy, memset
from servers.engine.counters cimport count_offence
from servers.engine.reasons cimport (
    BAD_MESSAGE_AUTHENTICATOR, BAD_RESPONSE_AUTHENTICATOR, LATE_REPLY, NO_MESSAGE_AUTHENTICATOR, UNASKED_PROXY_STATE,
    UNMATCHED_REPLY,
)
from servers.engine.stages cimport DONE, DROPPED
from servers.net.node cimport Datagram
from servers.roles.client.health cimport upstream_answered
from servers.roles.client.identifiers cimport close_transaction
from servers.roles.client.state cimport (
    ANSWERED, FREE, IDENTIFIERS, MOVED, NOT_REQUIRED, NO_TRANSACTION, OUTSTANDING, PROBE, REQUIRED, TIMED_OUT,
    note_stray, request_octets, transaction_at,
)

cdef enum:
    ACCOUNTING_RESPONSE = 5            # also an answer to Status-Server, RFC 5997 3
    PROTOCOL_ERROR = 52                # RFC 7930
    LONGEST_PACKET = 4096              # octets, RFC 2865 3


cdef void refuse(RadiusClient* client, Answer* answer, int reason) noexcept nogil:
    answer.head.outcome = DROPPED
    count_offence(client.counters, reason, answer.datagram)


cdef void refuse_unmatched(RadiusClient* client, Answer* answer) noexcept nogil:
    client.unmatched += 1
    refuse(client, answer, UNMATCHED_REPLY)


cdef void refuse_unproven(RadiusClient* client, Answer* answer, int reason) noexcept nogil:
    """The request stays outstanding whatever a forger sends."""
    client.bad_authenticator += 1
    refuse(client, answer, reason)


cdef void match_answer(RadiusClient* client, Answer* answer) noexcept nogil:
    """RFC 5080 2.2.2: port, identifier and server must be those of a request; RFC 2865 3: well-formed, no longer than any
    packet may be, though it were padding, and a code that fits."""
    cdef Datagram* datagram = answer.datagram
    cdef uint32_t k
    cdef int status
    client.received += 1
    status = BAD_LENGTH
    if datagram.length <= LONGEST_PACKET:
        status = walk_packet(datagram.data, datagram.length, &NUMBERS, &answer.packet)
    if status != OK:
        client.malformed += 1
        refuse(client, answer, status)
        return
    for k in range(client.upstreams):
        if datagram.peer_address == client.upstream[k].address and datagram.peer_port == client.upstream[k].port:
            break
    else:
        if client.upstreams and code_fits(datagram.data[0], NO_TRANSACTION):
            note_stray(&client.stray, datagram, client.upstream[0].address, client.upstream[0].port)
        refuse_unmatched(client, answer)
        return
    answer.upstream = &client.upstream[k]
    answer.index = (k * client.ports + datagram.port - client.first_port) * <uint32_t> IDENTIFIERS + datagram.data[1]
    answer.transaction = transaction_at(client, answer.index)
    answer.is_late = False
    if answer.transaction.state == FREE or not code_fits(datagram.data[0], answer.transaction.owner):
        refuse_unmatched(client, answer)
    elif answer.packet.count[<int> PROXY_STATE]:                       # we never send one: CVE-2024-3596
        client.malformed += 1
        refuse(client, answer, UNASKED_PROXY_STATE)
    else:
        memcpy(answer.authenticator, datagram.data + 4, 16)
        queue_digest(client, answer, request_octets(client, answer.index) + 4)


cdef bint code_fits(uint8_t code, uint32_t owner) noexcept nogil:
    """radius.md 7. A Reject to a Status-Server is a sign of life like any other (RFC 5997 2)."""
    if owner == PROBE:
        return code in (ACCESS_ACCEPT, ACCESS_REJECT, ACCOUNTING_RESPONSE, PROTOCOL_ERROR)
    return code in (ACCESS_ACCEPT, ACCESS_REJECT, ACCESS_CHALLENGE, PROTOCOL_ERROR)


cdef void queue_digest(RadiusClient* client, Answer* answer, const uint8_t* request_authenticator) noexcept nogil:
    memcpy(answer.datagram.data + 4, request_authenticator, 16)
    queue_job(client.queue, DIGEST_MD5, answer.datagram.data, answer.packet.length, answer.upstream.secret,
              answer.upstream.secret_length, NULL, answer.digest)


cdef void check_response_authenticator(RadiusClient* client, Answer* answer) noexcept nogil:
    """RFC 2865 3. One that is wrong for this request may answer the identifier's last one."""
    cdef int at = answer.packet.offset[<int> MESSAGE_AUTHENTICATOR]
    cdef uint8_t* packet = answer.datagram.data
    if not same(answer.digest, answer.authenticator, 16):
        if answer.transaction.has_previous:
            answer.is_late = True
            queue_digest(client, answer, answer.transaction.previous)
        else:
            refuse_unproven(client, answer, BAD_RESPONSE_AUTHENTICATOR)
    elif not at:
        if is_required(answer):
            refuse_unproven(client, answer, NO_MESSAGE_AUTHENTICATOR)
    elif answer.packet.count[<int> MESSAGE_AUTHENTICATOR] != 1 or answer.packet.size[<int> MESSAGE_AUTHENTICATOR] != 16:
        refuse_unproven(client, answer, BAD_MESSAGE_AUTHENTICATOR)
    else:
        memcpy(answer.message_authenticator, packet + at, 16)
        memset(packet + at, 0, 16)
        queue_job(client.queue, DIGEST_HMAC_MD5, packet, answer.packet.length, NULL, 0, &answer.upstream.secret_key,
                  answer.digest)


cdef bint is_required(const Answer* answer) noexcept nogil:
    """radius.md 2.2. FreeRADIUS 3.2.1 sends none with a Status-Server's answer, even where it sends one with an Accept."""
    if answer.upstream.message_authenticator in (NOT_REQUIRED, REQUIRED):
        return answer.upstream.message_authenticator == REQUIRED
    return answer.upstream.one_was_seen and answer.transaction.owner != PROBE


cdef void check_message_authenticator(RadiusClient* client, Answer* answer) noexcept nogil:
    """RFC 3579 3.2, with the authenticator of the request in the header."""
    if answer.is_late:
        if same(answer.digest, answer.authenticator, 16):
            client.late += 1
            refuse(client, answer, LATE_REPLY)
        else:
            refuse_unproven(client, answer, BAD_RESPONSE_AUTHENTICATOR)
    elif answer.packet.offset[<int> MESSAGE_AUTHENTICATOR]:
        if not same(answer.digest, answer.message_authenticator, 16):
            refuse_unproven(client, answer, BAD_MESSAGE_AUTHENTICATOR)
        elif answer.transaction.owner != PROBE:
            answer.upstream.one_was_seen = True


cdef void accept_answer(RadiusClient* client, Answer* answer) noexcept nogil:
    """The first valid answer wins (RFC 5080 2.2.2); the owner goes on from here."""
    cdef int state = answer.transaction.state
    if state == ANSWERED:                                              # a replay is no sign of life
        client.duplicate += 1
        refuse(client, answer, UNMATCHED_REPLY)
        return
    if state == OUTSTANDING:
        close_transaction(client, answer.index, ANSWERED)
    elif state == MOVED:
        close_transaction(client, answer.transaction.successor, ANSWERED)
    answer.transaction.state = ANSWERED
    upstream_answered(client, answer.transaction.upstream, state == OUTSTANDING and answer.transaction.tries == 1)
    if state == TIMED_OUT:
        client.late += 1
        refuse(client, answer, LATE_REPLY)
    elif answer.transaction.owner == PROBE:
        answer.head.outcome = DONE
