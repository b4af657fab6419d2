# The AAA server of the home operator as a list of stages over a batch of Access-Requests.
#
#   read_request            RFC 2865 3, RFC 3579 3.2   shape, client by source, Message-Authenticator present
#   check_message_authenticator                        nothing a stranger sends gets past here
#   answer_duplicate        RFC 5080 2.2.2             the same request again: the same octets again
#   find_subscriber                                    and what the request wants to prove with
#   prepare_proof, derive   RFC 4721 6, RFC 3957 5     CHAP of step 2; MN-AAA and the new key of step 5
#   decide                                             the rules of steps 2 and 5, first failure answers
#   write_reply, sign_reply, finish_reply
#
# No row of this role waits: its answer leaves with the batch that asked.
from fastcodec.digest.jobs cimport (
    DIGEST_HMAC_MD5, DIGEST_HMAC_SHA1, DIGEST_KEY_MD5, DIGEST_KEY_SHA1, DIGEST_MD5, queue_job, run_queue,
)
from fastcodec.mip4 cimport (
    ADMINISTRATIVELY_PROHIBITED, ALGORITHM_HMAC_MD5, BAD_AAA_AUTHENTICATION, EXT_GENERALIZED, EXT_NAI,
    FAILED_AUTHENTICATION, IDENTIFICATION_MISMATCH, POORLY_FORMED_REQUEST, REGISTRATION_REQUEST, REPLAY_TIMESTAMPS,
    RegistrationRequest, SUBTYPE_MN_AAA, UNKNOWN_HOME_AGENT, walk_message,
)
from servers.tables.replies cimport ReplyCache
from fastcodec.radius cimport (
    AAA_SPI, ACCESS_ACCEPT, ACCESS_REJECT, ACCESS_REQUEST, CARE_OF_ADDRESS, CHAP_CHALLENGE, CHAP_PASSWORD, CLASS, COA_TYPE,
    DENIAL_CODE, FHA_IP_ADDRESS, FRAMED_IP_ADDRESS, HEADER, IPV6_HOME_ADDRESS, IPV6_HOME_AGENT, KEY_REQUEST,
    MESSAGE_AUTHENTICATOR, MN_AAA_AUTHENTICATOR, MN_AAA_DATA, MN_AAA_SPI, MN_FHA_ALGORITHM, MN_FHA_FHA_SPI, MN_FHA_KEY,
    MN_FHA_KEY_LIFETIME, MN_FHA_MN_SPI, MN_FHA_NONCE, MN_FHA_REPLAY_METHOD, NAS_IDENTIFIER, NAS_IP_ADDRESS, NUMBERS,
    PROXY_STATE, REGISTRATION_LIFETIME, REQUESTER_FHA, REQUESTER_NAS, REQUESTER_ROLE, SERVICE_TYPE, SESSION_TIMEOUT, STATE,
    USER_NAME, USER_PASSWORD, next_occurrence, put_attribute, put_integer, walk_packet,
)
from fastcodec.status cimport OK
from fastcodec.wire cimport Piece, get16, get32, get64, hash_octets, put16, put32, put64, same
from libc.stdint cimport uint8_t, uint16_t, uint32_t, uint64_t
from libc.stdlib cimport calloc, free
from libc.string cimport memcmp, memcpy, memset
from servers.engine.counters cimport count_event, count_offence, counts_of, offender_of
from servers.engine.ntp cimport is_newer, is_within, ntp_of
from servers.engine.reasons cimport (
    BAD_CREDENTIAL, BAD_MESSAGE_AUTHENTICATOR, BAD_SOURCE, DUPLICATE_ANSWERED, DUPLICATE_PENDING, DUPLICATE_RENEWED,
    FHA_NOT_ASSIGNED, FHA_UNBOUND, IDENTIFICATION_REFUSED, NO_CREDENTIAL, NO_MESSAGE_AUTHENTICATOR, NO_NAI, OUTBOX_FULL,
    PROOF_MISMATCH, PROXY_STATE_LIMIT, TABLE_FULL, TWO_CREDENTIALS, UNKNOWN_CLIENT, UNKNOWN_CODE, UNKNOWN_SUBSCRIBER, WRONG_ROLE,
)
from servers.engine.stages cimport GOOD, DONE, DROPPED, Stage, queue_close, queue_open, run_stages
from servers.net.node cimport ROOM, compose, draw
from servers.tables.hash cimport table_prefetch
from servers.tables.replies cimport Seen, replies_begin, replies_cancel, replies_find, replies_finish, replies_prefetch
from servers.tables.subscribers cimport find_subscriber, key_of, nai_of, secret_of

