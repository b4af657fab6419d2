# Single Mobile IPv4 messages between octets and objects.
from libc.stdint cimport uint8_t
from fastcodec.secret cimport Secret
from fastcodec.wire cimport Piece

cdef Secret key_of(object keys, unsigned int spi, str field)
cdef int authenticate(const uint8_t* p, const Piece* pieces, int found, int which, Secret key, uint8_t* out) except -1
