# What was decided becomes the binding; the reply leaves when the journal has it.
from libc.stdint cimport uint64_t
from libc.string cimport memcpy, memset
from servers.engine.counters cimport count_event
from servers.engine.reasons cimport HANDED_OVER, REKEYED, RENEWED, TABLE_FULL
from servers.engine.stages cimport DONE, PARKED
from servers.roles.fha.overlap cimport keep_old_key, makes_old
from servers.roles.fha.revocation cimport stamp_of
from servers.roles.fha.row cimport binding_of, drop, end_row, is_accepted, leave, nai_of, rrq_of
from servers.roles.fha.state cimport Fha, NEVER, Registration, SECOND, STAGE_SEND
from servers.store.journal cimport journal_durable
from servers.tables.bindings cimport Binding, add_binding, set_expiry


cdef void hold_reply(Fha* fha, Registration* row) noexcept nogil:
    """Signs, binds, and lets the reply wait until the journal has made the binding, or its end, durable."""
    if row.is_signed:
        memcpy(row.reply + row.mac_at, row.digest, 16)
    if not row.is_signed or not is_accepted(row):
        return
    if row.lifetime and not bind(fha, row):
        drop(fha, row, TABLE_FULL)
        return
    if not row.lifetime:
        remember_request(row, binding_of(fha, row))
    if row.ticket and journal_durable(fha.journal) < row.ticket:
        row.head.outcome, row.head.stage = PARKED, STAGE_SEND
        fha.held[(fha.held_first + fha.held_count) % fha.waiting.capacity] = row.slot
        fha.held_count += 1


cdef bint bind(Fha* fha, Registration* row) noexcept nogil:
    cdef Binding* binding = binding_of(fha, row)
    cdef bint is_first = binding == NULL
    if is_first:
        binding = add_binding(&fha.bindings, nai_of(row), row.nai_length, row.nai_hash)
        if not binding:
            return False
    count_kind(fha, row, binding, is_first)
    if is_first or row.has_new_key or not row.is_proven:
        replace_key(fha, row, binding, is_first)
    binding.address, binding.care_of_address = row.address, rrq_of(row).care_of_address
    binding.most_lifetime, binding.session_ends = row.most_lifetime, row.session_ends
    if row.proof_at:
        binding.session, binding.class_hash, binding.identity_hash = row.session, row.class_hash, row.identity_hash
    binding.revocation, binding.port, binding.local_address = row.revocation, row.datagram.peer_port, row.datagram.local_address
    binding.stamp = stamp_of(fha.now.wall)
    binding.is_over = False
    remember_request(row, binding)
    set_expiry(&fha.bindings, binding, fha.now.monotonic + <uint64_t> row.lifetime * SECOND)
    return True


cdef void count_kind(Fha* fha, const Registration* row, const Binding* binding, bint is_first) noexcept nogil:
    if is_first or binding.is_over:
        return
    if not row.proof_at:
        count_event(&fha.counters, RENEWED)
    elif row.has_new_key and rrq_of(row).home_address:                 # else it starts anew
        count_event(&fha.counters, REKEYED)
    if binding.care_of_address != rrq_of(row).care_of_address:
        count_event(&fha.counters, HANDED_OVER)


cdef void replace_key(Fha* fha, const Registration* row, Binding* binding, bint is_first) noexcept nogil:
    if not is_first and makes_old(row):
        keep_old_key(fha, binding)
    binding.prepared, binding.mn_spi, binding.ha_spi, binding.replay = row.key, row.mn_spi, row.ha_spi, row.replay
    binding.key_expires = <uint64_t> NEVER
    if row.key_lifetime:
        binding.key_expires = fha.now.monotonic + <uint64_t> row.key_lifetime * SECOND
    memset(binding.key, 0, sizeof(binding.key))
    memcpy(binding.key, row.secret, row.key_length)
    binding.key_length = row.key_length


cdef void remember_request(const Registration* row, Binding* binding) noexcept nogil:
    """For its duplicates, and against its replay. Of a lease that ended without a rest nothing is left to do it with."""
    if not binding:
        return
    binding.request_hash = row.request_hash
    if not row.by_nonce:
        binding.identification = row.identification
    binding.nonce = row.replay_nonce
    memcpy(binding.reply, row.reply, row.reply_length)
    binding.reply_length = row.reply_length


cdef void forget_reply(Fha* fha, const Registration* row) noexcept nogil:
    """A copy of the request must not draw out a reply whose binding never became durable."""
    cdef Binding* binding = binding_of(fha, row)
    if binding and binding.request_hash == row.request_hash:
        binding.request_hash = 0


cdef void send_reply(Fha* fha, Registration* row) noexcept nogil:
    if is_accepted(row):
        fha.granted += 1
    else:
        fha.denied += 1
    leave(fha, row, row.reply, row.reply_length)
    end_row(fha, row, DONE)
