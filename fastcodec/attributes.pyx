"""The attributes of a packet: a sequence of (name, value), typed by the dictionary when they are looked at."""
from collections.abc import Sequence

from libc.stdint cimport uint8_t, uint32_t
from libc.string cimport memcpy

from fastcodec.attribute_items cimport DEEPEST, NOT_GIVEN, Look, content_of, item_of, look_with
from fastcodec.attribute_rows import configure
from fastcodec.attribute_rows cimport AS_EXTENDED, AS_LONG_EXTENDED, NAMES, STANDARD, STANDARD_SPACE, Row
from fastcodec.attribute_spaces cimport by_number, concat_item, extended_items, vendor_items, wrapped
from fastcodec.attribute_values cimport put_value
from fastcodec.errors import DecodeError, EncodeError
from fastcodec.fields cimport as_bytes, octets_in
from fastcodec.hiding cimport Cloak
from fastcodec.radius cimport VENDOR_SPECIFIC
from fastcodec.status cimport Status
from fastcodec.wire cimport put32

__all__ = ["Attributes", "configure"]


cdef list _items(bytes octets, Look look):
    """[(name, value), ...] of attributes that walk_packet found well-formed."""
    cdef const uint8_t* p = octets
    cdef const uint8_t* end = p + len(octets)
    cdef Row row
    cdef list out = []
    cdef set used = None          # places of fragments that stand in their first one's value
    while p < end:
        row = <Row> STANDARD[p[0]]
        if row is not None and row.plain and p[0] != VENDOR_SPECIFIC:
            out.append(item_of(row, row.number_path, p + 2, p[1] - 2, look, 0))
            p += p[1]
            continue
        if used is None:
            used = set()
        if <size_t> p in used:
            p += p[1]
            continue
        if p[0] == VENDOR_SPECIFIC:
            vendor_items(p, end, look, used, out)
        elif row is None:
            out.append((f"Attr-{p[0]}", <bytes> p[2:p[1]]))
        elif row.kind == AS_EXTENDED or row.kind == AS_LONG_EXTENDED:
            extended_items(row, p, end, look, used, out)
        elif row.concat:
            p += concat_item(row, p, end, look, out)
            continue
        else:
            out.append(item_of(row, row.number_path, p + 2, p[1] - 2, look, 0))
        p += p[1]
    return out


cdef inline int _head(uint8_t* at, uint32_t number, uint32_t vendor, int n) noexcept:
    """Type and length, inside a Vendor-Specific of its own when there is a vendor; the octets it takes."""
    if vendor == 0:
        at[0], at[1] = <uint8_t> number, <uint8_t> (n + 2)
        return 2
    at[0], at[1] = VENDOR_SPECIFIC, <uint8_t> (n + 8)
    put32(at + 2, vendor)
    at[6], at[7] = <uint8_t> number, <uint8_t> (n + 2)
    return 8


cdef int _put_plain(Row row, object value, uint8_t* at) except -1:
    cdef int head = 2 if row.place == STANDARD_SPACE else 8, n
    try:
        n = put_value(row, value, at + head, 255 - head)
    except (TypeError, ValueError, OverflowError, AttributeError) as error:
        if isinstance(error, EncodeError):
            raise
        raise EncodeError(row.name, f"{value!r}: {error}") from None
    return _head(at, row.number, row.vendor, n) + n


cdef bytes _composed(str name, object value, Cloak cloak):
    """What is not plain: a tag, a hidden value, another format, attributes inside, or a number instead of a name."""
    cdef Row row = <Row> NAMES.get(name)
    cdef str base, tag
    if row is not None:
        return wrapped(row, content_of(row, value, NOT_GIVEN, cloak))
    if name.startswith("Attr-"):
        return by_number(name, octets_in(value, name))
    base, _, tag = name.partition(":")
    row = <Row> NAMES.get(base)
    if row is None or not row.has_tag or not tag.isdecimal() or int(tag) > 0xff:
        raise EncodeError(name, "no such attribute in the dictionary")
    return wrapped(row, content_of(row, value, int(tag), cloak))


