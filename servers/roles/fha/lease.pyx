# A home address for the node, and its end: binding and lease are one thing (I14), and the journal knows first.
from fastcodec.mip4 cimport ADMINISTRATIVELY_PROHIBITED, INSUFFICIENT_RESOURCES
from libc.stdint cimport uint32_t, uint64_t, uint8_t
from servers.engine.counters cimport count_event
from servers.failpoint cimport FHA_APPENDED, FHA_RELEASED, FHA_RELEASING, FHA_RESERVED, failpoint
from servers.engine.reasons cimport (
    ADDRESS_TAKEN, EXPIRED, GIVEN_BACK, HOME_ADDRESS_REFUSED, JOURNAL_FAILED, POOL_EXHAUSTED, TABLE_FULL,
)
from servers.pool.bitmap cimport GRANTED, Request
from servers.pool.taking cimport pool_take
from servers.roles.fha.address cimport drop_binding, give_address, pool_of, rest_of, take_exactly
from servers.roles.fha.record cimport journal_change, journal_end, journal_registration
from servers.roles.fha.revocation cimport announce, open_revocation
from servers.roles.fha.row cimport binding_of, is_accepted, refuse, rrq_of
from servers.roles.fha.state cimport Fha, Registration, Revocation, SECOND
from servers.tables.bindings cimport Binding, CUT_SHORT, forget_old_key, set_expiry


cdef void lease_address(Fha* fha, Registration* row) noexcept nogil:
    """The lease is the NAI's: who has one keeps it. The journal has it before anybody hears of it."""
    cdef Binding* binding
    if not row.is_signed or not is_accepted(row):
        return
    binding = binding_of(fha, row)
    if not row.lifetime:
        deregister(fha, row, binding)
        return
    if binding and not binding.is_over and row.assigned in (<uint32_t> 0, binding.address):
        row.address = binding.address
    else:
        take_address(fha, row, binding)
    if is_accepted(row):
        row.ticket = journal_registration(fha, row, binding)
        failpoint(FHA_APPENDED)
        if not row.ticket:
            give_up_address(fha, row, binding)
            refuse(fha, row, INSUFFICIENT_RESOURCES, JOURNAL_FAILED)
        elif binding and binding.address != row.address:
            leave_address(fha, binding)


cdef void take_address(Fha* fha, Registration* row, const Binding* binding) noexcept nogil:
    """The one that the AAAH has assigned; or of the pool the one it had before, if that still rests for it."""
    if not binding and fha.bindings.rows.used == fha.bindings.rows.capacity:
        refuse(fha, row, INSUFFICIENT_RESOURCES, TABLE_FULL)
        return
    if row.assigned:
        row.address, row.is_new_lease = row.assigned, take_exactly(fha, row.assigned, row.nai_hash)
        if not row.is_new_lease:
            refuse(fha, row, INSUFFICIENT_RESOURCES, ADDRESS_TAKEN)
    elif binding and not row.proof_at and not pool_of(fha, binding.address):
        refuse(fha, row, ADMINISTRATIVELY_PROHIBITED, HOME_ADDRESS_REFUSED)    # the AAAH's to give, not ours
    else:
        take_any(fha, row, binding)
    if not is_accepted(row):
        return
    if rrq_of(row).home_address and rrq_of(row).home_address != row.address:
        give_up_address(fha, row, binding)
        refuse(fha, row, ADMINISTRATIVELY_PROHIBITED, HOME_ADDRESS_REFUSED)


cdef void take_any(Fha* fha, Registration* row, const Binding* binding) noexcept nogil:
    cdef Request request
    request.owner = row.nai_hash
    request.wanted = binding.address if binding and pool_of(fha, binding.address) == fha.pools[row.pool].pool else 0
    pool_take(fha.pools[row.pool].pool, &request, 1, fha.now.monotonic)
    if request.state != GRANTED:
        refuse(fha, row, INSUFFICIENT_RESOURCES, POOL_EXHAUSTED)
        return
    row.address, row.is_new_lease = request.address, True
    failpoint(FHA_RESERVED)


cdef void give_up_address(Fha* fha, Registration* row, const Binding* binding) noexcept nogil:
    """One in no pool stays with the binding that it rests for."""
    if row.is_new_lease and (pool_of(fha, row.address) or not binding or binding.address != row.address):
        give_address(fha, row.address, row.nai_hash)
    row.is_new_lease = False


cdef void leave_address(Fha* fha, const Binding* binding) noexcept nogil:
    """The AAAH has assigned another one; what is over has been given back before."""
    if not binding.is_over or not pool_of(fha, binding.address):
        give_address(fha, binding.address, binding.hash)


