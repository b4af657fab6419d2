from fastcodec.mip4 cimport RegistrationRequest
from libc.stdint cimport uint32_t, uint64_t, uint8_t
from servers.roles.fha.state cimport Fha, Registration

cdef void end_row(Fha* fha, Registration* row, int outcome) noexcept nogil
cdef void drop(Fha* fha, Registration* row, int reason) noexcept nogil
cdef void refuse(Fha* fha, Registration* row, int code, int reason) noexcept nogil
cdef void leave(Fha* fha, Registration* row, const uint8_t* octets, uint32_t length) noexcept nogil

cdef inline uint64_t earlier(uint64_t a, uint64_t b) noexcept nogil:
    return min(a, b) if a and b else a or b


cdef inline const RegistrationRequest* rrq_of(const Registration* row) noexcept nogil:
    return <const RegistrationRequest*> row.octets


cdef inline const uint8_t* nai_of(const Registration* row) noexcept nogil:
    return row.octets + row.nai_at