cdef enum:
    MOST_PROXY_STATES = 10
    SERVICE_FRAMED = 2               # RFC 2865 5.6
    CO_LOCATED = 1                   # value of Mipstorm-CoA-Type
    WANT_MN_FHA = 1                  # bit of Mipstorm-Key-Request
    FHA_ALLOCATES = 0xfffffffe       # RFC 2865 5.8: the NAS (here the FHA) selects the address
    PROOF_LONGEST = 1235             # five pieces of 247
    SCRATCH = 1536                   # octets a row may use of the batch's scratch space
    SECOND = 1000000000
    NEWLINE = 10
    STAR = 42
    QUESTION_MARK = 63


# ---- ends of a row ---------------------------------------------------------------------------------------------------

cdef void drop(Aaah* aaah, Question* question, int reason) noexcept nogil:
    question.head.outcome = DROPPED
    count_offence(&aaah.counters, reason, question.datagram)


cdef void reject(Aaah* aaah, Question* question, int reason, int denial) noexcept nogil:
    """Answers with a Reject; `denial` is the Registration Reply code the FHA should use, RFC 5944 3.4."""
    if question.code != ACCESS_REJECT:
        count_offence(&aaah.counters, reason, question.datagram)
    question.code, question.denial = ACCESS_REJECT, <uint8_t> denial


cdef inline uint32_t integer(const Question* question, int slot) noexcept nogil:
    return get32(question.packet.octets + question.packet.offset[slot]) if question.packet.size[slot] == 4 else 0


cdef inline const uint8_t* value(const Question* question, int slot) noexcept nogil:
    return question.packet.octets + question.packet.offset[slot]


# ---- the stages, in order --------------------------------------------------------------------------------------------

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


cdef void find_who_asks(Aaah* aaah, Question* question) noexcept nogil:
    """The subscriber, and which of the two questions this is: Mipstorm-Requester-Role, radius.md 9; absent means NAS."""
    question.code = 0
    question.role = <uint8_t> min(integer(question, REQUESTER_ROLE) if question.packet.count[<int> REQUESTER_ROLE]
                                  else <uint32_t> REQUESTER_NAS, <uint32_t> 255)
    if question.role not in (REQUESTER_NAS, REQUESTER_FHA) or not question.client.roles >> question.role & 1:
        reject(aaah, question, WRONG_ROLE, FAILED_AUTHENTICATION)
        return
    if not question.packet.size[<int> USER_NAME]:
        reject(aaah, question, NO_NAI, FAILED_AUTHENTICATION)
        return
    question.subscriber = find_subscriber(aaah.subscribers, value(question, USER_NAME),
                                          question.packet.size[<int> USER_NAME], question.nai_hash)
    if not question.subscriber:
        reject(aaah, question, UNKNOWN_SUBSCRIBER, FAILED_AUTHENTICATION)
        return
    if question.role == REQUESTER_NAS:
        queue_chap(aaah, question)
    else:
        queue_keys(aaah, question)


