# Keys by SPI, for rows that each name theirs.
from libc.stdint cimport uint32_t
from fastcodec.secret cimport SecretArray

cdef enum:
    NO_KEY = 0xffffffff          # no index into the secrets

cdef SecretArray secrets_in(object secrets, str what=*)
cdef object keys_in(object keys, object which)

cdef class KeyTable:
    cdef readonly SecretArray secrets
    cdef uint32_t* spis
    cdef uint32_t* places        # index into the secrets, NO_KEY: free
    cdef uint32_t mask
    cdef void _enter(self, uint32_t spi, uint32_t index) noexcept
    cdef uint32_t find(self, uint32_t spi) noexcept nogil
