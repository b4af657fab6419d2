"""The one walk over Mobile IPv4 extensions: pieces by offset, no copies."""
from libc.stdint cimport uint8_t, uint16_t

from fastcodec.status cimport Status


cdef inline int head_size(const uint8_t* p, int left, int shape) noexcept nogil:
    """Octets before the value. Type 139 is drawn long (RFC 4433 3.4) though skippable types are short or TLV."""
    if shape == Shape.LONG:
        return 4
    if shape == Shape.SHORT:
        return 3
    if shape == Shape.EITHER:
        return 4 if left >= 4 and (p[1] == 1 or p[1] == 2) and p[2] == 0 and p[3] == 4 else 3
    return 2


cdef int walk(const uint8_t* p, int n, int at, const uint8_t* shape, Piece* out, int most, int* fault) noexcept nogil:
    """Number of pieces in p[at:n], or minus a Status with the offset of the culprit in `fault`.

    RFC 5944 1.8-1.11. Unknown types 128-255 are pieces like any other TLV, so that they pass through; padding is
    none. After TOO_MANY_EXTENSIONS the `most` pieces found so far are in `out` and `fault` is where to go on.
    """
    cdef int found = 0, head, length, kind
    while at < n:
        kind = shape[p[at]]
        if kind == Shape.PAD:
            at += 1
            continue
        fault[0] = at
        if kind == Shape.UNKNOWN_MUST:
            return -Status.UNKNOWN_EXTENSION
        if found == most:
            return -Status.TOO_MANY_EXTENSIONS
        head = head_size(p + at, n - at, kind)
        if n - at < head:
            return -Status.EXTENSION_OVERRUN
        length = get16(p + at + 2) if head == 4 else p[at + 1] - (head - 2)
        if length < 0:
            return -Status.BAD_EXTENSION
        if length > n - at - head:
            return -Status.EXTENSION_OVERRUN
        out[found].type = p[at]
        out[found].subtype = p[at + 1] if head == 4 else p[at + 2] if head == 3 else 0
        out[found].head = <uint16_t> at
        out[found].offset = <uint16_t> (at + head)
        out[found].length = <uint16_t> length
        found += 1
        at += head + length
    return found
