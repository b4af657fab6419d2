# Replies that wait, for the journal or for the time of a Reject: their rows are parked with the finished octets.
from fastcodec.radius cimport ACCESS_REJECT, REQUESTER_NAS
from libc.stdint cimport uint32_t, uint64_t
from libc.string cimport memcpy
from servers.engine.counters cimport count_event
from servers.engine.parking cimport NO_SLOT_FREE, parking_leave, parking_row, parking_take
from servers.engine.reasons cimport JOURNAL_FAILED, OUTBOX_FULL, REPLY_LIMIT, SUPERSEDED, TABLE_FULL
from servers.engine.stages cimport DROPPED, GOOD, PARKED
from servers.engine.wheel cimport wheel_arm, wheel_expired
from servers.net.node cimport BATCH, Datagram, compose
from servers.roles.aaah.row cimport give_up, replies_of
from servers.roles.aaah.state cimport Aaah, Question, STAGE_SEND_REPLY, Waiting
from servers.store.journal cimport journal_durable, journal_failed
from servers.tables.replies cimport replies_cancel, replies_superseded


cdef inline Waiting* waiting_of(const Aaah* aaah, const Question* question) noexcept nogil:
    return <Waiting*> parking_row(&aaah.waiting, question.slot - 1)


cdef inline bint is_delayed(const Aaah* aaah, const Question* question) noexcept nogil:
    """Towards NASs only (ruling 20): it slows down the guessing of passwords."""
    return question.code == ACCESS_REJECT and question.role == REQUESTER_NAS and aaah.reject_delay != 0


cdef bint must_wait(const Aaah* aaah, const Question* question) noexcept nogil:
    return is_delayed(aaah, question) or question.ticket != 0 and journal_durable(aaah.journal) < question.ticket


cdef Datagram* open_waiting(Aaah* aaah, Question* question) noexcept nogil:
    """Room for the reply in the parking; Rejects may fill half of it. NULL: there is none, the request is dropped."""
    cdef uint32_t slot
    cdef Waiting* waiting
    if is_delayed(aaah, question) and 2 * aaah.delayed >= aaah.waiting.capacity:
        give_up(aaah, question, REPLY_LIMIT)
        return NULL
    slot = parking_take(&aaah.waiting)
    if slot == NO_SLOT_FREE:
        give_up(aaah, question, TABLE_FULL)
        return NULL
    question.slot = slot + 1
    waiting = waiting_of(aaah, question)
    waiting.reply = question.datagram[0]                # peer, socket, and the address the request came to
    waiting.reply.data = waiting.octets
    return &waiting.reply


cdef void close_waiting(Aaah* aaah, Question* question) noexcept nogil:
    parking_leave(&aaah.waiting, question.slot - 1)


cdef void park(Aaah* aaah, Question* question) noexcept nogil:
    cdef Waiting* waiting = waiting_of(aaah, question)
    cdef uint32_t at
    waiting.question = question[0]
    waiting.question.datagram = &waiting.reply
    waiting.question.head.stage = STAGE_SEND_REPLY
    waiting.question.head.outcome = question.head.outcome = PARKED
    if is_delayed(aaah, question):
        aaah.delayed += 1
        wheel_arm(&aaah.waiting.wheel, question.slot - 1, aaah.now.monotonic + aaah.reject_delay)
        return
    at = (aaah.held_first + aaah.held_count) % aaah.waiting.capacity
    aaah.held[at] = question.slot - 1
    aaah.held_count += 1


cdef int take_committed(Aaah* aaah, void** rows, int most) noexcept nogil:
    """The rows whose records are durable, in the order of their tickets, ready to go on. After a failed sync none is."""
    cdef uint64_t durable
    cdef Waiting* waiting
    cdef int n = 0
    if not aaah.held_count:
        return 0
    durable = journal_durable(aaah.journal)
    while aaah.held_count and n < most:
        waiting = <Waiting*> parking_row(&aaah.waiting, aaah.held[aaah.held_first])
        if waiting.question.ticket > durable and not journal_failed(aaah.journal):
            break
        aaah.held_first = (aaah.held_first + 1) % aaah.waiting.capacity
        aaah.held_count -= 1
        if waiting.question.ticket > durable:
            end_unsent(aaah, &waiting.question, JOURNAL_FAILED)
            continue
        waiting.question.head.outcome = GOOD
        rows[n] = waiting
        n += 1
    return n


cdef int take_due(Aaah* aaah, void** rows, int most) noexcept nogil:
    """The Rejects whose time has come."""
    cdef uint32_t[BATCH] due
    cdef uint32_t k, n = wheel_expired(&aaah.waiting.wheel, aaah.now.monotonic, due, <uint32_t> most)
    cdef Waiting* waiting
    for k in range(n):
        waiting = <Waiting*> parking_row(&aaah.waiting, due[k])
        waiting.question.head.outcome = GOOD
        rows[k] = waiting
    aaah.delayed -= n
    return <int> n


cdef void end_unsent(Aaah* aaah, Question* question, int reason) noexcept nogil:
    count_event(&aaah.counters, reason)
    replies_cancel(replies_of(aaah, question), question.entry)
    question.head.outcome = DROPPED
    close_waiting(aaah, question)


cdef bint leave(Aaah* aaah, Question* question) noexcept nogil:
    """From the parking into the outbox, unless the client has asked something else meanwhile under the same identifier: it
    waits for that answer only (RFC 5080 2.2.2)."""
    cdef Datagram* reply
    if replies_superseded(replies_of(aaah, question), question.entry, question.reply.peer_address, question.reply.peer_port,
                          question.reply.data[1]):
        end_unsent(aaah, question, SUPERSEDED)
        return False
    reply = compose(aaah.out, question.reply.port)
    if not reply:
        end_unsent(aaah, question, OUTBOX_FULL)
        return False
    memcpy(reply.data, question.reply.data, question.reply.length)
    reply.peer_address, reply.peer_port = question.reply.peer_address, question.reply.peer_port
    reply.local_address, reply.length = question.reply.local_address, question.reply.length
    return True
