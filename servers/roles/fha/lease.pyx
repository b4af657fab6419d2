# RFC 5944 3.8.2 after authentication: may this node be bound, and to which address.
from fastcodec.mip4 cimport (
    ACCEPTED, ACCEPTED_NO_SIMULTANEOUS, ADMINISTRATIVELY_PROHIBITED, ENCAPSULATION_UNAVAILABLE, FLAG_D, FLAG_G,
    FLAG_M, FLAG_S, IDENTIFICATION_MISMATCH, INSUFFICIENT_RESOURCES, RegistrationRequest, UNKNOWN_HOME_AGENT,
)
from fastcodec.wire cimport get16, get32
from libc.stdint cimport uint32_t, uint64_t, uint8_t
from libc.string cimport memcpy, memset
from servers.engine.counters cimport count_event
from servers.engine.ntp cimport is_newer, is_within, ntp_of
from servers.engine.reasons cimport (
    CARE_OF_REFUSED, ENCAPSULATION_REFUSED, EXPIRED, HOME_ADDRESS_REFUSED, HOME_AGENT_REFUSED,
    IDENTIFICATION_REFUSED, JOURNAL_FAILED, POOL_EXHAUSTED, REPLY_LIMIT,
)
from servers.pool.bitmap cimport GRANTED, Request, pool_give, pool_take
from servers.roles.fha.row cimport drop, nai_of, refuse, rrq_of
from servers.roles.fha.state cimport BOUND, Fha, RECORD_ROOM, RELEASED, Registration, SECOND
from servers.store.journal cimport journal_append
from servers.tables.bindings cimport Binding, Record, find_binding, remove_binding, set_expiry
from servers.tables.budget cimport budget_allows


cdef void judge(Fha* fha, Registration* row) noexcept nogil:
    """RFC 5944 3.8.2.1, 3.8.2.3, 3.8.3.2, after authentication, so that every refusal is signed."""
    cdef const RegistrationRequest* rrq = rrq_of(row)
    cdef Binding* binding
    if not row.is_signed:
        return
    binding = find_binding(&fha.bindings, nai_of(row), row.nai_length, row.nai_hash)
    if rrq.home_agent != fha.address:
        refuse(fha, row, UNKNOWN_HOME_AGENT, HOME_AGENT_REFUSED)
    elif rrq.flags & (FLAG_M | FLAG_G):
        refuse(fha, row, ENCAPSULATION_UNAVAILABLE, ENCAPSULATION_REFUSED)
    elif rrq.home_address and ((binding and rrq.home_address != binding.address) or (not binding and rrq.lifetime)):
        refuse(fha, row, ADMINISTRATIVELY_PROHIBITED, HOME_ADDRESS_REFUSED)
    elif not care_of_is_valid(fha, row):
        refuse(fha, row, ADMINISTRATIVELY_PROHIBITED, CARE_OF_REFUSED)
    if not identification_is_fresh(fha, row, binding):                 # a wrong clock is told, whatever else is wrong
        if not budget_allows(&fha.mismatches, row.nai_hash, fha.now.monotonic):
            drop(fha, row, REPLY_LIMIT)
            return
        row.code = ACCEPTED
        refuse(fha, row, IDENTIFICATION_MISMATCH, IDENTIFICATION_REFUSED)
    row.lifetime = min(min(<uint32_t> get16(&rrq.lifetime), row.aaa_lifetime), fha.max_lifetime_s)
    if row.code == ACCEPTED and rrq.flags & FLAG_S:
        row.code = ACCEPTED_NO_SIMULTANEOUS


cdef bint identification_is_fresh(Fha* fha, const Registration* row, const Binding* binding) noexcept nogil:
    """RFC 5944 5.7.1: within the window of our clock when it came, however long the AAAH took, and newer than all
    accepted before, also before a restart."""
    return (is_within(row.identification, ntp_of(row.arrived), fha.window_s)
            and (not fha.oldest_identification or is_newer(row.identification, fha.oldest_identification))
            and (not binding or is_newer(row.identification, binding.identification)))


