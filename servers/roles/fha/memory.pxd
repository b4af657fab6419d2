from servers.net.node cimport Node
from servers.roles.fha.state cimport Fha
from servers.roles.radius_client cimport Answer

cdef class FhaMemory(Node):
    cdef Fha fha
    cdef Answer* answers
    cdef object pool_owner
    cdef object journal_owner
    cdef list bound_rows(self)
