# Byte order, checked reads, constant-time comparison and the one extension walk.
from libc.stdint cimport uint8_t, uint16_t, uint32_t, uint64_t

cdef extern from "wire.h" nogil:
    uint16_t get16(const void* p)             # network order at any alignment
    uint32_t get32(const void* p)
    uint64_t get64(const void* p)
    void put16(void* p, uint16_t v)
    void put32(void* p, uint32_t v)
    void put64(void* p, uint64_t v)
    bint same(const void* a, const void* b, size_t n)     # constant time
    uint64_t mix_octets(const void* p, size_t n)          # multiply-mix, never 0, the same in every process
    void prefetch(const void* p)

cpdef enum Shape:
    """Header shapes of Mobile IPv4 extensions, RFC 5944 1.8-1.11."""
    TLV = 0                   # type(1) length(1) data
    SHORT = 1                 # type(1) length(1) subtype(1) data; length counts the subtype
    LONG = 2                  # type(1) subtype(1) length(2) data
    PAD = 3                   # one octet, no length
    UNKNOWN_MUST = 4          # unknown, 0-127: the whole message is discarded
    UNKNOWN_SKIP = 5          # unknown, 128-255: skipped by the octet at 1
    EITHER = 6                # 139: long as RFC 4433 draws it, or short as RFC 5944 1.10 would have it

cdef struct Piece:            # one extension or attribute of a datagram: where it is, not a copy
    uint8_t type
    uint8_t subtype
    uint16_t head             # offset of its first octet
    uint16_t offset           # of the value
    uint16_t length           # of the value

cdef int walk(const uint8_t* p, int n, int at, const uint8_t* shape, Piece* out, int most, int* fault) noexcept nogil
