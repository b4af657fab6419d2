"""One attribute's value between octets and (name, value): tag, hiding, several in one, attributes inside.

RFC 2868 3 (tags, salt), RFC 2865 5.2 (User-Password), RFC 6929 2.3 (TLV). What cannot be a value of its attribute goes
by its number, "Attr-241.5", as octets, so that it passes unchanged.
"""
from libc.string cimport memcpy

from fastcodec.attribute_rows cimport (AS_NUMBER4, AS_OCTETS, AS_TEXT, AS_TLV, INSIDE_TLV, NAMES, NOWHERE, SCHEME_SALT,
                                       WIDTH)
from fastcodec.attribute_values cimport octets_of, value_of
from fastcodec.errors import EncodeError
from fastcodec.fields cimport octets_in
from fastcodec.hidden import Hidden, Revealed, RevealedText
from fastcodec.wire cimport get16, get32

cdef enum:
    LAST_TAG = 0x1f          # RFC 2868 3.1
    MOST = 253               # octets of a TLV's value and of a standard attribute's


cdef class Look:
    pass


cdef Look look_with(Cloak cloak, int depth):
    """One that reveals with `cloak`; without the price of arguments that are Python's."""
    cdef Look look = Look.__new__(Look)
    look.cloak, look.depth = cloak, depth
    return look


# ---------------------------------------------------------------- octets to values

cdef tuple item_of(Row row, str number_path, const uint8_t* p, int n, Look look, int depth):
    cdef str name
    value = None
    if row is not None and row.plain:
        value = value_of(row, p, n)
        if value is not None:
            return row.name, value
    elif row is not None:
        name = row.name
        if row.has_tag and row.kind != AS_NUMBER4 and n > 1 and (p[0] <= LAST_TAG or row.encrypt == SCHEME_SALT):
            name = f"{name}:{p[0]}" if p[0] or not row.encrypt else name
            p, n = p + 1, n - 1
            value = _untagged(row, p, n, look, depth)
            p, n = p - 1, n + 1
        elif row.has_tag and row.kind == AS_NUMBER4 and n == 4 and not row.encrypt:
            name = f"{name}:{p[0]}" if p[0] else name
            value = _number3(p)
        elif not row.has_tag or row.kind != AS_NUMBER4:
            value = _untagged(row, p, n, look, depth)
        if value is not None:
            return name, value
    return f"Attr-{number_path}", <bytes> p[:n]


cdef object _number3(const uint8_t* p):
    cdef uint8_t[4] number
    number[0] = 0
    memcpy(number + 1, p + 1, 3)
    return get32(number)


cdef object _untagged(Row row, const uint8_t* p, int n, Look look, int depth):
    """None when these octets are no value of that attribute."""
    if row.encrypt:
        return _hidden(row, p, n, look)
    if row.kind == AS_TLV:
        return _list_of(row, p, n, look, depth + 1)
    if row.kind > AS_TLV:
        return None
    if row.array:
        return _array_of(row, p, n)
    return b"" if n == 0 and row.may_be_empty else value_of(row, p, n)


cdef object _hidden(Row row, const uint8_t* p, int n, Look look):
    cdef bytes plain
    if n == 0:
        return None
    if look.cloak is None:
        return Hidden(p[:n]) if row.encrypt != SCHEME_SALT or not row.has_tag or (n - 2) % 16 == 0 else None
    plain = look.cloak.reveal(row.encrypt, <bytes> p[:n])
    if plain is None:
        return None
    look.revealed = True
    if row.size and row.encrypt != SCHEME_SALT:          # 24 octets in two blocks, RFC 2548 2.4.1
        plain = plain.ljust(row.size, b"\0")
    salt = get16(p) if row.encrypt == SCHEME_SALT and p[0] & 0x80 else None
    if not plain and (row.kind == AS_TEXT or row.kind == AS_OCTETS):
        return RevealedText("", salt) if row.kind == AS_TEXT else Revealed(b"", salt)
    value = value_of(row, plain, <int> len(plain))
    if isinstance(value, bytes):
        return Revealed(value, salt)
    return RevealedText(value, salt) if row.kind == AS_TEXT else value


cdef list _list_of(Row row, const uint8_t* p, int n, Look look, int depth):
    """The attributes inside a TLV, which they fill exactly (RFC 6929 2.3); None when they do not, or lie too deep."""
    cdef list items = []
    cdef const uint8_t* end = p + n
    cdef Row inner
    if n < 2 or depth > look.depth:
        return None
    while p < end:
        if end - p < 2 or p[1] < 2 or p[1] > end - p:
            return None
        inner = <Row> row.children.get(p[0])
        items.append(item_of(inner, f"{row.number_path}.{p[0]}", p + 2, p[1] - 2, look, depth))
        p += p[1]
    return items


