from libc.stdint cimport uint8_t, uint32_t, uint64_t
from servers.roles.fha.state cimport Fha, Registration
from servers.tables.bindings cimport Binding

cdef packed struct OldKey:           # of the journal, behind the NAI of a record: the key before the last one, while it is good
    uint64_t until                   # wall clock, ns
    uint32_t mn_spi
    uint32_t ha_spi
    uint8_t key_length
    uint8_t[32] key

cdef inline bint makes_old(const Registration* row) noexcept nogil:
    """Whether the key that its binding has becomes the older one of two. A request under the older one shows that the node
    has never heard of the newer one."""
    return row.has_new_key and not row.under_old_key

cdef void keep_old_key(Fha* fha, Binding* binding) noexcept nogil
cdef uint32_t write_old_key(const Binding* binding, bint replaced, uint64_t now, uint64_t wall, void* octets) noexcept nogil
cdef void restore_old_key(Fha* fha, Binding* binding, const OldKey* record, uint64_t now, uint64_t wall) noexcept nogil
