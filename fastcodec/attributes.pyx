"""RADIUS attributes between octets and Python values, typed by the dictionary when they are looked at."""
from collections.abc import Sequence
from ipaddress import IPv4Network, IPv6Network

from cpython.unicode cimport PyUnicode_AsUTF8AndSize
from libc.stdint cimport uint8_t, uint32_t
from libc.string cimport memcpy, memset

from fastcodec import radius
from fastcodec.dictionary import default
from fastcodec.errors import EncodeError
from fastcodec.fields cimport address4, address6, as_bytes, put_address4, put_address6, put_number
from fastcodec.radius cimport VENDOR_SPECIFIC
from fastcodec.wire cimport get16, get32, get64, put32

cdef enum Kind:
    OCTETS
    TEXT
    NUMBER1
    NUMBER2
    NUMBER4
    NUMBER8
    SIGNED
    IPV4
    IPV6
    PREFIX4
    PREFIX6

cdef dict KINDS = {"string": TEXT, "integer": NUMBER4, "date": NUMBER4, "integer64": NUMBER8, "short": NUMBER2,
                   "byte": NUMBER1, "bool": NUMBER1, "signed": SIGNED, "ipaddr": IPV4, "ipv6addr": IPV6,
                   "ipv4prefix": PREFIX4, "ipv6prefix": PREFIX6}
cdef int[11] WIDTH = [0, 0, 1, 2, 4, 8, 4, 4, 16, 6, 0]       # octets of a value of that kind, 0: any


cdef class Row:
    """What the dictionary says of one attribute, compiled."""
    cdef str name
    cdef int number, kind, size
    cdef uint32_t vendor
    cdef bint has_tag, concat
    cdef dict values

    def __cinit__(self, attribute, dict values):
        self.name, self.number, self.vendor = attribute.name, attribute.number, attribute.vendor
        self.kind = KINDS.get(attribute.kind, OCTETS)
        self.size = attribute.size or {"ifid": 8, "ether": 6}.get(attribute.kind, WIDTH[self.kind])
        self.has_tag, self.concat, self.values = attribute.has_tag, attribute.concat, values


cdef list STANDARD = [None] * 256
cdef dict OF_VENDORS = {}        # vendor << 8 | number -> Row
cdef set VENDORS = set()         # those whose Vendor-Specific has one octet of type and one of length
cdef dict NAMES = {}


def configure(dictionary=None):
    """Use this dictionary (the shipped one unless given) in the whole process, names and slots alike."""
    global STANDARD
    dictionary = dictionary or default()
    radius.configure(dictionary)
    STANDARD = [None] * 256
    OF_VENDORS.clear()
    NAMES.clear()
    VENDORS.clear()
    VENDORS.update(v.number for v in dictionary.vendors.values()
                   if (v.type_size, v.length_size, v.continuation) == (1, 1, False))
    for attribute in dictionary.attributes.values():
        if len(attribute.path) == 1 and attribute.number < 256:
            row = Row(attribute, dictionary.values.get(attribute.name, {}))
            if attribute.vendor == 0:
                STANDARD[attribute.number] = NAMES[attribute.name] = row
            elif attribute.vendor in VENDORS:
                OF_VENDORS[attribute.vendor << 8 | attribute.number] = NAMES[attribute.name] = row


# ---------------------------------------------------------------- octets to values

cdef object _prefix6(const uint8_t* p, int n):
    """RFC 3162 2.3: reserved, length, as many octets as it takes; no bit beyond the length."""
    cdef uint8_t[16] octets
    if not 2 <= n <= 18 or p[1] > 128:
        return None
    memset(octets, 0, 16)
    memcpy(octets, p + 2, n - 2)
    try:
        return IPv6Network((<bytes> octets[:16], p[1]))
    except ValueError:
        return None


