# What the network moves (datagrams) and what it moves them to (a node). The network knows no role.
from libc.stdint cimport uint8_t, uint16_t, uint32_t, uint64_t

cdef enum:
    BATCH = 256                    # most datagrams in one call of `receive`
    ROOM = 2048                    # octets a datagram to be sent may have, unless `open_outbox` says otherwise
    OUTBOX = 1024                  # datagrams a node may leave before they are sent

cdef struct Instant:
    uint64_t monotonic             # ns; all timers
    uint64_t wall                  # ns since 1970; only where a protocol field needs it

cdef struct Datagram:
    uint8_t* data                  # received: writable until `receive` returns
    uint32_t length                # octets
    uint32_t peer_address          # network order
    uint32_t local_address         # network order; 0: the socket's own
    uint16_t peer_port             # host order
    uint16_t port                  # which of the node's sockets, 0-based

cdef struct Outbox:
    Datagram* rows
    uint32_t stride                # octets from one row's data to the next's
    uint32_t count
    uint64_t refused               # composed when full: counted, never sent

cdef struct Entropy:               # unpredictable octets, handed in by whoever drives the node
    uint8_t[8192] octets
    uint32_t left
    void (*refill)(uint8_t* at, size_t n, void* source) noexcept nogil
    void* source

cdef int open_outbox(Outbox* out, uint32_t room) except -1               # before anything is composed
cdef Datagram* compose(Outbox* out, uint16_t port) noexcept nogil      # NULL when full
cdef const uint8_t* draw(Entropy* entropy, uint32_t n) noexcept nogil  # n <= 256 octets, valid until the next draw

cdef class Node:
    """Takes batches of datagrams and leaves datagrams in its outbox; time is what it is told."""
    cdef Outbox out
    cdef Instant now
    cdef Entropy entropy
    cdef uint64_t _stream                        # state of the seeded stream; tests only
    cdef list _sent                              # what tests have fed out and not drained yet
    cdef void receive(self, Datagram* rows, uint32_t n) noexcept nogil     # n <= BATCH, all of one port
    cdef bint tick(self) noexcept nogil          # does what is due; True: call again at once (outbox was filled)
    cdef uint64_t next_due(self) noexcept nogil  # monotonic ns of the next timer, 0: none
