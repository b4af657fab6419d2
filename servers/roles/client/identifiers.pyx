# Which identifier, of which port, towards which server: a transaction's place is its index,
# (server * ports + port) * 256 + identifier. Identifiers are apart for each destination, RFC 5080 2.2.2.
from libc.stdint cimport uint8_t, uint16_t, uint32_t, uint64_t
from libc.stdlib cimport calloc, free
from libc.string cimport memcpy
from servers.engine.counters cimport count_event
from servers.engine.pages cimport expect_use
from servers.engine.reasons cimport NO_IDENTIFIER_FREE
from servers.engine.wheel cimport wheel_cancel, wheel_close, wheel_open
from servers.roles.client.state cimport (
    ALIVE, IDENTIFIERS, MOST_UPSTREAMS, NO_TRANSACTION, PROBE, Transaction, Upstream, transaction_at,
)


cdef int client_open(RadiusClient* client, uint32_t ports, uint16_t first_port, size_t room, uint64_t now) except -1:
    """`room`: octets that the longest request may have. Queue, outbox, clock, entropy and counters are the caller's to
    set; then come the servers (client_server)."""
    client.ports, client.first_port, client.places = ports, first_port, ports * IDENTIFIERS
    client.stride = ((sizeof(Transaction) + room + 63) // 64 | 1) * 64
    client.outstanding = <uint32_t*> calloc(MOST_UPSTREAMS * ports, sizeof(uint32_t))
    client.next_identifier = <uint8_t*> calloc(MOST_UPSTREAMS * ports, 1)
    if not client.outstanding or not client.next_identifier:
        client_close(client)
        raise MemoryError
    wheel_open(&client.wheel, MOST_UPSTREAMS * client.places + MOST_UPSTREAMS, now)
    return 0


cdef int reserve_places(RadiusClient* client, uint32_t upstreams) except -1:
    """Transactions for so many servers; pages that no request has touched cost nothing."""
    cdef uint8_t* grown = <uint8_t*> calloc(upstreams * client.places, client.stride)
    if not grown:
        raise MemoryError
    expect_use(grown, upstreams * client.places * client.stride)
    if client.in_use:
        memcpy(grown, client.octets, client.upstreams * client.places * client.stride)
    free(client.octets)
    client.octets = grown
    return 0


cdef void client_close(RadiusClient* client) noexcept nogil:
    free(client.octets)
    free(client.outstanding)
    free(client.next_identifier)
    client.octets, client.outstanding, client.next_identifier = NULL, NULL, NULL
    wheel_close(&client.wheel)


cdef void client_turn(RadiusClient* client) noexcept nogil:
    """The next batch leaves through the next socket, so that one system call carries a whole batch."""
    client.turn = (client.turn + 1) % client.ports


cdef uint32_t client_take(RadiusClient* client, uint32_t owner) noexcept nogil:
    """A transaction for `owner` at the preferred server or, when that one's identifiers are all outstanding, at another
    that is alive; NO_TRANSACTION when there is none (counted)."""
    cdef uint32_t index = take_place(client, client.preferred, owner), k
    if index != NO_TRANSACTION:
        return index
    for k in range(client.upstreams):
        if k != client.preferred and client.upstream[k].state == ALIVE:
            index = take_place(client, k, owner)
            if index != NO_TRANSACTION:
                return index
    count_event(client.counters, NO_IDENTIFIER_FREE)
    return NO_TRANSACTION


cdef uint32_t take_place(RadiusClient* client, uint32_t upstream, uint32_t owner) noexcept nogil:
    """From the present port or the next with an identifier free. One outstanding is never reused (RFC 5080 2.2.2)."""
    cdef uint32_t k, port, index
    cdef uint32_t* outstanding = client.outstanding + upstream * client.ports
    cdef uint8_t identifier
    cdef Transaction* transaction
    for k in range(client.ports):
        port = (client.turn + k) % client.ports
        if outstanding[port] < IDENTIFIERS:
            break
    else:
        return NO_TRANSACTION
    client.turn = port
    port += upstream * client.ports
    identifier = client.next_identifier[port]
    while transaction_at(client, port * IDENTIFIERS + identifier).state == TransactionState.OUTSTANDING:
        identifier += 1
    client.next_identifier[port] = identifier + 1
    index = port * IDENTIFIERS + identifier
    transaction = transaction_at(client, index)
    if transaction.state == TransactionState.MOVED:
        transaction_at(client, transaction.successor).predecessor = 0
    transaction.has_previous = transaction.state != TransactionState.FREE
    transaction.owner, transaction.upstream, transaction.state = owner, <uint8_t> upstream, TransactionState.OUTSTANDING
    transaction.tries = transaction.moves = 0
    transaction.predecessor = 0
    client.outstanding[port] += 1
    client.upstream[upstream].requests += owner != PROBE
    client.in_use += 1
    return index


cdef void close_transaction(RadiusClient* client, uint32_t index, TransactionState state) noexcept nogil:
    cdef Transaction* transaction = transaction_at(client, index)
    cdef Upstream* upstream = &client.upstream[transaction.upstream]
    transaction.state = state
    wheel_cancel(&client.wheel, index)
    client.outstanding[index // IDENTIFIERS] -= 1
    upstream.requests -= transaction.owner != PROBE
    if not upstream.requests:
        upstream.quiet_since = 0
    client.in_use -= 1
    if transaction.predecessor:                            # whatever that server says now, it comes too late
        transaction_at(client, transaction.predecessor - 1).state = TransactionState.TIMED_OUT
        transaction.predecessor = 0


cdef void client_release(RadiusClient* client, uint32_t index) noexcept nogil:
    """Gives back a transaction that was never sent."""
    close_transaction(client, index, TransactionState.FREE)
