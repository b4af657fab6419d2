# What a request proves itself with: MN-HA under a key that we hold, or MN-AAA, which the AAAH checks.
from fastcodec.digest.jobs cimport DIGEST_HMAC_MD5, DIGEST_MD5, queue_job
from fastcodec.mip4 cimport ACCEPTED, FAILED_AUTHENTICATION, POORLY_FORMED_REQUEST
from fastcodec.wire cimport get32, same
from libc.stdint cimport uint32_t
from libc.string cimport memcpy
from servers.engine.reasons cimport BAD_MN_HA, KEY_EXPIRED, POORLY_FORMED, REPLY_LIMIT, UNKNOWN_SPI
from servers.roles.fha.row cimport binding_of, drop, nai_of, refuse, refuse_unknown
from servers.roles.fha.state cimport Fha, Registration, STAGE_WRITE, StaticKey
from servers.roles.fha.static_keys cimport find_static_key
from servers.tables.bindings cimport Binding
from servers.tables.budget cimport budget_allows


cdef void hash_proofs(Fha* fha, Registration* row) noexcept nogil:
    """Queues what the MN-HA authenticator must be (RFC 5944 3.5.1), and MD5(C), which CHAP_SPI is made of (RFC 4721 8).
    An MN-HA under a key that we do not hold, in a request that the AAAH vouches for, is one of an association that has
    ended meanwhile: it proves nothing and is no obstacle."""
    cdef Binding* binding
    if row.is_chap:
        queue_job(&fha.queue, DIGEST_MD5, row.octets, row.proof_at + 8, NULL, 0, NULL, row.pad)
    if not row.mn_ha_at:
        return
    binding = binding_of(fha, row)
    if binding and take_association(fha, row, binding, get32(row.octets + row.mn_ha_at + 2)):
        queue_job(&fha.queue, DIGEST_HMAC_MD5, row.octets, row.mn_ha_at + 6, NULL, 0, &row.key, row.digest)
    elif not row.proof_at:
        refuse_unknown(fha, row, KEY_EXPIRED if binding and get32(row.octets + row.mn_ha_at + 2) == binding.ha_spi
                       else UNKNOWN_SPI)


cdef bint take_association(Fha* fha, Registration* row, const Binding* binding, uint32_t spi) noexcept nogil:
    """The key that the SPI names: the node's own, or for a while the one before it, RFC 5944 3.2."""
    if spi == binding.ha_spi and fha.now.monotonic < binding.key_expires:
        row.key, row.mn_spi = binding.prepared, binding.mn_spi
        memcpy(row.secret, binding.key, binding.key_length)
        row.key_length = binding.key_length
    elif binding.old_until and spi == binding.old_ha_spi and fha.now.monotonic < binding.old_until:
        row.key, row.mn_spi, row.under_old_key = binding.old_prepared, binding.old_mn_spi, True
    else:
        return False
    row.is_signed, row.replay, row.replay_nonce = True, binding.replay, binding.nonce
    return True


cdef void check_mn_ha(Fha* fha, Registration* row) noexcept nogil:
    """RFC 5944 3.8.2.1 a. What MN-HA alone authorises needs no AAAH."""
    if row.is_signed:
        row.is_proven = same(row.digest, row.octets + row.mn_ha_at + 6, 16)
        if not row.is_proven:
            refuse_forged(fha, row)
            return
    if row.proof_at and not row.wants_key and not row.is_proven and not static_key_of(fha, row):
        refuse(fha, row, POORLY_FORMED_REQUEST, POORLY_FORMED)        # nothing to sign the reply with (RFC 3957 3)


cdef void refuse_forged(Fha* fha, Registration* row) noexcept nogil:
    """Ruling 9: a signed 131, so that the node can tell it from a stranger's; not more than one a second and node."""
    if not budget_allows(&fha.forgeries, row.nai_hash, fha.now.monotonic):
        drop(fha, row, REPLY_LIMIT)
        return
    row.code = ACCEPTED
    refuse(fha, row, FAILED_AUTHENTICATION, BAD_MN_HA)
    row.head.stage = STAGE_WRITE


cdef const StaticKey* static_key_of(const Fha* fha, const Registration* row) noexcept nogil:
    return find_static_key(fha, nai_of(row), row.nai_length)
