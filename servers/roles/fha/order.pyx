# A Disconnect- or CoA-Request arrives from an AAAH (RFC 5176): who sends it, whether it says so itself, whether it is new.
from fastcodec.digest.jobs cimport DIGEST_HMAC_MD5, DIGEST_MD5, queue_job
from fastcodec.radius cimport (
    COA_REQUEST, DISCONNECT_REQUEST, EVENT_TIMESTAMP, MESSAGE_AUTHENTICATOR, NUMBERS, walk_packet,
)
from fastcodec.status cimport BAD_LENGTH, OK
from fastcodec.wire cimport get32, same
from libc.stdint cimport int64_t, uint32_t, uint8_t
from libc.string cimport memcpy, memset
from servers.engine.counters cimport count_event, count_offence
from servers.engine.parking cimport NO_SLOT_FREE, parking_leave, parking_row, parking_take
from servers.engine.reasons cimport (
    BAD_MESSAGE_AUTHENTICATOR, BAD_REQUEST_AUTHENTICATOR, BAD_SOURCE, DUPLICATE_ANSWERED, DUPLICATE_PENDING,
    DUPLICATE_RENEWED, NO_MESSAGE_AUTHENTICATOR, OUTBOX_FULL, STALE_TIMESTAMP, TABLE_FULL, UNKNOWN_CLIENT, UNKNOWN_CODE,
)
from servers.engine.stages cimport DONE, DROPPED
from servers.net.node cimport Datagram, compose
from servers.roles.client.state cimport Upstream
from servers.roles.fha.state cimport EVENT_WINDOW, Fha, Order, RRQ_ROOM, SECOND
from servers.tables.replies cimport Seen, replies_begin, replies_cancel, replies_find


cdef Order* open_order(Fha* fha, const Datagram* datagram) noexcept nogil:
    """NULL: counted."""
    cdef uint32_t slot
    cdef Order* order
    if datagram.length > RRQ_ROOM:
        count_offence(&fha.counters, BAD_LENGTH, datagram)
        return NULL
    slot = parking_take(&fha.orders)
    if slot == NO_SLOT_FREE:
        count_offence(&fha.counters, TABLE_FULL, datagram)
        return NULL
    order = <Order*> parking_row(&fha.orders, slot)
    memset(order, 0, <size_t> (<uint8_t*> &order.reply - <uint8_t*> order))
    order.slot, order.datagram = slot, datagram[0]
    order.datagram.data = order.octets
    memcpy(order.octets, datagram.data, datagram.length)
    return order


cdef void end_order(Fha* fha, Order* order, int outcome) noexcept nogil:
    order.head.outcome = <uint8_t> outcome
    parking_leave(&fha.orders, order.slot)


cdef void drop_order(Fha* fha, Order* order, int reason) noexcept nogil:
    """Silence; should it come again, it is new."""
    count_offence(&fha.counters, reason, &order.datagram)
    replies_cancel(fha.order_replies, order.entry)
    end_order(fha, order, DROPPED)


cdef void read_order(Fha* fha, Order* order) noexcept nogil:
    """Whom we ask may give orders, from any port: RFC 5176 6.1 wants a server that an Access-Request for the session could
    go to, and that is any of the list, since each stands in for the others."""
    cdef int status
    if not gives_orders(fha, order.datagram.peer_address):
        drop_order(fha, order, UNKNOWN_CLIENT)
        return
    if not order.datagram.peer_port:
        drop_order(fha, order, BAD_SOURCE)
        return
    status = walk_packet(order.octets, order.datagram.length, &NUMBERS, &order.packet)
    if status != OK:
        drop_order(fha, order, status)
    elif order.octets[0] not in (DISCONNECT_REQUEST, COA_REQUEST):
        drop_order(fha, order, UNKNOWN_CODE)
    elif not order.packet.count[<int> MESSAGE_AUTHENTICATOR]:
        drop_order(fha, order, NO_MESSAGE_AUTHENTICATOR)
    elif order.packet.count[<int> MESSAGE_AUTHENTICATOR] != 1 or order.packet.size[<int> MESSAGE_AUTHENTICATOR] != 16:
        drop_order(fha, order, BAD_MESSAGE_AUTHENTICATOR)
    else:
        queue_authenticators(fha, order)


cdef bint gives_orders(const Fha* fha, uint32_t address) noexcept nogil:
    cdef uint32_t k
    for k in range(fha.client.upstreams):
        if fha.client.upstream[k].address == address:
            return True
    return False