cdef void queue_chap(Aaah* aaah, Question* question) noexcept nogil:
    """RFC 2865 2.2: MD5(ident, secret, challenge); the challenge is attribute 60 or else the Request Authenticator."""
    cdef const uint8_t* chap = value(question, CHAP_PASSWORD)
    cdef const uint8_t* challenge = question.packet.octets + 4
    cdef uint32_t length = 16, secret_length = question.subscriber.secret_length
    cdef uint8_t* scratch
    if question.packet.count[<int> USER_PASSWORD]:
        reject(aaah, question, TWO_CREDENTIALS if question.packet.count[<int> CHAP_PASSWORD] else NO_CREDENTIAL, 0)
        return
    if question.packet.count[<int> CHAP_PASSWORD] != 1:
        reject(aaah, question, TWO_CREDENTIALS if question.packet.count[<int> CHAP_PASSWORD] else NO_CREDENTIAL, 0)
        return
    if question.packet.size[<int> CHAP_PASSWORD] != 17:
        reject(aaah, question, BAD_CREDENTIAL, 0)
        return
    if question.packet.count[<int> CHAP_CHALLENGE]:
        challenge, length = value(question, CHAP_CHALLENGE), question.packet.size[<int> CHAP_CHALLENGE]
    scratch = aaah.scratch + aaah.scratch_used
    aaah.scratch_used += 1 + secret_length
    scratch[0] = chap[0]
    memcpy(scratch + 1, secret_of(aaah.subscribers, question.subscriber), secret_length)
    queue_job(&aaah.queue, DIGEST_MD5, scratch, 1 + secret_length, challenge, length, NULL, question.digest)


cdef void queue_keys(Aaah* aaah, Question* question) noexcept nogil:
    """Prepares the MN-AAA key for the proof (RFC 4721 6) and for the derivation (RFC 3957 5), and the first pad that
    hides the new key, MD5(secret, Request Authenticator, salt), RFC 2868 3.5."""
    cdef const uint8_t* key = key_of(aaah.subscribers, question.subscriber)
    cdef const uint8_t* random
    if not collect_proof(aaah, question):
        reject(aaah, question, NO_CREDENTIAL, BAD_AAA_AUTHENTICATION if question.packet.count[<int> MN_AAA_AUTHENTICATOR]
               else FAILED_AUTHENTICATION)
        return
    queue_job(&aaah.queue, DIGEST_KEY_MD5, key, question.subscriber.key_length, NULL, 0, NULL, &question.md5_key)
    queue_job(&aaah.queue, DIGEST_KEY_SHA1, key, question.subscriber.key_length, NULL, 0, NULL, &question.sha1_key)
    random = draw(aaah.entropy, 18)
    memcpy(question.nonce, random, 16)
    question.salt[0], question.salt[1] = random[16] | 0x80, random[17]
    memcpy(question.hidden, question.packet.octets + 4, 16)
    memcpy(question.hidden + 16, question.salt, 2)
    queue_job(&aaah.queue, DIGEST_MD5, question.client.secret, question.client.secret_length, question.hidden, 18, NULL,
              question.pad)


cdef bint collect_proof(Aaah* aaah, Question* question) noexcept nogil:
    """C in one piece: in place when it came in one, else joined in the batch's scratch space."""
    cdef int at = question.packet.offset[<int> MN_AAA_DATA]
    cdef uint8_t* joined = aaah.scratch + aaah.scratch_used
    question.covered, question.covered_length = question.packet.octets + at, question.packet.size[<int> MN_AAA_DATA]
    if (not at or question.packet.count[<int> MN_AAA_SPI] != 1 or question.packet.size[<int> MN_AAA_AUTHENTICATOR] != 16):
        return False
    if question.packet.count[<int> MN_AAA_DATA] == 1:
        return True
    question.covered, question.covered_length = joined, 0
    while at:
        if question.covered_length + question.packet.octets[at - 1] - 2 > PROOF_LONGEST:
            return False
        memcpy(joined + question.covered_length, question.packet.octets + at, question.packet.octets[at - 1] - 2)
        question.covered_length += question.packet.octets[at - 1] - 2
        at = next_occurrence(&question.packet, &NUMBERS, MN_AAA_DATA, at)
    aaah.scratch_used += question.covered_length
    return True


