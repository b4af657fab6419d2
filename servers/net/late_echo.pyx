"""The null server that takes its time: answers every datagram with its own octets, `delay_ns` later."""
from libc.stdint cimport uint8_t, uint32_t, uint64_t
from libc.stdlib cimport calloc, free
from libc.string cimport memcpy

from servers.net.node cimport OUTBOX, ROOM, Datagram, Node, compose


cdef class LateEcho(Node):
    """Datagrams that find all `places` taken, or are longer than an outbox row, are counted and not answered."""

    def __cinit__(self, uint64_t delay_ns, uint32_t places=1024):
        cdef uint32_t i
        self.delay_ns, self.places = delay_ns, places
        self.waiting = <Datagram*> calloc(places, sizeof(Datagram))
        self.due = <uint64_t*> calloc(places, sizeof(uint64_t))
        self.octets = <uint8_t*> calloc(places, ROOM)
        if not (self.waiting and self.due and self.octets):
            raise MemoryError
        for i in range(places):
            self.waiting[i].data = self.octets + <size_t> i * ROOM

    def __dealloc__(self):
        free(self.waiting)
        free(self.due)
        free(self.octets)

    cdef void receive(self, Datagram* rows, uint32_t n) noexcept nogil:
        cdef uint32_t i
        for i in range(n):
            if self.count == self.places or rows[i].length > ROOM:
                self.refused_waiting += 1
            else:
                self.keep(&rows[i])

    cdef void keep(self, Datagram* row) noexcept nogil:
        """At the end of the ring, or further ahead when the delay was shortened in between."""
        cdef uint32_t at = (self.first + self.count) % self.places, before = (at + self.places - 1) % self.places
        cdef uint64_t due = self.now.monotonic + self.delay_ns
        cdef uint8_t* octets = self.waiting[at].data
        while at != self.first and due < self.due[before]:
            self.waiting[at], self.due[at] = self.waiting[before], self.due[before]
            at, before = before, (before + self.places - 1) % self.places
        self.waiting[at], self.due[at] = row[0], due
        self.waiting[at].data = octets
        memcpy(octets, row.data, row.length)
        self.count += 1

    cdef bint tick(self) noexcept nogil:
        while self.count and self.due[self.first] <= self.now.monotonic:
            if not self.answer():
                return True
        return False

    cdef bint answer(self) noexcept nogil:
        """Sends the first that waits; False: the outbox is full, it keeps its place."""
        cdef Datagram* kept = &self.waiting[self.first]
        cdef Datagram* reply
        cdef uint8_t* octets
        if self.out.count == OUTBOX:
            return False
        reply = compose(&self.out, kept.port)
        octets = reply.data
        reply[0] = kept[0]
        reply.data = octets
        memcpy(octets, kept.data, kept.length)
        self.first = (self.first + 1) % self.places
        self.count -= 1
        self.answered += 1
        return True

    cdef uint64_t next_due(self) noexcept nogil:
        return self.due[self.first] if self.count else 0
