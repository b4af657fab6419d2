# Life after the bootstrap: what a node that stays does when its time has come.
#
#   HOLDING -> RENEWING -> HOLDING     at 75 to 85 % of the lifetime, by its association or for a new key; tried until the
#                                      lifetime ends
#   HOLDING -> RELEASING -> RELEASED   when its stay is over, if it shall give its lease back
#   HOLDING -> REGISTERED              when its stay is over, else
from libc.stdint cimport uint8_t, uint32_t, uint64_t
from libc.string cimport memset
from loadgen.load cimport RELEASE, RENEWAL
from loadgen.histogram cimport histogram_record
from loadgen.holding cimport NEVER, holding_add, holding_clear, tick_of, time_of
from loadgen.mobile_node cimport (
    HOLDING, MobileNode, REGISTERED, RELEASING, RENEWING, TRYING,
)
from loadgen.registration cimport STAGE_KEY
from servers.engine.parking cimport parking_row, parking_take

cdef Attempt* begin_act(Load* load, uint32_t node) noexcept nogil:
    """The renewal or release of a node that has just come off the wheel; NULL: it has neither to do."""
    cdef MobileNode* it = &load.nodes[node]
    cdef bint is_over = load.is_leaving or it.due >= it.leaves
    if is_over and not load.releases:
        it.state, it.attempt = REGISTERED, 0
        return NULL
    return open_act(load, node, RELEASE if is_over else RENEWAL)


cdef Attempt* open_act(Load* load, uint32_t node, int step) noexcept nogil:
    """There is room: whoever took the node off the wheel has seen to it."""
    cdef MobileNode* it = &load.nodes[node]
    cdef uint32_t slot = parking_take(&load.attempts)
    cdef Attempt* attempt = <Attempt*> parking_row(&load.attempts, slot)
    memset(attempt, 0, <size_t> (<uint8_t*> &attempt.challenge - <uint8_t*> attempt))
    attempt.slot, attempt.node, attempt.step, attempt.head.stage = slot, node, <uint8_t> step, STAGE_KEY
    attempt.intended = attempt.registration_started = time_of(&load.holding, it.due)
    attempt.fhas[0], attempt.fha_count, attempt.has_accept = it.fha, 1, True
    attempt.in_lifetime = tick_of(&load.holding, load.now.monotonic) < it.expires
    attempt.by_association = association_lasts(load, it, step)
    it.state, it.attempt = RELEASING if step == RELEASE else RENEWING, slot + 1
    load.acts += 1
    load.tallies[step].attempted += 1
    if attempt.intended > load.acts_full:                                # else it is as late as the servers are
        histogram_record(load.send_lag, load.now.monotonic - attempt.intended)
    return attempt


cdef bint association_lasts(const Load* load, const MobileNode* it, int step) noexcept nogil:
    """Of a lease that has expired the FHA need not know any more; and a key that would end before the next lifetime does
    is replaced now (RFC 3957 6.4). About a fifth of a lifetime is left when its renewal is due."""
    cdef uint32_t now = tick_of(&load.holding, load.now.monotonic)
    if now >= it.expires:
        return False
    return it.key_ends == NEVER or now + (<uint64_t> 5 * (it.expires - now) if step == RENEWAL else 0) < it.key_ends


cdef void end_stays(Load* load) noexcept nogil:
    """All go at once, as many as there is room for; who comes later goes too."""
    cdef uint32_t node, now = tick_of(&load.holding, load.now.monotonic)
    load.is_leaving = True
    holding_clear(&load.holding)
    for node in range(load.count):
        if load.nodes[node].state != HOLDING:
            continue
        if load.releases:
            holding_add(&load.holding, load.nodes, node, now)
        else:
            load.nodes[node].state, load.nodes[node].attempt = REGISTERED, 0


cdef bint holds(const Load* load, uint32_t node, uint32_t now) noexcept nogil:
    """Whether it has its THOAv4 at tick `now`, with certainty."""
    cdef const MobileNode* it = &load.nodes[node]
    return (it.state == REGISTERED or it.state == HOLDING or it.state == RENEWING) and (
        it.expires == NEVER or now < it.expires)


cdef bint may_hold(const Load* load, uint32_t node, uint32_t address, uint32_t since) noexcept nogil:
    """Whether an FHA may rightly have a lease of this address for it: it has, or had until tick `since`, or it has asked
    for something and not heard what came of it."""
    cdef const MobileNode* it = &load.nodes[node]
    if it.is_unsure or it.state == TRYING:
        return True
    if it.state == REGISTERED or it.state == HOLDING or it.state == RENEWING or it.state == RELEASING:
        return it.address == address and since < it.expires
    return False