cdef void derive(Aaah* aaah, Question* question) noexcept nogil:
    """Step 5 only: the proof's digest, and key = HMAC-SHA1(MN-AAA key, nonce, NAI), RFC 3957 5."""
    if question.code == ACCESS_REJECT or question.role != REQUESTER_FHA:
        return
    queue_job(&aaah.queue, DIGEST_HMAC_MD5, question.covered, question.covered_length, NULL, 0, &question.md5_key,
              question.digest)
    queue_job(&aaah.queue, DIGEST_HMAC_SHA1, question.nonce, 16, value(question, USER_NAME),
              question.packet.size[<int> USER_NAME], &question.sha1_key, question.derived)


cdef void decide(Aaah* aaah, Question* question) noexcept nogil:
    if question.code == ACCESS_REJECT:
        return
    if question.role == REQUESTER_NAS:
        decide_access(aaah, question)
    else:
        decide_registration(aaah, question)
    if question.code == ACCESS_ACCEPT and question.role == REQUESTER_FHA:
        hide_first_half(aaah, question)


cdef void decide_access(Aaah* aaah, Question* question) noexcept nogil:
    """Step 2: the credential, then care-of address and FHAs; what was named is remembered for step 5."""
    cdef uint32_t row = <uint32_t> (question.subscriber - aaah.subscribers.rows)
    if not same(question.digest, value(question, CHAP_PASSWORD) + 1, 16):
        reject(aaah, question, BAD_CREDENTIAL, 0)
        return
    question.fhas = eligible_fhas(aaah, question)
    if not question.fhas or row + 1 >= aaah.care_of_size:
        reject(aaah, question, FHA_NOT_ASSIGNED, 0)
        return
    put32(&question.address, get32(&aaah.care_of_network) + 1 + row)
    question.subscriber.assigned = question.fhas
    question.subscriber.assigned_until = aaah.now.monotonic + <uint64_t> aaah.session_timeout_s * SECOND
    question.code = ACCESS_ACCEPT


cdef uint32_t eligible_fhas(Aaah* aaah, Question* question) noexcept nogil:
    """Bit mask of the FHAs that the policy names for this subscription and location (NAS-Identifier)."""
    cdef uint32_t k, mask = 0
    cdef PolicyFha* fha
    for k in range(aaah.fha_count):
        fha = &aaah.fhas[k]
        if (fha.weight and fha.classes >> question.subscriber.subscription & 1
                and matches_any(fha.nas, fha.nas_length, value(question, NAS_IDENTIFIER),
                                question.packet.size[<int> NAS_IDENTIFIER])):
            mask |= <uint32_t> 1 << k
    return mask


cdef bint matches_any(const uint8_t* patterns, int length, const uint8_t* text, int n) noexcept nogil:
    """One of the patterns, a line each; none at all matches everything."""
    cdef int start = 0, end
    if not length:
        return True
    while start < length:
        end = start
        while end < length and patterns[end] != NEWLINE:
            end += 1
        if matches(patterns + start, end - start, text, n):
            return True
        start = end + 1
    return False


cdef bint matches(const uint8_t* pattern, int length, const uint8_t* text, int n) noexcept nogil:
    """`*` stands for any octets, `?` for one. Linear: only the last star is ever taken up again."""
    cdef int p = 0, t = 0, star = -1, retry = 0
    while t < n:
        if p < length and pattern[p] == STAR:
            star, retry = p, t
            p += 1
        elif p < length and (pattern[p] == text[t] or pattern[p] == QUESTION_MARK):
            p += 1
            t += 1
        elif star >= 0:
            retry += 1
            p, t = star + 1, retry
        else:
            return False
    while p < length and pattern[p] == STAR:
        p += 1
    return p == length


