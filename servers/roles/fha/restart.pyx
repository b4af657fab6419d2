# What the journal knows becomes bindings again.
from libc.stdint cimport uint32_t, uint64_t, uint8_t
from libc.string cimport memcpy
from servers.engine.ntp cimport is_newer, ntp_of
from servers.engine.parking cimport parking_row
from servers.pool.bitmap cimport pool_claim, pool_give
from servers.roles.fha.state cimport Fha, SECOND
from servers.tables.bindings cimport Binding, Record, add_binding, find_binding, remove_binding, set_expiry
from servers.tables.hash cimport hash_octets

cdef enum:
    LONGEST_LIFETIME_S = 0xffff          # RFC 5944 3.3; a wall clock that went back would prolong a lease by years


cdef void remember_clock(Fha* fha, const Record* record) noexcept nogil:
    """After a restart an Identification from before the journal's end is refused with 133 (reliability I10)."""
    remember_moment(fha, ntp_of(record.written))
    if record.identification:
        remember_moment(fha, record.identification)


cdef void remember_moment(Fha* fha, uint64_t moment) noexcept nogil:
    if not fha.oldest_identification or is_newer(moment, fha.oldest_identification):
        fha.oldest_identification = moment


cdef bint forget_binding(Fha* fha, Binding* binding, uint64_t now) noexcept nogil:
    if binding:
        pool_give(fha.pool, binding.address, binding.hash, now)
        remove_binding(&fha.bindings, binding)
    return True


cdef Binding* binding_of_address(Fha* fha, uint32_t address) noexcept nogil:
    """A search through all: only a clock that went back makes it necessary."""
    cdef uint32_t row
    cdef Binding* binding
    for row in range(fha.bindings.rows.capacity):
        binding = <Binding*> parking_row(&fha.bindings.rows, row)
        if binding.nai_length and binding.address == address:
            return binding
    return NULL


cdef bint restore_binding(Fha* fha, const Record* record, bint ended, uint64_t now, uint64_t wall) noexcept nogil:
    """The latest record of a NAI counts; what has expired meanwhile is not restored."""
    cdef const uint8_t* nai = <const uint8_t*> record + sizeof(Record)
    cdef uint64_t hash = hash_octets(nai, record.nai_length, fha.seed)
    cdef Binding* binding = find_binding(&fha.bindings, nai, record.nai_length, hash)
    if ended or record.expires <= wall:
        return forget_binding(fha, binding, now)
    if not binding:
        if not pool_claim(fha.pool, record.address, hash):
            forget_binding(fha, binding_of_address(fha, record.address), now)      # the later record counts
            if not pool_claim(fha.pool, record.address, hash):
                return False
        binding = add_binding(&fha.bindings, nai, record.nai_length, hash)
        if not binding:
            return False
    binding.address, binding.care_of_address = record.address, record.care_of_address
    binding.identification, binding.mn_spi, binding.ha_spi = record.identification, record.mn_spi, record.ha_spi
    memcpy(binding.key, record.key, 20)
    set_expiry(&fha.bindings, binding, now + min(record.expires - wall, <uint64_t> LONGEST_LIFETIME_S * SECOND))
    return True