cdef void queue_authenticators(Fha* fha, Order* order) noexcept nogil:
    """RFC 5176 2.3: the Request Authenticator is MD5 over the packet with zeros in its place, and the secret; of servers
    with one address the secret tells which it is."""
    cdef Upstream* server
    cdef uint32_t k
    memcpy(order.authenticator, order.octets + 4, 16)
    memset(order.octets + 4, 0, 16)
    for k in range(fha.client.upstreams):
        server = &fha.client.upstream[k]
        if server.address == order.datagram.peer_address:
            queue_job(&fha.queue, DIGEST_MD5, order.octets, order.packet.length, server.secret, server.secret_length, NULL,
                      order.digests[k])


cdef Upstream* server_of(Fha* fha, const Order* order) noexcept nogil:
    """The one whose secret verifies; NULL: none."""
    cdef uint32_t k
    for k in range(fha.client.upstreams):
        if (fha.client.upstream[k].address == order.datagram.peer_address
                and same(order.digests[k], order.authenticator, 16)):
            return &fha.client.upstream[k]
    return NULL


cdef void check_order(Fha* fha, Order* order) noexcept nogil:
    """Then the Message-Authenticator, over the packet with zeros in both places, RFC 5176 3.4."""
    cdef uint8_t* message_authenticator = order.octets + order.packet.offset[<int> MESSAGE_AUTHENTICATOR]
    order.server = server_of(fha, order)
    if not order.server:
        drop_order(fha, order, BAD_REQUEST_AUTHENTICATOR)
        return
    memcpy(order.message_authenticator, message_authenticator, 16)
    memset(message_authenticator, 0, 16)
    queue_job(&fha.queue, DIGEST_HMAC_MD5, order.octets, order.packet.length, NULL, 0, &order.server.secret_key, order.digest)


cdef void check_order_signature(Fha* fha, Order* order) noexcept nogil:
    if not same(order.digest, order.message_authenticator, 16):
        drop_order(fha, order, BAD_MESSAGE_AUTHENTICATOR)
        return
    memcpy(order.octets + 4, order.authenticator, 16)
    if not is_recent(fha, order):
        drop_order(fha, order, STALE_TIMESTAMP)
    else:
        find_duplicate(fha, order)


cdef bint is_recent(const Fha* fha, const Order* order) noexcept nogil:
    """RFC 5176 6.3, against replays. One without the attribute is told so."""
    cdef int64_t sent
    if order.packet.size[<int> EVENT_TIMESTAMP] != 4:
        return True
    sent = get32(order.octets + order.packet.offset[<int> EVENT_TIMESTAMP])
    return -EVENT_WINDOW <= sent - <int64_t> (fha.now.wall // SECOND) <= EVENT_WINDOW


cdef void find_duplicate(Fha* fha, Order* order) noexcept nogil:
    """RFC 5080 2.2.2, for as long as a copy would be recent enough."""
    cdef const Datagram* datagram = &order.datagram
    cdef const uint8_t* stored = NULL
    cdef uint32_t length = 0
    cdef int seen = replies_find(fha.order_replies, datagram.peer_address, datagram.peer_port, order.octets[1],
                                 order.authenticator, fha.now.monotonic, &stored, &length)
    if seen == Seen.PENDING:
        drop_order(fha, order, DUPLICATE_PENDING)
        return
    if seen == Seen.DONE:
        count_event(&fha.counters, DUPLICATE_ANSWERED)
        leave_answer(fha, order, stored, length)
        end_order(fha, order, DONE)
        return
    if seen == Seen.CHANGED:
        count_event(&fha.counters, DUPLICATE_RENEWED)
    order.entry = replies_begin(fha.order_replies, datagram.peer_address, datagram.peer_port, order.octets[1],
                                order.authenticator, fha.now.monotonic)
    if not order.entry:
        drop_order(fha, order, TABLE_FULL)


cdef void leave_answer(Fha* fha, const Order* order, const unsigned char* octets, unsigned int length) noexcept nogil:
    """To where the request came from, from where it came to. One that finds no room is lost as in the network."""
    cdef Datagram* reply = compose(fha.out, order.datagram.port)
    if not reply:
        count_event(&fha.counters, OUTBOX_FULL)
        return
    reply.peer_address, reply.peer_port = order.datagram.peer_address, order.datagram.peer_port
    reply.local_address = order.datagram.local_address
    memcpy(reply.data, octets, length)
    reply.length = length
