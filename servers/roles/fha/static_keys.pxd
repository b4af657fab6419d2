from libc.stdint cimport uint32_t, uint8_t
from servers.roles.fha.state cimport Fha, StaticKey

cdef const StaticKey* find_static_key(const Fha* fha, const uint8_t* nai, uint32_t length) noexcept nogil
cdef void forget_static_keys(Fha* fha) noexcept nogil
cdef void follow_static_keys(Fha* fha) noexcept nogil
