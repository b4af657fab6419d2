# An Access-Request arrives: client, shape, Message-Authenticator, duplicates.
from fastcodec.digest.jobs cimport DIGEST_HMAC_MD5, queue_job
from fastcodec.radius cimport ACCESS_REQUEST, MESSAGE_AUTHENTICATOR, NUMBERS, PROXY_STATE, USER_NAME, walk_packet
from fastcodec.status cimport OK
from fastcodec.wire cimport get32, hash_octets, same
from libc.stdint cimport uint32_t, uint8_t
from libc.string cimport memcpy, memset
from servers.engine.counters cimport count_event
from servers.engine.reasons cimport (
    BAD_MESSAGE_AUTHENTICATOR, BAD_SOURCE, DUPLICATE_ANSWERED, DUPLICATE_PENDING, DUPLICATE_RENEWED,
    NO_MESSAGE_AUTHENTICATOR, PROXY_STATE_LIMIT, TABLE_FULL, UNKNOWN_CLIENT, UNKNOWN_CODE,
)
from servers.engine.stages cimport DONE
from servers.net.node cimport Datagram
from servers.roles.aaah.row cimport address_reply, drop, value
from servers.roles.aaah.state cimport Aaah, Client, MOST_PROXY_STATES, Question
from servers.tables.hash cimport table_prefetch
from servers.tables.replies cimport Seen, replies_begin, replies_find, replies_prefetch


cdef Client* client_of(Aaah* aaah, uint32_t address) noexcept nogil:
    """The longest network that holds the address, RFC 2865 3: never by a port, never by an attribute."""
    cdef Client* best = NULL
    cdef uint32_t k
    for k in range(aaah.client_count):
        if (address & aaah.clients[k].mask) == aaah.clients[k].network and (
                not best or get32(&aaah.clients[k].mask) > get32(&best.mask)):
            best = &aaah.clients[k]
    return best


cdef void read_request(Aaah* aaah, Question* question) noexcept nogil:
    cdef Datagram* datagram = question.datagram
    cdef int status, at
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
    if datagram.data[0] != ACCESS_REQUEST:
        drop(aaah, question, UNKNOWN_CODE)
        return
    at = question.packet.offset[<int> MESSAGE_AUTHENTICATOR]
    if not at:                                          # BlastRADIUS, and RFC 5080 2.2.2
        drop(aaah, question, NO_MESSAGE_AUTHENTICATOR)
        return
    if question.packet.count[<int> MESSAGE_AUTHENTICATOR] != 1 or question.packet.size[<int> MESSAGE_AUTHENTICATOR] != 16:
        drop(aaah, question, BAD_MESSAGE_AUTHENTICATOR)
        return
    if question.packet.count[<int> PROXY_STATE] > MOST_PROXY_STATES:
        drop(aaah, question, PROXY_STATE_LIMIT)
        return
    memcpy(question.message_authenticator, datagram.data + at, 16)
    memset(datagram.data + at, 0, 16)
    queue_job(&aaah.queue, DIGEST_HMAC_MD5, datagram.data, question.packet.length, NULL, 0, &question.client.secret_key,
              question.digest)
    replies_prefetch(aaah.replies, datagram.peer_address, datagram.peer_port, datagram.data[1])
    if question.packet.size[<int> USER_NAME]:
        question.nai_hash = hash_octets(value(question, USER_NAME), question.packet.size[<int> USER_NAME])
        table_prefetch(&aaah.subscribers.table, question.nai_hash)


cdef void check_message_authenticator(Aaah* aaah, Question* question) noexcept nogil:
    """RFC 3579 3.2."""
    if not same(question.digest, question.message_authenticator, 16):
        drop(aaah, question, BAD_MESSAGE_AUTHENTICATOR)


cdef void answer_duplicate(Aaah* aaah, Question* question) noexcept nogil:
    """RFC 5080 2.2.2. After the check, so that a forger cannot purge the entry of a request that is being worked on."""
    cdef Datagram* datagram = question.datagram
    cdef Datagram* again
    cdef uint32_t length = 0
    cdef const uint8_t* stored = NULL
    cdef int seen = replies_find(aaah.replies, datagram.peer_address, datagram.peer_port, datagram.data[1],
                                 datagram.data + 4, aaah.now.monotonic, &stored, &length)
    if seen == Seen.PENDING:
        drop(aaah, question, DUPLICATE_PENDING)
        return
    if seen == Seen.DONE:
        count_event(&aaah.counters, DUPLICATE_ANSWERED)
        again = address_reply(aaah, question)
        if again:
            memcpy(again.data, stored, length)
            again.length = length
            question.head.outcome = DONE
        return
    if seen == Seen.CHANGED:
        count_event(&aaah.counters, DUPLICATE_RENEWED)
    question.entry = replies_begin(aaah.replies, datagram.peer_address, datagram.peer_port, datagram.data[1],
                                   datagram.data + 4, aaah.now.monotonic)
    if not question.entry:
        drop(aaah, question, TABLE_FULL)
