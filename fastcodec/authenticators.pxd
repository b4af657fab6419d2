# Authenticators of Mobile IPv4 extensions 32, 33, 34 and 36.
from libc.stdint cimport uint8_t
from fastcodec.secret cimport Secret
from fastcodec.wire cimport Piece

cdef enum:
    LONGEST_AUTHENTICATOR = 32               # HMAC-SHA256
    LAST_CHALLENGE = 237                     # octets of a challenge that CHAP hashes, RFC 4721 8

cdef bint is_authentication(int type, int subtype) noexcept nogil
cdef Secret key_of(object keys, unsigned int spi)
cdef int size_of(const uint8_t* spi, int type, int subtype, Secret key) noexcept
cdef int authenticate(const uint8_t* p, const Piece* pieces, int found, int which, Secret key, uint8_t* out) except -1
cdef int verify_piece(const uint8_t* p, const Piece* pieces, int found, int which, object keys) except -1
cdef int verify_all(const uint8_t* p, const Piece* pieces, int found, object keys) except -1
