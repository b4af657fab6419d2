# Many datagrams as rows of one array: scratch for their digests.
from libc.stdint cimport uint8_t, uint16_t, uint32_t
from fastcodec.digest.jobs cimport Job, Queue
from fastcodec.key_table cimport KeyTable
from fastcodec.secret cimport SecretArray
from fastcodec.wire cimport Piece

cdef object unsigned(object values, str name, object dtype, tuple shape, str what)

cdef class Scratch:
    cdef Queue queue
    cdef uint8_t* digests        # 32 octets a row
    cdef uint8_t* texts          # `text_size` octets a row
    cdef uint32_t text_size

cdef class Rows:
    cdef readonly object octets, lengths, status
    cdef uint8_t[:, ::1] _octets
    cdef const uint32_t[::1] _lengths
    cdef uint8_t[::1] _status
    cdef Py_ssize_t count, width
    cdef tuple _made_of(self)
    cdef int _pieces(self, Py_ssize_t row, Piece* out) noexcept nogil
    cdef const uint32_t[::1] _indices(self, object which, SecretArray secrets)
    cdef const uint32_t[::1] _by_spi(self, KeyTable table, const uint16_t[:, ::1] offsets, int column, int shift)