cdef void decide_registration(Aaah* aaah, Question* question) noexcept nogil:
    """Step 5, radius.md 9.2, in its order: what C says, its authenticator, which FHA asks, Identification."""
    cdef Subscriber* subscriber = question.subscriber
    cdef const RegistrationRequest* rrq = <const RegistrationRequest*> question.covered
    cdef uint64_t identification, covered_hash
    cdef int fault
    fault = proof_fault(question)
    if fault:
        reject(aaah, question, PROOF_MISMATCH, fault)
        return
    if integer(question, MN_AAA_SPI) != subscriber.spi or not same(question.digest, value(question, MN_AAA_AUTHENTICATOR), 16):
        reject(aaah, question, BAD_CREDENTIAL, BAD_AAA_AUTHENTICATION)
        return
    if not may_ask(aaah, question):
        reject(aaah, question, FHA_NOT_ASSIGNED, ADMINISTRATIVELY_PROHIBITED)
        return
    identification = get64(&rrq.identification)
    if is_within(identification, ntp_of(aaah.now.wall), aaah.identification_window_s):
        covered_hash = hash_octets(question.covered, question.covered_length)
        if subscriber.identification and not is_newer(identification, subscriber.identification) and not (
                identification == subscriber.identification and covered_hash == subscriber.covered_hash):
            reject(aaah, question, IDENTIFICATION_REFUSED, IDENTIFICATION_MISMATCH)
            return
        subscriber.identification, subscriber.covered_hash = identification, covered_hash
    question.code = ACCESS_ACCEPT      # outside the window too: the FHA then answers 133 under the new key (ruling 3)


cdef int proof_fault(Question* question) noexcept nogil:
    """0 when C begins as a Registration Request, ends with the header of 36/1 and its SPI, and names the same node,
    care-of address and home agent as the attributes do (or no home agent yet: the FHA then names itself, signed); else
    the code that says what differs."""
    cdef const uint8_t* c = question.covered
    cdef uint32_t n = question.covered_length
    cdef const RegistrationRequest* rrq = <const RegistrationRequest*> c
    if n < sizeof(RegistrationRequest) + 8 or c[0] != REGISTRATION_REQUEST:
        return FAILED_AUTHENTICATION
    if (c[n - 8] != EXT_GENERALIZED or c[n - 7] != SUBTYPE_MN_AAA or get16(c + n - 6) != 20
            or get32(c + n - 4) != integer(question, MN_AAA_SPI)):
        return FAILED_AUTHENTICATION
    if not names_node(question):
        return FAILED_AUTHENTICATION
    if question.packet.size[<int> CARE_OF_ADDRESS] != 4 or memcmp(&rrq.care_of_address, value(question, CARE_OF_ADDRESS), 4):
        return POORLY_FORMED_REQUEST
    if question.packet.size[<int> NAS_IP_ADDRESS] != 4 or (
            rrq.home_agent not in (<uint32_t> 0, <uint32_t> 0xffffffff)
            and memcmp(&rrq.home_agent, value(question, NAS_IP_ADDRESS), 4)):
        return UNKNOWN_HOME_AGENT
    return 0


cdef bint names_node(Question* question) noexcept nogil:
    """The first NAI of C is the User-Name."""
    cdef Piece[32] pieces
    cdef const uint8_t* c = question.covered
    cdef int k, found = walk_message(c, question.covered_length - 8, sizeof(RegistrationRequest), pieces, 32)
    for k in range(found):
        if pieces[k].type == EXT_NAI:
            return (pieces[k].length == question.packet.size[<int> USER_NAME]
                    and not memcmp(c + pieces[k].offset, value(question, USER_NAME), pieces[k].length))
    return False


