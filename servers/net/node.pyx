"""A node without a network: its outbox, its random octets, and a face through which Python can move it."""
from libc.stdint cimport uint8_t, uint16_t, uint32_t, uint64_t
from libc.stdlib cimport abort, free, malloc
from libc.string cimport memcpy, memset

cdef extern from "<arpa/inet.h>" nogil:
    const int AF_INET
    int inet_pton(int family, const char* text, void* address)
    const char* inet_ntop(int family, const void* address, char* text, uint32_t size)
cdef extern from "<errno.h>" nogil:
    int errno
    const int EINTR
cdef extern from "<stdlib.h>" nogil:
    void* aligned_alloc(size_t alignment, size_t size)
cdef extern from "<sys/random.h>" nogil:
    ssize_t getrandom(void* at, size_t n, unsigned int flags)

cdef enum:
    ROWS = OUTBOX * sizeof(Datagram)
    POOL = 8192                    # octets of one refill


cdef int open_outbox(Outbox* out, uint32_t room) except -1:
    """Rows of at least `room` octets, an odd number of cache lines: neighbours do not share cache sets. Untouched pages
    cost nothing."""
    cdef uint32_t stride = ((room + 63) // 64 | 1) * 64
    cdef Datagram* rows = <Datagram*> aligned_alloc(64, ROWS + OUTBOX * <size_t> stride)
    if not rows:
        raise MemoryError
    free(out.rows)
    out.rows, out.stride = rows, stride
    return 0


cdef Datagram* compose(Outbox* out, uint16_t port) noexcept nogil:
    """Next free row: `data` has the outbox's room, the rest is 0. NULL, and counted as refused, when the outbox is full."""
    cdef Datagram* row
    if out.count == OUTBOX:
        out.refused += 1
        return NULL
    row = &out.rows[out.count]
    memset(row, 0, sizeof(Datagram))
    row.data = <uint8_t*> out.rows + ROWS + <size_t> out.count * out.stride
    row.port = port
    out.count += 1
    return row


cdef const uint8_t* draw(Entropy* entropy, uint32_t n) noexcept nogil:
    """`n` octets (at most 256) never handed out before; what is left of a refill and too short is thrown away."""
    cdef const uint8_t* at
    if entropy.left < n:
        entropy.refill(&entropy.octets[0], POOL, entropy.source)
        entropy.left = POOL
    at = &entropy.octets[POOL - entropy.left]
    entropy.left -= n
    return at


cdef void from_system(uint8_t* at, size_t n, void* source) noexcept nogil:
    """Secrets depend on these octets: rather no process than predictable ones."""
    cdef ssize_t got
    while n:
        got = getrandom(at, n, 0)
        if got < 0:
            if errno != EINTR:
                abort()
            continue
        at += got
        n -= <size_t> got


cdef void from_seed(uint8_t* at, size_t n, void* source) noexcept nogil:
    """splitmix64 (Steele, Lea, Flood 2014); `source` is its 64-bit state. For tests: predictable by design."""
    cdef uint64_t* state = <uint64_t*> source
    cdef uint64_t word
    cdef size_t i
    for i in range(n // 8):
        state[0] += <uint64_t> 0x9E3779B97F4A7C15
        word = state[0]
        word = (word ^ (word >> 30)) * <uint64_t> 0xBF58476D1CE4E5B9
        word = (word ^ (word >> 27)) * <uint64_t> 0x94D049BB133111EB
        word ^= word >> 31
        memcpy(at + 8 * i, &word, 8)


cdef uint32_t address_of(str text) except? 0xffffffff:
    """Network order; "" is 0."""
    cdef uint32_t address = 0
    cdef bytes ascii = text.encode()
    if ascii and inet_pton(AF_INET, ascii, &address) != 1:
        raise ValueError(f"not an IPv4 address: {text!r}")
    return address


cdef str text_of(uint32_t address):
    cdef char[16] text
    inet_ntop(AF_INET, &address, text, sizeof(text))
    return text.decode()


cdef class Node:
    """Takes batches of datagrams and leaves datagrams in its outbox; time is what it is told.

    A role overrides `receive`, `tick` and `next_due`. This class ignores what it gets and has no timers.
    """

    def __cinit__(self):
        open_outbox(&self.out, ROOM)
        self.entropy.refill = from_system
        self._sent = []

    def __dealloc__(self):
        free(self.out.rows)

    cdef void receive(self, Datagram* rows, uint32_t n) noexcept nogil:
        pass

    cdef bint tick(self) noexcept nogil:
        return False

    cdef uint64_t next_due(self) noexcept nogil:
        return 0

    def seed(self, uint64_t n):
        """Random octets follow from `n` from now on. For tests only: whoever knows `n` knows every key."""
        self._stream = n
        self.entropy.refill = from_seed
        self.entropy.source = &self._stream
        self.entropy.left = 0

    def random(self, uint32_t n):
        """The next `n` octets (at most 256) that the node would draw."""
        if n > 256:
            raise ValueError("at most 256 octets a draw")
        return (<const char*> draw(&self.entropy, n))[:n]

    def feed(self, uint16_t port, rows, uint64_t monotonic_ns, uint64_t wall_ns):
        """Hands over `[(peer_ip, peer_port, local_ip, data), ...]` as received on socket `port`, BATCH at a time.

        Each datagram lies in an allocation of its own length, so that a memory checker sees a read past its end.
        """
        cdef Datagram[BATCH] batch
        cdef uint32_t n = 0
        cdef list pending = list(rows)
        self.now.monotonic, self.now.wall = monotonic_ns, wall_ns
        for first in range(0, len(pending), BATCH):
            n = 0
            try:
                for row in pending[first:first + BATCH]:
                    fill(&batch[n], port, row)
                    n += 1
                self.receive(batch, n)
            finally:
                for i in range(n):
                    free(batch[i].data)
            collect(self)

    def run_timers(self, uint64_t monotonic_ns, uint64_t wall_ns):
        """Does everything that is due at this instant."""
        self.now.monotonic, self.now.wall = monotonic_ns, wall_ns
        while self.tick():
            collect(self)
        collect(self)

    def leave(self, uint16_t port, str peer_ip, uint16_t peer_port, str local_ip, bytes data):
        """Puts one datagram (at most ROOM octets) into the outbox, as the node itself would. False: it is full."""
        cdef uint32_t peer = address_of(peer_ip), local = address_of(local_ip)
        cdef Datagram* row
        if len(data) > ROOM:
            raise ValueError(f"{len(data)} octets; a row has room for {ROOM}")
        row = compose(&self.out, port)
        if row == NULL:
            return False
        row.peer_address, row.peer_port, row.local_address, row.length = peer, peer_port, local, <uint32_t> len(data)
        memcpy(row.data, <const char*> data, row.length)
        return True

    def drain(self):
        """Takes out `[(port, peer_ip, peer_port, local_ip, data), ...]` in the order in which the node left them."""
        collect(self)
        sent, self._sent = self._sent, []
        return sent

    def due(self):
        """Monotonic ns of the next timer, 0: none."""
        return self.next_due()

    @property
    def refused(self):
        """Datagrams that found the outbox full and were never sent."""
        return self.out.refused


cdef int collect(Node node) except -1:
    cdef Datagram* row
    cdef uint32_t i
    for i in range(node.out.count):
        row = &node.out.rows[i]
        node._sent.append((row.port, text_of(row.peer_address), row.peer_port, text_of(row.local_address),
                           (<const char*> row.data)[:row.length]))
    node.out.count = 0
    return 0


cdef int fill(Datagram* row, uint16_t port, tuple given) except -1:
    cdef str peer, local
    cdef uint16_t peer_port
    cdef bytes data
    peer, peer_port, local, data = given
    row.peer_address, row.local_address = address_of(peer), address_of(local)
    row.peer_port, row.port, row.length = peer_port, port, <uint32_t> len(data)
    row.data = <uint8_t*> malloc(row.length or 1)
    if not row.data:
        raise MemoryError
    memcpy(row.data, <const char*> data, row.length)
    return 0
