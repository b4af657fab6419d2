# What an FHA worker holds: opened, configured, restored, and shown. `role` works with it.
from fastcodec.digest.jobs cimport DIGEST_KEY_MD5, queue_job, run_queue
from fastcodec.mip4 cimport REPLAY_NONCES, REPLAY_TIMESTAMPS
from fastcodec.radius cimport NUMBERS
from fastcodec.wire cimport get64
from libc.stdint cimport uint16_t, uint32_t, uint64_t, uint8_t
from libc.stdlib cimport calloc, free
from libc.string cimport memcpy, memset
from servers.engine.counters cimport counts_of, offender_of
from servers.engine.parking cimport parking_close, parking_open, parking_row
from servers.engine.stages cimport queue_close, queue_open
from servers.net.node cimport BATCH, Node, ROOM, draw
from servers.pool.bitmap cimport SharedPool
from servers.roles.fha.record cimport fill_record
from servers.roles.fha.restart cimport remember_clock, restore_binding
from servers.roles.fha.state cimport BOUND, MOST_STATIC_KEYS, Fha, RELEASED, Registration, StaticKey
from servers.roles.radius_client cimport Answer, client_close, client_open, client_report, client_server
from servers.store.journal cimport JournalWriter
from servers.tables.bindings cimport Binding, Record, bindings_close, bindings_open
from servers.tables.budget cimport budget_close, budget_open
from servers.tables.hash cimport table_close, table_open


