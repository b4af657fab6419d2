"""The arrival schedule: order of nodes from the seed, even spacing from the rate, nothing stored a node."""
from libc.stdint cimport uint32_t, uint64_t

import numpy as np


cdef uint64_t split_mix(uint64_t* state) noexcept nogil:
    """The next of a stream of well mixed numbers; any seed will do."""
    state[0] += <uint64_t> 0x9E3779B97F4A7C15
    cdef uint64_t z = state[0]
    z = (z ^ (z >> 30)) * <uint64_t> 0xBF58476D1CE4E5B9
    z = (z ^ (z >> 27)) * <uint64_t> 0x94D049BB133111EB
    return z ^ (z >> 31)


cdef class Pacer:
    """`nodes` nodes in the order of `seed`, `rate` bootstraps a second, or None: a closed loop, without times."""

    def __cinit__(self, uint32_t nodes, uint64_t seed, rate=None):
        cdef uint64_t state = seed
        cdef int i
        if nodes == 0:
            raise ValueError("a schedule needs at least one node")
        if rate is not None and not 0 < rate < float("inf"):
            raise ValueError(f"a rate is a positive number, not {rate}")
        self.pace.nodes = nodes
        self.pace.rate = 0 if rate is None else rate
        self.pace.half_bits = max(1, (int(nodes - 1).bit_length() + 1) // 2)
        self.pace.half_mask = (<uint32_t> 1 << self.pace.half_bits) - 1
        for i in range(ROUNDS):
            self.pace.keys[i] = <uint32_t> split_mix(&state)

    def node(self, uint64_t k):
        return pace_node(&self.pace, k)

    def time_ns(self, uint64_t k):
        return pace_time(&self.pace, k)

    def nodes(self, uint64_t first, uint32_t count):
        """Nodes of the bootstraps first..first+count-1, uint32."""
        result = np.empty(count, dtype=np.uint32)
        cdef uint32_t[::1] row = result
        cdef uint32_t i
        with nogil:
            for i in range(count):
                row[i] = pace_node(&self.pace, first + i)
        return result

    def times_ns(self, uint64_t first, uint32_t count):
        """Intended starts of the same, ns after the start of the load, uint64; zeros in a closed loop."""
        result = np.empty(count, dtype=np.uint64)
        cdef uint64_t[::1] row = result
        cdef uint32_t i
        with nogil:
            for i in range(count):
                row[i] = pace_time(&self.pace, first + i)
        return result
