from libc.stdint cimport uint8_t, uint32_t, uint64_t
from libc.stdlib cimport calloc, free
from libc.string cimport memset
from servers.engine.pages cimport expect_use
from servers.engine.wheel cimport wheel_cancel, wheel_close, wheel_open


cdef int parking_open(Parking* parking, uint32_t capacity, size_t size, uint64_t now) except -1:
    memset(parking, 0, sizeof(Parking))
    # An odd number of cache lines: neighbouring slots then fall into different sets of the first-level cache.
    parking.size = ((size + 63) // 64 | 1) * 64
    parking.octets = <uint8_t*> calloc(capacity, parking.size)     # untouched pages cost nothing
    parking.free = <uint32_t*> calloc(capacity, sizeof(uint32_t))
    if not parking.octets or not parking.free:
        parking_close(parking)
        raise MemoryError
    expect_use(parking.octets, capacity * parking.size)
    parking.capacity = capacity
    for k in range(capacity):
        parking.free[k] = capacity - 1 - <uint32_t> k
    wheel_open(&parking.wheel, capacity, now)
    return 0


cdef void parking_close(Parking* parking) noexcept nogil:
    free(parking.octets)
    free(parking.free)
    parking.octets, parking.free = NULL, NULL
    wheel_close(&parking.wheel)


cdef uint32_t parking_take(Parking* parking) noexcept nogil:
    """A slot, or NO_SLOT_FREE (counted)."""
    if parking.used == parking.capacity:
        parking.refused += 1
        return NO_SLOT_FREE
    parking.used += 1
    return parking.free[parking.capacity - parking.used]


cdef void parking_leave(Parking* parking, uint32_t slot) noexcept nogil:
    wheel_cancel(&parking.wheel, slot)
    parking.free[parking.capacity - parking.used] = slot
    parking.used -= 1
