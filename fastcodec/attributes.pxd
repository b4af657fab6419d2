# The attributes of a packet as octets, typed when looked at.
from libc.stdint cimport uint8_t

cdef enum:
    MOST = 4076              # octets behind the header of the longest packet, RFC 2865 3
    ROOM = MOST + 512        # one attribute more, before it is seen to be too much

cdef class Attributes:
    cdef readonly bytes octets
    cdef list _cached
    cdef list items(self)

cdef Attributes from_octets(bytes octets)
cdef int put_items(object items, uint8_t* out) except -1