cdef object _value(Row row, const uint8_t* p, int n):
    """The typed value, or None when its octets cannot be of that type."""
    if n == 0 or (row.size and n != row.size):
        return None
    if row.kind == NUMBER4:
        return get32(p)
    if row.kind == IPV4:
        return address4(p)
    if row.kind == TEXT:
        try:
            return (<const char*> p)[:n].decode("utf-8")
        except UnicodeDecodeError:
            return <bytes> p[:n]
    if row.kind == IPV6:
        return address6(p)
    if row.kind == PREFIX6:
        return _prefix6(p, n)
    if row.kind == NUMBER8:
        return get64(p)
    if row.kind == NUMBER2:
        return get16(p)
    if row.kind == NUMBER1:
        return p[0]
    if row.kind == SIGNED:
        return <int> get32(p)
    if row.kind == PREFIX4:
        return _prefix4(p)
    return <bytes> p[:n]


cdef object _prefix4(const uint8_t* p):
    """RFC 6572 4.12: ten reserved bits, six of length, the address."""
    try:
        return IPv4Network((<bytes> p[2:6], p[1] & 0x3f))
    except ValueError:
        return None


cdef tuple _tagged(Row row, const uint8_t* p, int n):
    """RFC 2868 3.1, 3.3: a number's first octet is its tag; a string's only when it is below 0x20."""
    cdef uint8_t[4] number
    if row.kind == NUMBER4:
        if n != 4:
            return None
        number[0] = 0
        memcpy(number + 1, p + 1, 3)
        return (f"{row.name}:{p[0]}" if p[0] else row.name), get32(number)
    if n > 1 and 1 <= p[0] <= 0x1f:
        value = _value(row, p + 1, n - 1)
        return None if value is None else (f"{row.name}:{p[0]}", value)
    return (row.name, _value(row, p, n)) if n else None


cdef tuple _item(Row row, str number, const uint8_t* p, int n):
    """(name, value); what is unknown or no value of its type goes by its number, as octets."""
    if row is None:
        return f"Attr-{number}", <bytes> p[:n]
    if row.has_tag:
        item = _tagged(row, p, n)
        if item is not None:
            return item
    else:
        value = _value(row, p, n)
        if value is not None:
            return row.name, value
    return f"Attr-{number}", <bytes> p[:n]


cdef bint _is_readable(const uint8_t* p, int n):
    """A Vendor-Specific of a vendor we know whose sub-attributes fill it exactly and are none of them empty."""
    cdef int at = 4
    if n < 7 or get32(p) not in VENDORS:
        return False
    while n - at > 2 and p[at + 1] > 2:
        at += p[at + 1]
    return at == n


cdef list _items(bytes octets):
    """[(name, value), ...] of attributes that walk_packet found well-formed."""
    cdef const uint8_t* p = octets
    cdef const uint8_t* end = p + len(octets)
    cdef const uint8_t* inside
    cdef uint32_t vendor
    cdef list out = []
    while p < end:
        if p[0] != VENDOR_SPECIFIC or not _is_readable(p + 2, p[1] - 2):
            out.append(_item(STANDARD[p[0]] if p[0] != VENDOR_SPECIFIC else None, str(p[0]), p + 2, p[1] - 2))
        else:
            vendor, inside = get32(p + 2), p + 6
            while inside < p + p[1]:
                out.append(_item(OF_VENDORS.get((<object> vendor) << 8 | inside[0]),
                                 f"26.{vendor}.{inside[0]}", inside + 2, inside[1] - 2))
                inside += inside[1]
        p += p[1]
    return out


# ---------------------------------------------------------------- values to octets

cdef int _put_octets(const uint8_t* octets, Py_ssize_t n, uint8_t* at, int most, str name) except -1:
    if not 0 < n <= most:
        raise EncodeError(name, f"{n} octets, 1 to {most} allowed")
    memcpy(at, octets, n)
    return <int> n


