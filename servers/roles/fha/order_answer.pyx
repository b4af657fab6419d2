# ACK or NAK of an order (RFC 5176 2.3): signed twice, sent when the journal has what it acknowledges, kept for duplicates.
from fastcodec.digest.jobs cimport DIGEST_HMAC_MD5, DIGEST_MD5, queue_job
from fastcodec.radius cimport (
    ERROR_CAUSE, HEADER, MESSAGE_AUTHENTICATOR, NUMBERS, PROXY_STATE, STATE, next_occurrence, put_attribute,
    put_integer,
)
from fastcodec.wire cimport put16
from libc.stdint cimport uint16_t, uint32_t, uint8_t
from libc.string cimport memcpy, memset
from servers.engine.stages cimport DONE, PARKED
from servers.roles.fha.order cimport end_order, leave_answer
from servers.roles.fha.state cimport Fha, Order, STAGE_SEND_ANSWER
from servers.store.journal cimport journal_durable
from servers.tables.replies cimport replies_finish


cdef void write_answer(Fha* fha, Order* order) noexcept nogil:
    """Message-Authenticator first, over the packet with the request's authenticator in place (RFC 5176 3.4)."""
    cdef uint8_t* packet = order.reply
    cdef uint8_t* at = packet + HEADER
    packet[0], packet[1] = order.code, order.octets[1]
    memcpy(packet + 4, order.authenticator, 16)
    at[0], at[1] = NUMBERS.number[<int> MESSAGE_AUTHENTICATOR], 18
    memset(at + 2, 0, 16)
    at += 18
    if order.cause:
        at = put_integer(at, &NUMBERS, ERROR_CAUSE, order.cause)
    if order.packet.size[<int> STATE]:
        at = put_attribute(at, &NUMBERS, STATE, order.octets + order.packet.offset[<int> STATE], order.packet.size[<int> STATE])
    at = copy_proxy_states(order, at)
    order.reply_length = <uint32_t> (at - packet)
    put16(packet + 2, <uint16_t> order.reply_length)
    queue_job(&fha.queue, DIGEST_HMAC_MD5, packet, order.reply_length, NULL, 0, &order.server.secret_key, order.digest)


cdef uint8_t* copy_proxy_states(Order* order, uint8_t* at) noexcept nogil:
    """All, in order, unmodified (RFC 2865 5.33)."""
    cdef int place = order.packet.offset[<int> PROXY_STATE], size
    while place:
        size = order.octets[place - 1]
        memcpy(at, order.octets + place - 2, size)
        at += size
        place = next_occurrence(&order.packet, &NUMBERS, PROXY_STATE, place)
    return at


cdef void sign_answer(Fha* fha, Order* order) noexcept nogil:
    """Response Authenticator, RFC 5176 2.3."""
    memcpy(order.reply + HEADER + 2, order.digest, 16)
    queue_job(&fha.queue, DIGEST_MD5, order.reply, order.reply_length, order.server.secret, order.server.secret_length, NULL,
              order.digest)


cdef void hold_answer(Fha* fha, Order* order) noexcept nogil:
    memcpy(order.reply + 4, order.digest, 16)
    if order.ticket and journal_durable(fha.journal) < order.ticket:
        order.head.outcome, order.head.stage = PARKED, STAGE_SEND_ANSWER
        fha.orders_held[(fha.orders_first + fha.orders_count) % fha.orders.capacity] = order.slot
        fha.orders_count += 1


cdef void send_answer(Fha* fha, Order* order) noexcept nogil:
    replies_finish(fha.order_replies, order.entry, order.reply, order.reply_length)
    leave_answer(fha, order, order.reply, order.reply_length)
    end_order(fha, order, DONE)
