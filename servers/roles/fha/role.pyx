# The Foreign Home Agent as a list of stages over a batch of Registration Requests of directly registering nodes.
#
#   read_request     RFC 5944 3.8.2.1                what cannot be answered under a key is silence
#   find_node        RFC 5944 3.8.2.2                duplicates, one exchange a node at a time
#   ask_aaah         radius.md 9.2                   the Access-Request of step 5
#   send_question                                    ... parked
#   read_answer, take_key   RFC 2868 3.5, RFC 3957   what the AAAH assigned; the derived key
#   judge            RFC 5944 3.8.2, 5.7.1           care-of address, home agent, flags, Identification
#   lease_address                                    a THOAv4 of the pool, and its journal record
#   write_reply, hold_reply, send_reply              RFC 5944 3.8.3.3
#
#   parked after    waits for                        resumes at     on timeout
#   find_node       the node's request under way     ask_aaah       it ends with that request's own end
#   send_question   the AAAH's answer                read_answer    read_answer, without an answer: 128
#   hold_reply      the journal's commit             send_reply     never: a failed journal drops it
from fastcodec.radius cimport NUMBERS
from fastcodec.status cimport BAD_LENGTH
from fastcodec.wire cimport get64
from libc.stdint cimport uint16_t, uint32_t, uint64_t, uint8_t
from libc.stdlib cimport calloc, free
from libc.string cimport memcpy, memset
from servers.engine.counters cimport count_offence, counts_of, offender_of
from servers.engine.parking cimport NO_SLOT_FREE, parking_close, parking_open, parking_row, parking_take
from servers.engine.reasons cimport JOURNAL_FAILED, TABLE_FULL
from servers.engine.stages cimport GOOD, Head, Stage, queue_close, queue_open, run_stages
from servers.engine.wheel cimport wheel_expired, wheel_next
from servers.net.node cimport BATCH, Datagram, Node, ROOM, draw
from servers.pool.bitmap cimport SharedPool
from servers.roles.fha.answer cimport read_answer, take_key
from servers.roles.fha.arrival cimport find_node, open_row, read_request
from servers.roles.fha.lease cimport end_lifetime, judge, lease_address
from servers.roles.fha.question cimport ask_aaah, send_question
from servers.roles.fha.reply cimport forget_reply, hold_reply, send_reply, write_reply
from servers.roles.fha.restart cimport remember_clock, restore_binding
from servers.roles.fha.row cimport drop, earlier
from servers.roles.fha.state cimport BOUND, Fha, PORT_REGISTRATION, RELEASED, RRQ_ROOM, Registration
from servers.roles.radius_client cimport (
    Answer, accept_answer, check_message_authenticator, check_response_authenticator, client_close, client_expire,
    client_open, client_report, client_server, client_turn, match_answer,
)
from servers.store.journal cimport JournalWriter, journal_durable, journal_failed, journal_kick
from servers.tables.bindings cimport Binding, Record, bindings_close, bindings_open
from servers.tables.budget cimport budget_close, budget_open
from servers.tables.hash cimport table_close, table_open


cdef Stage[11] STAGES = [
    <Stage> read_request, <Stage> find_node, <Stage> ask_aaah, <Stage> send_question, <Stage> read_answer, <Stage> take_key,
    <Stage> judge, <Stage> lease_address, <Stage> write_reply, <Stage> hold_reply, <Stage> send_reply,
]
cdef Stage[4] ANSWER_STAGES = [
    <Stage> match_answer, <Stage> check_response_authenticator, <Stage> check_message_authenticator, <Stage> accept_answer,
]


