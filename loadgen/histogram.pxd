# Latency in nanoseconds, in the bucket layout of HdrHistogram with three significant digits: values below 2048
# are exact, above that 1024 buckets an octave, so a bucket is at most 1/1024 (0.098 %) of its value wide.
from libc.stdint cimport uint32_t, uint64_t

cdef extern from *:
    int leading_zeros "__builtin_clzll"(uint64_t) noexcept nogil

cdef enum:
    HALF = 1024                                # buckets an octave
    TOP_SHIFT = 31                             # the widest bucket is 2^31 ns
    BUCKETS = (TOP_SHIFT + 2) * HALF           # 1 ns .. 2^42 - 1 ns, which is 4398 s

cdef struct Histogram:
    uint64_t* counts                           # BUCKETS of them
    uint64_t total
    uint64_t clipped                           # recorded in the last bucket because they were beyond it
    uint64_t lowest                            # exact
    uint64_t highest                           # exact, also beyond the last bucket

cdef inline uint32_t histogram_index(uint64_t v) noexcept nogil:
    cdef uint32_t shift = <uint32_t> (53 - leading_zeros(v | 2047))
    return (shift << 10) + <uint32_t> (v >> shift)

cdef inline void histogram_record(Histogram* h, uint64_t v) noexcept nogil:
    cdef uint32_t index = histogram_index(v)
    if index >= BUCKETS:
        index = BUCKETS - 1
        h.clipped += 1
    h.counts[index] += 1
    h.total += 1
    if v > h.highest:
        h.highest = v
    if v < h.lowest:
        h.lowest = v

cdef class LatencyHistogram:
    cdef Histogram data
    cdef Histogram* pointer(self) noexcept nogil
