# What is due at the client: retransmissions, moves to another server, probes, and the end of what nobody answered.
from fastcodec.digest.jobs cimport run_queue
from libc.stdint cimport uint8_t, uint32_t, uint64_t
from servers.engine.wheel cimport wheel_expired
from servers.roles.client.health cimport upstream_due
from servers.roles.client.identifiers cimport close_transaction
from servers.roles.client.sending cimport client_send, move_request, send_again, start_probe
from servers.roles.client.state cimport (
    ALIVE, NO_TRANSACTION, PROBE, SUSPECT, TIMED_OUT, Transaction, health_timer, transaction_at,
)

cdef enum:
    DUE = 256                          # looked at in one go


cdef uint32_t client_expire(RadiusClient* client, uint64_t now, uint32_t* gave_up, uint32_t most, bint* more) noexcept nogil:
    """Fills in the owners of requests that had their last try. `most`: room there; True in `more`: call again."""
    cdef uint32_t[DUE] due
    cdef uint32_t[DUE] fresh                                           # transactions to be signed and sent
    cdef uint8_t[DUE][16] digests
    cdef uint32_t k, index, n, count = 0, lost = 0
    n = wheel_expired(&client.wheel, now, due, min(most, <uint32_t> DUE))
    more[0] = n == min(most, <uint32_t> DUE)
    for k in range(n):
        index = renew(client, due[k], digests[count], now)
        if index != NO_TRANSACTION:
            fresh[count] = index
            count += 1
        elif due[k] < health_timer(client, 0) and not send_again(client, due[k], now):
            lost += end_unanswered(client, due[k], gave_up + lost)
    if count:
        run_queue(client.queue)
    for k in range(count):
        client_send(client, fresh[k], digests[k], now)
    return lost


cdef uint32_t renew(RadiusClient* client, uint32_t index, uint8_t* digest, uint64_t now) noexcept nogil:
    """A new transaction that comes of a timer: a probe, or a request that moves; or NO_TRANSACTION."""
    cdef Transaction* transaction
    if index >= health_timer(client, 0):
        index -= health_timer(client, 0)
        return start_probe(client, index, digest) if upstream_due(client, index, now) else NO_TRANSACTION
    transaction = transaction_at(client, index)
    if (transaction.owner != PROBE and client.upstream[transaction.upstream].state == SUSPECT
            and client.upstream[client.preferred].state == ALIVE):
        return move_request(client, index, digest)
    return NO_TRANSACTION


cdef uint32_t end_unanswered(RadiusClient* client, uint32_t index, uint32_t* owner) noexcept nogil:
    """1: its owner must be told."""
    close_transaction(client, index, TIMED_OUT)
    owner[0] = transaction_at(client, index).owner
    if owner[0] == PROBE:
        return 0
    client.timed_out += 1
    client.upstream[transaction_at(client, index).upstream].timed_out += 1
    return 1
