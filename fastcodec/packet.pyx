"""Single RADIUS packets: walked, authenticated, signed. RFC 2865 3, RFC 2866 3, RFC 3579 3.2, RFC 5176 2.3."""
from libc.stdint cimport uint8_t, uint32_t
from libc.string cimport memcpy, memmove, memset

from fastcodec.attribute_items cimport DEEPEST
from fastcodec.attributes cimport LONGEST_BODY, SPARE, from_octets, put_items
from fastcodec.digest.jobs cimport DIGEST_HMAC_MD5, DIGEST_MD5
from fastcodec.errors import AuthenticationError, DecodeError, EncodeError
from fastcodec.fields cimport as_bytes, octets_in, put_number, whole
from fastcodec.hiding cimport Cloak
from fastcodec.radius cimport (EAP_MESSAGE, HEADER, LONGEST, MESSAGE_AUTHENTICATOR, MOST_ATTRIBUTES, NUMBERS,
                               PROXY_STATE, Packet, walk_within)
from fastcodec.radius_rules cimport (SIGNED_AS_ANSWER, SIGNED_BY_CHANCE, SIGNED_BY_DIGEST, answers, fault_of_rules,
                                     signing_of, takes_message_authenticator)
from fastcodec.secret cimport Secret, as_secret, digest_now
from fastcodec.status cimport Status as State
from fastcodec.wire cimport get16, put16, same

cdef bytes ZEROS = bytes(16)
cdef enum:
    ANY_LENGTH = 65535       # of a Length of two octets


cdef object _refusal(const uint8_t* p, uint32_t n, const Packet* packet, int status):
    cdef int at = HEADER
    if status == State.TOO_SHORT:
        return DecodeError("RadiusPacket", n, f"{n} octets, {HEADER} needed (RFC 2865 3)", status)
    if status == State.BAD_LENGTH and HEADER <= get16(p + 2) <= n:
        return DecodeError("RadiusPacket.length", 2, f"{get16(p + 2)} octets, over the limit (`longest`, RFC 2865 3)", status)
    if status == State.BAD_LENGTH:
        return DecodeError("RadiusPacket.length", 2, f"{get16(p + 2)} in a datagram of {n} octets (RFC 2865 3)", status)
    for _ in range(packet.attributes):
        at += p[at + 1]
    reason = (f"more than {packet.attributes} attributes: this program's limit (RFC 2865 5)" if status == State.TOO_MANY_EXTENSIONS else
              "does not fit (RFC 2865 5)")
    return DecodeError(f"RadiusPacket: attribute {p[at]}", at, reason, status)


cdef bytes _walked(object data, Packet* packet, int longest, int most_attributes):
    cdef bytes octets = as_bytes(data)
    cdef int status = walk_within(octets, <uint32_t> len(octets), &NUMBERS, packet, longest, most_attributes)
    if status != State.OK:
        raise _refusal(octets, <uint32_t> len(octets), packet, status)
    return octets


cdef object _fault(int status, str reason, int offset):
    return AuthenticationError("Message-Authenticator" if "Message" in reason else "RadiusPacket", reason, status, offset)


cdef int _check_rules(const Packet* packet, bint require) except -1:
    cdef int count = packet.count[<int> MESSAGE_AUTHENTICATOR]
    cdef bint has_proxy_state = packet.count[<int> PROXY_STATE] != 0
    cdef int status = fault_of_rules(packet.octets[0], count, packet.size[<int> MESSAGE_AUTHENTICATOR],
                                     packet.count[<int> EAP_MESSAGE] != 0, has_proxy_state, require)
    if status == State.BAD_AUTHENTICATOR:
        raise _fault(status, "Message-Authenticator doubled or not of 16 octets (RFC 3579 3.2)", packet.offset[<int> MESSAGE_AUTHENTICATOR])
    if status != State.OK:
        raise _fault(status, "Proxy-State without Message-Authenticator (RFC 3579 3.2)" if has_proxy_state else
                     "no Message-Authenticator (RFC 3579 3.2)", packet.length)
    return 0


cdef int _check_message_authenticator(const Packet* packet, uint8_t* copy, Secret secret) except -1:
    """`copy` is the packet with the authenticator in its header that this code signs under."""
    cdef uint8_t[16] ought
    cdef int at = packet.offset[<int> MESSAGE_AUTHENTICATOR]
    if at and packet.octets[0] != 4:
        memset(copy + at, 0, 16)
        digest_now(DIGEST_HMAC_MD5, copy, packet.length, NULL, 0, secret.for_md5(), ought)
        if not same(ought, packet.octets + at, 16):
            raise _fault(State.BAD_AUTHENTICATOR, "wrong Message-Authenticator (RFC 3579 3.2)", at)
    return 0


