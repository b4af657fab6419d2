# Step 6: the Registration Reply, up to its authenticator.
from fastcodec.digest.jobs cimport DIGEST_HMAC_MD5, queue_job
from fastcodec.mip4 cimport (
    ALGORITHM_HMAC_MD5, BOOT_IPV6_CARE_OF_ADDRESS, BOOT_IPV6_HOME_ADDRESS, BOOT_IPV6_HOME_AGENT, EXT_CHALLENGE,
    EXT_MN_HA, EXT_MN_HA_NONCE_REPLY, EXT_NAI, EXT_NVSE, IDENTIFICATION_MISMATCH, REGISTRATION_REPLY, REPLAY_NONCES,
    RegistrationReply, RegistrationRequest, SUBTYPE_NONCE,
)
from fastcodec.wire cimport get32, put16, put32
from libc.stdint cimport uint16_t, uint32_t, uint8_t
from libc.string cimport memcpy
from servers.engine.ntp cimport ntp_of
from servers.net.node cimport draw
from servers.roles.fha.revocation cimport put_support
from servers.roles.fha.row cimport binding_of, is_accepted, nai_of, rrq_of
from servers.roles.fha.state cimport Fha, Registration
from servers.tables.bindings cimport Binding


cdef void write_reply(Fha* fha, Registration* row) noexcept nogil:
    """RFC 5944 3.4, 3.8.3.3: fixed part, NAI, key, IPv6 parameters, revocation, then 32 over all of it, then
    the challenge."""
    cdef uint8_t* at = write_fixed(fha, row)
    at[0], at[1] = EXT_NAI, <uint8_t> row.nai_length
    memcpy(at + 2, nai_of(row), row.nai_length)
    at += 2 + row.nai_length
    if row.has_new_key:
        at = write_key(row, at)
    if is_accepted(row) and row.lifetime and row.proof_at:
        at = write_bootstrap(fha, row, at)
    if row.is_signed:
        if row.revocation and is_accepted(row) and row.lifetime:
            at = put_support(fha, row.revocation, at)
        at[0], at[1] = EXT_MN_HA, 20
        put32(at + 2, row.mn_spi)
        at += 6
        queue_job(&fha.queue, DIGEST_HMAC_MD5, row.reply, <uint32_t> (at - row.reply), NULL, 0, &row.key, row.digest)
        row.mac_at = <uint16_t> (at - row.reply)
        at += 16
        if row.challenge_length and row.proof_at:                      # RFC 4721 3.4
            at[0], at[1] = EXT_CHALLENGE, <uint8_t> row.challenge_length
            memcpy(at + 2, row.octets + row.challenge_at, row.challenge_length)
            at += 2 + row.challenge_length
    row.reply_length = <uint16_t> (at - row.reply)


cdef uint8_t* write_fixed(Fha* fha, Registration* row) noexcept nogil:
    """RFC 5944 3.4; the Identification as 5.7 has it."""
    cdef RegistrationReply* reply = <RegistrationReply*> row.reply
    cdef const RegistrationRequest* rrq = rrq_of(row)
    reply.type, reply.code, reply.home_agent = REGISTRATION_REPLY, row.code, fha.address
    put16(&reply.lifetime, <uint16_t> min(row.lifetime, <uint32_t> 0xffff) if is_accepted(row) else 0)
    reply.home_address = row.address if is_accepted(row) else rrq.home_address
    reply.identification = rrq.identification
    if row.is_signed and row.replay == REPLAY_NONCES and (row.by_nonce or is_accepted(row) or not row.has_new_key):
        put32(&reply.identification, next_nonce(fha, row))
    elif row.code == IDENTIFICATION_MISMATCH:                          # RFC 5944 5.7.1: our clock's seconds
        put32(&reply.identification, <uint32_t> (ntp_of(fha.now.wall) >> 32))
    return row.reply + sizeof(RegistrationReply)


cdef uint32_t next_nonce(Fha* fha, Registration* row) noexcept nogil:
    """RFC 5944 5.7.2: a new one in every reply, except in one to a stranger or to what may be a replay, which must not make
    the node's own wrong: that is told the one expected, which nobody has used yet."""
    cdef Binding* binding
    if row.has_new_key or row.is_proven and row.code != IDENTIFICATION_MISMATCH:
        row.replay_nonce = get32(draw(fha.entropy, 4))
        binding = binding_of(fha, row)
        if binding and not is_accepted(row):
            binding.nonce = row.replay_nonce
    return row.replay_nonce


cdef uint8_t* write_key(const Registration* row, uint8_t* at) noexcept nogil:
    """RFC 3957 6.4."""
    at[0], at[1] = EXT_MN_HA_NONCE_REPLY, SUBTYPE_NONCE
    put16(at + 2, 16 + row.nonce_length)
    put32(at + 4, row.key_lifetime)
    put32(at + 8, row.aaa_spi)
    put32(at + 12, row.ha_spi)
    put16(at + 16, ALGORITHM_HMAC_MD5)
    put16(at + 18, row.replay)
    memcpy(at + 20, row.nonce, row.nonce_length)
    return at + 20 + row.nonce_length


cdef uint8_t* write_bootstrap(const Fha* fha, const Registration* row, uint8_t* at) noexcept nogil:
    """Ruling 21. The IPv6 care-of address is our prefix and the THOAv4; an AAAH that knows nothing of us assigns no
    home address."""
    cdef uint8_t[16] care_of
    memcpy(care_of, fha.ipv6_prefix, 16)
    memcpy(care_of + 12, &row.address, 4)
    if row.has_addresses:
        at = write_address(fha, at, BOOT_IPV6_HOME_ADDRESS, 128, row.home_address)
        at = write_address(fha, at, BOOT_IPV6_HOME_AGENT, 128, row.home_agent)
    return write_address(fha, at, BOOT_IPV6_CARE_OF_ADDRESS, fha.ipv6_prefix_length, care_of)


cdef uint8_t* write_address(const Fha* fha, uint8_t* at, int kind, uint8_t prefix, const uint8_t* address) noexcept nogil:
    """NVSE, RFC 3115 2.2: its Length counts two reserved octets."""
    at[0], at[1], at[2], at[3] = EXT_NVSE, 26, 0, 0
    put32(at + 4, fha.vendor)
    put16(at + 8, kind)
    at[10], at[11] = prefix, 0
    memcpy(at + 12, address, 16)
    return at + 28
