"""JSON of messages written at once: the same text as that of `to_dict`, without the dicts. For captures by the million."""
from ipaddress import IPv4Address, IPv6Address

from cpython.unicode cimport PyUnicode_AsUTF8AndSize
from libc.stdint cimport uint8_t
from libc.stdlib cimport free, realloc
from libc.string cimport memcpy

import msgspec

from fastcodec.hidden import Hidden
from fastcodec.plain cimport has_plain_fields, put_text4
from fastcodec.plain import address_text, plain

cdef const char* DIGITS = b"0123456789abcdef"
cdef dict _HEADS = {}            # class -> ((b'{"class":"X","a":', "a"), (b',"b":', "b"), ...)
cdef object PACKET = None


def register(packet):
    """`fastcodec.radius_packet` names its class, whose attributes are pairs, here, once, at import."""
    global PACKET
    PACKET = packet


cdef class Text:
    """Octets that grow; `n` of them are written."""
    cdef uint8_t* octets
    cdef Py_ssize_t n, room

    def __dealloc__(self):
        free(self.octets)

    cdef int make_room(self, Py_ssize_t more) except -1:
        cdef uint8_t* larger
        if self.n + more > self.room:
            larger = <uint8_t*> realloc(self.octets, 2 * (self.n + more))
            if not larger:
                raise MemoryError
            self.octets, self.room = larger, 2 * (self.n + more)
        return 0

    cdef int put(self, const char* octets, Py_ssize_t n) except -1:
        self.make_room(n)
        memcpy(self.octets + self.n, octets, n)
        self.n += n
        return 0

    cdef int put_octets(self, bytes octets) except -1:
        return self.put(octets, len(octets))

    cdef int put_hexadecimal(self, bytes value) except -1:
        """In quotes."""
        cdef const uint8_t* p = value
        cdef Py_ssize_t k, n = len(value)
        cdef uint8_t* at
        self.make_room(2 * n + 2)
        at = self.octets + self.n
        at[0] = b'"'
        for k in range(n):
            at[2 * k + 1], at[2 * k + 2] = DIGITS[p[k] >> 4], DIGITS[p[k] & 15]
        at[2 * n + 1] = b'"'
        self.n += 2 * n + 2
        return 0

    cdef int put_number(self, object value) except -1:
        cdef uint8_t[20] digits
        cdef unsigned long long rest
        cdef int k = 20
        try:
            rest = value
        except OverflowError:
            return self.put_octets(b"%d" % value)
        while k == 20 or rest:
            k -= 1
            digits[k] = <uint8_t> (48 + rest % 10)
            rest //= 10
        return self.put(<const char*> digits + k, 20 - k)

    cdef int put_hexadecimal_number(self, str name, unsigned long long value) except -1:
        """One field more of the object that has just been closed."""
        cdef int k
        self.n -= 1
        self.put(b',"', 2)
        self.put_octets(name.encode())
        self.put(b'_hex":"0x', 9)
        self.make_room(18)
        for k in range(16):
            self.octets[self.n + k] = DIGITS[value >> (60 - 4 * k) & 15]
        self.n += 16
        return self.put(b'"}', 2)

    cdef int put_text(self, str text) except -1:
        """Quotes, backslashes and control characters are rare: such text, and what is no Unicode, is left to msgspec."""
        cdef Py_ssize_t k, n
        cdef const char* p
        try:
            p = PyUnicode_AsUTF8AndSize(text, &n)
        except UnicodeEncodeError:
            return self.put_octets(msgspec.json.encode(plain(text)))
        for k in range(n):
            if <uint8_t> p[k] < 0x20 or p[k] == b'"' or p[k] == b'\\' or <uint8_t> p[k] == 0x7f:
                return self.put_octets(msgspec.json.encode(text))
        self.make_room(n + 2)
        self.octets[self.n] = b'"'
        memcpy(self.octets + self.n + 1, p, n)
        self.octets[self.n + n + 1] = b'"'
        self.n += n + 2
        return 0

    cdef int put_value(self, object value) except -1:
        cls = type(value)
        if cls is int:
            return self.put_number(value)
        if cls is str:
            return self.put_text(value)
        if cls is bytes:
            return self.put_hexadecimal(value)
        if cls is IPv4Address:
            self.make_room(18)
            self.octets[self.n] = b'"'
            self.n += 1 + put_text4(value._ip, <char*> self.octets + self.n + 1)
            return self.put(b'"', 1)
        if cls is list:
            return self.put_list(value)
        if cls is IPv6Address:
            return self.put_text(address_text(value))
        if has_plain_fields(cls):
            return self.put_fields(value, cls)
        return self.put_octets(msgspec.json.encode(plain(value)))

    cdef int put_list(self, list values) except -1:
        cdef bint later = False
        self.put(b"[", 1)
        for value in values:
            if later:
                self.put(b",", 1)
            later = True
            self.put_value(value)
        return self.put(b"]", 1)

    cdef int put_fields(self, object value, object cls) except -1:
        heads = _HEADS.get(cls)
        if heads is None:
            heads = _HEADS[cls] = heads_of(cls)
        if not heads:
            return self.put_octets(msgspec.json.encode({"class": cls.__name__}))
        for head, name in <tuple> heads:
            self.put_octets(head)
            self.put_value(getattr(value, name))
        return self.put(b"}", 1)

    cdef int put_message(self, object value, object hexadecimal) except -1:
        """A message, or any other value."""
        cdef object cls = type(value)
        if cls is PACKET:
            return self.put_packet(value)
        if not has_plain_fields(cls):
            return self.put_octets(msgspec.json.encode(plain(value)))
        self.put_fields(value, cls)
        for name in hexadecimal:
            if name in <tuple> cls.__struct_fields__:
                self.put_hexadecimal_number(name, getattr(value, name))
        return 0

    cdef int put_packet(self, object packet) except -1:
        """A RadiusPacket."""
        cdef object attributes = packet.attributes
        self.put(b'{"class":"RadiusPacket","code":', 31)
        self.put_number(packet.code)
        self.put(b',"identifier":', 14)
        self.put_number(packet.identifier)
        self.put(b',"authenticator":', 17)
        self.put_hexadecimal(packet.authenticator)
        self.put(b',"attributes":', 14)
        self.put_pairs(attributes.as_on_the_wire() if hasattr(attributes, "as_on_the_wire") else attributes)
        return self.put(b"}", 1)

    cdef int put_pairs(self, object pairs) except -1:
        cdef bint later = False
        self.put(b"[", 1)
        for name, value in pairs:
            self.put(b",[" if later else b"[", 1 + later)
            later = True
            self.put_text(name)
            self.put(b",", 1)
            self.put_in_pair(value)
            self.put(b"]", 1)
        return self.put(b"]", 1)

    cdef int put_in_pair(self, object value) except -1:
        if isinstance(value, (bytes, bytearray, memoryview)):
            self.put(b'{"hidden":' if isinstance(value, Hidden) else b'{"octets":', 10)
            self.put_hexadecimal(bytes(value))
            return self.put(b"}", 1)
        if isinstance(value, list) and value and isinstance(value[0], tuple):
            return self.put_pairs(value)
        return self.put_value(value)


