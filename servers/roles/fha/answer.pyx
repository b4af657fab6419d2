# Step 5, the answer: what the AAAH assigned, and the key it derived.
from fastcodec.digest.jobs cimport DIGEST_KEY_MD5, DIGEST_MD5, queue_job
from fastcodec.mip4 cimport (
    ALGORITHM_HMAC_MD5, FAILED_AUTHENTICATION, REASON_UNSPECIFIED, REPLAY_NONCES, REPLAY_TIMESTAMPS,
)
from fastcodec.radius cimport (
    AAA_SPI, ACCESS_ACCEPT, ACCESS_REJECT, CHARGEABLE_USER_IDENTITY, CLASS, DENIAL_CODE, FRAMED_IP_ADDRESS, FRAMED_POOL,
    IPV6_HOME_ADDRESS, IPV6_HOME_AGENT, MN_FHA_ALGORITHM, MN_FHA_FHA_SPI, MN_FHA_KEY, MN_FHA_KEY_LIFETIME, MN_FHA_MN_SPI,
    MN_FHA_NONCE, MN_FHA_REPLAY_METHOD, NUMBERS, Packet, REGISTRATION_LIFETIME, SESSION_TIMEOUT, next_occurrence,
)
from fastcodec.wire cimport get32
from libc.stdint cimport uint32_t, uint64_t, uint8_t
from libc.string cimport memcmp, memcpy
from servers.failpoint cimport FHA_ACCEPTED, failpoint
from servers.engine.reasons cimport AAA_REJECTED, AAA_TIMEOUT, AAA_UNUSABLE
from servers.roles.fha.address cimport may_be_leased
from servers.roles.fha.proof cimport static_key_of
from servers.roles.fha.row cimport refuse, refuse_unsigned
from servers.roles.fha.state cimport FHA_ALLOCATES, Fha, NEVER, Registration, SECOND, StaticKey
from servers.roles.radius_client cimport Upstream, request_octets
from servers.tables.hash cimport seeded_hash


cdef inline const uint8_t* attribute(const Registration* row, int slot) noexcept nogil:
    return row.answer.packet.octets + row.answer.packet.offset[slot]


cdef inline int size_of(const Registration* row, int slot) noexcept nogil:
    return row.answer.packet.size[slot]


cdef inline uint32_t integer(const Registration* row, int slot) noexcept nogil:
    return get32(attribute(row, slot)) if size_of(row, slot) == 4 else 0


cdef inline uint32_t network_word(const uint8_t* octets) noexcept nogil:
    cdef uint32_t word
    memcpy(&word, octets, 4)
    return word


cdef void read_answer(Fha* fha, Registration* row) noexcept nogil:
    """Rulings 6 and 7: no usable answer is 128, a Reject 131 or what the AAAH said."""
    cdef uint32_t denial
    if not row.answer:
        refuse_for_aaah(fha, row, REASON_UNSPECIFIED, AAA_TIMEOUT)
    elif row.answer.packet.octets[0] == ACCESS_REJECT:
        denial = integer(row, DENIAL_CODE)
        refuse_for_aaah(fha, row, denial if 128 <= denial <= 192 else FAILED_AUTHENTICATION, AAA_REJECTED)
    elif not accept_is_usable(fha, row) or not take_pool(fha, row):
        refuse_for_aaah(fha, row, REASON_UNSPECIFIED, AAA_UNUSABLE)
    else:
        failpoint(FHA_ACCEPTED)
        take_assignment(fha, row)


cdef void refuse_for_aaah(Fha* fha, Registration* row, int code, int reason) noexcept nogil:
    """Under the key held already, if MN-HA has proven it; else there is none to sign with."""
    if row.is_proven:
        refuse(fha, row, code, reason)
    else:
        refuse_unsigned(fha, row, code, reason)


cdef bint accept_is_usable(const Fha* fha, const Registration* row) noexcept nogil:
    """All that an RRP needs is there, once and of the right size, and the FHA may allocate."""
    if row.answer.packet.octets[0] != ACCESS_ACCEPT:
        return False
    if not row.answer.upstream.ours and not row.wants_key:             # it knows nothing of us but the credential
        return not row.answer.packet.count[<int> FRAMED_IP_ADDRESS] or address_is_usable(fha, row)
    return (address_is_usable(fha, row) and size_of(row, IPV6_HOME_ADDRESS) == 16
            and size_of(row, IPV6_HOME_AGENT) == 16 and (not row.wants_key or key_is_usable(row)))


cdef bint address_is_usable(const Fha* fha, const Registration* row) noexcept nogil:
    """One, and either we choose (RFC 2865 5.8) or a node can have it (reliability A35)."""
    return (row.answer.packet.count[<int> FRAMED_IP_ADDRESS] == 1 and size_of(row, FRAMED_IP_ADDRESS) == 4
            and (integer(row, FRAMED_IP_ADDRESS) == FHA_ALLOCATES
                 or may_be_leased(fha, network_word(attribute(row, FRAMED_IP_ADDRESS)))))


cdef bint take_pool(const Fha* fha, Registration* row) noexcept nogil:
    """RFC 2869 5.18. The subscription class stays with the AAAH, which names the pool that it stands for (radius.md 9.1).
    Who has one pool only need not know names."""
    cdef uint32_t k
    if not row.answer.packet.count[<int> FRAMED_POOL] or fha.pool_count == 1:
        return True
    for k in range(fha.pool_count):
        if fha.pools[k].name_length == size_of(row, FRAMED_POOL) and not memcmp(
                fha.pools[k].name, attribute(row, FRAMED_POOL), fha.pools[k].name_length):
            row.pool = k
            return True
    return False


