# Octets of single values to Python and back, by the data type of their row.
from libc.stdint cimport uint8_t
from fastcodec.attribute_rows cimport Row

cdef object value_of(Row row, const uint8_t* p, int n)      # None when these octets are no value of that type
cdef int put_value(Row row, object value, uint8_t* at, int most) except -1
cdef bytes octets_of(Row row, object value)
