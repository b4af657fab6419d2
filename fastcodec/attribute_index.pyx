"""Every attribute of many packets as one flat table: which row, what number, where its value is."""
import numpy as np

from libc.stdint cimport uint8_t, uint16_t, uint32_t
from libc.string cimport memset

from fastcodec.attribute_rows cimport (AS_EVS, AS_EXTENDED, AS_LONG_EXTENDED, SPACES, STANDARD, VENDOR_OF_EXTENDED,
                                       VENDOR_OF_LONG_EXTENDED, VENDOR_SPACE, STANDARD_SPACE, INSIDE_EXTENDED,
                                       INSIDE_LONG_EXTENDED, NAMES, WIDTH, Row, Space)
from fastcodec.errors import EncodeError
from fastcodec.radius cimport HEADER, VENDOR_SPECIFIC
from fastcodec.status cimport Status
from fastcodec.wire cimport get16, get32

cdef enum:
    MORE = 0x80

cdef packed struct Entry:
    uint32_t row
    uint8_t type             # 1 to 255
    uint32_t vendor          # of a Vendor-Specific or an extended vendor space; 0: none
    uint32_t vtype           # number inside them, or of an extended attribute; 0: none that could be read
    uint16_t offset          # of the value in its row
    uint16_t size
    uint8_t more             # 1: the value goes on in another attribute (RFC 6929 2.2, WiMAX)

cdef struct Format:
    uint32_t vendor
    uint8_t type_size, length_size, head, continuation

LAYOUT = np.dtype([("row", "u4"), ("type", "u1"), ("vendor", "u4"), ("vtype", "u4"), ("offset", "u2"), ("size", "u2"),
                   ("more", "u1")])


cdef class Formats:
    """What the walk must know of the dictionary, without the interpreter: vendors by number, extended attributes."""
    cdef Format[::1] vendors
    cdef object _vendors
    cdef uint8_t[256] head           # of an extended attribute: 3 or 4; 0: another attribute
    cdef uint8_t[256] evs            # its extended type that is a vendor space; 0: none

    def __cinit__(self):
        cdef Row row
        cdef Space space
        self._vendors = np.zeros(len(SPACES) + 1, dtype=[("vendor", "u4"), ("type_size", "u1"), ("length_size", "u1"),
                                                         ("head", "u1"), ("continuation", "u1")])
        for k, vendor in enumerate(sorted(SPACES)):
            space = <Space> SPACES[vendor]
            self._vendors[k] = (vendor, space.type_size, space.length_size, space.head, space.continuation)
        self.vendors = self._vendors
        for k in range(256):
            row = <Row> STANDARD[k]
            self.head[<int> k] = self.evs[<int> k] = 0
            if row is not None and (row.kind == AS_EXTENDED or row.kind == AS_LONG_EXTENDED):
                self.head[<int> k] = 4 if row.kind == AS_LONG_EXTENDED else 3
                for number, inner in row.children.items():
                    if (<Row> inner).kind == AS_EVS:
                        self.evs[<int> k] = number

    cdef const Format* format_of(self, uint32_t vendor) noexcept nogil:
        """By bisection; NULL for a vendor that the dictionary does not know."""
        cdef Py_ssize_t low = 0, high = self.vendors.shape[0] - 1, middle
        while low < high:
            middle = (low + high) // 2
            if self.vendors[middle].vendor < vendor:
                low = middle + 1
            else:
                high = middle
        if low < self.vendors.shape[0] - 1 and self.vendors[low].vendor == vendor:
            return &self.vendors[low]
        return NULL


cdef int _size(const Format* format, const uint8_t* p, int rest) noexcept nogil:
    """Octets of the sub-attribute at `p`; 0 when it cannot be."""
    cdef int n = rest
    if rest <= format.head:
        return 0
    if format.length_size == 1:
        n = p[format.type_size]
    elif format.length_size == 2:
        n = get16(p + format.type_size)
    return n if format.head < n <= rest else 0


cdef bint _adds_up(const Format* format, const uint8_t* p, int n) noexcept nogil:
    cdef int size = 1
    while n and size:
        size = _size(format, p, n)
        p, n = p + size, n - size
    return size != 0


cdef inline uint32_t _kind(const Format* format, const uint8_t* p) noexcept nogil:
    return p[0] if format.type_size == 1 else get16(p) if format.type_size == 2 else get32(p)


cdef int _vendor_entries(Formats formats, const uint8_t* p, int at, Entry* entry, Entry* out) noexcept nogil:
    """Sub-attributes of the Vendor-Specific at `at`; without `out` they are counted. One when it does not add up."""
    cdef int n = p[at + 1] - 6, size, count = 0
    cdef const Format* format
    if n < 0:
        if out != NULL:
            out[0] = entry[0]
        return 1
    entry.vendor, entry.offset, entry.size = get32(p + at + 2), <uint16_t> (at + 6), <uint16_t> n
    format = formats.format_of(entry.vendor)
    if format == NULL or n == 0 or not _adds_up(format, p + at + 6, n):
        if out != NULL:
            out[0] = entry[0]
        return 1
    at += 6
    while n:
        size = _size(format, p + at, n)
        entry.vtype = _kind(format, p + at)
        entry.offset, entry.size = <uint16_t> (at + format.head), <uint16_t> (size - format.head)
        entry.more = format.continuation and p[at + format.head - 1] & MORE != 0
        if out != NULL:
            out[count] = entry[0]
        count, at, n = count + 1, at + size, n - size
    return count


