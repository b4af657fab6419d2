"""One node and its sockets, joined without the interpreter: receive, hand over, send, set the timer."""
from libc.stdint cimport int64_t, uint32_t, uint64_t
from libc.stdlib cimport calloc, free
from libc.string cimport memset
from posix.time cimport CLOCK_MONOTONIC, CLOCK_REALTIME, clock_gettime, itimerspec, timespec
from posix.unistd cimport close, read

from servers.failpoint cimport ANY_RECEIVED, ANY_SENDING, ANY_SENT, failpoint
from servers.net.mmsg cimport Port, Socket, Workspace, fetch, send, split
from servers.net.node cimport OUTBOX, Datagram, Instant, Node
from servers.net.tape cimport Tape

cdef extern from "<sys/timerfd.h>" nogil:
    const int TFD_CLOEXEC, TFD_NONBLOCK, TFD_TIMER_ABSTIME
    int timerfd_create(int clock, int flags)
    int timerfd_settime(int fd, int flags, const itimerspec* new, itimerspec* old)

cdef enum:
    TURNS = 4                      # receive calls for one socket before the others get their turn


cdef void read_clocks(Instant* now) noexcept nogil:
    cdef timespec at
    clock_gettime(CLOCK_MONOTONIC, &at)
    now.monotonic = <uint64_t> at.tv_sec * 1_000_000_000 + <uint64_t> at.tv_nsec
    clock_gettime(CLOCK_REALTIME, &at)
    now.wall = <uint64_t> at.tv_sec * 1_000_000_000 + <uint64_t> at.tv_nsec


cdef bint by_socket(Datagram* rows, uint32_t n, uint32_t sockets) noexcept nogil:
    """Whether each socket's rows stand together, and all have one: the usual case, answers where questions came in."""
    cdef uint32_t i
    for i in range(n):
        if rows[i].port >= sockets or (i and rows[i].port < rows[i - 1].port):
            return False
    return True


cdef class Pump:
    """`sockets[i]` must have index `i`. What is moved is recorded on `tape`, if there is one. All calls belong to one thread
    at a time; they run without the GIL."""

    def __cinit__(self, Node node, sockets, Tape tape=None):
        cdef Socket socket
        cdef Workspace workspace = Workspace()
        self.timer = -1
        self.tape, self.taping = tape, tape is not None
        self.node, self.sockets = node, tuple(sockets)
        self.count = <uint32_t> len(self.sockets)
        self.ports = <Port**> calloc(self.count + 1, sizeof(Port*))
        self.sorted = <Datagram*> calloc(OUTBOX, sizeof(Datagram))
        self.places = <uint32_t*> calloc(self.count + 1, sizeof(uint32_t))
        if not (self.ports and self.sorted and self.places):
            raise MemoryError
        for i, socket in enumerate(self.sockets):
            if socket.port.index != i:
                raise ValueError(f"socket {socket.address} has index {socket.port.index} and stands at {i}")
            socket.use(workspace)
            self.ports[i] = &socket.port
        self.timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC)
        if self.timer < 0:
            raise OSError("no timerfd: too many open files?")

    def __dealloc__(self):
        free(self.ports)
        free(self.sorted)
        free(self.places)
        if self.timer >= 0:
            close(self.timer)

    def timer_fd(self):
        """Readable when the node has something to do; answer with `on_timer`."""
        return self.timer

    def close(self):
        """Gives the timer back; sockets are their owner's."""
        if self.timer >= 0:
            close(self.timer)
        self.timer = -1

    def on_readable(self, uint32_t index):
        """Socket `index` has datagrams."""
        if index >= self.count:
            raise IndexError(index)
        with nogil:
            self.pump(index)
            self.rearm()

    def on_timer(self):
        """Something is due, or may be."""
        with nogil:
            self.run_timers()
            self.arm(self.node.next_due())

    def on_waker(self, int fd):
        """An eventfd says that the node can go on with something."""
        cdef uint64_t times
        with nogil:
            read(fd, &times, 8)
            self.run_timers()
            self.rearm()

    def drain(self):
        """Last round before the end: takes what the sockets still hold, does what is due, sends what is left."""
        cdef uint32_t i
        with nogil:
            for i in range(self.count):
                self.pump(i)
            self.run_timers()

    cdef void pump(self, uint32_t index) noexcept nogil:
        """Moves what socket `index` holds, at most TURNS receive calls."""
        cdef Port* port = self.ports[index]
        cdef uint32_t got, n, _
        for _ in range(TURNS):
            got = fetch(port)
            if not got:
                return
            failpoint(ANY_RECEIVED)
            read_clocks(&self.node.now)
            n = split(port)
            while n:
                self.record(port.space.rows, n, True)
                self.node.receive(port.space.rows, n)
                self.flush()
                n = split(port)
            if got < port.capacity:
                return

    cdef void flush(self) noexcept nogil:
        """Sends the outbox: the datagrams of one socket together and in order."""
        cdef Datagram* rows = self.node.out.rows
        cdef uint32_t first = 0, last, n = self.node.out.count
        if not n:
            return
        failpoint(ANY_SENDING)
        if not by_socket(rows, n, self.count):
            n = self.sort(rows, n)
            rows = self.sorted
        while first < n:
            last = first + 1
            while last < n and rows[last].port == rows[first].port:
                last += 1
            self.record(rows + first, last - first, False)
            send(self.ports[rows[first].port], rows + first, last - first)
            first = last
        self.node.out.count = 0
        failpoint(ANY_SENT)

    cdef void record(self, Datagram* rows, uint32_t n, bint incoming) noexcept nogil:
        if self.taping:
            self.tape.record(rows, n, incoming, self.node.now.wall)

    cdef uint32_t sort(self, Datagram* rows, uint32_t n) noexcept nogil:
        """Into `sorted`, by socket, stable; returns how many. Rows for no socket are counted and left out."""
        cdef uint32_t i, count, total = 0
        memset(self.places, 0, self.count * sizeof(uint32_t))
        for i in range(n):
            if rows[i].port < self.count:
                self.places[rows[i].port] += 1
            else:
                self.misdirected += 1
        for i in range(self.count):
            count = self.places[i]
            self.places[i] = total
            total += count
        for i in range(n):
            if rows[i].port < self.count:
                self.sorted[self.places[rows[i].port]] = rows[i]
                self.places[rows[i].port] += 1
        return total

    cdef void run_timers(self) noexcept nogil:
        """Everything that is due; the outbox leaves between the rounds."""
        cdef bint more = True
        self.wakes += 1
        read_clocks(&self.node.now)
        while more:
            more = self.node.tick()
            self.flush()

    cdef void rearm(self) noexcept nogil:
        """Only ever earlier: a timer that fires before anything is due costs less than a system call a batch."""
        cdef uint64_t due = self.node.next_due()
        if due and (not self.armed or due < self.armed):
            self.arm(due)

    cdef void arm(self, uint64_t due) noexcept nogil:
        """0 stops the timer; either way one that has fired is no longer readable."""
        cdef itimerspec at
        at.it_interval.tv_sec = at.it_interval.tv_nsec = 0
        at.it_value.tv_sec, at.it_value.tv_nsec = <int64_t> (due // 1_000_000_000), <int64_t> (due % 1_000_000_000)
        timerfd_settime(self.timer, TFD_TIMER_ABSTIME, &at, NULL)
        self.armed = due