cdef bint care_of_is_valid(const Fha* fha, const Registration* row) noexcept nogil:
    """Reliability M5: a co-located care-of address is the packet's source, and no address tunnels must not go to.
    Loopback is valid exactly where we listen on loopback (ruling 2)."""
    cdef uint32_t care_of = get32(&rrq_of(row).care_of_address), ours = get32(&fha.address)
    if not rrq_of(row).lifetime and rrq_of(row).care_of_address == rrq_of(row).home_address:
        return True                                                    # ruling 13
    return (rrq_of(row).care_of_address == row.datagram.peer_address and rrq_of(row).flags & FLAG_D
            and care_of >> 24 != 0 and care_of >> 28 != 14 and care_of != <uint32_t> 0xffffffff and care_of >> 16 != 0xa9fe
            and (care_of >> 24 != 127 or ours >> 24 == 127)
            and (rrq_of(row).care_of_address & fha.pool_mask) != fha.pool_network and care_of != ours)


cdef void lease_address(Fha* fha, Registration* row) noexcept nogil:
    """The lease is the NAI's: who has one keeps it. The journal has it before anybody hears of it."""
    cdef Binding* binding
    if not row.is_signed or row.code not in (ACCEPTED, ACCEPTED_NO_SIMULTANEOUS):
        return
    binding = find_binding(&fha.bindings, nai_of(row), row.nai_length, row.nai_hash)
    if not row.lifetime:
        deregister(fha, row, binding)
        return
    if binding:
        row.address = binding.address
    else:
        take_address(fha, row)
    if row.code in (ACCEPTED, ACCEPTED_NO_SIMULTANEOUS) and not journal_binding(fha, row):
        if row.is_new_lease:
            pool_give(fha.pool, row.address, row.nai_hash, fha.now.monotonic)
        refuse(fha, row, INSUFFICIENT_RESOURCES, JOURNAL_FAILED)


cdef void take_address(Fha* fha, Registration* row) noexcept nogil:
    cdef Request request
    request.owner, request.wanted = row.nai_hash, 0
    pool_take(fha.pool, &request, 1, fha.now.monotonic)
    if request.state != GRANTED:
        refuse(fha, row, INSUFFICIENT_RESOURCES, POOL_EXHAUSTED)
        return
    row.address, row.is_new_lease = request.address, True


cdef void deregister(Fha* fha, Registration* row, Binding* binding) noexcept nogil:
    """RFC 5944 3.8.2.2; nothing to delete is success (ruling 13)."""
    row.address = rrq_of(row).home_address
    if binding:
        row.address = binding.address
        row.ticket = release(fha, binding)
        if not row.ticket:
            refuse(fha, row, INSUFFICIENT_RESOURCES, JOURNAL_FAILED)


cdef uint64_t release(Fha* fha, Binding* binding) noexcept nogil:
    """Binding and lease end together (I14). 0: the journal could not take it, both stay; or else after a restart the
    next owner's lease would stand against this one."""
    cdef uint64_t ticket
    cdef uint8_t[RECORD_ROOM] octets
    cdef Record* record = <Record*> octets
    memset(record, 0, sizeof(Record))
    record.written, record.address, record.nai_length = fha.now.wall, binding.address, binding.nai_length
    memcpy(octets + sizeof(Record), binding.nai, binding.nai_length)
    ticket = journal_append(fha.journal, octets, sizeof(Record) + binding.nai_length, RELEASED)
    if ticket:
        pool_give(fha.pool, binding.address, binding.hash, fha.now.monotonic)
        remove_binding(&fha.bindings, binding)
    return ticket


cdef void end_lifetime(Fha* fha, Binding* binding) noexcept nogil:
    """An end that the journal cannot take now is tried again; the address stays with its owner till then."""
    if release(fha, binding):
        count_event(&fha.counters, EXPIRED)
    else:
        set_expiry(&fha.bindings, binding, fha.now.monotonic + SECOND)


cdef bint journal_binding(Fha* fha, Registration* row) noexcept nogil:
    cdef uint8_t[RECORD_ROOM] octets
    cdef Record* record = <Record*> octets
    record.written, record.expires = fha.now.wall, fha.now.wall + <uint64_t> row.lifetime * SECOND
    record.identification, record.address = row.identification, row.address
    record.care_of_address, record.mn_spi, record.ha_spi = rrq_of(row).care_of_address, row.mn_spi, row.ha_spi
    memcpy(record.key, row.derived, 20)
    record.nai_length = <uint8_t> row.nai_length
    memcpy(octets + sizeof(Record), nai_of(row), row.nai_length)
    row.ticket = journal_append(fha.journal, octets, sizeof(Record) + row.nai_length, BOUND)
    return row.ticket != 0
