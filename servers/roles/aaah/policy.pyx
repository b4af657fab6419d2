# The operator's choice of FHAs, by location (NAS-Identifier) and subscription class.
from fastcodec.radius cimport NAS_IDENTIFIER
from libc.stdint cimport uint32_t, uint64_t, uint8_t
from libc.string cimport memcmp, memset
from servers.roles.aaah.row cimport value
from servers.roles.aaah.state cimport Aaah, MOST_NAMED, NEWLINE, PolicyFha, QUESTION_MARK, Question, STAR


cdef void name_fhas(const Aaah* aaah, Question* question) noexcept nogil:
    """The eligible FHAs in order of preference, as many as an Accept names."""
    cdef uint32_t left = eligible_fhas(aaah, question)
    cdef int k
    memset(question.named, 0, sizeof(question.named))
    question.named_count = 0
    while left and question.named_count < MOST_NAMED:
        k = preferred_fha(aaah, question.subscriber.hash, left)
        question.named[question.named_count] = aaah.fhas[k].address
        question.named_count += 1
        left &= ~(<uint32_t> 1 << k)


cdef const PolicyFha* fha_of_class(const Aaah* aaah, const uint8_t* address, int subscription) noexcept nogil:
    """What the policy says first of the FHA of this address (network order) for the class, wherever the node is; NULL:
    it could not name it."""
    cdef uint32_t k
    for k in range(aaah.fha_count):
        if not memcmp(&aaah.fhas[k].address, address, 4) and aaah.fhas[k].classes >> subscription & 1:
            return &aaah.fhas[k]
    return NULL


cdef uint32_t eligible_fhas(const Aaah* aaah, const Question* question) noexcept nogil:
    """Bit mask of the FHAs that the policy names for this subscription and location (NAS-Identifier)."""
    cdef uint32_t k, mask = 0
    cdef const PolicyFha* fha
    for k in range(aaah.fha_count):
        fha = &aaah.fhas[k]
        if (fha.weight and fha.classes >> question.subscriber.subscription & 1
                and matches_any(fha.nas, fha.nas_length, value(question, NAS_IDENTIFIER),
                                question.packet.size[<int> NAS_IDENTIFIER])):
            mask |= <uint32_t> 1 << k
    return mask


cdef int preferred_fha(const Aaah* aaah, uint64_t hash, uint32_t among) noexcept nogil:
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
