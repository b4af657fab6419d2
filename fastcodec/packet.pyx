"""Single RADIUS packets: walked, authenticated, signed. RFC 2865 3, RFC 3579 3.2."""
from libc.stdint cimport uint8_t, uint32_t
from libc.string cimport memcpy, memmove, memset

from fastcodec.attributes cimport ROOM, from_octets, put_items
from fastcodec.digest.jobs cimport DIGEST_HMAC_MD5, DIGEST_MD5
from fastcodec.errors import AuthenticationError, DecodeError, EncodeError
from fastcodec.fields cimport as_bytes, put_number
from fastcodec.radius cimport (EAP_MESSAGE, HEADER, LONGEST, MESSAGE_AUTHENTICATOR, NUMBERS, PROXY_STATE, Packet,
                               walk_packet)
from fastcodec.secret cimport Secret, as_secret, digest_now
from fastcodec.status cimport Status as State
from fastcodec.wire cimport get16, put16, same


cdef object _refusal(const uint8_t* p, uint32_t n, const Packet* packet, int status):
    cdef int at = HEADER
    if status == State.TOO_SHORT:
        return DecodeError("RadiusPacket", n, f"{n} octets, {HEADER} needed", status)
    if status == State.BAD_LENGTH:
        return DecodeError("RadiusPacket.length", 2, f"{get16(p + 2)} in a datagram of {n} octets", status)
    for _ in range(packet.attributes):
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
    return cls(p[0], p[1], <bytes> p[4:20], from_octets(octets[HEADER:packet.length]))


def verify_request(data, secret, *, bint require=True):
    """AuthenticationError unless the Message-Authenticator of this Access-Request or Status-Server is right.

    RFC 3579 3.2. With `require` false a request without one passes, unless it holds EAP-Message or Proxy-State.
    """
    cdef Packet packet
    cdef bytes octets = _walked(data, &packet)     # kept: `packet` points into it
    _verify(&packet, as_secret(secret), None, require)
    del octets


def verify_response(data, secret, request, *, bint require=True):
    """AuthenticationError unless both authenticators of this answer are right. RFC 2865 3, RFC 3579 3.2.

    `request` is the request's octets, packet, or its authenticator (then the Identifier is the caller's to compare).
    """
    cdef Packet packet
    cdef bytes octets = _walked(data, &packet)
    _verify(&packet, as_secret(secret), _request_authenticator(request, octets), require)


cdef int _put_packet(message, bytes authenticator, uint8_t* out) except -1:
    """The packet unsigned, in a buffer of HEADER + ROOM octets; its length."""
    cdef int n = HEADER + put_items(message.attributes, out + HEADER)
    if len(authenticator) != 16:
        raise EncodeError("RadiusPacket.authenticator", f"{len(authenticator)} octets, 16 needed")
    put_number(message.code, out, 1, "RadiusPacket.code")
    put_number(message.identifier, out + 1, 1, "RadiusPacket.identifier")
    put16(out + 2, n)
    memcpy(out + 4, <const uint8_t*> authenticator, 16)
    return n


cdef int _insert_message_authenticator(uint8_t* out, int n) except -1:
    """Sixteen zeros as the first attribute; the new length."""
    if n + 18 > LONGEST:
        raise EncodeError("RadiusPacket.attributes", f"no room for a Message-Authenticator within {LONGEST} octets")
    memmove(out + HEADER + 18, out + HEADER, n - HEADER)
    out[HEADER], out[HEADER + 1] = NUMBERS.number[<int> MESSAGE_AUTHENTICATOR], 18
    put16(out + 2, n + 18)
    return n + 18


cdef int _sign(uint8_t* out, int n, Secret secret, bint answers) except -1:
    """Message-Authenticator (put first when there is none), then for an answer the Response Authenticator."""
    cdef Packet packet
    cdef int at
    if walk_packet(out, n, &NUMBERS, &packet) != State.OK:
        raise EncodeError("RadiusPacket.attributes", "are malformed, or more than 255")
    if packet.count[<int> MESSAGE_AUTHENTICATOR] == 0:
        n, at = _insert_message_authenticator(out, n), HEADER + 2
    elif packet.count[<int> MESSAGE_AUTHENTICATOR] > 1 or packet.size[<int> MESSAGE_AUTHENTICATOR] != 16:
        raise EncodeError("Message-Authenticator", "doubled or not of 16 octets")
    else:
        at = packet.offset[<int> MESSAGE_AUTHENTICATOR]
    memset(out + at, 0, 16)
    digest_now(DIGEST_HMAC_MD5, out, n, NULL, 0, secret.for_md5(), out + at)
    if answers:
        digest_now(DIGEST_MD5, out, n, <const uint8_t*> secret.octets, <uint32_t> len(secret.octets), NULL, out + 4)
    return n


def encode(message, secret=None, request=None):
    """The octets; with a secret signed as a request, or as the answer to `request`."""
    cdef uint8_t[HEADER + ROOM] out
    cdef bytes authenticator = message.authenticator if request is None else _request_authenticator(request, NULL)
    cdef int n = _put_packet(message, authenticator, out)
    if secret is not None:
        n = _sign(out, n, as_secret(secret), request is not None)
    return <bytes> out[:n]
