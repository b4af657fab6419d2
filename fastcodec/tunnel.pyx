"""Packets inside IPv4 packets, wrapped and unwrapped. Fragments are named, never put together."""
from libc.stdint cimport uint8_t, uint16_t, uint32_t
from libc.string cimport memcpy, memset

from fastcodec.errors import DecodeError, EncodeError
from fastcodec.fields cimport Plan, as_bytes, put_address4, put_number, whole
from fastcodec.headers cimport (DONT_FRAGMENT, DSMIPV6_PORT, FRAGMENT_OFFSET, GRE_CHECKSUM, GRE_KEY, GRE_SEQUENCE, MINIMAL_SOURCE,
                                MOBILE_IP_PORT, MORE_FRAGMENTS, TUNNEL_DATA, Fragment, GreHeader, Located, MinimalHeader, Protocol,
                                TunnelData, UdpHeader, add_up, checksum_is_right, finish, locate, pseudo_header, put_ipv4)
from fastcodec.status import Status
from fastcodec.status cimport Status as State
from fastcodec.wire cimport get16, get32, put16, put32

cdef enum:
    ROOM = 0xffff
    GRE_UNKNOWN = 0x4fff     # Routing, reserved and version bits: a packet with one of them is not ours, RFC 2784 2.1-2.3


# ---------------------------------------------------------------- what is inside

cdef bint is_forbidden_source(const uint8_t* address) noexcept nogil:
    """Multicast, loopback, IPv4-compatible and IPv4-mapped addresses send nothing through a tunnel, RFC 4213 3.6."""
    cdef int k
    if address[0] == 0xff:
        return True
    for k in range(10):
        if address[k]:
            return False
    if get16(address + 10) == 0xffff:
        return True
    return get16(address + 10) == 0 and get32(address + 12) != 0


cdef inline int measure(const uint8_t* p, uint32_t size, Tunnel* out, int* fault) noexcept nogil:
    """The packet inside ends where its own header says; `size` is where the outer one ends."""
    cdef uint32_t left = size - out.inner
    cdef const uint8_t* inner = p + out.inner
    fault[0] = <int> out.inner
    if left < 1:
        return State.TOO_SHORT
    out.version = inner[0] >> 4
    if out.version != (6 if out.protocol == Protocol.IPV6_IN_IP else 4):
        return State.WRONG_TYPE
    if left < (40 if out.version == 6 else 20):
        return State.TOO_SHORT
    out.length = 40 + get16(inner + 4) if out.version == 6 else get16(inner + 2)
    if out.length > left or (out.version == 4 and out.length < <uint32_t> (inner[0] & 15) * 4) or out.length < 20:
        return State.BAD_LENGTH
    return State.OK


cdef inline int open_gre(const uint8_t* p, uint32_t size, Tunnel* out, int* fault) noexcept nogil:
    """RFC 2784 2, RFC 2890 2: checksum and reserved, key, sequence, each where its bit says so."""
    cdef uint32_t at = out.inner
    cdef uint16_t flags
    fault[0] = <int> at
    if size - at < sizeof(GreHeader):
        return State.TOO_SHORT
    flags = get16(p + at)
    if flags & GRE_UNKNOWN:
        return State.WRONG_TYPE
    at += sizeof(GreHeader)
    at += 4 * ((flags & GRE_CHECKSUM != 0) + (flags & GRE_KEY != 0) + (flags & GRE_SEQUENCE != 0))
    if at > size:
        return State.TOO_SHORT
    if flags & GRE_CHECKSUM and finish(add_up(p + out.inner, size - out.inner, 0)):
        fault[0] += 4
        return State.BAD_CHECKSUM
    out.has_sequence = flags & GRE_SEQUENCE != 0
    out.sequence = get32(p + at - 4) if out.has_sequence else 0
    out.has_key = flags & GRE_KEY != 0
    out.key = get32(p + at - (8 if out.has_sequence else 4)) if out.has_key else 0
    if get16(p + out.inner + 2) != GRE_IPV4 and get16(p + out.inner + 2) != GRE_IPV6:
        fault[0] += 2
        return State.WRONG_TYPE
    out.protocol = Protocol.IP_IN_IP if get16(p + out.inner + 2) == GRE_IPV4 else Protocol.IPV6_IN_IP
    out.inner = at
    return measure(p, size, out, fault)


