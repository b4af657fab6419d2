"""Between packed octets and Python values: the plan of a class, and addresses without their constructors' price."""
from ipaddress import IPv4Address, IPv6Address
from types import MemberDescriptorType

from cpython.number cimport PyNumber_Index
from cpython.object cimport PyObject, PyTypeObject
from cpython.ref cimport Py_DECREF, Py_INCREF
from libc.string cimport memcpy

from fastcodec.errors import EncodeError
from fastcodec.wants import wants_octets
from fastcodec.wire cimport get16, get32, get64, put16, put32, put64

cdef extern from "structmember.h":
    ctypedef struct PyMemberDef:
        Py_ssize_t offset
    ctypedef struct MemberDescriptor "PyMemberDescrObject":       # what an entry of __slots__ makes in the class
        PyMemberDef* d_member
cdef extern from "Python.h":
    object _call "PyObject_Vectorcall"(object callable, PyObject** arguments, size_t n, PyObject* names)
    object _new "PyType_GenericAlloc"(PyTypeObject* type, Py_ssize_t items)

cdef PyTypeObject* _four = <PyTypeObject*> IPv4Address
cdef PyTypeObject* _six = <PyTypeObject*> IPv6Address
cdef Py_ssize_t _number4 = _place_of(IPv4Address._ip)
cdef Py_ssize_t _number6 = _place_of(IPv6Address._ip)
cdef Py_ssize_t _scope6 = _place_of(IPv6Address._scope_id)


cdef Py_ssize_t _place_of(object slot) except -1:
    """Where in an object the value of this entry of its class's __slots__ stands."""
    if type(slot) is not MemberDescriptorType:
        raise ImportError("fastcodec.fields: this Python's ipaddress stores addresses in another way")
    return (<MemberDescriptor*> slot).d_member.offset


cdef inline void _fill(object address, Py_ssize_t place, object value) noexcept:
    Py_INCREF(value)
    (<PyObject**> (<char*> <PyObject*> address + place))[0] = <PyObject*> value


cdef object address4(const uint8_t* p):
    """What `IPv4Address(n)` makes, without its checks (they cost more than all the rest of a decode)."""
    address = _new(_four, 0)
    _fill(address, _number4, get32(p))
    return address


cdef object address6(const uint8_t* p):
    address = _new(_six, 0)
    _fill(address, _number6, (<object> get64(p)) << 64 | get64(p + 8))
    _fill(address, _scope6, None)
    return address


def _check():
    """ipaddress is free to change its attributes: then this fails here, at import, and not in someone's packet."""
    cdef bytes octets = bytes(range(1, 17))
    if address4(octets) != IPv4Address(octets[:4]) or str(address6(octets)) != str(IPv6Address(octets)):
        raise ImportError("fastcodec.fields: this Python's ipaddress stores addresses in another way")


_check()


cdef bytes as_bytes(object data, str name="data"):
    """An argument's octets, of any buffer; plain bytes are not copied. TypeError."""
    return <bytes> data if type(data) is bytes else wants_octets(name, data)


cdef bytes octets_in(object value, str field):
    """A field's octets; EncodeError."""
    try:
        return as_bytes(value)
    except TypeError:
        raise EncodeError(field, f"{value!r} are no octets") from None


cdef list parts_in(object parts, str field):
    """A field's extensions or options; EncodeError."""
    try:
        return <list> parts if type(parts) is list else list(parts)
    except TypeError:
        raise EncodeError(field, f"{parts!r} is no list") from None


cdef long long whole(object value, str field, long long least, long long most) except? -1:
    """An argument that is a number within these bounds; EncodeError: C would cut off what is too much."""
    cdef long long n = 0
    cdef bint is_one = True
    try:
        n = PyNumber_Index(value)
    except (TypeError, OverflowError):
        is_one = False
    if not is_one or not least <= n <= most:
        raise EncodeError(field, f"{value!r} is no whole number from {least} to {most}")
    return n


cdef int put_number(object value, uint8_t* at, int width, str field) except -1:
    """Network order; an int of another class (an enum's member) is as good, what would have to be rounded is not."""
    cdef unsigned long long n
    try:
        n = value if isinstance(value, int) else PyNumber_Index(value)
    except (OverflowError, TypeError, ValueError):
        raise EncodeError(field, f"{value!r} is no unsigned number") from None
    if width < 8 and n >> (8 * width):
        raise EncodeError(field, f"{value!r} does not fit {width} octets")
    if width == 1:
        at[0] = <uint8_t> n
    elif width == 2:
        put16(at, n)
    elif width == 4:
        put32(at, n)
    else:
        put64(at, n)
    return 0


cdef int put_address4(object value, uint8_t* at, str field) except -1:
    if type(value) is not IPv4Address:
        try:
            value = IPv4Address(value)
        except ValueError:
            raise EncodeError(field, f"{value!r} is no IPv4 address") from None
    put32(at, value._ip)
    return 0


cdef int put_address6(object value, uint8_t* at, str field) except -1:
    cdef bytes octets
    try:
        octets = value.packed if type(value) is IPv6Address else IPv6Address(value).packed
    except ValueError:
        raise EncodeError(field, f"{value!r} is no IPv6 address") from None
    memcpy(at, <const uint8_t*> octets, 16)
    return 0


