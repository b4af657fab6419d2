# The subscribers as one compiled table: a 64-octet row each, their text in one blob, found by the hash of the NAI.
from libc.stdint cimport uint8_t, uint16_t, uint32_t, uint64_t
from fastcodec.wire cimport prefetch
from servers.tables.hash cimport NO_ROW, Table, table_find, table_prefetch

cdef struct Subscriber:
    uint64_t hash
    uint64_t identification          # newest accepted at step 5, 0: none yet
    uint64_t covered_hash            # of the octets that came with it: the same again is answered again
    uint64_t text                    # offset in the blob: NAI, access secret, MN-AAA key
    uint32_t[4] fhas                 # named at step 3, network order, 0: none
    uint32_t assigned_until          # s, monotonic; 0: never
    uint32_t spi                     # of the MN-AAA association
    uint8_t nai_length
    uint8_t secret_length
    uint8_t key_length
    uint8_t subscription             # index of the subscription class

cdef struct Subscribers:
    Subscriber* rows
    uint8_t* text
    uint32_t count
    Table table

cdef class SubscriberTable:
    cdef Subscribers subscribers
    cdef readonly list classes       # names; a row's `subscription` is an index
    cdef dict class_indexes
    cdef uint32_t capacity
    cdef uint64_t text_room, text_used
    cdef uint8_t class_index(self, str subscription) except? 255

cdef Subscriber* find_subscriber(Subscribers* subscribers, const uint8_t* nai, uint32_t length, uint64_t hash) noexcept nogil

# Before a search, each a stage later than the one before, so that none waits for memory: the slot, the row, the text.
cdef inline void prefetch_slot(const Subscribers* s, uint64_t hash) noexcept nogil:
    table_prefetch(&s.table, hash)

cdef inline void prefetch_row(const Subscribers* s, uint64_t hash) noexcept nogil:
    cdef uint32_t at = 0, row = table_find(&s.table, hash, &at)
    if row != NO_ROW:
        prefetch(&s.rows[row])

cdef inline void prefetch_text(const Subscribers* s, uint64_t hash) noexcept nogil:
    cdef uint32_t at = 0, row = table_find(&s.table, hash, &at)
    if row != NO_ROW:
        prefetch(s.text + s.rows[row].text)

cdef inline const uint8_t* nai_of(const Subscribers* s, const Subscriber* row) noexcept nogil:
    return s.text + row.text

cdef inline const uint8_t* secret_of(const Subscribers* s, const Subscriber* row) noexcept nogil:
    return s.text + row.text + row.nai_length

cdef inline const uint8_t* key_of(const Subscribers* s, const Subscriber* row) noexcept nogil:
    return s.text + row.text + row.nai_length + row.secret_length
