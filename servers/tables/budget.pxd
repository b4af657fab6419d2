# How often something may happen a second and key: a fixed, direct-mapped table, so that strangers cannot make it grow.
from libc.stdint cimport uint32_t, uint64_t

cdef enum:
    BUDGET_SLOTS = 65536

cdef struct Spent:
    uint32_t key                   # the hash's upper half; another key that falls here starts anew
    uint32_t second
    uint32_t count

cdef struct Budget:
    Spent* slots
    uint32_t limit                 # a second

cdef int budget_open(Budget* budget, uint32_t limit) except -1
cdef void budget_close(Budget* budget) noexcept nogil
cdef bint budget_allows(Budget* budget, uint64_t hash, uint64_t now) noexcept nogil