cdef void deregister(Fha* fha, Registration* row, Binding* binding) noexcept nogil:
    """RFC 5944 3.8.2.2: all bindings when the care-of address is the home address, else the one of that care-of
    address; a node has one here. Nothing to delete is success (ruling 13)."""
    row.address = rrq_of(row).home_address
    if not binding or binding.is_over:
        return
    row.address = binding.address
    if rrq_of(row).care_of_address in (rrq_of(row).home_address, binding.address, binding.care_of_address):
        if not row.by_nonce:
            binding.identification = row.identification
        failpoint(FHA_RELEASING)
        row.ticket = release(fha, binding)
        failpoint(FHA_RELEASED)
        if row.ticket:
            count_event(&fha.counters, GIVEN_BACK)
        else:
            refuse(fha, row, INSUFFICIENT_RESOURCES, JOURNAL_FAILED)


cdef uint64_t release(Fha* fha, Binding* binding) noexcept nogil:
    """0: the journal could not take it, both stay; or else after a restart the next owner's lease would stand against
    this one. While the address rests for this node its association stays, so that it hears again that it has given it
    back, and may come back without the AAAH."""
    cdef uint64_t rest = rest_of(fha, binding.address)
    cdef uint64_t ticket = journal_end(fha, binding, rest * SECOND)
    if not ticket:
        return 0
    if pool_of(fha, binding.address) or not rest:
        give_address(fha, binding.address, binding.hash)
    if rest:
        binding.is_over = True
        set_expiry(&fha.bindings, binding, fha.now.monotonic + rest * SECOND)
    else:
        drop_binding(fha, binding)
    return ticket


cdef uint64_t revoke(Fha* fha, Binding* binding) noexcept nogil:
    """The AAAH has ended it: the node is told if it can be, the address rests, but what the node holds is worth nothing any
    more. 0 as for `release`."""
    cdef Revocation* revocation = open_revocation(fha, binding)
    cdef uint64_t key_expires = binding.key_expires
    cdef uint64_t ticket
    binding.key_expires = 0
    ticket = release(fha, binding)
    announce(fha, revocation, ticket)
    if not ticket:
        binding.key_expires = key_expires
    elif binding.nai_length:                                           # it has not been removed altogether
        binding.request_hash = 0
        forget_old_key(&fha.bindings, binding)
    return ticket


cdef uint64_t shorten(Fha* fha, Binding* binding, uint32_t session_s, uint32_t registration_s) noexcept nogil:
    """The AAAH's limits are others now, 0: as before; a lease that is too long already ends sooner. 0 as for `release`."""
    cdef uint64_t expires = binding.expires, session_ends = binding.session_ends, ticket
    cdef uint32_t most_lifetime = binding.most_lifetime
    cdef uint8_t revocation = binding.revocation
    cdef uint64_t until = expires
    if session_s:
        binding.session_ends = fha.now.monotonic + <uint64_t> session_s * SECOND
        until = min(until, binding.session_ends)
    if registration_s:
        binding.most_lifetime = registration_s
        until = min(until, fha.now.monotonic + <uint64_t> registration_s * SECOND)
    if until < expires:
        binding.revocation |= CUT_SHORT
    set_expiry(&fha.bindings, binding, until)
    ticket = journal_change(fha, binding)
    if not ticket:
        binding.session_ends, binding.most_lifetime, binding.revocation = session_ends, most_lifetime, revocation
        set_expiry(&fha.bindings, binding, expires)
    return ticket


cdef uint64_t expire(Fha* fha, Binding* binding) noexcept nogil:
    """RFC 5944 3.8: nobody is told, except a node whose lease the AAAH has shortened: it counts on a later end."""
    cdef Revocation* revocation = open_revocation(fha, binding) if binding.revocation & CUT_SHORT else NULL
    cdef uint64_t ticket = release(fha, binding)
    announce(fha, revocation, ticket)
    return ticket


cdef void end_lifetime(Fha* fha, Binding* binding) noexcept nogil:
    """What the wheel has called: the old one of two keys, a lease, or what was still known of one. An end that the
    journal cannot take now is tried again; the address stays with its owner till then."""
    if binding.old_until and binding.old_until <= fha.now.monotonic and binding.expires > fha.now.monotonic:
        forget_old_key(&fha.bindings, binding)
    elif binding.is_over:
        drop_binding(fha, binding)
    elif expire(fha, binding):
        count_event(&fha.counters, EXPIRED)
    else:
        set_expiry(&fha.bindings, binding, fha.now.monotonic + SECOND)
