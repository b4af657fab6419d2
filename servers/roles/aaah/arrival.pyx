# A request arrives: client, shape, authenticator, watchdog, duplicates.
from fastcodec.digest.jobs cimport DIGEST_HMAC_MD5, DIGEST_MD5, queue_job
from fastcodec.radius cimport (
    ACCESS_ACCEPT, ACCESS_REQUEST, ACCOUNTING_REQUEST, ACCOUNTING_RESPONSE, CHAP_PASSWORD, EAP_MESSAGE,
    MESSAGE_AUTHENTICATOR, NUMBERS, PROXY_STATE, REQUESTER_NAS, REQUESTER_ROLE, STATUS_SERVER, USER_NAME, USER_PASSWORD,
    walk_packet,
)
from fastcodec.status cimport OK
from fastcodec.wire cimport get32, mix_octets, same
from libc.stdint cimport uint32_t, uint8_t
from libc.string cimport memcpy, memset
from servers.engine.counters cimport count_event
from servers.engine.reasons cimport (
    BAD_MESSAGE_AUTHENTICATOR, BAD_REQUEST_AUTHENTICATOR, BAD_SOURCE, DUPLICATE_ANSWERED, DUPLICATE_PENDING,
    DUPLICATE_RENEWED, NO_MESSAGE_AUTHENTICATOR, PROXY_STATE_LIMIT, REPLY_LIMIT, TABLE_FULL, UNKNOWN_CLIENT,
    UNKNOWN_CODE, UNSIGNED_SERVED,
)
from servers.engine.stages cimport DONE
from servers.net.node cimport Datagram
from servers.roles.aaah.accounting cimport record_accounting
from servers.roles.aaah.row cimport address_reply, drop, integer, replies_of, value
from servers.roles.aaah.state cimport (
    Aaah, Client, MOST_PROXY_STATES, PORT_ACCESS, Question, SIGNING_AUTO, SIGNING_YES, STAGE_WRITE_REPLY,
)
from servers.tables.budget cimport budget_allows
from servers.tables.hash cimport hash_word
from servers.tables.replies cimport Seen, replies_begin, replies_find, replies_prefetch
from servers.tables.subscribers cimport prefetch_row, prefetch_slot, prefetch_text


cdef Client* client_of(Aaah* aaah, uint32_t address) noexcept nogil:
    """The longest network that holds the address, RFC 2865 3: never by a port, never by an attribute."""
    cdef Client* best = NULL
    cdef uint32_t k
    for k in range(aaah.client_count):
        if (address & aaah.clients[k].mask) == aaah.clients[k].network and (
                not best or get32(&aaah.clients[k].mask) > get32(&best.mask)):
            best = &aaah.clients[k]
    return best


cdef inline bint is_served(const Datagram* datagram) noexcept nogil:
    """Each port has its requests; Status-Server comes to both, RFC 5997 3."""
    return datagram.data[0] == STATUS_SERVER or datagram.data[0] == (
        ACCESS_REQUEST if datagram.port == PORT_ACCESS else ACCOUNTING_REQUEST)


cdef void read_request(Aaah* aaah, Question* question) noexcept nogil:
    cdef Datagram* datagram = question.datagram
    cdef int status
    question.client = client_of(aaah, datagram.peer_address)
    if not question.client:
        drop(aaah, question, UNKNOWN_CLIENT)
        return
    if not datagram.peer_port:
        drop(aaah, question, BAD_SOURCE)
        return
    status = walk_packet(datagram.data, datagram.length, &NUMBERS, &question.packet)
    if status != OK:
        drop(aaah, question, status)
        return
    if not is_served(datagram):
        drop(aaah, question, UNKNOWN_CODE)
        return
    if question.packet.count[<int> PROXY_STATE] > MOST_PROXY_STATES:
        drop(aaah, question, PROXY_STATE_LIMIT)
        return
    if datagram.data[0] == ACCOUNTING_REQUEST:
        queue_request_authenticator(aaah, question)
    elif question.packet.count[<int> MESSAGE_AUTHENTICATOR]:
        queue_message_authenticator(aaah, question)
    elif not may_be_unsigned(question):
        drop(aaah, question, NO_MESSAGE_AUTHENTICATOR)
        return
    replies_prefetch(replies_of(aaah, question), datagram.peer_address, datagram.peer_port, datagram.data[1])
    if question.packet.size[<int> USER_NAME]:
        question.nai_hash = mix_octets(value(question, USER_NAME), question.packet.size[<int> USER_NAME])
        prefetch_slot(aaah.subscribers, question.nai_hash)


cdef bint may_be_unsigned(Question* question) noexcept nogil:
    """CVE-2024-3596. Whatever a client's configuration says: not with Proxy-State, where the collision would hide, not
    with EAP (RFC 3579 3.1), not without a credential (RFC 3579 3.3 note 1), no question of step 5, whose answer holds a
    key, and no Status-Server (RFC 5997 3)."""
    cdef const uint8_t* count = question.packet.count
    return (question.client.signing != SIGNING_YES and question.packet.octets[0] == ACCESS_REQUEST
            and not count[<int> PROXY_STATE] and not count[<int> EAP_MESSAGE]
            and (not count[<int> REQUESTER_ROLE] or integer(question, REQUESTER_ROLE) == REQUESTER_NAS)
            and (count[<int> USER_PASSWORD] or count[<int> CHAP_PASSWORD]))


