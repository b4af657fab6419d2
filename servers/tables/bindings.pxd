# The FHA's bindings: who holds which THOAv4 until when, under which key, and the last reply. One row = one lease.
from fastcodec.digest.jobs cimport Key
from libc.stdint cimport uint8_t, uint16_t, uint32_t, uint64_t
from servers.engine.parking cimport Parking
from servers.tables.hash cimport Table

cdef enum:
    REPLY_ROOM = 736                 # the longest RRP: 20 + 255 (NAI) + 84 (43) + 3 x 28 (NVSE) + 8 (137) + 22 (32) + 257 (132)
    KEY_LONGEST = 32                 # octets
    SUPPORTS_REVOCATION = 1          # bits of `revocation`: the node has said so (RFC 3543 3.2)
    KNOWS_INFORM = 2                 # and that it knows the I bit
    CUT_SHORT = 4                    # the AAAH has shortened the lease since, which the node does not know

cdef struct Binding:
    uint64_t hash                    # of the NAI, seeded
    uint64_t request_hash            # of the octets of the request accepted last; 0: from before a restart
    uint64_t identification          # the newest timestamp accepted
    uint64_t expires                 # monotonic ns; of the lease, or once that is over, of what is still known of it
    uint64_t key_expires             # monotonic ns
    uint64_t session_ends            # monotonic ns; what the AAAH has authorised, RFC 2865 5.27
    uint64_t session                 # its number in Acct-Session-Id, RFC 2866 5.5
    uint64_t class_hash              # of the Class that the AAAH gave the session, RFC 2865 5.25; 0: none
    uint64_t identity_hash           # of its Chargeable-User-Identity, RFC 4372; 0: none
    uint64_t old_until               # monotonic ns; how long the key before this one is still good, 0: there is none
    uint32_t address                 # THOAv4, network order
    uint32_t care_of_address         # network order
    uint32_t mn_spi                  # written in replies
    uint32_t ha_spi                  # expected in later requests
    uint32_t old_mn_spi
    uint32_t old_ha_spi
    uint32_t most_lifetime           # the longest registration that the AAAH allows, s
    uint32_t nonce                   # high half of the Identification expected next, RFC 5944 5.7.2
    uint32_t local_address           # that its registration came to, network order
    uint32_t stamp                   # seconds (NTP) in our Revocation Support, RFC 3543 3.2
    uint16_t port                    # that it registered from
    uint16_t reply_length
    uint8_t replay                   # method, RFC 3957 4
    uint8_t revocation               # bits
    bint is_over                     # given back; the association stays until the address has rested
    uint8_t key_length
    uint8_t nai_length
    uint8_t[32] key                  # MN-HA, RFC 3957 5
    uint8_t old_key_length
    uint8_t[32] old_key
    Key prepared                     # of that key
    Key old_prepared
    uint8_t[256] nai
    uint8_t[736] reply

cdef struct Bindings:
    Parking rows                     # its wheel ends lifetimes, and the overlap of two keys
    Table by_nai

cdef packed struct Record:           # of the journal: all that a restart needs; the NAI follows
    uint64_t written                 # wall clock, ns
    uint64_t expires                 # wall clock, ns; of a lease that is over: when its address has rested
    uint64_t identification
    uint64_t key_expires             # wall clock, ns
    uint64_t session_ends            # wall clock, ns
    uint64_t session
    uint32_t address                 # network order
    uint32_t care_of_address
    uint32_t mn_spi
    uint32_t ha_spi
    uint32_t most_lifetime
    uint8_t replay
    uint8_t key_length
    uint8_t[32] key
    uint32_t local_address
    uint32_t stamp
    uint16_t port
    uint8_t revocation
    uint64_t class_hash
    uint64_t identity_hash
    uint8_t nai_length

cdef int bindings_open(Bindings* bindings, uint32_t capacity, uint64_t now) except -1
cdef void bindings_close(Bindings* bindings) noexcept nogil
cdef Binding* find_binding(const Bindings* bindings, const uint8_t* nai, uint32_t length, uint64_t hash) noexcept nogil
cdef Binding* add_binding(Bindings* bindings, const uint8_t* nai, uint32_t length, uint64_t hash) noexcept nogil
cdef void remove_binding(Bindings* bindings, Binding* binding) noexcept nogil
cdef void forget_old_key(Bindings* bindings, Binding* binding) noexcept nogil
cdef void set_expiry(Bindings* bindings, Binding* binding, uint64_t when) noexcept nogil
