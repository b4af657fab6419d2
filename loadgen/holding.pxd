# The nodes that stay after their bootstrap: a timer wheel whose links lie in the nodes, four octets each and no more.
# A node is on it while it is HOLDING, and is only ever taken off when it is due: one link a node is enough.
from libc.stdint cimport uint32_t, uint64_t
from loadgen.mobile_node cimport MobileNode

cdef enum:
    HOLDING_SLOTS = 32768
    HOLDING_SHIFT = 20                # a tick is 2^20 ns, about 1 ms; one turn 34 s; 32 bits of them are 52 days
    NEVER = 0xffffffff

cdef struct Holding:
    uint32_t* heads                   # node + 1 of each slot, 0: empty
    uint64_t[512] occupied            # one bit a slot
    uint64_t epoch                    # monotonic ns of tick 0
    uint32_t at                       # first tick not yet looked at
    uint32_t count

cdef inline uint32_t tick_of(const Holding* holding, uint64_t when) noexcept nogil:
    """The tick that `when` (monotonic ns) lies in; the first one of all before it."""
    return <uint32_t> ((when - holding.epoch) >> HOLDING_SHIFT) if when > holding.epoch else 0

cdef inline uint64_t time_of(const Holding* holding, uint32_t tick) noexcept nogil:
    """Monotonic ns at which a tick begins."""
    return holding.epoch + (<uint64_t> tick << HOLDING_SHIFT)

cdef inline uint32_t ticks_in(uint64_t duration) noexcept nogil:
    """Of so many ns, rounded up."""
    return <uint32_t> ((duration + (1 << HOLDING_SHIFT) - 1) >> HOLDING_SHIFT)

cdef int holding_open(Holding* holding, uint64_t now) except -1
cdef void holding_close(Holding* holding) noexcept nogil
cdef void holding_add(Holding* holding, MobileNode* nodes, uint32_t node, uint32_t due) noexcept nogil
cdef uint32_t holding_due(Holding* holding, MobileNode* nodes, uint64_t now, uint32_t* out, uint32_t most) noexcept nogil
cdef uint64_t holding_next(const Holding* holding) noexcept nogil
cdef void holding_clear(Holding* holding) noexcept nogil
