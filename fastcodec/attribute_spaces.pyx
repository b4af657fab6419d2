"""Where an attribute stands: a packet, a vendor's space of any format, an extended space; fragments put together.

RFC 2865 5.26 (vendors), RFC 6929 2.1-2.4 (extended, long extended, extended vendor spaces), RFC 3579 3.1 (split values);
a continuation octet behind type and length is WiMAX's. `p` is an attribute of a packet that walk_packet found well-formed,
`end` the end of all of them. What does not add up stays one opaque attribute, "Attr-26", "Attr-245".
"""
from fastcodec.attribute_items cimport item_of
from fastcodec.attribute_rows cimport (AS_EVS, AS_EXTENDED, AS_LONG_EXTENDED, INSIDE_EXTENDED, INSIDE_LONG_EXTENDED,
                                       INSIDE_TLV, SPACES, STANDARD, VENDOR_OF_EXTENDED, VENDOR_SPACE)
from fastcodec.errors import EncodeError
from fastcodec.radius cimport VENDOR_SPECIFIC
from fastcodec.wire cimport get16, get32

cdef enum:
    MOST = 253               # octets of a standard attribute's value
    MORE = 0x80              # flag of a fragment that another one follows
    FRAGMENT = 251           # octets of a long extended attribute's fragment
    EVS_NUMBER = 26


# ---------------------------------------------------------------- vendors, octets to items

cdef inline int _number(Space space, const uint8_t* p) noexcept:
    return p[0] if space.type_size == 1 else get16(p) if space.type_size == 2 else <int> get32(p)


cdef inline int _length(Space space, const uint8_t* p, int rest) noexcept:
    """Octets of the sub-attribute at `p`, its head included, `rest` of which are left; 0 when it cannot be."""
    cdef int n = rest
    if rest <= space.head:
        return 0
    if space.length_size == 1:
        n = p[space.type_size]
    elif space.length_size == 2:
        n = get16(p + space.type_size)
    return n if space.head < n <= rest else 0


cdef int _count(Space space, const uint8_t* p, int n) noexcept:
    """Sub-attributes that fill the Vendor-Specific exactly and are none of them empty; 0: it is not so."""
    cdef int count = 0, size
    while n:
        size = _length(space, p, n)
        if size == 0:
            return 0
        p, n, count = p + size, n - size, count + 1
    return count


cdef inline bint _goes_on(Space space, const uint8_t* p) noexcept:
    return space.continuation and p[space.head - 1] & MORE


cdef int vendor_items(const uint8_t* p, const uint8_t* end, Look look, set used, list out) except -1:
    cdef int n = p[1] - 6, size, count
    cdef const uint8_t* inside = p + 6
    cdef Space space = <Space> SPACES.get(get32(p + 2)) if n > 0 else None
    count = _count(space, inside, n) if space is not None else 0
    if count == 1 and _goes_on(space, inside):
        return _continued(space, p, end, look, used, out)
    if space is None and n > 2 and inside[1] == n:          # one sub-attribute, the way RFC 2865 5.26 asks vendors to write them
        out.append((f"Attr-{VENDOR_SPECIFIC}.{get32(p + 2)}.{inside[0]}", <bytes> inside[2:n]))
        return 0
    if count == 0 or _any_goes_on(space, inside, n):
        out.append((f"Attr-{VENDOR_SPECIFIC}", <bytes> p[2:p[1]]))
        return 0
    while n:
        size = _length(space, inside, n)
        _vendor_item(space, _number(space, inside), inside + space.head, size - space.head, look, out)
        inside, n = inside + size, n - size
    return 0


cdef bint _any_goes_on(Space space, const uint8_t* p, int n) noexcept:
    """Among several in one Vendor-Specific none may: which one would go on in the next?"""
    while n:
        if _goes_on(space, p):
            return True
        p, n = p + _length(space, p, n), n - _length(space, p, n)
    return False


cdef int _vendor_item(Space space, int number, const uint8_t* p, int n, Look look, list out) except -1:
    cdef Row row = <Row> space.rows.get(<unsigned int> number)
    out.append(item_of(row, row.number_path if row is not None else f"26.{space.vendor}.{<unsigned int> number}", p, n, look, 0))
    return 0


