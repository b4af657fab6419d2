# Between packed octets and Python values: the plan of a class, and addresses without their constructors' price.
from libc.stdint cimport uint8_t, uint16_t, uint32_t

cdef enum Kind:
    INTEGER
    IPV4
    IPV6
    OCTETS                                          # of a fixed number

cdef enum Tail:                                     # what the last field of a class takes: all that is behind the struct
    NO_TAIL
    OCTETS_TAIL
    TEXT_TAIL                                       # UTF-8; octets that are none survive as surrogates
    LIST_TAIL                                       # of extensions or options
    ADDRESSES_TAIL                                  # IPv4 addresses, a tuple
    NUMBERS_TAIL                                    # octets as numbers, a tuple

cdef object address4(const uint8_t* p)
cdef object address6(const uint8_t* p)
cdef int put_address4(object value, uint8_t* at, str field) except -1
cdef int put_address6(object value, uint8_t* at, str field) except -1
cdef int put_number(object value, uint8_t* at, int width, str field) except -1

cdef class Plan:
    cdef readonly object cls
    cdef readonly int size, type, subtype, shape    # octets of the struct; of the extension; subtype -1: the class has it
    cdef readonly int tail                          # a Tail
    cdef int count, tail_at                         # fields of the struct; where among the class's the tail stands
    cdef list names, paths
    cdef str tail_path
    cdef bytes reserved                             # 1 where an octet of the struct has no field and must be zero
    cdef bint has_reserved
    cdef uint8_t[16] kind
    cdef uint16_t[16] width
    cdef uint16_t[16] offset
    cdef object make(self, const uint8_t* p, object last)
    cdef int write(self, object message, uint8_t* at) except -1
    cdef bint fits(self, const uint8_t* p, int n) noexcept
    cdef object tail_of(self, const uint8_t* p, int n)
    cdef bytes tail_octets(self, object message)
    cdef bytes _address(self, object value)

cdef bytes as_bytes(object data, str name=*)
cdef bytes octets_in(object value, str field)
cdef list parts_in(object parts, str field)
cdef long long whole(object value, str field, long long least, long long most) except? -1
