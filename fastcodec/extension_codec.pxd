# Extensions between octets and objects, whatever the messages they follow.
from libc.stdint cimport uint8_t
from fastcodec.fields cimport Plan
from fastcodec.wire cimport Piece

cdef enum:
    ROOM = 65536             # the longest datagram and a bit
    BEYOND = 65536           # how far one extension more may write: a long one has 16 bits of length

cdef class ExtensionCodec:
    cdef list plans          # [type * SUBTYPES + subtype]; the last of a type is for every other subtype
    cdef list shorts         # the same for types that come in two shapes, where they are short
    cdef object unknown, padding, base
    cdef Plan plan_of(self, const Piece* piece)
    cdef Plan plan_for(self, object extension)
    cdef object make(self, const uint8_t* p, const Piece* piece)
    cdef list make_all(self, const uint8_t* p, int n, int at, const Piece* pieces, int found)
    cdef int put(self, object extension, Plan plan, uint8_t* at, bytes tail) except -1
    cdef int put_plain(self, object extension, uint8_t* at, int room) except -2
