# Finding an address and leasing it (see bitmap.pyx for the two rules, and for what an exhaustion proves).
from libc.stdint cimport uint32_t, uint64_t
from servers.pool.atomics cimport fetch_or, load_acquire, lowest_bit, swap_if
from servers.pool.bitmap cimport COOLING, EXHAUSTED, FREE, GRANTED, Pool, PoolAnswer, Request
from servers.pool.giving cimport pool_sweep
from servers.pool.words cimport SECOND, htonl, index_of, leased_word, rested, same_owner, state_of


cdef uint64_t all_released(const Pool* pool) noexcept nogil:
    """Each counter only grows, so two equal sums mean equal counters."""
    cdef uint64_t total = 0
    cdef uint32_t k
    for k in range(pool.workers):
        total += load_acquire(&pool.lines[k].released)
    return total


cdef bint lease_at(Pool* pool, uint32_t index, uint64_t owner, uint64_t second) noexcept nogil:
    """Leases this address if it is free, or cooling for this owner, or rested. Rule 2: the bit first, then the word."""
    cdef uint64_t* word = &pool.words[index]
    cdef uint64_t seen
    fetch_or(&pool.map[index // 64], <uint64_t> 1 << (index % 64))
    while True:
        seen = load_acquire(word)
        if state_of(seen) == COOLING:
            if not same_owner(seen, owner) and not rested(seen, second):
                return False
        elif state_of(seen) != FREE:
            return False
        if swap_if(word, seen, leased_word(pool, owner)):
            return True
        pool.line.retries += 1


cdef bint search(Pool* pool, Request* request, uint64_t second) noexcept nogil:
    """Next fit: from the word of the map where the last search of this worker ended."""
    cdef uint32_t words = (pool.size + 63) // 64, at = pool.hint, index, _
    cdef uint64_t seen
    for _ in range(words):
        seen = load_acquire(&pool.map[at])
        while ~seen:
            index = at * 64 + <uint32_t> lowest_bit(~seen)
            if lease_at(pool, index, request.owner, second):
                pool.hint = at
                request.address = htonl(pool.first + index)
                return True
            pool.line.retries += 1
            seen = load_acquire(&pool.map[at])
        at = at + 1 if at + 1 < words else 0
    return False


cdef PoolAnswer take_one(Pool* pool, Request* request, uint64_t second) noexcept nogil:
    cdef uint32_t index = index_of(pool, request.wanted)
    cdef uint64_t before
    if request.wanted != 0 and index < pool.size and lease_at(pool, index, request.owner, second):
        request.address = request.wanted
        return GRANTED
    while True:
        before = all_released(pool)
        if pool.proof != before + 1 or pool.swept != second:
            if search(pool, request, second):
                return GRANTED
            if pool.swept != second:                   # cool-downs end by the second
                pool.swept = second
                pool_sweep(pool, second * SECOND, pool.size)
            if all_released(pool) != before:
                continue
        pool.proof = before + 1
        return EXHAUSTED


cdef void pool_take(Pool* pool, Request* requests, int n, uint64_t now) noexcept nogil:
    """Answers each request in its place."""
    cdef int k
    for k in range(n):
        requests[k].address = 0
        requests[k].state = take_one(pool, &requests[k], now // SECOND)
        if requests[k].state == GRANTED:
            pool.line.granted += 1
        else:
            pool.line.exhausted += 1
