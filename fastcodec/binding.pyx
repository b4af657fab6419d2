"""Single Mobility Headers between octets and the classes of `fastcodec.mobility`, checksum and authenticators included."""
from libc.stdint cimport uint8_t, uint16_t, uint32_t
from libc.string cimport memcpy, memset

from fastcodec.digest.jobs cimport DIGEST_HMAC_SHA1, DIGEST_SHA1
from fastcodec.errors import AuthenticationError, DecodeError, EncodeError
from fastcodec.fields cimport Plan, as_bytes, octets_in, parts_in, put_address6
from fastcodec.mip6 cimport (AUTHENTICATION_MN_AAA, AUTHENTICATION_MN_HA, LONGEST_MOBILITY, MN_AAA_SIZE, MN_HA_SIZE, MOST_OPTIONS,
                             OPTION_ALTERNATE_CARE_OF_ADDRESS, OPTION_AUTHENTICATION, PAYLOAD_PROTO, MobilityType, covered_by,
                             examine_mobility, find_option, is_at_end, is_canonical, mobility_checksum, mobility_size, padding_before,
                             padding_behind, put_padding)
from fastcodec.mip6 import OPTIONS
from fastcodec.authenticators cimport key_of
from fastcodec.secret cimport Secret, digest_now
from fastcodec.status import Status
from fastcodec.status cimport Status as State
from fastcodec.wire cimport Piece, get32, put16, same

cdef list MESSAGES = [None] * 256     # Mobility Header type -> Plan of its class
cdef list PLANS = [None] * 256        # option type -> Plan of its class
cdef object UNKNOWN = None, PADDING = None
cdef str AUTHENTICATION = "AuthenticationOption"
cdef str TOO_LONG = "the message is longer than 2048 octets (RFC 6275 6.1.1)"


def register(unknown, padding, messages, options):
    """`fastcodec.mobility` names its classes here, once, at import."""
    global UNKNOWN, PADDING
    UNKNOWN, PADDING = unknown, padding
    for plan in messages:
        MESSAGES[plan.type] = plan
    for plan in options:
        PLANS[plan.type] = plan


cdef class Ends:
    """The addresses that checksum and authenticators depend on, as far as the caller knows them."""
    cdef uint8_t[16] source
    cdef uint8_t[16] destination
    cdef uint8_t[16] care_of_address
    cdef bint has_source, has_destination, has_care_of_address

    def __init__(self, source, destination, care_of_address):
        if source is not None:
            self.has_source = put_address6(source, self.source, "source") == 0
        if destination is not None:
            self.has_destination = put_address6(destination, self.destination, "destination") == 0
        if care_of_address is not None:
            self.has_care_of_address = put_address6(care_of_address, self.care_of_address, "care_of_address") == 0

    cdef bint checksummed(self):
        return self.has_source and self.has_destination


# ---------------------------------------------------------------- octets to objects

cdef object _option(const uint8_t* p, const Piece* piece):
    """An object of its class, or an unknown one when it is shorter than that; so is an authenticator of no octets, which
    encoding would compute."""
    cdef Plan plan = PLANS[piece.type]
    cdef int size = piece.length + 2
    if plan is None or size < plan.size or (size == plan.size and piece.type == OPTION_AUTHENTICATION):
        return UNKNOWN(<bytes> (p + piece.head)[:size])
    return plan.make(p + piece.head, plan.tail_of(p + piece.head + plan.size, size - plan.size))


cdef inline int _note_gap(list out, const uint8_t* p, int at, int end, int ought) except -1:
    """Padding as `encode` writes it goes without saying; any other is kept, even when it is missing (empty)."""
    if end - at != ought or not is_canonical(p + at, ought):
        out.append(PADDING(<bytes> p[at:end]))
    return 0


cdef list _options(const uint8_t* p, int n, int at, const Piece* pieces, int found):
    cdef list out = []
    cdef int k
    for k in range(found):
        _note_gap(out, p, at, pieces[k].head, padding_before(pieces[k].type, at))
        out.append(_option(p, &pieces[k]))
        at = pieces[k].offset + pieces[k].length
    _note_gap(out, p, at, n, padding_behind(at))
    return out


