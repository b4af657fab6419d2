"""The duplicate cache. All entries live equally long, so the list by age is the timer.

A client asks from a bounded number of address, port and identifier triples; a new request under one of them takes the
place of the one before, the warmest in the cache. An entry's octets lie at its place (most replies), or in one of a few
large places; nothing is allocated an entry.
"""
import os

from libc.stdint cimport uint8_t, uint16_t, uint32_t, uint64_t
from libc.stdlib cimport calloc, free
from libc.string cimport memcmp, memcpy, memset
from servers.engine.pages cimport expect_use
from servers.tables.hash cimport (
    NO_ROW, hash_word, table_close, table_find, table_insert, table_next, table_open, table_prefetch, table_remove,
)

cdef enum:
    LARGE = 4096                   # octets; RFC 2865 section 3 allows no longer packet


cdef inline uint64_t key_hash(const Replies* replies, uint32_t address, uint16_t port,
                              uint8_t identifier) noexcept nogil:
    return hash_word(<uint64_t> address << 24 | <uint64_t> port << 8 | identifier, replies.seed)


cdef Entry* lookup(const Replies* replies, uint64_t hash, uint32_t address, uint16_t port,
                   uint8_t identifier) noexcept nogil:
    cdef uint32_t at, row = table_find(&replies.table, hash, &at)
    cdef Entry* entry
    while row != NO_ROW:
        entry = &replies.entries[row]
        if entry.peer_address == address and entry.peer_port == port and entry.identifier == identifier:
            return entry
        row = table_next(&replies.table, hash, &at)
    return NULL


cdef uint8_t* octets_of(const Replies* replies, const Entry* entry) noexcept nogil:
    if entry.large:
        return replies.large_octets + <size_t> (entry.large - 1) * LARGE
    return replies.inline_octets + <size_t> (entry - replies.entries) * replies.inline_size


cdef void drop(Replies* replies, Entry* entry) noexcept nogil:
    """From the index, the list and the large places; its own place is the next to be taken."""
    cdef uint32_t place = <uint32_t> (entry - replies.entries) + 1
    if entry.state == MISS:
        return
    table_remove(&replies.table, entry.hash, place - 1)
    entry.state = MISS
    if entry.large:
        replies.large_free[replies.large_left] = entry.large
        replies.large_left += 1
        entry.large = 0
    if entry.older:
        replies.entries[entry.older - 1].newer = entry.newer
    else:
        replies.oldest = entry.newer
    if entry.newer:
        replies.entries[entry.newer - 1].older = entry.older
    else:
        replies.newest = entry.older
    entry.newer, replies.free = replies.free, place


cdef void replies_expire(Replies* replies, uint64_t now) noexcept nogil:
    """Drops what is over. Every call that takes `now` does the same; an idle server need not call it."""
    while replies.oldest and now >= replies.entries[replies.oldest - 1].expires:
        drop(replies, &replies.entries[replies.oldest - 1])


cdef Seen replies_find(Replies* replies, uint32_t peer_address, uint16_t peer_port, uint8_t identifier,
                       const uint8_t* authenticator, uint64_t now, const uint8_t** octets,
                       uint32_t* length) noexcept nogil:
    """RFC 5080 2.2.2. The time of an entry runs from its first request: a duplicate does not prolong it."""
    replies_expire(replies, now)
    cdef Entry* entry = lookup(replies, key_hash(replies, peer_address, peer_port, identifier), peer_address, peer_port,
                               identifier)
    if entry == NULL:
        return MISS
    if memcmp(entry.authenticator, authenticator, 16):
        drop(replies, entry)
        return CHANGED
    if entry.state == DONE:
        octets[0], length[0] = octets_of(replies, entry), entry.length
    return <Seen> entry.state