cdef bint key_is_usable(const Registration* row) noexcept nogil:
    """RFC 3957 6.4: all that extension 43 is made of; a salt has its first bit set, RFC 2868 3.5."""
    return (row.answer.packet.count[<int> MN_FHA_KEY] == 1 and size_of(row, MN_FHA_KEY) == 34
            and attribute(row, MN_FHA_KEY)[0] & 0x80
            and 16 <= size_of(row, MN_FHA_NONCE) <= 64 and integer(row, AAA_SPI)
            and integer(row, MN_FHA_MN_SPI) == row.asked_spi and integer(row, MN_FHA_FHA_SPI) >= 256
            and integer(row, MN_FHA_ALGORITHM) == ALGORITHM_HMAC_MD5
            and integer(row, MN_FHA_REPLAY_METHOD) in (<uint32_t> REPLAY_TIMESTAMPS, <uint32_t> REPLAY_NONCES)
            and integer(row, MN_FHA_KEY_LIFETIME))


cdef void take_assignment(Fha* fha, Registration* row) noexcept nogil:
    """Copies what the reply needs: limits, IPv6 addresses, and a key derived, held already, or configured."""
    cdef uint32_t authorised = integer(row, SESSION_TIMEOUT)
    row.class_hash = hash_of_values(&row.answer.packet, CLASS)
    row.identity_hash = hash_of_values(&row.answer.packet, CHARGEABLE_USER_IDENTITY)
    row.session_ends = fha.now.monotonic + <uint64_t> authorised * SECOND if authorised else NEVER
    row.most_lifetime = integer(row, REGISTRATION_LIFETIME) if size_of(row, REGISTRATION_LIFETIME) else fha.max_lifetime_s
    if integer(row, FRAMED_IP_ADDRESS) not in (<uint32_t> 0, <uint32_t> FHA_ALLOCATES):
        row.assigned = network_word(attribute(row, FRAMED_IP_ADDRESS))
    row.has_addresses = size_of(row, IPV6_HOME_ADDRESS) == 16 and size_of(row, IPV6_HOME_AGENT) == 16
    if row.has_addresses:
        memcpy(row.home_address, attribute(row, IPV6_HOME_ADDRESS), 16)
        memcpy(row.home_agent, attribute(row, IPV6_HOME_AGENT), 16)
    if row.wants_key:
        take_nonce(fha, row)
    elif not row.is_proven:
        take_static_key(row, static_key_of(fha, row))


cdef uint64_t hash_of_values(const Packet* packet, int slot) noexcept nogil:
    """Of all that a packet has of an attribute, in order, the same in every process; 0: none."""
    cdef uint64_t hash = 0
    cdef int place = packet.offset[slot]
    while place:
        hash = seeded_hash(packet.octets + place, packet.octets[place - 1] - 2, hash) | 1
        place = next_occurrence(packet, &NUMBERS, slot, place)
    return hash


cdef void take_nonce(Fha* fha, Registration* row) noexcept nogil:
    """Extension 43's fields, and both pads that hide the key: MD5(secret, Request Authenticator, salt) and MD5(secret,
    c1), RFC 2868 3.5."""
    cdef const uint8_t* hidden = attribute(row, MN_FHA_KEY)
    cdef const Upstream* server = row.answer.upstream
    row.has_new_key = True
    row.aaa_spi, row.ha_spi = integer(row, AAA_SPI), integer(row, MN_FHA_FHA_SPI)
    row.key_lifetime = integer(row, MN_FHA_KEY_LIFETIME)
    row.nonce_length = <uint8_t> size_of(row, MN_FHA_NONCE)
    memcpy(row.nonce, attribute(row, MN_FHA_NONCE), row.nonce_length)
    memcpy(row.hiding, request_octets(&fha.client, row.answer.index) + 4, 16)
    memcpy(row.hiding + 16, hidden, 2)
    queue_job(&fha.queue, DIGEST_MD5, server.secret, server.secret_length, row.hiding, 18, NULL, row.pad)
    queue_job(&fha.queue, DIGEST_MD5, server.secret, server.secret_length, hidden + 2, 16, NULL, row.second_pad)


cdef void take_static_key(Registration* row, const StaticKey* entry) noexcept nogil:
    """An AAAH that derives none: the association is the one that both sides have configured, RFC 5944 3.2."""
    if not entry:
        return
    row.is_signed, row.key, row.mn_spi, row.ha_spi = True, entry.prepared, entry.spi, entry.spi
    row.replay, row.key_lifetime, row.key_length = REPLAY_TIMESTAMPS, 0, entry.key_length
    memcpy(row.secret, entry.key, entry.key_length)


cdef void take_key(Fha* fha, Registration* row) noexcept nogil:
    """Unhides length and key; a length that is not 20 is a key that is missing (RFC 3957 5)."""
    cdef const uint8_t* hidden
    cdef int k
    if not row.has_new_key:
        return
    hidden = attribute(row, MN_FHA_KEY) + 2
    if hidden[0] ^ row.pad[0] != 20:
        row.has_new_key = False
        refuse_for_aaah(fha, row, REASON_UNSPECIFIED, AAA_UNUSABLE)
        return
    for k in range(15):
        row.secret[k] = hidden[1 + k] ^ row.pad[1 + k]
    for k in range(5):
        row.secret[15 + k] = hidden[16 + k] ^ row.second_pad[k]
    row.is_signed, row.key_length, row.mn_spi = True, 20, row.asked_spi
    row.replay = <uint8_t> integer(row, MN_FHA_REPLAY_METHOD)
    queue_job(&fha.queue, DIGEST_KEY_MD5, row.secret, 20, NULL, 0, NULL, &row.key)
