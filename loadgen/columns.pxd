from loadgen.load cimport Load

cdef int take_columns(Load* load, columns) except -1
