from servers.net.node cimport Node
from servers.roles.aaah.state cimport Aaah, Question

cdef class AaahRole(Node):
    cdef Aaah aaah
    cdef Question* rows
    cdef object subscriber_table
    cdef tuple reply_caches
    cdef object journal
