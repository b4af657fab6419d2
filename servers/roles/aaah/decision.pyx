# The rules of steps 2 and 5: what is granted to whom.
from fastcodec.digest.jobs cimport DIGEST_MD5, queue_job
from fastcodec.mip4 cimport (
    ADMINISTRATIVELY_PROHIBITED, BAD_AAA_AUTHENTICATION, EXT_GENERALIZED, EXT_NAI, FAILED_AUTHENTICATION,
    IDENTIFICATION_MISMATCH, POORLY_FORMED_REQUEST, REGISTRATION_REQUEST, RegistrationRequest, SUBTYPE_MN_AAA,
    UNKNOWN_HOME_AGENT, walk_message,
)
from fastcodec.radius cimport (
    ACCESS_ACCEPT, ACCESS_REJECT, CARE_OF_ADDRESS, CHAP_PASSWORD, MN_AAA_AUTHENTICATOR, MN_AAA_SPI, NAS_IDENTIFIER,
    NAS_IP_ADDRESS, REQUESTER_FHA, REQUESTER_NAS, USER_NAME,
)
from fastcodec.wire cimport Piece, get16, get32, get64, hash_octets, put32, same
from libc.stdint cimport uint32_t, uint64_t, uint8_t
from libc.string cimport memcmp, memcpy, memset
from servers.engine.counters cimport count_event
from servers.engine.ntp cimport is_newer, is_within, ntp_of
from servers.engine.reasons cimport (
    BAD_CREDENTIAL, FHA_NOT_ASSIGNED, FHA_UNBOUND, IDENTIFICATION_REFUSED, PROOF_MISMATCH,
)
from servers.roles.aaah.row cimport integer, reject, value
from servers.roles.aaah.state cimport Aaah, NEWLINE, PolicyFha, QUESTION_MARK, Question, SECOND, STAR
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
    cdef int fault = proof_fault(question)
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
