# Single Mobile IPv4 messages between octets and objects.
from libc.stdint cimport uint8_t
from fastcodec.fields cimport Plan

cdef int put_extension(object extension, uint8_t* start, int at, object keys) except -1
