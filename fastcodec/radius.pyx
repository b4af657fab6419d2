"""RADIUS: the attribute walk, the writers, the digests of a packet, and which number each slot has."""
from libc.stdint cimport uint8_t, uint16_t, uint32_t
from libc.string cimport memcpy, memset

from fastcodec.digest.jobs cimport DIGEST_HMAC_MD5, DIGEST_MD5, queue_job
from fastcodec.status cimport Status
from fastcodec.wire cimport get16, get32, put32

#   slot: (vendor is ours, number)
SLOT_NUMBERS = {
    Slot.USER_NAME: (False, 1), Slot.USER_PASSWORD: (False, 2), Slot.CHAP_PASSWORD: (False, 3),
    Slot.NAS_IP_ADDRESS: (False, 4), Slot.SERVICE_TYPE: (False, 6), Slot.FRAMED_IP_ADDRESS: (False, 8),
    Slot.REPLY_MESSAGE: (False, 18), Slot.STATE: (False, 24), Slot.CLASS: (False, 25),
    Slot.SESSION_TIMEOUT: (False, 27), Slot.CALLING_STATION_ID: (False, 31), Slot.NAS_IDENTIFIER: (False, 32),
    Slot.PROXY_STATE: (False, 33), Slot.ACCT_SESSION_ID: (False, 44), Slot.CHAP_CHALLENGE: (False, 60),
    Slot.NAS_PORT_TYPE: (False, 61), Slot.EAP_MESSAGE: (False, 79), Slot.MESSAGE_AUTHENTICATOR: (False, 80),
    Slot.ACCT_INTERIM_INTERVAL: (False, 85), Slot.FRAMED_IPV6_PREFIX: (False, 97), Slot.OPERATOR_NAME: (False, 126),
    Slot.FRAMED_IPV6_ADDRESS: (False, 168), Slot.REQUESTER_ROLE: (True, 1), Slot.FHA_IP_ADDRESS: (True, 2),
    Slot.FHA_FQDN: (True, 3), Slot.CARE_OF_ADDRESS: (True, 4), Slot.COA_TYPE: (True, 6),
    Slot.IPV6_HOME_ADDRESS: (True, 7), Slot.IPV6_HOME_AGENT: (True, 8), Slot.REGISTRATION_LIFETIME: (True, 10),
    Slot.DENIAL_CODE: (True, 12), Slot.MN_AAA_SPI: (True, 20), Slot.MN_AAA_DATA: (True, 21),
    Slot.MN_AAA_AUTHENTICATOR: (True, 22), Slot.KEY_REQUEST: (True, 24), Slot.MN_FHA_MN_SPI: (True, 25),
    Slot.MN_FHA_FHA_SPI: (True, 26), Slot.AAA_SPI: (True, 27), Slot.MN_FHA_NONCE: (True, 28),
    Slot.MN_FHA_KEY: (True, 29), Slot.MN_FHA_ALGORITHM: (True, 30), Slot.MN_FHA_REPLAY_METHOD: (True, 31),
    Slot.MN_FHA_KEY_LIFETIME: (True, 32)}


def configure(vendor=32473, numbers=SLOT_NUMBERS):
    """Compile `{slot: (is ours, number)}` for the walk and the writers of this process."""
    cdef int slot
    memset(&NUMBERS, 0, sizeof(NUMBERS))
    NUMBERS.vendor = vendor
    for slot, (ours, number) in numbers.items():
        NUMBERS.number[slot], NUMBERS.is_ours[slot] = number, ours
        if ours:
            NUMBERS.ours[<uint8_t> number] = slot
        else:
            NUMBERS.standard[<uint8_t> number] = slot


configure()


cdef inline void note(Packet* out, int slot, int offset, int size) noexcept nogil:
    if out.count[slot] == 0:
        out.offset[slot] = <uint16_t> offset
        out.size[slot] = <uint8_t> size
    if out.count[slot] < 255:
        out.count[slot] += 1


cdef inline bint well_formed(const uint8_t* p, int at, int end) noexcept nogil:
    """Sub-attributes of one octet type and length that fill the Vendor-Specific exactly, RFC 2865 5.26."""
    while end - at >= 2 and p[at + 1] >= 2:
        at += p[at + 1]
    return at == end


cdef inline void walk_ours(const uint8_t* p, int at, int end, const Numbers* numbers, Packet* out) noexcept nogil:
    """A Vendor-Specific whose inside does not add up stays opaque, as other vendors' do."""
    if not well_formed(p, at, end):
        return
    while at < end:
        if numbers.ours[p[at]]:
            note(out, numbers.ours[p[at]], at + 2, p[at + 1] - 2)
        at += p[at + 1]


