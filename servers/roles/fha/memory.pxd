from libc.stdint cimport uint64_t
from servers.net.node cimport Node
from servers.pool.bitmap cimport SharedPool
from servers.roles.fha.state cimport Acknowledgment, Fha
from servers.roles.radius_client cimport Answer

cdef class FhaMemory(Node):
    cdef Fha fha
    cdef Answer* answers
    cdef Acknowledgment* acknowledgments
    cdef list pool_owners
    cdef object journal_owner
    cdef object order_replies_owner
    cdef int add_pool(self, bytes name, SharedPool pool) except -1
    cdef dict pool_gauges(self, uint64_t now)
    cdef list bound_rows(self)
