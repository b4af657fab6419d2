"""Many datagrams at once: one array of octets, a row each, and a status a row.

Nothing here raises for what a row holds. The kernels are those of the single messages; digests run in lanes.
"""
import numpy as np

from cpython.mem cimport PyMem_Calloc, PyMem_Free
from libc.stdint cimport uint8_t, uint16_t, uint32_t
from libc.string cimport memcpy

from fastcodec.digest.jobs cimport Job
from fastcodec.errors import EncodeError
from fastcodec.fields cimport as_bytes, whole
from fastcodec.key_table cimport NO_KEY, KeyTable
from fastcodec.status cimport Status
from fastcodec.wants import wants_list
from fastcodec.wire cimport Piece, get32


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


cdef uint32_t _longest(const uint32_t[::1] lengths) noexcept nogil:
    """The greatest of them, in a third of the time that numpy takes."""
    cdef Py_ssize_t row
    cdef uint32_t longest = 0
    for row in range(lengths.shape[0]):
        longest = max(longest, lengths[row])
    return longest


cdef class Rows:
    """`octets` (uint8, rows x width, written to), `lengths` (octets used of each row), `status` (a `Status` a row)."""

    def __init__(self, octets, lengths):
        if not isinstance(octets, np.ndarray) or octets.dtype != np.uint8 or octets.ndim != 2 or not octets.flags.carray:
            raise EncodeError("octets", "an array of rows x octets (uint8) that can be written to is needed")
        self.octets = octets
        self._octets = octets
        self.count, self.width = self._octets.shape[0], self._octets.shape[1]
        self.lengths = unsigned(lengths, "lengths", np.uint32, (self.count,), f"{self.count} of at most {self.width} are")
        self._lengths = self.lengths
        if _longest(self._lengths) > self.width:
            raise EncodeError("lengths", f"{self.count} of at most {self.width} are needed")
        self.status = np.zeros(self.count, dtype=np.uint8)
        self._status = self.status

    def __len__(self):
        return self.count

    def __repr__(self):
        return f"{type(self).__name__}(<{self.count} rows of {self.width} octets>)"

    def __reduce__(self):
        return again, (type(self), self._made_of(), self.status)

    cdef tuple _made_of(self):
        """What its class is called with to make one like it."""
        return self.octets, self.lengths

    def datagram(self, Py_ssize_t row):
        """The octets of one row."""
        return self.octets[row, :self.lengths[row]].tobytes()

    def datagrams(self):
        """The octets of every row, a list of bytes."""
        return [self.datagram(row) for row in range(self.count)]

    cdef int _pieces(self, Py_ssize_t row, Piece* out) noexcept nogil:
        """Extensions or options of a row that is OK, MOST_PIECES at most: how many there are."""
        return 0

    cdef const uint32_t[::1] _indices(self, object which, SecretArray secrets):
        """Index into the secrets for every row; None: the first for all. What is out of range has no key."""
        if which is None:
            return np.zeros(self.count, dtype=np.uint32)
        return unsigned(which, "which", np.uint32, (self.count,), f"one index for each of {self.count} rows is")

    cdef const uint32_t[::1] _by_spi(self, KeyTable table, const uint16_t[:, ::1] offsets, int column, int shift):
        """Index into the table's secrets for every row, NO_KEY where its SPI, `shift` octets into the column, is not known."""
        cdef Py_ssize_t row
        indices = np.full(self.count, <uint32_t> NO_KEY, dtype=np.uint32)
        cdef uint32_t[::1] out = indices
        with nogil:
            for row in range(self.count):
                if self._status[row] == Status.OK and offsets[row, column]:
                    out[row] = table.find(get32(&self._octets[row, offsets[row, column] + shift]))
        return indices


cdef object unsigned(object values, str name, object dtype, tuple shape, str what):
    """Values as an array of unsigned numbers of this width and shape; EncodeError: numpy would cut off what is too much."""
    try:
        given = np.asarray(values)
    except ValueError:                       # lists of different lengths
        given = np.empty(0, dtype=object)
    fits = given.dtype == dtype or given.size == 0 or (
        given.dtype.kind in "biu" and int(given.min()) >= 0 and int(given.max()) <= np.iinfo(dtype).max)
    if given.shape != shape or not fits:
        raise EncodeError(name, f"{what} needed")
    return np.ascontiguousarray(given, dtype=dtype)


def again(cls, made_of, status):
    """A copied or pickled batch: walked anew, each row with the status it had unless it cannot be read."""
    batch = cls(*made_of)
    batch.walk()
    batch.status[:] = np.where(batch.status == <int> Status.OK, status, batch.status)
    return batch


def rows_of(bytes octets, n):
    """`n` rows that hold the same octets, and their lengths."""
    cdef Py_ssize_t count = whole(n, "n", 0, 0xffffffff)
    rows = np.empty((count, len(octets)), dtype=np.uint8)
    rows[:] = np.frombuffer(octets, dtype=np.uint8)
    return rows, np.full(count, len(octets), dtype=np.uint32)


def alike(octets, offsets, sizes, name):
    """What stands at these offsets as rows of octets, a view, where it stands alike in all rows; EncodeError."""
    if len(offsets) == 0 or offsets[0] == 0 or (offsets != offsets[0]).any() or (sizes != sizes[0]).any():
        raise EncodeError(name, "does not stand alike in all rows")
    return octets[:, int(offsets[0]):int(offsets[0]) + int(sizes[0])]


def packed(datagrams):
    """Rows as wide as the longest of these datagrams, and their lengths."""
    cdef list given = [as_bytes(one, "datagrams") for one in wants_list("datagrams", datagrams, "octets")]
    cdef bytes data
    cdef Py_ssize_t row
    cdef uint8_t[:, ::1] rows
    octets = np.zeros((len(given), max(map(len, given), default=0) or 1), dtype=np.uint8)
    rows = octets
    for row, data in enumerate(given):
        if len(data):
            memcpy(&rows[row, 0], <const uint8_t*> data, len(data))
    return octets, np.fromiter(map(len, given), dtype=np.uint32, count=len(given))
