from libc.stdint cimport uint32_t
from loadgen.load cimport Attempt, Load

cdef Attempt* begin_act(Load* load, uint32_t node) noexcept nogil
cdef void end_stays(Load* load) noexcept nogil
cdef bint holds(const Load* load, uint32_t node, uint32_t now) noexcept nogil
cdef bint may_hold(const Load* load, uint32_t node, uint32_t address, uint32_t since) noexcept nogil
