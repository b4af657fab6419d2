# The Foreign Home Agent as a list of stages over a batch of Registration Requests of directly registering nodes.
#
#   read_request     RFC 5944 3.8.2.1                what cannot be answered under a key is silence
#   hash_proofs, check_mn_ha   RFC 5944 3.5.2        a key that we hold
#   find_node        RFC 5944 3.8.2.2                duplicates, one request a node at a time; after MN-HA alone the next
#                                                    stage is judge
#   ask_aaah         radius.md 9.2                   MN-AAA: the Access-Request of step 5
#   send_question                                    ... parked
#   read_answer, take_key   RFC 2868 3.5, RFC 3957   what the AAAH assigned; the derived key
#   judge            RFC 5944 3.8.2, 5.7             care-of address, home agent, flags, Identification, lifetime
#   lease_address                                    a THOAv4 of the pool or its end, and the journal record of that
#   write_reply, hold_reply, send_reply              RFC 5944 3.8.3.3
#
#   parked after    waits for                        resumes at     on timeout
#   find_node       the node's request under way     hash_proofs    it ends with that request's own end
#   send_question   the AAAH's answer                read_answer    read_answer, without an answer: 128
#   hold_reply      the journal's commit             send_reply     never: a failed journal drops it
#
# What an AAAH orders (RFC 5176, radius.md 9.7) is a list of its own: read_order, check_order and
# check_order_signature for who says it and whether it is new, obey, write_answer and sign_answer, hold_answer until
# the journal has it, send_answer.
#
# What a node is told that has not ended its binding itself (RFC 3543) is a list, too: write_revocation, hold_revocation
# until the journal has the end, send_revocation; parked there until match_acknowledgment and check_acknowledgment have
# found the node's answer, or its timer sends it again. It leaves not later than the order's answer.
from fastcodec.mip4 cimport REVOCATION_ACKNOWLEDGMENT
from fastcodec.status cimport BAD_LENGTH
from libc.stdint cimport uint32_t, uint64_t
from servers.engine.counters cimport count_offence
from servers.failpoint cimport FHA_ANSWERED, FHA_COMMITTED, FHA_SWEEPING, FHA_SWEPT, failpoint
from servers.engine.parking cimport NO_SLOT_FREE, parking_row, parking_take
from servers.engine.reasons cimport JOURNAL_FAILED, TABLE_FULL
from servers.engine.stages cimport GOOD, Stage, run_stages
from servers.engine.wheel cimport wheel_expired, wheel_next
from servers.net.node cimport BATCH, Datagram
from servers.roles.fha.acknowledgment cimport check_acknowledgment, match_acknowledgment
from servers.roles.fha.answer cimport read_answer, take_key
from servers.roles.fha.arrival cimport find_node, open_row, read_request
from servers.roles.fha.commit cimport forget_reply, hold_reply, send_reply
from servers.roles.fha.judge cimport judge
from servers.roles.fha.lease cimport end_lifetime, lease_address
from servers.roles.fha.memory cimport FhaMemory
from servers.roles.fha.obey cimport obey
from servers.roles.fha.order cimport check_order, check_order_signature, drop_order, open_order, read_order
from servers.roles.fha.order_answer cimport hold_answer, send_answer, sign_answer, write_answer
from servers.roles.fha.proof cimport check_mn_ha, hash_proofs
from servers.roles.fha.question cimport ask_aaah, send_question
from servers.roles.fha.reply cimport write_reply
from servers.roles.fha.revocation cimport end_revocation, hold_revocation, send_revocation, write_revocation
from servers.roles.fha.row cimport drop, earlier
from servers.roles.fha.state cimport Order, PORT_REGISTRATION, RRQ_ROOM, Registration, Revocation, STAGE_COUNT
from servers.roles.radius_client cimport Answer, client_expire, client_receive, client_turn
from servers.store.journal cimport journal_durable, journal_failed, journal_kick
from servers.tables.bindings cimport Binding


cdef Stage[13] STAGES = [
    <Stage> read_request, <Stage> hash_proofs, <Stage> check_mn_ha, <Stage> find_node, <Stage> ask_aaah,
    <Stage> send_question, <Stage> read_answer, <Stage> take_key, <Stage> judge, <Stage> lease_address, <Stage> write_reply,
    <Stage> hold_reply, <Stage> send_reply,
]
cdef Stage[8] ORDER_STAGES = [
    <Stage> read_order, <Stage> check_order, <Stage> check_order_signature, <Stage> obey,
    <Stage> write_answer, <Stage> sign_answer, <Stage> hold_answer, <Stage> send_answer,
]
cdef Stage[3] REVOCATION_STAGES = [<Stage> write_revocation, <Stage> hold_revocation, <Stage> send_revocation]
cdef Stage[2] ACKNOWLEDGMENT_STAGES = [<Stage> match_acknowledgment, <Stage> check_acknowledgment]