cdef int _put_item(object item, uint8_t* at, int room, Cloak cloak) except -1:
    cdef Row row
    cdef bytes octets
    try:
        name, value = item
    except (TypeError, ValueError):
        name = None
    if not isinstance(name, str):
        raise EncodeError("RadiusPacket.attributes", f"{item!r} is no pair of name and value (RFC 2865 5)")
    row = <Row> NAMES.get(name)
    if row is not None and row.plain:
        return _put_plain(row, value, at)
    octets = _composed(name, value, cloak)
    if len(octets) <= room + SPARE:
        memcpy(at, <const uint8_t*> octets, len(octets))
    return <int> len(octets)


cdef int put_items(object items, uint8_t* out, int most, Cloak cloak) except -1:
    """Octets of all attributes written to `out`, which has room for `most` + SPARE; EncodeError when they are more."""
    cdef int n = 0
    cdef Attributes given
    if isinstance(items, Attributes):
        given = <Attributes> items
        if not given.must_be_hidden_again(cloak):
            if len(given.octets) > most:
                raise EncodeError("RadiusPacket.attributes", f"{len(given.octets)} octets, more than {most} (RFC 2865 3)")
            memcpy(out, <const uint8_t*> given.octets, len(given.octets))
            return <int> len(given.octets)
    try:
        pairs = iter(items)
    except TypeError:
        raise EncodeError("RadiusPacket.attributes", f"{items!r} are no pairs of name and value (RFC 2865 5)") from None
    for item in pairs:
        n += _put_item(item, out + n, most - n, cloak)
        if n > most:
            raise EncodeError("RadiusPacket.attributes", f"more than {most} octets (RFC 2865 3)")
    return n


cdef class Attributes:
    """The attributes of a packet in wire order: a sequence of (name, value), and values by name; `octets` is what stands on the wire.

    Made from octets they are typed only when looked at; made from pairs they are encoded at once. A TLV's value is a list
    of (name, value). Unknown attributes, and values that are none of their type, are octets under their number: Attr-N,
    Attr-26.VENDOR.N, Attr-241.N. Hidden values are `Hidden` octets, unless the packet was decoded with its secret.
    """
    def __init__(self, items=()):
        cdef uint8_t[LONGEST_BODY + SPARE] out
        self.octets = <bytes> out[:put_items(items, out, LONGEST_BODY, None)]
        self._depth = DEEPEST

    @staticmethod
    def from_octets(octets):
        """Of attributes as on the wire; DecodeError when they do not add up (RFC 2865 5)."""
        cdef bytes given = as_bytes(octets, "octets")
        cdef const uint8_t* p = given
        cdef Py_ssize_t at = 0, n = len(given)
        while at < n:
            if n - at < 2 or p[at + 1] < 2 or p[at + 1] > n - at or p[at] == 0:
                raise DecodeError(f"Attributes: {p[at]}", at, "does not fit (RFC 2865 5)", Status.EXTENSION_OVERRUN)
            at += p[at + 1]
        return from_octets(given, None, DEEPEST)

    cdef list items(self):
        cdef Look look
        if self._cached is None:
            look = look_with(self._cloak, self._depth)
            self._cached = _items(self.octets, look)
            self._revealed = look.revealed
        return self._cached

    cdef bint must_be_hidden_again(self, Cloak cloak) except -1:
        """Whether they hold values that were hidden under another secret or authenticator than `cloak`'s."""
        if self._cloak is None or cloak is None or self._cloak.matches(cloak):
            return False
        self.items()
        return self._revealed

    def as_on_the_wire(self):
        """The same, hidden values as they are hidden; these very ones when there is no secret."""
        return self if self._cloak is None else from_octets(self.octets, None, self._depth)

    @property
    def canonical(self):
        """Whether pairs made of them encode to the same octets.

        False for what means the same written otherwise: fragments that are not full or not together, several
        sub-attributes in one Vendor-Specific, a prefix with octets it does not need.
        """
        cdef uint8_t[LONGEST_BODY + SPARE] out
        try:
            return <bytes> out[:put_items(self.items(), out, LONGEST_BODY, self._cloak)] == self.octets
        except EncodeError:          # an attribute of no octets, RFC 2865 5
            return False

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
        """The values of one name, one behind the other: a split value (EAP-Message) whose pieces do not stand together."""
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
    return from_octets(octets, None, DEEPEST)


cdef Attributes from_octets(bytes octets, Cloak cloak, int depth):
    """Attributes that walk_packet found well-formed."""
    cdef Attributes attributes = Attributes.__new__(Attributes)
    attributes.octets, attributes._cloak, attributes._depth = octets, cloak, depth
    return attributes
