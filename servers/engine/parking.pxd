# The one way to wait: a slab of rows, each with the stage to resume at and, on the wheel, a deadline.
from libc.stdint cimport uint8_t, uint32_t, uint64_t
from servers.engine.wheel cimport Wheel

cdef enum:
    NO_SLOT_FREE = 0xffffffff

cdef struct Parking:
    uint8_t* octets
    size_t size                    # of one row with its room, rounded up to 64
    uint32_t capacity
    uint32_t used
    uint32_t* free                 # stack of free slots: the warmest is taken first
    uint64_t refused
    Wheel wheel                    # index = slot

cdef int parking_open(Parking* parking, uint32_t capacity, size_t size, uint64_t now) except -1
cdef void parking_close(Parking* parking) noexcept nogil
cdef uint32_t parking_take(Parking* parking) noexcept nogil
cdef void parking_leave(Parking* parking, uint32_t slot) noexcept nogil

cdef inline void* parking_row(const Parking* parking, uint32_t slot) noexcept nogil:
    return parking.octets + parking.size * slot
