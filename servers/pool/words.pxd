# The word of an address: who holds it, and since when or until when; and its bit in the map.
from libc.stdint cimport uint32_t, uint64_t
from servers.pool.atomics cimport fetch_add, fetch_and, load_acquire
from servers.pool.bitmap cimport AddressState, COOLING, LEASED, Pool

cdef extern from "<arpa/inet.h>" nogil:
    uint32_t htonl(uint32_t)
    uint32_t ntohl(uint32_t)

# A word: state (2 bits) | detail (30) | tag (32). The tag is the owner's hash folded. Detail of a lease: worker (8)
# and the number of the grant (22), so that two leases of one owner differ; of a cooling address: the second it rests
# until.
cdef enum:
    DETAIL = 32
    STATE = 62
    GRANT = 0x3FFFFF
    MOST_SECONDS = 0x3FFFFFFF      # 34 years of uptime
    SECOND = 1000000000            # ns

cdef inline uint64_t tag_of(uint64_t owner) noexcept nogil:
    return (owner ^ (owner >> 32)) & 0xFFFFFFFFu

cdef inline AddressState state_of(uint64_t word) noexcept nogil:
    return <AddressState> (word >> STATE)

cdef inline bint same_owner(uint64_t word, uint64_t owner) noexcept nogil:
    return (word & 0xFFFFFFFFu) == tag_of(owner)

cdef inline bint rested(uint64_t word, uint64_t second) noexcept nogil:
    return second > ((word >> DETAIL) & MOST_SECONDS)

cdef inline uint64_t leased_word(Pool* pool, uint64_t owner) noexcept nogil:
    pool.grants += 1
    return (<uint64_t> LEASED << STATE | <uint64_t> (pool.worker << 22 | (pool.grants & GRANT)) << DETAIL
            | tag_of(owner))

cdef inline uint64_t cooling_word(uint64_t until, uint64_t tag) noexcept nogil:
    return <uint64_t> COOLING << STATE | (until & MOST_SECONDS) << DETAIL | tag

cdef inline uint32_t index_of(const Pool* pool, uint32_t address) noexcept nogil:
    """Index below pool.size, or anything above when the address lies outside."""
    return ntohl(address) - pool.first

cdef inline void clear_bit(Pool* pool, uint32_t index) noexcept nogil:
    """Rule 1. Counted only when it is done: an exhaustion is proven against the count."""
    fetch_and(&pool.map[index // 64], ~(<uint64_t> 1 << (index % 64)))
    fetch_add(&pool.line.released, 1)

cdef inline bint bit_is_set(const Pool* pool, uint32_t index) noexcept nogil:
    return (load_acquire(&pool.map[index // 64]) >> (index % 64)) & 1
