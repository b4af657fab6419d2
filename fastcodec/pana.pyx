"""PANA: layouts, the one table of pairs, the walk, the rules that need no state, AUTH and its key. RFC 5191."""
from typing import NamedTuple

from libc.stdint cimport uint8_t, uint16_t, uint32_t
from libc.string cimport memset

from fastcodec.digest.jobs import compare, hmac_sha1, hmac_sha256
from fastcodec.errors import AuthenticationError, DecodeError, EncodeError
from fastcodec.fields cimport Plan, as_bytes, octets_in, parts_in, whole
from fastcodec.overlay import dtype_of
from fastcodec.secret cimport key_octets
from fastcodec.status import Status
from fastcodec.status cimport Status as State
from fastcodec.wire cimport get16, get32, put16

cdef PanaHeader _header
cdef PanaHeader[::1] _headers = <PanaHeader[:1]> &_header
cdef Avp _avp
cdef Avp[::1] _avps = <Avp[:1]> &_avp
cdef NumberAvp _number
cdef NumberAvp[::1] _numbers = <NumberAvp[:1]> &_number
cdef VendorAvp _vendor
cdef VendorAvp[::1] _vendors = <VendorAvp[:1]> &_vendor

LAYOUTS = {"PanaHeader": dtype_of(_headers), "Avp": dtype_of(_avps), "NumberAvp": dtype_of(_numbers),
           "VendorAvp": dtype_of(_vendors)}


class Pair(NamedTuple):
    """What the walk and the rules must know of a code; an unknown one makes a message invalid, RFC 5191 5.5."""
    name: str
    layout: str          # its struct
    minimum: int         # octets of the value
    maximum: int
    single: bool         # at most one; algorithms are many in an offer, one in an answer


AVPS = {
    1: Pair("auth", "Avp", 16, 20, True),                        # RFC 5191 8.1
    2: Pair("eap_payload", "Avp", 4, 0xffff, True),              # RFC 5191 8.2
    3: Pair("integrity_algorithm", "NumberAvp", 4, 4, False),    # RFC 5191 8.3
    4: Pair("key_id", "NumberAvp", 4, 4, True),                  # RFC 5191 8.4
    5: Pair("nonce", "Avp", 8, 256, True),                       # RFC 5191 8.5
    6: Pair("prf_algorithm", "NumberAvp", 4, 4, False),          # RFC 5191 8.6
    7: Pair("result_code", "NumberAvp", 4, 4, True),             # RFC 5191 8.7
    8: Pair("session_lifetime", "NumberAvp", 4, 4, True),        # RFC 5191 8.8
    9: Pair("termination_cause", "NumberAvp", 4, 4, True),       # RFC 5191 8.9
}

cdef enum:
    KNOWN = 10           # codes below are in the table, but for 0
    HEADER = 16
    ROOM = 0xffff        # a length is 16 bits

cdef uint16_t[KNOWN] MINIMUM
cdef uint16_t[KNOWN] MAXIMUM
cdef uint8_t[KNOWN] SINGLE
for _code, _row in AVPS.items():
    MINIMUM[<int> _code], MAXIMUM[<int> _code], SINGLE[<int> _code] = _row.minimum, _row.maximum, _row.single


# ---------------------------------------------------------------- the walk and the rules

cdef inline int walk_avps(const uint8_t* p, int n, AvpPiece* out, int most, int* fault) noexcept nogil:
    """Number of pairs, or minus a Status. Length counts the value alone, padding goes to a multiple of 4, RFC 5191 6.3."""
    cdef int found = 0, at = HEADER, head, length
    while at < n:
        fault[0] = at
        if found == most:
            return -State.TOO_MANY_EXTENSIONS
        if n - at < 8:
            return -State.EXTENSION_OVERRUN
        out[found].vendor = get16(p + at + 2) & AVP_VENDOR_FLAG != 0
        head, length = 12 if out[found].vendor else 8, get16(p + at + 4)
        if n - at - head < (length + 3) // 4 * 4:
            return -State.EXTENSION_OVERRUN
        out[found].code, out[found].head = get16(p + at), <uint16_t> at
        out[found].offset, out[found].length = <uint16_t> (at + head), <uint16_t> length
        if not out[found].vendor and 0 < out[found].code < KNOWN:
            if not MINIMUM[out[found].code] <= length <= MAXIMUM[out[found].code]:
                return -State.BAD_EXTENSION
            if out[found].code == AvpCode.AVP_AUTH and length != 16 and length != 20:
                return -State.BAD_EXTENSION
        at += head + (length + 3) // 4 * 4
        found += 1
    return found


