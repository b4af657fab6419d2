"""Many datagrams at once: one array of octets, a row each, and a status a row.

Nothing here raises for what a row holds. The kernels are those of the single messages; digests run in lanes.
"""
import numpy as np

from cpython.mem cimport PyMem_Calloc, PyMem_Free
from libc.stdint cimport uint8_t, uint32_t

from fastcodec.digest.jobs cimport Job
from fastcodec.errors import EncodeError


cdef class Scratch:
    """Room for two jobs, a digest and a text a row."""

    def __cinit__(self, Py_ssize_t rows, uint32_t text_size):
        self.text_size = text_size
        self.queue.jobs = <Job*> PyMem_Calloc(rows * 2 + 1, sizeof(Job))
        self.queue.room = <uint32_t> (rows * 2)
        self.digests = <uint8_t*> PyMem_Calloc(rows + 1, 32)
        self.texts = <uint8_t*> PyMem_Calloc(rows + 1, text_size or 1)
        if self.queue.jobs == NULL or self.digests == NULL or self.texts == NULL:
            raise MemoryError

    def __dealloc__(self):
        PyMem_Free(self.queue.jobs)
        PyMem_Free(self.digests)
        PyMem_Free(self.texts)


cdef class Rows:
    """`octets` (uint8, rows x width, written to), `lengths` (octets used of each row), `status` (a `Status` a row)."""

    def __init__(self, octets, lengths):
        self.octets = octets
        self._octets = octets
        self.lengths = np.ascontiguousarray(lengths, dtype=np.uint32)
        self._lengths = self.lengths
        self.count, self.width = self._octets.shape[0], self._octets.shape[1]
        if self._lengths.shape[0] != self.count or (self.count and self.lengths.max() > self.width):
            raise EncodeError("lengths", f"{self.count} of at most {self.width} are needed")
        self.status = np.zeros(self.count, dtype=np.uint8)
        self._status = self.status

    def __len__(self):
        return self.count

    def datagram(self, Py_ssize_t row):
        """The octets of one row."""
        return self.octets[row, :self.lengths[row]].tobytes()

    cdef const uint32_t[::1] _indices(self, object which, SecretArray secrets):
        """Index into the secrets for every row; None: the first for all. What is out of range has no key."""
        if which is None:
            return np.zeros(self.count, dtype=np.uint32)
        indices = np.ascontiguousarray(which, dtype=np.uint32)
        if indices.shape != (self.count,):
            raise EncodeError("which", f"one index for each of {self.count} rows is needed")
        return indices


def rows_of(bytes octets, Py_ssize_t n):
    """`n` rows that hold the same octets, and their lengths."""
    rows = np.empty((n, len(octets)), dtype=np.uint8)
    rows[:] = np.frombuffer(octets, dtype=np.uint8)
    return rows, np.full(n, len(octets), dtype=np.uint32)
