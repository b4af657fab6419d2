# What a Disconnect- or CoA-Request orders (RFC 5176, radius.md 9.7): whether it can be done, and that it is done.
from fastcodec.radius cimport (
    ACCT_INTERIM_INTERVAL, ACCT_MULTI_SESSION_ID, ACCT_SESSION_ID, ACCT_TERMINATE_CAUSE, CALLING_STATION_ID,
    CHARGEABLE_USER_IDENTITY, CLASS, COA_ACK, COA_NAK, COA_REQUEST, DISCONNECT_ACK, DISCONNECT_NAK, EVENT_TIMESTAMP,
    FRAMED_IP_ADDRESS, HEADER, MESSAGE_AUTHENTICATOR, NAS_IDENTIFIER, NAS_IP_ADDRESS, NUMBERS, PROXY_STATE,
    REGISTRATION_LIFETIME, SERVICE_TYPE, SESSION_TIMEOUT, STATE, USER_NAME, VENDOR_SPECIFIC,
)
from fastcodec.wire cimport get32
from libc.stdint cimport uint32_t, uint8_t
from libc.string cimport memcmp
from servers.engine.counters cimport count_event, count_offence
from servers.engine.reasons cimport DISCONNECTED, ORDER_REFUSED, SHORTENED
from servers.roles.fha.answer cimport hash_of_values
from servers.roles.fha.lease cimport revoke, shorten
from servers.roles.fha.question cimport write_session
from servers.roles.fha.state cimport (
    Fha, INVALID_ATTRIBUTE_VALUE, INVALID_REQUEST, MISSING_ATTRIBUTE, NAS_MISMATCH, Order, RESOURCES_UNAVAILABLE,
    SESSION_NOT_FOUND, UNSUPPORTED_ATTRIBUTE, UNSUPPORTED_SERVICE,
)
from servers.tables.bindings cimport Binding, find_binding
from servers.tables.hash cimport seeded_hash


cdef inline const uint8_t* value(const Order* order, int slot) noexcept nogil:
    return order.octets + order.packet.offset[slot]


cdef inline bint has(const Order* order, int slot) noexcept nogil:
    return order.packet.count[slot] != 0


cdef inline uint32_t integer(const Order* order, int slot) noexcept nogil:
    return get32(value(order, slot)) if order.packet.size[slot] == 4 else 0


cdef inline bint is_coa(const Order* order) noexcept nogil:
    return order.octets[0] == COA_REQUEST


cdef void obey(Fha* fha, Order* order) noexcept nogil:
    """The first fault is the answer's Error-Cause; without one the order is in the journal when this returns."""
    cdef Binding* binding = NULL
    order.cause = form_fault(order)
    if not order.cause:
        order.cause = missing_fault(order)
    if not order.cause:
        order.cause = nas_fault(fha, order)
    if not order.cause:
        binding = binding_of_order(fha, order)
        order.cause = 0 if binding else SESSION_NOT_FOUND
    if not order.cause:
        order.cause = change(fha, order, binding) if is_coa(order) else disconnect(fha, order, binding)
    if is_coa(order):
        order.code = COA_NAK if order.cause else COA_ACK
    else:
        order.code = DISCONNECT_NAK if order.cause else DISCONNECT_ACK
    if order.cause:
        count_offence(&fha.counters, ORDER_REFUSED, &order.datagram)


# ---- may it be read as it stands -----------------------------------------------------------------------------------------

cdef uint32_t form_fault(const Order* order) noexcept nogil:
    """RFC 5176 2.3: every attribute is mandatory here; one that is not understood refuses the whole."""
    cdef uint32_t at = HEADER, fault
    while at < order.packet.length:
        if order.octets[at] == VENDOR_SPECIFIC:
            fault = vendor_fault(order, at + 2, at + order.octets[at + 1])
        else:
            fault = attribute_fault(order, NUMBERS.standard[order.octets[at]], order.octets[at + 1] - 2)
        if fault:
            return fault
        at += order.octets[at + 1]
    return 0


cdef uint32_t vendor_fault(const Order* order, uint32_t at, uint32_t end) noexcept nogil:
    """RFC 2865 5.26."""
    cdef uint32_t fault
    if end - at < 6:
        return INVALID_ATTRIBUTE_VALUE
    if get32(order.octets + at) != NUMBERS.vendor:
        return UNSUPPORTED_ATTRIBUTE
    at += 4
    while at < end:
        if end - at < 2 or order.octets[at + 1] < 2 or order.octets[at + 1] > end - at:
            return INVALID_ATTRIBUTE_VALUE
        fault = attribute_fault(order, NUMBERS.ours[order.octets[at]], order.octets[at + 1] - 2)
        if fault:
            return fault
        at += order.octets[at + 1]
    return 0


cdef uint32_t attribute_fault(const Order* order, int slot, int size) noexcept nogil:
    if not is_understood(slot, is_coa(order)):
        return UNSUPPORTED_ATTRIBUTE
    if order.packet.count[slot] > 1 and slot not in (CLASS, PROXY_STATE):
        return INVALID_REQUEST
    return 0 if size == 4 or (size > 0 and not is_number(slot)) else INVALID_ATTRIBUTE_VALUE


