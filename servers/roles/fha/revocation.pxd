from libc.stdint cimport uint32_t, uint64_t, uint8_t
from servers.engine.ntp cimport ntp_of
from servers.roles.fha.state cimport Fha, Revocation
from servers.tables.bindings cimport Binding

cdef uint8_t support_of(const uint8_t* value, int length) noexcept nogil
cdef uint8_t* put_support(const Fha* fha, uint8_t revocation, uint8_t* at) noexcept nogil
cdef Revocation* open_revocation(Fha* fha, const Binding* binding) noexcept nogil
cdef void announce(Fha* fha, Revocation* row, uint64_t ticket) noexcept nogil
cdef void write_revocation(Fha* fha, Revocation* row) noexcept nogil
cdef void hold_revocation(Fha* fha, Revocation* row) noexcept nogil
cdef void send_revocation(Fha* fha, Revocation* row) noexcept nogil
cdef void end_revocation(Fha* fha, Revocation* row) noexcept nogil
cdef Revocation* find_revocation(Fha* fha, uint32_t home_address, uint32_t identifier) noexcept nogil

cdef inline uint32_t stamp_of(uint64_t wall) noexcept nogil:
    """Seconds of our clock, NTP: RFC 3543 3.2 leaves the epoch open, only the order counts."""
    return <uint32_t> (ntp_of(wall) >> 32)
