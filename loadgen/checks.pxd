# What must never happen, checked on line: an address held by two nodes, or from outside the pool (reliability I1).
from libc.stdint cimport uint8_t, uint32_t, uint64_t

cpdef enum Violation:
    HELD_TWICE = 0                # one THOAv4, two nodes
    OUTSIDE_POOL = 1              # or a reserved address of it
    WRONG_NODE = 2                # a reply for another NAI that verifies
    NO_ACCEPT = 3                 # success without an Accept before
    WRONG_PARAMETERS = 4          # a verified reply whose addresses do not fit each other
    VIOLATIONS = 5

cdef enum:
    KEPT_VIOLATIONS = 32

cdef struct Finding:
    uint32_t kind
    uint32_t node
    uint32_t other                # the node that holds the address, if that is the matter
    uint32_t address              # network order

cdef struct Checks:
    uint32_t network              # host order; the pool whose addresses are followed
    uint32_t size                 # 0: the pool is not known, nothing can be said about it
    uint32_t* holder              # node + 1 of each address
    uint32_t* until               # monotonic s to which the holder certainly has it
    uint64_t[5] counts
    Finding[32] kept
    uint32_t kept_count

cdef int checks_open(Checks* checks, uint32_t network, uint32_t size) except -1
cdef void checks_close(Checks* checks) noexcept nogil
cdef bint check_lease(Checks* checks, uint32_t node, uint32_t address, uint64_t now, uint64_t until) noexcept nogil
cdef void report_violation(Checks* checks, int kind, uint32_t node, uint32_t other, uint32_t address) noexcept nogil
cdef void end_lease(Checks* checks, uint32_t node, uint32_t address, uint64_t now) noexcept nogil