cdef class FhaMemory(Node):
    """`capacity`: requests under way at once; `ports`: sockets of the RADIUS client; `now`: monotonic ns."""

    def __cinit__(self, SharedPool pool, JournalWriter journal, *, uint32_t capacity=16384, uint32_t ports=16, uint64_t now=0,
                  **settings):
        memset(&self.fha, 0, sizeof(Fha))
        self.pool_owner, self.journal_owner = pool, journal
        self.fha.pool, self.fha.journal = &pool.c, journal.c
        self.fha.out, self.fha.now, self.fha.entropy = &self.out, &self.now, &self.entropy
        self.answers = <Answer*> calloc(BATCH, sizeof(Answer))
        self.fha.ready = <uint32_t*> calloc(capacity, sizeof(uint32_t))
        self.fha.held = <uint32_t*> calloc(capacity, sizeof(uint32_t))
        self.fha.static_key = <StaticKey*> calloc(MOST_STATIC_KEYS, sizeof(StaticKey))
        if (not self.answers or not self.fha.ready or not self.fha.held or not self.fha.static_key
                or not table_open(&self.fha.pending, capacity)):
            raise MemoryError
        queue_open(&self.fha.queue, 2 * BATCH)
        parking_open(&self.fha.waiting, capacity, sizeof(Registration), now)
        bindings_open(&self.fha.bindings, pool.c.size, now)
        client_open(&self.fha.client, ports, 1, ROOM, now)
        self.fha.client.queue, self.fha.client.out = &self.fha.queue, &self.out
        self.fha.client.entropy, self.fha.client.counters = &self.entropy, &self.fha.counters
        self.fha.client.now, self.now.monotonic = &self.now, now
        budget_open(&self.fha.requests, 10)                            # ruling 16
        budget_open(&self.fha.duplicates, 10)
        budget_open(&self.fha.mismatches, 1)                           # ruling 3
        budget_open(&self.fha.forgeries, 1)                            # ruling 9
        budget_open(&self.fha.refusals, 100)                           # reliability M4

    def __dealloc__(self):
        free(self.answers)
        free(self.fha.ready)
        free(self.fha.held)
        free(self.fha.static_key)
        table_close(&self.fha.pending)
        queue_close(&self.fha.queue)
        parking_close(&self.fha.waiting)
        bindings_close(&self.fha.bindings)
        client_close(&self.fha.client)
        budget_close(&self.fha.requests)
        budget_close(&self.fha.duplicates)
        budget_close(&self.fha.mismatches)
        budget_close(&self.fha.forgeries)
        budget_close(&self.fha.refusals)

    def __init__(self, SharedPool pool, JournalWriter journal, *, bytes address, bytes pool_network, bytes pool_mask,
                 bytes ipv6_prefix, uint8_t ipv6_prefix_length=64, bytes identifier=b"fha", uint32_t max_lifetime_s=1800,
                 uint32_t window_s=7, uint64_t boot=0, bint strict=True, bint nonces=False, uint32_t capacity=16384,
                 uint32_t ports=16, uint64_t now=0):
        """Addresses, masks and prefixes as packed octets, network order. `strict`: RFC 5944, else as RFC 3344 was;
        `nonces`: new keys are asked for with replay protection by nonces."""
        memcpy(&self.fha.address, <const uint8_t*> address, 4)
        memcpy(&self.fha.pool_network, <const uint8_t*> pool_network, 4)
        memcpy(&self.fha.pool_mask, <const uint8_t*> pool_mask, 4)
        memcpy(self.fha.ipv6_prefix, <const uint8_t*> ipv6_prefix, 16)
        self.fha.ipv6_prefix_length, self.fha.vendor = ipv6_prefix_length, NUMBERS.vendor
        self.fha.identifier_length = <uint8_t> min(len(identifier), 64)
        memcpy(self.fha.identifier, <const uint8_t*> identifier, self.fha.identifier_length)
        memcpy(self.fha.client.identifier, <const uint8_t*> identifier, self.fha.identifier_length)
        self.fha.client.identifier_length = self.fha.identifier_length
        self.fha.max_lifetime_s, self.fha.window_s, self.fha.boot = max_lifetime_s, window_s, boot
        self.fha.strict, self.fha.replay = strict, REPLAY_NONCES if nonces else REPLAY_TIMESTAMPS
        self.fha.seed = get64(draw(&self.entropy, 8))

    def set_aaah(self, bytes address, uint16_t port, bytes secret, *, uint32_t first_timeout_ms=1000, uint32_t tries=5,
                 str message_authenticator="yes", bint probes=True, bint ours=True):
        """A RADIUS server of step 5, the next in order of preference, or the new secret of one known; `address` packed,
        `secret` 1-255 octets. `message_authenticator` in its answers: yes, no, auto; `probes`: it knows Status-Server;
        `ours`: it checks MN-AAA over the octets themselves and derives keys, where others can check CHAP only."""
        client_server(&self.fha.client, address, port, secret, message_authenticator, probes, ours)
        self.fha.client.first_timeout_ms, self.fha.client.most_tries = first_timeout_ms, tries

    def add_static_key(self, uint32_t spi, bytes key, bytes nai=b""):
        """An association for a node (no NAI: for every node) whose AAAH derives no key: `spi` from 256, `key` of 16 to
        32 octets. ValueError when it cannot be, or when there are too many."""
        cdef StaticKey* entry = &self.fha.static_key[self.fha.static_keys]
        if spi < 256 or not 16 <= len(key) <= 32 or len(nai) > 253 or self.fha.static_keys == MOST_STATIC_KEYS - 1:
            raise ValueError(f"SPI {spi}, a key of {len(key)} and a NAI of {len(nai)} octets: cannot be added")
        entry.spi, entry.key_length, entry.nai_length = spi, <uint8_t> len(key), <uint8_t> len(nai)
        memcpy(entry.key, <const uint8_t*> key, len(key))
        memcpy(entry.nai, <const uint8_t*> nai, len(nai))
        queue_job(&self.fha.queue, DIGEST_KEY_MD5, entry.key, entry.key_length, NULL, 0, NULL, &entry.prepared)
        run_queue(&self.fha.queue)
        self.fha.static_keys += 1

    def restore(self, int kind, bytes payload, uint64_t now, uint64_t wall):
        """One journal record, in the journal's order; call before the first datagram. False: the record is not valid."""
        cdef const Record* record = <const Record*> <const uint8_t*> payload
        if len(payload) < <Py_ssize_t> sizeof(Record) or len(payload) != <Py_ssize_t> sizeof(Record) + record.nai_length:
            return False
        remember_clock(&self.fha, record)
        return restore_binding(&self.fha, record, kind == RELEASED, now, wall)

    def records(self, uint64_t now, uint64_t wall):
        """Every lease, and what is still known of ended ones, as journal records for an image: yields (type, payload)."""
        cdef Binding* binding
        cdef Record record
        for row in self.bound_rows():
            binding = <Binding*> parking_row(&self.fha.bindings.rows, row)
            if not binding.nai_length:                               # gone since this began
                continue
            fill_record(&record, binding, now, wall)
            yield (RELEASED if binding.is_over else BOUND,
                   (<const uint8_t*> &record)[:sizeof(Record)] + binding.nai[:binding.nai_length])

    cdef list bound_rows(self):
        cdef uint32_t row
        return [row for row in range(self.fha.bindings.rows.capacity)
                if (<Binding*> parking_row(&self.fha.bindings.rows, row)).nai_length]

    def leases(self):
        """{NAI octets: THOAv4 packed} of every lease."""
        cdef Binding* binding
        held = {}
        for row in self.bound_rows():
            binding = <Binding*> parking_row(&self.fha.bindings.rows, row)
            if not binding.is_over:
                held[binding.nai[:binding.nai_length]] = (<const uint8_t*> &binding.address)[:4]
        return held

    def counters(self):
        """{reason: count} of everything that was counted."""
        return counts_of(&self.fha.counters)

    def gauges(self):
        """{name: (now, most)} of what fills up. Walks the pool's words: not for every packet."""
        cdef Fha* fha = &self.fha
        pool = self.pool_owner.snapshot()
        return {"requests_under_way": (fha.waiting.used, fha.waiting.capacity),
                "bindings": (fha.bindings.rows.used, fha.bindings.rows.capacity),
                "replies_held": (fha.held_count, fha.waiting.capacity),
                "radius_outstanding": (fha.client.in_use, fha.client.upstreams * fha.client.places),
                **{f"pool_{state}": (pool[state], pool["size"]) for state in ("free", "leased", "cooling", "reserved")}}

    def offender(self, str reason):
        """Text on the last datagram counted under a reason, for a log line."""
        return offender_of(&self.fha.counters, reason)

    @property
    def replies_sent(self):
        """(accepting, refusing) Registration Replies."""
        return self.fha.granted, self.fha.denied

    def upstreams(self):
        """[{address, alive, asked, answered, ...}] of the AAAHs, in order of preference."""
        return client_report(&self.fha.client)

    @property
    def under_way(self):
        """Requests that wait for the AAAH, for an older request of their node, or for the journal."""
        return self.fha.waiting.used