cdef int examine_pana(const uint8_t* p, uint32_t n, AvpPiece* out, int most, int* found, int* fault) noexcept nogil:
    """Whether the datagram is a message at all, and its pairs: a Status. RFC 5191 6.2, 6.3."""
    cdef int count
    found[0], fault[0] = 0, <int> n
    if n < HEADER:
        return State.TOO_SHORT
    fault[0] = 2
    if get16(p + 2) != n:
        return State.BAD_LENGTH
    fault[0] = 6
    if not PanaType.PANA_CLIENT_INITIATION <= get16(p + 6) <= PanaType.PANA_NOTIFICATION:
        return State.WRONG_TYPE
    count = walk_avps(p, <int> n, out, most, fault)
    found[0] = max(count, 0)
    return State.OK if count >= 0 else -count


cdef int find_avp(const AvpPiece* pieces, int found, int code) noexcept nogil:
    """Index of the first pair of that code without vendor, or -1."""
    cdef int k
    for k in range(found):
        if pieces[k].code == code and not pieces[k].vendor:
            return k
    return -1


cdef inline bint flags_can_be(int type, int flags) noexcept nogil:
    """RFC 5191 6.2, 7: S and C belong to authentication and exclude each other, as A and P do for notification."""
    cdef int start = flags & (PanaFlag.PANA_START | PanaFlag.PANA_COMPLETE)
    cdef int note = flags & (PanaFlag.PANA_REAUTHENTICATION | PanaFlag.PANA_PING)
    if type == PanaType.PANA_AUTH:
        return note == 0 and start != (PanaFlag.PANA_START | PanaFlag.PANA_COMPLETE)
    if type == PanaType.PANA_NOTIFICATION:
        return start == 0 and (note == PanaFlag.PANA_REAUTHENTICATION or note == PanaFlag.PANA_PING)
    return start == 0 and note == 0


cdef inline int check_pairs(const uint8_t* p, const AvpPiece* pieces, int found, bint offer, int* fault) noexcept nogil:
    """Known codes, each as often as it may be, AUTH last. RFC 5191 5.5, 8."""
    cdef int k, code
    for k in range(found):
        if pieces[k].vendor:
            continue
        code, fault[0] = pieces[k].code, pieces[k].head
        if code == 0 or code >= KNOWN:
            return State.UNKNOWN_EXTENSION
        if (SINGLE[code] or not offer) and find_avp(pieces, k, code) >= 0:
            return State.DOUBLED_EXTENSION
        if code == AvpCode.AVP_AUTH and k != found - 1:
            return State.BAD_EXTENSION
    return State.OK


cdef inline int check_presence(const uint8_t* p, const AvpPiece* pieces, int found, int flags) noexcept nogil:
    """Pairs that a message must have: Termination-Cause; Result-Code, with success a lifetime, at the end of authentication;
    AUTH with Key-Id there. RFC 5191 7, 8."""
    cdef int type = get16(p + 6), result = find_avp(pieces, found, AvpCode.AVP_RESULT_CODE)
    cdef bint request = flags & PanaFlag.PANA_REQUEST != 0, complete = flags & PanaFlag.PANA_COMPLETE != 0
    if type == PanaType.PANA_TERMINATION and request and find_avp(pieces, found, AvpCode.AVP_TERMINATION_CAUSE) < 0:
        return State.MISSING_EXTENSION
    if type == PanaType.PANA_AUTH and request and complete:
        if result < 0:
            return State.MISSING_EXTENSION
        if (get32(p + pieces[result].offset) == PanaResult.PANA_SUCCESS
                and find_avp(pieces, found, AvpCode.AVP_SESSION_LIFETIME) < 0):
            return State.MISSING_EXTENSION
    if complete and (find_avp(pieces, found, AvpCode.AVP_KEY_ID) < 0) != (find_avp(pieces, found, AvpCode.AVP_AUTH) < 0):
        return State.MISSING_EXTENSION
    return State.OK


cdef int check_pana(const uint8_t* p, const AvpPiece* pieces, int found, int* fault) noexcept nogil:
    """Whether the message is valid by itself, without the state of a session: a Status. RFC 5191 5.5."""
    cdef int type = get16(p + 6), flags = get16(p + 4), status
    fault[0] = 4
    if not flags_can_be(type, flags):
        return State.WRONG_TYPE
    if type == PanaType.PANA_CLIENT_INITIATION:
        if flags & PanaFlag.PANA_REQUEST:
            return State.WRONG_TYPE
        fault[0] = 8
        if get32(p + 8) or get32(p + 12):
            return State.WRONG_TYPE
        fault[0] = HEADER
        if find_avp(pieces, found, AvpCode.AVP_AUTH) >= 0:
            return State.BAD_EXTENSION
    status = check_pairs(p, pieces, found, flags & (PanaFlag.PANA_REQUEST | PanaFlag.PANA_START) ==
                         (PanaFlag.PANA_REQUEST | PanaFlag.PANA_START), fault)
    if status != State.OK:
        return status
    fault[0] = get16(p + 2)
    return check_presence(p, pieces, found, flags)


