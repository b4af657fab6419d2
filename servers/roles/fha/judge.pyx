# RFC 5944 3.8.2 after authentication: may this node be bound, and for how long.
from fastcodec.mip4 cimport (
    ACCEPTED, ACCEPTED_NO_SIMULTANEOUS, ADMINISTRATIVELY_PROHIBITED, CVSE_NOT_UNDERSTOOD, ENCAPSULATION_UNAVAILABLE,
    FLAG_D, FLAG_G, FLAG_M, FLAG_S, IDENTIFICATION_MISMATCH, REPLAY_NONCES, RegistrationRequest, UNKNOWN_HOME_AGENT,
)
from fastcodec.wire cimport get16, get32
from libc.stdint cimport uint32_t, uint64_t
from servers.engine.ntp cimport is_newer, is_within, ntp_of
from servers.engine.reasons cimport (
    CARE_OF_REFUSED, CVSE_REFUSED, ENCAPSULATION_REFUSED, HOME_ADDRESS_REFUSED, HOME_AGENT_REFUSED,
    IDENTIFICATION_REFUSED, NODE_BUDGET, REPLY_LIMIT, SESSION_OVER, UNKNOWN_SPI,
)
from servers.roles.fha.address cimport pool_of
from servers.roles.fha.row cimport binding_of, drop, refuse, rrq_of
from servers.roles.fha.state cimport Fha, Registration, SECOND
from servers.tables.bindings cimport Binding
from servers.tables.budget cimport budget_allows
from servers.tables.ended cimport ended_allows


cdef void judge(Fha* fha, Registration* row) noexcept nogil:
    """RFC 5944 3.8.2.1, 3.8.2.3, 3.8.3.2, after authentication, so that every refusal is signed."""
    cdef Binding* binding
    if not row.is_signed:
        return
    binding = binding_of(fha, row)
    if not binding and not row.key_length:                             # its old key ended with the binding while it waited
        drop(fha, row, UNKNOWN_SPI)
        return
    if row.proof_at and not budget_allows(&fha.requests, row.nai_hash ^ 1, fha.now.monotonic):
        drop(fha, row, NODE_BUDGET)                                    # proven by now: ruling 16 counts the node, from wherever
        return
    judge_request(fha, row, binding)
    row.by_nonce = row.is_proven and row.replay == REPLAY_NONCES and not row.has_new_key
    if row.by_nonce and binding:                                       # it may have moved on while the AAAH was asked
        row.replay_nonce = binding.nonce
    if not identification_is_fresh(fha, row, binding):                 # a wrong clock is told, whatever else is wrong
        if not budget_allows(&fha.mismatches, row.nai_hash, fha.now.monotonic):
            drop(fha, row, REPLY_LIMIT)
            return
        row.code = ACCEPTED
        refuse(fha, row, IDENTIFICATION_MISMATCH, IDENTIFICATION_REFUSED)
    if not row.proof_at and binding:                                   # the AAAH's limits are those of its last answer
        row.most_lifetime, row.session_ends = binding.most_lifetime, binding.session_ends
    row.lifetime = granted_lifetime(fha, row)
    if row.code == ACCEPTED and rrq_of(row).flags & FLAG_S:
        row.code = ACCEPTED_NO_SIMULTANEOUS


cdef void judge_request(Fha* fha, Registration* row, const Binding* binding) noexcept nogil:
    cdef const RegistrationRequest* rrq = rrq_of(row)
    if row.has_cvse:                                                   # RFC 3115 2.4: there is none that we know
        refuse(fha, row, CVSE_NOT_UNDERSTOOD, CVSE_REFUSED)
    elif rrq.home_agent != fha.address:
        refuse(fha, row, UNKNOWN_HOME_AGENT, HOME_AGENT_REFUSED)
    elif rrq.flags & (FLAG_M | FLAG_G):
        refuse(fha, row, ENCAPSULATION_UNAVAILABLE, ENCAPSULATION_REFUSED)
    elif rrq.lifetime and rrq.home_address and rrq.home_address != row.assigned and (
            not binding or rrq.home_address != binding.address):
        refuse(fha, row, ADMINISTRATIVELY_PROHIBITED, HOME_ADDRESS_REFUSED)
    elif rrq.lifetime and not row.proof_at and binding and binding.session_ends <= fha.now.monotonic:
        refuse(fha, row, ADMINISTRATIVELY_PROHIBITED, SESSION_OVER)    # the AAAH has to authorise the next one
    elif not care_of_is_valid(fha, row):
        refuse(fha, row, ADMINISTRATIVELY_PROHIBITED, CARE_OF_REFUSED)


cdef bint identification_is_fresh(Fha* fha, const Registration* row, const Binding* binding) noexcept nogil:
    """RFC 5944 5.7.1: within the window of our clock when it came, however long the AAAH took, and newer than all
    accepted before, also before a restart or under a binding that is gone. 5.7.2: the nonce sent last. What the AAAH has
    to vouch for is judged by time, as the AAAH judges it."""
    if row.by_nonce:
        return <uint32_t> (row.identification >> 32) == row.replay_nonce
    return (is_within(row.identification, ntp_of(row.arrived), fha.window_s)
            and (not fha.oldest_identification or is_newer(row.identification, fha.oldest_identification))
            and (not binding or not binding.identification or is_newer(row.identification, binding.identification))
            and (binding or ended_allows(&fha.ended, row.nai_hash, row.identification)))


cdef uint32_t granted_lifetime(const Fha* fha, const Registration* row) noexcept nogil:
    """s. Never more than asked, than we or the AAAH allow, or than is left of what it has authorised; 0 only if asked."""
    cdef uint64_t asked = get16(&rrq_of(row).lifetime), left = 0
    if not asked:
        return 0
    if row.session_ends > fha.now.monotonic:
        left = (row.session_ends - fha.now.monotonic) // SECOND
    return <uint32_t> max(min(min(asked, <uint64_t> fha.max_lifetime_s), min(<uint64_t> row.most_lifetime, left)),
                          <uint64_t> 1)


cdef bint care_of_is_valid(const Fha* fha, const Registration* row) noexcept nogil:
    """Reliability M5: a co-located care-of address is the packet's source, and no address tunnels must not go to.
    Loopback is valid exactly where we listen on loopback (ruling 2)."""
    cdef uint32_t care_of = get32(&rrq_of(row).care_of_address), ours = get32(&fha.address)
    if not rrq_of(row).lifetime and (row.is_proven or rrq_of(row).care_of_address == rrq_of(row).home_address):
        return True                                                    # ruling 13
    return (rrq_of(row).care_of_address == row.datagram.peer_address and rrq_of(row).flags & FLAG_D
            and care_of >> 24 != 0 and care_of >> 28 != 14 and care_of != <uint32_t> 0xffffffff and care_of >> 16 != 0xa9fe
            and (care_of >> 24 != 127 or ours >> 24 == 127)
            and not pool_of(fha, rrq_of(row).care_of_address) and care_of != ours)
