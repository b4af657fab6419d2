from libc.stdint cimport uint64_t
from servers.pool.bitmap cimport Pool, Request

# `now`: monotonic ns. Addresses in network order.
cdef void pool_take(Pool* pool, Request* requests, int n, uint64_t now) noexcept nogil
