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
