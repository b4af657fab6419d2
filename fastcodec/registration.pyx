"""Single Mobile IPv4 messages between octets and the classes of `fastcodec.mip4_messages`, authenticators included."""
from libc.stdint cimport uint8_t
from libc.string cimport memcpy, memset

from fastcodec.digest.jobs cimport DIGEST_HMAC_MD5, DIGEST_HMAC_SHA1, DIGEST_MD5
from fastcodec.errors import AuthenticationError, DecodeError, EncodeError
from fastcodec.fields cimport Plan, as_bytes
from fastcodec.mip4 cimport (CHAP_SPI, EXT_GENERALIZED, EXT_MN_HA, EXT_NAI, EXT_NVSE, MOST_EXTENSIONS, SUBTYPE_MN_AAA,
                             examine, find_piece, fixed_size)
from fastcodec.radius cimport NUMBERS
from fastcodec.secret cimport Secret, as_secret, digest_now
from fastcodec.status import Status
from fastcodec.status cimport Status as State
from fastcodec.wire cimport Piece, Shape, get16, get32, put16, same
from fastcodec.mip4 import EXTENSIONS

cdef enum:
    ROOM = 65536             # the longest datagram and a bit
    EXT_CHALLENGE = 132      # RFC 4721 4
    LEAST_CHALLENGE = 237    # octets of the challenge that CHAP hashes, RFC 4721 8
    BOOTSTRAP_LENGTH = 26    # of an NVSE with prefix length, reserved octet and IPv6 address

cdef list PLANS = [None] * 256       # extension type -> Plan of its class
cdef object NAI = None, UNKNOWN = None, PADDING = None
cdef Plan BOOTSTRAP = None


def register(nai, unknown, padding, Plan bootstrap, plans):
    """`fastcodec.mip4_messages` names its classes here, once, at import."""
    global NAI, UNKNOWN, PADDING, BOOTSTRAP
    NAI, UNKNOWN, PADDING, BOOTSTRAP = nai, unknown, padding, bootstrap
    for plan in plans:
        PLANS[plan.type] = plan


# ---------------------------------------------------------------- octets to objects

cdef inline object _octets(const uint8_t* p, int n):
    return <bytes> p[:n]


cdef inline bint _is_bootstrap(const uint8_t* head, int length) noexcept nogil:
    """One of our NVSEs, with both reserved parts zero: anything else stays a VendorExtension, octet for octet."""
    return (length == BOOTSTRAP_LENGTH and get16(head + 2) == 0 and get32(head + 4) == NUMBERS.vendor
            and 1 <= get16(head + 8) <= 3 and head[11] == 0)


cdef object _extension(const uint8_t* p, const Piece* piece):
    cdef const uint8_t* head = p + piece.head
    cdef int end = piece.offset + piece.length
    cdef Plan plan = PLANS[piece.type]
    if piece.type == EXT_NAI:
        return NAI((<const char*> p)[piece.offset:end].decode("utf-8", "surrogateescape"))
    if piece.type == EXT_NVSE and _is_bootstrap(head, piece.length):
        plan = BOOTSTRAP
    elif plan is None or plan.subtype != piece.subtype:
        return UNKNOWN(_octets(head, end - piece.head))
    return plan.make(head, plan.tail_of(head + plan.size, end - piece.head - plan.size))


cdef list _extensions(const uint8_t* p, int n, int at, const Piece* pieces, int found):
    cdef list out = []
    cdef int k
    for k in range(found):
        if pieces[k].head > at:
            out.append(PADDING(pieces[k].head - at))
        out.append(_extension(p, &pieces[k]))
        at = pieces[k].offset + pieces[k].length
    if n > at:
        out.append(PADDING(n - at))
    return out


cdef object _refusal(Plan plan, const uint8_t* p, int n, int status, int fault):
    cdef str name = plan.cls.__name__
    cdef int fixed = fixed_size(plan.type)
    if status in (State.TOO_SHORT, State.WRONG_TYPE, State.BAD_LENGTH):
        return DecodeError(name, fault, {State.TOO_SHORT: f"{n} octets, {fixed} needed",
                                         State.WRONG_TYPE: f"type {p[0] if n else 0}, not {plan.type}",
                                         State.BAD_LENGTH: f"{n} octets are no datagram"}[status], status)
    row = EXTENSIONS.get(p[fault])
    what = f"extension {p[fault]}" + (f" ({row.name})" if row else "")
    return DecodeError(f"{name}: {what}", fault, Status(status).name.lower().replace("_", " "), status)


def decode(Plan plan, data, keys=None):
    """A `plan.cls` of `data`; DecodeError, and with keys AuthenticationError."""
    cdef Piece[MOST_EXTENSIONS] pieces
    cdef bytes octets = as_bytes(data)
    cdef int found, fault, status, n = <int> len(octets)
    cdef const uint8_t* p = octets
    status = examine(p, n, plan.type, pieces, MOST_EXTENSIONS, &found, &fault)
    if status != State.OK:
        raise _refusal(plan, p, n, status, fault)
    if keys is not None and _verify_all(p, pieces, found, keys) == 0:
        raise AuthenticationError(plan.cls.__name__, "no authenticator that a key is known for", State.NO_AUTHENTICATOR)
    return plan.make(p, _extensions(p, n, plan.size, pieces, found))