cdef void queue_message_authenticator(Aaah* aaah, Question* question) noexcept nogil:
    """RFC 3579 3.2: HMAC-MD5 over the packet with the attribute's value zero."""
    cdef uint8_t* data = question.datagram.data
    cdef int at = question.packet.offset[<int> MESSAGE_AUTHENTICATOR]
    if question.packet.count[<int> MESSAGE_AUTHENTICATOR] != 1 or question.packet.size[<int> MESSAGE_AUTHENTICATOR] != 16:
        drop(aaah, question, BAD_MESSAGE_AUTHENTICATOR)
        return
    question.is_signed = True
    memcpy(question.message_authenticator, data + at, 16)
    memset(data + at, 0, 16)
    queue_job(&aaah.queue, DIGEST_HMAC_MD5, data, question.packet.length, NULL, 0, &question.client.secret_key,
              question.digest)


cdef void queue_request_authenticator(Aaah* aaah, Question* question) noexcept nogil:
    """RFC 2866 3: MD5 over the packet with a zero authenticator, and the secret. It covers all, so a
    Message-Authenticator, which must not be there (RFC 3579 3.3), is not looked at."""
    cdef uint8_t* data = question.datagram.data
    memcpy(question.message_authenticator, data + 4, 16)
    memset(data + 4, 0, 16)
    queue_job(&aaah.queue, DIGEST_MD5, data, question.packet.length, question.client.secret,
              question.client.secret_length, NULL, question.digest)


cdef void check_authenticator(Aaah* aaah, Question* question) noexcept nogil:
    """Nothing a stranger sends gets past here, but for clients that are configured to send unsigned."""
    if question.is_signed:
        if not same(question.digest, question.message_authenticator, 16):
            drop(aaah, question, BAD_MESSAGE_AUTHENTICATOR)
        elif question.client.signing == SIGNING_AUTO:
            question.client.signing = SIGNING_YES                    # once seen, required for ever
    elif question.packet.octets[0] == ACCOUNTING_REQUEST:
        if not same(question.digest, question.message_authenticator, 16):
            drop(aaah, question, BAD_REQUEST_AUTHENTICATOR)
        memcpy(question.datagram.data + 4, question.message_authenticator, 16)
    elif question.client.signing == SIGNING_YES:                       # since a request of this very batch
        drop(aaah, question, NO_MESSAGE_AUTHENTICATOR)
    else:
        question.client.unsigned += 1
        count_event(&aaah.counters, UNSIGNED_SERVED)
    prefetch_row(aaah.subscribers, question.nai_hash)


cdef void take_up(Aaah* aaah, Question* question) noexcept nogil:
    """Status-Server and duplicates are answered here, accounting is recorded, an Access-Request goes on."""
    if question.packet.octets[0] == STATUS_SERVER:
        answer_watchdog(aaah, question)
    elif is_new(aaah, question):
        if question.packet.octets[0] == ACCOUNTING_REQUEST:
            record_accounting(aaah, question)
        else:
            prefetch_text(aaah.subscribers, question.nai_hash)


cdef void answer_watchdog(Aaah* aaah, Question* question) noexcept nogil:
    """RFC 5997 3: past the duplicate cache, at most ten times a second and peer."""
    if not budget_allows(&aaah.watchdogs, hash_word(question.datagram.peer_address, aaah.seed), aaah.now.monotonic):
        drop(aaah, question, REPLY_LIMIT)
        return
    question.code = ACCESS_ACCEPT if question.datagram.port == PORT_ACCESS else ACCOUNTING_RESPONSE
    question.head.stage = STAGE_WRITE_REPLY


cdef bint is_new(Aaah* aaah, Question* question) noexcept nogil:
    """RFC 5080 2.2.2: a duplicate gets the same octets again, or none yet. After the check of its authenticator, so that a
    forger cannot purge the entry of a request that is being worked on."""
    cdef Datagram* datagram = question.datagram
    cdef Datagram* again
    cdef uint32_t length = 0
    cdef const uint8_t* stored = NULL
    cdef int seen = replies_find(replies_of(aaah, question), datagram.peer_address, datagram.peer_port, datagram.data[1],
                                 datagram.data + 4, aaah.now.monotonic, &stored, &length)
    if seen == Seen.PENDING:
        drop(aaah, question, DUPLICATE_PENDING)
        return False
    if seen == Seen.DONE:
        count_event(&aaah.counters, DUPLICATE_ANSWERED)
        again = address_reply(aaah, question)
        if again:
            memcpy(again.data, stored, length)
            again.length = length
            question.head.outcome = DONE
        return False
    if seen == Seen.CHANGED:
        count_event(&aaah.counters, DUPLICATE_RENEWED)
    question.entry = replies_begin(replies_of(aaah, question), datagram.peer_address, datagram.peer_port,
                                   datagram.data[1], datagram.data + 4, aaah.now.monotonic)
    if not question.entry:
        drop(aaah, question, TABLE_FULL)
    return question.entry != 0
