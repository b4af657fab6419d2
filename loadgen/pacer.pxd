# Which node bootstraps k-th, and when: pure functions of k, so that any worker may compute any part of the schedule.
from libc.stdint cimport uint32_t, uint64_t

cdef enum:
    ROUNDS = 6

cdef struct Pace:
    double rate                                # bootstraps a second; 0: closed loop, there is no arrival time
    uint32_t nodes
    uint32_t half_bits                         # the permutation acts on numbers of twice as many bits
    uint32_t half_mask
    uint32_t[ROUNDS] keys

cdef inline uint64_t pace_time(const Pace* pace, uint64_t k) noexcept nogil:
    """Intended start of the k-th bootstrap, ns after the start of the load: even spacing, no accumulated rounding."""
    return <uint64_t> (<double> k / pace.rate * 1e9) if pace.rate > 0 else 0

cdef inline uint32_t scramble(uint32_t half, uint32_t key) noexcept nogil:
    cdef uint32_t x = (half ^ key) * <uint32_t> 0x9E3779B1
    x = (x ^ (x >> 15)) * <uint32_t> 0x85EBCA77
    return x ^ (x >> 13)

cdef inline uint32_t pace_node(const Pace* pace, uint64_t k) noexcept nogil:
    """The node of the k-th bootstrap, 0..nodes-1: a Feistel network, walked until it lands inside. When every node
    had its turn they come again in the same order, so that a node's turns are as far apart as can be."""
    cdef uint64_t x = k % pace.nodes
    cdef uint32_t left, right, other
    cdef int round
    while True:
        left, right = <uint32_t> (x >> pace.half_bits), <uint32_t> x & pace.half_mask
        for round in range(ROUNDS):
            other = left ^ (scramble(right, pace.keys[round]) & pace.half_mask)
            left, right = right, other
        x = (<uint64_t> left << pace.half_bits) | right
        if x < pace.nodes:
            return <uint32_t> x

cdef class Pacer:
    cdef Pace pace
