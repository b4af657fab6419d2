# Who asks; and at step 2 the digests of what it proves itself with: User-Password or CHAP.
from fastcodec.digest.jobs cimport DIGEST_MD5, queue_job
from fastcodec.mip4 cimport FAILED_AUTHENTICATION
from fastcodec.radius cimport (
    CHAP_CHALLENGE, CHAP_PASSWORD, EAP_MESSAGE, REQUESTER_FHA, REQUESTER_NAS, REQUESTER_ROLE, USER_NAME, USER_PASSWORD,
)
from fastcodec.wire cimport same
from libc.stdint cimport uint32_t, uint8_t
from libc.string cimport memcpy
from servers.engine.reasons cimport (
    BAD_CREDENTIAL, NO_CREDENTIAL, NO_NAI, TWO_CREDENTIALS, UNKNOWN_SUBSCRIBER, WRONG_ROLE,
)
from servers.roles.aaah.proof cimport queue_proof
from servers.roles.aaah.row cimport integer, reject, value
from servers.roles.aaah.state cimport Aaah, Question
from servers.tables.subscribers cimport find_subscriber, secret_of

cdef enum:
    BLOCK = 16
    LONGEST_PASSWORD = 128           # RFC 2865 5.2
    OTHER_ROLE = 255


cdef void find_who_asks(Aaah* aaah, Question* question) noexcept nogil:
    """The subscriber, and which of the two questions this is: Mipstorm-Requester-Role, radius.md 9; absent means NAS."""
    question.role = <uint8_t> min(integer(question, REQUESTER_ROLE) if question.packet.count[<int> REQUESTER_ROLE]
                                  else <uint32_t> REQUESTER_NAS, <uint32_t> OTHER_ROLE)
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
    if question.role == REQUESTER_FHA:
        queue_proof(aaah, question)
    else:
        queue_password(aaah, question)


cdef void queue_password(Aaah* aaah, Question* question) noexcept nogil:
    """Exactly one credential, RFC 2865 5.44 note 1, RFC 3579 3.3 note 1. EAP is not offered."""
    cdef const uint8_t* count = question.packet.count
    if count[<int> USER_PASSWORD] + count[<int> CHAP_PASSWORD] > 1 or count[<int> EAP_MESSAGE] and (
            count[<int> USER_PASSWORD] or count[<int> CHAP_PASSWORD]):
        reject(aaah, question, TWO_CREDENTIALS, 0)
    elif count[<int> CHAP_PASSWORD]:
        queue_chap(aaah, question)
    elif count[<int> USER_PASSWORD]:
        queue_pads(aaah, question)
    else:
        reject(aaah, question, NO_CREDENTIAL, 0)


cdef void queue_chap(Aaah* aaah, Question* question) noexcept nogil:
    """RFC 2865 2.2: MD5(ident, secret, challenge); the challenge is attribute 60 or else the Request Authenticator."""
    cdef const uint8_t* chap = value(question, CHAP_PASSWORD)
    cdef const uint8_t* challenge = question.packet.octets + 4
    cdef uint32_t length = 16, secret_length = question.subscriber.secret_length
    cdef uint8_t* scratch
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


cdef void queue_pads(Aaah* aaah, Question* question) noexcept nogil:
    """What hides User-Password, RFC 2865 5.2: MD5(secret, Request Authenticator), MD5(secret, c1), ... The ciphertext is
    all there, so that no pad has to wait for another."""
    cdef const uint8_t* hidden = value(question, USER_PASSWORD)
    cdef uint32_t at = 0, length = question.packet.size[<int> USER_PASSWORD]
    if not length or length % BLOCK or length > LONGEST_PASSWORD:
        reject(aaah, question, BAD_CREDENTIAL, 0)
        return
    question.pads = aaah.scratch + aaah.scratch_used
    aaah.scratch_used += length
    while at < length:
        queue_job(&aaah.queue, DIGEST_MD5, question.client.secret, question.client.secret_length,
                  hidden + at - BLOCK if at else question.packet.octets + 4, BLOCK, NULL, question.pads + at)
        at += BLOCK


cdef bint password_is_right(const Aaah* aaah, const Question* question) noexcept nogil:
    """Step 2, in constant time."""
    if question.packet.count[<int> CHAP_PASSWORD]:
        return same(question.digest, value(question, CHAP_PASSWORD) + 1, 16)
    return hidden_is(value(question, USER_PASSWORD), question.pads, question.packet.size[<int> USER_PASSWORD],
                     secret_of(aaah.subscribers, question.subscriber), question.subscriber.secret_length)


cdef bint hidden_is(const uint8_t* hidden, const uint8_t* pads, uint32_t length, const uint8_t* secret,
                    uint32_t secret_length) noexcept nogil:
    """Whether what is hidden is the secret and then zeros, RFC 2865 5.2."""
    cdef uint8_t[LONGEST_PASSWORD] seen
    cdef uint8_t[LONGEST_PASSWORD] ought
    cdef uint32_t k
    if secret_length > length:
        return False
    for k in range(length):
        seen[k] = hidden[k] ^ pads[k]
        ought[k] = secret[k] if k < secret_length else 0
    return same(seen, ought, length)