cdef inline int open_minimal(const uint8_t* p, uint32_t size, Tunnel* out, int* fault) noexcept nogil:
    """RFC 2004 3.1. `length` is that of the packet as it was: the outer header and what follows the minimal one."""
    cdef uint32_t head = sizeof(MinimalHeader)
    fault[0] = <int> out.inner
    if size - out.inner < head:
        return State.TOO_SHORT
    if p[out.inner + 1] & MINIMAL_SOURCE:
        head += 4
    if size - out.inner < head:
        return State.TOO_SHORT
    if finish(add_up(p + out.inner, head, 0)):
        fault[0] += 2
        return State.BAD_CHECKSUM
    out.inner += head
    out.version, out.length = 4, <uint32_t> (p[0] & 15) * 4 + size - out.inner
    return State.OK


cdef inline int open_udp(const uint8_t* p, const Located* at, Tunnel* out, int* fault) noexcept nogil:
    """RFC 3519 3.3 by port 434 and message type 4; RFC 5555 4.1 by port 4191, the nibble behind UDP telling 4 from 6."""
    fault[0] = <int> at.upper
    if not checksum_is_right(p, at):
        fault[0] += 6
        return State.BAD_CHECKSUM
    out.head = out.inner = at.payload
    if at.source_port == DSMIPV6_PORT or at.destination_port == DSMIPV6_PORT:
        out.kind = TunnelKind.TUNNEL_DSMIPV6
        out.protocol = Protocol.IPV6_IN_IP if at.length and p[at.payload] >> 4 == 6 else Protocol.IP_IN_IP
        return State.OK
    if at.source_port != MOBILE_IP_PORT and at.destination_port != MOBILE_IP_PORT:
        return State.WRONG_TYPE
    fault[0] = <int> at.payload
    if at.length < sizeof(TunnelData):
        return State.TOO_SHORT
    if p[at.payload] != TUNNEL_DATA:
        return State.WRONG_TYPE
    out.protocol, out.inner = p[at.payload + 1], at.payload + <uint32_t> sizeof(TunnelData)
    return State.OK


cdef int open_tunnel(const uint8_t* p, uint32_t n, Tunnel* out, int* fault) noexcept nogil:
    """Status of an IPv4 packet that carries another packet, and where that is."""
    cdef Located at
    cdef uint32_t size
    cdef int status = locate(p, n, &at, fault)
    memset(out, 0, sizeof(Tunnel))
    if status != State.OK:
        return status
    fault[0] = 0
    if at.version != 4:
        return State.WRONG_TYPE
    fault[0] = 6
    if at.fragment != Fragment.WHOLE:
        return State.FRAGMENT
    fault[0] = 10
    if finish(add_up(p, (p[0] & 15) * 4, 0)):
        return State.BAD_CHECKSUM
    out.kind = out.protocol = at.protocol
    out.head = out.inner = at.upper
    size = at.payload + at.length
    if at.protocol == Protocol.PROTOCOL_UDP:
        status = open_udp(p, &at, out, fault)
        if status != State.OK:
            return status
    if out.protocol == Protocol.GRE:
        return open_gre(p, size, out, fault)
    if out.protocol == Protocol.MINIMAL:
        return open_minimal(p, size, out, fault)
    if out.protocol == Protocol.IP_IN_IP or out.protocol == Protocol.IPV6_IN_IP:
        return measure(p, size, out, fault)
    fault[0] = 9 if at.protocol != Protocol.PROTOCOL_UDP else <int> out.head + 1
    return State.WRONG_TYPE


