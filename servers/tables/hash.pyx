"""Linear probing over slots of hash and row, four to a cache line; removal shifts back, so there are no tombstones."""
from libc.stdint cimport uint8_t, uint32_t, uint64_t
from libc.stdlib cimport free
from libc.string cimport memcpy, memset

cdef extern from "<stdlib.h>" nogil:
    int posix_memalign(void** out, size_t alignment, size_t n)

cdef extern from *:
    """
    #define prefetch_line(p) __builtin_prefetch(p)
    static inline uint64_t multiply_mix(uint64_t a, uint64_t b) {
        unsigned __int128 product = (unsigned __int128) a * b;
        return (uint64_t) product ^ (uint64_t) (product >> 64);
    }
    """
    void prefetch_line(const void*) nogil
    uint64_t multiply_mix(uint64_t a, uint64_t b) nogil

# Odd constants of dense bits (the fractional digits of pi): they only have to be neither small nor regular.
cdef uint64_t FIRST = 0x243F6A8885A308D3
cdef uint64_t SECOND = 0x13198A2E03707345


cdef bint table_open(Table* table, uint32_t cap) noexcept nogil:
    cdef uint64_t slots = 4
    memset(table, 0, sizeof(Table))
    while slots < 2 * <uint64_t> cap:
        slots *= 2
    if cap == 0 or slots > <uint64_t> 1 << 31 or posix_memalign(<void**> &table.slots, 64, slots * sizeof(Slot)):
        table.slots = NULL
        return False
    memset(table.slots, 0xFF, slots * sizeof(Slot))   # every row NO_ROW
    table.mask, table.cap = <uint32_t> (slots - 1), cap
    return True


cdef void table_close(Table* table) noexcept nogil:
    free(table.slots)
    memset(table, 0, sizeof(Table))


cdef uint32_t table_find(const Table* table, uint64_t hash, uint32_t* at) noexcept nogil:
    """The first row of this hash, NO_ROW: none. `at` is for table_next."""
    at[0] = <uint32_t> hash & table.mask
    while table.slots[at[0]].row != NO_ROW:
        if table.slots[at[0]].hash == hash:
            return table.slots[at[0]].row
        at[0] = (at[0] + 1) & table.mask
    return NO_ROW


cdef uint32_t table_next(const Table* table, uint64_t hash, uint32_t* at) noexcept nogil:
    """The next row of this hash, NO_ROW: none. The table must not have changed since table_find."""
    while True:
        at[0] = (at[0] + 1) & table.mask
        if table.slots[at[0]].row == NO_ROW or table.slots[at[0]].hash == hash:
            return table.slots[at[0]].row


cdef bint table_insert(Table* table, uint64_t hash, uint32_t row) noexcept nogil:
    cdef uint32_t at = <uint32_t> hash & table.mask
    if table.count >= table.cap:
        table.refused += 1
        return False
    while table.slots[at].row != NO_ROW:
        at = (at + 1) & table.mask
    table.slots[at].hash, table.slots[at].row = hash, row
    table.count += 1
    return True


cdef void shift_back(Table* table, uint32_t hole) noexcept nogil:
    """Moves up whatever was pushed past the hole, so that no search ends before it."""
    cdef uint32_t at = hole, home
    while True:
        at = (at + 1) & table.mask
        if table.slots[at].row == NO_ROW:
            break
        home = <uint32_t> table.slots[at].hash & table.mask
        if ((at - home) & table.mask) >= ((at - hole) & table.mask):     # its way from home leads over the hole
            table.slots[hole] = table.slots[at]
            hole = at
    table.slots[hole].row = NO_ROW


cdef bint table_remove(Table* table, uint64_t hash, uint32_t row) noexcept nogil:
    cdef uint32_t at = <uint32_t> hash & table.mask
    while table.slots[at].row != NO_ROW:
        if table.slots[at].row == row and table.slots[at].hash == hash:
            shift_back(table, at)
            table.count -= 1
            return True
        at = (at + 1) & table.mask
    return False


cdef void table_prefetch(const Table* table, uint64_t hash) noexcept nogil:
    prefetch_line(&table.slots[<uint32_t> hash & table.mask])


cdef inline uint64_t eight(const uint8_t* at) noexcept nogil:
    cdef uint64_t word
    memcpy(&word, at, 8)
    return word


cdef inline uint64_t four(const uint8_t* at) noexcept nogil:
    cdef uint32_t word
    memcpy(&word, at, 4)
    return word


cdef inline uint64_t up_to_eight(const uint8_t* at, uint32_t n) noexcept nogil:
    """All of them, some twice: reads of fixed size need no loop, and the length is hashed, too."""
    if n >= 4:
        return four(at) << 32 | four(at + n - 4)
    return <uint64_t> at[0] << 16 | <uint64_t> at[n // 2] << 8 | at[n - 1] if n else 0


cdef uint64_t seeded_hash(const void* octets, uint32_t n, uint64_t seed) noexcept nogil:
    """Multiply and mix, 16 octets a step. The seed is secret and random, or a sender could choose colliding names."""
    cdef const uint8_t* at = <const uint8_t*> octets
    cdef uint64_t state = seed ^ multiply_mix(seed ^ FIRST, n ^ SECOND)
    while n > 16:
        state = multiply_mix(eight(at) ^ FIRST ^ seed, eight(at + 8) ^ state)
        at += 16
        n -= 16
    cdef uint64_t a = eight(at) if n > 8 else up_to_eight(at, n)
    cdef uint64_t b = eight(at + n - 8) if n > 8 else 0
    return multiply_mix(SECOND ^ seed, multiply_mix(a ^ FIRST, b ^ state) ^ state)


cdef uint64_t hash_word(uint64_t word, uint64_t seed) noexcept nogil:
    """The same for a key of 8 octets at most."""
    return multiply_mix(SECOND ^ seed, multiply_mix(word ^ FIRST, seed ^ SECOND))


# ---- a Python face: the table is used from Cython; this one serves tools and tests ----------------------------------

cdef class HashTable:
    """Rows by 64-bit hash. `cap`: most entries, 1 to 2^30. ValueError or MemoryError when that cannot be."""

    def __cinit__(self, uint64_t cap):
        if not 1 <= cap <= 1 << 30:
            raise ValueError(f"cap {cap}: 1 to 2^30")
        if not table_open(&self.c, <uint32_t> cap):
            raise MemoryError

    def __dealloc__(self):
        table_close(&self.c)

    def __len__(self):
        return self.c.count

    def insert(self, uint64_t hash, uint32_t row):
        """False at the cap."""
        if row == NO_ROW:
            raise ValueError("this number means: no row")
        return table_insert(&self.c, hash, row)

    def remove(self, uint64_t hash, uint32_t row):
        """False when it is not there."""
        return table_remove(&self.c, hash, row)

    def find(self, uint64_t hash):
        """All rows of this hash."""
        cdef uint32_t at, row = table_find(&self.c, hash, &at)
        rows = []
        while row != NO_ROW:
            rows.append(row)
            row = table_next(&self.c, hash, &at)
        return rows

    @property
    def refused(self):
        return self.c.refused


def hash_of(const uint8_t[::1] octets not None, uint64_t seed):
    """The 64-bit hash of the octets."""
    return seeded_hash(&octets[0] if octets.shape[0] else NULL, <uint32_t> octets.shape[0], seed)
