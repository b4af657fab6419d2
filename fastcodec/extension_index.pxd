# Every extension of many rows in one flat array.
from libc.stdint cimport uint8_t, uint32_t
from fastcodec.rows cimport Rows

cdef object make_index(Rows rows, object found, const uint32_t[::1] begins, const uint8_t* shapes)
