"""Agent Advertisements and Solicitations between octets and objects. RFC 5944 2, RFC 1256 3."""
from libc.stdint cimport uint8_t, uint32_t
from libc.string cimport memset

from fastcodec.errors import DecodeError, EncodeError
from fastcodec.extension_codec cimport BEYOND, ROOM, ExtensionCodec
from fastcodec.fields cimport Plan, address4, as_bytes, octets_in, parts_in, put_address4, put_number, whole
from fastcodec.headers cimport add_up, finish
from fastcodec.mip4 cimport MOST_EXTENSIONS
from fastcodec.mip4 import EXTENSIONS
from fastcodec.overlay import dtype_of
from fastcodec.status import Status
from fastcodec.status cimport Status as State
from fastcodec.wire cimport Piece, Shape, get16, get32, put16, put32, walk

cdef enum:
    HEAD = 8                 # octets before the router addresses
    WORD = 4                 # of an entry
    LEAST_ENTRY = 2          # words: address and preference

cdef AgentAdvertisement _advertisement
cdef AgentAdvertisement[::1] _advertisements = <AgentAdvertisement[:1]> &_advertisement
cdef AgentSolicitation _solicitation
cdef AgentSolicitation[::1] _solicitations = <AgentSolicitation[:1]> &_solicitation
cdef MobilityAgent _agent
cdef MobilityAgent[::1] _agents = <MobilityAgent[:1]> &_agent
LAYOUTS = {"AgentAdvertisement": dtype_of(_advertisements), "AgentSolicitation": dtype_of(_solicitations),
           "MobilityAgent": dtype_of(_agents)}

# What an advertisement may carry: its own, and those of registrations that may stand in both (RFC 5944 1.8, 3846 3, 3115 3).
# Experiments have no subtype here (RFC 4064 4.2, 4.4).
ADVERTISED = {16: Shape.TLV, 19: Shape.TLV, 24: Shape.TLV, 127: Shape.TLV, 140: Shape.SHORT, 255: Shape.TLV,
              **{n: EXTENSIONS[n].shape for n in (0, 38, 134, 136)}}
for _number in range(256):
    SHAPES[<int> _number] = ADVERTISED.get(_number, Shape.UNKNOWN_MUST if _number < 128 else Shape.UNKNOWN_SKIP)

cdef ExtensionCodec CODEC = None
cdef object ADVERTISEMENT = None, ROUTER = None, SOLICITATION = None


def register(ExtensionCodec codec, advertisement, router, solicitation):
    """`fastcodec.agents` names its classes here, once, at import."""
    global CODEC, ADVERTISEMENT, ROUTER, SOLICITATION
    CODEC, ADVERTISEMENT, ROUTER, SOLICITATION = codec, advertisement, router, solicitation


cdef int extensions_at(const uint8_t* p) noexcept nogil:
    return HEAD + p[4] * p[5] * WORD


cdef int _examine_head(const uint8_t* p, int n, int type, int* fault) noexcept nogil:
    """What both messages must be: a Status, the offset of the fault."""
    fault[0] = 0
    if n < 1 or p[0] != type:
        return State.TOO_SHORT if n < 1 else State.WRONG_TYPE
    fault[0] = min(n, 0xffff)
    if n < HEAD or n > 0xffff:
        return State.TOO_SHORT if n < HEAD else State.BAD_LENGTH
    fault[0] = 2
    return State.OK if finish(add_up(p, n, 0)) == 0 else State.BAD_CHECKSUM


cdef int examine_advertisement(const uint8_t* p, int n, Piece* out, int most, int* found, int* fault) noexcept nogil:
    """A Status, the pieces of an advertisement, the offset of the fault."""
    cdef int status = _examine_head(p, n, ROUTER_ADVERTISEMENT, fault)
    found[0] = 0
    if status != State.OK:
        return status
    if p[5] < LEAST_ENTRY:
        fault[0] = 5
        return State.BAD_LENGTH
    if extensions_at(p) > n:
        fault[0] = n
        return State.TOO_SHORT
    status = walk(p, n, extensions_at(p), SHAPES, out, most, fault)
    if status < 0:
        return -status
    found[0] = status
    return State.OK


cdef object _refusal(str name, const uint8_t* p, int n, int status, int fault):
    if status == State.WRONG_TYPE:
        return DecodeError(name, fault, f"ICMP type {p[0]}", status)
    if status == State.BAD_CHECKSUM:
        return DecodeError(f"{name}.checksum", fault, f"{get16(p + 2):#06x} is wrong (RFC 1256 3)", status)
    if status == State.TOO_SHORT:
        return DecodeError(name, fault, f"{n} octets, {HEAD if n < HEAD else extensions_at(p)} needed", status)
    if status == State.BAD_LENGTH and fault == 5:
        return DecodeError(f"{name}.entry_size", fault, f"{p[5]}, at least {LEAST_ENTRY} needed (RFC 1256 3)", status)
    if status == State.BAD_LENGTH:
        return DecodeError(name, fault, f"{n} octets are not its length", status)
    return DecodeError(f"{name}: extension {p[fault]}", fault, Status(status).name.lower().replace("_", " "), status)


cdef list _routers(const uint8_t* p):
    """[RouterAddress, ...]; entries may be longer than we know, RFC 1256 3."""
    cdef int entry = p[5] * WORD, k
    cdef const uint8_t* at
    cdef list out = []
    for k in range(p[4]):
        at = p + HEAD + k * entry
        out.append(ROUTER(address4(at), <object> <int> get32(at + 4), <bytes> at[2 * WORD:entry]))
    return out


