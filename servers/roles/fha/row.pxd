from fastcodec.mip4 cimport ACCEPTED, ACCEPTED_NO_SIMULTANEOUS, RegistrationRequest
from libc.stdint cimport uint32_t, uint64_t, uint8_t
from servers.roles.fha.state cimport Fha, Registration
from servers.tables.bindings cimport Binding, find_binding

cdef void end_row(Fha* fha, Registration* row, int outcome) noexcept nogil
cdef void drop(Fha* fha, Registration* row, int reason) noexcept nogil
cdef void refuse(Fha* fha, Registration* row, int code, int reason) noexcept nogil
cdef void refuse_unsigned(Fha* fha, Registration* row, int code, int reason) noexcept nogil
cdef void refuse_unknown(Fha* fha, Registration* row, int reason) noexcept nogil
cdef void leave(Fha* fha, Registration* row, const uint8_t* octets, uint32_t length) noexcept nogil

cdef inline uint64_t earlier(uint64_t a, uint64_t b) noexcept nogil:
    return min(a, b) if a and b else a or b


cdef inline const RegistrationRequest* rrq_of(const Registration* row) noexcept nogil:
    return <const RegistrationRequest*> row.octets


cdef inline bint is_accepted(const Registration* row) noexcept nogil:
    return row.code == ACCEPTED or row.code == ACCEPTED_NO_SIMULTANEOUS


cdef inline const uint8_t* nai_of(const Registration* row) noexcept nogil:
    return row.octets + row.nai_at


cdef inline Binding* binding_of(Fha* fha, const Registration* row) noexcept nogil:
    return find_binding(&fha.bindings, nai_of(row), row.nai_length, row.nai_hash)
