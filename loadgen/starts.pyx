# Which bootstraps begin when: by the schedule in an open loop, one for each that ends in a closed one.
from libc.stdint cimport uint8_t, uint32_t, uint64_t
from libc.string cimport memset
from loadgen.bootstrap cimport begin_registration
from loadgen.load cimport (
    ACCESS, BOOTSTRAP, NODE_ENGAGED, NO_HINDRANCE, NO_ROOM, STILL_UNDER_WAY,
)
from loadgen.mobile_node cimport MobileNode, REGISTERED, TRYING, is_engaged
from loadgen.pacer cimport pace_node, pace_time
from servers.engine.parking cimport parking_row, parking_take

cdef enum:
    MS = 1000000


cdef uint32_t under_way(const Load* load) noexcept nogil:
    """Bootstraps."""
    return load.attempts.used - load.acts


cdef bint all_begun(const Starts* starts, const Load* load) noexcept nogil:
    """No bootstrap will begin any more."""
    return starts.stopped or starts.begun >= starts.total or (starts.ends_at and load.now.monotonic >= starts.ends_at)


cdef uint32_t open_attempts(Starts* starts, Load* load, void** rows, uint32_t most) noexcept nogil:
    """Open loop: whatever is due by now; where the servers' silence leaves no room for it, it has failed. Closed loop:
    as many as are missing."""
    cdef uint32_t n = 0, node, _k
    cdef uint64_t due = load.now.monotonic
    cdef int hindrance
    for _k in range(most):
        if starts.begun >= starts.total or (starts.concurrency and under_way(load) >= starts.concurrency):
            break
        if not starts.concurrency:
            due = starts.started_at + pace_time(&starts.pace, starts.begun)
            if due > load.now.monotonic:
                break
        node = pace_node(&starts.pace, starts.skipped + starts.begun)
        hindrance = hindrance_of(starts, load, node)
        if not hindrance:
            rows[n] = open_attempt(load, node, due)
            n += 1
        elif may_turn_away(starts, hindrance):
            turn_away(load, hindrance)
        else:
            break                                                  # late then, and counted so
        starts.begun += 1
    return n


cdef Attempt* open_attempt(Load* load, uint32_t node, uint64_t due) noexcept nogil:
    cdef uint32_t slot = parking_take(&load.attempts)
    cdef Attempt* attempt = <Attempt*> parking_row(&load.attempts, slot)
    memset(attempt, 0, <size_t> (<uint8_t*> &attempt.challenge - <uint8_t*> attempt))
    attempt.slot, attempt.node, attempt.intended, attempt.step = slot, node, due, ACCESS
    if load.nodes[node].state == REGISTERED:                  # its lease of before may last
        load.nodes[node].is_unsure = True
    load.nodes[node].attempt, load.nodes[node].state = slot + 1, TRYING
    if load.skips_access:
        begin_registration(load, attempt, load.known_fha)
    return attempt


cdef int hindrance_of(const Starts* starts, const Load* load, uint32_t node) noexcept nogil:
    """A bootstrap that has had its first timeout waits for a server; a younger one may only wait for us."""
    cdef const MobileNode* it = &load.nodes[node]
    cdef const Attempt* attempt
    if under_way(load) == starts.most:
        return NO_ROOM
    if not is_engaged(it):
        return NO_HINDRANCE
    if it.state != TRYING:
        return NODE_ENGAGED
    attempt = <const Attempt*> parking_row(&load.attempts, it.attempt - 1)
    if load.now.monotonic < attempt.intended + <uint64_t> load.first_timeout_ms * MS:
        return NODE_ENGAGED
    return STILL_UNDER_WAY


cdef bint may_turn_away(const Starts* starts, int hindrance) noexcept nogil:
    """An open loop does not wait for the servers; a closed one does nothing else."""
    return not starts.concurrency and (hindrance == NO_ROOM or hindrance == STILL_UNDER_WAY)


cdef uint64_t next_start(const Starts* starts, const Load* load) noexcept nogil:
    """Monotonic ns of the next start; 1: at once; 0: none, or not by time."""
    cdef uint64_t due
    cdef int hindrance
    if not starts.started_at or all_begun(starts, load):
        return 0
    hindrance = hindrance_of(starts, load, pace_node(&starts.pace, starts.skipped + starts.begun))
    if hindrance and not may_turn_away(starts, hindrance):
        return 0
    if starts.concurrency:
        return 1 if under_way(load) < starts.concurrency else 0
    due = starts.started_at + pace_time(&starts.pace, starts.begun)
    if starts.ends_at:
        due = min(due, starts.ends_at)                               # where `done` looks at the clock again
    return due if due > load.now.monotonic else 1


cdef void turn_away(Load* load, int hindrance) noexcept nogil:
    """Its step is not attempted: nothing is sent."""
    load.tallies[<int> BOOTSTRAP].attempted += 1
    load.tallies[<int> BOOTSTRAP].failed += 1
    load.not_begun[hindrance] += 1
