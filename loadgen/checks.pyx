from fastcodec.wire cimport get32
from libc.stdint cimport uint32_t
from libc.stdlib cimport calloc, free
from libc.string cimport memset

cdef enum:
    SECOND = 1000000000


cdef int checks_open(Checks* checks, uint32_t network, uint32_t size) except -1:
    """`network` in host order; first and last address of a pool of more than two are reserved."""
    memset(checks, 0, sizeof(Checks))
    checks.network, checks.size = network, size
    if size:
        checks.holder = <uint32_t*> calloc(size, sizeof(uint32_t))
        checks.until = <uint32_t*> calloc(size, sizeof(uint32_t))
        if not checks.holder or not checks.until:
            raise MemoryError
    return 0


cdef void checks_close(Checks* checks) noexcept nogil:
    free(checks.holder)
    free(checks.until)
    checks.holder = checks.until = NULL


cdef void report_violation(Checks* checks, int kind, uint32_t node, uint32_t other, uint32_t address) noexcept nogil:
    cdef Finding* finding
    checks.counts[kind] += 1
    if checks.kept_count < KEPT_VIOLATIONS:
        finding = &checks.kept[checks.kept_count]
        finding.kind, finding.node, finding.other, finding.address = kind, node, other, address
        checks.kept_count += 1


cdef bint check_lease(Checks* checks, uint32_t node, uint32_t address, uint64_t now, uint64_t until) noexcept nogil:
    """A node says that it holds `address` (network order) from now on, certainly until `until` (both monotonic ns; the
    lifetime counts from when the request was sent). False: it must not."""
    cdef uint32_t place = get32(&address) - checks.network
    if not checks.size:
        return True
    if place >= checks.size or (checks.size > 2 and (place == 0 or place == checks.size - 1)):
        report_violation(checks, OUTSIDE_POOL, node, node, address)
        return False
    if checks.holder[place] and checks.holder[place] != node + 1 and now // SECOND < checks.until[place]:
        report_violation(checks, HELD_TWICE, node, checks.holder[place] - 1, address)
        return False
    checks.holder[place], checks.until[place] = node + 1, <uint32_t> (until // SECOND)
    return True


cdef void end_lease(Checks* checks, uint32_t node, uint32_t address, uint64_t now) noexcept nogil:
    """The node gives it back (asks to, at `now`): it holds it with certainty no longer (reliability I1)."""
    cdef uint32_t place = get32(&address) - checks.network
    if place < checks.size and checks.holder[place] == node + 1:
        checks.until[place] = min(checks.until[place], <uint32_t> (now // SECOND))