cdef class FhaRole(FhaMemory):
    """One FHA worker: socket 0 takes registrations, sockets 1 to `ports` are its RADIUS client's, the
    one behind them takes what an AAAH orders, if anything does (see `take_orders`)."""

    cdef void receive(self, Datagram* datagrams, uint32_t n) noexcept nogil:
        if datagrams[0].port == PORT_REGISTRATION:
            self.receive_requests(datagrams, n)
        elif datagrams[0].port <= self.fha.client.ports:
            self.receive_answers(datagrams, n)
        else:
            self.receive_orders(datagrams, n)
        self.run_ready()
        self.run_revocations()
        journal_kick(self.fha.journal)

    cdef void receive_requests(self, Datagram* datagrams, uint32_t n) noexcept nogil:
        cdef void* rows[BATCH]
        cdef uint32_t k, slot, acknowledgments = 0
        cdef int taken = 0
        client_turn(&self.fha.client)
        for k in range(n):
            if datagrams[k].length and datagrams[k].data[0] == REVOCATION_ACKNOWLEDGMENT:
                self.acknowledgments[acknowledgments].datagram = &datagrams[k]
                acknowledgments += 1
                continue
            if datagrams[k].length > RRQ_ROOM:
                count_offence(&self.fha.counters, BAD_LENGTH, &datagrams[k])
                continue
            slot = parking_take(&self.fha.waiting)
            if slot == NO_SLOT_FREE:
                count_offence(&self.fha.counters, TABLE_FULL, &datagrams[k])
                continue
            rows[taken] = open_row(&self.fha, slot, &datagrams[k])
            taken += 1
        run_stages(&self.fha, STAGES, STAGE_COUNT, rows, taken, &self.fha.queue)
        self.take_acknowledgments(acknowledgments)

    cdef void take_acknowledgments(self, uint32_t n) noexcept nogil:
        cdef void* rows[BATCH]
        cdef uint32_t k
        for k in range(n):
            self.acknowledgments[k].head.outcome, self.acknowledgments[k].head.stage = GOOD, 0
            rows[k] = &self.acknowledgments[k]
        run_stages(&self.fha, ACKNOWLEDGMENT_STAGES, 2, rows, <int> n, &self.fha.queue)

    cdef void run_revocations(self) noexcept nogil:
        """Of bindings that have ended in this turn, in the order of their tickets."""
        cdef void* rows[BATCH]
        cdef uint32_t taken = 0
        cdef int n
        while taken < self.fha.revocations_new_count:
            n = 0
            while taken < self.fha.revocations_new_count and n < BATCH:
                rows[n] = parking_row(&self.fha.revocations, self.fha.revocations_new[taken])
                taken += 1
                n += 1
            run_stages(&self.fha, REVOCATION_STAGES, 3, rows, n, &self.fha.queue)
        self.fha.revocations_new_count = 0

    cdef bint release_revocations(self, uint64_t durable) noexcept nogil:
        """Of what ends durably. After a failed sync nothing does, and nobody is told."""
        cdef void* rows[BATCH]
        cdef Revocation* row
        cdef int n = 0
        while self.fha.revocations_count and n < BATCH:
            row = <Revocation*> parking_row(&self.fha.revocations, self.fha.revocations_held[self.fha.revocations_first])
            if row.ticket > durable and not journal_failed(self.fha.journal):
                break
            self.fha.revocations_first = (self.fha.revocations_first + 1) % self.fha.revocations.capacity
            self.fha.revocations_count -= 1
            if row.ticket > durable:
                end_revocation(&self.fha, row)
                continue
            row.head.outcome = GOOD
            rows[n] = row
            n += 1
        run_stages(&self.fha, REVOCATION_STAGES, 3, rows, n, &self.fha.queue)
        return n == BATCH

    cdef bint repeat_revocations(self) noexcept nogil:
        cdef uint32_t[BATCH] due
        cdef void* rows[BATCH]
        cdef uint32_t k, n = wheel_expired(&self.fha.revocations.wheel, self.now.monotonic, due, BATCH)
        cdef Revocation* row
        for k in range(n):
            row = <Revocation*> parking_row(&self.fha.revocations, due[k])
            row.head.outcome = GOOD
            rows[k] = row
        run_stages(&self.fha, REVOCATION_STAGES, 3, rows, <int> n, &self.fha.queue)
        return n == BATCH

    cdef void receive_answers(self, Datagram* datagrams, uint32_t n) noexcept nogil:
        cdef void* rows[BATCH]
        cdef uint32_t k, count = client_receive(&self.fha.client, datagrams, n, self.answers, rows)
        cdef Registration* row
        cdef Answer* answer
        failpoint(FHA_ANSWERED)
        for k in range(count):
            answer = <Answer*> rows[k]
            row = <Registration*> parking_row(&self.fha.waiting, answer.transaction.owner)
            row.answer, row.head.outcome = answer, GOOD
            rows[k] = row
        run_stages(&self.fha, STAGES, STAGE_COUNT, rows, <int> count, &self.fha.queue)

    cdef void receive_orders(self, Datagram* datagrams, uint32_t n) noexcept nogil:
        cdef void* rows[BATCH]
        cdef uint32_t k
        cdef int taken = 0
        if not self.fha.order_replies:
            return
        for k in range(n):
            rows[taken] = open_order(&self.fha, &datagrams[k])
            if rows[taken]:
                taken += 1
        run_stages(&self.fha, ORDER_STAGES, 8, rows, taken, &self.fha.queue)

    cdef bint release_orders(self, uint64_t durable) noexcept nogil:
        """Answers whose deeds are durable. After a failed sync none is: silence, the AAAH asks again."""
        cdef void* rows[BATCH]
        cdef Order* order
        cdef int n = 0
        while self.fha.orders_count and n < BATCH:
            order = <Order*> parking_row(&self.fha.orders, self.fha.orders_held[self.fha.orders_first])
            if order.ticket > durable and not journal_failed(self.fha.journal):
                break
            self.fha.orders_first = (self.fha.orders_first + 1) % self.fha.orders.capacity
            self.fha.orders_count -= 1
            if order.ticket > durable:
                drop_order(&self.fha, order, JOURNAL_FAILED)
                continue
            order.head.outcome = GOOD
            rows[n] = order
            n += 1
        run_stages(&self.fha, ORDER_STAGES, 8, rows, n, &self.fha.queue)
        return n == BATCH

    cdef void run_ready(self) noexcept nogil:
        """Requests that waited for an older one of their node, which is over now."""
        cdef void* rows[BATCH]
        cdef Registration* row
        cdef int n
        while self.fha.ready_count:
            n = 0
            while self.fha.ready_count and n < BATCH:
                self.fha.ready_count -= 1
                row = <Registration*> parking_row(&self.fha.waiting, self.fha.ready[self.fha.ready_count])
                row.head.outcome = GOOD
                rows[n] = row
                n += 1
            run_stages(&self.fha, STAGES, STAGE_COUNT, rows, n, &self.fha.queue)

    cdef bint tick(self) noexcept nogil:
        """Commits, retransmissions, unanswered questions, lifetimes; True when there may be more."""
        cdef uint64_t durable = journal_durable(self.fha.journal)
        cdef bint more = self.release_held()
        if self.release_revocations(durable):                          # before the answers to the orders that they come of
            more = True
        else:
            more |= self.release_orders(durable)
        more |= self.repeat_revocations()
        more |= self.give_up()
        more |= self.expire()
        self.run_ready()
        self.run_revocations()
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
        if n:
            failpoint(FHA_COMMITTED)
        run_stages(&self.fha, STAGES, STAGE_COUNT, rows, n, &self.fha.queue)
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
        run_stages(&self.fha, STAGES, STAGE_COUNT, rows, <int> n, &self.fha.queue)
        return more

    cdef bint expire(self) noexcept nogil:
        cdef uint32_t[BATCH] due
        cdef uint32_t k, n = wheel_expired(&self.fha.bindings.rows.wheel, self.now.monotonic, due, BATCH)
        if n:
            failpoint(FHA_SWEEPING)
        for k in range(n):
            end_lifetime(&self.fha, <Binding*> parking_row(&self.fha.bindings.rows, due[k]))
        if n:
            failpoint(FHA_SWEPT)
        return n == BATCH

    cdef uint64_t next_due(self) noexcept nogil:
        return earlier(earlier(wheel_next(&self.fha.client.wheel), wheel_next(&self.fha.bindings.rows.wheel)),
                       wheel_next(&self.fha.revocations.wheel))