cdef int _put_value(Row row, object value, uint8_t* at, int most) except -1:
    """Octets of a value written at `at`, `most` of them at most."""
    cdef Py_ssize_t n
    cdef const char* text
    cdef int width = WIDTH[row.kind]
    if type(value) is bytes:          # as it came, or what the user knows better
        return _put_octets(<bytes> value, len(<bytes> value), at, most, row.name)
    if row.kind == TEXT:
        text = PyUnicode_AsUTF8AndSize(value, &n)
        return _put_octets(<const uint8_t*> text, n, at, most, row.name)
    if row.kind == NUMBER1 or row.kind == NUMBER2 or row.kind == NUMBER4 or row.kind == NUMBER8:
        if type(value) is str:
            if value not in row.values:
                raise EncodeError(row.name, f"no value is named {value!r}")
            value = row.values[value]
        put_number(value, at, width, row.name)
        return width
    if row.kind == IPV4:
        put_address4(value, at, row.name)
        return 4
    if row.kind == IPV6:
        put_address6(value, at, row.name)
        return 16
    octets = _octets_of(row, value)
    return _put_octets(<bytes> octets, len(<bytes> octets), at, most, row.name)


cdef bytes _octets_of(Row row, object value):
    """The kinds that are rare enough for the plain way."""
    if isinstance(value, (bytearray, memoryview)):
        return bytes(value)
    if row.kind == SIGNED:
        return int(value).to_bytes(4, "big", signed=True)
    if row.kind == PREFIX6:
        network = IPv6Network(value)
        return bytes((0, network.prefixlen)) + network.network_address.packed[:(network.prefixlen + 7) // 8]
    if row.kind == PREFIX4:
        network = IPv4Network(value)
        return bytes((0, network.prefixlen)) + network.network_address.packed
    raise EncodeError(row.name, f"{value!r} are no octets")


cdef int _head(uint8_t* at, int number, uint32_t vendor, int n) noexcept:
    """Type and length, inside a Vendor-Specific of its own when there is a vendor; the octets it takes."""
    if vendor == 0:
        at[0], at[1] = <uint8_t> number, <uint8_t> (n + 2)
        return 2
    at[0], at[1] = VENDOR_SPECIFIC, <uint8_t> (n + 8)
    put32(at + 2, vendor)
    at[6], at[7] = <uint8_t> number, <uint8_t> (n + 2)
    return 8


cdef int _put_tagged(Row row, object value, int tag, uint8_t* at) except -1:
    """RFC 2868 3.1: a number's first octet is its tag, a string's stands before it when there is one."""
    cdef int n
    if row.kind == NUMBER4:
        n = _put_value(row, value, at, 253)
        if at[0]:
            raise EncodeError(row.name, "a tagged number has three octets (RFC 2868 3.1)")
        at[0] = <uint8_t> tag
        return n
    if tag:
        at[0] = <uint8_t> tag
        return 1 + _put_value(row, value, at + 1, 252)
    return _put_value(row, value, at, 253)


cdef int _put_row(Row row, object value, int tag, uint8_t* at) except -1:
    cdef int head = 8 if row.vendor else 2, n
    try:
        if row.has_tag:
            n = _put_tagged(row, value, tag, at + head)
        else:
            n = _put_value(row, value, at + head, 255 - head)
    except (TypeError, ValueError, OverflowError) as error:
        if isinstance(error, EncodeError):
            raise
        raise EncodeError(row.name, f"{value!r}: {error}") from None
    return _head(at, row.number, row.vendor, n) + n


cdef int _put_by_number(str name, object value, uint8_t* at) except -1:
    """Attr-N, Attr-26.V.N: octets as they are; an empty Attr-N is written too, for it may be passed through."""
    cdef bytes octets = as_bytes(value)
    cdef int n
    try:
        path = [int(number) for number in name[5:].split(".")]
    except ValueError:
        path = []
    if len(path) == 3 and path[0] == VENDOR_SPECIFIC and 0 < path[1] <= 0xffffffff and 0 <= path[2] <= 255:
        n = _put_octets(octets, len(octets), at + 8, 247, name)
        return _head(at, path[2], path[1], n) + n
    if len(path) != 1 or not 0 < path[0] <= 255 or len(octets) > 253:
        raise EncodeError(name, "is no attribute's number, or over 253 octets")
    memcpy(at + 2, <const uint8_t*> octets, len(octets))
    return _head(at, path[0], 0, <int> len(octets)) + <int> len(octets)


cdef int _put_split(Row row, bytes octets, uint8_t* at, int room) except -1:
    """A value of several attributes, each but the last of 253 octets (RFC 3579 3.1)."""
    cdef int n = 0, k
    for k in range(0, <int> len(octets), 253):
        if n > room:
            break
        n += _put_row(row, octets[k:k + 253], 0, at + n)
    return n


cdef int _put_item(object item, uint8_t* at, int room) except -1:
    name, value = item
    cdef Row row = NAMES.get(name)
    if row is not None:
        if row.concat and type(value) is bytes and len(<bytes> value) > 253:
            return _put_split(row, value, at, room)
        return _put_row(row, value, 0, at)
    if (<str?> name).startswith("Attr-"):
        return _put_by_number(name, value, at)
    base, _, tag = (<str> name).partition(":")
    row = NAMES.get(base)
    if row is None or not row.has_tag or not tag.isdigit() or not 0 < int(tag) <= 0xff:
        raise EncodeError(name, "no such attribute in the dictionary")
    return _put_row(row, value, int(tag), at)


cdef int put_items(object items, uint8_t* out) except -1:
    """Octets of all attributes written to `out`, which has room for ROOM; EncodeError when they fill no packet."""
    cdef int n = 0
    if isinstance(items, Attributes):
        n = <int> len((<Attributes> items).octets)
        memcpy(out, <const uint8_t*> (<Attributes> items).octets, n)
        return n
    for item in items:
        n += _put_item(item, out + n, MOST - n)
        if n > MOST:
            raise EncodeError("RadiusPacket.attributes", f"more than {MOST} octets (RFC 2865 3)")
    return n


cdef class Attributes:
    """The attributes of a packet in wire order: a sequence of (name, value), and values by name.

    Made from octets they are typed only when looked at; made from pairs they are encoded at once.
    Unknown attributes, and values that are none of their type, are named Attr-N or Attr-26.VENDOR.N and are octets.
    """
    def __init__(self, items=()):
        cdef uint8_t[ROOM] out
        self.octets = <bytes> out[:put_items(items, out)]

    cdef list items(self):
        if self._cached is None:
            self._cached = _items(self.octets)
        return self._cached

    def __len__(self):
        return len(self.items())

    def __iter__(self):
        return iter(self.items())

    def __getitem__(self, key):
        if not isinstance(key, str):
            return self.items()[key]
        for name, value in self.items():
            if name == key:
                return value
        raise KeyError(key)

    def __contains__(self, key):
        return any(key == name for name, _ in self.items()) if isinstance(key, str) else key in self.items()

    def get(self, str name, fallback=None):
        """The first value of that name."""
        for found, value in self.items():
            if found == name:
                return value
        return fallback

    def all(self, str name):
        """Every value of that name, in order."""
        return [value for found, value in self.items() if found == name]

    def joined(self, str name):
        """The pieces of a value that was split over several attributes (EAP-Message), one behind the other."""
        return b"".join(self.all(name))

    def __eq__(self, other):
        if isinstance(other, Attributes):
            return self.octets == (<Attributes> other).octets
        return self.items() == list(other) if isinstance(other, (list, tuple)) else NotImplemented

    def __hash__(self):
        return hash(self.octets)

    def __repr__(self):
        return repr(self.items())

    def __reduce__(self):
        return _from_octets, (self.octets,)


Sequence.register(Attributes)


def _from_octets(bytes octets):
    return from_octets(octets)


cdef Attributes from_octets(bytes octets):
    """Attributes that walk_packet found well-formed."""
    cdef Attributes attributes = Attributes.__new__(Attributes)
    attributes.octets = octets
    return attributes


configure()