cdef bint may_ask(Aaah* aaah, Question* question) noexcept nogil:
    """Only an FHA named at step 3 gets keys; a NAI never seen there, after a restart, any that the policy could have
    named for its class, counted (ruling 18)."""
    cdef Subscriber* subscriber = question.subscriber
    cdef bint bound = subscriber.assigned and aaah.now.monotonic < subscriber.assigned_until
    cdef uint32_t k
    for k in range(aaah.fha_count):
        if memcmp(&aaah.fhas[k].address, value(question, NAS_IP_ADDRESS), 4):
            continue
        if bound and subscriber.assigned >> k & 1:
            return True
        if not bound and aaah.fhas[k].classes >> subscriber.subscription & 1:
            count_event(&aaah.counters, FHA_UNBOUND)
            return True
    return False


cdef void hide_first_half(Aaah* aaah, Question* question) noexcept nogil:
    """P = length, key, zeros; c1 = p1 xor pad; the next pad is MD5(secret, c1), RFC 2868 3.5."""
    cdef int k
    memset(question.hidden, 0, 32)
    question.hidden[0] = 20
    memcpy(question.hidden + 1, question.derived, 20)
    for k in range(16):
        question.hidden[k] ^= question.pad[k]
    queue_job(&aaah.queue, DIGEST_MD5, question.client.secret, question.client.secret_length, question.hidden, 16, NULL,
              question.pad)


# ---- the reply -------------------------------------------------------------------------------------------------------

cdef Datagram* address_reply(Aaah* aaah, Question* question) noexcept nogil:
    """From the address the request came to, RFC 2865 3. NULL: no room, the request is dropped and may come again."""
    cdef Datagram* reply = compose(aaah.out, question.datagram.port)
    if not reply:
        if question.entry:
            replies_cancel(aaah.replies, question.entry)
        drop(aaah, question, OUTBOX_FULL)
        return NULL
    reply.peer_address, reply.peer_port = question.datagram.peer_address, question.datagram.peer_port
    reply.local_address = question.datagram.local_address
    return reply


cdef void write_reply(Aaah* aaah, Question* question) noexcept nogil:
    """Header with the request's authenticator, Message-Authenticator first (radius.md 2.2), attributes, Proxy-States."""
    cdef uint8_t* packet
    cdef uint8_t* at
    question.reply = address_reply(aaah, question)
    if not question.reply:
        return
    packet = question.reply.data
    packet[0], packet[1] = question.code, question.packet.octets[1]
    memcpy(packet + 4, question.packet.octets + 4, 16)
    at = packet + HEADER
    at[0], at[1] = NUMBERS.number[<int> MESSAGE_AUTHENTICATOR], 18
    memset(at + 2, 0, 16)
    at += 18
    if question.code == ACCESS_REJECT:
        aaah.rejected += 1
        if question.denial and question.client.denial_code:
            at = put_integer(at, &NUMBERS, DENIAL_CODE, question.denial)
    elif question.role == REQUESTER_NAS:
        aaah.accepted += 1
        at = write_access(aaah, question, at)
    else:
        aaah.accepted += 1
        at = write_registration(aaah, question, at)
    at = copy_proxy_states(question, at, packet + ROOM)
    if not at:
        question.reply.length = 0                       # the outbox row stays, empty, and is not sent
        replies_cancel(aaah.replies, question.entry)
        drop(aaah, question, PROXY_STATE_LIMIT)
        return
    question.reply.length = <uint32_t> (at - packet)
    put16(packet + 2, <uint16_t> question.reply.length)
    queue_job(&aaah.queue, DIGEST_HMAC_MD5, packet, question.reply.length, NULL, 0, &question.client.secret_key,
              question.digest)