cdef list _array_of(Row row, const uint8_t* p, int n):
    cdef int width = WIDTH[row.kind], k
    cdef list values
    if n == 0 or (width and n % width):
        return None
    values = [value_of(row, p + k, width) for k in range(0, n, width)] if width else [value_of(row, p, n)]
    return None if None in values else values


# ---------------------------------------------------------------- values to octets

cdef bytes content_of(Row row, object value, int tag, Cloak cloak):
    """What stands behind the attribute's header; `tag` is NOT_GIVEN for a name without one."""
    cdef bytes content
    if row.place == NOWHERE:
        raise EncodeError(row.name, "is a server's own and never on the wire")
    if tag != NOT_GIVEN and not row.has_tag:
        raise EncodeError(row.name, "has no tag in the dictionary")
    if row.encrypt:
        content = _hide(row, value, cloak)
        return bytes((max(tag, 0),)) + content if row.has_tag else content
    if row.kind == AS_TLV and not isinstance(value, (bytes, bytearray, memoryview)):
        return _contents_of(row, value, cloak)
    if row.array and isinstance(value, (list, tuple)):
        return b"".join([octets_of(row, one) for one in value])
    content = octets_of(row, value)
    return _tagged(row, content, tag) if row.has_tag else content


cdef bytes _tagged(Row row, bytes content, int tag):
    """RFC 2868 3.1: a number's first octet is its tag, a string's stands before it when there is one."""
    if row.kind == AS_NUMBER4:
        if len(content) != 4 or content[0]:
            raise EncodeError(row.name, "a tagged number has three octets (RFC 2868 3.1)")
        if tag == 0:
            raise EncodeError(f"{row.name}:0", "tag 0 of a number is none: leave it out (RFC 2868 3.1)")
        return bytes((max(tag, 0),)) + content[1:]
    if not content:
        raise EncodeError(row.name, "0 octets, 1 to 253 allowed (RFC 2865 5)")
    if tag > LAST_TAG:
        raise EncodeError(f"{row.name}:{tag}", f"tags are 1 to {LAST_TAG} (RFC 2868 3.1)")
    if tag == NOT_GIVEN:
        if len(content) > 1 and content[0] <= LAST_TAG:
            raise EncodeError(row.name, f"begins with {content[0]}, which reads as a tag: name it {row.name}:0")
        return content
    return bytes((tag,)) + content


cdef bytes _hide(Row row, object value, Cloak cloak):
    """Octets that are hidden already are written as they stand; nothing else goes out in the clear."""
    if isinstance(value, Hidden):
        return bytes(value)
    if cloak is None:
        raise EncodeError(row.name, "is hidden on the wire: encode with the secret (a reply: and the request)")
    return cloak.hide(row.encrypt, octets_of(row, value), getattr(value, "salt", None), row.name)


cdef bytes _contents_of(Row row, object items, Cloak cloak):
    cdef list parts = []
    if not isinstance(items, (list, tuple)):
        raise EncodeError(row.name, f"holds a list of pairs of name and value, not {items!r}")
    for item in items:
        try:
            name, value = item
        except (TypeError, ValueError):
            name = None
        if not isinstance(name, str):
            raise EncodeError(row.name, f"holds pairs of name and value, not {item!r}")
        parts.append(_inner(row, name, value, cloak))
    if not parts:
        raise EncodeError(row.name, "holds nothing")
    return b"".join(parts)


cdef bytes _inner(Row row, str name, object value, Cloak cloak):
    """One attribute inside a TLV; by number any octets, empty ones too."""
    cdef Row inner
    cdef bytes content
    cdef str base, tag, number
    cdef int kind
    if name.startswith("Attr-"):
        base, _, number = name[5:].rpartition(".")
        if base != row.number_path or not number.isdecimal() or int(number) > 255:
            raise EncodeError(name, f"is no number inside {row.name} (Attr-{row.number_path}.N)")
        content, kind = octets_in(value, name), int(number)
    else:
        base, _, tag = name.partition(":")
        inner = <Row> NAMES.get(base)
        if inner is None or inner.place != INSIDE_TLV or row.children.get(inner.number) is None \
                or inner.number_path != f"{row.number_path}.{inner.number}" or inner.vendor != row.vendor:
            raise EncodeError(name, f"is no attribute inside {row.name}")
        content = content_of(inner, value, int(tag) if tag.isdecimal() else NOT_GIVEN, cloak)
        kind = inner.number
        if not content:
            raise EncodeError(name, f"0 octets, 1 to {MOST} allowed (RFC 6929 2.3)")
    if len(content) > MOST:
        raise EncodeError(name, f"{len(content)} octets, at most {MOST} inside {row.name} (RFC 6929 2.3)")
    return bytes((kind, len(content) + 2)) + content
