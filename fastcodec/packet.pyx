"""Single RADIUS packets: attributes typed by the dictionary when they are looked at, authenticators."""
from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network

from libc.stdint cimport uint8_t, uint32_t
from libc.string cimport memcpy, memset

from fastcodec.dictionary import default
from fastcodec.digest.jobs cimport DIGEST_HMAC_MD5, DIGEST_MD5
from fastcodec.errors import AuthenticationError, DecodeError, EncodeError
from fastcodec.fields cimport address4, address6, as_bytes, put_address4, put_address6, put_number
from fastcodec.radius cimport (EAP_MESSAGE, HEADER, LONGEST, MESSAGE_AUTHENTICATOR, NUMBERS, PROXY_STATE, VENDOR_SPECIFIC,
                               Packet, walk_packet)
from fastcodec import radius
from fastcodec.secret cimport Secret, as_secret, digest_now
from fastcodec.status import Status
from fastcodec.status cimport Status as State
from fastcodec.wire cimport get16, get32, get64, put16, put32, same

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

cdef bytes _octets_of(Row row, object value):
    cdef uint8_t[18] out
    cdef int kind = row.kind, width = WIDTH[row.kind]
    if isinstance(value, (bytes, bytearray, memoryview)):
        return bytes(value)          # as it came, or what the user knows better
    if kind == TEXT:
        return (<str?> value).encode()
    if kind in (NUMBER1, NUMBER2, NUMBER4, NUMBER8):
        if type(value) is str:
            if value not in row.values:
                raise EncodeError(row.name, f"no value is named {value!r}")
            value = row.values[value]
        put_number(value, out, width, row.name)
        return <bytes> out[:width]
    if kind == IPV4:
        put_address4(value, out, row.name)
        return <bytes> out[:4]
    if kind == IPV6:
        put_address6(value, out, row.name)
        return <bytes> out[:16]
    if kind == SIGNED:
        return int(value).to_bytes(4, "big", signed=True)
    if kind == PREFIX6:
        return _octets_of_prefix6(IPv6Network(value))
    if kind == PREFIX4:
        network = IPv4Network(value)
        return bytes((0, network.prefixlen)) + network.network_address.packed
    raise EncodeError(row.name, f"{value!r} are no octets")


