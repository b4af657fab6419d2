# Values as JSON can hold them.
from libc.stdint cimport uint32_t

cdef int put_text4(uint32_t address, char* digits) noexcept
cdef bint has_plain_fields(object cls)
