# What the journal knows becomes bindings again.
from fastcodec.digest.jobs cimport DIGEST_KEY_MD5, queue_job, run_queue
from fastcodec.wire cimport get32
from libc.stdint cimport uint32_t, uint64_t, uint8_t
from libc.string cimport memcpy
from servers.engine.ntp cimport is_newer, ntp_of
from servers.engine.parking cimport parking_row
from servers.net.node cimport draw
from servers.pool.bitmap cimport Pool, RESERVED
from servers.pool.giving cimport pool_claim, pool_cool, pool_state
from servers.roles.fha.address cimport drop_binding, keep_outside, note_end, pool_of, rest_of
from servers.roles.fha.overlap cimport OldKey, restore_old_key
from servers.roles.fha.state cimport Fha, NEVER, SECOND
from servers.tables.bindings cimport Binding, Record, add_binding, find_binding, set_expiry
from servers.tables.hash cimport seeded_hash

cdef enum:
    LONGEST_LIFETIME_S = 0xffff          # RFC 5944 3.3; a wall clock that went back would prolong a lease by years


cdef void remember_clock(Fha* fha, uint64_t written) noexcept nogil:
    """After a restart an Identification from before the journal's end is refused with 133 (reliability I10). By our clock:
    what a node's clock said, perhaps ahead of it, its own binding remembers, and no other node shall wait for it."""
    cdef uint64_t moment = ntp_of(written)
    if not fha.oldest_identification or is_newer(moment, fha.oldest_identification):
        fha.oldest_identification = moment


cdef bint restore_binding(Fha* fha, const Record* record, const OldKey* old, bint is_over, uint64_t now,
                          uint64_t wall) noexcept nogil:
    """The latest record of a NAI counts. A lease that expired while nobody was there has rested since."""
    cdef const uint8_t* nai = <const uint8_t*> record + sizeof(Record)
    cdef uint64_t hash = seeded_hash(nai, record.nai_length, fha.seed)
    cdef uint64_t rest = rest_of(fha, record.address) * SECOND
    cdef uint64_t until = record.expires
    cdef Binding* binding = find_binding(&fha.bindings, nai, record.nai_length, hash)
    if binding and binding.address != record.address:
        forget_binding(fha, binding)
        binding = NULL
    if not is_over and until <= wall:
        is_over = True
        until += rest
    if is_over and until <= wall:
        forget_binding(fha, binding)
        note_end(fha, hash, record.identification)
        return True
    until = now + min(until - wall, rest if is_over else <uint64_t> LONGEST_LIFETIME_S * SECOND)
    if not place_address(fha, record.address, hash, until if is_over else 0):
        return False
    if not binding:
        binding = add_binding(&fha.bindings, nai, record.nai_length, hash)
        if not binding:
            return False
    restore_association(fha, binding, record, now, wall)
    restore_old_key(fha, binding, old, now, wall)
    binding.is_over = is_over
    set_expiry(&fha.bindings, binding, until)
    return True


cdef bint place_address(Fha* fha, uint32_t address, uint64_t hash, uint64_t rests_until) noexcept nogil:
    """The later record counts, should two have one address: a clock that went back makes that possible. An association
    ends a second before its address has rested, see `release`."""
    cdef Pool* pool = pool_of(fha, address)
    if not pool or pool_state(pool, address) == RESERVED:              # of another pool: kept to its end (reliability A48)
        if keep_outside(fha, address, hash):
            return True
        forget_binding(fha, binding_of_address(fha, address))
        return keep_outside(fha, address, hash)
    if rests_until:
        return pool_cool(pool, address, hash, rests_until + SECOND)
    if pool_claim(pool, address, hash):
        return True
    forget_binding(fha, binding_of_address(fha, address))
    return pool_claim(pool, address, hash)


cdef void forget_binding(Fha* fha, Binding* binding) noexcept nogil:
    """Its address has rested."""
    cdef Pool* pool
    if binding:
        pool = pool_of(fha, binding.address)
        if pool:
            pool_cool(pool, binding.address, binding.hash, 0)
        drop_binding(fha, binding)


cdef Binding* binding_of_address(Fha* fha, uint32_t address) noexcept nogil:
    """A search through all."""
    cdef uint32_t row
    cdef Binding* binding
    for row in range(fha.bindings.rows.capacity):
        binding = <Binding*> parking_row(&fha.bindings.rows, row)
        if binding.nai_length and binding.address == address:
            return binding
    return NULL


cdef void restore_association(Fha* fha, Binding* binding, const Record* record, uint64_t now, uint64_t wall) noexcept nogil:
    """Nonces are new, so that what was sent before is refused (RFC 5944 5.7.2)."""
    binding.address, binding.care_of_address = record.address, record.care_of_address
    binding.identification, binding.mn_spi, binding.ha_spi = record.identification, record.mn_spi, record.ha_spi
    binding.most_lifetime, binding.replay = record.most_lifetime, record.replay
    binding.nonce = get32(draw(fha.entropy, 4))
    binding.revocation, binding.port, binding.local_address = record.revocation, record.port, record.local_address
    binding.stamp, binding.class_hash, binding.identity_hash = record.stamp, record.class_hash, record.identity_hash
    binding.session_ends, binding.session = from_wall(record.session_ends, now, wall), record.session
    binding.key_expires = from_wall(record.key_expires, now, wall)
    binding.key_length = min(record.key_length, <uint8_t> sizeof(binding.key))
    memcpy(binding.key, record.key, sizeof(binding.key))
    queue_job(&fha.queue, DIGEST_KEY_MD5, binding.key, binding.key_length, NULL, 0, NULL, &binding.prepared)
    run_queue(&fha.queue)


cdef inline uint64_t from_wall(uint64_t when, uint64_t now, uint64_t wall) noexcept nogil:
    """A moment of the wall's clock; what has passed is now."""
    return <uint64_t> NEVER if when == NEVER else now + (when - wall if when > wall else 0)
