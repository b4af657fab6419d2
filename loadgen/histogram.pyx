"""Histograms of latencies: every value in nanoseconds, percentiles true to 0.1 % from 1 us to an hour."""
from libc.stdint cimport uint32_t, uint64_t, UINT64_MAX
from libc.stdlib cimport calloc, free
from libc.string cimport memset

import numpy as np


cdef uint64_t highest_of(uint32_t index) noexcept nogil:
    """The largest value that falls into a bucket."""
    cdef uint32_t shift
    if index < 2 * HALF:
        return index
    shift = index // HALF - 1
    return ((<uint64_t> (index % HALF) + HALF + 1) << shift) - 1


cdef uint64_t value_at_rank(const Histogram* h, uint64_t rank) noexcept nogil:
    """The value of the rank-th smallest recorded, 1-based: the top of its bucket, never above the true maximum."""
    cdef uint64_t seen = 0
    cdef uint32_t index
    for index in range(BUCKETS - 1):
        seen += h.counts[index]
        if seen >= rank:
            return min(highest_of(index), h.highest)
    return h.highest


cdef uint64_t count_beyond(const Histogram* h, uint64_t v) noexcept nogil:
    cdef uint64_t seen = 0
    cdef uint32_t index
    for index in range(min(histogram_index(v), <uint32_t> BUCKETS - 1) + 1, BUCKETS):
        seen += h.counts[index]
    return seen


cdef class LatencyHistogram:
    """Counts of recorded nanoseconds in HdrHistogram's buckets; 264 KiB of counters, most of them never touched."""

    def __cinit__(self):
        self.data.counts = <uint64_t*> calloc(BUCKETS, sizeof(uint64_t))
        if self.data.counts == NULL:
            raise MemoryError("no room for a histogram")
        self.data.lowest = UINT64_MAX

    def __dealloc__(self):
        free(self.data.counts)

    cdef Histogram* pointer(self) noexcept nogil:
        return &self.data

    def record(self, uint64_t nanoseconds) -> None:
        histogram_record(&self.data, nanoseconds)

    def record_many(self, const uint64_t[::1] nanoseconds) -> None:
        cdef Py_ssize_t i
        with nogil:
            for i in range(nanoseconds.shape[0]):
                histogram_record(&self.data, nanoseconds[i])

    def merge(self, LatencyHistogram other) -> None:
        """Adds what another one recorded, as if it had been recorded here."""
        cdef uint32_t i
        with nogil:
            for i in range(BUCKETS):
                self.data.counts[i] += other.data.counts[i]
        self.data.total += other.data.total
        self.data.clipped += other.data.clipped
        self.data.highest = max(self.data.highest, other.data.highest)
        self.data.lowest = min(self.data.lowest, other.data.lowest)

    def clear(self) -> None:
        memset(self.data.counts, 0, BUCKETS * sizeof(uint64_t))
        self.data.total = self.data.clipped = self.data.highest = 0
        self.data.lowest = UINT64_MAX

    def value_at(self, uint64_t rank):
        """The rank-th smallest value, rank from 1 to `total`; None when there is no such value."""
        if not 1 <= rank <= self.data.total:
            return None
        return value_at_rank(&self.data, rank)

    def count_above(self, uint64_t nanoseconds):
        """How many values lie in buckets above that of `nanoseconds` (exact below 2048, else to 0.1 %)."""
        return count_beyond(&self.data, nanoseconds)

    def counts(self):
        """A copy of the counters, uint64, in HdrHistogram's order."""
        return np.array(<uint64_t[:BUCKETS]> self.data.counts)

    @property
    def total(self):
        return self.data.total

    @property
    def clipped(self):
        """Values beyond 4398 s: counted in the last bucket."""
        return self.data.clipped

    @property
    def highest(self):
        """The exact maximum, None when nothing was recorded."""
        return self.data.highest if self.data.total else None

    @property
    def lowest(self):
        """The exact minimum, None when nothing was recorded."""
        return self.data.lowest if self.data.total else None
