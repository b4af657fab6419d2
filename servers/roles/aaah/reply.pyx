# The answer, signed twice and kept for duplicates.
from fastcodec.digest.jobs cimport DIGEST_HMAC_MD5, DIGEST_MD5, queue_job
from fastcodec.mip4 cimport ALGORITHM_HMAC_MD5, REPLAY_NONCES, REPLAY_TIMESTAMPS
from fastcodec.radius cimport (
    AAA_SPI, ACCESS_REJECT, ACCESS_REQUEST, ACCOUNTING_REQUEST, CLASS, COA_TYPE, DENIAL_CODE, FHA_IP_ADDRESS,
    FRAMED_IP_ADDRESS, FRAMED_POOL, HEADER, IPV6_HOME_ADDRESS, IPV6_HOME_AGENT, KEY_REQUEST, MESSAGE_AUTHENTICATOR, MN_FHA_ALGORITHM,
    MN_FHA_FHA_SPI, MN_FHA_KEY, MN_FHA_KEY_LIFETIME, MN_FHA_MN_SPI, MN_FHA_NONCE, MN_FHA_REPLAY_METHOD, NAS_IP_ADDRESS, NUMBERS,
    PROXY_STATE, REGISTRATION_LIFETIME, REQUESTER_NAS, SERVICE_TYPE, SESSION_TIMEOUT, STATE,
    next_occurrence, put_attribute, put_integer,
)
from fastcodec.wire cimport get64, put16, put64
from libc.stdint cimport uint16_t, uint32_t, uint8_t
from libc.string cimport memcpy, memset
from servers.engine.reasons cimport PROXY_STATE_LIMIT
from servers.engine.stages cimport DONE
from servers.net.node cimport draw
from servers.roles.aaah.policy cimport fha_of_class
from servers.roles.aaah.row cimport address_reply, give_up, integer, replies_of, value
from servers.roles.aaah.state cimport (
    Aaah, CO_LOCATED, FHA_ALLOCATES, LONGEST_REPLY, PolicyFha, Question, SERVICE_FRAMED, STAGE_SEND_REPLY, WANT_MN_FHA,
)
from servers.roles.aaah.waiting cimport close_waiting, leave, must_wait, open_waiting, park
from servers.tables.replies cimport replies_finish


cdef void write_reply(Aaah* aaah, Question* question) noexcept nogil:
    """Header with the request's authenticator, Message-Authenticator first (radius.md 2.2), attributes, Proxy-States."""
    cdef uint8_t* packet
    cdef uint8_t* at
    question.reply = open_waiting(aaah, question) if must_wait(aaah, question) else address_reply(aaah, question)
    if not question.reply:
        return
    packet = question.reply.data
    packet[0], packet[1] = question.code, question.packet.octets[1]
    memcpy(packet + 4, question.packet.octets + 4, 16)
    at = packet + HEADER
    if has_message_authenticator(question):
        at[0], at[1] = NUMBERS.number[<int> MESSAGE_AUTHENTICATOR], 18
        memset(at + 2, 0, 16)
        at += 18
    at = copy_proxy_states(question, write_attributes(aaah, question, at), packet + LONGEST_REPLY)
    if not at:
        if question.slot:
            close_waiting(aaah, question)
        else:
            aaah.out.count -= 1                         # it was the last one composed
        give_up(aaah, question, PROXY_STATE_LIMIT)
        return
    question.reply.length = <uint32_t> (at - packet)
    put16(packet + 2, <uint16_t> question.reply.length)
    if has_message_authenticator(question):
        queue_job(&aaah.queue, DIGEST_HMAC_MD5, packet, question.reply.length, NULL, 0, &question.client.secret_key,
                  question.digest)


cdef inline bint has_message_authenticator(const Question* question) noexcept nogil:
    """All replies but those to an Accounting-Request, RFC 3579 3.3."""
    return question.packet.octets[0] != ACCOUNTING_REQUEST


cdef uint8_t* write_attributes(Aaah* aaah, Question* question, uint8_t* at) noexcept nogil:
    """Answers to Status-Server and Accounting-Request have none. A NAS learns nothing of a refusal (RFC 2865 5.44); others
    learn what to tell the node, where it is configured so (radius.md 9.6)."""
    if question.packet.octets[0] != ACCESS_REQUEST:
        return at
    if question.code == ACCESS_REJECT:
        aaah.rejected += 1
        if question.denial and question.role != REQUESTER_NAS and question.client.denial_code:
            at = put_integer(at, &NUMBERS, DENIAL_CODE, question.denial)
        return at
    aaah.accepted += 1
    return write_access(aaah, question, at) if question.role == REQUESTER_NAS else write_registration(aaah, question, at)


cdef uint8_t* write_access(Aaah* aaah, Question* question, uint8_t* at) noexcept nogil:
    """radius.md 9.1: the care-of address in Framed-IP-Address, the FHAs in order of preference."""
    cdef int k
    at = put_integer(at, &NUMBERS, SERVICE_TYPE, SERVICE_FRAMED)
    at = put_attribute(at, &NUMBERS, FRAMED_IP_ADDRESS, &question.address, 4)
    at = put_integer(at, &NUMBERS, SESSION_TIMEOUT, aaah.session_timeout_s)
    at = put_attribute(at, &NUMBERS, STATE, draw(aaah.entropy, 8), 8)
    at = put_attribute(at, &NUMBERS, CLASS, &question.subscriber.hash, 8)
    at = put_integer(at, &NUMBERS, COA_TYPE, CO_LOCATED)
    for k in range(question.named_count):
        at = put_attribute(at, &NUMBERS, FHA_IP_ADDRESS, &question.named[k], 4)
    return at