cdef uint32_t rebuild_minimal(const uint8_t* p, const Tunnel* tunnel, uint8_t* out) noexcept nogil:
    """The packet as it was before minimal encapsulation, RFC 2004 3.2; its octets. `out` has room for tunnel.length."""
    cdef uint32_t head = (p[0] & 15) * 4, minimal = sizeof(MinimalHeader)
    cdef const uint8_t* hidden
    if tunnel.kind == TunnelKind.TUNNEL_UDP:
        hidden = p + tunnel.head + sizeof(TunnelData)
    else:
        hidden = p + tunnel.head
    memcpy(out, p, head)
    out[9] = hidden[0]
    memcpy(out + 16, hidden + 4, 4)
    if hidden[1] & MINIMAL_SOURCE:
        memcpy(out + 12, hidden + minimal, 4)
    put16(out + 2, <uint16_t> tunnel.length)
    put16(out + 10, 0)
    put16(out + 10, finish(add_up(out, head, 0)))
    memcpy(out + head, p + tunnel.inner, tunnel.length - head)
    return tunnel.length


# ---------------------------------------------------------------- for Python: unwrapping

cdef object UNWRAPPED = None
cdef dict PLANS = {}


def register(unwrapped, plans):
    """`fastcodec.tunnels` names its classes here, once, at import."""
    global UNWRAPPED
    UNWRAPPED = unwrapped
    PLANS.update(plans)


cdef object _refusal(const uint8_t* p, int status, int fault):
    cdef str reason = {State.FRAGMENT: "a fragment: the whole is needed (RFC 2003 3.1)", State.BAD_CHECKSUM: "wrong checksum",
                       State.WRONG_TYPE: "no tunnel, or not a packet of the version told"}.get(
        status, Status(status).name.lower().replace("_", " "))
    return DecodeError("tunnel", fault, reason, status)


cdef object _header(bytes octets, const Tunnel* tunnel, int upper):
    """The typed header of the tunnel; None where nothing stands between two IP headers."""
    cdef const uint8_t* p = octets
    cdef int protocol = p[9]
    if protocol not in PLANS:
        return None
    cdef Plan plan = PLANS[protocol]
    return plan.make(p + upper, None)


def unwrap(data, bint check_source=True):
    """`Unwrapped` of an IPv4 packet that carries another: its headers typed, the packet inside as a view. DecodeError.

    With `check_source` an IPv6 packet from a multicast, loopback, IPv4-compatible or IPv4-mapped address is refused (RFC 4213
    3.6). A packet out of minimal encapsulation is rebuilt, and no view of `data`.
    """
    cdef bytes octets = as_bytes(data)
    cdef const uint8_t* p = octets
    cdef Tunnel tunnel
    cdef int fault, status = open_tunnel(p, <uint32_t> len(octets), &tunnel, &fault)
    cdef bytearray rebuilt
    if status != State.OK:
        raise _refusal(p, status, fault)
    if tunnel.protocol == Protocol.MINIMAL:
        rebuilt = bytearray(tunnel.length)
        rebuild_minimal(p, &tunnel, <uint8_t*> rebuilt)
        inner = memoryview(bytes(rebuilt))
    else:
        if check_source and tunnel.version == 6 and is_forbidden_source(p + tunnel.inner + 8):
            raise DecodeError("tunnel: inner source", <int> tunnel.inner + 8, "sends nothing through a tunnel (RFC 4213 3.6)",
                              State.BAD_EXTENSION)
        inner = memoryview(octets)[tunnel.inner:tunnel.inner + tunnel.length]
    outer = (<Plan> PLANS["outer"]).make(p, octets[20:(p[0] & 15) * 4])
    return UNWRAPPED(TunnelKind(tunnel.kind), outer, _header(octets, &tunnel, (p[0] & 15) * 4), inner,
                     tunnel.key if tunnel.has_key else None, tunnel.sequence if tunnel.has_sequence else None)


