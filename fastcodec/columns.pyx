"""Rows of one type of message whose extensions or options have columns: what Mobile IPv4 and Mobile IPv6 batches share."""
import numpy as np

from libc.stdint cimport uint32_t

from fastcodec.errors import EncodeError
from fastcodec.fields cimport whole
from fastcodec.rows cimport Rows
from fastcodec.rows import alike, packed
from fastcodec.wire cimport get32


cdef class ColumnRows(Rows):
    """`offsets` and `sizes` (uint16, rows x columns) place the first part of each kind, 0: absent; `found` counts the parts.

    `type` is that of the messages, one of `layouts` (type to dtype of the fixed part); `names` are the columns in order.
    """

    def __init__(self, octets, lengths, type, list names, dict layouts):
        Rows.__init__(self, octets, lengths)
        if whole(type, "type", 0, 255) not in layouts:
            raise EncodeError("type", f"{type} is none of {', '.join(str(int(number)) for number in layouts)}")
        self.type, self._names, self._layout = type, names, layouts[type]
        self.offsets = np.zeros((self.count, len(names)), dtype=np.uint16)
        self.sizes = np.zeros((self.count, len(names)), dtype=np.uint16)
        self.found = np.zeros(self.count, dtype=np.uint8)
        self._offsets, self._sizes, self._found = self.offsets, self.sizes, self.found

    @property
    def fixed(self):
        """The fixed part as a structured array in network order, a view; rows that are too short show what is there."""
        if self.count == 0:
            return np.empty(0, dtype=self._layout)
        if self.width < self._layout.itemsize:
            raise EncodeError("octets", f"rows of {self.width} octets cannot hold {self._layout.itemsize}")
        return self.octets[:, :self._layout.itemsize].view(self._layout)[:, 0]

    def offset(self, str column):
        """Offsets of that part's value (uint16 a row), a view; 0: absent."""
        return self.offsets[:, self._place(column)]

    def size(self, str column):
        """Octets of that part's value (uint16 a row), a view."""
        return self.sizes[:, self._place(column)]

    cdef tuple _made_of(self):
        return self.octets, self.lengths, self.type

    cdef int _place(self, str column) except -1:
        if column not in self._names:
            raise EncodeError("column", f"{column!r} is none of {', '.join(self._names)}")
        return self._names.index(column)

    def value(self, str column):
        """That part's value as rows of octets, a view, where it stands alike in all rows (as after a template)."""
        return alike(self.octets, self.offset(column), self.size(column), column)

    cdef object _spis(self, int column, int shift):
        """What stands `shift` octets into a column, as numbers of 32 bits (uint32 a row, a copy); 0 where there is none."""
        cdef Py_ssize_t row
        spis = np.zeros(self.count, dtype=np.uint32)
        cdef uint32_t[::1] out = spis
        with nogil:
            for row in range(self.count):
                if self._offsets[row, column]:
                    out[row] = get32(&self._octets[row, self._offsets[row, column] + shift])
        return spis


def batch_of(cls, datagrams, type, int at, int least):
    """A `cls` of a list of messages, walked; the type is what stands at `at` in the first unless given, `least` without one."""
    octets, lengths = packed(datagrams)
    if type is None:
        type = octets[0, at] if lengths.size and lengths[0] > at else least
    batch = cls(octets, lengths, type)
    batch.walk()
    return batch


class Zeros:
    """Stands for a key while a template is made: what it signs is written over by `sign`."""

    def get(self, spi):
        """One for every SPI."""
        return b"\0"