# ---------------------------------------------------------------- AUTH and its key

_PRFS = {PrfAlgorithm.PRF_HMAC_SHA1: hmac_sha1, PrfAlgorithm.PRF_HMAC_SHA2_256: hmac_sha256}
_MACS = {IntegrityAlgorithm.AUTH_HMAC_SHA1_160: (hmac_sha1, 20, 20),        # digest, octets of the tag, of the key
         IntegrityAlgorithm.AUTH_HMAC_SHA2_256_128: (hmac_sha256, 16, 32)}


cdef object _chosen(dict table, object number, str name, str names):
    if not isinstance(number, int) or number not in table:
        raise EncodeError(name, f"{number!r} is no {names}")
    return table[number]


def prf_plus(key, seed, octets, prf=2):
    """prf+ of IKEv2, RFC 4306 2.13: as many octets as asked for, at most 255 blocks."""
    cdef bytes out = b"", block = b"", text = as_bytes(seed, "seed")
    cdef bytes secret = key_octets(key)
    cdef int counter = 1, wanted = <int> whole(octets, "octets", 0, 0xffff)
    function = _chosen(_PRFS, prf, "prf", "PrfAlgorithm")
    while <Py_ssize_t> len(out) < wanted:
        if counter > 255:
            raise EncodeError("octets", f"{octets} are more than 255 blocks (RFC 4306 2.13)")
        block = function(secret, block + text + bytes((counter,)))
        out += block
        counter += 1
    return out[:wanted]


def pana_auth_key(msk, initial_request, initial_answer, pac_nonce, paa_nonce, key_id, prf=2, integrity=7):
    """PANA_AUTH_KEY, RFC 5191 5.3, as long as the integrity algorithm wants its key.

    `initial_request` and `initial_answer` are the first PAR and PAN with the S bit, whole, as sent; `key_id` a number.
    """
    size = _chosen(_MACS, integrity, "integrity", "IntegrityAlgorithm")[2]
    seed = b"".join((b"IETF PANA", as_bytes(initial_request, "initial_request"), as_bytes(initial_answer, "initial_answer"),
                     as_bytes(pac_nonce, "pac_nonce"), as_bytes(paa_nonce, "paa_nonce"),
                     int(whole(key_id, "key_id", 0, 0xffffffff)).to_bytes(4, "big")))
    return prf_plus(msk, seed, size, prf)


def _tag(key, bytes octets, int at, int size):
    """AUTH of a message whose value of `size` octets stands at `at`: over all, that value zero. RFC 5191 5.4."""
    function = hmac_sha1 if size == 20 else hmac_sha256
    return function(key_octets(key), octets[:at] + bytes(size) + octets[at + size:])[:size]


# ---------------------------------------------------------------- octets to objects

cdef object MESSAGE = None, UNKNOWN = None, VENDOR = None, RAW = None, AUTH = None
cdef dict PLANS = {}


def register(message, unknown, vendor, raw, plans):
    """`fastcodec.pana_messages` names its classes here, once, at import."""
    global MESSAGE, UNKNOWN, VENDOR, RAW, AUTH
    MESSAGE, UNKNOWN, VENDOR, RAW = message, unknown, vendor, raw
    PLANS.update(plans)
    AUTH = PLANS[<int> AvpCode.AVP_AUTH].cls


cdef object _pair(const uint8_t* p, const AvpPiece* piece):
    cdef Plan plan
    cdef int end = piece.offset + piece.length, padding = -piece.length & 3, k
    for k in range(padding):
        if p[end + k]:
            return RAW(<bytes> p[piece.head:end + padding])
    plan = VENDOR.plan if piece.vendor else PLANS.get(piece.code, UNKNOWN.plan)
    return plan.make(p + piece.head, plan.tail_of(p + piece.head + plan.size, end - piece.head - plan.size))


