# The FHA's bindings: who holds which THOAv4 until when, under which key, and the last reply. One row = one lease.
from libc.stdint cimport uint8_t, uint16_t, uint32_t, uint64_t
from servers.engine.parking cimport Parking
from servers.tables.hash cimport Table

cdef enum:
    REPLY_ROOM = 480                 # the longest RRP of ours: 20 + 255 + 20 + 64 (nonce) + 3 x 28 + 22

cdef struct Binding:
    uint64_t hash                    # of the NAI, seeded
    uint64_t request_hash            # of the octets of the request accepted last; 0: from before a restart
    uint64_t identification          # accepted last
    uint64_t expires                 # monotonic ns
    uint32_t address                 # THOAv4, network order
    uint32_t care_of_address         # network order
    uint32_t mn_spi                  # written in replies
    uint32_t ha_spi                  # expected in later requests
    uint16_t reply_length
    uint8_t nai_length
    uint8_t[20] key                  # MN-FHA, RFC 3957 5
    uint8_t[256] nai
    uint8_t[480] reply

cdef struct Bindings:
    Parking rows                     # its wheel ends lifetimes
    Table by_nai

cdef packed struct Record:           # of the journal: all that a restart needs; the NAI follows
    uint64_t written                 # wall clock, ns
    uint64_t expires                 # wall clock, ns
    uint64_t identification
    uint32_t address                 # network order
    uint32_t care_of_address
    uint32_t mn_spi
    uint32_t ha_spi
    uint8_t[20] key
    uint8_t nai_length

cdef int bindings_open(Bindings* bindings, uint32_t capacity, uint64_t now) except -1
cdef void bindings_close(Bindings* bindings) noexcept nogil
cdef Binding* find_binding(const Bindings* bindings, const uint8_t* nai, uint32_t length, uint64_t hash) noexcept nogil
cdef Binding* add_binding(Bindings* bindings, const uint8_t* nai, uint32_t length, uint64_t hash) noexcept nogil
cdef void remove_binding(Bindings* bindings, Binding* binding) noexcept nogil
cdef void set_expiry(Bindings* bindings, Binding* binding, uint64_t when) noexcept nogil
