"""RADIUS: the attribute walk, the writers, the digests of a packet, and which number each slot has."""
from libc.stdint cimport uint8_t, uint16_t, uint32_t
from libc.string cimport memcpy, memset

from fastcodec.dictionary import default
from fastcodec.digest.jobs cimport DIGEST_HMAC_MD5, DIGEST_MD5, queue_job
from fastcodec.errors import LocalError
from fastcodec.status cimport Status
from fastcodec.wire cimport get16, get32, put32

OUR_VENDOR = "mipstorm"
SLOT_NAMES = {
    Slot.USER_NAME: "User-Name", Slot.USER_PASSWORD: "User-Password", Slot.CHAP_PASSWORD: "CHAP-Password",
    Slot.NAS_IP_ADDRESS: "NAS-IP-Address", Slot.SERVICE_TYPE: "Service-Type",
    Slot.FRAMED_IP_ADDRESS: "Framed-IP-Address", Slot.REPLY_MESSAGE: "Reply-Message", Slot.STATE: "State",
    Slot.CLASS: "Class", Slot.SESSION_TIMEOUT: "Session-Timeout", Slot.CALLING_STATION_ID: "Calling-Station-Id",
    Slot.NAS_IDENTIFIER: "NAS-Identifier", Slot.PROXY_STATE: "Proxy-State", Slot.ACCT_SESSION_ID: "Acct-Session-Id",
    Slot.CHAP_CHALLENGE: "CHAP-Challenge", Slot.NAS_PORT_TYPE: "NAS-Port-Type", Slot.EAP_MESSAGE: "EAP-Message",
    Slot.MESSAGE_AUTHENTICATOR: "Message-Authenticator", Slot.ACCT_INTERIM_INTERVAL: "Acct-Interim-Interval",
    Slot.FRAMED_IPV6_PREFIX: "Framed-IPv6-Prefix", Slot.OPERATOR_NAME: "Operator-Name",
    Slot.FRAMED_IPV6_ADDRESS: "Framed-IPv6-Address", Slot.REQUESTER_ROLE: "Mipstorm-Requester-Role",
    Slot.FHA_IP_ADDRESS: "Mipstorm-FHA-IP-Address", Slot.FHA_FQDN: "Mipstorm-FHA-FQDN",
    Slot.CARE_OF_ADDRESS: "Mipstorm-Care-of-Address", Slot.COA_TYPE: "Mipstorm-CoA-Type",
    Slot.IPV6_HOME_ADDRESS: "Mipstorm-IPv6-Home-Address", Slot.IPV6_HOME_AGENT: "Mipstorm-IPv6-Home-Agent",
    Slot.REGISTRATION_LIFETIME: "Mipstorm-Registration-Lifetime", Slot.DENIAL_CODE: "Mipstorm-Denial-Code",
    Slot.MN_AAA_SPI: "Mipstorm-MN-AAA-SPI", Slot.MN_AAA_DATA: "Mipstorm-MN-AAA-Data",
    Slot.MN_AAA_AUTHENTICATOR: "Mipstorm-MN-AAA-Authenticator", Slot.KEY_REQUEST: "Mipstorm-Key-Request",
    Slot.MN_FHA_MN_SPI: "Mipstorm-MN-FHA-MN-SPI", Slot.MN_FHA_FHA_SPI: "Mipstorm-MN-FHA-FHA-SPI",
    Slot.AAA_SPI: "Mipstorm-AAA-SPI", Slot.MN_FHA_NONCE: "Mipstorm-MN-FHA-Nonce",
    Slot.MN_FHA_KEY: "Mipstorm-MN-FHA-Key", Slot.MN_FHA_ALGORITHM: "Mipstorm-MN-FHA-Algorithm",
    Slot.MN_FHA_REPLAY_METHOD: "Mipstorm-MN-FHA-Replay-Method",
    Slot.MN_FHA_KEY_LIFETIME: "Mipstorm-MN-FHA-Key-Lifetime", Slot.ACCT_STATUS_TYPE: "Acct-Status-Type",
    Slot.FRAMED_POOL: "Framed-Pool", Slot.EVENT_TIMESTAMP: "Event-Timestamp", Slot.ERROR_CAUSE: "Error-Cause",
    Slot.ACCT_TERMINATE_CAUSE: "Acct-Terminate-Cause", Slot.ACCT_MULTI_SESSION_ID: "Acct-Multi-Session-Id",
    Slot.CHARGEABLE_USER_IDENTITY: "Chargeable-User-Identity"}


