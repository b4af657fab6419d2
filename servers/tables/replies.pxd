# Duplicate cache of a RADIUS server (RFC 5080 2.2.2): the same request gets the same octets, for 5 s.
from libc.stdint cimport uint8_t, uint16_t, uint32_t, uint64_t
from servers.tables.hash cimport Table

cpdef enum Seen:
    MISS = 0
    PENDING = 1                    # being worked on: drop the duplicate
    DONE = 2                       # send the stored octets again
    CHANGED = 3                    # same peer and identifier, other authenticator: the old entry is gone, treat as MISS

cdef struct Entry:
    uint64_t hash
    uint64_t expires               # monotonic ns
    uint32_t peer_address          # network order
    uint16_t peer_port
    uint8_t identifier
    uint8_t state                  # Seen: MISS (free), PENDING, DONE
    uint8_t[16] authenticator
    uint32_t length
    uint32_t large                 # 1 + index in the slab of large replies, 0: inline
    uint32_t turn                  # counts reuses of this place: a handle of an earlier one is refused
    uint32_t older                 # neighbours by age, place + 1; 0: none. A free place has the next free one in `newer`
    uint32_t newer

cdef struct Replies:
    Table table
    Entry* entries
    uint8_t* inline_octets         # capacity x inline_size
    uint8_t* large_octets          # large_count x LARGE
    uint32_t* large_free
    uint32_t capacity
    uint32_t inline_size
    uint32_t large_count
    uint32_t large_left
    uint32_t oldest                # place + 1: all live equally long, so the list by age is the timer
    uint32_t newest
    uint32_t free                  # place + 1
    uint64_t life                  # ns
    uint64_t seed
    uint64_t refused               # requests that found no free place
    uint64_t refused_large         # replies that found no room: the entry is dropped, a duplicate is worked on again

# `octets`/`length` are set for DONE only and stay valid until the next call that takes `now`.
cdef Seen replies_find(Replies* replies, uint32_t peer_address, uint16_t peer_port, uint8_t identifier,
                       const uint8_t* authenticator, uint64_t now, const uint8_t** octets,
                       uint32_t* length) noexcept nogil
# After MISS or CHANGED. The handle, 0: refused (full).
cdef uint64_t replies_begin(Replies* replies, uint32_t peer_address, uint16_t peer_port, uint8_t identifier,
                            const uint8_t* authenticator, uint64_t now) noexcept nogil
cdef bint replies_finish(Replies* replies, uint64_t handle, const uint8_t* octets, uint32_t length) noexcept nogil
# Whether a newer request of the same triple has taken the place of the one that was begun with the handle.
cdef bint replies_superseded(Replies* replies, uint64_t handle, uint32_t peer_address, uint16_t peer_port,
                             uint8_t identifier) noexcept nogil
cdef void replies_cancel(Replies* replies, uint64_t handle) noexcept nogil   # no reply will come: a duplicate is new
cdef void replies_expire(Replies* replies, uint64_t now) noexcept nogil
cdef void replies_prefetch(const Replies* replies, uint32_t peer_address, uint16_t peer_port,
                           uint8_t identifier) noexcept nogil

cdef class ReplyCache:
    """Owns the memory; roles take `&cache.c`."""
    cdef Replies c
