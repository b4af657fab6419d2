"""Single Mobile IPv4 messages between octets and the classes of `fastcodec.mip4_messages`, authenticators included."""
from libc.stdint cimport uint8_t
from libc.string cimport memcpy, memset

from fastcodec.authenticators cimport (LONGEST_AUTHENTICATOR, authenticate, is_authentication, key_of, size_of, verify_all,
                                       verify_piece)
from fastcodec.authenticators import name_of
from fastcodec.digest.jobs cimport DIGEST_HMAC_SHA1
from fastcodec.errors import AuthenticationError, DecodeError, EncodeError
from fastcodec.extension_codec cimport BEYOND, ROOM, ExtensionCodec
from fastcodec.fields cimport LIST_TAIL, Plan, as_bytes, parts_in
from fastcodec.mip4 cimport (EXT_GENERALIZED, EXT_MN_HA, EXT_NAI, EXT_NVSE, MOST_EXTENSIONS, SHAPES, SUBTYPE_MN_AAA,
                             examine, find_piece, fixed_size)
from fastcodec.radius cimport NUMBERS
from fastcodec.secret cimport Secret, as_secret, digest_now
from fastcodec.status import Status
from fastcodec.status cimport Status as State
from fastcodec.wire cimport Piece, get16, get32, walk
from fastcodec.mip4 import EXTENSIONS

cdef ExtensionCodec CODEC = None
cdef Plan BOOTSTRAP = None
cdef dict PLANS = {}                 # message type -> Plan


def register(ExtensionCodec codec, Plan bootstrap, messages):
    """`fastcodec.mip4_messages` names its classes here, once, at import."""
    global CODEC, BOOTSTRAP
    CODEC, BOOTSTRAP = codec, bootstrap
    for cls in messages:
        PLANS[cls.plan.type] = cls.plan


# ---------------------------------------------------------------- octets to objects

cdef list _extensions(const uint8_t* p, int n, int at, const Piece* pieces, int found):
    """Objects of all extensions; an NVSE of our vendor that holds an address is a class of its own."""
    cdef list out = CODEC.make_all(p, n, at, pieces, found)
    cdef int k, place = 0
    cdef const uint8_t* head
    for k in range(found):
        place += pieces[k].head > at
        at = pieces[k].offset + pieces[k].length
        if pieces[k].type == EXT_NVSE:
            head = p + pieces[k].head
            if (get32(head + 4) == NUMBERS.vendor and 1 <= get16(head + 8) <= 3
                    and BOOTSTRAP.fits(head, pieces[k].length + 2)):
                out[place] = BOOTSTRAP.make(head, None)
        place += 1
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


cdef object _decode_tunnel(Plan plan, const uint8_t* p, int n):
    """Tunnel Data: a header and the inner packet, nothing else, RFC 3519 3.3."""
    if n and p[0] != plan.type:
        raise DecodeError(plan.cls.__name__, 0, f"type {p[0]}, not {plan.type}", State.WRONG_TYPE)
    if n < plan.size:
        raise DecodeError(plan.cls.__name__, n, f"{n} octets, {plan.size} needed", State.TOO_SHORT)
    return plan.make(p, plan.tail_of(p + plan.size, n - plan.size))


def decode(plan, data, keys=None):
    """A `plan.cls` of `data`, of whatever message it is when `plan` is None; DecodeError, with keys AuthenticationError."""
    cdef bytes octets = as_bytes(data)
    if plan is None:
        plan = PLANS.get(octets[0] if octets else -1)
        if plan is None:
            raise DecodeError("Mip4Message", 0, f"type {octets[0]} is no message that is known" if octets else "no octets",
                              State.WRONG_TYPE if octets else State.TOO_SHORT)
    return _decode(plan, octets, keys)


