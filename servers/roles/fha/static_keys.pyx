# Associations from the configuration (RFC 5944 3.2), for nodes whose AAAH derives no key.
from libc.stdint cimport uint32_t, uint64_t, uint8_t
from libc.string cimport memcmp, memcpy, memset
from servers.engine.parking cimport parking_row
from servers.roles.fha.state cimport Fha, NEVER, StaticKey
from servers.tables.bindings cimport Binding


cdef const StaticKey* find_static_key(const Fha* fha, const uint8_t* nai, uint32_t length) noexcept nogil:
    """The node's own, or else one for every node; NULL: none."""
    cdef uint32_t k
    cdef const StaticKey* entry
    cdef const StaticKey* common = NULL
    for k in range(fha.static_keys):
        entry = &fha.static_key[k]
        if not entry.nai_length and not common:
            common = entry
        elif entry.nai_length == length and not memcmp(entry.nai, nai, length):
            return entry
    return common


cdef void forget_static_keys(Fha* fha) noexcept nogil:
    memset(fha.static_key, 0, fha.static_keys * sizeof(StaticKey))
    fha.static_keys = 0


cdef void follow_static_keys(Fha* fha) noexcept nogil:
    """Nodes that are bound by a configured key have the one that is configured now, or none: their leases run out. Derived
    keys have a lifetime and are not touched."""
    cdef uint32_t row
    cdef Binding* binding
    if not fha.bindings.rows.used:
        return
    for row in range(fha.bindings.rows.capacity):
        binding = <Binding*> parking_row(&fha.bindings.rows, row)
        if binding.nai_length and binding.key_expires == <uint64_t> NEVER:
            take_configured(binding, find_static_key(fha, binding.nai, binding.nai_length))


cdef void take_configured(Binding* binding, const StaticKey* entry) noexcept nogil:
    if not entry:
        binding.key_expires = 0
        return
    binding.mn_spi, binding.ha_spi, binding.prepared = entry.spi, entry.spi, entry.prepared
    binding.key_length = entry.key_length
    memset(binding.key, 0, sizeof(binding.key))
    memcpy(binding.key, entry.key, entry.key_length)
