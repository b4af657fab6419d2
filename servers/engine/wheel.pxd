# A hashed timer wheel over small integers: one link and one due tick per index, all operations O(1).
from libc.stdint cimport uint32_t, uint64_t

cdef enum:
    WHEEL_SLOTS = 4096
    WHEEL_SHIFT = 21                  # a tick is 2^21 ns, about 2.1 ms; one turn about 8.6 s

cdef struct Wheel:
    uint32_t* next                    # index + 1, 0: end of list
    uint32_t* previous                # index + 1, 0: first of its slot
    uint32_t* due                     # tick + 1 (modulo 2^32), 0: not armed
    uint32_t[4096] heads
    uint64_t[64] occupied             # one bit a slot
    uint32_t capacity
    uint32_t armed
    uint64_t at                       # first tick not yet looked at

cdef int wheel_open(Wheel* wheel, uint32_t capacity, uint64_t now) except -1
cdef void wheel_close(Wheel* wheel) noexcept nogil
cdef void wheel_arm(Wheel* wheel, uint32_t index, uint64_t when) noexcept nogil
cdef void wheel_cancel(Wheel* wheel, uint32_t index) noexcept nogil
cdef uint32_t wheel_expired(Wheel* wheel, uint64_t now, uint32_t* out, uint32_t most) noexcept nogil
cdef uint64_t wheel_next(const Wheel* wheel) noexcept nogil
