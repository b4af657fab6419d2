# Step 5: how the node proves itself with its MN-AAA key (RFC 4721 6, 8), and the key derived for it (RFC 3957 5).
from fastcodec.digest.jobs cimport (
    DIGEST_HMAC_MD5, DIGEST_HMAC_SHA1, DIGEST_KEY_MD5, DIGEST_KEY_SHA1, DIGEST_MD5, queue_job,
)
from fastcodec.mip4 cimport (
    BAD_AAA_AUTHENTICATION, CHAP_SPI, EXT_GENERALIZED, EXT_NAI, FAILED_AUTHENTICATION, POORLY_FORMED_REQUEST,
    REGISTRATION_REQUEST, RegistrationRequest, SHAPES, SUBTYPE_MN_AAA, UNKNOWN_HOME_AGENT,
)
from fastcodec.radius cimport (
    ACCESS_REJECT, CARE_OF_ADDRESS, CHAP_CHALLENGE, CHAP_PASSWORD, EAP_MESSAGE, MN_AAA_AUTHENTICATOR, MN_AAA_DATA,
    MN_AAA_SPI, NAS_IP_ADDRESS, NUMBERS, REQUESTER_FHA, USER_NAME, USER_PASSWORD, next_occurrence,
)
from fastcodec.status cimport TOO_MANY_EXTENSIONS
from fastcodec.wire cimport Piece, get16, get32, same, walk
from libc.stdint cimport uint32_t, uint8_t
from libc.string cimport memcmp, memcpy
from servers.engine.reasons cimport NO_CREDENTIAL, TWO_CREDENTIALS
from servers.net.node cimport draw
from servers.roles.aaah.row cimport integer, reject, value
from servers.roles.aaah.state cimport Aaah, PROOF_LONGEST, Question
from servers.tables.subscribers cimport key_of


cdef void queue_proof(Aaah* aaah, Question* question) noexcept nogil:
    """Prepares the MN-AAA key for the proof (RFC 4721 6) and for the derivation (RFC 3957 5), and the first pad that
    hides the new key, MD5(secret, Request Authenticator, salt), RFC 2868 3.5."""
    cdef const uint8_t* key = key_of(aaah.subscribers, question.subscriber)
    cdef const uint8_t* random
    if not is_complete(aaah, question):
        return
    if question.by_chap:
        queue_job(&aaah.queue, DIGEST_MD5, question.covered, question.covered_length, NULL, 0, NULL, question.covered_digest)
    else:
        queue_job(&aaah.queue, DIGEST_KEY_MD5, key, question.subscriber.key_length, NULL, 0, NULL, &question.md5_key)
    queue_job(&aaah.queue, DIGEST_KEY_SHA1, key, question.subscriber.key_length, NULL, 0, NULL, &question.sha1_key)
    random = draw(aaah.entropy, 18)
    memcpy(question.nonce, random, 16)
    question.salt[0], question.salt[1] = random[16] | 0x80, random[17]
    memcpy(question.hidden, question.packet.octets + 4, 16)
    memcpy(question.hidden + 16, question.salt, 2)
    queue_job(&aaah.queue, DIGEST_MD5, question.client.secret, question.client.secret_length, question.hidden, 18, NULL,
              question.pad)


cdef bint is_complete(Aaah* aaah, Question* question) noexcept nogil:
    """One proof and all that it needs; else a Reject."""
    cdef const uint8_t* count = question.packet.count
    question.by_chap = count[<int> CHAP_PASSWORD] != 0
    if count[<int> USER_PASSWORD] or count[<int> EAP_MESSAGE] or question.by_chap and (
            count[<int> MN_AAA_AUTHENTICATOR] or count[<int> CHAP_PASSWORD] > 1):
        reject(aaah, question, TWO_CREDENTIALS, BAD_AAA_AUTHENTICATION)
        return False
    if not collect_covered(aaah, question) or not (chap_is_whole(question) if question.by_chap else hmac_is_whole(question)):
        reject(aaah, question, NO_CREDENTIAL, BAD_AAA_AUTHENTICATION)
        return False
    return True


cdef bint hmac_is_whole(const Question* question) noexcept nogil:
    return (question.covered_length and question.packet.count[<int> MN_AAA_SPI] == 1
            and question.packet.size[<int> MN_AAA_AUTHENTICATOR] == 16)


