# A binding as the journal has it: on the way there, always the whole of it.
from libc.stdint cimport uint32_t, uint64_t, uint8_t
from libc.string cimport memcpy
from servers.roles.fha.overlap cimport makes_old, write_old_key
from servers.roles.fha.revocation cimport stamp_of
from servers.roles.fha.row cimport nai_of, rrq_of
from servers.roles.fha.state cimport BOUND, Fha, NEVER, RECORD_ROOM, RELEASED, Registration, SECOND
from servers.store.journal cimport journal_append
from servers.tables.bindings cimport Binding, Record


cdef uint64_t journal_registration(Fha* fha, const Registration* row, const Binding* binding) noexcept nogil:
    """The ticket, 0: refused. Under a key held already that key goes on."""
    cdef uint8_t[RECORD_ROOM] octets
    cdef Record* record = <Record*> octets
    cdef uint32_t length
    cdef bint goes_on = row.is_proven and not row.has_new_key and binding != NULL
    record.written, record.expires = fha.now.wall, fha.now.wall + <uint64_t> row.lifetime * SECOND
    record.identification = binding.identification if row.by_nonce and binding else row.identification
    record.session_ends = on_wall(row.session_ends, fha.now.monotonic, fha.now.wall)
    record.address, record.care_of_address = row.address, rrq_of(row).care_of_address
    record.most_lifetime = row.most_lifetime
    record.session = row.session if row.proof_at or not binding else binding.session
    record.class_hash = row.class_hash if row.proof_at or not binding else binding.class_hash
    record.identity_hash = row.identity_hash if row.proof_at or not binding else binding.identity_hash
    record.revocation, record.port, record.local_address = row.revocation, row.datagram.peer_port, row.datagram.local_address
    record.stamp = stamp_of(fha.now.wall)
    if goes_on:
        copy_key(record, binding, fha.now.monotonic, fha.now.wall)
    else:
        record.mn_spi, record.ha_spi, record.replay = row.mn_spi, row.ha_spi, row.replay
        record.key_expires = fha.now.wall + row.key_lifetime * <uint64_t> SECOND if row.key_lifetime else <uint64_t> NEVER
        record.key_length = row.key_length
        memcpy(record.key, row.secret, 32)
    record.nai_length = <uint8_t> row.nai_length
    memcpy(octets + sizeof(Record), nai_of(row), row.nai_length)
    length = <uint32_t> sizeof(Record) + row.nai_length
    if binding:
        length += write_old_key(binding, makes_old(row), fha.now.monotonic, fha.now.wall, octets + length)
    return journal_append(fha.journal, octets, length, BOUND)


cdef uint64_t journal_end(Fha* fha, const Binding* binding, uint64_t rest) noexcept nogil:
    """The end of a lease; `rest`: how long, in ns, its association stays."""
    cdef uint8_t[RECORD_ROOM] octets
    cdef uint32_t length = write_binding(binding, fha.now.monotonic, fha.now.wall, octets)
    (<Record*> octets).expires = fha.now.wall + rest
    return journal_append(fha.journal, octets, length, RELEASED)


cdef uint64_t journal_change(Fha* fha, const Binding* binding) noexcept nogil:
    """A lease that goes on otherwise."""
    cdef uint8_t[RECORD_ROOM] octets
    return journal_append(fha.journal, octets, write_binding(binding, fha.now.monotonic, fha.now.wall, octets), BOUND)


cdef uint32_t write_binding(const Binding* binding, uint64_t now, uint64_t wall, uint8_t* octets) noexcept nogil:
    """The whole record, RECORD_ROOM at most; its length. Of a binding whose key is worth nothing any more, none is kept."""
    cdef uint32_t length = <uint32_t> sizeof(Record) + binding.nai_length
    fill_record(<Record*> octets, binding, now, wall)
    memcpy(octets + sizeof(Record), binding.nai, binding.nai_length)
    if binding.key_expires > now:
        length += write_old_key(binding, False, now, wall, octets + length)
    return length


cdef void fill_record(Record* record, const Binding* binding, uint64_t now, uint64_t wall) noexcept nogil:
    """All but the NAI itself; what is monotonic here is on the wall's clock there."""
    record.written, record.expires = wall, on_wall(binding.expires, now, wall)
    record.identification, record.address = binding.identification, binding.address
    record.care_of_address, record.most_lifetime = binding.care_of_address, binding.most_lifetime
    record.session_ends, record.session = on_wall(binding.session_ends, now, wall), binding.session
    record.revocation, record.port, record.local_address = binding.revocation, binding.port, binding.local_address
    record.stamp, record.class_hash, record.identity_hash = binding.stamp, binding.class_hash, binding.identity_hash
    copy_key(record, binding, now, wall)
    record.nai_length = binding.nai_length


cdef void copy_key(Record* record, const Binding* binding, uint64_t now, uint64_t wall) noexcept nogil:
    record.mn_spi, record.ha_spi, record.replay = binding.mn_spi, binding.ha_spi, binding.replay
    record.key_expires, record.key_length = on_wall(binding.key_expires, now, wall), binding.key_length
    memcpy(record.key, binding.key, 32)


cdef inline uint64_t on_wall(uint64_t when, uint64_t now, uint64_t wall) noexcept nogil:
    """A moment of the monotonic clock; what has passed is now."""
    return <uint64_t> NEVER if when == NEVER else wall + (when - now if when > now else 0)
