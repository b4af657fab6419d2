# Step 5, the answer: what the AAAH assigned, and the key it derived.
from fastcodec.digest.jobs cimport DIGEST_KEY_MD5, DIGEST_MD5, queue_job
from fastcodec.mip4 cimport ALGORITHM_HMAC_MD5, FAILED_AUTHENTICATION, REASON_UNSPECIFIED, REPLAY_TIMESTAMPS
from fastcodec.radius cimport (
    AAA_SPI, ACCESS_ACCEPT, ACCESS_REJECT, DENIAL_CODE, FRAMED_IP_ADDRESS, IPV6_HOME_ADDRESS, IPV6_HOME_AGENT,
    MN_FHA_ALGORITHM, MN_FHA_FHA_SPI, MN_FHA_KEY, MN_FHA_KEY_LIFETIME, MN_FHA_MN_SPI, MN_FHA_NONCE,
    MN_FHA_REPLAY_METHOD, REGISTRATION_LIFETIME, SESSION_TIMEOUT,
)
from fastcodec.wire cimport get32
from libc.stdint cimport uint32_t, uint8_t
from libc.string cimport memcpy
from servers.engine.counters cimport count_offence
from servers.engine.reasons cimport AAA_REJECTED, AAA_TIMEOUT, AAA_UNUSABLE, REPLY_LIMIT
from servers.roles.fha.row cimport drop
from servers.roles.fha.state cimport FHA_ALLOCATES, Fha, Registration
from servers.roles.radius_client cimport Upstream, request_octets
from servers.tables.budget cimport budget_allows
from servers.tables.hash cimport hash_word


cdef inline const uint8_t* attribute(const Registration* row, int slot) noexcept nogil:
    return row.answer.packet.octets + row.answer.packet.offset[slot]


cdef inline int size_of(const Registration* row, int slot) noexcept nogil:
    return row.answer.packet.size[slot]


cdef inline uint32_t integer(const Registration* row, int slot) noexcept nogil:
    return get32(attribute(row, slot)) if size_of(row, slot) == 4 else 0


cdef void read_answer(Fha* fha, Registration* row) noexcept nogil:
    """Rulings 6 and 7: no usable answer is 128, a Reject 131 or what the AAAH said; such replies carry no 32."""
    cdef uint32_t denial
    if not row.answer:
        refuse_unsigned(fha, row, REASON_UNSPECIFIED, AAA_TIMEOUT)
    elif row.answer.packet.octets[0] == ACCESS_REJECT:
        denial = integer(row, DENIAL_CODE)
        refuse_unsigned(fha, row, denial if 128 <= denial <= 192 else FAILED_AUTHENTICATION, AAA_REJECTED)
    elif not accept_is_usable(row):
        refuse_unsigned(fha, row, REASON_UNSPECIFIED, AAA_UNUSABLE)
    else:
        take_assignment(fha, row)


cdef void refuse_unsigned(Fha* fha, Registration* row, int code, int reason) noexcept nogil:
    """Not more than 100 a second and source, and never longer than the request (reliability M4)."""
    if not budget_allows(&fha.refusals, hash_word(row.datagram.peer_address, fha.seed), fha.now.monotonic):
        drop(fha, row, REPLY_LIMIT)
        return
    row.code, row.is_signed = <uint8_t> code, False
    count_offence(&fha.counters, reason, &row.datagram)


cdef bint accept_is_usable(const Registration* row) noexcept nogil:
    """All that an RRP needs is there, once and of the right size, and the FHA may allocate."""
    cdef const uint8_t* count = row.answer.packet.count
    return (row.answer.packet.octets[0] == ACCESS_ACCEPT and integer(row, FRAMED_IP_ADDRESS) == FHA_ALLOCATES
            and size_of(row, IPV6_HOME_ADDRESS) == 16 and size_of(row, IPV6_HOME_AGENT) == 16
            and count[<int> MN_FHA_KEY] == 1 and size_of(row, MN_FHA_KEY) == 34
            and 16 <= size_of(row, MN_FHA_NONCE) <= 64 and integer(row, AAA_SPI)
            and integer(row, MN_FHA_MN_SPI) == row.mn_spi and integer(row, MN_FHA_FHA_SPI) >= 256
            and integer(row, MN_FHA_ALGORITHM) == ALGORITHM_HMAC_MD5
            and integer(row, MN_FHA_REPLAY_METHOD) == REPLAY_TIMESTAMPS and integer(row, MN_FHA_KEY_LIFETIME))


cdef void take_assignment(Fha* fha, Registration* row) noexcept nogil:
    """Copies what the reply needs and queues both pads that hide the key: MD5(secret, Request Authenticator, salt) and
    MD5(secret, c1), RFC 2868 3.5."""
    cdef const uint8_t* hidden = attribute(row, MN_FHA_KEY)
    cdef const Upstream* server = row.answer.upstream
    cdef uint32_t authorised = integer(row, SESSION_TIMEOUT)
    row.is_signed = True
    row.aaa_spi, row.ha_spi = integer(row, AAA_SPI), integer(row, MN_FHA_FHA_SPI)
    row.key_lifetime = integer(row, MN_FHA_KEY_LIFETIME)
    row.aaa_lifetime = integer(row, REGISTRATION_LIFETIME) if size_of(row, REGISTRATION_LIFETIME) else fha.max_lifetime_s
    if authorised and authorised < row.aaa_lifetime:
        row.aaa_lifetime = authorised
    row.nonce_length = <uint8_t> size_of(row, MN_FHA_NONCE)
    memcpy(row.nonce, attribute(row, MN_FHA_NONCE), row.nonce_length)
    memcpy(row.home_address, attribute(row, IPV6_HOME_ADDRESS), 16)
    memcpy(row.home_agent, attribute(row, IPV6_HOME_AGENT), 16)
    memcpy(row.hiding, request_octets(&fha.client, row.answer.index) + 4, 16)
    memcpy(row.hiding + 16, hidden, 2)
    queue_job(&fha.queue, DIGEST_MD5, server.secret, server.secret_length, row.hiding, 18, NULL, row.pad)
    queue_job(&fha.queue, DIGEST_MD5, server.secret, server.secret_length, hidden + 2, 16, NULL, row.second_pad)


cdef void take_key(Fha* fha, Registration* row) noexcept nogil:
    """Unhides length and key; a length that is not 20 is a key that is missing (RFC 3957 5)."""
    cdef const uint8_t* hidden
    cdef int k
    if not row.is_signed:
        return
    hidden = attribute(row, MN_FHA_KEY) + 2
    if hidden[0] ^ row.pad[0] != 20:
        refuse_unsigned(fha, row, REASON_UNSPECIFIED, AAA_UNUSABLE)
        return
    for k in range(15):
        row.derived[k] = hidden[1 + k] ^ row.pad[1 + k]
    for k in range(5):
        row.derived[15 + k] = hidden[16 + k] ^ row.second_pad[k]
    queue_job(&fha.queue, DIGEST_KEY_MD5, row.derived, 20, NULL, 0, NULL, &row.key)
