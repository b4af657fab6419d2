from libc.stdint cimport uint64_t

from servers.net.node cimport Node

cdef class Echo(Node):
    cdef readonly uint64_t answered
    cdef readonly uint64_t oversize              # longer than an outbox row: not answered
