# UDP sockets in batches: recvmmsg and sendmmsg, runs of equal datagrams as one message (UDP_SEGMENT, UDP_GRO).
from libc.stdint cimport int64_t, uint8_t, uint16_t, uint32_t, uint64_t

from servers.net.node cimport BATCH, OUTBOX, Datagram

cdef extern from "<netinet/in.h>" nogil:
    struct in_addr:
        uint32_t s_addr
    struct sockaddr_in:
        uint16_t sin_family, sin_port
        in_addr sin_addr
cdef extern from "<sys/socket.h>" nogil:
    struct iovec:
        void* iov_base
        size_t iov_len
    struct msghdr:
        void* msg_name
        uint32_t msg_namelen
        iovec* msg_iov
        size_t msg_iovlen
        void* msg_control
        size_t msg_controllen
        int msg_flags
    struct mmsghdr:
        msghdr msg_hdr
        unsigned int msg_len

cdef enum:
    WIDE = 64                      # messages in one recvmmsg with UDP_GRO on: each may carry 64 datagrams
    CONTROL = 128                  # octets for the control messages of one message
    ERRORS = 136                   # errno values counted one by one; higher ones share the last

cdef struct Traffic:
    uint64_t datagrams_in, octets_in
    uint64_t batches               # calls of the node's `receive`
    uint64_t receives              # recvmmsg calls that brought something
    uint64_t truncated             # longer than the receive buffer: delivered cut
    uint64_t datagrams_out, octets_out
    uint64_t messages_out          # a run of equal datagrams is one message
    uint64_t sends                 # sendmmsg calls
    uint64_t unsegmented           # runs the kernel or the device refused: their datagrams left one by one
    uint64_t stalls                # waits for room in the send buffer
    uint64_t unsent                # given up after waiting
    uint64_t[ERRORS] errors        # datagrams not sent, or receive calls that failed, by errno

cdef struct Space:                 # what the system calls work in; sockets of one thread may share it
    uint32_t capacity              # how `incoming` is laid out: messages of one recvmmsg
    uint32_t messages              # received and not yet split, from `message` on
    uint32_t message
    uint32_t offset                # octets of that message already split off
    uint8_t* octets
    mmsghdr[BATCH] incoming
    iovec[BATCH] places
    sockaddr_in[BATCH] senders
    uint8_t[BATCH * CONTROL] notes
    Datagram[BATCH] rows
    mmsghdr[OUTBOX] outgoing
    iovec[OUTBOX] pieces
    uint16_t[OUTBOX] spans         # rows that each outgoing message carries
    sockaddr_in[OUTBOX] peers
    uint8_t[OUTBOX * CONTROL] orders

cdef struct Port:
    int fd
    uint16_t index                 # Datagram.port
    bint gso, gro, pktinfo
    uint32_t capacity              # messages that one `fetch` can bring
    Traffic traffic
    Space* space

cdef class Workspace:
    cdef Space* space

cdef class Socket:
    cdef Port port
    cdef Workspace workspace
    cdef readonly str address
    cdef readonly int receive_buffer             # octets granted
    cdef int64_t final_drops

    cdef void use(self, Workspace workspace)

cdef uint32_t fetch(Port* port) noexcept nogil        # messages received; 0: none
cdef uint32_t split(Port* port) noexcept nogil        # rows of what was fetched, in `port.space.rows`; 0: all delivered
cdef void send(Port* port, Datagram* rows, uint32_t n) noexcept nogil      # n <= OUTBOX, all of this port