cdef uint8_t* write_registration(Aaah* aaah, Question* question, uint8_t* at) noexcept nogil:
    """radius.md 9.2: home address, home agent, lifetimes and the new key, hidden; the FHA allocates the THOAv4."""
    cdef uint32_t row = <uint32_t> (question.subscriber - aaah.subscribers.rows)
    cdef uint32_t mn_spi = integer(question, MN_FHA_MN_SPI), fha_spi = integer(question, MN_FHA_FHA_SPI)
    cdef const PolicyFha* fha
    cdef uint8_t[16] home
    cdef uint8_t[34] key
    cdef int k
    memcpy(home, aaah.ipv6_home_prefix, 16)
    put64(home + 8, get64(home + 8) + 1 + row)
    at = put_integer(at, &NUMBERS, SERVICE_TYPE, SERVICE_FRAMED)
    at = put_integer(at, &NUMBERS, FRAMED_IP_ADDRESS, FHA_ALLOCATES)
    at = put_integer(at, &NUMBERS, SESSION_TIMEOUT, aaah.session_timeout_s)
    at = put_attribute(at, &NUMBERS, CLASS, &question.subscriber.hash, 8)
    at = put_attribute(at, &NUMBERS, IPV6_HOME_ADDRESS, home, 16)
    at = put_attribute(at, &NUMBERS, IPV6_HOME_AGENT, aaah.home_agent, 16)
    at = put_integer(at, &NUMBERS, REGISTRATION_LIFETIME, aaah.registration_lifetime_s)
    fha = fha_of_class(aaah, value(question, NAS_IP_ADDRESS), question.subscriber.subscription)
    if fha and fha.pool_length:                        # the FHA must not learn the class, only what follows from it
        at = put_attribute(at, &NUMBERS, FRAMED_POOL, fha.pool, fha.pool_length)
    if not integer(question, KEY_REQUEST) & WANT_MN_FHA:
        return at
    memcpy(key, question.salt, 2)
    memcpy(key + 2, question.hidden, 32)
    for k in range(16):
        key[18 + k] ^= question.pad[k]
    at = put_integer(at, &NUMBERS, AAA_SPI, question.subscriber.spi)
    at = put_integer(at, &NUMBERS, MN_FHA_MN_SPI, mn_spi)
    at = put_integer(at, &NUMBERS, MN_FHA_FHA_SPI, fha_spi)
    at = put_attribute(at, &NUMBERS, MN_FHA_NONCE, question.nonce, 16)
    at = put_attribute(at, &NUMBERS, MN_FHA_KEY, key, 34)
    at = put_integer(at, &NUMBERS, MN_FHA_ALGORITHM, ALGORITHM_HMAC_MD5)
    at = put_integer(at, &NUMBERS, MN_FHA_REPLAY_METHOD, replay_method(aaah, question))
    return put_integer(at, &NUMBERS, MN_FHA_KEY_LIFETIME, aaah.key_lifetime_s)


cdef uint32_t replay_method(const Aaah* aaah, const Question* question) noexcept nogil:
    """RFC 3957 4. Nonces for who wishes so; else timestamps, which every agent knows (RFC 5944 5.7). What is not offered
    becomes the other one."""
    cdef bint nonces = integer(question, MN_FHA_REPLAY_METHOD) == REPLAY_NONCES
    return REPLAY_NONCES if aaah.offers_nonces and (nonces or not aaah.offers_timestamps) else REPLAY_TIMESTAMPS


cdef uint8_t* copy_proxy_states(Question* question, uint8_t* at, const uint8_t* end) noexcept nogil:
    """All of them, in order, unmodified, RFC 2865 5.33. NULL: they do not fit the reply."""
    cdef int place = question.packet.offset[<int> PROXY_STATE]
    cdef int size
    while place and at:
        size = question.packet.octets[place - 1]
        if end - at < size:
            return NULL
        memcpy(at, question.packet.octets + place - 2, size)
        at += size
        place = next_occurrence(&question.packet, &NUMBERS, PROXY_STATE, place)
    return at


cdef void sign_reply(Aaah* aaah, Question* question) noexcept nogil:
    """Response Authenticator = MD5(packet with the request's authenticator, secret), RFC 2865 3."""
    if has_message_authenticator(question):
        memcpy(question.reply.data + HEADER + 2, question.digest, 16)
    queue_job(&aaah.queue, DIGEST_MD5, question.reply.data, question.reply.length, question.client.secret,
              question.client.secret_length, NULL, question.digest)


cdef void send_reply(Aaah* aaah, Question* question) noexcept nogil:
    """A reply that does not wait lies in the outbox already. From here on duplicates get the same octets."""
    if question.head.stage != STAGE_SEND_REPLY:         # it has not waited
        memcpy(question.reply.data + 4, question.digest, 16)
        if question.slot:
            park(aaah, question)
            return
    elif not leave(aaah, question):
        return
    replies_finish(replies_of(aaah, question), question.entry, question.reply.data, question.reply.length)
    question.head.outcome = DONE
    if question.slot:
        close_waiting(aaah, question)
