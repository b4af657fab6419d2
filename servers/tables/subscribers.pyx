from fastcodec.wire cimport mix_octets
from libc.stdint cimport uint8_t, uint32_t, uint64_t
from libc.stdlib cimport calloc, free
from libc.string cimport memcmp, memcpy, memset
from servers.tables.hash cimport NO_ROW, table_close, table_find, table_insert, table_next, table_open, table_prefetch

cdef extern from "<stdlib.h>" nogil:
    void* aligned_alloc(size_t alignment, size_t size)

cdef enum:
    MOST_CLASSES = 64
    AHEAD = 16                       # rows between a prefetch and its use


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
    """Built once, row by row or from columns; at most 64 subscription classes, texts of at most 253 octets."""

    def __cinit__(self, uint32_t capacity, uint64_t text_octets):
        memset(&self.subscribers, 0, sizeof(Subscribers))
        self.subscribers.rows = <Subscriber*> aligned_alloc(64, <size_t> (capacity or 1) * sizeof(Subscriber))
        self.subscribers.text = <uint8_t*> calloc(text_octets or 1, 1)
        if not self.subscribers.rows or not self.subscribers.text or not table_open(&self.subscribers.table, capacity or 1):
            raise MemoryError
        memset(self.subscribers.rows, 0, <size_t> capacity * sizeof(Subscriber))
        self.capacity, self.text_room, self.text_used = capacity, text_octets, 0
        self.classes, self.class_indexes = [], {}

    def __dealloc__(self):
        free(self.subscribers.rows)
        free(self.subscribers.text)
        table_close(&self.subscribers.table)

    @classmethod
    def from_columns(cls, columns):
        """The table of a `subscribers_csv.Subscribers`, filled without the GIL. ValueError: what `add` says."""
        cdef SubscriberTable table = cls(len(columns), columns.nai.blob.size + columns.access_secret.blob.size
                                         + columns.key.blob.size)
        cdef uint32_t done
        cdef Column nai = column_of(columns.nai), secret = column_of(columns.access_secret), key = column_of(columns.key)
        cdef const uint32_t[::1] spi = columns.spi
        cdef const uint16_t[::1] subscription = columns.class_index
        for name in columns.classes:
            table.class_index(name)
        if not len(columns):
            return table
        if columns.class_index.max() >= len(table.classes):
            raise ValueError("a row is of a class that has no name")
        with nogil:
            done = fill(table, &nai, &secret, &key, &spi[0], &subscription[0])
        if done < table.capacity:
            raise ValueError(f"subscriber {columns.nai[done]!r} cannot be added: its NAI is there already or a text too long")
        return table

    def add(self, bytes nai, uint32_t spi, bytes key, bytes secret, str subscription=""):
        """ValueError: a NAI that is there already, or a table or text that is full."""
        if self.subscribers.count == self.capacity or self.text_used + len(nai) + len(secret) + len(key) > self.text_room:
            raise ValueError("subscriber table is full")
        if max(len(nai), len(secret), len(key)) > 253 or not nai:
            raise ValueError("NAI, access secret and key have 1-253, 0-253 and 0-253 octets")
        if not put_row(self, nai, <uint32_t> len(nai), secret, <uint32_t> len(secret), key, <uint32_t> len(key), spi,
                       self.class_index(subscription), mix_octets(<const uint8_t*> nai, len(nai))):
            raise ValueError(f"subscriber {nai!r} is there already")

    cdef uint8_t class_index(self, str subscription) except? 255:
        if subscription not in self.class_indexes:
            if len(self.classes) == MOST_CLASSES:
                raise ValueError(f"more than {MOST_CLASSES} subscription classes")
            self.class_indexes[subscription] = len(self.classes)
            self.classes.append(subscription)
        return self.class_indexes[subscription]

    def adopt(self, SubscriberTable before not None):
        """Takes over what another table learnt of the NAIs that both have."""
        with nogil:
            take_over(&self.subscribers, &before.subscribers)

    @property
    def octets(self):
        """Memory of the table."""
        return (self.capacity * sizeof(Subscriber) + self.text_room
                + (<uint64_t> self.subscribers.table.mask + 1) * sizeof(self.subscribers.table.slots[0]))

    def __len__(self):
        return self.subscribers.count