# ---------------------------------------------------------------- authenticators

cdef Secret key_of(object keys, unsigned int spi, str field):
    """`keys` is one key for every SPI, or a mapping from SPI to key."""
    if isinstance(keys, Secret):
        return <Secret> keys
    if isinstance(keys, (bytes, bytearray, memoryview)):
        return Secret(keys)
    key = keys.get(spi)
    return None if key is None else as_secret(key)


cdef int _chap(const uint8_t* p, int covered, const Piece* pieces, int found, Secret key, uint8_t* out) except -1:
    """RFC 4721 8: MD5(ch[0] || key || MD5(C) || last 237 of ch); without a challenge ch is one zero octet."""
    cdef uint8_t[16] digest
    cdef uint8_t zero = 0
    cdef int k = find_piece(pieces, found, EXT_CHALLENGE, 0)
    cdef const uint8_t* challenge = &zero
    cdef int n = 1, last
    cdef bytes head
    if k >= 0:
        challenge, n = p + pieces[k].offset, pieces[k].length
    last = min(n, <int> LEAST_CHALLENGE)
    digest_now(DIGEST_MD5, p, covered, NULL, 0, NULL, digest)
    head = (challenge[:1] if n else b"") + key.octets + digest[:16]
    digest_now(DIGEST_MD5, <const uint8_t*> head, <int> len(head), challenge + n - last, last, NULL, out)
    return 16


cdef int authenticate(const uint8_t* p, const Piece* pieces, int found, int which, Secret key, uint8_t* out) except -1:
    """The authenticator that piece `which` ought to hold (16 octets; 20 when it has room for HMAC-SHA1); its size.

    Covered is everything from octet 0 through this extension's SPI, RFC 5944 3.5.1, RFC 4721 5.
    """
    cdef int covered = pieces[which].offset + 4, size = pieces[which].length - 4
    if pieces[which].type == EXT_GENERALIZED and get32(p + pieces[which].offset) == CHAP_SPI:
        return _chap(p, covered, pieces, which, key, out)
    if size == 20:
        digest_now(DIGEST_HMAC_SHA1, p, covered, NULL, 0, key.for_sha1(), out)
        return 20
    digest_now(DIGEST_HMAC_MD5, p, covered, NULL, 0, key.for_md5(), out)
    return 16


cdef int _verify_piece(const uint8_t* p, const Piece* pieces, int found, int which, object keys) except -1:
    """1 when right, 0 when no key is known for its SPI; AuthenticationError when wrong."""
    cdef uint8_t[20] ought
    cdef unsigned int spi = get32(p + pieces[which].offset)
    cdef str field = EXTENSIONS[pieces[which].type].name
    cdef Secret key = key_of(keys, spi, field)
    if key is None:
        return 0
    cdef int size = authenticate(p, pieces, found, which, key, ought)
    if pieces[which].length - 4 != size or not same(ought, p + pieces[which].offset + 4, size):
        raise AuthenticationError(field, f"wrong authenticator under SPI {spi:#x}", State.BAD_AUTHENTICATOR)
    return 1


cdef int _verify_all(const uint8_t* p, const Piece* pieces, int found, object keys) except -1:
    cdef int k, verified = 0
    for k in range(found):
        if pieces[k].type == EXT_MN_HA or (pieces[k].type == EXT_GENERALIZED
                                           and pieces[k].subtype == SUBTYPE_MN_AAA):
            verified += _verify_piece(p, pieces, found, k, keys)
    return verified


cdef unsigned int _verify_one(object data, int type, int subtype, object keys) except? 0:
    cdef Piece[MOST_EXTENSIONS] pieces
    cdef bytes octets = as_bytes(data)
    cdef int found, fault, status, k, n = <int> len(octets)
    cdef const uint8_t* p = octets
    status = examine(p, n, p[0] if n else 0, pieces, MOST_EXTENSIONS, &found, &fault)
    if status != State.OK:
        raise DecodeError("registration message", fault, Status(status).name.lower().replace("_", " "), status)
    k = find_piece(pieces, found, type, subtype)
    if k < 0 or not _verify_piece(p, pieces, found, k, keys):
        raise AuthenticationError(EXTENSIONS[type].name, "absent" if k < 0 else "no key for its SPI",
                                  State.NO_AUTHENTICATOR)
    return get32(p + pieces[k].offset)


def verify_mn_ha(data, keys):
    """SPI of the mobile-home authentication extension, which is right. RFC 5944 3.5.2; AuthenticationError."""
    return _verify_one(data, EXT_MN_HA, 0, keys)


