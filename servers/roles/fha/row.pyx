# The ends of a Registration Request, and what every stage asks of it.
from fastcodec.mip4 cimport FAILED_AUTHENTICATION
from libc.stdint cimport uint32_t, uint8_t
from libc.string cimport memcpy
from servers.engine.counters cimport count_event, count_offence
from servers.engine.parking cimport parking_leave, parking_row
from servers.engine.reasons cimport OUTBOX_FULL, REPLY_LIMIT
from servers.engine.stages cimport DROPPED
from servers.net.node cimport Datagram, compose
from servers.roles.fha.state cimport Fha, PORT_REGISTRATION, Registration, STAGE_HASH, STAGE_WRITE
from servers.tables.budget cimport budget_allows
from servers.tables.hash cimport hash_word, table_insert, table_remove


cdef void end_row(Fha* fha, Registration* row, int outcome) noexcept nogil:
    """The row is over; a newer request of the same node that waited takes its place. It may have come in the same batch,
    whose run is past its first stages: it stays parked until a run of its own."""
    cdef Registration* newer
    row.head.outcome = <uint8_t> outcome
    if table_remove(&fha.pending, row.nai_hash, row.slot) and row.newer:
        newer = <Registration*> parking_row(&fha.waiting, row.newer - 1)
        table_insert(&fha.pending, newer.nai_hash, newer.slot)
        newer.head.stage, newer.has_waited = STAGE_HASH, True
        fha.ready[fha.ready_count] = newer.slot
        fha.ready_count += 1
    parking_leave(&fha.waiting, row.slot)


cdef void drop(Fha* fha, Registration* row, int reason) noexcept nogil:
    """Silence: there is no key to sign a reply with, or none is due."""
    count_offence(&fha.counters, reason, &row.datagram)
    end_row(fha, row, DROPPED)


cdef void refuse(Fha* fha, Registration* row, int code, int reason) noexcept nogil:
    """A reply with this code will be written; the first reason counts."""
    if is_accepted(row):
        row.code = <uint8_t> code
        count_offence(&fha.counters, reason, &row.datagram)


cdef void refuse_unsigned(Fha* fha, Registration* row, int code, int reason) noexcept nogil:
    """Not more than 100 a second and source, and never longer than the request (reliability M4)."""
    if not budget_allows(&fha.refusals, hash_word(row.datagram.peer_address, fha.seed), fha.now.monotonic):
        drop(fha, row, REPLY_LIMIT)
        return
    row.code, row.is_signed = <uint8_t> code, False
    count_offence(&fha.counters, reason, &row.datagram)


cdef void refuse_unknown(Fha* fha, Registration* row, int reason) noexcept nogil:
    """No authenticator, or none under a key of ours: RFC 5944 3.8.2.1 wants silence, RFC 3344 3.8.2.1 a 131."""
    if fha.strict or not 0 < row.nai_length <= 253:
        drop(fha, row, reason)
        return
    refuse_unsigned(fha, row, FAILED_AUTHENTICATION, reason)
    row.head.stage = STAGE_WRITE


cdef void leave(Fha* fha, Registration* row, const uint8_t* octets, uint32_t length) noexcept nogil:
    """To where the request came from, from where it came to, RFC 5944 3.8.3.1. A reply that finds no room is lost like
    one the network loses: the node asks again and gets the same octets."""
    cdef Datagram* reply = compose(fha.out, PORT_REGISTRATION)
    if not reply:
        count_event(&fha.counters, OUTBOX_FULL)
        return
    reply.peer_address, reply.peer_port = row.datagram.peer_address, row.datagram.peer_port
    reply.local_address = row.datagram.local_address
    memcpy(reply.data, octets, length)
    reply.length = length