# ---------------------------------------------------------------- for Python: wrapping

cdef int _check_inner(const uint8_t* p, uint32_t n, int kind, Located* at) except -1:
    cdef int fault, status = locate(p, n, at, &fault)
    cdef bint is_whole = at.upper >= 20 if at.version == 4 else at.version == 6 and 40 <= at.size <= n
    if status != State.OK and not is_whole:        # what is wrong behind its IP header does not matter here
        raise EncodeError("inner", f"no IP packet: {Status(status).name.lower().replace('_', ' ')} at offset {fault}")
    if (at.version == 4 and kind == TunnelKind.TUNNEL_IPV6) or (at.version == 6 and (
            kind == TunnelKind.TUNNEL_IPV4 or kind == TunnelKind.TUNNEL_MINIMAL)):
        raise EncodeError("inner", f"IPv{at.version} does not go into a tunnel of protocol {kind}")
    if kind == TunnelKind.TUNNEL_MINIMAL and get16(p + 6) & (FRAGMENT_OFFSET | MORE_FRAGMENTS):
        raise EncodeError("inner", "a fragment does not go into minimal encapsulation (RFC 2004 3.1)")
    return 0


cdef int _put_gre(uint8_t* at, int version, object key, object sequence, bint checksum) except -1:
    cdef int n = 4
    cdef uint16_t flags = 0
    if checksum:
        flags, n = GRE_CHECKSUM, 8
        put32(at + 4, 0)
    if key is not None:
        put_number(key, at + n, 4, "key")
        flags, n = flags | GRE_KEY, n + 4
    if sequence is not None:
        put_number(sequence, at + n, 4, "sequence")
        flags, n = flags | GRE_SEQUENCE, n + 4
    put16(at, flags)
    put16(at + 2, GRE_IPV4 if version == 4 else GRE_IPV6)
    return n


cdef int _put_udp_tunnel(uint8_t* at, int kind, int version, uint32_t inner, object source_port, object destination_port) except -1:
    """UDP header, its checksum still 0, and what RFC 3519 3.3 puts behind it."""
    cdef UdpHeader* udp = <UdpHeader*> at
    cdef int port = DSMIPV6_PORT if kind == TunnelKind.TUNNEL_DSMIPV6 else MOBILE_IP_PORT
    cdef int n = sizeof(UdpHeader)
    put_number(port if source_port is None else source_port, at, 2, "source_port")
    put_number(port if destination_port is None else destination_port, at + 2, 2, "destination_port")
    if kind == TunnelKind.TUNNEL_UDP:
        put32(at + n, 0)
        at[n], at[n + 1] = TUNNEL_DATA, Protocol.IP_IN_IP if version == 4 else Protocol.IPV6_IN_IP
        n += sizeof(TunnelData)
    put16(at + 4, <uint16_t> (n + inner))
    udp.checksum = 0
    return n


cdef bytes _wrap_minimal(const uint8_t* p, uint32_t n, const uint8_t* source, const uint8_t* destination):
    """RFC 2004 3.1: the header stays, but for its addresses, protocol, length and checksum."""
    cdef uint8_t[72] head
    cdef uint32_t size = (p[0] & 15) * 4, extra = 8
    cdef uint8_t* minimal = head + size
    memcpy(head, p, size)
    minimal[0], minimal[1] = p[9], 0
    put16(minimal + 2, 0)
    memcpy(minimal + 4, p + 16, 4)
    if get32(source) != get32(p + 12):
        minimal[1], extra = MINIMAL_SOURCE, 12
        memcpy(minimal + 8, p + 12, 4)
    if n + extra > ROOM:
        raise EncodeError("inner", "does not fit an IPv4 packet with its tunnel")
    put16(minimal + 2, finish(add_up(minimal, extra, 0)))
    head[9] = Protocol.MINIMAL
    memcpy(head + 12, source, 4)
    memcpy(head + 16, destination, 4)
    put16(head + 2, <uint16_t> (n + extra))
    put16(head + 10, 0)
    put16(head + 10, finish(add_up(head, size, 0)))
    return (<bytes> head[:size + extra]) + (<bytes> p[size:n])


