from loadgen.load cimport Load

cdef void clear_counts(Load* load) noexcept nogil
cdef dict tallies_of(const Load* load)
cdef dict not_begun_of(const Load* load)
cdef dict packets_of(const Load* load)
cdef tuple codes_of(const Load* load)
cdef list strays_of(const Load* load)
cdef tuple violations_of(const Load* load)