cdef object _refusal(str name, const uint8_t* p, int n, int type, int status, int fault):
    cdef str reason = Status(status).name.lower().replace("_", " ")
    if status == State.TOO_SHORT and n < 8:
        return DecodeError(name, fault, f"{n} octets, 8 needed (RFC 6275 6.1.1)", status)
    if fault == 0:
        return DecodeError(f"{name}.payload_proto", 0, f"{p[0]}, not 59 (RFC 6275 6.1.1)", status)
    if fault == 1:
        return DecodeError(f"{name}.header_length", 1, f"{p[1]}: {(p[1] + 1) * 8} octets, {mobility_size(p[2])} needed, {n} there "
                           "(RFC 6275 9.2)", status)
    if fault == 2:
        return DecodeError(f"{name}.type", 2, f"{p[2]}, not {type} (RFC 6275 6.1.1)" if type >= 0 else
                           f"{p[2]} is unknown (RFC 6275 9.2)", status)
    row = OPTIONS.get(p[fault])
    what = f"option {p[fault]}" + (f" ({row.name})" if row else "")
    return DecodeError(f"{name}: {what}", fault, reason + " (RFC 6275 6.2.1)", status)


def decode(plan, data, keys=None, source=None, destination=None, care_of_address=None):
    """An object of `plan`'s class (None: of the type's) of `data`; DecodeError, with keys AuthenticationError."""
    cdef Piece[MOST_OPTIONS] pieces
    cdef bytes octets = as_bytes(data)
    cdef Ends ends = Ends(source, destination, care_of_address)
    cdef const uint8_t* p = octets
    cdef Plan known = plan
    cdef int found, fault, n, type = -1 if known is None else known.type
    cdef int status = examine_mobility(p, <uint32_t> len(octets), type, pieces, MOST_OPTIONS, &found, &fault)
    if status != State.OK:
        raise _refusal("Mobility Header" if known is None else known.cls.__name__, p, <int> len(octets), type, status, fault)
    known, n = MESSAGES[p[2]], (p[1] + 1) * 8
    if ends.checksummed() and mobility_checksum(p, n, ends.source, ends.destination):
        raise DecodeError(f"{known.cls.__name__}.checksum", 4, "wrong for these addresses (RFC 6275 6.1.1, 9.2)", State.BAD_CHECKSUM)
    if keys is not None:
        _verify_all(p, n, pieces, found, ends, keys)
    return known.make(p, _options(p, n, known.size, pieces, found))


# ---------------------------------------------------------------- authenticators, RFC 4285

cdef int _complete(const uint8_t* p, const Piece* pieces, int found, Ends ends, uint8_t* care_of, uint8_t* home) except -1:
    """Care-of and home address of what is authenticated: the care-of address of a Binding Update is the one in its
    Alternate Care-of Address option, if there is one (RFC 6275 9.5.1)."""
    cdef bint update = p[2] == MobilityType.BINDING_UPDATE
    cdef int k = find_option(p, pieces, found, OPTION_ALTERNATE_CARE_OF_ADDRESS, 0) if update else -1
    if not (ends.has_source if update else ends.has_destination):
        raise AuthenticationError(AUTHENTICATION, f"the home address ({'source' if update else 'destination'}) is not given (RFC 4285 5)",
                                  State.NO_AUTHENTICATOR)
    memcpy(home, &ends.source[0] if update else &ends.destination[0], 16)
    if k < 0 and not ends.has_care_of_address:
        raise AuthenticationError(AUTHENTICATION, "care_of_address is not given (RFC 4285 5.1)", State.NO_AUTHENTICATOR)
    memcpy(care_of, p + pieces[k].offset if k >= 0 else <const uint8_t*> &ends.care_of_address[0], 16)
    return 0


