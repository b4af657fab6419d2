from libc.stdint cimport uint8_t, uint32_t, uint64_t
from libc.string cimport memcmp, memcpy, memset
from servers.engine.parking cimport (
    NO_SLOT_FREE, parking_close, parking_leave, parking_open, parking_row, parking_take,
)
from servers.engine.wheel cimport wheel_arm
from servers.tables.hash cimport NO_ROW, table_close, table_find, table_insert, table_next, table_open, table_remove


cdef int bindings_open(Bindings* bindings, uint32_t capacity, uint64_t now) except -1:
    parking_open(&bindings.rows, capacity, sizeof(Binding), now)
    if not table_open(&bindings.by_nai, capacity):
        raise MemoryError
    return 0


cdef void bindings_close(Bindings* bindings) noexcept nogil:
    parking_close(&bindings.rows)
    table_close(&bindings.by_nai)


cdef Binding* find_binding(const Bindings* bindings, const uint8_t* nai, uint32_t length, uint64_t hash) noexcept nogil:
    cdef uint32_t at = 0, row = table_find(&bindings.by_nai, hash, &at)
    cdef Binding* found
    while row != NO_ROW:
        found = <Binding*> parking_row(&bindings.rows, row)
        if found.nai_length == length and not memcmp(found.nai, nai, length):
            return found
        row = table_next(&bindings.by_nai, hash, &at)
    return NULL


cdef inline uint32_t row_of(const Bindings* bindings, const Binding* binding) noexcept nogil:
    return <uint32_t> ((<const uint8_t*> binding - bindings.rows.octets) // bindings.rows.size)


cdef Binding* add_binding(Bindings* bindings, const uint8_t* nai, uint32_t length, uint64_t hash) noexcept nogil:
    """An empty row for a NAI (1-255 octets) that has none; NULL when the table is full."""
    cdef uint32_t row = parking_take(&bindings.rows)
    cdef Binding* binding
    if row == NO_SLOT_FREE:
        return NULL
    binding = <Binding*> parking_row(&bindings.rows, row)
    memset(binding, 0, sizeof(Binding) - REPLY_ROOM)
    binding.hash, binding.nai_length = hash, <uint8_t> length
    memcpy(binding.nai, nai, length)
    table_insert(&bindings.by_nai, hash, row)
    return binding


cdef void remove_binding(Bindings* bindings, Binding* binding) noexcept nogil:
    """The key goes with it."""
    cdef uint32_t row = row_of(bindings, binding)
    table_remove(&bindings.by_nai, binding.hash, row)
    memset(binding, 0, sizeof(Binding))
    parking_leave(&bindings.rows, row)


cdef void set_expiry(Bindings* bindings, Binding* binding, uint64_t when) noexcept nogil:
    """Monotonic ns. An old key ends first, if there is one."""
    binding.expires = when
    wheel_arm(&bindings.rows.wheel, row_of(bindings, binding),
              min(when, binding.old_until) if binding.old_until else when)


cdef void forget_old_key(Bindings* bindings, Binding* binding) noexcept nogil:
    memset(&binding.old_prepared, 0, sizeof(binding.old_prepared))
    memset(binding.old_key, 0, sizeof(binding.old_key))
    binding.old_until, binding.old_mn_spi, binding.old_ha_spi = 0, 0, 0
    set_expiry(bindings, binding, binding.expires)