cdef uint8_t* write_access(Aaah* aaah, Question* question, uint8_t* at) noexcept nogil:
    """radius.md 9.1: the care-of address in Framed-IP-Address, the FHAs in order of preference."""
    cdef uint32_t left = question.fhas
    cdef int k, named = 0
    at = put_integer(at, &NUMBERS, SERVICE_TYPE, SERVICE_FRAMED)
    at = put_attribute(at, &NUMBERS, FRAMED_IP_ADDRESS, &question.address, 4)
    at = put_integer(at, &NUMBERS, SESSION_TIMEOUT, aaah.session_timeout_s)
    at = put_attribute(at, &NUMBERS, STATE, draw(aaah.entropy, 8), 8)
    at = put_attribute(at, &NUMBERS, CLASS, &question.subscriber.hash, 8)
    at = put_integer(at, &NUMBERS, COA_TYPE, CO_LOCATED)
    while left and named < 4:
        k = preferred_fha(aaah, question.subscriber.hash, left)
        at = put_attribute(at, &NUMBERS, FHA_IP_ADDRESS, &aaah.fhas[k].address, 4)
        left &= ~(<uint32_t> 1 << k)
        named += 1
    return at


cdef int preferred_fha(Aaah* aaah, uint64_t hash, uint32_t among) noexcept nogil:
    """Weighted choice by the subscriber's hash, so that a node comes back to the FHA that may still hold its lease."""
    cdef uint64_t total = 0, point
    cdef uint32_t k
    for k in range(aaah.fha_count):
        if among >> k & 1:
            total += aaah.fhas[k].weight
    point = (hash >> 20) % total
    for k in range(aaah.fha_count):
        if among >> k & 1:
            if point < aaah.fhas[k].weight:
                return k
            point -= aaah.fhas[k].weight
    return 0


cdef uint8_t* write_registration(Aaah* aaah, Question* question, uint8_t* at) noexcept nogil:
    """radius.md 9.2: home address, home agent, lifetimes and the new key, hidden; the FHA allocates the THOAv4."""
    cdef uint32_t row = <uint32_t> (question.subscriber - aaah.subscribers.rows)
    cdef uint32_t mn_spi = integer(question, MN_FHA_MN_SPI), fha_spi = integer(question, MN_FHA_FHA_SPI)
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
    at = put_integer(at, &NUMBERS, MN_FHA_REPLAY_METHOD, REPLAY_TIMESTAMPS)
    return put_integer(at, &NUMBERS, MN_FHA_KEY_LIFETIME, aaah.key_lifetime_s)


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
    memcpy(question.reply.data + HEADER + 2, question.digest, 16)
    queue_job(&aaah.queue, DIGEST_MD5, question.reply.data, question.reply.length, question.client.secret,
              question.client.secret_length, NULL, question.digest)


cdef void finish_reply(Aaah* aaah, Question* question) noexcept nogil:
    memcpy(question.reply.data + 4, question.digest, 16)
    replies_finish(aaah.replies, question.entry, question.reply.data, question.reply.length)
    question.head.outcome = DONE


cdef Stage[9] STAGES = [
    <Stage> read_request, <Stage> check_message_authenticator, <Stage> answer_duplicate, <Stage> find_who_asks, <Stage> derive,
    <Stage> decide, <Stage> write_reply, <Stage> sign_reply, <Stage> finish_reply,
]


