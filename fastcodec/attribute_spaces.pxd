# Where an attribute stands: a packet, a vendor's space of any format, an extended space; fragments put together.
from libc.stdint cimport uint8_t
from fastcodec.attribute_items cimport Look
from fastcodec.attribute_rows cimport Row, Space

cdef int vendor_items(const uint8_t* p, const uint8_t* end, Look look, set used, list out) except -1
cdef int extended_items(Row row, const uint8_t* p, const uint8_t* end, Look look, set used, list out) except -1
cdef int concat_item(Row row, const uint8_t* p, const uint8_t* end, Look look, list out) except -1
cdef bytes wrapped(Row row, bytes content)
cdef bytes by_number(str name, bytes content)