cdef struct Chains:              # long extended attributes of a packet whose value goes on
    bint used
    uint8_t[512] open            # by chain_of
    uint32_t[512] vendor         # what their first fragment said
    uint32_t[512] vtype


cdef inline int chain_of(const uint8_t* p) noexcept nogil:
    """One a type (245, 246: by its last bit) and extended type."""
    return (p[0] & 1) << 8 | p[2]


cdef void _extended_entry(Formats formats, const uint8_t* p, int at, Entry* entry, Chains* chains) noexcept nogil:
    """Number, vendor and place of an extended attribute; one too short for them is left as it is."""
    cdef int head = formats.head[p[at]], size = p[at + 1], chain
    if size <= head:
        return
    chain = chain_of(p + at)
    entry.vtype = p[at + 2]
    entry.more = head == 4 and p[at + 3] & MORE != 0
    if head == 4 and chains.used and chains.open[chain]:     # only a first fragment names its vendor, RFC 6929 2.4
        entry.vendor, entry.vtype = chains.vendor[chain], chains.vtype[chain]
    elif formats.evs[p[at]] and p[at + 2] == formats.evs[p[at]] and size >= head + 5:
        entry.vendor, entry.vtype = get32(p + at + head), p[at + head + 4]
        head += 5
    if entry.more and not chains.used:
        chains.used = True
        memset(chains.open, 0, sizeof(chains.open))
    if chains.used and formats.head[p[at]] == 4:
        chains.open[chain], chains.vendor[chain], chains.vtype[chain] = entry.more, entry.vendor, entry.vtype
    entry.offset, entry.size = <uint16_t> (at + head), <uint16_t> (size - head)


cdef Py_ssize_t _entries(Formats formats, const uint8_t* p, int n, uint32_t row, Entry* out) noexcept nogil:
    """Attributes of a packet in a row of `n` octets, as far as they are well-formed; without `out` they are counted."""
    cdef Entry entry
    cdef Chains chains
    cdef int at = HEADER, end = min(n, get16(p + 2)) if n >= HEADER else 0
    cdef Py_ssize_t count = 0
    chains.used = False
    while end - at >= 2 and 2 <= p[at + 1] <= end - at:
        entry.row, entry.type, entry.vendor, entry.vtype, entry.more = row, p[at], 0, 0, 0
        entry.offset, entry.size = <uint16_t> (at + 2), <uint16_t> (p[at + 1] - 2)
        if p[at] == VENDOR_SPECIFIC:
            count += _vendor_entries(formats, p, at, &entry, NULL if out == NULL else out + count)
        else:
            if formats.head[p[at]]:
                _extended_entry(formats, p, at, &entry, &chains)
            if out != NULL:
                out[count] = entry
            count += 1
        at += p[at + 1]
    return count


def index_of(const uint8_t[:, ::1] octets, const uint32_t[::1] lengths, const uint8_t[::1] status):
    """The table of all attributes of the rows that are OK, in wire order."""
    cdef Formats formats = Formats()
    cdef Py_ssize_t count = 0, row
    cdef Entry[::1] entries
    with nogil:
        for row in range(octets.shape[0]):
            if status[row] == Status.OK and lengths[row]:
                count += _entries(formats, &octets[row, 0], <int> lengths[row], <uint32_t> row, NULL)
    table = np.zeros(count + 1, dtype=LAYOUT)
    entries, count = table, 0
    with nogil:
        for row in range(octets.shape[0]):
            if status[row] == Status.OK and lengths[row]:
                count += _entries(formats, &octets[row, 0], <int> lengths[row], <uint32_t> row,
                                  &entries[count])
    return table[:count]


def places_of(const uint8_t[:, ::1] octets, const uint32_t[::1] lengths, const uint8_t[::1] status, int type,
              uint16_t[::1] offsets, uint16_t[::1] sizes):
    """Offset and size of the first attribute of a type in every row that is OK, whatever it holds; others are left alone."""
    cdef Py_ssize_t row
    cdef const uint8_t* p
    cdef int at, end
    with nogil:
        for row in range(octets.shape[0]):
            if status[row] != Status.OK or lengths[row] < HEADER:
                continue
            p, at = &octets[row, 0], HEADER
            end = min(get16(p + 2), <int> lengths[row])
            while at + 2 <= end and p[at] != type and p[at + 1] >= 2:
                at += p[at + 1]
            if at + 2 <= end and p[at] == type and p[at + 1] >= 2 and at + p[at + 1] <= end:
                offsets[row], sizes[row] = <uint16_t> (at + 2), <uint16_t> (p[at + 1] - 2)


def is_plain(int type):
    """Whether an attribute of that type holds its value, and no others."""
    cdef Formats formats = Formats()
    return type != VENDOR_SPECIFIC and formats.head[type] == 0


def key_of(str name):
    """(type, vendor, vtype, octets of a value, 0: any) of the attribute of that name."""
    cdef Row row = <Row> NAMES.get(name)
    if row is None:
        raise EncodeError(str(name), "no such attribute in the dictionary")
    if row.place == STANDARD_SPACE:
        return row.number, 0, 0, WIDTH[row.kind]
    if row.place == VENDOR_SPACE:
        return VENDOR_SPECIFIC, row.vendor, row.number, WIDTH[row.kind]
    if row.place == INSIDE_EXTENDED or row.place == INSIDE_LONG_EXTENDED:
        return row.outer, 0, row.number, WIDTH[row.kind]
    if row.place == VENDOR_OF_EXTENDED or row.place == VENDOR_OF_LONG_EXTENDED:
        return row.outer, row.vendor, row.number, WIDTH[row.kind]
    raise EncodeError(name, "stands inside a TLV, or in no packet")
