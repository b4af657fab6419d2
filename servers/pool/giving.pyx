# What else becomes of an address: given back, put to rest, freed again; and what a restart knows of it.
from libc.stdint cimport uint8_t, uint32_t, uint64_t
from libc.stdlib cimport calloc, free
from servers.pool.atomics cimport fetch_or, load_acquire, swap_if
from servers.pool.bitmap cimport AddressState, COOLING, LEASED, Lease, Pool, RESERVED
from servers.pool.words cimport (
    DETAIL, SECOND, bit_is_set, clear_bit, cooling_word, index_of, leased_word, rested, same_owner, state_of, tag_of,
)


cdef void settle(Pool* pool, uint32_t index, uint64_t seen, uint64_t until, bint* moved) noexcept nogil:
    """One attempt to move a leased word on: to rest until that second, or to FREE when there is no cool-down."""
    if pool.cool_down:
        moved[0] = swap_if(&pool.words[index], seen, cooling_word(until, seen & 0xFFFFFFFFu))
        return
    moved[0] = swap_if(&pool.words[index], seen, 0)
    if moved[0]:
        clear_bit(pool, index)


cdef bint pool_give(Pool* pool, uint32_t address, uint64_t owner, uint64_t now) noexcept nogil:
    """Refused and counted unless the address is leased to this owner: a second release changes nothing."""
    cdef uint32_t index = index_of(pool, address)
    cdef uint64_t seen
    cdef bint moved = False
    while index < pool.size:
        seen = load_acquire(&pool.words[index])
        if state_of(seen) != LEASED or not same_owner(seen, owner):
            break
        settle(pool, index, seen, now // SECOND + pool.cool_down, &moved)
        if moved:
            return True
        pool.line.retries += 1
    pool.line.refused += 1
    return False


cdef bint move_for(Pool* pool, uint32_t address, uint64_t owner, uint64_t to) noexcept nogil:
    """At restart: the journal knows better than a cool-down, but not than a lease of somebody else."""
    cdef uint32_t index = index_of(pool, address)
    cdef uint64_t seen
    if index < pool.size:
        fetch_or(&pool.map[index // 64], <uint64_t> 1 << (index % 64))
        while True:
            seen = load_acquire(&pool.words[index])
            if state_of(seen) == RESERVED or (state_of(seen) == LEASED and not same_owner(seen, owner)):
                break
            if swap_if(&pool.words[index], seen, to):
                return True
            pool.line.retries += 1
    pool.line.refused += 1
    return False


cdef bint pool_claim(Pool* pool, uint32_t address, uint64_t owner) noexcept nogil:
    """Takes exactly this address, for a lease that the journal holds; also one that this owner holds already."""
    return move_for(pool, address, owner, leased_word(pool, owner))


cdef bint pool_cool(Pool* pool, uint32_t address, uint64_t owner, uint64_t until) noexcept nogil:
    """Puts an address to rest, for a cool-down that the journal holds. `until`: monotonic ns of this boot."""
    return move_for(pool, address, owner, cooling_word(until // SECOND, tag_of(owner)))


cdef bint end_rest(Pool* pool, uint32_t index, uint64_t second) noexcept nogil:
    """Frees the address if it has rested; takes it back if a killed process left it free but marked."""
    cdef uint64_t seen = load_acquire(&pool.words[index])
    if state_of(seen) == COOLING and rested(seen, second) and swap_if(&pool.words[index], seen, 0):
        clear_bit(pool, index)
        return True
    if seen == 0 and bit_is_set(pool, index) and load_acquire(&pool.words[index]) == 0:
        clear_bit(pool, index)
        pool.line.repaired += 1
    return False


cdef uint32_t pool_sweep(Pool* pool, uint64_t now, uint32_t most) noexcept nogil:
    """Looks at up to `most` addresses, going on where it stopped. Returns how many cool-downs it ended."""
    cdef uint32_t _, ended = 0
    for _ in range(min(most, pool.size)):
        ended += end_rest(pool, pool.cursor, now // SECOND)
        pool.cursor = pool.cursor + 1 if pool.cursor + 1 < pool.size else 0
    return ended


cdef uint32_t drop_unknown(Pool* pool, const uint8_t* known, uint64_t now) noexcept nogil:
    """Gives back what is leased through this worker and not known. Returns how many."""
    cdef uint32_t index, dropped = 0
    cdef uint64_t seen
    cdef bint moved = False
    for index in range(pool.size):
        seen = load_acquire(&pool.words[index])
        if state_of(seen) == LEASED and (seen >> (DETAIL + 22)) & 0xFF == pool.worker and not known[index]:
            settle(pool, index, seen, now // SECOND + pool.cool_down, &moved)
            dropped += moved
    return dropped


cdef uint32_t pool_reconcile(Pool* pool, Lease* leases, uint32_t n, uint64_t now) noexcept nogil:
    """After a crash of this worker: claims what its journal holds and gives back what it had leased beyond that.

    What is given back was never acknowledged. Returns how many; UINT32_MAX: no memory, nothing was given back.
    """
    cdef uint8_t* known = <uint8_t*> calloc(pool.size, 1)
    cdef uint32_t k, dropped
    for k in range(n):
        leases[k].held = pool_claim(pool, leases[k].address, leases[k].owner)
        if leases[k].held and known != NULL:
            known[index_of(pool, leases[k].address)] = 1
    if known == NULL:
        return 0xFFFFFFFFu
    dropped = drop_unknown(pool, known, now)
    free(known)
    return dropped


cdef AddressState pool_state(const Pool* pool, uint32_t address) noexcept nogil:
    """RESERVED for an address outside: nobody may lease it."""
    cdef uint32_t index = index_of(pool, address)
    return state_of(load_acquire(&pool.words[index])) if index < pool.size else RESERVED
