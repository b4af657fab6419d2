from fastcodec.wire cimport hash_octets
from libc.stdint cimport uint8_t, uint32_t, uint64_t
from libc.stdlib cimport calloc, free
from libc.string cimport memcmp, memcpy, memset
from servers.tables.hash cimport NO_ROW, table_close, table_find, table_insert, table_next, table_open


cdef Subscriber* find_subscriber(Subscribers* subscribers, const uint8_t* nai, uint32_t length, uint64_t hash) noexcept nogil:
    """The row of exactly these octets, or NULL."""
    cdef uint32_t at = 0, row = table_find(&subscribers.table, hash, &at)
    cdef Subscriber* found
    while row != NO_ROW:
        found = &subscribers.rows[row]
        if found.nai_length == length and not memcmp(nai_of(subscribers, found), nai, length):
            return found
        row = table_next(&subscribers.table, hash, &at)
    return NULL


cdef class SubscriberTable:
    """Built once from (nai, spi, key, secret, class) rows; at most 64 subscription classes, texts of at most 253 octets."""

    def __cinit__(self, uint32_t capacity, uint64_t text_octets):
        memset(&self.subscribers, 0, sizeof(Subscribers))
        self.subscribers.rows = <Subscriber*> calloc(capacity or 1, sizeof(Subscriber))
        self.subscribers.text = <uint8_t*> calloc(text_octets or 1, 1)
        if not self.subscribers.rows or not self.subscribers.text or not table_open(&self.subscribers.table, capacity or 1):
            raise MemoryError
        self.capacity, self.text_room, self.text_used = capacity, text_octets, 0
        self.classes, self.class_indexes = [], {}

    def __dealloc__(self):
        free(self.subscribers.rows)
        free(self.subscribers.text)
        table_close(&self.subscribers.table)

    def add(self, bytes nai, uint32_t spi, bytes key, bytes secret, str subscription=""):
        """ValueError: a NAI that is there already, or a table or text that is full."""
        cdef Subscriber* row
        cdef uint64_t need = len(nai) + len(secret) + len(key), hash
        if self.subscribers.count == self.capacity or self.text_used + need > self.text_room:
            raise ValueError("subscriber table is full")
        if max(len(nai), len(secret), len(key)) > 253 or not nai:
            raise ValueError("NAI, access secret and key have 1-253, 0-253 and 0-253 octets")
        hash = hash_octets(<const uint8_t*> nai, len(nai))
        if find_subscriber(&self.subscribers, <const uint8_t*> nai, <uint32_t> len(nai), hash):
            raise ValueError(f"subscriber {nai!r} is there already")
        row = &self.subscribers.rows[self.subscribers.count]
        row.hash, row.spi, row.text = hash, spi, self.text_used
        row.nai_length, row.secret_length, row.key_length = <uint8_t> len(nai), <uint8_t> len(secret), <uint8_t> len(key)
        row.subscription = self.class_index(subscription)
        for piece in (nai, secret, key):
            memcpy(self.subscribers.text + self.text_used, <const uint8_t*> piece, len(piece))
            self.text_used += len(piece)
        table_insert(&self.subscribers.table, hash, self.subscribers.count)
        self.subscribers.count += 1

    cdef uint8_t class_index(self, str subscription) except? 255:
        if subscription not in self.class_indexes:
            if len(self.classes) == 64:
                raise ValueError("more than 64 subscription classes")
            self.class_indexes[subscription] = len(self.classes)
            self.classes.append(subscription)
        return self.class_indexes[subscription]

    def __len__(self):
        return self.subscribers.count
