# The ends of a request, and what every stage asks of it.
from fastcodec.radius cimport ACCESS_REJECT
from libc.stdint cimport uint8_t
from servers.engine.counters cimport count_offence
from servers.engine.reasons cimport OUTBOX_FULL
from servers.engine.stages cimport DROPPED
from servers.net.node cimport Datagram, compose
from servers.roles.aaah.state cimport Aaah, Question
from servers.tables.replies cimport replies_cancel


cdef void drop(Aaah* aaah, Question* question, int reason) noexcept nogil:
    question.head.outcome = DROPPED
    count_offence(&aaah.counters, reason, question.datagram)


cdef void give_up(Aaah* aaah, Question* question, int reason) noexcept nogil:
    """No answer will come, and the same request may come again as a new one."""
    if question.entry:
        replies_cancel(replies_of(aaah, question), question.entry)
    drop(aaah, question, reason)


cdef void reject(Aaah* aaah, Question* question, int reason, int denial) noexcept nogil:
    """Answers with a Reject; `denial` is the Registration Reply code the FHA should use, RFC 5944 3.4."""
    if question.code != ACCESS_REJECT:
        count_offence(&aaah.counters, reason, question.datagram)
    question.code, question.denial = ACCESS_REJECT, <uint8_t> denial


cdef Datagram* address_reply(Aaah* aaah, Question* question) noexcept nogil:
    """From the address the request came to, RFC 2865 3. NULL: no room, the request is dropped and may come again."""
    cdef Datagram* reply = compose(aaah.out, question.datagram.port)
    if not reply:
        give_up(aaah, question, OUTBOX_FULL)
        return NULL
    reply.peer_address, reply.peer_port = question.datagram.peer_address, question.datagram.peer_port
    reply.local_address = question.datagram.local_address
    return reply