cdef int _verify(const Packet* packet, Secret secret, bytes request, bint require) except -1:
    """`request` is the authenticator of the request answered, None when this is a request."""
    cdef uint8_t[ANY_LENGTH] copy
    cdef uint8_t[16] ought
    cdef int signing = signing_of(packet.octets[0])
    if request is not None and signing != SIGNED_AS_ANSWER:
        raise _fault(State.WRONG_TYPE, f"code {packet.octets[0]} is no answer (RFC 2865 4)", 0)
    _check_rules(packet, require)
    if request is None and signing == SIGNED_BY_DIGEST:
        request = ZEROS
    elif request is None and signing != SIGNED_BY_CHANCE:
        raise _fault(State.WRONG_TYPE, f"code {packet.octets[0]} is no request (RFC 2865 4)", 0)
    memcpy(copy, packet.octets, packet.length)
    if request is not None:
        memcpy(copy + 4, <const uint8_t*> request, 16)
        digest_now(DIGEST_MD5, copy, packet.length, <const uint8_t*> secret.octets, <uint32_t> len(secret.octets), NULL,
                   ought)
        if not same(ought, packet.octets + 4, 16):
            raise _fault(State.BAD_AUTHENTICATOR, "wrong Request Authenticator (RFC 2866 3)" if signing == SIGNED_BY_DIGEST else
                         "wrong Response Authenticator (RFC 2865 3)", 4)
    return _check_message_authenticator(packet, copy, secret)


cdef Cloak _cloak(int code, Secret secret, bytes own, bytes request):
    """Values are hidden under the authenticator of the Access-Request; other requests hide none (RFC 2868 3.5)."""
    if request is not None:
        return Cloak(secret, request)
    return Cloak(secret, own) if signing_of(code) == SIGNED_BY_CHANCE and len(own) == 16 else None


cdef bytes _request_authenticator(object request, const uint8_t* answer):
    """From a request (octets or RadiusPacket) or its authenticator alone; the Identifier must match, RFC 2865 3."""
    cdef bytes octets = _head_of(request) if hasattr(request, "authenticator") else as_bytes(request, "request")
    if len(octets) == 16:
        return octets
    if len(octets) < HEADER:
        raise EncodeError("request", f"{len(octets)} octets are neither a request nor an authenticator")
    if answer != NULL and octets[1] != answer[1]:
        raise _fault(State.WRONG_TYPE, f"identifier {answer[1]} answers no request of identifier {octets[1]} (RFC 2865 3)", 1)
    if answer != NULL and not answers(answer[0], octets[0]):
        raise _fault(State.WRONG_TYPE, f"code {answer[0]} answers no request of code {octets[0]} (RFC 2865 4)", 0)
    return octets[4:20]


cdef bytes _head_of(object request):
    """The first 20 octets of a RadiusPacket."""
    cdef uint8_t[HEADER] head
    cdef bytes authenticator = octets_in(request.authenticator, "RadiusPacket.authenticator")
    if len(authenticator) != 16:
        raise EncodeError("request.authenticator", f"{len(authenticator)} octets, 16 needed: sign or encode the request first (RFC 2865 3)")
    memset(head, 0, 4)
    put_number(request.code, head, 1, "RadiusPacket.code")
    put_number(request.identifier, head + 1, 1, "RadiusPacket.identifier")
    return <bytes> head[:4] + authenticator


def decode(cls, data, secret=None, request=None, bint require=True, longest=LONGEST, most_attributes=MOST_ATTRIBUTES,
           depth=DEEPEST):
    """A `cls(code, identifier, authenticator, attributes)` of a datagram, authenticated when a secret is given."""
    cdef Packet packet
    cdef Cloak cloak = None
    cdef int deepest = <int> whole(depth, "depth", 0, 255)
    cdef bytes octets = _walked(data, &packet, <int> whole(longest, "longest", HEADER, ANY_LENGTH),
                                <int> whole(most_attributes, "most_attributes", 0, ANY_LENGTH)), answered = None
    cdef const uint8_t* p = octets
    if secret is not None:
        answered = None if request is None else _request_authenticator(request, p)
        _verify(&packet, as_secret(secret), answered, require)
        cloak = _cloak(p[0], as_secret(secret), <bytes> p[4:20], answered)
    return cls(p[0], p[1], <bytes> p[4:20], from_octets(<bytes> p[HEADER:packet.length], cloak, deepest))


def verify_request(data, secret, *, bint require=True):
    """AuthenticationError unless this request's Message-Authenticator, or the MD5 of its code, is right.

    RFC 3579 3.2, RFC 2866 3, RFC 5176 2.3. With `require` false a request without Message-Authenticator passes, unless
    it holds EAP-Message or Proxy-State.
    """
    cdef Packet packet
    cdef bytes octets = _walked(data, &packet, LONGEST, MOST_ATTRIBUTES)     # kept: `packet` points into it
    _verify(&packet, as_secret(secret), None, require)
    del octets