cdef uint64_t replies_begin(Replies* replies, uint32_t peer_address, uint16_t peer_port, uint8_t identifier,
                            const uint8_t* authenticator, uint64_t now) noexcept nogil:
    replies_expire(replies, now)
    if not replies.free:
        replies.refused += 1
        return 0
    cdef uint32_t place = replies.free - 1
    cdef Entry* entry = &replies.entries[place]
    cdef uint32_t turn = entry.turn + 1 if entry.turn + 1 else 1
    replies.free = entry.newer
    entry.older, entry.newer = replies.newest, 0
    if replies.newest:
        replies.entries[replies.newest - 1].newer = place + 1
    else:
        replies.oldest = place + 1
    replies.newest = place + 1
    entry.hash = key_hash(replies, peer_address, peer_port, identifier)
    entry.expires, entry.turn, entry.state = now + replies.life, turn, PENDING
    entry.peer_address, entry.peer_port, entry.identifier = peer_address, peer_port, identifier
    memcpy(entry.authenticator, authenticator, 16)
    table_insert(&replies.table, entry.hash, place)    # its cap is the number of places
    return <uint64_t> turn << 32 | place


cdef Entry* of_handle(const Replies* replies, uint64_t handle) noexcept nogil:
    """The entry if it is still the one that was begun and nobody has answered or dropped it."""
    cdef uint32_t place = <uint32_t> handle
    if handle == 0 or place >= replies.capacity:
        return NULL
    cdef Entry* entry = &replies.entries[place]
    return entry if entry.turn == handle >> 32 and entry.state == PENDING else NULL


cdef bint replies_finish(Replies* replies, uint64_t handle, const uint8_t* octets, uint32_t length) noexcept nogil:
    """False when the entry is gone, or no place is left for so long a reply: duplicates are then worked on again."""
    cdef Entry* entry = of_handle(replies, handle)
    if entry == NULL:
        return False
    if length > replies.inline_size:
        if length > LARGE or replies.large_left == 0:
            replies.refused_large += 1
            drop(replies, entry)
            return False
        replies.large_left -= 1
        entry.large = replies.large_free[replies.large_left]
    memcpy(octets_of(replies, entry), octets, length)
    entry.length, entry.state = length, DONE
    return True


cdef bint replies_superseded(Replies* replies, uint64_t handle, uint32_t peer_address, uint16_t peer_port,
                             uint8_t identifier) noexcept nogil:
    """False, too, when the one that was begun has merely expired and there is no other."""
    cdef Entry* entry = lookup(replies, key_hash(replies, peer_address, peer_port, identifier), peer_address, peer_port,
                               identifier)
    return entry != NULL and entry != of_handle(replies, handle)


cdef void replies_cancel(Replies* replies, uint64_t handle) noexcept nogil:
    cdef Entry* entry = of_handle(replies, handle)
    if entry != NULL:
        drop(replies, entry)


cdef void replies_prefetch(const Replies* replies, uint32_t peer_address, uint16_t peer_port,
                           uint8_t identifier) noexcept nogil:
    table_prefetch(&replies.table, key_hash(replies, peer_address, peer_port, identifier))


