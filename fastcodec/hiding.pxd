# What hides values of one packet: the shared secret and the request's authenticator.
from fastcodec.secret cimport Secret

cdef class Cloak:
    cdef Secret secret
    cdef bytes authenticator
    cdef set salts
    cdef bint matches(self, Cloak other)
    cdef bytes reveal(self, int scheme, bytes octets)        # None when its size cannot be right
    cdef bytes hide(self, int scheme, bytes plain, object salt, str name)
    cdef int new_salt(self)