cdef int _authenticator(const uint8_t* p, const Piece* piece, const uint8_t* care_of, const uint8_t* home, Secret key,
                        uint8_t* out) except -1:
    """What option `piece` ought to hold, RFC 4285 5.1, 5.2; its octets, 0: a subtype that is not known."""
    cdef uint8_t[LONGEST_MOBILITY + 32] text
    cdef uint32_t n = covered_by(p, piece, care_of, home, text)
    cdef uint8_t[20] digest
    if p[piece.offset] == AUTHENTICATION_MN_HA:
        digest_now(DIGEST_HMAC_SHA1, text, n, NULL, 0, key.for_sha1(), out)
        return MN_HA_SIZE
    if p[piece.offset] == AUTHENTICATION_MN_AAA:
        digest_now(DIGEST_SHA1, text, n, NULL, 0, NULL, digest)
        digest_now(DIGEST_HMAC_SHA1, digest, 20, NULL, 0, key.for_sha1(), out)
        return MN_AAA_SIZE
    return 0


cdef int _verify_all(const uint8_t* p, int n, const Piece* pieces, int found, Ends ends, object keys) except -1:
    """Every option that a key is known for must be right, and stand at the end (RFC 4285 5); and one there must be."""
    cdef uint8_t[16] care_of
    cdef uint8_t[16] home
    cdef uint8_t[20] ought
    cdef int k, size, verified = 0
    cdef Secret key
    for k in range(found):
        if pieces[k].type != OPTION_AUTHENTICATION:
            continue
        key = key_of(keys, get32(p + pieces[k].offset + 1))
        if key is None:
            continue
        _complete(p, pieces, found, ends, care_of, home)
        size = _authenticator(p, &pieces[k], care_of, home, key, ought)
        if size == 0 or pieces[k].length - 5 != size or not same(ought, p + pieces[k].offset + 5, size):
            raise AuthenticationError(AUTHENTICATION, f"wrong authenticator under SPI {get32(p + pieces[k].offset + 1):#x}",
                                      State.BAD_AUTHENTICATOR, pieces[k].offset + 5)
        if not is_at_end(p, n, &pieces[k]):
            raise AuthenticationError(AUTHENTICATION, "another option follows it (RFC 4285 5)", State.BAD_AUTHENTICATOR,
                                      pieces[k].head)
        verified += 1
    if verified == 0:
        raise AuthenticationError(AUTHENTICATION, "none that a key is known for", State.NO_AUTHENTICATOR, n)
    return verified


# ---------------------------------------------------------------- objects to octets

cdef int _put_octets(object given, uint8_t* at, int room, str field) except -1:
    cdef bytes octets = octets_in(given, field)
    if <Py_ssize_t> len(octets) > room:
        raise EncodeError(field, TOO_LONG)
    memcpy(at, <const uint8_t*> octets, len(octets))
    return <int> len(octets)


cdef int _put_bound(object option, Plan plan, uint8_t* at, int room) except -1:
    """An option with a struct. An empty authenticator of a known subtype becomes as many zeros as it has octets."""
    cdef bytes tail
    cdef int n
    if room < plan.size:
        raise EncodeError(plan.cls.__name__, TOO_LONG)
    memset(at, 0, plan.size)
    n = plan.write(option, at)
    tail = plan.tail_octets(option)
    if plan.type == OPTION_AUTHENTICATION and not tail:
        tail = bytes(MN_HA_SIZE if at[2] == AUTHENTICATION_MN_HA else MN_AAA_SIZE)
    n += _put_octets(tail, at + n, room - n, plan.cls.__name__)
    if n - 2 > 255:
        raise EncodeError(plan.cls.__name__, f"{n - 2} octets do not fit an option of one length octet")
    at[0], at[1] = <uint8_t> plan.type, <uint8_t> (n - 2)
    return n