cdef int _continued(Space space, const uint8_t* p, const uint8_t* end, Look look, set used, list out) except -1:
    """The pieces of one value: alone in their Vendor-Specifics, of one number, the last one's flag clear."""
    cdef list pieces = [<bytes> p[6 + space.head:p[1]]], places = []
    cdef const uint8_t* at = p + p[1]
    cdef bint ended = False
    cdef bytes whole
    while at < end and not ended:
        if (at[0] == VENDOR_SPECIFIC and at[1] > 6 and get32(at + 2) == space.vendor
                and _count(space, at + 6, at[1] - 6) == 1 and _number(space, at + 6) == _number(space, p + 6)):
            pieces.append(<bytes> at[6 + space.head:at[1]])
            places.append(<size_t> at)
            ended = not _goes_on(space, at + 6)
        at += at[1]
    if not ended:
        out.append((f"Attr-{VENDOR_SPECIFIC}", <bytes> p[2:p[1]]))
        return 0
    used.update(places)
    whole = b"".join(pieces)
    return _vendor_item(space, _number(space, p + 6), whole, <int> len(whole), look, out)


# ---------------------------------------------------------------- extended, octets to items

cdef int extended_items(Row row, const uint8_t* p, const uint8_t* end, Look look, set used, list out) except -1:
    cdef int head = 4 if row.kind == AS_LONG_EXTENDED else 3
    cdef bytes whole
    if p[1] <= head:
        out.append((f"Attr-{p[0]}", <bytes> p[2:p[1]]))
        return 0
    if row.kind == AS_LONG_EXTENDED and p[3] & MORE:
        whole = _reassembled(p, end, used)
        if whole is None:
            out.append((f"Attr-{p[0]}", <bytes> p[2:p[1]]))
            return 0
        return _extended_item(row, p[2], whole, <int> len(whole), look, out)
    return _extended_item(row, p[2], p + head, p[1] - head, look, out)


cdef bytes _reassembled(const uint8_t* p, const uint8_t* end, set used):
    """RFC 6929 2.2: fragments of one type and extended type, all but the last full; others may stand between them."""
    cdef list pieces = [<bytes> p[4:p[1]]], places = []
    cdef const uint8_t* at = p + p[1]
    cdef bint ended = False, good = p[1] == 255
    while at < end and good and not ended:
        if at[0] == p[0] and at[1] > 4 and at[2] == p[2]:
            pieces.append(<bytes> at[4:at[1]])
            places.append(<size_t> at)
            ended = not at[3] & MORE
            good = ended or at[1] == 255
        at += at[1]
    if not ended:
        return None
    used.update(places)
    return b"".join(pieces)


cdef int _extended_item(Row outer, int number, const uint8_t* p, int n, Look look, list out) except -1:
    cdef Row row = <Row> outer.children.get(number)
    cdef unsigned int vendor
    cdef str path
    if row is not None and row.kind == AS_EVS and n >= 5:
        vendor = get32(p)
        path = f"{outer.number}.{number}.{vendor}.{p[4]}"
        row = <Row> row.children.get((<object> vendor) << 8 | p[4])
        out.append(item_of(row, path, p + 5, n - 5, look, 0))
    else:
        out.append(item_of(row, f"{outer.number}.{number}", p, n, look, 0))
    return 0


cdef int concat_item(Row row, const uint8_t* p, const uint8_t* end, Look look, list out) except -1:
    """Attributes one behind the other, all but the last full, are one value; octets that `p` moves on by."""
    cdef const uint8_t* at = p
    cdef list pieces = [<bytes> p[2:p[1]]]
    cdef bytes whole
    while at[1] == 255 and at + 255 < end and at[255] == p[0] and at[256] > 2:
        at += 255
        pieces.append(<bytes> at[2:at[1]])
    whole = b"".join(pieces)
    out.append(item_of(row, row.number_path, whole, <int> len(whole), look, 0))
    return <int> (at + at[1] - p)


# ---------------------------------------------------------------- items to octets

cdef bytes wrapped(Row row, bytes content):
    """An attribute, or as many as it takes, around the octets of a value."""
    if not content and not row.may_be_empty:
        raise EncodeError(row.name, f"0 octets, 1 to {MOST} allowed (RFC 2865 5)")
    if row.place == VENDOR_SPACE:
        return _in_vendor(row.space, row.number, content, row.name)
    if row.place == INSIDE_TLV:
        raise EncodeError(row.name, f"is inside a TLV (Attr-{row.number_path}): give it in that one's list")
    if row.place == INSIDE_EXTENDED or row.place == INSIDE_LONG_EXTENDED:
        return _in_extended(row.outer, row.number, content, row.place == INSIDE_LONG_EXTENDED, row.name)
    if row.place >= VENDOR_OF_EXTENDED:
        return _in_extended(row.outer, EVS_NUMBER, _evs(row.vendor, row.number) + content,
                            row.place != VENDOR_OF_EXTENDED, row.name)
    if row.concat and len(content) > MOST:
        return _split(row.number, content)
    return _standard(row.number, content, row.name)


