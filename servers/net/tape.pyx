"""A tape of the datagrams that a pump moves: a pcap file of raw IPv4 (LINKTYPE_RAW), written through a large buffer.

What the socket leaves to the kernel is made up: IPv4 header (with its checksum), TTL 64, UDP header without checksum
(0: none was computed, RFC 768).
"""
from ipaddress import IPv4Address

from libc.errno cimport errno
from libc.stdint cimport uint16_t, uint32_t, uint64_t, uint8_t
from libc.stdio cimport fclose, fopen, fwrite, setvbuf
from libc.stdlib cimport calloc, free
from libc.string cimport memcpy, memset

cdef extern from "<stdio.h>" nogil:
    const int _IOFBF
cdef extern from "<arpa/inet.h>" nogil:
    uint16_t htons(uint16_t)

cdef enum:
    BUFFER = 1 << 20
    SNAP_LENGTH = 1 << 18
    LINK_RAW = 101
    NANOSECONDS_MAGIC = 0xa1b23c4d
    UDP = 17
    HEADERS = 28
    SECOND = 1000000000

cdef packed struct FileHeader:           # draft-ietf-opsawg-pcap, host order
    uint32_t magic
    uint16_t major, minor
    uint32_t zone, accuracy, snap_length, link

cdef packed struct RecordHeader:
    uint32_t seconds, nanoseconds, captured, length

cdef struct Headers:                     # IPv4 (RFC 791 3.1) and UDP (RFC 768), network order; no gaps
    uint8_t version, service
    uint16_t length, identification, fragment
    uint8_t hops, protocol
    uint16_t checksum
    uint32_t source, destination
    uint16_t source_port, destination_port, udp_length, udp_checksum


cdef uint16_t internet_checksum(const uint16_t* words, int n) noexcept nogil:
    """RFC 1071; of words in network order, itself in network order."""
    cdef uint32_t sum = 0
    cdef int k
    for k in range(n):
        sum += words[k]
    sum = (sum & 0xffff) + (sum >> 16)
    return <uint16_t> ~((sum & 0xffff) + (sum >> 16))


cdef class Tape:
    """`addresses` are those of the pump's sockets, "A.B.C.D:PORT". Raises OSError when `path` cannot be written.

    A disk that fills up ends the tape, not the run: then `error` is not 0.
    """

    def __cinit__(self, str path, addresses):
        cdef FileHeader header
        cdef bytes octets
        self.path, self.count = path, <uint32_t> len(addresses)
        self.addresses = <uint32_t*> calloc(self.count + 1, sizeof(uint32_t))
        self.ports = <uint16_t*> calloc(self.count + 1, sizeof(uint16_t))
        if not self.addresses or not self.ports:
            raise MemoryError
        for k, address in enumerate(addresses):
            host, _, port = address.rpartition(":")
            octets = IPv4Address(host).packed
            memcpy(&self.addresses[k], <const uint8_t*> octets, 4)
            self.ports[k] = int(port)
        self.file = fopen(path.encode(), b"we")
        if self.file == NULL:
            raise OSError(errno, "cannot be written", path)
        setvbuf(self.file, NULL, _IOFBF, BUFFER)
        header.magic, header.major, header.minor = NANOSECONDS_MAGIC, 2, 4
        header.zone = header.accuracy = 0
        header.snap_length, header.link = SNAP_LENGTH, LINK_RAW
        self.put(&header, sizeof(header))

    def __dealloc__(self):
        if self.file != NULL:
            fclose(self.file)
        free(self.addresses)
        free(self.ports)

    def close(self):
        """Writes what the buffer still holds. What went wrong, first or last, stays in `error`."""
        if self.file != NULL and fclose(self.file) != 0 and not self.error:
            self.error = errno
        self.file = NULL

    cdef void record(self, const Datagram* rows, uint32_t n, bint incoming, uint64_t wall) noexcept nogil:
        cdef uint32_t k
        for k in range(n):
            if self.error or self.file == NULL:
                return
            if rows[k].port < self.count:
                self.record_one(&rows[k], incoming, wall)

    cdef void record_one(self, const Datagram* row, bint incoming, uint64_t wall) noexcept nogil:
        cdef RecordHeader record
        cdef Headers headers
        cdef uint32_t own = row.local_address if row.local_address else self.addresses[row.port]
        cdef uint16_t own_port = htons(self.ports[row.port]), peer_port = htons(row.peer_port)
        record.seconds, record.nanoseconds = <uint32_t> (wall // SECOND), <uint32_t> (wall % SECOND)
        record.captured = record.length = HEADERS + row.length
        memset(&headers, 0, sizeof(headers))
        headers.version, headers.hops, headers.protocol = 0x45, 64, UDP
        headers.length, headers.udp_length = htons(<uint16_t> (HEADERS + row.length)), htons(<uint16_t> (8 + row.length))
        headers.source, headers.destination = row.peer_address if incoming else own, own if incoming else row.peer_address
        headers.source_port = peer_port if incoming else own_port
        headers.destination_port = own_port if incoming else peer_port
        headers.checksum = internet_checksum(<const uint16_t*> &headers, 10)
        self.put(&record, sizeof(record))
        self.put(&headers, sizeof(headers))
        self.put(row.data, row.length)
        self.written += 1

    cdef void put(self, const void* octets, size_t n) noexcept nogil:
        if n and not self.error and fwrite(octets, 1, n, self.file) != n:
            self.error = errno
