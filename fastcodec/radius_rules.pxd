# How each packet code is authenticated: RFC 2865 3, RFC 2866 3, RFC 3579 3.2, RFC 5176 3.4, RFC 5997 3.
from fastcodec.status cimport Status

cdef enum Signing:
    SIGNED_BY_NOTHING        # a code that nobody defined, or that never travels
    SIGNED_BY_CHANCE         # the authenticator is random; only a Message-Authenticator signs
    SIGNED_BY_DIGEST         # MD5 over the packet with a zero authenticator
    SIGNED_AS_ANSWER         # MD5 over the packet with the request's authenticator

cdef inline Signing signing_of(int code) noexcept nogil:
    if code == 1 or code == 12:
        return SIGNED_BY_CHANCE
    if code == 4 or code == 40 or code == 43:
        return SIGNED_BY_DIGEST
    if code == 2 or code == 3 or code == 5 or code == 11 or 41 <= code <= 42 or 44 <= code <= 45 or code == 52:
        return SIGNED_AS_ANSWER
    return SIGNED_BY_NOTHING

cdef inline bint answers(int code, int request) noexcept nogil:
    """Whether a reply of that code fits a request; Protocol-Error fits all."""
    if request == 1:
        return code == 2 or code == 3 or code == 11 or code == 52
    if request == 12:
        return code == 2 or code == 3 or code == 5 or code == 52
    if request == 4:
        return code == 5 or code == 52
    return (request == 40 or request == 43) and (request < code <= request + 2 or code == 52)

cdef inline bint takes_message_authenticator(int code) noexcept nogil:
    """Accounting has none (RFC 3579 3.3): its MD5 authenticators cover the whole packet."""
    return code != 4 and code != 5

cdef inline int fault_of_rules(int code, int count, int size, bint has_eap, bint has_proxy_state,
                               bint require) noexcept nogil:
    """Status of a packet with `count` Message-Authenticators, the first of `size` octets.

    RFC 3579 3.1-3.2 and the lessons of CVE-2024-3596: when a packet without one will not do. One in an
    Accounting-Request is ignored.
    """
    if code == 4:
        return Status.OK
    if count > 1 or (count and size != 16):
        return Status.BAD_AUTHENTICATOR
    if count == 0 and (has_eap or code == 12 or (code == 1 and has_proxy_state)
                       or (require and takes_message_authenticator(code))):
        return Status.NO_AUTHENTICATOR
    return Status.OK