cdef bint is_understood(int slot, bint in_coa) noexcept nogil:
    """radius.md 9.7; what RFC 5176 3.6 has 0 of, but its text and example have, is accepted."""
    if slot in (SESSION_TIMEOUT, REGISTRATION_LIFETIME, ACCT_INTERIM_INTERVAL, SERVICE_TYPE):
        return in_coa
    return slot in (MESSAGE_AUTHENTICATOR, USER_NAME, NAS_IP_ADDRESS, NAS_IDENTIFIER, ACCT_SESSION_ID, EVENT_TIMESTAMP,
                    ACCT_TERMINATE_CAUSE, CLASS, CALLING_STATION_ID, ACCT_MULTI_SESSION_ID, CHARGEABLE_USER_IDENTITY,
                    PROXY_STATE, FRAMED_IP_ADDRESS, STATE)


cdef bint is_number(int slot) noexcept nogil:
    return slot in (NAS_IP_ADDRESS, EVENT_TIMESTAMP, ACCT_TERMINATE_CAUSE, FRAMED_IP_ADDRESS, SESSION_TIMEOUT,
                    REGISTRATION_LIFETIME, ACCT_INTERIM_INTERVAL, SERVICE_TYPE)


cdef uint32_t missing_fault(const Order* order) noexcept nogil:
    """Authorize Only (RFC 5176 3.2) is a service that an FHA cannot give, and 3.5 has 405 for that: it would ask for new keys,
    and a key reaches a node only as the nonce in the reply to a request of its own that asks for it (RFC 3957 3, 6.3), when
    the AAAH is asked anyway. New limits come with the order itself; who wants new keys ends the session."""
    if not (has(order, USER_NAME) and has(order, ACCT_SESSION_ID) and has(order, EVENT_TIMESTAMP)
            and (has(order, NAS_IP_ADDRESS) or has(order, NAS_IDENTIFIER))):
        return MISSING_ATTRIBUTE
    if has(order, SERVICE_TYPE):
        return UNSUPPORTED_SERVICE
    if is_coa(order) and not has(order, SESSION_TIMEOUT) and not has(order, REGISTRATION_LIFETIME):
        return MISSING_ATTRIBUTE                                       # nothing is asked for that we can change
    return 0


cdef uint32_t nas_fault(const Fha* fha, const Order* order) noexcept nogil:
    """RFC 5176 3: whatever it names us by must be ours."""
    if has(order, NAS_IP_ADDRESS) and memcmp(value(order, NAS_IP_ADDRESS), &fha.address, 4):
        return NAS_MISMATCH
    if has(order, NAS_IDENTIFIER) and (order.packet.size[<int> NAS_IDENTIFIER] != fha.identifier_length or memcmp(
            value(order, NAS_IDENTIFIER), fha.identifier, fha.identifier_length)):
        return NAS_MISMATCH
    return 0


# ---- can it be done, and is it done --------------------------------------------------------------------------------------

cdef Binding* binding_of_order(Fha* fha, const Order* order) noexcept nogil:
    """The session whose id we gave in the question that it was granted on; NULL: there is none now."""
    cdef uint8_t[16] session
    cdef const uint8_t* nai = value(order, USER_NAME)
    cdef uint32_t length = order.packet.size[<int> USER_NAME]
    cdef Binding* binding = find_binding(&fha.bindings, nai, length, seeded_hash(nai, length, fha.seed))
    if not binding or binding.is_over or order.packet.size[<int> ACCT_SESSION_ID] != 16:
        return NULL
    write_session(binding.session, session)
    if memcmp(session, value(order, ACCT_SESSION_ID), 16):
        return NULL
    return binding if is_named(order, binding) else NULL


cdef bint is_named(const Order* order, const Binding* binding) noexcept nogil:
    """RFC 5176 3: all that names a session must fit. A Calling-Station-Id or Acct-Multi-Session-Id no session here has:
    we have told the AAAH of none. Class and Chargeable-User-Identity are as the Accept had them."""
    if has(order, FRAMED_IP_ADDRESS) and memcmp(value(order, FRAMED_IP_ADDRESS), &binding.address, 4):
        return False
    if has(order, CALLING_STATION_ID) or has(order, ACCT_MULTI_SESSION_ID):
        return False
    if has(order, CLASS) and hash_of_values(&order.packet, CLASS) != binding.class_hash:
        return False
    return not has(order, CHARGEABLE_USER_IDENTITY) or (
        hash_of_values(&order.packet, CHARGEABLE_USER_IDENTITY) == binding.identity_hash)


cdef uint32_t disconnect(Fha* fha, Order* order, Binding* binding) noexcept nogil:
    order.ticket = revoke(fha, binding)
    if not order.ticket:
        return RESOURCES_UNAVAILABLE
    count_event(&fha.counters, DISCONNECTED)
    return 0


cdef uint32_t change(Fha* fha, Order* order, Binding* binding) noexcept nogil:
    if (has(order, SESSION_TIMEOUT) and not integer(order, SESSION_TIMEOUT)) or (
            has(order, REGISTRATION_LIFETIME) and not integer(order, REGISTRATION_LIFETIME)):
        return INVALID_ATTRIBUTE_VALUE
    order.ticket = shorten(fha, binding, integer(order, SESSION_TIMEOUT), integer(order, REGISTRATION_LIFETIME))
    if not order.ticket:
        return RESOURCES_UNAVAILABLE
    count_event(&fha.counters, SHORTENED)
    return 0
