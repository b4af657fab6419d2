# Which server to ask: alive or in doubt, RFC 3539 3.4, RFC 5997 4, ruling 19. Only with a second server to turn to.
#
#   alive     a response window without any answer while requests are out, or with fewer answers in time than requests
#             overdue (a slow server), or a watchdog's Status-Server without an answer for another Tw    -> suspect
#   suspect   three answers in time, to whatever                                                         -> alive
from fastcodec.wire cimport get64
from libc.stdint cimport uint32_t, uint64_t
from servers.engine.counters cimport count_event
from servers.engine.reasons cimport UPSTREAM_BACK, UPSTREAM_SUSPECT
from servers.engine.wheel cimport wheel_arm
from servers.net.node cimport draw
from servers.roles.client.state cimport (
    ALIVE, ANSWERS_TO_RETURN, MS, OUTSTANDING, PROBE, RESPONSE_WINDOW_MS, SUSPECT, Transaction, Upstream, WATCHDOG_MS,
    health_timer, transaction_at,
)

cdef enum:
    SPREAD_MS = 250                    # over which requests under way leave for another server: its buffers are finite
    TRIAL_MS = 120000                  # a suspect server that knows no Status-Server is asked again after this


cdef void check_after(RadiusClient* client, uint32_t upstream, uint64_t now, uint32_t ms) noexcept nogil:
    client.upstream[upstream].check_at = now + <uint64_t> ms * MS
    wheel_arm(&client.wheel, health_timer(client, upstream), client.upstream[upstream].check_at)


cdef uint32_t jittered(RadiusClient* client, uint32_t ms) noexcept nogil:
    """30 s +- 2 s (RFC 3539 3.4.1), shorter times in proportion: many clients must not ask at once."""
    return ms - ms // 15 + <uint32_t> (get64(draw(client.entropy, 8)) % (ms // 15 * 2 + 1))


cdef void watch(RadiusClient* client, uint32_t upstream, uint64_t now) noexcept nogil:
    """From now on the server is watched: it has a neighbour."""
    client.upstream[upstream].heard = now
    check_after(client, upstream, now, jittered(client, WATCHDOG_MS))


cdef void await_answer(RadiusClient* client, uint32_t upstream, uint64_t now) noexcept nogil:
    """The first request to a server that owed no answer: its response window begins."""
    cdef Upstream* server = &client.upstream[upstream]
    server.quiet_since = now
    if server.state == ALIVE and server.check_at > now + <uint64_t> RESPONSE_WINDOW_MS * MS:
        check_after(client, upstream, now, RESPONSE_WINDOW_MS)


cdef void upstream_answered(RadiusClient* client, uint32_t upstream, bint in_time) noexcept nogil:
    """A valid answer, to a request that had none before; `in_time`: before that was sent again or given up."""
    cdef Upstream* server = &client.upstream[upstream]
    server.answered += 1
    if client.upstreams < 2:
        return
    server.heard, server.silent_probes = client.now.monotonic, 0
    server.quiet_since = client.now.monotonic if server.requests else 0
    server.in_time += in_time
    if server.state == ALIVE or not in_time:
        return
    server.answers += 1
    if server.answers < ANSWERS_TO_RETURN:
        server.probe_interval_ms = RESPONSE_WINDOW_MS
        check_after(client, upstream, client.now.monotonic, RESPONSE_WINDOW_MS)
    else:
        restore(client, upstream, client.now.monotonic)
    choose(client)


