from libc.stdint cimport uint32_t, uint64_t
from servers.roles.client.state cimport RadiusClient

cdef void watch(RadiusClient* client, uint32_t upstream, uint64_t now) noexcept nogil
cdef void await_answer(RadiusClient* client, uint32_t upstream, uint64_t now) noexcept nogil
cdef void upstream_answered(RadiusClient* client, uint32_t upstream, bint in_time) noexcept nogil
cdef bint upstream_due(RadiusClient* client, uint32_t upstream, uint64_t now) noexcept nogil

cdef inline void upstream_asked(RadiusClient* client, uint32_t upstream, uint64_t now) noexcept nogil:
    """A request has left; with a single server there is nothing to decide."""
    client.upstream[upstream].asked += 1
    if client.upstreams > 1 and not client.upstream[upstream].quiet_since:
        await_answer(client, upstream, now)
