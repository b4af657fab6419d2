# A home address for the node, and its end: binding and lease are one thing (I14), and the journal knows first.
from fastcodec.mip4 cimport ADMINISTRATIVELY_PROHIBITED, INSUFFICIENT_RESOURCES
from libc.stdint cimport uint64_t
from servers.engine.counters cimport count_event
from servers.engine.reasons cimport (
    EXPIRED, GIVEN_BACK, HOME_ADDRESS_REFUSED, JOURNAL_FAILED, POOL_EXHAUSTED, TABLE_FULL,
)
from servers.pool.bitmap cimport GRANTED, Request, pool_give, pool_take
from servers.roles.fha.record cimport journal_end, journal_registration
from servers.roles.fha.row cimport binding_of, is_accepted, refuse, rrq_of
from servers.roles.fha.state cimport Fha, Registration, SECOND
from servers.tables.bindings cimport Binding, forget_old_key, remove_binding, set_expiry


cdef void lease_address(Fha* fha, Registration* row) noexcept nogil:
    """The lease is the NAI's: who has one keeps it. The journal has it before anybody hears of it."""
    cdef Binding* binding
    if not row.is_signed or not is_accepted(row):
        return
    binding = binding_of(fha, row)
    if not row.lifetime:
        deregister(fha, row, binding)
        return
    if binding and not binding.is_over:
        row.address = binding.address
    else:
        take_address(fha, row, binding)
    if is_accepted(row):
        row.ticket = journal_registration(fha, row, binding)
        if not row.ticket:
            give_up_address(fha, row)
            refuse(fha, row, INSUFFICIENT_RESOURCES, JOURNAL_FAILED)


cdef void take_address(Fha* fha, Registration* row, const Binding* binding) noexcept nogil:
    """The one it had before, if that still rests for it."""
    cdef Request request
    if not binding and fha.bindings.rows.used == fha.bindings.rows.capacity:
        refuse(fha, row, INSUFFICIENT_RESOURCES, TABLE_FULL)
        return
    request.owner, request.wanted = row.nai_hash, binding.address if binding else 0
    pool_take(fha.pool, &request, 1, fha.now.monotonic)
    if request.state != GRANTED:
        refuse(fha, row, INSUFFICIENT_RESOURCES, POOL_EXHAUSTED)
        return
    row.address, row.is_new_lease = request.address, True
    if rrq_of(row).home_address and rrq_of(row).home_address != row.address:
        give_up_address(fha, row)
        refuse(fha, row, ADMINISTRATIVELY_PROHIBITED, HOME_ADDRESS_REFUSED)


cdef void give_up_address(Fha* fha, Registration* row) noexcept nogil:
    if row.is_new_lease:
        pool_give(fha.pool, row.address, row.nai_hash, fha.now.monotonic)
        row.is_new_lease = False


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
        row.ticket = release(fha, binding)
        if row.ticket:
            count_event(&fha.counters, GIVEN_BACK)
        else:
            refuse(fha, row, INSUFFICIENT_RESOURCES, JOURNAL_FAILED)


cdef uint64_t release(Fha* fha, Binding* binding) noexcept nogil:
    """0: the journal could not take it, both stay; or else after a restart the next owner's lease would stand against
    this one. While the address rests for this node its association stays, so that it hears again that it has given it
    back, and may come back without the AAAH."""
    cdef uint64_t rest = fha.pool.cool_down - 1 if fha.pool.cool_down > 1 else 0
    cdef uint64_t ticket = journal_end(fha, binding, rest * SECOND)
    if not ticket:
        return 0
    pool_give(fha.pool, binding.address, binding.hash, fha.now.monotonic)
    if rest:
        binding.is_over = True
        set_expiry(&fha.bindings, binding, fha.now.monotonic + rest * SECOND)
    else:
        remove_binding(&fha.bindings, binding)
    return ticket


cdef void end_lifetime(Fha* fha, Binding* binding) noexcept nogil:
    """What the wheel has called: the old one of two keys, a lease, or what was still known of one. An end that the
    journal cannot take now is tried again; the address stays with its owner till then."""
    if binding.old_until and binding.old_until <= fha.now.monotonic and binding.expires > fha.now.monotonic:
        forget_old_key(&fha.bindings, binding)
    elif binding.is_over:
        remove_binding(&fha.bindings, binding)
    elif release(fha, binding):
        count_event(&fha.counters, EXPIRED)
    else:
        set_expiry(&fha.bindings, binding, fha.now.monotonic + SECOND)