cdef int put_fixed(object value, uint8_t* at, int width, str field) except -1:
    """Octets of a field that has just so many."""
    cdef bytes octets = octets_in(value, field)
    if <Py_ssize_t> len(octets) != width:
        raise EncodeError(field, f"{len(octets)} octets, not {width}")
    memcpy(at, <const uint8_t*> octets, width)
    return 0


cdef dict _TAILS = {OCTETS_TAIL: "octets", TEXT_TAIL: "text", ADDRESSES_TAIL: "addresses", NUMBERS_TAIL: "numbers"}
cdef dict _KINDS = {int: INTEGER, IPv4Address: IPV4, IPv6Address: IPV6, bytes: OCTETS}


cdef inline object value_of(int kind, int width, const uint8_t* at):
    if kind == IPV4:
        return address4(at)
    if kind == IPV6:
        return address6(at)
    if kind == OCTETS:
        return <bytes> at[:width]
    if width == 4:
        return get32(at)
    if width == 2:
        return get16(at)
    return get64(at) if width == 8 else at[0]


cdef class Plan:
    """How a class reads and writes its struct: `fields` is [(name, offset, width, kind), ...] in the class's order.

    `reserved` are the offsets of the struct's octets that have no field and must be zero.
    """

    def __init__(self, cls, fields, int size, int tail, int type=0, int subtype=0, int shape=0, reserved=()):
        if len(fields) > 16:
            raise TypeError(f"{cls.__name__}: more than 16 fields")
        self.cls, self.size, self.tail, self.count = cls, size, tail, len(fields)
        self.type, self.subtype, self.shape = type, subtype, shape
        self.names = [name for name, *_ in fields]
        self.paths = [f"{cls.__name__}.{name}" for name in self.names]
        self.tail_at = next((k for k, name in enumerate(cls.__struct_fields__) if name not in self.names), self.count)
        self.tail_path = f"{cls.__name__}.{cls.__struct_fields__[self.tail_at]}" if tail else ""
        self.reserved = bytes(k in reserved for k in range(size))
        self.has_reserved = bool(reserved)
        for k, (_, offset, width, kind) in enumerate(fields):
            self.offset[k], self.width[k], self.kind[k] = offset, width, _KINDS[kind]

    cdef object make(self, const uint8_t* p, object last):
        """A `cls` of the octets at `p`, `size` of which are there; `last` is what its tail holds, if it has one."""
        cdef PyObject* arguments[17]
        cdef int k, made = 0
        arguments[self.tail_at] = <PyObject*> last
        try:
            for k in range(self.count):
                value = value_of(self.kind[k], self.width[k], p + self.offset[k])
                Py_INCREF(value)
                arguments[k + (k >= self.tail_at)] = <PyObject*> value
                made += 1
            return _call(self.cls, arguments, self.count + (self.tail != NO_TAIL), NULL)
        finally:
            for k in range(made):
                Py_DECREF(<object> arguments[k + (k >= self.tail_at)])

    cdef bint fits(self, const uint8_t* p, int n) noexcept:
        """Whether `n` octets are this class's, to the octet: then what is made of them encodes to the same."""
        cdef const uint8_t* reserved = self.reserved
        cdef int k
        if n < self.size or (n > self.size and self.tail == NO_TAIL):
            return False
        if self.tail == ADDRESSES_TAIL and (n - self.size) % 4:
            return False
        if self.has_reserved:
            for k in range(self.size):
                if reserved[k] and p[k]:
                    return False
        return True

    cdef int write(self, object message, uint8_t* at) except -1:
        cdef int k
        for k in range(self.count):
            value = getattr(message, <str> self.names[k])
            if self.kind[k] == IPV4:
                put_address4(value, at + self.offset[k], self.paths[k])
            elif self.kind[k] == IPV6:
                put_address6(value, at + self.offset[k], self.paths[k])
            elif self.kind[k] == OCTETS:
                put_fixed(value, at + self.offset[k], self.width[k], self.paths[k])
            else:
                put_number(value, at + self.offset[k], self.width[k], self.paths[k])
        return self.size

    cdef object tail_of(self, const uint8_t* p, int n):
        """The value of the last field, of the `n` octets behind the struct; None when there is no such field."""
        if self.tail == TEXT_TAIL:
            return (<const char*> p)[:n].decode("utf-8", "surrogateescape")
        if self.tail == ADDRESSES_TAIL:
            return tuple([address4(p + k) for k in range(0, n, 4)])
        if self.tail == NUMBERS_TAIL:
            return tuple(<bytes> p[:n])
        return <bytes> p[:n] if self.tail == OCTETS_TAIL else None

    cdef bytes tail_octets(self, object message):
        """The other way; EncodeError."""
        if self.tail == NO_TAIL or self.tail == LIST_TAIL:
            return b""
        value = getattr(message, <str> (<tuple> self.cls.__struct_fields__)[self.tail_at])
        try:
            if self.tail == TEXT_TAIL:
                return (<str?> value).encode("utf-8", "surrogateescape")
            if self.tail == ADDRESSES_TAIL:
                return b"".join([self._address(address) for address in value])
            return bytes(tuple(value)) if self.tail == NUMBERS_TAIL else as_bytes(value)
        except (TypeError, UnicodeEncodeError, ValueError) as error:
            if isinstance(error, EncodeError):
                raise
            raise EncodeError(self.tail_path, f"{value!r} is no {_TAILS[self.tail]}") from None

    cdef bytes _address(self, object value):
        cdef uint8_t[4] octets
        put_address4(value, octets, self.tail_path)
        return octets[:4]
