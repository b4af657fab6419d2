"""AES-CMAC with keys of 16 octets, RFC 4493. For EAP-GPSK's first ciphersuite: one message at a time."""
from libc.stdint cimport uint8_t
from libc.string cimport memcpy, memset

from fastcodec.errors import EncodeError
from fastcodec.fields cimport as_bytes

cdef enum:
    BLOCK = 16
    ROUNDS = 10

cdef uint8_t[256] SUBSTITUTE         # FIPS 197 5.1.1


cdef inline uint8_t twice(uint8_t a) noexcept nogil:
    """Multiplication by x modulo x^8+x^4+x^3+x+1, FIPS 197 4.2.1; no branch on what is secret."""
    return <uint8_t> (a << 1) ^ (0x1b & -(a >> 7))


cdef inline uint8_t turn(uint8_t a, int n) noexcept nogil:
    return <uint8_t> (a << n | a >> (8 - n))


cdef void _make_substitution() noexcept:
    """FIPS 197 5.1.1: the inverse in GF(2^8), then an affine map; by powers of the generator 3 and of its inverse."""
    cdef uint8_t p = 1, q = 1
    while True:
        p ^= twice(p)
        q ^= <uint8_t> (q << 1)
        q ^= <uint8_t> (q << 2)
        q ^= <uint8_t> (q << 4)
        q ^= 0x09 & -(q >> 7)
        SUBSTITUTE[p] = q ^ turn(q, 1) ^ turn(q, 2) ^ turn(q, 3) ^ turn(q, 4) ^ 0x63
        if p == 1:
            break
    SUBSTITUTE[0] = 0x63


_make_substitution()


cdef void expand(const uint8_t* key, uint8_t* schedule) noexcept nogil:
    """Eleven round keys, FIPS 197 5.2."""
    cdef uint8_t constant = 1
    cdef uint8_t* word
    cdef int k, i
    memcpy(schedule, key, BLOCK)
    for k in range(BLOCK, BLOCK * (ROUNDS + 1), 4):
        word = schedule + k
        for i in range(4):
            if k % BLOCK:
                word[i] = word[i - 16] ^ word[i - 4]
            else:
                word[i] = word[i - 16] ^ SUBSTITUTE[word[(i + 1) % 4 - 4]] ^ (constant if i == 0 else 0)
        if k % BLOCK == 0:
            constant = twice(constant)


cdef inline void mix(uint8_t* column) noexcept nogil:
    """FIPS 197 5.1.3."""
    cdef uint8_t first = column[0], every = column[0] ^ column[1] ^ column[2] ^ column[3]
    cdef int i
    for i in range(3):
        column[i] ^= every ^ twice(column[i] ^ column[i + 1])
    column[3] ^= every ^ twice(column[3] ^ first)


cdef void encrypt(const uint8_t* schedule, uint8_t* state) noexcept nogil:
    """One block in place, FIPS 197 5.1."""
    cdef uint8_t[BLOCK] shifted
    cdef int round, k
    for k in range(BLOCK):
        state[k] ^= schedule[k]
    for round in range(1, ROUNDS + 1):
        for k in range(BLOCK):          # substitution, and row r to the left by r, FIPS 197 5.1.2
            shifted[k] = SUBSTITUTE[state[(k + 4 * (k % 4)) % BLOCK]]
        for k in range(0, BLOCK, 4):
            if round < ROUNDS:
                mix(shifted + k)
        for k in range(BLOCK):
            state[k] = shifted[k] ^ schedule[BLOCK * round + k]


cdef inline void double_block(uint8_t* block) noexcept nogil:
    """Of RFC 4493 2.3: to the left by one bit, 0x87 when one falls out."""
    cdef uint8_t carry = block[0] >> 7
    cdef int k
    for k in range(BLOCK - 1):
        block[k] = <uint8_t> (block[k] << 1 | block[k + 1] >> 7)
    block[BLOCK - 1] = <uint8_t> (block[BLOCK - 1] << 1) ^ (0x87 & -carry)


def aes_cmac(key, message):
    """The tag of 16 octets, RFC 4493 2.4."""
    cdef bytes secret = as_bytes(key, "key"), octets = as_bytes(message, "message")
    cdef uint8_t[BLOCK * (ROUNDS + 1)] schedule
    cdef uint8_t[BLOCK] state
    cdef uint8_t[BLOCK] last
    cdef const uint8_t* p = octets
    cdef Py_ssize_t n = len(octets), at = 0
    cdef int k, left
    if len(secret) != BLOCK:
        raise EncodeError("key", f"{len(secret)} octets, not 16 (RFC 4493 2.4)")
    expand(secret, schedule)
    memset(last, 0, BLOCK)
    encrypt(schedule, last)
    double_block(last)
    memset(state, 0, BLOCK)
    while n - at > BLOCK:
        for k in range(BLOCK):
            state[k] ^= p[at + k]
        encrypt(schedule, state)
        at += BLOCK
    left = <int> (n - at)
    if left < BLOCK:
        double_block(last)
        last[left] ^= 0x80
    for k in range(BLOCK):
        state[k] ^= last[k] ^ (p[at + k] if k < left else 0)
    encrypt(schedule, state)
    return <bytes> state[:BLOCK]
