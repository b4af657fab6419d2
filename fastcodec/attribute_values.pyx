"""Octets of single values to Python and back, by data type. RFC 2865 5, RFC 3162 2, RFC 6572 4.12, RFC 6929 2.5."""
from datetime import datetime
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network

from cpython.unicode cimport PyUnicode_AsUTF8AndSize
from libc.string cimport memcpy, memset

from fastcodec.attribute_rows cimport (AS_COMBO, AS_ETHER, AS_IFID, AS_IPV4, AS_IPV6, AS_NUMBER1, AS_NUMBER2,
                                       AS_NUMBER4, AS_NUMBER8, AS_PREFIX4, AS_PREFIX6, AS_SIGNED, AS_TEXT, WIDTH)
from fastcodec.errors import EncodeError
from fastcodec.fields cimport address4, address6, put_address4, put_address6, put_number
from fastcodec.wire cimport get16, get32, get64


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


cdef object _prefix4(const uint8_t* p):
    """RFC 6572 4.12: ten reserved bits, six of length, the address."""
    try:
        return IPv4Network((<bytes> p[2:6], p[1] & 0x3f))
    except ValueError:
        return None


cdef object value_of(Row row, const uint8_t* p, int n):
    if n == 0 or (row.size and n != row.size):
        return None
    if row.kind == AS_NUMBER4:
        return get32(p)
    if row.kind == AS_IPV4:
        return address4(p)
    if row.kind == AS_TEXT:
        try:
            return (<const char*> p)[:n].decode("utf-8")
        except UnicodeDecodeError:
            return <bytes> p[:n]
    if row.kind == AS_IPV6:
        return address6(p)
    return _rarer(row, p, n)


cdef object _rarer(Row row, const uint8_t* p, int n):
    if row.kind == AS_PREFIX6:
        return _prefix6(p, n)
    if row.kind == AS_PREFIX4:
        return _prefix4(p)
    if row.kind == AS_NUMBER8:
        return get64(p)
    if row.kind == AS_NUMBER2:
        return get16(p)
    if row.kind == AS_NUMBER1:
        return p[0]
    if row.kind == AS_SIGNED:
        return <int> get32(p)
    if row.kind == AS_IFID:          # four groups of sixteen bits, as in an IPv6 address, RFC 3162 2.2
        return f"{get16(p):x}:{get16(p + 2):x}:{get16(p + 4):x}:{get16(p + 6):x}"
    if row.kind == AS_ETHER:
        return (<bytes> p[:6]).hex(":")
    if row.kind == AS_COMBO:
        return address4(p) if n == 4 else address6(p) if n == 16 else None
    return <bytes> p[:n]


# ---------------------------------------------------------------- values to octets

cdef int _put_octets(const uint8_t* octets, Py_ssize_t n, uint8_t* at, int most, str name) except -1:
    if not 0 < n <= most:
        raise EncodeError(name, f"{n} octets, 1 to {most} allowed (RFC 2865 5)")
    memcpy(at, octets, n)
    return <int> n


cdef int put_value(Row row, object value, uint8_t* at, int most) except -1:
    """Octets of a value written at `at`, `most` of them at most; how many. Octets are taken as they are."""
    cdef Py_ssize_t n
    cdef const char* text
    cdef int width = WIDTH[row.kind]
    if isinstance(value, bytes):          # as it came, or what the user knows better
        return _put_octets(<bytes> value, len(<bytes> value), at, most, row.name)
    if row.kind == AS_TEXT:
        text = PyUnicode_AsUTF8AndSize(value, &n)
        return _put_octets(<const uint8_t*> text, n, at, most, row.name)
    if row.kind == AS_NUMBER4 or row.kind == AS_NUMBER1 or row.kind == AS_NUMBER2 or row.kind == AS_NUMBER8:
        put_number(value if type(value) is int else _number(row, value), at, width, row.name)
        return width
    if row.kind == AS_IPV4:
        put_address4(value, at, row.name)
        return 4
    if row.kind == AS_IPV6:
        put_address6(value, at, row.name)
        return 16
    octets = _rarer_octets(row, value)
    return _put_octets(<bytes> octets, len(<bytes> octets), at, most, row.name)


cdef object _number(Row row, object value):
    """A VALUE's name, a moment, or whatever has an index."""
    if isinstance(value, str):
        if value not in row.values:
            raise EncodeError(row.name, f"no value is named {value!r}")
        return row.values[value]
    return int(value.timestamp()) if isinstance(value, datetime) else value


cdef bytes _rarer_octets(Row row, object value):
    if isinstance(value, (bytearray, memoryview)):
        return bytes(value)
    if row.kind == AS_SIGNED:
        return int(_number(row, value)).to_bytes(4, "big", signed=True)
    if row.kind == AS_PREFIX6:
        network = IPv6Network(value)
        return bytes((0, network.prefixlen)) + network.network_address.packed[:(network.prefixlen + 7) // 8]
    if row.kind == AS_PREFIX4:
        network = IPv4Network(value)
        return bytes((0, network.prefixlen)) + network.network_address.packed
    if row.kind == AS_IFID:
        return _groups(row, value, 4, 4)
    if row.kind == AS_ETHER:
        return _groups(row, value, 6, 2)
    if row.kind == AS_COMBO:
        return _combo(value)
    raise EncodeError(row.name, f"{value!r} are no octets (RFC 8044 3.6)")


cdef bytes _combo(object value):
    if isinstance(value, (IPv4Address, IPv6Address)):
        return value.packed
    return IPv6Address(value).packed if ":" in value else IPv4Address(value).packed


cdef bytes _groups(Row row, object value, int count, int digits):
    """"0:0:0:1" of an interface identifier, "00:1b:24:b5:6e:01" of an Ethernet address; dashes do as well."""
    cdef list groups = str(value).replace("-", ":").split(":")
    if len(groups) != count or not all(0 < len(group) <= digits for group in groups):
        raise EncodeError(row.name, f"{value!r} are not {count} groups of {digits} digits")
    return bytes.fromhex("".join([group.rjust(digits, "0") for group in groups]))


cdef bytes octets_of(Row row, object value):
    """The octets of a value of any length; the reasons why not are EncodeErrors."""
    cdef uint8_t[32] out
    try:
        if isinstance(value, bytes):
            return bytes(value)
        if row.kind == AS_TEXT:
            if not isinstance(value, str):
                raise EncodeError(row.name, f"{value!r} is no text (RFC 8044 3.4)")
            return (<str> value).encode()
        if isinstance(value, (bytearray, memoryview)):
            return bytes(value)
        return <bytes> out[:put_value(row, value, out, 32)]
    except (TypeError, ValueError, OverflowError, AttributeError) as error:
        if isinstance(error, EncodeError):
            raise
        raise EncodeError(row.name, f"{value!r}: {error} (RFC 8044 3)") from None