cdef class ReplyCache:
    """Replies of the last `life_s` seconds by peer address, peer port and identifier.

    `capacity`: triples a life, 1 to 2^24; `inline_size`: octets kept at each entry's own place, 20 to 4096; `large`:
    places of 4096 octets for longer replies. Memory: capacity x (inline_size + 104) + large x 4100, at once.
    Addresses and ports are numbers, times seconds. ValueError or MemoryError when that cannot be.
    """

    def __cinit__(self, uint32_t capacity=65_536, uint32_t inline_size=512, uint32_t large=1024, double life_s=5.0):
        cdef uint32_t place
        if not 1 <= capacity <= 1 << 24 or not 20 <= inline_size <= LARGE or large > 1 << 20 or not life_s > 0:
            raise ValueError("capacity 1 to 2^24, inline_size 20 to 4096, large 0 to 2^20, life_s above 0")
        self.c.capacity, self.c.inline_size, self.c.large_count = capacity, inline_size, large
        self.c.life = <uint64_t> (life_s * 1e9)
        self.c.seed = int.from_bytes(os.urandom(8), "little")
        self.c.entries = <Entry*> calloc(capacity, sizeof(Entry))
        self.c.inline_octets = <uint8_t*> calloc(capacity, inline_size)
        if self.c.inline_octets != NULL:
            expect_use(self.c.inline_octets, <size_t> capacity * inline_size)
        self.c.large_octets = <uint8_t*> calloc(large + 1, LARGE)
        self.c.large_free = <uint32_t*> calloc(large + 1, sizeof(uint32_t))
        if (not table_open(&self.c.table, capacity) or self.c.entries == NULL or self.c.inline_octets == NULL
                or self.c.large_octets == NULL or self.c.large_free == NULL):
            raise MemoryError
        for place in range(capacity):                  # the first place is taken first
            self.c.entries[place].newer = place + 2 if place + 1 < capacity else 0
        self.c.free = 1
        for self.c.large_left in range(large):
            self.c.large_free[self.c.large_left] = self.c.large_left + 1
        self.c.large_left = large

    def __dealloc__(self):
        table_close(&self.c.table)
        free(self.c.entries)
        free(self.c.inline_octets)
        free(self.c.large_octets)
        free(self.c.large_free)

    def __len__(self):
        """Live entries."""
        return self.c.table.count

    def find(self, uint32_t address, uint16_t port, uint8_t identifier, const uint8_t[::1] authenticator not None,
             double now):
        """(Seen, the reply's octets if DONE else b"")."""
        cdef const uint8_t* octets = NULL
        cdef uint32_t length = 0
        check_authenticator(authenticator)
        seen = Seen(replies_find(&self.c, address, port, identifier, &authenticator[0], <uint64_t> (now * 1e9), &octets,
                                 &length))
        return seen, (<const char*> octets)[:length] if length else b""

    def begin(self, uint32_t address, uint16_t port, uint8_t identifier, const uint8_t[::1] authenticator not None,
              double now):
        """Handle, 0 when full. Only after MISS or CHANGED."""
        check_authenticator(authenticator)
        return replies_begin(&self.c, address, port, identifier, &authenticator[0], <uint64_t> (now * 1e9))

    def finish(self, uint64_t handle, const uint8_t[::1] octets not None):
        """Whether the reply is kept."""
        return replies_finish(&self.c, handle, &octets[0] if octets.shape[0] else NULL, <uint32_t> octets.shape[0])

    def cancel(self, uint64_t handle):
        replies_cancel(&self.c, handle)

    def expire(self, double now):
        replies_expire(&self.c, <uint64_t> (now * 1e9))

    def counters(self):
        """live, large (places in use), refused, refused_large."""
        return {"live": self.c.table.count, "large": self.c.large_count - self.c.large_left,
                "refused": self.c.refused, "refused_large": self.c.refused_large}


def check_authenticator(const uint8_t[::1] authenticator not None):
    if authenticator.shape[0] != 16:
        raise ValueError(f"an authenticator of {authenticator.shape[0]} octets")


def churn(ReplyCache cache not None, uint64_t rounds, uint32_t length, uint64_t rate):
    """Compiled load: `rate` requests a second of virtual time, each missed, begun, finished and found again.

    Returns how often the last step said DONE.
    """
    cdef uint64_t k, now = 0, handle, done = 0
    cdef const uint8_t* octets
    cdef uint8_t[4096] reply
    cdef uint32_t kept
    memset(reply, 7, sizeof(reply))
    length = min(length, 4096u)
    with nogil:
        for k in range(rounds):
            now += 1000000000u // rate
            memcpy(reply, &k, 8)
            if replies_find(&cache.c, <uint32_t> (k >> 20), <uint16_t> (k >> 8), <uint8_t> k, reply, now, &octets,
                            &kept) != MISS:
                continue
            handle = replies_begin(&cache.c, <uint32_t> (k >> 20), <uint16_t> (k >> 8), <uint8_t> k, reply, now)
            replies_finish(&cache.c, handle, reply, length)
            done += replies_find(&cache.c, <uint32_t> (k >> 20), <uint16_t> (k >> 8), <uint8_t> k, reply, now, &octets,
                                 &kept) == DONE
    return done