def verify_response(data, secret, request, *, bint require=True):
    """AuthenticationError unless both authenticators of this answer are right. RFC 2865 3, RFC 3579 3.2.

    `request` is the request's octets, packet, or its authenticator (then the Identifier is the caller's to compare).
    """
    cdef Packet packet
    cdef bytes octets = _walked(data, &packet, LONGEST, MOST_ATTRIBUTES)
    _verify(&packet, as_secret(secret), _request_authenticator(request, octets), require)


cdef int _code_of(message) except -1:
    cdef uint8_t code
    put_number(message.code, &code, 1, "RadiusPacket.code")
    return code


cdef int _put_packet(message, bytes authenticator, Cloak cloak, uint8_t* out, int longest) except -1:
    """The packet unsigned; its length."""
    cdef int n = HEADER + put_items(message.attributes, out + HEADER, longest - HEADER, cloak)
    if len(authenticator) != 16:
        raise EncodeError("RadiusPacket.authenticator", f"{len(authenticator)} octets, 16 needed")
    put_number(message.code, out, 1, "RadiusPacket.code")
    put_number(message.identifier, out + 1, 1, "RadiusPacket.identifier")
    put16(out + 2, n)
    memcpy(out + 4, <const uint8_t*> authenticator, 16)
    return n


cdef int _insert_message_authenticator(uint8_t* out, int n, int longest) except -1:
    """Sixteen zeros as the first attribute; the new length."""
    if n + 18 > longest:
        raise EncodeError("RadiusPacket.attributes", f"no room for a Message-Authenticator within {longest} octets")
    memmove(out + HEADER + 18, out + HEADER, n - HEADER)
    out[HEADER], out[HEADER + 1] = NUMBERS.number[<int> MESSAGE_AUTHENTICATOR], 18
    put16(out + 2, n + 18)
    return n + 18


cdef int _sign(uint8_t* out, int n, Secret secret, bint by_digest, int longest) except -1:
    """Message-Authenticator (put first when there is none), then the MD5 of an answer, of accounting or of an order."""
    cdef Packet packet
    cdef int at
    if walk_within(out, n, &NUMBERS, &packet, longest, ANY_LENGTH) != State.OK:
        raise EncodeError("RadiusPacket.attributes", "are malformed")
    at = packet.offset[<int> MESSAGE_AUTHENTICATOR]
    if packet.count[<int> MESSAGE_AUTHENTICATOR] == 0 and takes_message_authenticator(out[0]):
        n, at = _insert_message_authenticator(out, n, longest), HEADER + 2
    elif at and (packet.count[<int> MESSAGE_AUTHENTICATOR] > 1 or packet.size[<int> MESSAGE_AUTHENTICATOR] != 16):
        raise EncodeError("Message-Authenticator", "doubled or not of 16 octets")
    if at:
        memset(out + at, 0, 16)
        digest_now(DIGEST_HMAC_MD5, out, n, NULL, 0, secret.for_md5(), out + at)
    if by_digest:
        digest_now(DIGEST_MD5, out, n, <const uint8_t*> secret.octets, <uint32_t> len(secret.octets), NULL, out + 4)
    return n


cdef bytes _answered_by(object message, object request):
    """The authenticator of the request that `message` answers; EncodeError when a client would drop the answer."""
    cdef uint8_t[4] head
    put_number(message.code, head, 1, "RadiusPacket.code")
    put_number(message.identifier, head + 1, 1, "RadiusPacket.identifier")
    try:
        return _request_authenticator(request, head)
    except AuthenticationError as error:
        raise EncodeError(("RadiusPacket.code", "RadiusPacket.identifier")[error.offset], error.reason) from None


def encode(message, secret=None, request=None, longest=LONGEST):
    """The octets; with a secret signed as a request, or as the answer to `request`."""
    cdef int most = <int> whole(longest, "longest", HEADER, ANY_LENGTH)
    cdef uint8_t[HEADER + LONGEST_BODY + SPARE] out
    cdef int signing = signing_of(_code_of(message)), n
    cdef bytes answered = None if request is None else _answered_by(message, request)
    cdef bytes authenticator = octets_in(message.authenticator, "RadiusPacket.authenticator") if answered is None else answered
    cdef Cloak cloak = None
    if secret is not None:
        if answered is None and signing == SIGNED_AS_ANSWER:
            raise EncodeError("request", f"code {message.code} answers one: which? (RFC 2865 3)")
        cloak = _cloak(message.code, as_secret(secret), authenticator, answered)
        if answered is None and signing == SIGNED_BY_DIGEST:
            authenticator = ZEROS
    n = _put_packet(message, authenticator, cloak, out, most)
    if secret is not None:
        n = _sign(out, n, as_secret(secret), request is not None or signing == SIGNED_BY_DIGEST, most)
    return <bytes> out[:n]