cdef bint upstream_due(RadiusClient* client, uint32_t upstream, uint64_t now) noexcept nogil:
    """The server's timer has fired. True: send it a Status-Server."""
    cdef Upstream* server = &client.upstream[upstream]
    if server.state == SUSPECT and server.answers_probes:
        check_after(client, upstream, now, jittered(client, server.probe_interval_ms))
        server.probe_interval_ms = min(2 * server.probe_interval_ms, <uint32_t> WATCHDOG_MS)
        return True
    if server.state == SUSPECT:
        restore(client, upstream, now)
        choose(client)
    elif server.requests:
        return still_waits(client, upstream, now)
    elif now >= server.heard + <uint64_t> (WATCHDOG_MS - WATCHDOG_MS // 15) * MS:
        return still_idle(client, upstream, now)
    else:
        check_after(client, upstream, server.heard, jittered(client, WATCHDOG_MS))
    return False


cdef bint still_waits(RadiusClient* client, uint32_t upstream, uint64_t now) noexcept nogil:
    cdef Upstream* server = &client.upstream[upstream]
    if not server.quiet_since:                                         # taken, but not sent yet
        server.quiet_since = now
    if server.overdue > server.in_time or now >= server.quiet_since + <uint64_t> RESPONSE_WINDOW_MS * MS:
        return suspect(client, upstream, now)
    server.in_time = server.overdue = 0
    check_after(client, upstream, server.quiet_since, RESPONSE_WINDOW_MS)
    return False


cdef bint still_idle(RadiusClient* client, uint32_t upstream, uint64_t now) noexcept nogil:
    """RFC 3539 3.4.1: a Status-Server after Tw without traffic; no answer to it for another Tw is a failure."""
    cdef Upstream* server = &client.upstream[upstream]
    if server.silent_probes:
        return suspect(client, upstream, now)
    check_after(client, upstream, now, jittered(client, WATCHDOG_MS))
    if server.answers_probes:
        server.silent_probes = 1
    return server.answers_probes


cdef bint suspect(RadiusClient* client, uint32_t upstream, uint64_t now) noexcept nogil:
    """New requests go to the next server, those under way follow; the suspect is probed at once and then less and less."""
    cdef Upstream* server = &client.upstream[upstream]
    server.state, server.answers = SUSPECT, 0
    server.suspected += 1
    count_event(client.counters, UPSTREAM_SUSPECT)
    choose(client)
    hasten(client, now)
    server.probe_interval_ms = 2 * RESPONSE_WINDOW_MS
    check_after(client, upstream, now, jittered(client, RESPONSE_WINDOW_MS if server.answers_probes else TRIAL_MS))
    return server.answers_probes


cdef void restore(RadiusClient* client, uint32_t upstream, uint64_t now) noexcept nogil:
    cdef Upstream* server = &client.upstream[upstream]
    server.state, server.silent_probes, server.heard = ALIVE, 0, now
    server.quiet_since = now if server.requests else 0
    server.in_time = server.overdue = 0
    count_event(client.counters, UPSTREAM_BACK)
    check_after(client, upstream, now, RESPONSE_WINDOW_MS)
    choose(client)
    hasten(client, now)


cdef void choose(RadiusClient* client) noexcept nogil:
    """The first that is alive; if none is, the one that answered last."""
    cdef uint32_t k, best = 0
    for k in range(client.upstreams):
        if client.upstream[k].state == ALIVE:
            client.preferred = k
            return
        if client.upstream[k].heard > client.upstream[best].heard:
            best = k
    client.preferred = best


cdef void hasten(RadiusClient* client, uint64_t now) noexcept nogil:
    """When a server is alive, the timers of requests at suspect ones fire now, and they move to it."""
    cdef uint32_t k, index
    if client.upstream[client.preferred].state == SUSPECT:
        return
    for k in range(client.upstreams):
        if client.upstream[k].state == SUSPECT and client.upstream[k].requests:
            for index in range(k * client.places, (k + 1) * client.places):
                hasten_one(client, k, index, now)


cdef inline void hasten_one(RadiusClient* client, uint32_t upstream, uint32_t index, uint64_t now) noexcept nogil:
    """One that is taken but not sent yet has no timer to bring forward."""
    cdef Transaction* transaction = transaction_at(client, index)
    cdef uint64_t later = <uint64_t> SPREAD_MS * MS * (index - upstream * client.places) // client.places
    if transaction.state == OUTSTANDING and transaction.owner != PROBE and transaction.tries:
        wheel_arm(&client.wheel, index, now + later)
