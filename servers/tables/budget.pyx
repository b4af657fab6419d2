from libc.stdint cimport uint32_t, uint64_t
from libc.stdlib cimport calloc, free


cdef int budget_open(Budget* budget, uint32_t limit) except -1:
    budget.slots = <Spent*> calloc(BUDGET_SLOTS, sizeof(Spent))
    budget.limit = limit
    if not budget.slots:
        raise MemoryError
    return 0


cdef void budget_close(Budget* budget) noexcept nogil:
    free(budget.slots)
    budget.slots = NULL


cdef bint budget_allows(Budget* budget, uint64_t hash, uint64_t now) noexcept nogil:
    """Counts one; False beyond the limit of this second. `now`: monotonic ns."""
    cdef Spent* spent = &budget.slots[hash % BUDGET_SLOTS]
    cdef uint32_t key = <uint32_t> (hash >> 32), second = <uint32_t> (now // 1000000000) + 1
    if spent.key != key or spent.second != second:
        spent.key, spent.second, spent.count = key, second, 0
    if spent.count >= budget.limit:
        return False
    spent.count += 1
    return True
