"""One UDP socket, many datagrams a system call.

What dominates a datagram's cost is the kernel's path per packet, so a run of equal datagrams to one peer travels as one
packet buffer where both ends allow it: UDP_SEGMENT cuts it on the way out, UDP_GRO hands it over uncut.
"""
import errno as names

from libc.errno cimport EAGAIN, EINTR, EINVAL, EIO, EMSGSIZE, EOPNOTSUPP, errno
from libc.stdint cimport int64_t, uint8_t, uint16_t, uint32_t
from libc.stdlib cimport free
from libc.string cimport memset

from servers.net.node cimport BATCH, Datagram

cdef extern from "mmsg.h" nogil:
    const int AF_INET, MSG_DONTWAIT, MSG_TRUNC
    void control_read(msghdr* m, uint32_t* local, uint32_t* segment)
    void control_write(msghdr* m, uint32_t local, uint16_t segment)
    int64_t dropped_by_kernel(int fd)
    uint16_t htons(uint16_t)
    uint16_t ntohs(uint16_t)
    int recvmmsg(int fd, mmsghdr* messages, unsigned int n, int flags, void* timeout)
    int sendmmsg(int fd, mmsghdr* messages, unsigned int n, int flags)
cdef extern from "<poll.h>" nogil:
    const short POLLOUT
    struct pollfd:
        int fd
        short events, revents
    int poll(pollfd* fds, unsigned long n, int milliseconds)
cdef extern from "<unistd.h>" nogil:
    int close(int fd)
cdef extern from "<stdlib.h>" nogil:
    void* aligned_alloc(size_t alignment, size_t size)

cdef enum:
    # Strides are odd numbers of cache lines: equal offsets of neighbouring buffers fall into different cache sets.
    NARROW_STRIDE = 65 * 64        # one datagram; longer than 4096 octets, so that an oversize one is seen as such
    WIDE_STRIDE = 1025 * 64        # a run of datagrams, up to 65535 octets
    SEGMENTS = 64                  # most datagrams in one message (UDP_MAX_SEGMENTS of older kernels)
    LONGEST = 65507                # octets of the longest UDP datagram over IPv4
    WAIT_MS = 5                    # one wait for room in the send buffer
    WAITS = 8                      # waits in one `send` before the rest is given up


cdef class Workspace:
    """Buffers for the system calls of one thread. Received octets stay until the next `fetch` of any of its sockets."""

    def __cinit__(self):
        cdef size_t size = (sizeof(Space) + 63) & ~<size_t> 63
        self.space = <Space*> aligned_alloc(64, size + WIDE * WIDE_STRIDE)
        if not self.space:
            raise MemoryError
        memset(self.space, 0, sizeof(Space))
        self.space.octets = <uint8_t*> self.space + size

    def __dealloc__(self):
        free(self.space)


cdef class Socket:
    """A bound, non-blocking UDP socket: owns `fd`. `index` is what its datagrams carry as `port`."""

    def __cinit__(self, int fd, uint16_t index, str address, *, bint gso=False, bint gro=False, bint pktinfo=False,
                  int receive_buffer=0):
        self.port.fd, self.port.index = fd, index
        self.port.gso, self.port.gro, self.port.pktinfo = gso, gro, pktinfo
        self.port.capacity = WIDE if gro else BATCH
        self.address, self.receive_buffer = address, receive_buffer
        self.final_drops = -1
        self.use(Workspace())

    def __dealloc__(self):
        if self.port.fd >= 0:
            close(self.port.fd)

    cdef void use(self, Workspace workspace):
        """Works in `workspace` from now on. Sockets that share one stay in the cache; they belong to one thread."""
        self.workspace = workspace
        self.port.space = workspace.space

    def fileno(self):
        return self.port.fd

    def close(self):
        """Closes the socket; its counters stay readable."""
        if self.port.fd >= 0:
            self.final_drops = dropped_by_kernel(self.port.fd)
            close(self.port.fd)
            self.port.fd = -1

    @property
    def index(self):
        return self.port.index

    @property
    def gso(self):
        return bool(self.port.gso)

    @property
    def gro(self):
        return bool(self.port.gro)

    @property
    def pktinfo(self):
        return bool(self.port.pktinfo)

    @property
    def drops(self):
        """Times the kernel found no room in the receive buffer. With `gro` each may stand for a whole run."""
        dropped = self.final_drops if self.port.fd < 0 else dropped_by_kernel(self.port.fd)
        if dropped < 0:
            raise OSError(names.ENOTSUP, "the kernel does not tell its drops (SO_MEMINFO, Linux 4.12)")
        return dropped

    @property
    def traffic(self):
        """Counters since the socket was opened, by the names of `Traffic`; `errors` by the name of the errno."""
        cdef uint32_t number
        counts = dict(self.port.traffic)
        counts["errors"] = {names.errorcode.get(number, str(number)): self.port.traffic.errors[number]
                            for number in range(ERRORS) if self.port.traffic.errors[number]}
        return counts