def configure(dictionary=None):
    """Compile what a dictionary (the shipped one unless given) says of our slots, for this whole process.

    The vendor's number and every attribute's number may differ from the shipped ones; the names may not.
    """
    cdef int slot
    cdef Numbers numbers
    dictionary = dictionary or default()
    memset(&numbers, 0, sizeof(Numbers))
    missing = {OUR_VENDOR} - dictionary.vendors.keys() or set(SLOT_NAMES.values()) - dictionary.attributes.keys()
    if missing:
        raise LocalError(f"the dictionary has no {min(missing)}: it must hold what is shipped (fastcodec.load)")
    ours = dictionary.vendors[OUR_VENDOR]
    numbers.vendor = ours.number
    if (ours.type_size, ours.length_size, ours.continuation) != (1, 1, False):
        raise LocalError(f"vendor {OUR_VENDOR} is of a format that the servers do not read (RFC 2865 5.26 only)")
    for slot, name in SLOT_NAMES.items():
        attribute = dictionary.attributes[name]
        if attribute.vendor not in (0, numbers.vendor):
            raise LocalError(f"{name} is of vendor {attribute.vendor}, neither standard nor ours")
        if len(attribute.path) > 1 or attribute.is_internal:
            raise LocalError(f"{name} is {'.'.join(map(str, attribute.path))}, no attribute of its own")
        numbers.number[slot], numbers.is_ours[slot] = attribute.number, attribute.vendor != 0
        if attribute.vendor:
            numbers.ours[<uint8_t> attribute.number] = slot
        else:
            numbers.standard[<uint8_t> attribute.number] = slot
    memcpy(&NUMBERS, &numbers, sizeof(Numbers))


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


cdef inline int walked(const uint8_t* p, uint32_t n, const Numbers* numbers, Packet* out, int longest,
                       int most_attributes) noexcept nogil:
    """Status of the packet; `out` holds the first place and the count of every slot. RFC 2865 3, 5.

    `out.attributes` is how many were good before the first fault. What follows the header's Length is padding.
    """
    cdef int at = HEADER, end, size
    memset(out, 0, sizeof(Packet))
    out.octets = p
    if n < HEADER:
        return Status.TOO_SHORT
    end = get16(p + 2)
    if end < HEADER or end > longest or <uint32_t> end > n:
        return Status.BAD_LENGTH
    out.length = end
    while at < end:
        size = p[at + 1] if end - at >= 2 else 0
        if size < 2 or size > end - at or p[at] == 0:
            return Status.EXTENSION_OVERRUN
        if out.attributes == most_attributes:
            return Status.TOO_MANY_EXTENSIONS
        out.attributes += 1
        if is_of_ours(p + at, numbers):
            walk_ours(p, at + 6, at + size, numbers, out)
        elif numbers.standard[p[at]]:
            note(out, numbers.standard[p[at]], at + 2, size - 2)
        at += size
    return Status.OK


cdef int walk_packet(const uint8_t* p, uint32_t n, const Numbers* numbers, Packet* out) noexcept nogil:
    return walked(p, n, numbers, out, LONGEST, MOST_ATTRIBUTES)


cdef int walk_within(const uint8_t* p, uint32_t n, const Numbers* numbers, Packet* out, int longest,
                     int most_attributes) noexcept nogil:
    return walked(p, n, numbers, out, longest, most_attributes)


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


def occurrences(bytes packet, int slot):
    """Every value of a slot in a packet, in order; [] when the packet is malformed."""
    cdef Packet walked
    cdef int at = 0
    cdef list values = []
    if walk_packet(packet, <uint32_t> len(packet), &NUMBERS, &walked) == Status.OK:
        at = next_occurrence(&walked, &NUMBERS, slot, 0)
    while at:
        values.append(packet[at:at + packet[at - 1] - 2])
        at = next_occurrence(&walked, &NUMBERS, slot, at)
    return values


def attribute(int slot, bytes value):
    """The octets of one attribute as the roles write it; None when the value is empty or too long."""
    cdef uint8_t[256] out
    cdef uint8_t* end = put_attribute(out, &NUMBERS, slot, <const uint8_t*> value, <int> len(value))
    return None if end == NULL else <bytes> out[:end - out]


cdef void queue_message_authenticator(Queue* queue, uint8_t* packet, uint32_t length, int ma_offset,
                                      const Key* secret_key, uint8_t* out16) noexcept nogil:
    """RFC 3579 3.2: HMAC-MD5 over the packet with 16 zeros at `ma_offset`, which this call writes.

    The authenticator field must hold the request's authenticator; the packet must stay as it is until the queue ran.
    """
    memset(packet + ma_offset, 0, 16)
    queue_job(queue, DIGEST_HMAC_MD5, packet, length, NULL, 0, secret_key, out16)


cdef void queue_response_authenticator(Queue* queue, const uint8_t* packet, uint32_t length, const uint8_t* secret,
                                       uint32_t secret_length, uint8_t* out16) noexcept nogil:
    """RFC 2865 3: MD5(packet || secret) while the header still holds the request's authenticator."""
    queue_job(queue, DIGEST_MD5, packet, length, secret, secret_length, NULL, out16)
