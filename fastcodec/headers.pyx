"""Where the upper layer of an IP packet is, through IPv6 extension headers; IP headers; the Internet checksum."""
from typing import NamedTuple

from libc.stdint cimport uint8_t, uint16_t, uint32_t
from libc.string cimport memcpy

from fastcodec.errors import DecodeError, EncodeError
from fastcodec.fields cimport address4, address6, as_bytes, put_address6, whole
from fastcodec.overlay import dtype_of
from fastcodec.status import Status
from fastcodec.status cimport Status as State
from fastcodec.wire cimport get16, put16, put32

cdef IPv4Header _ipv4
cdef IPv4Header[::1] _ipv4s = <IPv4Header[:1]> &_ipv4
cdef IPv6Header _ipv6
cdef IPv6Header[::1] _ipv6s = <IPv6Header[:1]> &_ipv6
cdef UdpHeader _udp
cdef UdpHeader[::1] _udps = <UdpHeader[:1]> &_udp
cdef GreHeader _gre
cdef GreHeader[::1] _gres = <GreHeader[:1]> &_gre
cdef MinimalHeader _minimal
cdef MinimalHeader[::1] _minimals = <MinimalHeader[:1]> &_minimal
cdef TunnelData _data
cdef TunnelData[::1] _datas = <TunnelData[:1]> &_data
cdef HomeAddressOption _home
cdef HomeAddressOption[::1] _homes = <HomeAddressOption[:1]> &_home
cdef RoutingType2 _routing
cdef RoutingType2[::1] _routings = <RoutingType2[:1]> &_routing

LAYOUTS = {"IPv4Header": dtype_of(_ipv4s), "IPv6Header": dtype_of(_ipv6s), "UdpHeader": dtype_of(_udps),
           "GreHeader": dtype_of(_gres), "MinimalHeader": dtype_of(_minimals), "TunnelData": dtype_of(_datas),
           "HomeAddressOption": dtype_of(_homes), "RoutingType2": dtype_of(_routings)}


# ---------------------------------------------------------------- the Internet checksum

cdef uint32_t add_up(const uint8_t* p, uint32_t n, uint32_t sum) noexcept nogil:
    """One's complement sum of 16-bit words, unfolded; an odd last octet is the high half of a word. RFC 1071 1."""
    cdef uint32_t k
    for k in range(0, n - n % 2, 2):
        sum += get16(p + k)
    if n % 2:
        sum += <uint32_t> p[n - 1] << 8
    return (sum & 0xffff) + (sum >> 16)


cdef uint16_t finish(uint32_t sum) noexcept nogil:
    sum = (sum & 0xffff) + (sum >> 16)
    return <uint16_t> ~((sum & 0xffff) + (sum >> 16))


cdef uint32_t pseudo_header(const uint8_t* source, const uint8_t* destination, int width, uint32_t length,
                            int protocol) noexcept nogil:
    """RFC 768 for addresses of 4 octets, RFC 8200 8.1 for 16: zeros and field widths add nothing to the sum."""
    return add_up(source, width, add_up(destination, width, (length >> 16) + (length & 0xffff) + protocol))


# ---------------------------------------------------------------- the walk to the upper layer

cdef inline int locate4(const uint8_t* p, uint32_t n, Located* out, int* fault) noexcept nogil:
    cdef uint32_t head = (p[0] & 15) * 4
    cdef uint16_t part
    if n < 20:
        fault[0] = <int> n
        return State.TOO_SHORT
    out.size, out.source, out.destination, part = get16(p + 2), 12, 16, get16(p + 6)
    if head < 20 or head > out.size or out.size > n:
        fault[0] = 0 if head < 20 else 2
        return State.BAD_LENGTH
    out.protocol, out.upper = p[9], head
    if part & FRAGMENT_OFFSET:
        out.fragment = Fragment.LATER
    elif part & MORE_FRAGMENTS:
        out.fragment = Fragment.FIRST
    return State.OK


cdef inline int note_home_address(const uint8_t* p, uint32_t at, uint32_t end, Located* out,
                                  int* fault) noexcept nogil:
    """Options of a Destination Options header, RFC 8200 4.2, 4.6: only the Home Address option matters here."""
    while at < end:
        if p[at] == 0:
            at += 1
            continue
        fault[0] = <int> at
        if end - at < 2 or p[at + 1] > end - at - 2:
            return State.EXTENSION_OVERRUN
        if p[at] == HOME_ADDRESS_OPTION:
            if p[at + 1] != 16:
                return State.BAD_EXTENSION
            out.source = at + 2
        at += 2 + p[at + 1]
    return State.OK


cdef inline int look_into(const uint8_t* p, uint32_t at, uint32_t size, Located* out, int* fault) noexcept nogil:
    """What one extension header of `size` octets says of addresses and fragments."""
    if out.protocol == Protocol.DESTINATION_OPTIONS:
        return note_home_address(p, at + 2, at + size, out, fault)
    if out.protocol == Protocol.ROUTING_HEADER and p[at + 2] == 2:
        if size != sizeof(RoutingType2):
            return State.BAD_EXTENSION
        if p[at + 3]:
            out.destination = at + 8          # RFC 6275 6.4.1: the final destination while segments are left
    if out.protocol == Protocol.FRAGMENT_HEADER:
        if get16(p + at + 2) & 0xfff8:
            out.fragment = Fragment.LATER
        elif p[at + 3] & 1:
            out.fragment = Fragment.FIRST
    return State.OK


