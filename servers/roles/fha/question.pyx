# Step 5 of mission.md, the question: the Access-Request to the AAAH.
from fastcodec.mip4 cimport REPLAY_TIMESTAMPS, RegistrationRequest
from fastcodec.radius cimport (
    ACCT_SESSION_ID, CARE_OF_ADDRESS, CHAP_CHALLENGE, CHAP_PASSWORD, COA_TYPE, KEY_REQUEST, MN_AAA_AUTHENTICATOR,
    MN_AAA_DATA, MN_AAA_SPI, MN_FHA_FHA_SPI, MN_FHA_MN_SPI, MN_FHA_REPLAY_METHOD, NAS_IDENTIFIER, NAS_IP_ADDRESS,
    NAS_PORT_TYPE, NUMBERS, REGISTRATION_LIFETIME, REQUESTER_FHA, REQUESTER_ROLE, SERVICE_TYPE, USER_NAME,
    put_attribute, put_integer,
)
from fastcodec.wire cimport get16
from libc.stdint cimport uint32_t, uint64_t, uint8_t
from libc.string cimport memcpy
from servers.engine.failpoint cimport FHA_ASKING, failpoint
from servers.engine.reasons cimport TABLE_FULL
from servers.engine.stages cimport PARKED
from servers.roles.fha.row cimport binding_of, drop, nai_of, rrq_of
from servers.roles.fha.state cimport (
    CHALLENGE_USED, CO_LOCATED, Fha, NAS_PORT_VIRTUAL, PROOF_PIECE, Registration, SERVICE_FRAMED, STAGE_ANSWER,
    WANT_MN_FHA,
)
from servers.roles.radius_client cimport NO_TRANSACTION, client_begin, client_finish_for_ours, client_send, client_take
from servers.tables.bindings cimport Binding
from servers.tables.hash cimport hash_word


cdef void ask_aaah(Fha* fha, Registration* row) noexcept nogil:
    """The Access-Request of step 5, radius.md 9.2. C comes last: others than ours have no use for it."""
    cdef const RegistrationRequest* rrq = rrq_of(row)
    cdef uint8_t* at
    cdef uint8_t[16] session
    row.transaction = client_take(&fha.client, row.slot)
    if row.transaction == NO_TRANSACTION:
        drop(fha, row, TABLE_FULL)
        return
    fha.sessions += 1
    at = client_begin(&fha.client, row.transaction)
    at = put_attribute(at, &NUMBERS, USER_NAME, nai_of(row), row.nai_length)
    at = put_chap(row, at) if row.is_chap else put_proof(row, at)
    at = put_attribute(at, &NUMBERS, NAS_IP_ADDRESS, &fha.address, 4)
    at = put_attribute(at, &NUMBERS, NAS_IDENTIFIER, fha.identifier, fha.identifier_length)
    at = put_integer(at, &NUMBERS, NAS_PORT_TYPE, NAS_PORT_VIRTUAL)
    at = put_integer(at, &NUMBERS, SERVICE_TYPE, SERVICE_FRAMED)
    at = put_integer(at, &NUMBERS, REQUESTER_ROLE, REQUESTER_FHA)
    at = put_attribute(at, &NUMBERS, CARE_OF_ADDRESS, &rrq.care_of_address, 4)
    at = put_integer(at, &NUMBERS, COA_TYPE, CO_LOCATED)
    row.session = (fha.boot << 32) | <uint32_t> fha.sessions
    write_session(row.session, session)
    at = put_attribute(at, &NUMBERS, ACCT_SESSION_ID, session, 16)
    at = put_integer(at, &NUMBERS, REGISTRATION_LIFETIME, get16(&rrq.lifetime))
    if row.wants_key:
        at = put_key_request(fha, row, at)
    client_finish_for_ours(&fha.client, row.transaction, at, put_covered(row, at), row.digest)


cdef uint8_t* put_proof(const Registration* row, uint8_t* at) noexcept nogil:
    """HMAC-MD5 (RFC 4721 6): SPI and authenticator; C itself follows."""
    at = put_attribute(at, &NUMBERS, MN_AAA_SPI, row.octets + row.proof_at + 4, 4)
    return put_attribute(at, &NUMBERS, MN_AAA_AUTHENTICATOR, row.octets + row.proof_at + 8, 16)


cdef uint8_t* put_chap(const Registration* row, uint8_t* at) noexcept nogil:
    """CHAP_SPI (RFC 4721 8) as any RADIUS server checks it (RFC 2865 5.3): the challenge is MD5(C) and the last 237
    octets of extension 132, the identifier its first octet. Without 132 the challenge is one octet 0 (4721 3.5)."""
    cdef uint8_t[17] response
    cdef uint8_t[253] challenge
    cdef uint32_t length = min(<uint32_t> row.challenge_length, <uint32_t> CHALLENGE_USED)
    memcpy(challenge, row.pad, 16)
    if length:
        response[0] = row.octets[row.challenge_at]
        memcpy(challenge + 16, row.octets + row.challenge_at + row.challenge_length - length, length)
    else:
        response[0], challenge[16], length = 0, 0, 1
    memcpy(response + 1, row.octets + row.proof_at + 8, 16)
    at = put_attribute(at, &NUMBERS, CHAP_PASSWORD, response, 17)
    return put_attribute(at, &NUMBERS, CHAP_CHALLENGE, challenge, <int> (16 + length))


cdef uint8_t* put_covered(const Registration* row, uint8_t* at) noexcept nogil:
    """C, the octets under the authenticator, in pieces."""
    cdef uint32_t covered = row.proof_at + 8, piece = 0
    while piece < covered:
        at = put_attribute(at, &NUMBERS, MN_AAA_DATA, row.octets + piece, min(covered - piece, <uint32_t> PROOF_PIECE))
        piece += PROOF_PIECE
    return at


cdef uint8_t* put_key_request(Fha* fha, Registration* row, uint8_t* at) noexcept nogil:
    """The SPI that the node shall use is ours to choose, one that it does not use yet (RFC 3957 6.4)."""
    cdef Binding* binding = binding_of(fha, row)
    row.ha_spi = 256 + <uint32_t> (hash_word(fha.sessions, fha.seed) % <uint32_t> (0xffffff00))
    while binding and row.ha_spi in (binding.ha_spi, binding.old_ha_spi):
        row.ha_spi = row.ha_spi + 1 if row.ha_spi < <uint32_t> 0xffffffff else 256
    at = put_integer(at, &NUMBERS, KEY_REQUEST, WANT_MN_FHA)
    at = put_integer(at, &NUMBERS, MN_FHA_MN_SPI, row.asked_spi)
    if fha.replay != REPLAY_TIMESTAMPS:                                # a wish; the AAAH decides
        at = put_integer(at, &NUMBERS, MN_FHA_REPLAY_METHOD, fha.replay)
    return put_integer(at, &NUMBERS, MN_FHA_FHA_SPI, row.ha_spi)


cdef void write_session(uint64_t number, uint8_t* out) noexcept nogil:
    """Boot number and lease number in hexadecimal, 16 octets: never repeated (RFC 2866 5.5)."""
    cdef int k, digit
    for k in range(16):
        digit = number >> (60 - 4 * k) & 15
        out[k] = <uint8_t> (digit + 48 if digit < 10 else digit + 87)


cdef void send_question(Fha* fha, Registration* row) noexcept nogil:
    client_send(&fha.client, row.transaction, row.digest, fha.now.monotonic)
    failpoint(FHA_ASKING)
    row.answer = NULL
    row.head.outcome, row.head.stage = PARKED, STAGE_ANSWER