cdef bytes _octets_of_prefix6(network):
    return bytes((0, network.prefixlen)) + network.network_address.packed[:(network.prefixlen + 7) // 8]


cdef bytes _with_tag(Row row, bytes octets, int tag):
    if row.kind != NUMBER4:
        return bytes((tag,)) + octets if tag else octets
    if octets[0]:
        raise EncodeError(row.name, "a tagged number has three octets (RFC 2868 3.1)")
    return bytes((tag,)) + octets[1:]


cdef bytes _attribute(str name, int number, uint32_t vendor, bytes value):
    cdef int n = <int> len(value)
    cdef int most = 247 if vendor else 253
    if not 0 < n <= most:
        raise EncodeError(name, f"{n} octets, 1 to {most} allowed")
    if vendor:
        return bytes((VENDOR_SPECIFIC, n + 8)) + (<object> vendor).to_bytes(4, "big") + bytes((number, n + 2)) + value
    return bytes((number, n + 2)) + value


cdef bytes _by_number(str name, object value):
    """Attr-N, Attr-26.V.N: octets as they are; an empty one is written too, for it may be passed through."""
    cdef bytes octets = as_bytes(value)
    try:
        path = [int(n) for n in name[5:].split(".")]
    except ValueError:
        path = []
    if len(path) == 3 and path[0] == VENDOR_SPECIFIC and 0 < path[1] <= 0xffffffff and 0 <= path[2] <= 255:
        return _attribute(name, path[2], path[1], octets)
    if len(path) != 1 or not 0 < path[0] <= 255 or len(octets) > 253:
        raise EncodeError(name, "is no attribute's number, or over 253 octets")
    return bytes((path[0], len(octets) + 2)) + octets


cdef bytes _encode_item(object item):
    name, value = item
    cdef Row row = NAMES.get(name)
    cdef bytes octets
    cdef int tag = 0
    if row is None:
        if (<str?> name).startswith("Attr-"):
            return _by_number(name, value)
        base, _, suffix = (<str> name).partition(":")
        row = NAMES.get(base)
        if row is None or not row.has_tag or not suffix.isdigit() or not 0 < int(suffix) <= 0xff:
            raise EncodeError(name, "no such attribute in the dictionary")
        tag = int(suffix)
    try:
        octets = _octets_of(row, value)
    except (TypeError, ValueError, OverflowError, AttributeError) as error:
        if isinstance(error, EncodeError):
            raise
        raise EncodeError(name, f"{value!r}: {error}") from None
    if row.has_tag:
        octets = _with_tag(row, octets, tag)
    if not row.concat or len(octets) <= 253:
        return _attribute(name, row.number, row.vendor, octets)
    return b"".join(_attribute(name, row.number, row.vendor, octets[k:k + 253]) for k in range(0, len(octets), 253))


cdef class Attributes:
    """The attributes of a packet in wire order: a sequence of (name, value), and values by name.

    Made from octets they are typed only when looked at; made from pairs they are encoded at once.
    Unknown attributes, and values that are none of their type, are named Attr-N or Attr-26.VENDOR.N and are octets.
    """
    cdef readonly bytes octets
    cdef list _cached

    def __init__(self, items=()):
        self.octets = b"".join([_encode_item(item) for item in items])

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
    cdef Attributes attributes = Attributes.__new__(Attributes)
    attributes.octets = octets
    return attributes


# ---------------------------------------------------------------- packets

cdef object _refusal(const uint8_t* p, uint32_t n, const Packet* packet, int status):
    cdef int at = HEADER, k
    if status == State.TOO_SHORT:
        return DecodeError("RadiusPacket", n, f"{n} octets, {HEADER} needed", status)
    if status == State.BAD_LENGTH:
        return DecodeError("RadiusPacket.length", 2, f"{get16(p + 2)} in a datagram of {n} octets", status)
    for k in range(packet.attributes):
        at += p[at + 1]
    reason = "more than 255 attributes" if status == State.TOO_MANY_EXTENSIONS else "does not fit (RFC 2865 5)"
    return DecodeError(f"RadiusPacket: attribute {p[at]}", at, reason, status)


cdef bytes _walked(object data, Packet* packet):
    cdef bytes octets = as_bytes(data)
    cdef int status = walk_packet(octets, <uint32_t> len(octets), &NUMBERS, packet)
    if status != State.OK:
        raise _refusal(octets, <uint32_t> len(octets), packet, status)
    return octets


cdef object _fault(int status, str reason):
    return AuthenticationError("Message-Authenticator" if "Message" in reason else "RadiusPacket", reason, status)


cdef int _check_rules(const Packet* packet, bint require) except -1:
    """RFC 3579 3.1-3.2 and the lessons of CVE-2024-3596: when a packet without Message-Authenticator will not do."""
    cdef int count = packet.count[<int> MESSAGE_AUTHENTICATOR]
    if count > 1 or (count and packet.size[<int> MESSAGE_AUTHENTICATOR] != 16):
        raise _fault(State.BAD_AUTHENTICATOR, "Message-Authenticator doubled or not of 16 octets")
    if count == 0 and (require or packet.count[<int> EAP_MESSAGE] or packet.octets[0] == 12):
        raise _fault(State.NO_AUTHENTICATOR, "no Message-Authenticator")
    if count == 0 and packet.octets[0] == 1 and packet.count[<int> PROXY_STATE]:
        raise _fault(State.NO_AUTHENTICATOR, "Proxy-State without Message-Authenticator")
    return 0


cdef int _check_message_authenticator(const Packet* packet, uint8_t* copy, Secret secret) except -1:
    """`copy` is the packet with the request's authenticator in its header."""
    cdef uint8_t[16] ought
    cdef int at = packet.offset[<int> MESSAGE_AUTHENTICATOR]
    if at:
        memset(copy + at, 0, 16)
        digest_now(DIGEST_HMAC_MD5, copy, packet.length, NULL, 0, secret.for_md5(), ought)
        if not same(ought, packet.octets + at, 16):
            raise _fault(State.BAD_AUTHENTICATOR, "wrong Message-Authenticator")
    return 0


cdef int _verify(const Packet* packet, Secret secret, bytes request, bint require) except -1:
    """`request` is the authenticator of the request answered, None when this is a request."""
    cdef uint8_t[LONGEST] copy
    cdef uint8_t[16] ought
    _check_rules(packet, require)
    memcpy(copy, packet.octets, packet.length)
    if request is not None:
        memcpy(copy + 4, <const uint8_t*> request, 16)
        digest_now(DIGEST_MD5, copy, packet.length, <const uint8_t*> secret.octets, <uint32_t> len(secret.octets), NULL,
                   ought)
        if not same(ought, packet.octets + 4, 16):
            raise _fault(State.BAD_AUTHENTICATOR, "wrong Response Authenticator")
    elif packet.octets[0] not in (1, 12):
        raise _fault(State.WRONG_TYPE, f"code {packet.octets[0]} is no request that this flow knows")
    return _check_message_authenticator(packet, copy, secret)


cdef bytes _request_authenticator(object request, const uint8_t* answer):
    """From a request (octets or RadiusPacket) or its authenticator alone; the Identifier must match, RFC 2865 3."""
    cdef bytes octets
    if hasattr(request, "authenticator"):
        octets = bytes((request.code, request.identifier, 0, 0)) + request.authenticator
    else:
        octets = as_bytes(request)
    if len(octets) == 16:
        return octets
    if len(octets) < HEADER:
        raise EncodeError("request", f"{len(octets)} octets are neither a request nor an authenticator")
    if answer != NULL and octets[1] != answer[1]:
        raise _fault(State.WRONG_TYPE, f"answers identifier {answer[1]}, not {octets[1]}")
    return octets[4:20]


def decode(cls, data, secret=None, request=None, bint require=True):
    """A `cls(code, identifier, authenticator, attributes)` of a datagram, authenticated when a secret is given."""
    cdef Packet packet
    cdef bytes octets = _walked(data, &packet)
    cdef const uint8_t* p = octets
    if secret is not None:
        _verify(&packet, as_secret(secret), None if request is None else _request_authenticator(request, p), require)
    cdef Attributes attributes = Attributes.__new__(Attributes)
    attributes.octets = octets[HEADER:packet.length]
    return cls(p[0], p[1], <bytes> p[4:20], attributes)


def verify_request(data, secret, *, bint require=True):
    """AuthenticationError unless the Message-Authenticator of this Access-Request or Status-Server is right.

    RFC 3579 3.2. With `require` false a request without one passes, unless it holds EAP-Message or Proxy-State.
    """
    cdef Packet packet
    cdef bytes octets = _walked(data, &packet)
    _verify(&packet, as_secret(secret), None, require)


def verify_response(data, secret, request, *, bint require=True):
    """AuthenticationError unless both authenticators of this answer are right. RFC 2865 3, RFC 3579 3.2.

    `request` is the request's octets, packet, or its authenticator (then the Identifier is the caller's to compare).
    """
    cdef Packet packet
    cdef bytes octets = _walked(data, &packet)
    _verify(&packet, as_secret(secret), _request_authenticator(request, octets), require)


cdef bytes _attribute_octets(object attributes):
    if isinstance(attributes, Attributes):
        return (<Attributes> attributes).octets
    return b"".join([_encode_item(item) for item in attributes])


cdef int _put_packet(message, bytes attributes, bytes authenticator, uint8_t* out) except -1:
    cdef int n = HEADER + <int> len(attributes)
    if n > LONGEST:
        raise EncodeError("RadiusPacket.attributes", f"{n} octets, at most {LONGEST} (RFC 2865 3)")
    if len(authenticator) != 16:
        raise EncodeError("RadiusPacket.authenticator", f"{len(authenticator)} octets, 16 needed")
    put_number(message.code, out, 1, "RadiusPacket.code")
    put_number(message.identifier, out + 1, 1, "RadiusPacket.identifier")
    put16(out + 2, n)
    memcpy(out + 4, <const uint8_t*> authenticator, 16)
    memcpy(out + HEADER, <const uint8_t*> attributes, len(attributes))
    return n


cdef bytes _signed(message, Secret secret, bytes request):
    """Message-Authenticator (put first when there is none), then for an answer the Response Authenticator."""
    cdef uint8_t[LONGEST] out
    cdef Packet packet
    cdef bytes attributes = _attribute_octets(message.attributes)
    cdef int n = _put_packet(message, attributes, request or message.authenticator, out), at
    if walk_packet(out, n, &NUMBERS, &packet) != State.OK:
        raise EncodeError("RadiusPacket.attributes", "are malformed")
    if packet.count[<int> MESSAGE_AUTHENTICATOR] == 0:
        attributes = bytes((NUMBERS.number[<int> MESSAGE_AUTHENTICATOR], 18)) + bytes(16) + attributes
        n = _put_packet(message, attributes, request or message.authenticator, out)
        walk_packet(out, n, &NUMBERS, &packet)
    if packet.count[<int> MESSAGE_AUTHENTICATOR] > 1 or packet.size[<int> MESSAGE_AUTHENTICATOR] != 16:
        raise EncodeError("Message-Authenticator", "doubled or not of 16 octets")
    at = packet.offset[<int> MESSAGE_AUTHENTICATOR]
    memset(out + at, 0, 16)
    digest_now(DIGEST_HMAC_MD5, out, n, NULL, 0, secret.for_md5(), out + at)
    if request is not None:
        digest_now(DIGEST_MD5, out, n, <const uint8_t*> secret.octets, <uint32_t> len(secret.octets), NULL, out + 4)
    return <bytes> out[:n]


def encode(message, secret=None, request=None):
    """The octets; with a secret signed as a request, or as the answer to `request`."""
    cdef uint8_t[LONGEST] out
    cdef int n
    if secret is not None:
        return _signed(message, as_secret(secret), None if request is None else _request_authenticator(request, NULL))
    n = _put_packet(message, _attribute_octets(message.attributes), message.authenticator, out)
    return <bytes> out[:n]


configure()
