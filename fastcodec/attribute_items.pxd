# One attribute's value between octets and (name, value): tag, hiding, several in one, attributes inside.
from libc.stdint cimport uint8_t
from fastcodec.attribute_rows cimport Row
from fastcodec.hiding cimport Cloak

cdef enum:
    NOT_GIVEN = -1           # the tag of a name without one
    DEEPEST = 8              # TLVs inside one another, unless the caller says otherwise

cdef class Look:
    """How the attributes of one packet are looked at."""
    cdef Cloak cloak         # None: hidden values stay hidden
    cdef int depth           # of TLVs; what is deeper stays octets
    cdef bint revealed       # a hidden value was met

cdef Look look_with(Cloak cloak, int depth)
cdef tuple item_of(Row row, str number_path, const uint8_t* p, int n, Look look, int depth)
cdef bytes content_of(Row row, object value, int tag, Cloak cloak)
