# Registration Identification as an NTP timestamp, RFC 5944 5.7.1. Differences are taken modulo 2^64, which reads every
# timestamp in the NTP era nearest to the other one: a clock ten years ahead in 2026 stands in era 1.
from libc.stdint cimport int64_t, uint32_t, uint64_t

cdef inline uint64_t ntp_of(uint64_t wall) noexcept nogil:
    """Unix ns -> NTP 32.32."""
    cdef uint64_t seconds = wall // 1000000000, unix_epoch = 2208988800
    return ((seconds + unix_epoch) << 32) | ((wall - seconds * 1000000000) << 32) // 1000000000

cdef inline bint is_newer(uint64_t a, uint64_t b) noexcept nogil:
    return <int64_t> (a - b) > 0

cdef inline bint is_within(uint64_t a, uint64_t b, uint32_t seconds) noexcept nogil:
    cdef int64_t apart = <int64_t> (a - b)
    return -(<int64_t> seconds << 32) <= apart <= <int64_t> seconds << 32