cdef struct Column:                  # strings of unequal length in one piece of memory
    const uint8_t* blob
    const uint32_t* offsets


cdef Column column_of(octets) except *:
    """Of a `subscribers_csv.Octets`, which must live on."""
    cdef Column column
    cdef const uint8_t[::1] blob = octets.blob
    cdef const uint32_t[::1] offsets = octets.offsets
    column.blob = &blob[0] if blob.shape[0] else NULL
    column.offsets = &offsets[0]
    return column


cdef inline const uint8_t* at_row(const Column* column, uint32_t row, uint32_t* length) noexcept nogil:
    length[0] = column.offsets[row + 1] - column.offsets[row]
    return column.blob + column.offsets[row]


cdef uint32_t fill(SubscriberTable table, const Column* nais, const Column* secrets, const Column* keys,
                   const uint32_t* spi, const uint16_t* subscription) noexcept nogil:
    """How many rows could be added before the first that could not."""
    cdef uint32_t row, nai_length, secret_length, key_length
    cdef const uint8_t* nai
    cdef const uint8_t* secret
    cdef const uint8_t* key
    for row in range(table.capacity):
        nai, secret = at_row(nais, row, &nai_length), at_row(secrets, row, &secret_length)
        key = at_row(keys, row, &key_length)
        if not nai_length:                              # a place without a subscriber
            table.subscribers.count += 1
            continue
        if nai_length > 253 or secret_length > 253 or key_length > 253 or not put_row(
                table, nai, nai_length, secret, secret_length, key, key_length, spi[row], <uint8_t> subscription[row],
                mix_octets(nai, nai_length)):
            return row
    return table.capacity


cdef bint put_row(SubscriberTable table, const uint8_t* nai, uint32_t nai_length, const uint8_t* secret,
                  uint32_t secret_length, const uint8_t* key, uint32_t key_length, uint32_t spi, uint8_t subscription,
                  uint64_t hash) noexcept nogil:
    """False: the NAI is there already. There must be room."""
    cdef Subscribers* subscribers = &table.subscribers
    cdef Subscriber* row = &subscribers.rows[subscribers.count]
    cdef uint8_t* text = subscribers.text + table.text_used
    if find_subscriber(subscribers, nai, nai_length, hash):
        return False
    row.hash, row.spi, row.text, row.subscription = hash, spi, table.text_used, subscription
    row.nai_length, row.secret_length, row.key_length = <uint8_t> nai_length, <uint8_t> secret_length, <uint8_t> key_length
    memcpy(text, nai, nai_length)
    memcpy(text + nai_length, secret, secret_length)
    memcpy(text + nai_length + secret_length, key, key_length)
    table.text_used += nai_length + secret_length + key_length
    table_insert(&subscribers.table, hash, subscribers.count)
    subscribers.count += 1
    return True


cdef void take_over(Subscribers* subscribers, const Subscribers* before) noexcept nogil:
    cdef const Subscriber* known
    cdef Subscriber* row
    cdef uint32_t k
    for k in range(before.count):
        if k + AHEAD < before.count:
            table_prefetch(&subscribers.table, before.rows[k + AHEAD].hash)
        known = &before.rows[k]
        if not known.identification and not known.assigned_until:
            continue
        row = find_subscriber(subscribers, nai_of(before, known), known.nai_length, known.hash)
        if row:
            row.identification, row.covered_hash = known.identification, known.covered_hash
            row.assigned_until = known.assigned_until
            memcpy(row.fhas, known.fhas, sizeof(row.fhas))
