from libc.stdint cimport uint32_t, uint64_t
from libc.stdlib cimport calloc, free
from libc.string cimport memset
from loadgen.mobile_node cimport HOLDING, MobileNode

cdef extern from *:
    int ctz "__builtin_ctzll"(uint64_t) noexcept nogil


cdef int holding_open(Holding* holding, uint64_t now) except -1:
    """`now`: monotonic ns; no time before it is ever asked for."""
    memset(holding, 0, sizeof(Holding))
    holding.epoch = now
    holding.heads = <uint32_t*> calloc(HOLDING_SLOTS, sizeof(uint32_t))
    if not holding.heads:
        raise MemoryError
    return 0


cdef void holding_close(Holding* holding) noexcept nogil:
    free(holding.heads)
    holding.heads = NULL


cdef void holding_clear(Holding* holding) noexcept nogil:
    """Nobody is on it any more; what becomes of the nodes is the caller's business."""
    memset(holding.heads, 0, HOLDING_SLOTS * sizeof(uint32_t))
    memset(holding.occupied, 0, sizeof(holding.occupied))
    holding.count = 0


cdef void holding_add(Holding* holding, MobileNode* nodes, uint32_t node, uint32_t due) noexcept nogil:
    """The node is HOLDING from now on and comes up at tick `due`, or at the next one."""
    cdef uint32_t slot
    due = max(due, holding.at)
    slot = due % HOLDING_SLOTS
    nodes[node].state, nodes[node].due, nodes[node].attempt = HOLDING, due, holding.heads[slot]
    holding.heads[slot] = node + 1
    holding.occupied[slot // 64] |= <uint64_t> 1 << slot % 64
    holding.count += 1


cdef uint32_t holding_due(Holding* holding, MobileNode* nodes, uint64_t now, uint32_t* out, uint32_t most) noexcept nogil:
    """Takes up to `most` nodes off whose tick has begun; when it returns `most`, there may be more."""
    cdef uint32_t n = 0, last = tick_of(holding, now)
    if not holding.count:
        holding.at = last + 1
        return 0
    if last + 1 > holding.at + HOLDING_SLOTS:          # a long pause: one whole turn sees every slot
        holding.at = last + 1 - HOLDING_SLOTS
    while holding.at <= last:
        n = take_slot(holding, nodes, last, out, n, most)
        if n == most:
            return n
        holding.at += 1
    return n


cdef uint32_t take_slot(Holding* holding, MobileNode* nodes, uint32_t last, uint32_t* out, uint32_t n,
                        uint32_t most) noexcept nogil:
    """One slot's due nodes; those of later turns, and those that find no room, stay on it."""
    cdef uint32_t slot = holding.at % HOLDING_SLOTS, node = holding.heads[slot], behind, later = 0
    while node and n < most:
        behind = nodes[node - 1].attempt
        if nodes[node - 1].due <= last:
            out[n] = node - 1
            n += 1
            holding.count -= 1
        else:
            nodes[node - 1].attempt = later
            later = node
        node = behind
    while later:
        behind = nodes[later - 1].attempt
        nodes[later - 1].attempt = node
        node, later = later, behind
    holding.heads[slot] = node
    if not node:
        holding.occupied[slot // 64] &= ~(<uint64_t> 1 << slot % 64)
    return n


cdef uint64_t holding_next(const Holding* holding) noexcept nogil:
    """Monotonic ns at which to look again: the next tick whose slot has a node (perhaps of a later turn); 0: none."""
    cdef uint32_t slot, ahead = 0
    cdef uint64_t word
    if not holding.count:
        return 0
    slot = holding.at % HOLDING_SLOTS
    while ahead < HOLDING_SLOTS + 64:
        word = holding.occupied[slot // 64] >> slot % 64
        if word:
            return time_of(holding, holding.at + ahead + <uint32_t> ctz(word))
        ahead += 64 - slot % 64
        slot = (slot + 64 - slot % 64) % HOLDING_SLOTS
    return time_of(holding, holding.at + HOLDING_SLOTS)
