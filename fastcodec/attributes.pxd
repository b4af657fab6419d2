# The attributes of a packet as octets, typed when looked at.
from libc.stdint cimport uint8_t
from fastcodec.hiding cimport Cloak

cdef enum:
    MOST = 4076                      # octets behind the header of the longest packet, RFC 2865 3
    LONGEST_BODY = 65535 - 20        # with a Length of two octets
    SPARE = 512                      # one attribute more, before it is seen to be too much

cdef class Attributes:
    cdef readonly bytes octets
    cdef list _cached
    cdef Cloak _cloak
    cdef int _depth
    cdef bint _revealed
    cdef list items(self)
    cdef bint must_be_hidden_again(self, Cloak cloak) except -1

cdef Attributes from_octets(bytes octets, Cloak cloak, int depth)
cdef int put_items(object items, uint8_t* out, int most, Cloak cloak) except -1
