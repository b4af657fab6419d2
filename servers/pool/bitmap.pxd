# The address pool in memory shared by all workers: one word an address decides, a bitmap finds.
from libc.stdint cimport uint8_t, uint32_t, uint64_t

cpdef enum AddressState:
    FREE = 0
    LEASED = 1
    COOLING = 2                    # given back; until its expiry only for the last owner
    RESERVED = 3                   # network, broadcast, listed: never leased

cpdef enum PoolAnswer:
    GRANTED = 0
    EXHAUSTED = 1                  # every address was unavailable at one instant during the call

cdef struct Request:
    uint64_t owner                 # hash of the NAI
    uint32_t wanted                # network order; the address the owner had or asks for: a wish. 0: any
    uint32_t address               # network order; the answer
    uint8_t state                  # PoolAnswer

cdef struct Lease:                 # what a journal knows, for `pool_reconcile`
    uint64_t owner
    uint32_t address               # network order
    bint held                      # answer: ours now. False: reserved, outside, or another owner's

cdef struct Line:                  # one cache line of counters a worker; only that worker writes it
    uint64_t released              # moves to FREE that are complete: what an exhaustion is proven against
    uint64_t granted
    uint64_t exhausted             # requests refused
    uint64_t refused               # releases and claims refused: not the owner's, not leased, outside, reserved
    uint64_t retries               # compare-and-swaps lost and bits found stale
    uint64_t repaired              # addresses that a killed process had left between two states
    uint64_t[2] spare

cdef struct Pool:                  # one process's view; the pointers lead into the shared memory
    uint64_t* words
    uint64_t* map                  # bit set: perhaps taken
    Line* lines                    # one a worker
    Line* line                     # ours
    uint32_t first                 # host order
    uint32_t size                  # addresses
    uint32_t cool_down             # s
    uint32_t worker
    uint32_t workers
    uint32_t hint                  # word of the map where the last search ended
    uint32_t cursor                # where the next partial sweep begins
    uint32_t grants                # of this process; its low bits tell one lease of an owner from the next
    uint64_t proof                 # 1 + sum of `released` when exhaustion was last proven, 0: not proven
    uint64_t swept                 # s; when all words were last looked through for cool-downs that ended

cdef class SharedPool:
    """The Python face; roles take `&pool.c`."""
    cdef Pool c
    cdef object area               # the mapping
    cdef readonly int fd           # memfd: other processes attach by it
    cdef readonly str network
    cdef void _point(self, uint8_t* at, uint32_t worker) noexcept
