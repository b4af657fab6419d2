# The reply that tells a node of its new key may be lost: the one that it has stays good for a while, also over a restart.
from fastcodec.digest.jobs cimport DIGEST_KEY_MD5, queue_job, run_queue
from libc.stdint cimport uint8_t, uint32_t, uint64_t
from libc.string cimport memcpy
from servers.roles.fha.state cimport Fha, OVERLAP, SECOND
from servers.tables.bindings cimport Binding, forget_old_key


cdef inline uint64_t good_until(const Binding* binding, uint64_t now) noexcept nogil:
    """Monotonic ns; of the key that is replaced now: no longer than it would have been anyway."""
    return min(now + <uint64_t> OVERLAP * SECOND, binding.key_expires)


cdef void keep_old_key(Fha* fha, Binding* binding) noexcept nogil:
    """The key that is replaced now."""
    binding.old_prepared, binding.old_mn_spi, binding.old_ha_spi = binding.prepared, binding.mn_spi, binding.ha_spi
    binding.old_key_length = binding.key_length
    memcpy(binding.old_key, binding.key, sizeof(binding.old_key))
    binding.old_until = good_until(binding, fha.now.monotonic)


cdef uint32_t write_old_key(const Binding* binding, bint replaced, uint64_t now, uint64_t wall, void* octets) noexcept nogil:
    """How many octets; 0: there is none that is good. `replaced`: it is the key that the binding still has."""
    cdef OldKey* record = <OldKey*> octets
    cdef uint64_t until = good_until(binding, now) if replaced else binding.old_until
    if until <= now:
        return 0
    record.until = wall + (until - now)
    if replaced:
        record.mn_spi, record.ha_spi, record.key_length = binding.mn_spi, binding.ha_spi, binding.key_length
        memcpy(record.key, binding.key, sizeof(record.key))
    else:
        record.mn_spi, record.ha_spi, record.key_length = binding.old_mn_spi, binding.old_ha_spi, binding.old_key_length
        memcpy(record.key, binding.old_key, sizeof(record.key))
    return sizeof(OldKey)


cdef void restore_old_key(Fha* fha, Binding* binding, const OldKey* record, uint64_t now, uint64_t wall) noexcept nogil:
    """What the latest record says; NULL: that there is none. A clock that went back prolongs nothing. The caller sets the
    binding's expiry afterwards."""
    if not record or record.until <= wall:
        forget_old_key(&fha.bindings, binding)
        return
    binding.old_until = now + min(record.until - wall, <uint64_t> OVERLAP * SECOND)
    binding.old_mn_spi, binding.old_ha_spi = record.mn_spi, record.ha_spi
    binding.old_key_length = min(record.key_length, <uint8_t> sizeof(binding.old_key))
    memcpy(binding.old_key, record.key, sizeof(binding.old_key))
    queue_job(&fha.queue, DIGEST_KEY_MD5, binding.old_key, binding.old_key_length, NULL, 0, NULL, &binding.old_prepared)
    run_queue(&fha.queue)
