from servers.roles.fha.state cimport Fha, Registration, StaticKey

cdef void hash_proofs(Fha* fha, Registration* row) noexcept nogil
cdef void check_mn_ha(Fha* fha, Registration* row) noexcept nogil
cdef const StaticKey* static_key_of(const Fha* fha, const Registration* row) noexcept nogil
