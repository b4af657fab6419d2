# A key or shared secret with its HMAC states prepared once.
from libc.stdint cimport uint8_t, uint32_t
from fastcodec.digest.jobs cimport DigestKind, Key

cdef enum Algorithm:             # of a Mobile IP authenticator
    ANY_ALGORITHM                # the HMAC whose digest has the authenticator's length; HMAC-MD5 to sign
    HMAC_MD5                     # RFC 5944 5.1
    HMAC_SHA1
    HMAC_SHA256
    KEYED_MD5                    # prefix and suffix, RFC 2002 3.5.1: only where a key asks for it

cdef class Secret:
    cdef bytes octets
    cdef readonly str algorithm
    cdef int which               # an Algorithm
    cdef Key md5
    cdef Key sha1
    cdef Key sha256
    cdef bint has_md5, has_sha1, has_sha256
    cdef const Key* for_md5(self)
    cdef const Key* for_sha1(self)
    cdef const Key* for_sha256(self)

cdef Secret as_secret(object key)
cpdef bytes key_octets(object key)
cdef void digest_now(DigestKind kind, const void* message, uint32_t length, const void* tail, uint32_t tail_length,
                     const Key* key, void* out) noexcept nogil

cdef class SecretArray:
    cdef readonly Py_ssize_t count
    cdef uint32_t longest
    cdef bytes blob
    cdef const uint8_t* octets                   # of the blob
    cdef uint32_t* ends                          # of each secret in the blob; ends[-1] of the first is 0
    cdef uint8_t* algorithms                     # an Algorithm each
    cdef bint has_algorithm, has_keyed           # whether any has one; whether any is KEYED_MD5
    cdef Key* md5
    cdef Key* sha1
    cdef Key* sha256
    cdef list listed(self)
    cdef const uint8_t* octets_of(self, uint32_t which, uint32_t* length) noexcept nogil
    cdef int prepare(self, DigestKind kind) except -1