cdef bytes _standard(int number, bytes content, str name):
    if len(content) > MOST:
        raise EncodeError(name, f"{len(content)} octets, 1 to {MOST} allowed (RFC 2865 5)")
    return bytes((number, len(content) + 2)) + content


cdef bytes _split(int number, bytes content):
    """Pieces of 253 octets, RFC 3579 3.1."""
    return b"".join([bytes((number, len(content[at:at + MOST]) + 2)) + content[at:at + MOST]
                     for at in range(0, len(content), MOST)])


cdef bytes _evs(object vendor, int number):
    return vendor.to_bytes(4, "big") + bytes((number,))


cdef bytes _in_vendor(Space space, object number, bytes content, str name):
    cdef bytes head = int(space.vendor).to_bytes(4, "big"), kind = int(number).to_bytes(space.type_size, "big")
    cdef int most = MOST - 4 - space.head, at, n
    cdef list out = []
    if len(content) > most and not space.continuation:
        raise EncodeError(name, f"{len(content)} octets, 1 to {most} allowed (RFC 2865 5.26)")
    for at in range(0, <int> len(content), most):
        n = min(most, <int> len(content) - at)
        out.append(bytes((VENDOR_SPECIFIC, 6 + space.head + n)) + head + kind)
        if space.length_size:
            out.append((n + space.head).to_bytes(space.length_size, "big"))
        if space.continuation:
            out.append(b"\x80" if at + n < len(content) else b"\0")
        out.append(content[at:at + n])
    return b"".join(out)


cdef bytes _in_extended(int outer, int number, bytes content, bint is_long, str name):
    cdef int at, n
    cdef list out = []
    if not is_long:
        if len(content) > MOST - 1:
            raise EncodeError(name, f"{len(content)} octets, more than an extended attribute holds (RFC 6929 2.1)")
        return bytes((outer, len(content) + 3, number)) + content
    for at in range(0, <int> len(content), FRAGMENT):
        n = min(<int> FRAGMENT, <int> len(content) - at)
        out.append(bytes((outer, n + 4, number, MORE if at + n < len(content) else 0)))
        out.append(content[at:at + n])
    return b"".join(out)


cdef bytes by_number(str name, bytes content):
    """Attr-N, Attr-26.VENDOR.N, Attr-241.N, Attr-241.26.VENDOR.N: octets as they are."""
    cdef list path
    cdef Row outer
    cdef bint is_long
    if not name[5:].replace(".", "").isdecimal():
        raise EncodeError(name, "is no attribute's number")
    path = [int(number) if number else -1 for number in name[5:].split(".")]
    if not 0 < path[0] <= 255 or min(path) < 0:
        raise EncodeError(name, "is no attribute's number")
    if len(path) == 1:
        return _standard(path[0], content, name)
    outer = <Row> STANDARD[path[0]]
    if path[0] == VENDOR_SPECIFIC and len(path) == 3 and path[1] <= 0xffffffff:
        return _vendor_by_number(path[1], path[2], content, name)
    if outer is not None and outer.kind in (AS_EXTENDED, AS_LONG_EXTENDED) and path[1] <= 255:
        is_long = outer.kind == AS_LONG_EXTENDED
        if len(path) == 2 and content:
            return _in_extended(path[0], path[1], content, is_long, name)
        if len(path) == 4 and path[1] == EVS_NUMBER and path[2] <= 0xffffffff and path[3] <= 255:
            return _in_extended(path[0], EVS_NUMBER, _evs(path[2], path[3]) + content, is_long, name)
    raise EncodeError(name, "is no attribute's number, or empty")


cdef bytes _vendor_by_number(object vendor, object number, bytes content, str name):
    cdef Space space = <Space> SPACES.get(vendor)
    cdef int size = 1 if space is None else space.type_size
    if not content or number >> (8 * size):
        raise EncodeError(name, f"is empty, or over {size} octets of type")
    if space is not None:
        return _in_vendor(space, number, content, name)
    if len(content) > 247:
        raise EncodeError(name, f"{len(content)} octets, 1 to 247 allowed (RFC 2865 5.26)")
    return bytes((VENDOR_SPECIFIC, len(content) + 8)) + vendor.to_bytes(4, "big") + bytes((number, len(content) + 2)) + content