cdef class FhaRole(Node):
    """One FHA worker: socket 0 takes registrations, sockets 1 to `ports` are its RADIUS client's."""

    def __cinit__(self, SharedPool pool, JournalWriter journal, *, uint32_t capacity=16384, uint32_t ports=16, uint64_t now=0,
                  **settings):
        """`capacity`: requests under way at once; `now`: monotonic ns."""
        memset(&self.fha, 0, sizeof(Fha))
        self.pool_owner, self.journal_owner = pool, journal
        self.fha.pool, self.fha.journal = &pool.c, journal.c
        self.fha.out, self.fha.now, self.fha.entropy = &self.out, &self.now, &self.entropy
        self.answers = <Answer*> calloc(BATCH, sizeof(Answer))
        self.fha.ready = <uint32_t*> calloc(capacity, sizeof(uint32_t))
        self.fha.held = <uint32_t*> calloc(capacity, sizeof(uint32_t))
        if not self.answers or not self.fha.ready or not self.fha.held or not table_open(&self.fha.pending, capacity):
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
        budget_open(&self.fha.refusals, 100)                           # reliability M4

    def __dealloc__(self):
        free(self.answers)
        free(self.fha.ready)
        free(self.fha.held)
        table_close(&self.fha.pending)
        queue_close(&self.fha.queue)
        parking_close(&self.fha.waiting)
        bindings_close(&self.fha.bindings)
        client_close(&self.fha.client)
        budget_close(&self.fha.requests)
        budget_close(&self.fha.duplicates)
        budget_close(&self.fha.mismatches)
        budget_close(&self.fha.refusals)

    def __init__(self, SharedPool pool, JournalWriter journal, *, bytes address, bytes pool_network, bytes pool_mask,
                 bytes ipv6_prefix, uint8_t ipv6_prefix_length=64, bytes identifier=b"fha", uint32_t max_lifetime_s=1800,
                 uint32_t window_s=7, uint64_t boot=0, uint32_t capacity=16384, uint32_t ports=16, uint64_t now=0):
        """Addresses, masks and prefixes as packed octets, network order."""
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
        self.fha.seed = get64(draw(&self.entropy, 8))

    def set_aaah(self, bytes address, uint16_t port, bytes secret, *, uint32_t first_timeout_ms=1000, uint32_t tries=5,
                 str message_authenticator="yes", bint probes=True):
        """A RADIUS server of step 5, the next in order of preference, or the new secret of one known; `address` packed,
        `secret` 1-255 octets. `message_authenticator` in its answers: yes, no, auto; `probes`: it knows Status-Server."""
        client_server(&self.fha.client, address, port, secret, message_authenticator, probes)
        self.fha.client.first_timeout_ms, self.fha.client.most_tries = first_timeout_ms, tries

    cdef void receive(self, Datagram* datagrams, uint32_t n) noexcept nogil:
        if datagrams[0].port == PORT_REGISTRATION:
            self.receive_requests(datagrams, n)
        else:
            self.receive_answers(datagrams, n)
        self.run_ready()
        journal_kick(self.fha.journal)

    cdef void receive_requests(self, Datagram* datagrams, uint32_t n) noexcept nogil:
        cdef void* rows[BATCH]
        cdef uint32_t k, slot
        cdef int taken = 0
        client_turn(&self.fha.client)
        for k in range(n):
            if datagrams[k].length > RRQ_ROOM:
                count_offence(&self.fha.counters, BAD_LENGTH, &datagrams[k])
                continue
            slot = parking_take(&self.fha.waiting)
            if slot == NO_SLOT_FREE:
                count_offence(&self.fha.counters, TABLE_FULL, &datagrams[k])
                continue
            rows[taken] = open_row(&self.fha, slot, &datagrams[k])
            taken += 1
        run_stages(&self.fha, STAGES, 11, rows, taken, &self.fha.queue)

    cdef void receive_answers(self, Datagram* datagrams, uint32_t n) noexcept nogil:
        cdef void* rows[BATCH]
        cdef uint32_t k
        cdef int resumed = 0
        cdef Registration* row
        for k in range(n):
            memset(&self.answers[k].head, 0, sizeof(Head))
            self.answers[k].datagram = &datagrams[k]
            rows[k] = &self.answers[k]
        run_stages(&self.fha.client, ANSWER_STAGES, 4, rows, <int> n, &self.fha.queue)
        for k in range(n):
            if self.answers[k].head.outcome != GOOD:
                continue
            row = <Registration*> parking_row(&self.fha.waiting, self.answers[k].transaction.owner)
            row.answer, row.head.outcome = &self.answers[k], GOOD
            rows[resumed] = row
            resumed += 1
        run_stages(&self.fha, STAGES, 11, rows, resumed, &self.fha.queue)

    cdef void run_ready(self) noexcept nogil:
        """Requests that waited for an older one of their node, which is over now."""
        cdef void* rows[BATCH]
        cdef int n
        while self.fha.ready_count:
            n = 0
            while self.fha.ready_count and n < BATCH:
                self.fha.ready_count -= 1
                rows[n] = parking_row(&self.fha.waiting, self.fha.ready[self.fha.ready_count])
                n += 1
            run_stages(&self.fha, STAGES, 11, rows, n, &self.fha.queue)

    cdef bint tick(self) noexcept nogil:
        """Commits, retransmissions, unanswered questions, lifetimes; True when there may be more."""
        cdef bint more = self.release_held()
        more |= self.give_up()
        more |= self.expire()
        self.run_ready()
        journal_kick(self.fha.journal)
        return more

    cdef bint release_held(self) noexcept nogil:
        """The replies whose bindings are durable, in the order of their tickets. After a failed sync none is."""
        cdef void* rows[BATCH]
        cdef uint64_t durable = journal_durable(self.fha.journal)
        cdef Registration* row
        cdef int n = 0
        while self.fha.held_count and n < BATCH:
            row = <Registration*> parking_row(&self.fha.waiting, self.fha.held[self.fha.held_first])
            if row.ticket > durable and not journal_failed(self.fha.journal):
                break
            self.fha.held_first = (self.fha.held_first + 1) % self.fha.waiting.capacity
            self.fha.held_count -= 1
            if row.ticket > durable:
                forget_reply(&self.fha, row)
                drop(&self.fha, row, JOURNAL_FAILED)
                continue
            row.head.outcome = GOOD
            rows[n] = row
            n += 1
        run_stages(&self.fha, STAGES, 11, rows, n, &self.fha.queue)
        return n == BATCH

    cdef bint give_up(self) noexcept nogil:
        cdef uint32_t[BATCH] owners
        cdef void* rows[BATCH]
        cdef bint more = False
        cdef uint32_t k, n = client_expire(&self.fha.client, self.now.monotonic, owners, BATCH, &more)
        cdef Registration* row
        for k in range(n):
            row = <Registration*> parking_row(&self.fha.waiting, owners[k])
            row.answer, row.head.outcome = NULL, GOOD
            rows[k] = row
        run_stages(&self.fha, STAGES, 11, rows, <int> n, &self.fha.queue)
        return more

    cdef bint expire(self) noexcept nogil:
        """RFC 5944 3.8: nobody is told when a binding expires."""
        cdef uint32_t[BATCH] due
        cdef uint32_t k, n = wheel_expired(&self.fha.bindings.rows.wheel, self.now.monotonic, due, BATCH)
        for k in range(n):
            end_lifetime(&self.fha, <Binding*> parking_row(&self.fha.bindings.rows, due[k]))
        return n == BATCH

    cdef uint64_t next_due(self) noexcept nogil:
        return earlier(wheel_next(&self.fha.client.wheel), wheel_next(&self.fha.bindings.rows.wheel))

    def restore(self, int kind, bytes payload, uint64_t now, uint64_t wall):
        """One journal record, in the journal's order; call before the first datagram. False: the record is not valid."""
        cdef const Record* record = <const Record*> <const uint8_t*> payload
        if len(payload) < <Py_ssize_t> sizeof(Record) or len(payload) < <Py_ssize_t> sizeof(Record) + record.nai_length:
            return False
        remember_clock(&self.fha, record)
        return restore_binding(&self.fha, record, kind == RELEASED, now, wall)

    def records(self, uint64_t now, uint64_t wall):
        """Every binding as a journal record, for an image: yields (type, payload)."""
        cdef Binding* binding
        cdef Record record
        for row in self.bound_rows():
            binding = <Binding*> parking_row(&self.fha.bindings.rows, row)
            memset(&record, 0, sizeof(Record))
            record.written, record.expires = wall, wall + (binding.expires - now if binding.expires > now else 0)
            record.identification, record.address = binding.identification, binding.address
            record.care_of_address, record.mn_spi, record.ha_spi = (
                binding.care_of_address, binding.mn_spi, binding.ha_spi)
            memcpy(record.key, binding.key, 20)
            record.nai_length = binding.nai_length
            yield BOUND, (<const uint8_t*> &record)[:sizeof(Record)] + binding.nai[:binding.nai_length]

    cdef list bound_rows(self):
        cdef uint32_t row
        return [row for row in range(self.fha.bindings.rows.capacity)
                if (<Binding*> parking_row(&self.fha.bindings.rows, row)).nai_length]

    def leases(self):
        """{NAI octets: THOAv4 packed} of every binding."""
        cdef Binding* binding
        held = {}
        for row in self.bound_rows():
            binding = <Binding*> parking_row(&self.fha.bindings.rows, row)
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