cdef class AaahRole(Node):
    """One AAAH worker. `configure` before the first datagram; `now` comes with every call (see servers.net.node)."""

    def __cinit__(self):
        memset(&self.aaah, 0, sizeof(Aaah))
        self.rows = <Question*> calloc(BATCH, sizeof(Question))
        self.aaah.scratch = <uint8_t*> calloc(BATCH, SCRATCH)
        if not self.rows or not self.aaah.scratch:
            raise MemoryError
        queue_open(&self.aaah.queue, 3 * BATCH)
        self.aaah.out, self.aaah.now, self.aaah.entropy = &self.out, &self.now, &self.entropy

    def __dealloc__(self):
        free(self.rows)
        free(self.aaah.scratch)
        queue_close(&self.aaah.queue)

    def __init__(self, SubscriberTable subscribers, ReplyCache replies, *, bytes care_of_network, uint32_t care_of_size,
                 bytes ipv6_home_prefix, bytes home_agent, uint32_t session_timeout_s=7200,
                 uint32_t registration_lifetime_s=1800, uint32_t key_lifetime_s=3600, uint32_t identification_window_s=7):
        """Addresses and prefixes as packed octets, network order."""
        self.subscriber_table, self.reply_cache = subscribers, replies
        self.aaah.subscribers, self.aaah.replies = &subscribers.subscribers, &replies.c
        memcpy(&self.aaah.care_of_network, <const uint8_t*> care_of_network, 4)
        self.aaah.care_of_size = care_of_size
        memcpy(self.aaah.ipv6_home_prefix, <const uint8_t*> ipv6_home_prefix, 16)
        memcpy(self.aaah.home_agent, <const uint8_t*> home_agent, 16)
        self.aaah.session_timeout_s, self.aaah.registration_lifetime_s = session_timeout_s, registration_lifetime_s
        self.aaah.key_lifetime_s, self.aaah.identification_window_s = key_lifetime_s, identification_window_s

    def add_client(self, bytes network, int prefix, bytes secret, *, uint32_t roles=1 << REQUESTER_NAS | 1 << REQUESTER_FHA,
                   bint denial_code=True):
        """A client network (packed address, prefix length) and its secret of 1-255 octets."""
        cdef Client* client
        if self.aaah.client_count == MOST_CLIENTS:
            raise ValueError(f"more than {MOST_CLIENTS} client networks")
        client = &self.aaah.clients[self.aaah.client_count]
        put32(&client.mask, <uint32_t> ((<uint64_t> 0xffffffff << (32 - prefix)) & 0xffffffff))
        memcpy(&client.network, <const uint8_t*> network, 4)
        client.network &= client.mask
        client.roles, client.denial_code, client.secret_length = roles, denial_code, <uint32_t> len(secret)
        memcpy(client.secret, <const uint8_t*> secret, client.secret_length)
        queue_job(&self.aaah.queue, DIGEST_KEY_MD5, client.secret, client.secret_length, NULL, 0, NULL, &client.secret_key)
        run_queue(&self.aaah.queue)
        self.aaah.client_count += 1

    def add_fha(self, bytes address, uint32_t weight=1, uint64_t classes=0xffffffffffffffff, bytes nas=b""):
        """An FHA of the policy: whom it serves, by subscription class (bit mask) and patterns of NAS-Identifiers, one a
        line, at most 255 octets (empty: any)."""
        cdef PolicyFha* fha
        if self.aaah.fha_count == MOST_FHAS:
            raise ValueError(f"more than {MOST_FHAS} FHAs in the policy")
        if len(nas) > 255:
            raise ValueError("the NAS-Identifier patterns of an FHA have more than 255 octets")
        fha = &self.aaah.fhas[self.aaah.fha_count]
        memcpy(&fha.address, <const uint8_t*> address, 4)
        fha.weight, fha.classes, fha.nas_length = weight, classes, <uint8_t> len(nas)
        memcpy(fha.nas, <const uint8_t*> nas, fha.nas_length)
        self.aaah.fha_count += 1

    cdef void receive(self, Datagram* datagrams, uint32_t n) noexcept nogil:
        cdef void* rows[BATCH]
        cdef uint32_t k
        for k in range(n):
            memset(&self.rows[k].head, 0, sizeof(Head))
            self.rows[k].datagram, self.rows[k].entry, self.rows[k].nai_hash = &datagrams[k], 0, 0
            rows[k] = &self.rows[k]
        self.aaah.scratch_used = 0
        run_stages(&self.aaah, STAGES, 9, rows, <int> n, &self.aaah.queue)

    def counters(self):
        """{reason: count} of everything that was counted."""
        return counts_of(&self.aaah.counters)

    def offender(self, str reason):
        """Text on the last datagram counted under a reason, for a log line."""
        return offender_of(&self.aaah.counters, reason)

    @property
    def replies_sent(self):
        """(accepts, rejects) written."""
        return self.aaah.accepted, self.aaah.rejected
