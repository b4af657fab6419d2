# Rows of one type of message, with a table of where the parts that have a column of their own are.
from libc.stdint cimport uint8_t, uint16_t
from fastcodec.rows cimport Rows

cdef class ColumnRows(Rows):
    cdef readonly int type
    cdef readonly object offsets, sizes, found
    cdef list _names
    cdef object _layout
    cdef uint16_t[:, ::1] _offsets
    cdef uint16_t[:, ::1] _sizes
    cdef uint8_t[::1] _found
    cdef tuple _made_of(self)
    cdef int _place(self, str column) except -1
    cdef object _spis(self, int column, int shift)
