# The dictionary compiled for single packets: a row an attribute, and tables from numbers and names to rows.
from libc.stdint cimport uint32_t

cdef enum DataType:
    AS_OCTETS                # opaque; abinary too: Ascend's filters have no RFC, their octets pass as they are
    AS_TEXT
    AS_NUMBER1
    AS_NUMBER2
    AS_NUMBER4
    AS_NUMBER8
    AS_SIGNED
    AS_IPV4
    AS_IPV6
    AS_PREFIX4
    AS_PREFIX6
    AS_IFID
    AS_ETHER
    AS_COMBO                 # IPv4 or IPv6, by its size
    AS_TLV                   # what follows holds attributes
    AS_EXTENDED
    AS_LONG_EXTENDED
    AS_EVS

cdef enum Place:
    STANDARD_SPACE
    VENDOR_SPACE
    INSIDE_TLV
    INSIDE_EXTENDED
    INSIDE_LONG_EXTENDED
    VENDOR_OF_EXTENDED
    VENDOR_OF_LONG_EXTENDED
    NOWHERE                  # internal to a server, never on the wire

cdef enum:
    SCHEME_PASSWORD = 1      # User-Password, RFC 2865 5.2
    SCHEME_SALT = 2          # RFC 2868 3.5
    SCHEME_ASCEND = 3        # Ascend-Send-Secret

cdef class Space:
    """A vendor's format, RFC 2865 5.26: octets of type and of length, a continuation octet or none."""
    cdef uint32_t vendor
    cdef int type_size, length_size, head
    cdef bint continuation, plain
    cdef dict rows           # number -> Row

cdef class Row:
    """What the dictionary says of one attribute."""
    cdef readonly str name
    cdef str number_path     # "241.26.9.1": what it is called by number
    cdef int outer, kind, size, encrypt, place
    cdef uint32_t vendor, number
    cdef bint has_tag, concat, array
    cdef bint may_be_empty   # an EAP-Message of no octets is EAP-Start, RFC 3579 2.1
    cdef bint plain          # of its own in the packet or in a vendor's usual format, and no more to it than its type
    cdef dict values
    cdef dict children       # number -> Row, of an extended vendor space vendor << 8 | number -> Row
    cdef Space space
    cdef int settle(self, int place, Row outer) except -1

cdef int[18] WIDTH           # octets of a value of that type, 0: any
cdef list STANDARD           # 256 Rows or Nones
cdef dict SPACES             # vendor -> Space
cdef dict NAMES              # name -> Row