cdef void fail(Port* port, int number) noexcept nogil:
    port.traffic.errors[number if 0 <= number < ERRORS else ERRORS - 1] += 1


cdef void lay(Space* space, uint32_t capacity) noexcept nogil:
    """Cuts the receive octets into places for `capacity` messages."""
    cdef size_t stride = WIDE_STRIDE if capacity == WIDE else NARROW_STRIDE
    cdef size_t size = 65536 if capacity == WIDE else stride
    cdef uint32_t i
    for i in range(capacity):
        space.places[i].iov_base = space.octets + i * stride
        space.places[i].iov_len = size
        space.incoming[i].msg_hdr.msg_iov = &space.places[i]
        space.incoming[i].msg_hdr.msg_iovlen = 1
        ready(space, i)
    space.capacity = capacity


cdef inline void ready(Space* space, uint32_t i) noexcept nogil:
    """What the kernel overwrites in a message header."""
    cdef msghdr* m = &space.incoming[i].msg_hdr
    m.msg_name, m.msg_namelen = &space.senders[i], sizeof(sockaddr_in)
    m.msg_control, m.msg_controllen = &space.notes[i * CONTROL], CONTROL


cdef uint32_t fetch(Port* port) noexcept nogil:
    """One recvmmsg. Fewer messages than `port.capacity`: the socket was empty at that moment."""
    cdef Space* space = port.space
    cdef int got
    if space.capacity != port.capacity:
        lay(space, port.capacity)
    got = recvmmsg(port.fd, space.incoming, port.capacity, MSG_DONTWAIT, NULL)
    if got < 0:
        if errno != EAGAIN and errno != EINTR:
            fail(port, errno)
        got = 0
    port.traffic.receives += got > 0
    space.messages, space.message, space.offset = <uint32_t> got, 0, 0
    return <uint32_t> got


cdef uint32_t split(Port* port) noexcept nogil:
    """The next at most BATCH datagrams of what was fetched."""
    cdef Space* space = port.space
    cdef uint32_t n = 0
    while space.message < space.messages and n < BATCH:
        n = split_message(port, space, n)
    port.traffic.batches += n > 0
    port.traffic.datagrams_in += n
    return n


cdef uint32_t split_message(Port* port, Space* space, uint32_t n) noexcept nogil:
    """Rows of the current message from row `n` on, until it or the rows end; returns how many rows are filled then."""
    cdef uint32_t i = space.message, length = space.incoming[i].msg_len, local = 0, segment = 0, part
    cdef msghdr* m = &space.incoming[i].msg_hdr
    cdef sockaddr_in* sender = &space.senders[i]
    cdef uint8_t* octets = <uint8_t*> space.places[i].iov_base
    if m.msg_controllen:
        control_read(m, &local, &segment)
    if m.msg_flags & MSG_TRUNC:
        port.traffic.truncated += 1
    if not 0 < segment < length:
        segment = length
    while n < BATCH:
        part = min(segment, length - space.offset)
        space.rows[n] = Datagram(octets + space.offset, part, sender.sin_addr.s_addr, local, ntohs(sender.sin_port),
                                 port.index)
        n += 1
        space.offset += part
        port.traffic.octets_in += part
        if space.offset >= length:
            ready(space, i)
            space.message += 1
            space.offset = 0
            break
    return n


