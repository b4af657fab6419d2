"""Drives the pool from a compiled loop, with a witness that sees every address held twice: for profiles and tests.

One call from Python costs more than ten operations of the pool and would hide its contention.
"""
from libc.stdint cimport uint32_t, uint64_t
from libc.stdlib cimport free, malloc
from servers.pool.atomics cimport swap_if
from servers.pool.bitmap cimport GRANTED, Pool, Request, SharedPool
from servers.pool.giving cimport pool_give
from servers.pool.taking cimport pool_take

cdef extern from "<arpa/inet.h>" nogil:
    uint32_t ntohl(uint32_t)

cdef extern from "<time.h>" nogil:
    enum:
        CLOCK_MONOTONIC
    struct timespec:
        long tv_sec
        long tv_nsec
    int clock_gettime(int, timespec*)


cdef struct Held:
    uint32_t address               # network order
    uint64_t owner


cdef struct Driver:
    Pool* pool
    uint64_t* witness              # shared, one word an address: who holds it, 0: nobody
    Held* held
    uint32_t count
    uint32_t most
    uint64_t seed
    uint64_t takes
    uint64_t violations


cdef uint64_t clock_ns() noexcept nogil:
    cdef timespec t
    clock_gettime(CLOCK_MONOTONIC, &t)
    return <uint64_t> t.tv_sec * 1000000000u + t.tv_nsec


cdef uint64_t draw(Driver* d) noexcept nogil:
    d.seed ^= d.seed << 13
    d.seed ^= d.seed >> 7
    d.seed ^= d.seed << 17
    return d.seed


cdef void give_random(Driver* d, uint64_t now) noexcept nogil:
    """The witness lets go first: from the release on, the address may be another's."""
    cdef uint32_t k = <uint32_t> (draw(d) % d.count)
    cdef Held gone = d.held[k]
    d.count -= 1
    d.held[k] = d.held[d.count]
    if not swap_if(&d.witness[ntohl(gone.address) - d.pool.first], gone.owner, 0):
        d.violations += 1
    if not pool_give(d.pool, gone.address, gone.owner, now):
        d.violations += 1


cdef bint take_any(Driver* d, uint64_t now) noexcept nogil:
    cdef Request request = Request(draw(d) | 1, 0, 0, 0)
    pool_take(d.pool, &request, 1, now)
    if request.state != GRANTED:
        return False
    d.takes += 1
    if not swap_if(&d.witness[ntohl(request.address) - d.pool.first], 0, request.owner):
        d.violations += 1
    d.held[d.count] = Held(request.address, request.owner)
    d.count += 1
    return True


def churn(SharedPool pool not None, uint64_t[::1] witness not None, double seconds, uint64_t seed, uint32_t hold):
    """Fills up to `hold` addresses, then releases a random one and takes one, for `seconds`; gives all back at the end.

    `witness`: shared by all processes, one zero word an address.
    Returns (grants, violations, exhausted, ns an operation).
    """
    if witness.shape[0] < pool.c.size or hold < 1:
        raise ValueError("the witness needs a word an address, and hold at least 1")
    cdef Driver d = Driver(&pool.c, &witness[0], NULL, 0, min(hold, pool.c.size), seed | 1, 0, 0)
    cdef uint64_t begun, now, until, operations = 0, exhausted = 0
    cdef int _
    d.held = <Held*> malloc(d.most * sizeof(Held))
    if d.held == NULL:
        raise MemoryError
    with nogil:
        begun = now = clock_ns()
        until = begun + <uint64_t> (seconds * 1e9)
        while now < until:
            for _ in range(64):
                if d.count == d.most:
                    give_random(&d, now)
                if not take_any(&d, now):
                    exhausted += 1
                    if d.count:
                        give_random(&d, now)
                operations += 1
            now = clock_ns()
        while d.count:
            give_random(&d, now)
    free(d.held)
    return d.takes, d.violations, exhausted, (now - begun) / <double> operations
