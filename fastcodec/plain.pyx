"""Values as JSON can hold them: addresses as text, octets as hexadecimal digits, messages and their parts as dicts."""
from ipaddress import IPv4Address, IPv6Address

from libc.stdint cimport uint32_t, uint64_t

import msgspec

from fastcodec.errors import EncodeError
from fastcodec.hidden import Hidden

cdef dict _FIELDS = {}           # class of messages or parts -> whether `as_dict` makes its dict
cdef object TO_DICT = None


def register(to_dict):
    """`fastcodec.base` names the `to_dict` that is `as_dict` here, once, at import: a class may have another."""
    global TO_DICT
    TO_DICT = to_dict


cdef bint has_plain_fields(object cls):
    known = _FIELDS.get(cls)
    if known is None:
        known = _FIELDS[cls] = TO_DICT is not None and getattr(cls, "to_dict", None) is TO_DICT
    return known


cdef int put_text4(uint32_t address, char* digits) noexcept:
    """Dotted decimal, of which this is the length; 16 octets are room enough."""
    cdef int n = 0, shift, octet
    for shift in (24, 16, 8, 0):
        octet = address >> shift & 255
        if octet >= 100:
            digits[n] = <char> (48 + octet // 100)
            n += 1
        if octet >= 10:
            digits[n] = <char> (48 + octet // 10 % 10)
            n += 1
        digits[n], digits[n + 1] = <char> (48 + octet % 10), b'.'
        n += 2
    return n - 1


cdef str text4(uint32_t address):
    cdef char[16] digits
    cdef int n = put_text4(address, digits)
    return digits[:n].decode("ascii")


cdef str text6(uint64_t high, uint64_t low):
    """Hexadecimal words, the longest run of zeros, and the first of these, left out: RFC 5952 4."""
    cdef char[40] digits
    cdef uint32_t[8] words
    cdef int n = 0, k, run = 0, longest = 1, at = 8
    for k in range(8):
        words[k] = (high if k < 4 else low) >> (48 - 16 * (k & 3)) & 0xffff
        run = 0 if words[k] else run + 1
        if run > longest:
            longest, at = run, k + 1 - run
    for k in range(8):
        if k == at or (k and (k < at or k >= at + longest)):
            digits[n] = b':'
            n += 1
        if k < at or k >= at + longest:
            n += put_word(words[k], digits + n)
    if at + longest == 8 and at < 8:
        digits[n] = b':'
        n += 1
    return digits[:n].decode("ascii")


cdef inline int put_word(uint32_t word, char* digits) noexcept:
    """Hexadecimal without leading zeros, of which this is the length."""
    cdef int n = 0, shift
    for shift in (12, 8, 4, 0):
        if n or word >> shift or shift == 0:
            digits[n] = b"0123456789abcdef"[word >> shift & 15]
            n += 1
    return n


def address_text(value):
    """An address as `str` writes it."""
    if type(value) is IPv4Address:
        return text4(value._ip)
    if type(value) is IPv6Address and value._scope_id is None:
        number = value._ip
        return text6(number >> 64, number & 0xffffffffffffffff)
    return str(value)


def encodable(str text):
    """Whether text is Unicode throughout: octets that were none are kept as surrogates, which JSON has no place for."""
    cdef Py_UCS4 c
    if text.isascii():
        return True
    for c in text:
        if 0xd800 <= c <= 0xdfff:
            return False
    return True


cdef object plain_text(str text):
    if text.isascii() or encodable(text):
        return text
    try:
        return {"octets": text.encode("utf-8", "surrogateescape").hex()}
    except UnicodeEncodeError:           # a surrogate that stands for no octet
        raise EncodeError("text", f"{text!r} is neither Unicode nor octets") from None


def plain(value):
    """What JSON can hold: addresses as text, octets as hexadecimal digits, parts as dicts that name their class."""
    return plainly(value)


cdef object plainly(object value):
    """By exact type first: there are few of them, and many values."""
    cls = type(value)
    if cls is int or value is None or cls is bool or cls is float:
        return value
    if cls is str:
        return plain_text(<str> value)
    if cls is bytes:
        return (<bytes> value).hex()
    if cls is IPv4Address:
        return text4(value._ip)
    if cls is IPv6Address:
        return address_text(value)
    if cls is list:
        return [plainly(item) for item in <list> value]
    if has_plain_fields(cls):
        return as_dict(value)
    return plain_rare(value)


cdef object plain_rare(object value):
    if isinstance(value, (bytes, bytearray, memoryview)):
        return bytes(value).hex()
    if isinstance(value, str):
        return plain_text(str(value))
    if isinstance(value, (list, tuple)):
        return [plainly(item) for item in value]
    if isinstance(value, msgspec.Struct) and hasattr(value, "to_dict"):
        return value.to_dict()
    return value if isinstance(value, (int, float)) else str(value)


def as_dict(value):
    """A message or part by the name of its class, under "class", and its fields."""
    cls = type(value)
    cdef dict out = {"class": cls.__name__}
    for name in <tuple> cls.__struct_fields__:
        out[name] = plainly(getattr(value, name))
    return out


# ---- (name, value) pairs, such as the attributes of RADIUS

def plain_pairs(pairs):
    """As lists of two; octets in a pair are {"octets": hexadecimal digits}, hidden ones {"hidden": hexadecimal digits}."""
    return [[name, plain_in_pair(value)] for name, value in pairs]


cdef object plain_in_pair(object value):
    if type(value) is bytes:
        return {"octets": (<bytes> value).hex()}
    if isinstance(value, Hidden):
        return {"hidden": value.hex()}
    if isinstance(value, (bytes, bytearray, memoryview)):
        return {"octets": bytes(value).hex()}
    if isinstance(value, list) and value and isinstance(value[0], tuple):
        return plain_pairs(value)
    return plainly(value)
