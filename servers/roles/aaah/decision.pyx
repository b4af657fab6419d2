# The rules of steps 2 and 5: what is granted to whom.
from fastcodec.digest.jobs cimport DIGEST_MD5, queue_job
from fastcodec.mip4 cimport (
    ADMINISTRATIVELY_PROHIBITED, BAD_AAA_AUTHENTICATION, IDENTIFICATION_MISMATCH, RegistrationRequest,
)
from fastcodec.radius cimport ACCESS_ACCEPT, ACCESS_REJECT, NAS_IP_ADDRESS, REQUESTER_FHA, REQUESTER_NAS
from fastcodec.wire cimport get32, get64, mix_octets, put32
from libc.stdint cimport uint32_t, uint64_t, uint8_t
from libc.string cimport memcmp, memcpy, memset
from servers.engine.counters cimport count_event
from servers.engine.ntp cimport is_newer, is_within, ntp_of
from servers.engine.reasons cimport (
    BAD_CREDENTIAL, FHA_NOT_ASSIGNED, FHA_UNBOUND, IDENTIFICATION_REFUSED, PROOF_MISMATCH,
)
from servers.roles.aaah.credential cimport password_is_right
from servers.roles.aaah.memory cimport remember
from servers.roles.aaah.policy cimport fha_of_class, name_fhas
from servers.roles.aaah.proof cimport proof_fault, proof_is_right
from servers.roles.aaah.row cimport reject, value
from servers.roles.aaah.state cimport Aaah, MOST_NAMED, Question, SECOND
from servers.tables.subscribers cimport Subscriber


cdef void decide(Aaah* aaah, Question* question) noexcept nogil:
    if question.code == ACCESS_REJECT:
        return
    if question.role == REQUESTER_NAS:
        decide_access(aaah, question)
    else:
        decide_registration(aaah, question)
    if question.code == ACCESS_ACCEPT and question.role == REQUESTER_FHA:
        hide_first_half(aaah, question)
    if question.is_news:
        remember(aaah, question)


cdef void decide_access(Aaah* aaah, Question* question) noexcept nogil:
    """Step 2: the credential, then care-of address and FHAs; what was named is remembered for step 5."""
    cdef Subscriber* subscriber = question.subscriber
    cdef uint32_t row = <uint32_t> (subscriber - aaah.subscribers.rows)
    if not password_is_right(aaah, question):
        reject(aaah, question, BAD_CREDENTIAL, 0)
        return
    name_fhas(aaah, question)
    if not question.named_count or row + 1 >= aaah.care_of_size:
        reject(aaah, question, FHA_NOT_ASSIGNED, 0)
        return
    put32(&question.address, get32(&aaah.care_of_network) + 1 + row)
    memcpy(subscriber.fhas, question.named, sizeof(question.named))
    subscriber.assigned_until = <uint32_t> (aaah.now.monotonic // SECOND) + 1 + aaah.session_timeout_s
    question.code, question.is_news = ACCESS_ACCEPT, True


cdef void decide_registration(Aaah* aaah, Question* question) noexcept nogil:
    """Step 5, radius.md 9.2, in its order: what C says, its authenticator, which FHA asks, Identification."""
    cdef int fault = proof_fault(question)
    if fault:
        reject(aaah, question, PROOF_MISMATCH, fault)
    elif not proof_is_right(question):
        reject(aaah, question, BAD_CREDENTIAL, BAD_AAA_AUTHENTICATION)
    elif not may_ask(aaah, question):
        reject(aaah, question, FHA_NOT_ASSIGNED, ADMINISTRATIVELY_PROHIBITED)
    elif not is_fresh(aaah, question):
        reject(aaah, question, IDENTIFICATION_REFUSED, IDENTIFICATION_MISMATCH)
    else:
        question.code = ACCESS_ACCEPT


cdef bint may_ask(Aaah* aaah, Question* question) noexcept nogil:
    """Only an FHA named at step 3 gets keys; a NAI never seen there, after a restart, any that the policy could have
    named for its class, counted (ruling 18)."""
    cdef Subscriber* subscriber = question.subscriber
    cdef const uint8_t* asking = value(question, NAS_IP_ADDRESS)
    cdef int k
    if aaah.now.monotonic // SECOND < subscriber.assigned_until:
        for k in range(MOST_NAMED):
            if subscriber.fhas[k] and not memcmp(&subscriber.fhas[k], asking, 4):
                return True
        return False
    if not fha_of_class(aaah, asking, subscriber.subscription):
        return False
    count_event(&aaah.counters, FHA_UNBOUND)
    return True


cdef bint is_fresh(Aaah* aaah, Question* question) noexcept nogil:
    """Inside the window newer than the last, or the same octets again: accepted and remembered. Outside: accepted and
    not remembered, so that the FHA can answer 133 under the new key (ruling 3). Without C there is nothing to judge."""
    cdef Subscriber* subscriber = question.subscriber
    cdef uint64_t identification, covered_hash
    if not question.covered_length:
        return True
    identification = get64(&(<const RegistrationRequest*> question.covered).identification)
    if not is_within(identification, ntp_of(aaah.now.wall), aaah.identification_window_s):
        return True
    covered_hash = mix_octets(question.covered, question.covered_length)
    if subscriber.identification and not is_newer(identification, subscriber.identification) and not (
            identification == subscriber.identification and covered_hash == subscriber.covered_hash):
        return False
    subscriber.identification, subscriber.covered_hash, question.is_news = identification, covered_hash, True
    return True


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
