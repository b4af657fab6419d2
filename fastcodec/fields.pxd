# Between packed octets and Python values: the plan of a class, and addresses without their constructors' price.
from libc.stdint cimport uint8_t, uint32_t

cdef enum Kind:
    INTEGER
    IPV4
    IPV6

cdef object address4(const uint8_t* p)
cdef object address6(const uint8_t* p)
cdef int put_address4(object value, uint8_t* at, str field) except -1
cdef int put_address6(object value, uint8_t* at, str field) except -1
cdef int put_number(object value, uint8_t* at, int width, str field) except -1

cdef class Plan:
    cdef readonly object cls
    cdef readonly int size, type, subtype, shape    # octets of the struct; of the extension
    cdef readonly bint tail                         # the class ends with the octets behind the struct
    cdef int count
    cdef list names, paths
    cdef uint8_t[16] kind
    cdef uint8_t[16] width
    cdef uint8_t[16] offset
    cdef object make(self, const uint8_t* p, object last)
    cdef object _value(self, int k, const uint8_t* at)
    cdef int write(self, object message, uint8_t* at) except -1

cdef bytes as_bytes(object data)