cdef inline bint is_of_ours(const uint8_t* attribute, const Numbers* numbers) noexcept nogil:
    return attribute[0] == VENDOR_SPECIFIC and attribute[1] >= 6 and get32(attribute + 2) == numbers.vendor


cdef int walk_packet(const uint8_t* p, uint32_t n, const Numbers* numbers, Packet* out) noexcept nogil:
    """Status of the packet; `out` holds the first place and the count of every slot. RFC 2865 3, 5.

    `out.attributes` is how many were good before the first fault. What follows the header's Length is padding.
    """
    cdef int at = HEADER, end, size
    memset(out, 0, sizeof(Packet))
    out.octets = p
    if n < HEADER:
        return Status.TOO_SHORT
    end = get16(p + 2)
    if end < HEADER or end > LONGEST or <uint32_t> end > n:
        return Status.BAD_LENGTH
    out.length = end
    while at < end:
        size = p[at + 1] if end - at >= 2 else 0
        if size < 2 or size > end - at or p[at] == 0:
            return Status.EXTENSION_OVERRUN
        if out.attributes == MOST_ATTRIBUTES:
            return Status.TOO_MANY_EXTENSIONS
        out.attributes += 1
        if is_of_ours(p + at, numbers):
            walk_ours(p, at + 6, at + size, numbers, out)
        elif numbers.standard[p[at]]:
            note(out, numbers.standard[p[at]], at + 2, size - 2)
        at += size
    return Status.OK


cdef int next_ours(const uint8_t* p, int at, int end, int number, int after) noexcept nogil:
    while at < end:
        if p[at] == number and at + 2 > after:
            return at + 2
        at += p[at + 1]
    return 0


cdef int next_occurrence(const Packet* packet, const Numbers* numbers, int slot, int after) noexcept nogil:
    """Offset of the first value of `slot` behind offset `after`, or 0; p[offset - 1] - 2 is its size."""
    cdef const uint8_t* p = packet.octets
    cdef int at = HEADER, end = packet.length, found
    if packet.count[slot] == 0 or after == 0:
        return packet.offset[slot]
    while at < end:
        if not numbers.is_ours[slot]:
            if p[at] == numbers.number[slot] and at + 2 > after:
                return at + 2
        elif is_of_ours(p + at, numbers) and at + p[at + 1] > after and well_formed(p, at + 6, at + p[at + 1]):
            found = next_ours(p, at + 6, at + p[at + 1], numbers.number[slot], after)
            if found:
                return found
        at += p[at + 1]
    return 0


cdef uint8_t* put_attribute(uint8_t* at, const Numbers* numbers, int slot, const void* value, int n) noexcept nogil:
    """Write one attribute, in a Vendor-Specific of its own when it is ours; returns where the next one goes.

    NULL in, an empty value or one over 253 (247) octets: NULL. Ours: one sub-attribute each, RFC 2865 5.26.
    """
    cdef int wrap = 6 if numbers.is_ours[slot] else 0
    if at == NULL or n < 1 or n > 253 - wrap:
        return NULL
    if wrap:
        at[0], at[1] = VENDOR_SPECIFIC, <uint8_t> (n + 8)
        put32(at + 2, numbers.vendor)
        at += 6
    at[0], at[1] = numbers.number[slot], <uint8_t> (n + 2)
    memcpy(at + 2, value, n)
    return at + 2 + n


cdef uint8_t* put_integer(uint8_t* at, const Numbers* numbers, int slot, uint32_t value) noexcept nogil:
    cdef uint8_t[4] octets
    put32(octets, value)
    return put_attribute(at, numbers, slot, octets, 4)


cdef void queue_message_authenticator(Queue* queue, uint8_t* packet, uint32_t length, int ma_offset, const Key* secret_key,
                                      uint8_t* out16) noexcept nogil:
    """RFC 3579 3.2: HMAC-MD5 over the packet with 16 zeros at `ma_offset`, which this call writes.

    The authenticator field must hold the request's authenticator; the packet must stay as it is until the queue ran.
    """
    memset(packet + ma_offset, 0, 16)
    queue_job(queue, DIGEST_HMAC_MD5, packet, length, NULL, 0, secret_key, out16)


cdef void queue_response_authenticator(Queue* queue, const uint8_t* packet, uint32_t length, const uint8_t* secret,
                                       uint32_t secret_length, uint8_t* out16) noexcept nogil:
    """RFC 2865 3: MD5(packet || secret) while the header still holds the request's authenticator."""
    queue_job(queue, DIGEST_MD5, packet, length, secret, secret_length, NULL, out16)
