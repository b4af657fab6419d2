# Who asks, and the digests of what they prove it with: CHAP at step 2, MN-AAA at step 5.
from fastcodec.digest.jobs cimport (
    DIGEST_HMAC_MD5, DIGEST_HMAC_SHA1, DIGEST_KEY_MD5, DIGEST_KEY_SHA1, DIGEST_MD5, queue_job,
)
from fastcodec.mip4 cimport BAD_AAA_AUTHENTICATION, FAILED_AUTHENTICATION
from fastcodec.radius cimport (
    ACCESS_REJECT, CHAP_CHALLENGE, CHAP_PASSWORD, MN_AAA_AUTHENTICATOR, MN_AAA_DATA, MN_AAA_SPI, NUMBERS,
    REQUESTER_FHA, REQUESTER_NAS, REQUESTER_ROLE, USER_NAME, USER_PASSWORD, next_occurrence,
)
from libc.stdint cimport uint32_t, uint8_t
from libc.string cimport memcpy
from servers.engine.reasons cimport (
    BAD_CREDENTIAL, NO_CREDENTIAL, NO_NAI, TWO_CREDENTIALS, UNKNOWN_SUBSCRIBER, WRONG_ROLE,
)
from servers.net.node cimport draw
from servers.roles.aaah.row cimport integer, reject, value
from servers.roles.aaah.state cimport Aaah, PROOF_LONGEST, Question
from servers.tables.subscribers cimport find_subscriber, key_of, secret_of


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
        reject(aaah, question, NO_CREDENTIAL, BAD_AAA_AUTHENTICATION)
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
