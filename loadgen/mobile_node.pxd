# What is kept of each of perhaps a million nodes: 60 octets; what it needs only while it asks is an Attempt.
from libc.stdint cimport uint8_t, uint32_t

cdef enum NodeState:
    NEW = 0
    TRYING = 1                       # a bootstrap is under way
    ATTACHED = 2                     # access only: has an Accept
    REGISTERED = 3                   # holds its THOAv4 until that expires
    FAILED_NODE = 4
    TIMED_OUT_NODE = 5
    HOLDING = 6                      # registered, and on the wheel
    RENEWING = 7
    RELEASING = 8
    RELEASED = 9

cdef struct MobileNode:              # ticks are those of the wheel (holding.pxd)
    uint32_t attempt                 # slot + 1 of what it has under way; of a HOLDING node: the next on its wheel + 1
    uint32_t care_of_address         # network order, as are all addresses
    uint32_t fha
    uint32_t address                 # THOAv4
    uint32_t ha_spi
    uint32_t due                     # tick of what it does next
    uint32_t leaves                  # tick at which its stay ends
    uint32_t expires                 # tick to which it has the THOAv4, counted from when it asked (RFC 5944 3.6.2.2)
    uint32_t key_ends                # tick
    uint8_t[20] key                  # MN-FHA, derived by the node itself
    uint8_t state
    uint8_t is_unsure                # an FHA may hold a lease for it that it does not know of
    uint8_t replay                   # method of its association, RFC 3957 4

cdef inline bint is_under_way(const MobileNode* node) noexcept nogil:
    return node.state == TRYING or node.state == RENEWING or node.state == RELEASING

cdef inline bint is_engaged(const MobileNode* node) noexcept nogil:
    return node.state == HOLDING or is_under_way(node)
