# The ends of a Registration Request, and what every stage asks of it.
from fastcodec.mip4 cimport ACCEPTED, ACCEPTED_NO_SIMULTANEOUS
from libc.stdint cimport uint32_t, uint8_t
from libc.string cimport memcpy
from servers.engine.counters cimport count_event, count_offence
from servers.engine.parking cimport parking_leave, parking_row
from servers.engine.reasons cimport OUTBOX_FULL
from servers.engine.stages cimport DROPPED, GOOD
from servers.net.node cimport Datagram, compose
from servers.roles.fha.state cimport Fha, PORT_REGISTRATION, Registration, STAGE_ASK
from servers.tables.hash cimport table_insert, table_remove


cdef void end_row(Fha* fha, Registration* row, int outcome) noexcept nogil:
    """The row is over; a newer request of the same node that waited takes its place."""
    cdef Registration* newer
    row.head.outcome = <uint8_t> outcome
    if table_remove(&fha.pending, row.nai_hash, row.slot) and row.newer:
        newer = <Registration*> parking_row(&fha.waiting, row.newer - 1)
        table_insert(&fha.pending, newer.nai_hash, newer.slot)
        newer.head.outcome, newer.head.stage = GOOD, STAGE_ASK
        fha.ready[fha.ready_count] = newer.slot
        fha.ready_count += 1
    parking_leave(&fha.waiting, row.slot)


cdef void drop(Fha* fha, Registration* row, int reason) noexcept nogil:
    """Silence: there is no key to sign a reply with, or none is due."""
    count_offence(&fha.counters, reason, &row.datagram)
    end_row(fha, row, DROPPED)


cdef void refuse(Fha* fha, Registration* row, int code, int reason) noexcept nogil:
    """A reply with this code will be written; the first reason counts."""
    if row.code == ACCEPTED or row.code == ACCEPTED_NO_SIMULTANEOUS:
        row.code = <uint8_t> code
        count_offence(&fha.counters, reason, &row.datagram)


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
