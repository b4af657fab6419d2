from libc.stdint cimport uint32_t, uint64_t
from loadgen.load cimport Attempt, Load
from loadgen.pacer cimport Pace

cdef struct Starts:
    Pace pace
    uint64_t duration           # ns, 0: no limit
    uint64_t skipped            # places of the schedule used before
    uint64_t started_at         # monotonic ns of the first intended start; 0: not yet
    uint64_t begun              # bootstraps started, those turned away among them
    uint64_t total              # to start
    uint64_t ends_at            # no starts after this, 0: never
    uint32_t concurrency        # closed loop; 0: open
    uint32_t most               # under way at once: as many as there are identifiers
    bint stopped

cdef uint32_t under_way(const Load* load) noexcept nogil
cdef bint all_begun(const Starts* starts, const Load* load) noexcept nogil
cdef uint32_t open_attempts(Starts* starts, Load* load, void** rows, uint32_t most) noexcept nogil
cdef uint64_t next_start(const Starts* starts, const Load* load) noexcept nogil