cdef tuple heads_of(cls):
    start = b'{"class":' + msgspec.json.encode(cls.__name__)
    names = cls.__struct_fields__
    return tuple([((start if k == 0 else b"") + b',"' + name.encode() + b'":', name) for k, name in enumerate(names)])


cdef Text _text = Text.__new__(Text)


def as_json(message):
    """JSON of `message.to_dict()`, for any message or part."""
    _text.n = 0
    _text.put_message(message, ())
    return <bytes> _text.octets[:_text.n]


def object_heads(names):
    """What `as_object` wants of the names of an object's fields."""
    return tuple([b"," + msgspec.json.encode(name) + b":" for name in names])


def as_object(tuple heads, tuple values, hexadecimal=()):
    """JSON of an object with the names of `heads`; values that are None or empty are left out.

    Of messages among the values, fields that `hexadecimal` names are there once more as text, "NAME_hex".
    """
    cdef Py_ssize_t k
    _text.n = 0
    for k in range(len(heads)):
        value = values[k]
        cls = type(value)
        if value is None or ((cls is str or cls is list or cls is tuple) and not value):
            continue
        _text.put_octets(heads[k])
        if cls is int or cls is str:
            _text.put_value(value)
        else:
            _text.put_message(value, hexadecimal)
    if not _text.n:
        return b"{}"
    _text.octets[0] = b'{'
    _text.put(b"}", 1)
    return <bytes> _text.octets[:_text.n]
