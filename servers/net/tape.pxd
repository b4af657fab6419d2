# What a pump moves, as a pcap file: raw IPv4, nanoseconds.
from libc.stdint cimport uint16_t, uint32_t, uint64_t, uint8_t
from libc.stdio cimport FILE

from servers.net.node cimport Datagram

cdef class Tape:
    cdef FILE* file
    cdef readonly str path
    cdef readonly uint64_t written               # datagrams
    cdef readonly int error                      # errno that ended it, 0: none
    cdef uint32_t* addresses                     # of each socket, network order
    cdef uint16_t* ports
    cdef uint32_t count

    cdef void record(self, const Datagram* rows, uint32_t n, bint incoming, uint64_t wall) noexcept nogil
    cdef void record_one(self, const Datagram* row, bint incoming, uint64_t wall) noexcept nogil
    cdef void put(self, const void* octets, size_t n) noexcept nogil
