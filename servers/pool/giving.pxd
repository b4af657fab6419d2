from libc.stdint cimport uint32_t, uint64_t
from servers.pool.bitmap cimport AddressState, Lease, Pool

# `now`: monotonic ns. Addresses in network order.
cdef bint pool_give(Pool* pool, uint32_t address, uint64_t owner, uint64_t now) noexcept nogil   # False: refused
cdef bint pool_claim(Pool* pool, uint32_t address, uint64_t owner) noexcept nogil         # restart. False: refused
cdef bint pool_cool(Pool* pool, uint32_t address, uint64_t owner, uint64_t until) noexcept nogil  # restart
cdef uint32_t pool_sweep(Pool* pool, uint64_t now, uint32_t most) noexcept nogil   # ends cool-downs; call once a second
cdef uint32_t pool_reconcile(Pool* pool, Lease* leases, uint32_t n, uint64_t now) noexcept nogil
cdef AddressState pool_state(const Pool* pool, uint32_t address) noexcept nogil