cdef void send(Port* port, Datagram* rows, uint32_t n) noexcept nogil:
    """Sends rows in order. Nothing is lost uncounted: by errno, or as `unsent` when the send buffer stays full."""
    cdef Space* space = port.space
    cdef uint32_t at = 0, alone = 0, built, done, waits = 0
    cdef int went
    while at < n:
        built = gather(port, space, rows, at, n, alone)
        done = 0
        while done < built:
            went = sendmmsg(port.fd, &space.outgoing[done], built - done, MSG_DONTWAIT)
            if went > 0:
                port.traffic.sends += 1
                at += sent(port, rows, at, done, <uint32_t> went)
                done += <uint32_t> went
            elif errno == EAGAIN:
                waits += 1
                if waits > WAITS:
                    port.traffic.unsent += n - at
                    return
                await_room(port)
            elif space.spans[done] > 1 and not_for_runs(errno):
                port.traffic.unsegmented += 1
                alone = at + space.spans[done]
                break
            elif errno != EINTR:
                refuse(port, errno, space.spans[done])
                at += space.spans[done]
                done += 1


cdef uint32_t gather(Port* port, Space* space, Datagram* rows, uint32_t at, uint32_t n, uint32_t alone) noexcept nogil:
    """Messages for the rows from `at` on; rows before `alone` do not join runs. Returns the number of messages."""
    cdef uint32_t built = 0, piece = 0, span, i
    cdef msghdr* m
    while at < n:
        span = run(rows + at, n - at) if port.gso and at >= alone else 1
        m = &space.outgoing[built].msg_hdr
        m.msg_iov, m.msg_iovlen = &space.pieces[piece], span
        for i in range(span):
            space.pieces[piece + i] = iovec(rows[at + i].data, rows[at + i].length)
        space.peers[built].sin_family = AF_INET
        space.peers[built].sin_port = htons(rows[at].peer_port)
        space.peers[built].sin_addr.s_addr = rows[at].peer_address
        m.msg_name, m.msg_namelen = &space.peers[built], sizeof(sockaddr_in)
        m.msg_control = &space.orders[built * CONTROL]
        control_write(m, rows[at].local_address if port.pktinfo else 0, <uint16_t> rows[at].length if span > 1 else 0)
        space.spans[built] = <uint16_t> span
        at, piece, built = at + span, piece + span, built + 1
    return built


cdef inline uint32_t run(Datagram* rows, uint32_t n) noexcept nogil:
    """How many rows from the first on may be one message: one peer, one source, one length; a shorter one ends it."""
    cdef uint32_t length = rows[0].length, i = 1, most = min(n, <uint32_t> SEGMENTS)
    if length == 0:
        return 1
    most = min(most, LONGEST // length)
    while (i < most and 0 < rows[i].length <= length and rows[i].peer_address == rows[0].peer_address
           and rows[i].peer_port == rows[0].peer_port and rows[i].local_address == rows[0].local_address):
        i += 1
        if rows[i - 1].length < length:
            break
    return i


cdef uint32_t sent(Port* port, Datagram* rows, uint32_t at, uint32_t first, uint32_t messages) noexcept nogil:
    """Counts what left; returns its number of rows."""
    cdef uint32_t count = 0, i
    for i in range(messages):
        count += port.space.spans[first + i]
    for i in range(count):
        port.traffic.octets_out += rows[at + i].length
    port.traffic.messages_out += messages
    port.traffic.datagrams_out += count
    return count


cdef void refuse(Port* port, int number, uint32_t rows) noexcept nogil:
    cdef uint32_t _
    for _ in range(rows):
        fail(port, number)


cdef inline bint not_for_runs(int number) noexcept nogil:
    """Segments longer than the path's MTU, devices without checksum offload, kernels before 4.18."""
    return number == EINVAL or number == EMSGSIZE or number == EIO or number == EOPNOTSUPP


cdef void await_room(Port* port) noexcept nogil:
    cdef pollfd wanted
    wanted.fd, wanted.events, wanted.revents = port.fd, POLLOUT, 0
    port.traffic.stalls += 1
    poll(&wanted, 1, WAIT_MS)
