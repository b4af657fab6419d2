# A key or shared secret with its HMAC states prepared once.
from libc.stdint cimport uint8_t, uint32_t
from fastcodec.digest.jobs cimport DigestKind, Key

cdef class Secret:
    cdef bytes octets
    cdef Key md5
    cdef Key sha1
    cdef bint has_md5, has_sha1
    cdef const Key* for_md5(self)
    cdef const Key* for_sha1(self)

cdef Secret as_secret(object key)
cdef void digest_now(DigestKind kind, const void* message, uint32_t length, const void* tail, uint32_t tail_length,
                     const Key* key, void* out) noexcept nogil

cdef class SecretArray:
    cdef readonly Py_ssize_t count
    cdef uint32_t longest
    cdef bytes blob
    cdef const uint8_t* octets                   # of the blob
    cdef uint32_t* ends                          # of each secret in the blob; ends[-1] of the first is 0
    cdef Key* md5
    cdef Key* sha1
    cdef const uint8_t* octets_of(self, uint32_t which, uint32_t* length) noexcept nogil
    cdef int prepare(self, DigestKind kind) except -1