cdef inline bint is_extension(int protocol) noexcept nogil:
    return (protocol == Protocol.HOP_BY_HOP or protocol == Protocol.ROUTING_HEADER
            or protocol == Protocol.FRAGMENT_HEADER or protocol == Protocol.DESTINATION_OPTIONS
            or protocol == Protocol.AUTHENTICATION_HEADER)


cdef inline int locate6(const uint8_t* p, uint32_t n, Located* out, int* fault) noexcept nogil:
    """Each extension header is 8 octets at least, so that the walk ends. RFC 8200 4."""
    cdef uint32_t at = 40, size
    cdef int status
    if n < 40:
        fault[0] = <int> n
        return State.TOO_SHORT
    out.size, out.source, out.destination, out.protocol = 40 + get16(p + 4), 8, 24, p[6]
    if out.size > n:
        fault[0] = 4
        return State.BAD_LENGTH
    while is_extension(out.protocol) and out.fragment != Fragment.LATER:
        fault[0] = <int> at
        if out.size - at < 8:
            return State.EXTENSION_OVERRUN
        size = 8
        if out.protocol == Protocol.AUTHENTICATION_HEADER:
            size = (p[at + 1] + 2) * 4
        elif out.protocol != Protocol.FRAGMENT_HEADER:
            size = (p[at + 1] + 1) * 8
        if size < 8 or size > out.size - at:
            return State.EXTENSION_OVERRUN
        status = look_into(p, at, size, out, fault)
        if status != State.OK:
            return status
        out.protocol = p[at]
        at += size
    out.upper = at
    return State.OK


cdef int locate(const uint8_t* p, uint32_t n, Located* out, int* fault) noexcept nogil:
    """Status of an IPv4 or IPv6 packet, and where its upper layer is. Fragments are named, not put together."""
    cdef int status
    out.fragment, out.source_port, out.destination_port, fault[0] = Fragment.WHOLE, 0, 0, 0
    out.protocol, out.upper, out.payload, out.length, out.size, out.version = 0, 0, 0, 0, 0, 0
    if n == 0:
        return State.TOO_SHORT
    out.version = p[0] >> 4
    if out.version != 4 and out.version != 6:
        return State.WRONG_TYPE
    status = locate4(p, n, out, fault) if out.version == 4 else locate6(p, n, out, fault)
    if status != State.OK:
        return status
    out.payload, out.length = out.upper, out.size - out.upper
    if out.protocol == Protocol.PROTOCOL_UDP and out.fragment != Fragment.LATER:
        return locate_udp(p + out.upper, out, fault)
    return State.OK


cdef inline int locate_udp(const uint8_t* p, Located* out, int* fault) noexcept nogil:
    """A first fragment holds less than the length says."""
    fault[0] = <int> out.upper
    if out.length < 8:
        return State.TOO_SHORT
    fault[0] = <int> out.upper + 4
    if get16(p + 4) < 8 or (get16(p + 4) > out.length and out.fragment == Fragment.WHOLE):
        return State.BAD_LENGTH
    out.source_port, out.destination_port = get16(p), get16(p + 2)
    out.payload += 8
    out.length = min(<uint32_t> get16(p + 4), out.length) - 8
    return State.OK


cdef bint checksum_is_right(const uint8_t* p, const Located* at) noexcept nogil:
    """Of a whole UDP datagram (RFC 768: 0 is none, over IPv4) or Mobility Header (RFC 6275 6.1.1); others: true."""
    cdef int width = 4 if at.version == 4 else 16
    cdef uint32_t n = at.size - at.upper
    if at.fragment != Fragment.WHOLE:
        return True
    if at.protocol == Protocol.PROTOCOL_UDP:
        if get16(p + at.upper + 6) == 0:
            return width == 4
        n = get16(p + at.upper + 4)
    elif at.protocol != Protocol.MOBILITY_HEADER:
        return True
    return finish(add_up(p + at.upper, n, pseudo_header(p + at.source, p + at.destination, width, n,
                                                        at.protocol))) == 0


# ---------------------------------------------------------------- headers written

cdef uint8_t* put_ipv4(uint8_t* at, uint32_t source, uint32_t destination, int protocol, uint32_t length, int tos,
                       int ttl, int identification, int fragment) noexcept nogil:
    """A header without options before `length` octets; returns where they go."""
    at[0], at[1], at[8], at[9] = 0x45, <uint8_t> tos, <uint8_t> ttl, <uint8_t> protocol
    put16(at + 2, <uint16_t> (20 + length))
    put16(at + 4, <uint16_t> identification)
    put16(at + 6, <uint16_t> fragment)
    put16(at + 10, 0)
    put32(at + 12, source)
    put32(at + 16, destination)
    put16(at + 10, finish(add_up(at, 20, 0)))
    return at + 20


