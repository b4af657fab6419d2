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
from servers.roles.fha.overlap cimport OldKey
from servers.roles.fha.record cimport write_binding
from servers.roles.fha.restart cimport remember_clock, restore_binding
from servers.roles.fha.state cimport (
    Acknowledgment, BOUND, Fha, MOMENT, MOST_ORDERS, MOST_POOLS, MOST_REVOCATIONS, MOST_STATIC_KEYS, NamedPool, Order,
    POOL_NAME_LONGEST, RECORD_ROOM, RELEASED, Registration, Revocation, SECOND, StaticKey,
)
from servers.roles.radius_client cimport Answer, MOST_UPSTREAMS, client_close, client_open, client_report, client_server
from servers.roles.fha.static_keys cimport follow_static_keys, forget_static_keys
from servers.store.journal cimport JournalWriter
from servers.tables.bindings cimport Binding, Record, bindings_close, bindings_open
from servers.tables.budget cimport budget_close, budget_open
from servers.tables.ended cimport ended_close, ended_open
from servers.tables.hash cimport table_close, table_open
from servers.tables.replies cimport ReplyCache


cdef class FhaMemory(Node):
    """`capacity`: requests under way at once; `ports`: sockets of the RADIUS client; `now`: monotonic ns; `outside`: leases
    of addresses that are in no pool; `pools`: (name, SharedPool) of those beside `pool`, 7 at most."""

    def __cinit__(self, SharedPool pool, JournalWriter journal, *, uint32_t capacity=16384, uint32_t ports=16, uint64_t now=0,
                  uint32_t outside=4096, pools=(), **settings):
        memset(&self.fha, 0, sizeof(Fha))
        self.pool_owners, self.journal_owner, self.fha.journal = [], journal, journal.c
        self.add_pool(b"default", pool)
        for name, other in pools:
            self.add_pool(name, other)
        self.fha.out, self.fha.now, self.fha.entropy = &self.out, &self.now, &self.entropy
        self.answers = <Answer*> calloc(BATCH, sizeof(Answer))
        self.acknowledgments = <Acknowledgment*> calloc(BATCH, sizeof(Acknowledgment))
        self.fha.revocations_new = <uint32_t*> calloc(MOST_REVOCATIONS, sizeof(uint32_t))
        self.fha.revocations_held = <uint32_t*> calloc(MOST_REVOCATIONS, sizeof(uint32_t))
        self.fha.ready = <uint32_t*> calloc(capacity, sizeof(uint32_t))
        self.fha.held = <uint32_t*> calloc(capacity, sizeof(uint32_t))
        self.fha.static_key = <StaticKey*> calloc(MOST_STATIC_KEYS, sizeof(StaticKey))
        if (not self.answers or not self.fha.ready or not self.fha.held or not self.fha.static_key
                or not self.acknowledgments or not self.fha.revocations_new or not self.fha.revocations_held
                or not table_open(&self.fha.told, MOST_REVOCATIONS)
                or not table_open(&self.fha.pending, capacity) or not table_open(&self.fha.outside, max(outside, <uint32_t> 1))):
            raise MemoryError
        queue_open(&self.fha.queue, MOST_UPSTREAMS * BATCH)            # an order may be under any server's secret
        parking_open(&self.fha.waiting, capacity, sizeof(Registration), now)
        parking_open(&self.fha.revocations, MOST_REVOCATIONS, sizeof(Revocation), now)
        bindings_open(&self.fha.bindings, outside + <uint32_t> sum([one.size for one in self.pool_owners]), now)
        client_open(&self.fha.client, ports, 1, ROOM, now)
        self.fha.client.queue, self.fha.client.out = &self.fha.queue, &self.out
        self.fha.client.entropy, self.fha.client.counters = &self.entropy, &self.fha.counters
        self.fha.client.now, self.now.monotonic = &self.now, now
        ended_open(&self.fha.ended)
        budget_open(&self.fha.requests, 10)                            # ruling 16
        budget_open(&self.fha.duplicates, 10)
        budget_open(&self.fha.mismatches, 1)                           # ruling 3
        budget_open(&self.fha.forgeries, 1)                            # ruling 9
        budget_open(&self.fha.refusals, 100)                           # reliability M4

    def __dealloc__(self):
        free(self.answers)
        free(self.acknowledgments)
        free(self.fha.revocations_new)
        free(self.fha.revocations_held)
        table_close(&self.fha.told)
        parking_close(&self.fha.revocations)
        free(self.fha.ready)
        free(self.fha.held)
        free(self.fha.orders_held)
        if self.fha.order_replies:
            parking_close(&self.fha.orders)
        free(self.fha.static_key)
        table_close(&self.fha.pending)
        table_close(&self.fha.outside)
        queue_close(&self.fha.queue)
        parking_close(&self.fha.waiting)
        bindings_close(&self.fha.bindings)
        client_close(&self.fha.client)
        ended_close(&self.fha.ended)
        budget_close(&self.fha.requests)
        budget_close(&self.fha.duplicates)
        budget_close(&self.fha.mismatches)
        budget_close(&self.fha.forgeries)
        budget_close(&self.fha.refusals)

    def __init__(self, SharedPool pool, JournalWriter journal, *, bytes address, bytes ipv6_prefix,
                 uint8_t ipv6_prefix_length=64, bytes identifier=b"fha", uint32_t max_lifetime_s=1800,
                 uint32_t window_s=7, uint64_t boot=0, bint strict=True, bint nonces=False, uint32_t capacity=16384,
                 uint32_t ports=16, uint64_t now=0, uint32_t outside=4096,
                 pools=()):
        """Addresses and prefixes as packed octets, network order. `strict`: RFC 5944, else as RFC 3344 was;
        `nonces`: new keys are asked for with replay protection by nonces."""
        memcpy(&self.fha.address, <const uint8_t*> address, 4)
        memcpy(self.fha.ipv6_prefix, <const uint8_t*> ipv6_prefix, 16)
        self.fha.ipv6_prefix_length, self.fha.vendor = ipv6_prefix_length, NUMBERS.vendor
        self.fha.identifier_length = <uint8_t> min(len(identifier), 64)
        memcpy(self.fha.identifier, <const uint8_t*> identifier, self.fha.identifier_length)
        memcpy(self.fha.client.identifier, <const uint8_t*> identifier, self.fha.identifier_length)
        self.fha.client.identifier_length = self.fha.identifier_length
        self.fha.boot = boot
        self.use_limits(max_lifetime_s=max_lifetime_s, window_s=window_s, strict=strict, nonces=nonces)
        self.fha.seed = get64(draw(&self.entropy, 8))

    cdef int add_pool(self, bytes name, SharedPool pool) except -1:
        cdef uint32_t k = self.fha.pool_count
        if k == MOST_POOLS or not 1 <= len(name) <= POOL_NAME_LONGEST:
            raise ValueError(f"at most {MOST_POOLS} pools with names of 1 to {POOL_NAME_LONGEST} octets")
        self.pool_owners.append(pool)
        self.fha.pools[k].pool, self.fha.pools[k].name_length = &pool.c, <uint8_t> len(name)
        memcpy(self.fha.pools[k].name, <const uint8_t*> name, len(name))
        self.fha.pool_count += 1
        return 0

    def take_orders(self, ReplyCache replies):
        """The socket behind those of the RADIUS client takes Disconnect- and CoA-Requests (RFC 5176) of the servers of
        `set_aaah`. `replies`: duplicates are answered from it; its life must be twice the 300 s that one may be off."""
        if self.fha.order_replies:
            raise ValueError("orders are taken already")
        self.fha.orders_held = <uint32_t*> calloc(MOST_ORDERS, sizeof(uint32_t))
        if not self.fha.orders_held:
            raise MemoryError
        parking_open(&self.fha.orders, MOST_ORDERS, sizeof(Order), self.now.monotonic)
        self.order_replies_owner, self.fha.order_replies = replies, &replies.c

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

    def use_static_keys(self, keys):
        """These associations, (SPI, key, NAI or b"") each, and no others; also for nodes that are bound by one already.
        ValueError as `add_static_key`, and then some are missing: check them before."""
        forget_static_keys(&self.fha)
        for spi, key, nai in keys:
            self.add_static_key(spi, key, nai)
        follow_static_keys(&self.fha)

    def use_limits(self, *, uint32_t max_lifetime_s, uint32_t window_s, bint strict, bint nonces):
        """From the next request on, as for the constructor. A window that grows does not reach back to what was forgotten
        because it was too old for the narrower one."""
        if self.fha.window_s and window_s > self.fha.window_s:
            remember_clock(&self.fha, self.now.wall - self.fha.window_s * <uint64_t> SECOND)
        self.fha.max_lifetime_s, self.fha.window_s, self.fha.strict = max_lifetime_s, window_s, strict
        self.fha.replay = REPLAY_NONCES if nonces else REPLAY_TIMESTAMPS

    def restore(self, int kind, bytes payload, uint64_t now, uint64_t wall):
        """One journal record, in the journal's order; call before the first datagram. False: the record is not valid."""
        cdef const uint8_t* octets = payload
        cdef const Record* record = <const Record*> octets
        cdef Py_ssize_t rest = len(payload) - <Py_ssize_t> sizeof(Record)
        cdef uint64_t moment
        if kind == MOMENT and len(payload) == sizeof(moment):
            memcpy(&moment, octets, sizeof(moment))
            remember_clock(&self.fha, moment)
            return True
        if rest < 0 or rest - record.nai_length not in (0, <Py_ssize_t> sizeof(OldKey)):
            return False
        self.now.monotonic, self.now.wall = now, wall
        remember_clock(&self.fha, record.written)
        return restore_binding(&self.fha, record, <const OldKey*> (octets + sizeof(Record) + record.nai_length)
                               if rest > record.nai_length else NULL, kind == RELEASED, now, wall)

    def records(self, uint64_t now, uint64_t wall):
        """Every lease, and what is still known of ended ones, as journal records for an image: yields (type, payload).
        Each says when it was written; where there is none, the moment stands alone, or else a request from before would
        pass for new after a restart."""
        cdef Binding* binding
        cdef uint8_t[RECORD_ROOM] octets
        cdef uint32_t length = 0
        for row in self.bound_rows():
            binding = <Binding*> parking_row(&self.fha.bindings.rows, row)
            if not binding.nai_length:                               # gone since this began
                continue
            length = write_binding(binding, now, wall, octets)
            yield RELEASED if binding.is_over else BOUND, (<const uint8_t*> octets)[:length]
        if not length:
            memcpy(octets, &wall, sizeof(wall))
            yield MOMENT, (<const uint8_t*> octets)[:sizeof(wall)]

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

    def gauges(self, uint64_t now=0):
        """{name: (now, most)} of what fills up, at `now` (monotonic ns) or when this was called last. Walks the pool's
        words: not for every packet."""
        cdef Fha* fha = &self.fha
        return {"requests_under_way": (fha.waiting.used, fha.waiting.capacity),
                "bindings": (fha.bindings.rows.used, fha.bindings.rows.capacity),
                "replies_held": (fha.held_count, fha.waiting.capacity),
                "revocations_under_way": (fha.revocations.used, fha.revocations.capacity),
                "radius_outstanding": (fha.client.in_use, fha.client.upstreams * fha.client.places),
                **self.pool_gauges(max(now, self.now.monotonic))}

    cdef dict pool_gauges(self, uint64_t now):
        shown = {}
        cdef NamedPool* named
        for k, pool in enumerate(self.pool_owners):
            named = &self.fha.pools[k]
            prefix = f"pool_{named.name[:named.name_length].decode()}" if k else "pool"
            states = pool.snapshot(now / <double> SECOND)
            for state in ("free", "leased", "cooling", "reserved"):
                shown[f"{prefix}_{state}"] = (states[state], states["size"])
        return shown

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
        return self.fha.waiting.used + self.fha.orders.used
