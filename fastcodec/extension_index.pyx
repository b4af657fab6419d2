"""Every extension or option of many rows in one flat array, and where each row's begin in it."""
from typing import NamedTuple

import numpy as np

from libc.stdint cimport uint8_t, uint16_t, uint32_t

from fastcodec.rows cimport Rows
from fastcodec.status cimport Status
from fastcodec.wire cimport Piece

INDEX = np.dtype([("row", "u4"), ("type", "u1"), ("subtype", "u1"), ("head", "u2"), ("offset", "u2"), ("length", "u2")])


class ExtensionIndex(NamedTuple):
    """`entries` (dtype `INDEX`) of all rows, one behind the other; those of row r are entries[starts[r]:starts[r + 1]].

    `head` is where an extension starts in its row, `offset` and `length` place its value.
    """
    entries: object
    starts: object


cdef object make_index(Rows rows, object found):
    """Of rows that are OK, which had `found[row]` extensions or options when they were walked; in wire order, padding is none."""
    counts = np.where(rows.status == <int> Status.OK, found, 0).astype(np.uint32)
    starts = np.zeros(rows.count + 1, dtype=np.uint32)
    np.cumsum(counts, out=starts[1:])
    entries = np.zeros(int(starts[rows.count]), dtype=INDEX)
    if len(entries):
        _fill(rows, counts, starts, [entries[name] for name in INDEX.names])
    return ExtensionIndex(entries, starts)


cdef int _fill(Rows rows, const uint32_t[::1] counts, const uint32_t[::1] starts, list columns) except -1:
    cdef Piece[MOST_PIECES] pieces
    cdef uint32_t[:] numbers = columns[0]
    cdef uint8_t[:] types = columns[1]
    cdef uint8_t[:] subtypes = columns[2]
    cdef uint16_t[:] heads = columns[3]
    cdef uint16_t[:] offsets = columns[4]
    cdef uint16_t[:] lengths = columns[5]
    cdef int k, found
    cdef Py_ssize_t row, at
    with nogil:
        for row in range(rows.count):
            if counts[row] == 0:
                continue
            found = rows._pieces(row, pieces)
            for k in range(min(found, <int> counts[row])):
                at = starts[row] + k
                numbers[at], types[at], subtypes[at] = <uint32_t> row, pieces[k].type, pieces[k].subtype
                heads[at], offsets[at], lengths[at] = pieces[k].head, pieces[k].offset, pieces[k].length
    return 0