cdef uint8_t* put_ipv6(uint8_t* at, const uint8_t* source, const uint8_t* destination, int next_header,
                       uint32_t length, int hop_limit) noexcept nogil:
    put32(at, 0x60000000)
    put16(at + 4, <uint16_t> length)
    at[6], at[7] = <uint8_t> next_header, <uint8_t> hop_limit
    memcpy(at + 8, source, 16)
    memcpy(at + 24, destination, 16)
    return at + 40


cdef uint8_t* put_home_address(uint8_t* at, int next_header, const uint8_t* home_address) noexcept nogil:
    """A Destination Options header of 24 octets with a Home Address option at 8n+6, RFC 6275 6.3, 11.7.1."""
    cdef HomeAddressOption* option = <HomeAddressOption*> (at + 6)
    at[0], at[1] = <uint8_t> next_header, 2
    put32(at + 2, 0x01020000)                # PadN of 4 octets
    option.type, option.length = HOME_ADDRESS_OPTION, 16
    memcpy(option.home_address, home_address, 16)
    return at + 24


cdef uint8_t* put_routing(uint8_t* at, int next_header, const uint8_t* home_address) noexcept nogil:
    """A type 2 routing header, RFC 6275 6.4.1."""
    cdef RoutingType2* header = <RoutingType2*> at
    header.next_header, header.length, header.type, header.segments_left, header.reserved = <uint8_t> next_header, 2, 2, 1, 0
    memcpy(header.home_address, home_address, 16)
    return at + sizeof(RoutingType2)


# ---------------------------------------------------------------- for Python

class Location(NamedTuple):
    """The upper layer of a packet. `source` and `destination` are those of checksums: the home address, where a Home Address
    option or a type 2 routing header names it; `sender` and `receiver` those of the IP header."""
    version: int
    protocol: int
    source: object
    destination: object
    sender: object
    receiver: object
    source_port: int
    destination_port: int
    fragment: int
    upper: int
    payload: memoryview
    checksum_right: bool


_new_tuple = tuple.__new__       # without the price of a NamedTuple's own


cdef object _address(const uint8_t* p, int version):
    return address4(p) if version == 4 else address6(p)


def look(data):
    """`Location` of the upper layer in an IPv4 or IPv6 packet; DecodeError. `payload` is a view of what UDP carries,
    of the whole Mobility Header, and so on; what follows the packet's own length is left out."""
    cdef bytes octets = as_bytes(data)
    cdef const uint8_t* p = octets
    cdef Located at
    cdef int fault, status = locate(p, <uint32_t> len(octets), &at, &fault)
    if status != State.OK:
        raise DecodeError("IP packet", fault, Status(status).name.lower().replace("_", " "), status)
    source, destination = _address(p + at.source, at.version), _address(p + at.destination, at.version)
    return _new_tuple(Location, (
        at.version, at.protocol, source, destination,
        source if at.source <= 12 else _address(p + 8, 6), destination if at.destination <= 24 else _address(p + 24, 6),
        at.source_port, at.destination_port, at.fragment, at.upper, memoryview(octets)[at.payload:at.payload + at.length],
        checksum_is_right(p, &at)))


def ipv6_packet(source, destination, next_header, payload, hop_limit=64, home_address=None, routing_address=None):
    """An IPv6 packet; with `routing_address` a type 2 routing header, with `home_address` a Home Address option in it. EncodeError."""
    cdef uint8_t[88] head
    cdef uint8_t[4][16] addresses
    cdef bytes octets = as_bytes(payload, "payload")
    cdef uint8_t* end = head + 40
    cdef bint option = home_address is not None, routing = routing_address is not None
    cdef int inner = <int> whole(next_header, "next_header", 0, 255), hops = <int> whole(hop_limit, "hop_limit", 0, 255)
    cdef int first = Protocol.ROUTING_HEADER if routing else Protocol.DESTINATION_OPTIONS if option else inner
    for k, (name, address) in enumerate((("source", source), ("destination", destination), ("home_address", home_address),
                                         ("routing_address", routing_address))):
        if k < 2 or address is not None:
            put_address6(address, addresses[<int> k], name)
    if routing:
        end = put_routing(end, Protocol.DESTINATION_OPTIONS if option else inner, addresses[3])
    if option:
        end = put_home_address(end, inner, addresses[2])
    if <Py_ssize_t> len(octets) + (end - head) - 40 > 0xffff:
        raise EncodeError("payload", f"{len(octets)} octets do not fit an IPv6 packet")
    put_ipv6(head, addresses[0], addresses[1], first, <uint32_t> (len(octets) + (end - head) - 40), hops)
    return (<bytes> head[:end - head]) + octets


def checksum(data, start=0):
    """The Internet checksum (RFC 1071) of octets; 0 where a right one is among them. `start` is a partial sum."""
    cdef bytes octets = as_bytes(data)
    return finish(add_up(octets, <uint32_t> len(octets), <uint32_t> whole(start, "start", 0, 0xffffffff)))