cdef bint chap_is_whole(const Question* question) noexcept nogil:
    """RFC 4721 8 in RADIUS: 3 = first octet of the challenge and the authenticator, 60 = MD5(C) and the last 237 octets of
    the challenge. Only a client that is configured so may leave C itself out."""
    return (question.packet.size[<int> CHAP_PASSWORD] == 17 and question.packet.count[<int> CHAP_CHALLENGE] == 1
            and 16 <= question.packet.size[<int> CHAP_CHALLENGE] <= 253
            and (question.covered_length or question.client.chap_without_data))


cdef bint collect_covered(Aaah* aaah, Question* question) noexcept nogil:
    """C in one piece: in place when it came in one, else joined in the batch's scratch space. False: it is too long."""
    cdef int at = question.packet.offset[<int> MN_AAA_DATA]
    cdef uint8_t* joined = aaah.scratch + aaah.scratch_used
    question.covered, question.covered_length = question.packet.octets + at, question.packet.size[<int> MN_AAA_DATA]
    if question.packet.count[<int> MN_AAA_DATA] < 2:
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
    if question.by_chap:
        queue_response(aaah, question)
    else:
        queue_job(&aaah.queue, DIGEST_HMAC_MD5, question.covered, question.covered_length, NULL, 0, &question.md5_key,
                  question.digest)
    queue_job(&aaah.queue, DIGEST_HMAC_SHA1, question.nonce, 16, value(question, USER_NAME),
              question.packet.size[<int> USER_NAME], &question.sha1_key, question.derived)


cdef void queue_response(Aaah* aaah, Question* question) noexcept nogil:
    """MD5(ident, MN-AAA key, challenge), RFC 2865 2.2."""
    cdef uint8_t* scratch = aaah.scratch + aaah.scratch_used
    cdef uint32_t length = question.subscriber.key_length
    aaah.scratch_used += 1 + length
    scratch[0] = value(question, CHAP_PASSWORD)[0]
    memcpy(scratch + 1, key_of(aaah.subscribers, question.subscriber), length)
    queue_job(&aaah.queue, DIGEST_MD5, scratch, 1 + length, value(question, CHAP_CHALLENGE),
              question.packet.size[<int> CHAP_CHALLENGE], NULL, question.digest)


cdef bint proof_is_right(const Question* question) noexcept nogil:
    """The authenticator, in constant time; under CHAP_SPI also that the challenge is that of C."""
    if not question.by_chap:
        return (integer(question, MN_AAA_SPI) == question.subscriber.spi
                and same(question.digest, value(question, MN_AAA_AUTHENTICATOR), 16))
    return same(question.digest, value(question, CHAP_PASSWORD) + 1, 16) and (
        not question.covered_length or same(question.covered_digest, value(question, CHAP_CHALLENGE), 16))


cdef int proof_fault(const Question* question) noexcept nogil:
    """0 when C begins as a Registration Request, ends with the header of 36/1 and its SPI, and names the same node,
    care-of address and home agent as the attributes do (or no home agent yet: the FHA then names itself, signed); else
    the code that says what differs."""
    cdef const uint8_t* c = question.covered
    cdef uint32_t n = question.covered_length
    cdef const RegistrationRequest* rrq = <const RegistrationRequest*> c
    if not n and question.by_chap:
        return 0 if question.packet.size[<int> NAS_IP_ADDRESS] == 4 else UNKNOWN_HOME_AGENT
    if n < sizeof(RegistrationRequest) + 8 or c[0] != REGISTRATION_REQUEST:
        return FAILED_AUTHENTICATION
    if (c[n - 8] != EXT_GENERALIZED or c[n - 7] != SUBTYPE_MN_AAA or get16(c + n - 6) != 20
            or get32(c + n - 4) != (<uint32_t> CHAP_SPI if question.by_chap else integer(question, MN_AAA_SPI))):
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


cdef bint names_node(const Question* question) noexcept nogil:
    """The first NAI of C is the User-Name. However many extensions stand before it: the FHA tells the node when they are
    too many, and needs a key for that (ruling 10)."""
    cdef Piece[32] pieces
    cdef const uint8_t* c = question.covered
    cdef int k, end = question.covered_length - 8, at = sizeof(RegistrationRequest), next = 0, found
    while True:
        found = walk(c, end, at, SHAPES, pieces, 32, &next)
        for k in range(32 if found == -TOO_MANY_EXTENSIONS else found):
            if pieces[k].type == EXT_NAI:
                return (pieces[k].length == question.packet.size[<int> USER_NAME]
                        and not memcmp(c + pieces[k].offset, value(question, USER_NAME), pieces[k].length))
        if found != -TOO_MANY_EXTENSIONS:
            return False
        at = next