def decode_advertisement(data):
    """An AgentAdvertisement of an ICMP message; DecodeError."""
    cdef Piece[MOST_EXTENSIONS] pieces
    cdef bytes octets = as_bytes(data)
    cdef const uint8_t* p = octets
    cdef int n = <int> len(octets), found, fault
    cdef int status = examine_advertisement(p, n, pieces, MOST_EXTENSIONS, &found, &fault)
    if status != State.OK:
        raise _refusal("AgentAdvertisement", p, n, status, fault)
    return ADVERTISEMENT(p[1], get16(p + 6), _routers(p), CODEC.make_all(p, n, extensions_at(p), pieces, found),
                         p[5] if p[4] == 0 and p[5] != LEAST_ENTRY else 0)


def decode_solicitation(data):
    """An AgentSolicitation of an ICMP message; DecodeError."""
    cdef bytes octets = as_bytes(data)
    cdef const uint8_t* p = octets
    cdef int n = <int> len(octets), fault
    cdef int status = _examine_head(p, n, ROUTER_SOLICITATION, &fault)
    if status == State.OK and n > HEAD:
        status, fault = State.BAD_LENGTH, HEAD
    if status != State.OK:
        raise _refusal("AgentSolicitation", p, n, status, fault)
    return SOLICITATION(p[1], get32(p + 4))


def decode(data):
    """An AgentSolicitation or an AgentAdvertisement, by the ICMP type; DecodeError."""
    cdef bytes octets = as_bytes(data)
    return decode_solicitation(octets) if octets[:1] == b"\x0a" else decode_advertisement(octets)


cdef int _put_router(object router, uint8_t* at, int words) except -1:
    cdef bytes rest = octets_in(router.rest, "RouterAddress.rest")
    cdef int k
    preference = router.preference
    if not isinstance(preference, int) or not -0x80000000 <= preference < 0x80000000:
        raise EncodeError("RouterAddress.preference", f"{preference!r} is no signed number of 32 bits")
    if len(rest) != (words - LEAST_ENTRY) * WORD:
        raise EncodeError("RouterAddress.rest", "is not as long in all addresses, or no multiple of four octets")
    put_address4(router.address, at, "RouterAddress.address")
    put32(at + 4, <uint32_t> <long long> preference)
    for k in range(<int> len(rest)):
        at[8 + k] = (<const uint8_t*> rest)[k]
    return words * WORD


cdef int _put_routers(object message, uint8_t* buffer) except -1:
    """Number and size of the entries, and they; where the extensions start."""
    cdef list routers = parts_in(message.routers, "AgentAdvertisement.routers")
    cdef int words, at = HEAD, empty = <int> whole(message.empty_entry_size, "AgentAdvertisement.empty_entry_size", 0, 255)
    if empty and (routers or empty <= LEAST_ENTRY):
        raise EncodeError("AgentAdvertisement.empty_entry_size", f"{empty}: 0 is needed with routers and for the usual size, "
                          f"above {LEAST_ENTRY} otherwise (RFC 1256 3)")
    for router in routers:
        if type(router) is not ROUTER:
            raise EncodeError("AgentAdvertisement.routers", f"{type(router).__name__} is no RouterAddress")
    words = (LEAST_ENTRY + <int> (len(octets_in(routers[0].rest, "RouterAddress.rest")) // WORD) if routers
             else empty or LEAST_ENTRY)
    put_number(len(routers), buffer + 4, 1, "AgentAdvertisement.routers")
    put_number(words, buffer + 5, 1, "AgentAdvertisement.entry_size")
    for router in routers:
        at += _put_router(router, buffer + at, words)
        if at > 0xffff:
            raise EncodeError("AgentAdvertisement.routers", "the message is longer than a datagram")
    return at


cdef int _put_extension(object extension, uint8_t* at, int room) except -1:
    cdef int n = CODEC.put_plain(extension, at, room)
    cdef Plan plan
    if n >= 0:
        return n
    plan = CODEC.plan_for(extension)
    return CODEC.put(extension, plan, at, plan.tail_octets(extension))


def encode_advertisement(message):
    """The ICMP message, its checksum computed; EncodeError."""
    cdef uint8_t[ROOM + BEYOND] buffer
    cdef int at
    memset(buffer, 0, HEAD)
    buffer[0] = ROUTER_ADVERTISEMENT
    put_number(message.code, buffer + 1, 1, "AgentAdvertisement.code")
    put_number(message.lifetime, buffer + 6, 2, "AgentAdvertisement.lifetime")
    at = _put_routers(message, buffer)
    for extension in parts_in(message.extensions, "extensions"):
        at += _put_extension(extension, buffer + at, ROOM - at)
        if at > 0xffff:
            raise EncodeError("extensions", "the message is longer than a datagram")
    put16(buffer + 2, finish(add_up(buffer, at, 0)))
    return <bytes> buffer[:at]


def encode_solicitation(message):
    """The ICMP message, its checksum computed; EncodeError."""
    cdef uint8_t[HEAD] buffer
    memset(buffer, 0, HEAD)
    buffer[0] = ROUTER_SOLICITATION
    put_number(message.code, buffer + 1, 1, "AgentSolicitation.code")
    put_number(message.reserved, buffer + 4, 4, "AgentSolicitation.reserved")
    put16(buffer + 2, finish(add_up(buffer, HEAD, 0)))
    return <bytes> buffer[:HEAD]