cdef int _type_of(object option) except -1:
    """Type of an option for its alignment; EncodeError when it is none."""
    cdef bytes octets
    if type(option) is UNKNOWN:
        octets = octets_in(option.octets, "UnknownOption.octets")
        if <Py_ssize_t> len(octets) < 2 or octets[1] != <Py_ssize_t> len(octets) - 2:
            raise EncodeError("UnknownOption.octets", "are not one whole option (RFC 6275 6.2.1)")
        return octets[0]
    if not hasattr(option, "plan") or PLANS[option.plan.type] is not option.plan:
        raise EncodeError("options", f"{type(option).__name__} is no mobility option")
    return option.plan.type


cdef int _put_options(list options, uint8_t* start, int at, list unsigned) except -1:
    """Where they end; `unsigned` gets the offsets of empty authenticators' options. No padding is added behind padding by hand."""
    cdef bint padded = False
    cdef int type_
    for option in options:
        if type(option) is PADDING:
            at += _put_octets(option.octets, start + at, LONGEST_MOBILITY - at, "MobilityPadding.octets")
            padded = True
            continue
        type_ = _type_of(option)
        if not padded:
            at += put_padding(start + at, padding_before(type_, at))
        padded = False
        if type_ == OPTION_AUTHENTICATION and hasattr(option, "plan") and not option.authenticator:
            unsigned.append(at)
        if type(option) is UNKNOWN:
            at += _put_octets(option.octets, start + at, LONGEST_MOBILITY - at, "UnknownOption.octets")
        else:
            at += _put_bound(option, option.plan, start + at, LONGEST_MOBILITY - at)
    return at


cdef int _sign(uint8_t* p, int n, list unsigned, Ends ends, object keys) except -1:
    """Authenticators left empty, in wire order: a later one covers an earlier one."""
    cdef Piece[MOST_OPTIONS] pieces
    cdef Piece piece
    cdef uint8_t[16] care_of
    cdef uint8_t[16] home
    cdef uint8_t[20] out
    cdef int found, fault, size
    cdef unsigned int spi
    cdef Secret key
    if examine_mobility(p, n, p[2], pieces, MOST_OPTIONS, &found, &fault) != State.OK:
        raise EncodeError("options", f"what they make is malformed at offset {fault}")
    for at in unsigned:
        piece.offset = <uint16_t> (at + 2)
        spi = get32(p + piece.offset + 1)
        key = None if keys is None else key_of(keys, spi)
        if key is None:
            raise EncodeError("AuthenticationOption.authenticator", f"empty, and no key for SPI {spi:#x}")
        try:
            _complete(p, pieces, found, ends, care_of, home)
        except AuthenticationError as error:
            raise EncodeError("AuthenticationOption.authenticator", error.reason) from None
        size = _authenticator(p, &piece, care_of, home, key, out)
        if size == 0:
            raise EncodeError("AuthenticationOption.subtype", f"{p[piece.offset]} is not known (RFC 4285 5)")
        memcpy(p + piece.offset + 5, out, size)
    return 0


def encode(message, Plan plan, keys=None, source=None, destination=None, care_of_address=None):
    """The octets of a message: aligned, completed to 8 octets, signed; the checksum when both addresses are given."""
    cdef uint8_t[LONGEST_MOBILITY + 16] buffer
    cdef Ends ends = Ends(source, destination, care_of_address)
    cdef list unsigned = []
    cdef int at
    memset(buffer, 0, plan.size)
    plan.write(message, buffer)
    at = _put_options(parts_in(message.options, "options"), buffer, plan.size, unsigned)
    at += put_padding(buffer + at, padding_behind(at))
    if at > LONGEST_MOBILITY:
        raise EncodeError("options", TOO_LONG)
    buffer[0], buffer[1], buffer[2] = PAYLOAD_PROTO, <uint8_t> (at / 8 - 1), <uint8_t> plan.type
    if unsigned:
        _sign(buffer, at, unsigned, ends, keys)
    if ends.checksummed():
        put16(buffer + 4, 0)
        put16(buffer + 4, mobility_checksum(buffer, at, ends.source, ends.destination))
    return <bytes> buffer[:at]