cdef object _refusal(const uint8_t* p, int n, int status, int fault):
    cdef str where = {2: "PanaMessage.length", 4: "PanaMessage.flags", 6: "PanaMessage.type",
                      8: "PanaMessage.session"}.get(fault, "PanaMessage")
    cdef str reason = Status(status).name.lower().replace("_", " ")
    if HEADER <= fault <= n - 8:
        code = get16(p + fault)
        where = f"PanaMessage: AVP {code}" + (f" ({AVPS[code].name})" if code in AVPS else "")
    return DecodeError(where, fault, f"{reason} (RFC 5191 {'6.2, 6.3' if status != State.MISSING_EXTENSION else '7, 8'})", status)


def decode(data, key=None, bint strict=True):
    """The message in `data`; DecodeError, with a key AuthenticationError. `strict`: valid by RFC 5191 5.5, too."""
    cdef AvpPiece[MOST_AVPS] pieces
    cdef bytes octets = as_bytes(data)
    cdef const uint8_t* p = octets
    cdef int found, fault, k, n = <int> len(octets), status = examine_pana(p, <uint32_t> len(octets), pieces, MOST_AVPS, &found, &fault)
    if status == State.OK and strict:
        status = check_pana(p, pieces, found, &fault)
    if status != State.OK:
        raise _refusal(p, n, status, fault)
    if key is not None:
        k = find_avp(pieces, found, AvpCode.AVP_AUTH)
        if k < 0 or k != found - 1:
            raise AuthenticationError("AuthAvp", "absent, or not last (RFC 5191 5.4)", State.NO_AUTHENTICATOR, n)
        tag = _tag(key, octets, pieces[k].offset, pieces[k].length)
        if not compare(tag, octets[pieces[k].offset:pieces[k].offset + pieces[k].length]):
            raise AuthenticationError("AuthAvp", "wrong (RFC 5191 5.4)", State.BAD_AUTHENTICATOR, pieces[k].offset)
    return (<Plan> MESSAGE.plan).make(p, [_pair(p, &pieces[k]) for k in range(found)])


# ---------------------------------------------------------------- objects to octets

cdef bytes _octets_of(object avp, Py_ssize_t missing):
    """One pair with its padding; an empty AUTH becomes `missing` zeros."""
    cdef object cls = type(avp)
    cdef Plan plan
    cdef uint8_t[16] head
    cdef bytes tail
    cdef int length
    cdef bint vendor = cls is VENDOR
    if cls is RAW:
        tail = octets_in(avp.octets, "RawAvp.octets")
        if len(tail) < 8 or len(tail) % 4:
            raise EncodeError("RawAvp.octets", "are not whole words with a header (RFC 5191 6.3)")
        return tail
    plan = getattr(avp, "plan", None)
    if plan is None or not (vendor or cls is UNKNOWN or PLANS.get(plan.type) is plan):
        raise EncodeError("avps", f"{cls.__name__} is no AVP")
    memset(head, 0, 16)
    plan.write(avp, head)
    tail = plan.tail_octets(avp)
    if plan.type == AvpCode.AVP_AUTH and not tail:
        tail = bytes(missing)
    if plan.type:
        put16(head, plan.type)
    length = <int> len(tail) + (4 if plan.size == sizeof(NumberAvp) and not vendor else 0)
    if length > ROOM:
        raise EncodeError(f"{cls.__name__}.value", "is longer than a message")
    put16(head + 4, length)
    if (get16(head + 2) & AVP_VENDOR_FLAG != 0) != vendor:
        raise EncodeError(f"{cls.__name__}.flags", "the V bit is a VendorAvp's, and no other's (RFC 5191 6.3)")
    return (<bytes> head[:plan.size]) + tail + bytes(-len(tail) & 3)


def encode(message, key=None, integrity=7):
    """The octets; an AuthAvp left empty is computed with `key` by an `IntegrityAlgorithm`. EncodeError."""
    cdef Plan plan = message.plan
    cdef uint8_t[HEADER] head
    cdef bytes octets
    cdef list parts = []
    cdef Py_ssize_t unsigned = -1, at = HEADER
    size = _chosen(_MACS, integrity, "integrity", "IntegrityAlgorithm")[1]
    plan.write(message, head)
    for avp in parts_in(message.avps, "avps"):
        octets = _octets_of(avp, size)
        if type(avp) is AUTH and not avp.value:
            unsigned = at
        parts.append(octets)
        at += len(octets)
    if at > ROOM:
        raise EncodeError("avps", "the message is longer than a datagram")
    put16(head + 2, <uint16_t> at)
    octets = (<bytes> head[:HEADER]) + b"".join(parts)
    if unsigned < 0:
        return octets
    if key is None:
        raise EncodeError("AuthAvp.value", "empty, and no key")
    return octets[:unsigned + 8] + _tag(key, octets, unsigned + 8, size) + octets[unsigned + 8 + size:]
