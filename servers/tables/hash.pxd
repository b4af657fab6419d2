# An open-addressing index from 64-bit hash to row number. The rows, and the keys in them, are the caller's.
from libc.stdint cimport uint32_t, uint64_t

cdef enum:
    NO_ROW = 0xFFFFFFFF

cdef struct Slot:
    uint64_t hash
    uint32_t row                   # NO_ROW: empty
    uint32_t unused

cdef struct Table:
    Slot* slots
    uint32_t mask                  # slots - 1, a power of two >= 2 * cap
    uint32_t cap                   # most entries
    uint32_t count
    uint64_t refused               # inserts beyond the cap

cdef bint table_open(Table* table, uint32_t cap) noexcept nogil      # False: no memory. cap 1 .. 2^30
cdef void table_close(Table* table) noexcept nogil

# Several rows may have one hash: compare the key in the row, go on with table_next until NO_ROW.
#     row = table_find(&table, hash, &at)
#     while row != NO_ROW and not same_key(row): row = table_next(&table, hash, &at)
cdef uint32_t table_find(const Table* table, uint64_t hash, uint32_t* at) noexcept nogil
cdef uint32_t table_next(const Table* table, uint64_t hash, uint32_t* at) noexcept nogil
# False: at the cap. Looks for no equal key
cdef bint table_insert(Table* table, uint64_t hash, uint32_t row) noexcept nogil
cdef bint table_remove(Table* table, uint64_t hash, uint32_t row) noexcept nogil     # False: not there
cdef void table_prefetch(const Table* table, uint64_t hash) noexcept nogil

cdef uint64_t seeded_hash(const void* octets, uint32_t n, uint64_t seed) noexcept nogil
cdef uint64_t hash_word(uint64_t word, uint64_t seed) noexcept nogil

cdef class HashTable:
    cdef Table c
