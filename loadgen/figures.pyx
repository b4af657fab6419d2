# What a load has counted, for Python.
from libc.stdint cimport uint8_t, uint32_t
from libc.string cimport memset
from loadgen import checks
from loadgen.checks cimport VIOLATIONS, Finding
from loadgen.load cimport HINDRANCES
from servers.roles.radius_client cimport Stray

HINDRANCE_NAMES = ("", "no_room", "still_under_way", "")
STEP_NAMES = ("bootstrap", "access", "registration", "renewal", "release")


cdef void clear_counts(Load* load) noexcept nogil:
    memset(load.tallies, 0, sizeof(load.tallies))
    memset(&load.mip_stray, 0, sizeof(Stray))
    memset(&load.client.stray, 0, sizeof(Stray))
    memset(load.not_begun, 0, sizeof(load.not_begun))
    memset(load.mip4_codes, 0, sizeof(load.mip4_codes))
    memset(load.radius_codes, 0, sizeof(load.radius_codes))
    memset(&load.counters, 0, sizeof(load.counters))
    load.mip_sent = load.mip_retransmitted = load.mip_received = load.mip_late = 0
    load.mip_duplicate = load.mip_unmatched = load.mip_malformed = load.mip_bad_authenticator = 0
    load.client.sent = load.client.retransmitted = load.client.received = load.client.late = 0
    load.client.duplicate = load.client.unmatched = load.client.malformed = 0
    load.client.bad_authenticator = load.client.timed_out = load.lifetimes_clipped = 0
    load.last_success = 0


cdef dict tallies_of(const Load* load):
    """{step: (attempted, succeeded, failed, timed_out)}."""
    return {name: (load.tallies[k].attempted, load.tallies[k].succeeded, load.tallies[k].failed,
                   load.tallies[k].timed_out)
            for k, name in enumerate(STEP_NAMES)}


cdef dict not_begun_of(const Load* load):
    """{why: bootstraps} that an open loop could not begin while the servers were silent; they count as failed."""
    cdef int k
    return {HINDRANCE_NAMES[k]: load.not_begun[k] for k in range(HINDRANCES) if load.not_begun[k]}


cdef dict packets_of(const Load* load):
    """The `packets` object of the result document, without kernel drops."""
    return {"sent": load.client.sent + load.mip_sent, "received": load.client.received + load.mip_received,
            "retransmitted": load.client.retransmitted + load.mip_retransmitted,
            "late": load.client.late + load.mip_late, "duplicate": load.client.duplicate + load.mip_duplicate,
            "unmatched": load.client.unmatched + load.mip_unmatched,
            "malformed": load.client.malformed + load.mip_malformed,
            "bad_authenticator": load.client.bad_authenticator + load.mip_bad_authenticator}


cdef tuple codes_of(const Load* load):
    """({RRP code: n}, {RADIUS code: n}) of authenticated replies, and of unsigned refusals."""
    return ({k: load.mip4_codes[k] for k in range(256) if load.mip4_codes[k]},
            {k: load.radius_codes[k] for k in range(256) if load.radius_codes[k]})


cdef list strays_of(const Load* load):
    """[(step, (count, source, asked))] of unmatched answers from where nothing was asked; both as (address, port)."""
    return [(step, stray) for step, stray in (("access", stray_of(&load.client.stray)),
                                              ("registration", stray_of(&load.mip_stray))) if stray[0]]


cdef tuple violations_of(const Load* load):
    """[(kind, node, other node, address packed)], at most 32 kept, and {kind: count} of all."""
    cdef const Finding* found
    cdef uint32_t k
    kept = []
    for k in range(load.checks.kept_count):
        found = &load.checks.kept[k]
        kept.append((checks.Violation(found.kind).name.lower(), found.node, found.other, (<const uint8_t*> &found.address)[:4]))
    return kept, {checks.Violation(k).name.lower(): load.checks.counts[k] for k in range(VIOLATIONS)
                  if load.checks.counts[k]}


cdef tuple stray_of(const Stray* stray):
    return (stray.count, ((<const uint8_t*> &stray.source)[:4], stray.source_port),
            ((<const uint8_t*> &stray.asked)[:4], stray.asked_port))
