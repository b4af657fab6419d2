# Every extension of many rows in one flat array.
from fastcodec.rows cimport Rows

cdef enum:
    MOST_PIECES = 64             # of a row: as many as any kind of message may have

cdef object make_index(Rows rows, object found)
