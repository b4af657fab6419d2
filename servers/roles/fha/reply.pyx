# Step 6: the Registration Reply, signed, and held until the journal has the binding.
from fastcodec.digest.jobs cimport DIGEST_HMAC_MD5, queue_job
from fastcodec.mip4 cimport (
    ACCEPTED, ACCEPTED_NO_SIMULTANEOUS, ALGORITHM_HMAC_MD5, BOOT_IPV6_CARE_OF_ADDRESS, BOOT_IPV6_HOME_ADDRESS,
    BOOT_IPV6_HOME_AGENT, EXT_MN_HA, EXT_MN_HA_NONCE_REPLY, EXT_NAI, EXT_NVSE, IDENTIFICATION_MISMATCH,
    REGISTRATION_REPLY, REPLAY_TIMESTAMPS, RegistrationReply, RegistrationRequest, SUBTYPE_NONCE,
)
from fastcodec.wire cimport put16, put32
from libc.stdint cimport uint16_t, uint32_t, uint64_t, uint8_t
from libc.string cimport memcpy
from servers.engine.ntp cimport ntp_of
from servers.engine.reasons cimport TABLE_FULL
from servers.engine.stages cimport DONE, PARKED
from servers.roles.fha.row cimport drop, end_row, leave, nai_of, rrq_of
from servers.roles.fha.state cimport Fha, Registration, SECOND, STAGE_SEND
from servers.store.journal cimport journal_durable
from servers.tables.bindings cimport Binding, add_binding, find_binding, set_expiry


cdef void write_reply(Fha* fha, Registration* row) noexcept nogil:
    """RFC 5944 3.4, 3.8.3.3: fixed part, NAI, key, IPv6 parameters, then 32 over all of it under the new key."""
    cdef RegistrationReply* reply = <RegistrationReply*> row.reply
    cdef const RegistrationRequest* rrq = rrq_of(row)
    cdef uint8_t* at = row.reply + sizeof(RegistrationReply)
    cdef bint accepted = row.code in (ACCEPTED, ACCEPTED_NO_SIMULTANEOUS)
    reply.type, reply.code, reply.home_agent = REGISTRATION_REPLY, row.code, fha.address
    put16(&reply.lifetime, <uint16_t> min(row.lifetime, <uint32_t> 0xffff) if accepted else 0)
    reply.home_address = row.address if accepted else rrq.home_address
    reply.identification = rrq.identification
    if row.code == IDENTIFICATION_MISMATCH:                            # RFC 5944 5.7.1: our clock's seconds
        put32(&reply.identification, <uint32_t> (ntp_of(fha.now.wall) >> 32))
    at[0], at[1] = EXT_NAI, <uint8_t> row.nai_length
    memcpy(at + 2, nai_of(row), row.nai_length)
    at += 2 + row.nai_length
    if row.is_signed:
        at = write_key(row, at)
        if accepted and row.lifetime:
            at = write_bootstrap(fha, row, at)
        at[0], at[1] = EXT_MN_HA, 20
        put32(at + 2, row.mn_spi)
        at += 6
        queue_job(&fha.queue, DIGEST_HMAC_MD5, row.reply, <uint32_t> (at - row.reply), NULL, 0, &row.key, row.digest)
        at += 16
    row.reply_length = <uint16_t> (at - row.reply)


cdef uint8_t* write_key(const Registration* row, uint8_t* at) noexcept nogil:
    """RFC 3957 6.4."""
    at[0], at[1] = EXT_MN_HA_NONCE_REPLY, SUBTYPE_NONCE
    put16(at + 2, 16 + row.nonce_length)
    put32(at + 4, row.key_lifetime)
    put32(at + 8, row.aaa_spi)
    put32(at + 12, row.ha_spi)
    put16(at + 16, ALGORITHM_HMAC_MD5)
    put16(at + 18, REPLAY_TIMESTAMPS)
    memcpy(at + 20, row.nonce, row.nonce_length)
    return at + 20 + row.nonce_length


cdef uint8_t* write_bootstrap(const Fha* fha, const Registration* row, uint8_t* at) noexcept nogil:
    """Ruling 21. The IPv6 care-of address is our prefix and the THOAv4."""
    cdef uint8_t[16] care_of
    memcpy(care_of, fha.ipv6_prefix, 16)
    memcpy(care_of + 12, &row.address, 4)
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


cdef void hold_reply(Fha* fha, Registration* row) noexcept nogil:
    """Signs, binds, and lets the reply wait until the journal has made the binding durable."""
    if row.is_signed:
        memcpy(row.reply + row.reply_length - 16, row.digest, 16)
    if row.code not in (ACCEPTED, ACCEPTED_NO_SIMULTANEOUS) or not row.ticket:
        return
    if row.lifetime and not bind(fha, row):
        drop(fha, row, TABLE_FULL)
        return
    if journal_durable(fha.journal) < row.ticket:
        row.head.outcome, row.head.stage = PARKED, STAGE_SEND
        fha.held[(fha.held_first + fha.held_count) % fha.waiting.capacity] = row.slot
        fha.held_count += 1


cdef bint bind(Fha* fha, Registration* row) noexcept nogil:
    cdef Binding* binding = find_binding(&fha.bindings, nai_of(row), row.nai_length, row.nai_hash)
    if not binding:
        binding = add_binding(&fha.bindings, nai_of(row), row.nai_length, row.nai_hash)
        if not binding:
            return False
    binding.address, binding.care_of_address = row.address, rrq_of(row).care_of_address
    binding.request_hash, binding.identification = row.request_hash, row.identification
    binding.mn_spi, binding.ha_spi = row.mn_spi, row.ha_spi
    memcpy(binding.key, row.derived, 20)
    memcpy(binding.reply, row.reply, row.reply_length)
    binding.reply_length = row.reply_length
    set_expiry(&fha.bindings, binding, fha.now.monotonic + <uint64_t> row.lifetime * SECOND)
    return True


cdef void forget_reply(Fha* fha, const Registration* row) noexcept nogil:
    """A copy of the request must not draw out a reply whose binding never became durable."""
    cdef Binding* binding = find_binding(&fha.bindings, nai_of(row), row.nai_length, row.nai_hash)
    if binding and binding.request_hash == row.request_hash:
        binding.request_hash = 0


cdef void send_reply(Fha* fha, Registration* row) noexcept nogil:
    if row.code in (ACCEPTED, ACCEPTED_NO_SIMULTANEOUS):
        fha.granted += 1
    else:
        fha.denied += 1
    leave(fha, row, row.reply, row.reply_length)
    end_row(fha, row, DONE)