cdef object _decode(Plan plan, bytes octets, object keys):
    cdef Piece[MOST_EXTENSIONS] pieces
    cdef int found, fault, status, n = <int> len(octets)
    cdef const uint8_t* p = octets
    if plan.tail != LIST_TAIL:
        return _decode_tunnel(plan, p, n)
    status = examine(p, n, plan.type, pieces, MOST_EXTENSIONS, &found, &fault)
    if status != State.OK:
        raise _refusal(plan, p, n, status, fault)
    if keys is not None and verify_all(p, pieces, found, keys) == 0:
        raise AuthenticationError(plan.cls.__name__, "no authenticator that a key is known for (RFC 5944 3.5)",
                                  State.NO_AUTHENTICATOR, n)
    return plan.make(p, _extensions(p, n, plan.size, pieces, found))


def pieces_of(data):
    """What can be walked of a message: octets of its fixed part (0: not ours), [(type, subtype, head, value, end), ...], and
    the Status and offset at which the walk ended; nothing is judged but whether extensions fit.
    """
    cdef Piece[MOST_EXTENSIONS] pieces
    cdef bytes octets = as_bytes(data)
    cdef const uint8_t* p = octets
    cdef int n = <int> min(len(octets), 0xffff), fixed, found, fault = n, k, status = State.OK
    fixed = fixed_size(p[0]) if n else 0
    if fixed == 0 or n < fixed:
        return fixed, [], Status.WRONG_TYPE if fixed == 0 else Status.TOO_SHORT, 0 if fixed == 0 else n
    found = walk(p, n, fixed, SHAPES, pieces, MOST_EXTENSIONS, &fault)
    if found < 0:
        status = -found
        k = fault
        found = walk(p, k, fixed, SHAPES, pieces, MOST_EXTENSIONS, &fault)
        fault = k
    return fixed, [(pieces[k].type, pieces[k].subtype, pieces[k].head, pieces[k].offset,
                    pieces[k].offset + pieces[k].length) for k in range(found)], Status(status), fault


# ---------------------------------------------------------------- authenticators

cdef unsigned int _verify_one(object data, int type, int subtype, object keys) except? 0:
    cdef Piece[MOST_EXTENSIONS] pieces
    cdef bytes octets = as_bytes(data)
    cdef int found, fault, status, k, n = <int> len(octets)
    cdef const uint8_t* p = octets
    status = examine(p, n, p[0] if n else 0, pieces, MOST_EXTENSIONS, &found, &fault)
    if status != State.OK:
        raise DecodeError("registration message", fault, Status(status).name.lower().replace("_", " "), status)
    k = find_piece(pieces, found, type, subtype)
    if k < 0 or not verify_piece(p, pieces, found, k, keys):
        raise AuthenticationError(name_of(type, subtype), "absent" if k < 0 else "no key for its SPI",
                                  State.NO_AUTHENTICATOR, n if k < 0 else pieces[k].offset)
    return get32(p + pieces[k].offset)


def verify_mn_ha(data, keys):
    """SPI of the mobile-home authentication extension, which is right. RFC 5944 3.5.2; AuthenticationError."""
    return _verify_one(data, EXT_MN_HA, 0, keys)


def verify_mn_aaa(data, keys):
    """SPI of the MN-AAA authentication extension, which is right. RFC 4721 5-8; AuthenticationError."""
    return _verify_one(data, EXT_GENERALIZED, SUBTYPE_MN_AAA, keys)


def verify_authentication(data, kind, keys):
    """SPI of the first authentication extension of that class, which is right; AuthenticationError, DecodeError."""
    given = getattr(kind, "plan", None)
    if not isinstance(given, Plan) or not is_authentication((<Plan> given).type, (<Plan> given).subtype):
        raise EncodeError("kind", f"{kind!r} is no class of authentication extensions (RFC 5944 3.5)")
    cdef Plan plan = given
    return _verify_one(data, plan.type, plan.subtype, keys)


