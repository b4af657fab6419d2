from libc.stdint cimport uint32_t, uint64_t
from libc.stdlib cimport calloc, free
from libc.string cimport memset

cdef extern from *:
    int ctz "__builtin_ctzll"(uint64_t) noexcept nogil


cdef int wheel_open(Wheel* wheel, uint32_t capacity, uint64_t now) except -1:
    memset(wheel, 0, sizeof(Wheel))
    wheel.next = <uint32_t*> calloc(capacity, sizeof(uint32_t))
    wheel.previous = <uint32_t*> calloc(capacity, sizeof(uint32_t))
    wheel.due = <uint32_t*> calloc(capacity, sizeof(uint32_t))
    if not wheel.next or not wheel.previous or not wheel.due:
        wheel_close(wheel)
        raise MemoryError
    wheel.capacity, wheel.at = capacity, now >> WHEEL_SHIFT
    return 0


cdef void wheel_close(Wheel* wheel) noexcept nogil:
    free(wheel.next)
    free(wheel.previous)
    free(wheel.due)
    wheel.next = wheel.previous = wheel.due = NULL


cdef void wheel_arm(Wheel* wheel, uint32_t index, uint64_t when) noexcept nogil:
    """Fires at the first tick not before `when` (monotonic ns, at most 52 days ahead); arming again moves the timer."""
    cdef uint64_t tick = (when + (1 << WHEEL_SHIFT) - 1) >> WHEEL_SHIFT
    cdef uint32_t slot, first
    if wheel.due[index]:
        wheel_cancel(wheel, index)
    if tick < wheel.at:
        tick = wheel.at
    if not <uint32_t> (tick + 1):                  # every 104 days of uptime: its number says "not armed"
        tick += 1
    slot = <uint32_t> (tick % WHEEL_SLOTS)
    first = wheel.heads[slot]
    wheel.due[index] = <uint32_t> (tick + 1)
    wheel.next[index], wheel.previous[index] = first, 0
    if first:
        wheel.previous[first - 1] = index + 1
    wheel.heads[slot] = index + 1
    wheel.occupied[slot // 64] |= <uint64_t> 1 << slot % 64
    wheel.armed += 1


cdef void wheel_cancel(Wheel* wheel, uint32_t index) noexcept nogil:
    """Cancelling what is not armed is nothing."""
    cdef uint32_t slot, before, behind
    if not wheel.due[index]:
        return
    slot = (wheel.due[index] - 1) % WHEEL_SLOTS
    before, behind = wheel.previous[index], wheel.next[index]
    if behind:
        wheel.previous[behind - 1] = before
    if before:
        wheel.next[before - 1] = behind
    else:
        wheel.heads[slot] = behind
        if not behind:
            wheel.occupied[slot // 64] &= ~(<uint64_t> 1 << slot % 64)
    wheel.due[index] = 0
    wheel.armed -= 1


cdef uint32_t wheel_expired(Wheel* wheel, uint64_t now, uint32_t* out, uint32_t most) noexcept nogil:
    """Takes up to `most` due indexes off the wheel; when it returns `most`, there may be more."""
    cdef uint64_t tick, last = now >> WHEEL_SHIFT
    cdef uint32_t n = 0, index, behind
    if not wheel.armed:
        wheel.at = last + 1
        return 0
    if last + 1 > wheel.at + WHEEL_SLOTS:          # a long pause: one whole turn sees every slot
        wheel.at = last + 1 - WHEEL_SLOTS
    while wheel.at <= last:
        tick = wheel.at
        index = wheel.heads[tick % WHEEL_SLOTS]
        while index:
            behind = wheel.next[index - 1]
            if <uint32_t> (last + 1) - wheel.due[index - 1] < <uint32_t> 0x80000000:
                if n == most:
                    return n
                wheel_cancel(wheel, index - 1)
                out[n] = index - 1
                n += 1
            index = behind
        wheel.at += 1
    return n


cdef uint64_t wheel_next(const Wheel* wheel) noexcept nogil:
    """Monotonic ns at which to look again: the next tick whose slot holds a timer (perhaps of a later turn); 0: none."""
    cdef uint32_t slot, ahead = 0
    cdef uint64_t word
    if not wheel.armed:
        return 0
    slot = <uint32_t> (wheel.at % WHEEL_SLOTS)
    while ahead < WHEEL_SLOTS + 64:
        word = wheel.occupied[slot // 64] >> slot % 64
        if word:
            return (wheel.at + ahead + <uint32_t> ctz(word)) << WHEEL_SHIFT
        ahead += 64 - slot % 64
        slot = (slot + 64 - slot % 64) % WHEEL_SLOTS
    return (wheel.at + WHEEL_SLOTS) << WHEEL_SHIFT


cdef class Timers:
    """The wheel for tests: arm(index, ns), cancel(index), expired(now, most) -> indexes, next() -> ns or 0."""
    cdef Wheel wheel

    def __cinit__(self, uint32_t capacity, uint64_t now=0):
        wheel_open(&self.wheel, capacity, now)

    def __dealloc__(self):
        wheel_close(&self.wheel)

    def arm(self, uint32_t index, uint64_t when):
        if index >= self.wheel.capacity:
            raise IndexError(index)
        wheel_arm(&self.wheel, index, when)

    def cancel(self, uint32_t index):
        if index >= self.wheel.capacity:
            raise IndexError(index)
        wheel_cancel(&self.wheel, index)

    def expired(self, uint64_t now, uint32_t most=4096):
        cdef uint32_t[4096] out
        cdef uint32_t n = wheel_expired(&self.wheel, now, out, min(most, 4096))
        return [out[k] for k in range(n)]

    def next(self):
        return wheel_next(&self.wheel)

    @property
    def armed(self):
        return self.wheel.armed
