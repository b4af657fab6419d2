"""Keys by SPI, for the batch API: rows under different SPIs are verified or signed in one go, unknown ones told."""
from collections.abc import Mapping

from cpython.mem cimport PyMem_Calloc, PyMem_Free, PyMem_Malloc
from libc.stdint cimport uint32_t

from fastcodec.errors import EncodeError
from fastcodec.secret cimport Secret, SecretArray
from fastcodec.wants import called, wants


cdef inline uint32_t _hash(uint32_t spi) noexcept nogil:
    return (spi * <uint32_t> 0x9e3779b1) ^ (spi >> 15)


cdef SecretArray secrets_in(object secrets, str what="secrets: SecretArray"):
    """A SecretArray as it is; one secret for all rows becomes one. TypeError for all else."""
    if isinstance(secrets, SecretArray):
        return <SecretArray> secrets
    if isinstance(secrets, (Secret, bytes, bytearray, memoryview)):
        return SecretArray([secrets])
    raise TypeError(f"{what} or the octets of one is needed, not {called(secrets)}")


cdef object keys_in(object keys, object which):
    """A KeyTable or a SecretArray as it is; a mapping from SPI to key, or one key for all rows, becomes one."""
    if isinstance(keys, Mapping):
        keys = KeyTable(keys)
    if not isinstance(keys, KeyTable):
        return secrets_in(keys, "keys: KeyTable, SecretArray, a mapping from SPI to key")
    if which is not None:
        raise EncodeError("which", "is for a SecretArray: in a KeyTable every row finds its key by its SPI (RFC 5944 3.5.2)")
    return keys


cdef class KeyTable:
    """`keys` maps an SPI (32 bits) to a Secret or octets. Its `secrets` are prepared once, in lanes, when first used."""

    def __cinit__(self, keys):
        cdef Py_ssize_t size = 8, k
        cdef dict known
        wants("keys", keys, Mapping)
        known = dict(keys)
        while size < 2 * len(known):
            size *= 2
        self.secrets = SecretArray(known.values())
        self.mask = <uint32_t> (size - 1)
        self.spis = <uint32_t*> PyMem_Calloc(size, sizeof(uint32_t))
        self.places = <uint32_t*> PyMem_Malloc(size * sizeof(uint32_t))
        if self.spis == NULL or self.places == NULL:
            raise MemoryError
        for k in range(size):
            self.places[k] = NO_KEY
        for k, spi in enumerate(known):
            if not isinstance(spi, int) or not 0 <= spi <= 0xffffffff:
                raise EncodeError("KeyTable", f"{spi!r} is no SPI of 32 bits (RFC 5944 3.5.2)")
            self._enter(<uint32_t> spi, <uint32_t> k)

    def __dealloc__(self):
        PyMem_Free(self.spis)
        PyMem_Free(self.places)

    def __len__(self):
        return self.secrets.count

    def __repr__(self):
        return f"KeyTable(<{self.secrets.count} keys>)"

    def __reduce__(self):
        cdef list listed = self.secrets.listed()
        return KeyTable, ({self.spis[k]: listed[self.places[k]] for k in range(<Py_ssize_t> self.mask + 1) if self.places[k] != NO_KEY},)

    def __contains__(self, spi):
        return isinstance(spi, int) and 0 <= spi <= 0xffffffff and self.find(<uint32_t> spi) != NO_KEY

    cdef void _enter(self, uint32_t spi, uint32_t index) noexcept:
        cdef uint32_t at = _hash(spi) & self.mask
        while self.places[at] != NO_KEY:
            at = (at + 1) & self.mask
        self.spis[at], self.places[at] = spi, index

    cdef uint32_t find(self, uint32_t spi) noexcept nogil:
        """Index into `secrets`, or NO_KEY; half of the places are free, so the search ends."""
        cdef uint32_t at = _hash(spi) & self.mask
        while self.places[at] != NO_KEY:
            if self.spis[at] == spi:
                return self.places[at]
            at = (at + 1) & self.mask
        return NO_KEY