cdef uint16_t _sum_of_udp(const uint8_t* p, uint32_t n, const uint8_t* source, const uint8_t* destination):
    cdef uint16_t value = finish(add_up(p, n, pseudo_header(source, destination, 4, n, Protocol.PROTOCOL_UDP)))
    return value or 0xffff      # RFC 768: zero would say that there is none


cdef int _kind(object kind) except -1:
    if not isinstance(kind, int) or kind not in TunnelKind.__members__.values():
        raise EncodeError("kind", f"{kind!r} is no TunnelKind")
    return kind


def wrap(kind, inner, source, destination, *, ttl=64, identification=0, tos=None, dont_fragment=None, key=None,
         sequence=None, bint checksum=False, source_port=None, destination_port=None):
    """The IPv4 packet that carries `inner` from `source` to `destination` in a tunnel of a `TunnelKind`. EncodeError.

    Unless given, TOS and DF are the inner packet's when that is IPv4 (RFC 2003 3.1), else 0 (RFC 4213 3.5, 3.2.1). Minimal
    encapsulation keeps the header of the packet, its TTL and identification too (RFC 2004 3.1). `key`, `sequence` and
    `checksum` are GRE's, the ports UDP's: 434, or 4191 for DSMIPv6. What follows the inner packet's own length is left out.
    """
    cdef bytes octets = as_bytes(inner, "inner")
    cdef const uint8_t* p = octets
    cdef uint8_t[4][4] ends
    cdef uint8_t[LONGEST_TUNNEL_HEAD] head
    cdef Located at
    cdef int n = 0, which = _kind(kind), protocol = which, type_of_service, fragment
    cdef bytearray out
    put_address4(source, ends[0], "source")
    put_address4(destination, ends[1], "destination")
    _check_inner(p, <uint32_t> len(octets), which, &at)
    if which == TunnelKind.TUNNEL_MINIMAL:
        return _wrap_minimal(p, at.size, ends[0], ends[1])
    if which == TunnelKind.TUNNEL_GRE:
        n = _put_gre(head, at.version, key, sequence, checksum)
    elif which == TunnelKind.TUNNEL_UDP or which == TunnelKind.TUNNEL_DSMIPV6:
        n, protocol = _put_udp_tunnel(head, which, at.version, at.size, source_port, destination_port), Protocol.PROTOCOL_UDP
    if at.size + n + 20 > ROOM:
        raise EncodeError("inner", "does not fit an IPv4 packet with its tunnel")
    out = bytearray(20) + head[:n] + octets[:at.size]
    if protocol == Protocol.PROTOCOL_UDP:
        put16((<uint8_t*> out) + 26, _sum_of_udp((<uint8_t*> out) + 20, n + at.size, ends[0], ends[1]))
    if which == TunnelKind.TUNNEL_GRE and checksum:
        put16((<uint8_t*> out) + 24, finish(add_up((<uint8_t*> out) + 20, n + at.size, 0)))
    type_of_service = <int> whole(tos, "tos", 0, 255) if tos is not None else p[1] if at.version == 4 else 0
    fragment = get16(p + 6) & DONT_FRAGMENT if at.version == 4 else 0
    if dont_fragment is not None:
        fragment = DONT_FRAGMENT if dont_fragment else 0
    put_ipv4(<uint8_t*> out, get32(ends[0]), get32(ends[1]), protocol, n + at.size, type_of_service, <int> whole(ttl, "ttl", 0, 255),
             <int> whole(identification, "identification", 0, 0xffff), fragment)
    return bytes(out)
