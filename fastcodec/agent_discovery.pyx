"""Agent Advertisements and Solicitations between octets and objects. RFC 5944 2, RFC 1256 3."""
from libc.stdint cimport uint8_t, uint16_t, uint32_t
from libc.string cimport memset

from fastcodec.errors import DecodeError, EncodeError
from fastcodec.extension_codec cimport BEYOND, ROOM, ExtensionCodec
from fastcodec.fields cimport Plan, address4, as_bytes, put_address4, put_number
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
ADVERTISED = {16: Shape.TLV, 19: Shape.TLV, 24: Shape.TLV, 127: Shape.TLV,
              **{n: EXTENSIONS[n].shape for n in (0, 38, 134, 136, 255)}}
cdef uint8_t[256] SHAPES
for _number in range(256):
    SHAPES[<int> _number] = ADVERTISED.get(_number, Shape.UNKNOWN_MUST if _number < 128 else Shape.UNKNOWN_SKIP)

cdef ExtensionCodec CODEC = None
cdef object ADVERTISEMENT = None, ROUTER = None, SOLICITATION = None


def register(ExtensionCodec codec, advertisement, router, solicitation):
    """`fastcodec.agents` names its classes here, once, at import."""
    global CODEC, ADVERTISEMENT, ROUTER, SOLICITATION
    CODEC, ADVERTISEMENT, ROUTER, SOLICITATION = codec, advertisement, router, solicitation


cdef uint16_t _checksum(const uint8_t* p, int n) noexcept nogil:
    """One's complement of the one's complement sum, 0 over a message that is right. RFC 1071."""
    cdef uint32_t total = 0
    cdef int k
    for k in range(0, n - 1, 2):
        total += get16(p + k)
    if n & 1:
        total += <uint32_t> p[n - 1] << 8
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return <uint16_t> ~total


cdef int _check(const uint8_t* p, int n, int type, str name) except -1:
    if n < 1 or p[0] != type:
        raise DecodeError(name, 0, f"ICMP type {p[0] if n else 0}, not {type}", State.WRONG_TYPE)
    if n < HEAD:
        raise DecodeError(name, n, f"{n} octets, {HEAD} needed", State.TOO_SHORT)
    if n > 0xffff:
        raise DecodeError(name, 0xffff, f"{n} octets are no datagram", State.BAD_LENGTH)
    if _checksum(p, n) != 0:
        raise DecodeError(f"{name}.checksum", 2, f"{get16(p + 2):#06x} is wrong (RFC 1256 3)", State.BAD_CHECKSUM)
    return 0


cdef list _routers(const uint8_t* p, int n):
    """[RouterAddress, ...]; entries may be longer than we know, RFC 1256 3."""
    cdef int entry = p[5] * WORD, k
    cdef const uint8_t* at
    cdef list out = []
    if p[5] < LEAST_ENTRY:
        raise DecodeError("AgentAdvertisement.entry_size", 5, f"{p[5]}, at least {LEAST_ENTRY} needed (RFC 1256 3)",
                          State.BAD_LENGTH)
    if HEAD + p[4] * entry > n:
        raise DecodeError("AgentAdvertisement.routers", n, f"{p[4]} addresses do not fit", State.TOO_SHORT)
    for k in range(p[4]):
        at = p + HEAD + k * entry
        out.append(ROUTER(address4(at), <object> <int> get32(at + 4), <bytes> at[2 * WORD:entry]))
    return out


def decode_advertisement(data):
    """An AgentAdvertisement of an ICMP message; DecodeError."""
    cdef Piece[MOST_EXTENSIONS] pieces
    cdef bytes octets = as_bytes(data)
    cdef const uint8_t* p = octets
    cdef int n = <int> len(octets), found, fault = 0, at
    _check(p, n, ROUTER_ADVERTISEMENT, "AgentAdvertisement")
    routers = _routers(p, n)
    at = HEAD + p[4] * p[5] * WORD
    found = walk(p, n, at, SHAPES, pieces, MOST_EXTENSIONS, &fault)
    if found < 0:
        raise DecodeError(f"AgentAdvertisement: extension {p[fault]}", fault,
                          Status(-found).name.lower().replace("_", " "), -found)
    return ADVERTISEMENT(p[1], get16(p + 6), routers, CODEC.make_all(p, n, at, pieces, found),
                         p[5] if p[4] == 0 and p[5] != LEAST_ENTRY else 0)


def decode_solicitation(data):
    """An AgentSolicitation of an ICMP message; DecodeError."""
    cdef bytes octets = as_bytes(data)
    cdef const uint8_t* p = octets
    cdef int n = <int> len(octets)
    _check(p, n, ROUTER_SOLICITATION, "AgentSolicitation")
    if n > HEAD:
        raise DecodeError("AgentSolicitation", HEAD, f"{n} octets, {HEAD} allowed", State.BAD_LENGTH)
    return SOLICITATION(p[1], get32(p + 4))


cdef int _put_router(object router, uint8_t* at, int words) except -1:
    cdef bytes rest = as_bytes(router.rest)
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
    cdef list routers = list(message.routers)
    cdef int words, at = HEAD
    words = LEAST_ENTRY + <int> (len(as_bytes(routers[0].rest)) // WORD) if routers else message.empty_entry_size or LEAST_ENTRY
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
    plan = getattr(type(extension), "plan", None)
    if plan is None or not isinstance(extension, CODEC.base):
        raise EncodeError("extensions", f"{type(extension).__name__} is no extension")
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
    for extension in message.extensions:
        at += _put_extension(extension, buffer + at, ROOM - at)
        if at > 0xffff:
            raise EncodeError("extensions", "the message is longer than a datagram")
    put16(buffer + 2, _checksum(buffer, at))
    return <bytes> buffer[:at]


def encode_solicitation(message):
    """The ICMP message, its checksum computed; EncodeError."""
    cdef uint8_t[HEAD] buffer
    memset(buffer, 0, HEAD)
    buffer[0] = ROUTER_SOLICITATION
    put_number(message.code, buffer + 1, 1, "AgentSolicitation.code")
    put_number(message.reserved, buffer + 4, 4, "AgentSolicitation.reserved")
    put16(buffer + 2, _checksum(buffer, HEAD))
    return <bytes> buffer[:HEAD]