def derive_key(aaa_key, nonce, identity):
    """HMAC-SHA1(AAA key, nonce || NAI as sent, or the four octets of the home address): 20 octets, RFC 3957 5."""
    cdef Secret key = as_secret(aaa_key)
    cdef bytes head = as_bytes(nonce, "nonce"), tail
    try:
        tail = identity.encode("utf-8", "surrogateescape") if isinstance(identity, str) else as_bytes(identity, "identity")
    except UnicodeEncodeError:
        raise EncodeError("identity", f"{identity!r} is no text (RFC 2794 2)") from None
    cdef uint8_t[20] out
    digest_now(DIGEST_HMAC_SHA1, <const uint8_t*> head, <int> len(head), <const uint8_t*> tail, <int> len(tail),
               key.for_sha1(), out)
    return out[:20]


# ---------------------------------------------------------------- objects to octets

cdef int _sign(Plan plan, uint8_t* start, int at, object keys) except -1:
    """Header, SPI and authenticator of the extension at `at`, whose SPI is written; the octets it takes."""
    cdef Piece[MOST_EXTENSIONS + 1] pieces
    cdef uint8_t[LONGEST_AUTHENTICATOR] authenticator
    cdef int found, fault, size
    cdef unsigned int spi = get32(start + at + plan.size - 4)
    cdef Secret key = None if keys is None else key_of(keys, spi)
    if key is None:
        raise EncodeError(f"{plan.cls.__name__}.authenticator", f"empty, and no key for SPI {spi:#x}")
    size = size_of(start + at + plan.size - 4, plan.type, plan.subtype, key)
    _put_length(plan, start + at, size)
    memset(start + at + plan.size, 0, size)
    if examine(start, at + plan.size + size, start[0], pieces, MOST_EXTENSIONS, &found, &fault) != State.OK:
        raise EncodeError(plan.cls.__name__, f"what it covers is malformed at offset {fault}")
    authenticate(start, pieces, found, found - 1, key, authenticator)
    memcpy(start + at + plan.size, authenticator, size)
    return plan.size + size


cdef void _put_length(Plan plan, uint8_t* head, int size) noexcept:
    """Of an authentication extension: the SPI and `size` octets."""
    if plan.type == EXT_GENERALIZED:
        head[2], head[3] = 0, <uint8_t> (4 + size)
    else:
        head[1] = <uint8_t> (4 + size)


cdef int put_extension(object extension, uint8_t* start, int at, object keys) except -1:
    """Octets of an extension at `at`; an empty authenticator is computed over all that went before."""
    cdef int n = CODEC.put_plain(extension, start + at, ROOM - at)
    cdef Plan plan
    cdef bytes tail
    if n >= 0:
        return n
    plan = CODEC.plan_for(extension)
    tail = plan.tail_octets(extension)
    if plan.type == EXT_NAI and not 1 <= <Py_ssize_t> len(tail) <= 255:
        raise EncodeError("Nai.nai", f"{len(tail)} octets, 1 to 255 allowed (RFC 2794 2)")
    n = CODEC.put(extension, plan, start + at, tail)
    if not tail and is_authentication(plan.type, plan.subtype):
        return _sign(plan, start, at, keys)
    return n


def encode(message, Plan plan, keys=None):
    """The octets of a message, authenticators left empty filled in under `keys`; EncodeError."""
    cdef uint8_t[ROOM + BEYOND] buffer
    cdef int at = plan.size
    cdef bytes tail
    memset(buffer, 0, plan.size)
    plan.write(message, buffer)
    buffer[0] = <uint8_t> plan.type
    if plan.tail != LIST_TAIL:
        tail = plan.tail_octets(message)
        if at + <Py_ssize_t> len(tail) > 0xffff:
            raise EncodeError(plan.cls.__name__, "the message is longer than a datagram")
        return <bytes> buffer[:at] + tail
    for extension in parts_in(message.extensions, "extensions"):
        at += put_extension(extension, buffer, at, keys)
        if at > 0xffff:
            raise EncodeError("extensions", "the message is longer than a datagram")
    return <bytes> buffer[:at]
