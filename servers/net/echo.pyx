"""The null server: answers every datagram with its own octets. What is left of a server's cost without any work."""
from libc.stdint cimport uint32_t
from libc.string cimport memcpy

from servers.net.node cimport ROOM, Datagram, Node, compose


cdef class Echo(Node):
    """Sends every datagram back to where it came from, from the address it was sent to."""

    cdef void receive(self, Datagram* rows, uint32_t n) noexcept nogil:
        cdef Datagram* reply
        cdef uint32_t i
        for i in range(n):
            if rows[i].length > ROOM:
                self.oversize += 1
                continue
            reply = compose(&self.out, rows[i].port)
            if reply == NULL:
                continue
            reply.peer_address, reply.peer_port = rows[i].peer_address, rows[i].peer_port
            reply.local_address, reply.length = rows[i].local_address, rows[i].length
            memcpy(reply.data, rows[i].data, rows[i].length)
            self.answered += 1