def verify_mn_aaa(data, keys):
    """SPI of the MN-AAA authentication extension, which is right. RFC 4721 5-8; AuthenticationError."""
    return _verify_one(data, EXT_GENERALIZED, SUBTYPE_MN_AAA, keys)


def derive_key(aaa_key, nonce, identity):
    """HMAC-SHA1(AAA key, nonce || NAI as sent, or the four octets of the home address): 20 octets, RFC 3957 5."""
    cdef Secret key = as_secret(aaa_key)
    cdef bytes head = bytes(nonce)
    cdef bytes tail = bytes(identity) if not isinstance(identity, str) else identity.encode("utf-8", "surrogateescape")
    cdef uint8_t[20] out
    digest_now(DIGEST_HMAC_SHA1, <const uint8_t*> head, <int> len(head), <const uint8_t*> tail, <int> len(tail),
               key.for_sha1(), out)
    return out[:20]


# ---------------------------------------------------------------- objects to octets

cdef int _put_header(Plan plan, uint8_t* at, int length) except -1:
    """Type, subtype and the length of what follows the header, as the shape wants them."""
    at[0] = <uint8_t> plan.type
    if plan.shape == Shape.LONG:
        at[1] = <uint8_t> plan.subtype
        put16(at + 2, length - 4)
        return 0
    if length - 2 > 255:
        raise EncodeError(plan.cls.__name__, f"{length - 2} octets do not fit an extension of one length octet")
    at[1] = <uint8_t> (length - 2)
    return 0


cdef int _put_octets(bytes octets, uint8_t* at, int room, str field) except -1:
    if <Py_ssize_t> len(octets) > room:
        raise EncodeError(field, "the message is longer than a datagram")
    memcpy(at, <const uint8_t*> octets, len(octets))
    return <int> len(octets)


cdef int _put_bound(object extension, Plan plan, uint8_t* start, int at, object keys) except -1:
    """An extension with a struct; an empty authenticator is computed over all that went before."""
    cdef uint8_t* head = start + at
    cdef int n
    cdef bytes tail
    memset(head, 0, plan.size)      # what the class leaves out is reserved
    n = plan.write(extension, head)
    if plan.tail:
        tail = plan.tail_octets(extension)
        if not tail and plan.type in (EXT_MN_HA, EXT_GENERALIZED):
            _put_header(plan, head, n + 16)
            return n + _sign(start, at + n, plan, keys)
        n += _put_octets(tail, head + n, ROOM - at - n, plan.cls.__name__)
    _put_header(plan, head, n)
    return n


cdef int _sign(uint8_t* start, int covered, Plan plan, object keys) except -1:
    """Sixteen octets behind `covered`, which ends with the SPI."""
    cdef Piece[MOST_EXTENSIONS + 1] pieces
    cdef int found, fault
    cdef unsigned int spi = get32(start + covered - 4)
    cdef Secret key = None if keys is None else key_of(keys, spi, plan.cls.__name__)
    if key is None:
        raise EncodeError(f"{plan.cls.__name__}.authenticator", f"empty, and no key for SPI {spi:#x}")
    memset(start + covered, 0, 16)
    if examine(start, covered + 16, start[0], pieces, MOST_EXTENSIONS, &found, &fault) != State.OK:
        raise EncodeError(plan.cls.__name__, f"what it covers is malformed at offset {fault}")
    return authenticate(start, pieces, found, found - 1, key, start + covered)


cdef int _put_extension(object extension, uint8_t* start, int at, object keys) except -1:
    cdef object cls = type(extension)
    cdef bytes octets
    if cls is UNKNOWN:
        return _put_octets(extension.octets, start + at, ROOM - at, "UnknownExtension.octets")
    if cls is PADDING:
        return _put_octets(bytes(extension.count), start + at, ROOM - at, "Padding.count")
    if cls is NAI:
        octets = (<str> extension.nai).encode("utf-8", "surrogateescape")
        if not 1 <= <Py_ssize_t> len(octets) <= 255:
            raise EncodeError("Nai.nai", f"{len(octets)} octets, 1 to 255 allowed (RFC 2794 2)")
        start[at], start[at + 1] = EXT_NAI, <uint8_t> len(octets)
        return 2 + _put_octets(octets, start + at + 2, ROOM - at - 2, "Nai.nai")
    if not hasattr(cls, "plan"):
        raise EncodeError("extensions", f"{cls.__name__} is no extension")
    return _put_bound(extension, cls.plan, start, at, keys)


def encode(message, Plan plan, keys=None):
    """The octets of a message, authenticators left empty filled in under `keys`; EncodeError."""
    cdef uint8_t[ROOM + 512] buffer
    cdef int at = plan.size
    buffer[0] = <uint8_t> plan.type
    plan.write(message, buffer)
    for extension in message.extensions:
        at += _put_extension(extension, buffer, at, keys)
        if at > 0xffff:
            raise EncodeError("extensions", "the message is longer than a datagram")
    return <bytes> buffer[:at]
