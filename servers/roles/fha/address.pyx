# Home addresses: those of the pool, and those that no pool knows of, because the AAAH has assigned them, or because the
# pool was another one before a restart. Of each of the latter there is an entry for as long as its binding is known.
from fastcodec.wire cimport get32
from libc.stdint cimport uint32_t, uint64_t
from servers.engine.ntp cimport ntp_of
from servers.pool.bitmap cimport GRANTED, LEASED, Pool, RESERVED, Request
from servers.pool.giving cimport pool_cool, pool_give, pool_state
from servers.pool.taking cimport pool_take
from servers.roles.fha.state cimport Fha
from servers.tables.bindings cimport Binding, remove_binding
from servers.tables.ended cimport ended_note
from servers.tables.hash cimport NO_ROW, hash_word, table_find, table_insert, table_remove


cdef Pool* pool_of(const Fha* fha, uint32_t address) noexcept nogil:
    """Network order. NULL: it is in no pool."""
    cdef uint32_t k
    for k in range(fha.pool_count):
        if get32(&address) - fha.pools[k].pool.first < fha.pools[k].pool.size:
            return fha.pools[k].pool
    return NULL


cdef uint64_t rest_of(const Fha* fha, uint32_t address) noexcept nogil:
    """s that what is known of a lease is kept after its end: a second less than its address rests."""
    cdef const Pool* pool = pool_of(fha, address)
    cdef uint64_t rest = pool.cool_down if pool else fha.pools[0].pool.cool_down
    return rest - 1 if rest > 1 else 0


cdef bint may_be_leased(const Fha* fha, uint32_t address) noexcept nogil:
    """Network order. A unicast address that a node can use on any link, and not our own (reliability A35). RFC 2865 5.8
    gives 255.255.255.255 another meaning, that the user chooses."""
    cdef uint32_t top = get32(&address) >> 24
    return 0 < top < 224 and top != 127 and get32(&address) >> 16 != 0xa9fe and address != fha.address


cdef inline uint32_t tag_of(uint64_t owner) noexcept nogil:
    return <uint32_t> (owner >> 33)                                    # never NO_ROW


cdef bint take_exactly(Fha* fha, uint32_t address, uint64_t owner) noexcept nogil:
    """False: another node has it, it rests for another, or it is reserved."""
    cdef Pool* pool = pool_of(fha, address)
    cdef Request request
    if not pool:
        return keep_outside(fha, address, owner)
    if pool_state(pool, address) in (RESERVED, LEASED):
        return False
    request.owner, request.wanted = owner, address
    pool_take(pool, &request, 1, fha.now.monotonic)
    if request.state != GRANTED:
        return False
    if request.address != address:
        pool_cool(pool, request.address, owner, 0)                     # nobody has heard of it: it need not rest
    return request.address == address


cdef bint keep_outside(Fha* fha, uint32_t address, uint64_t owner) noexcept nogil:
    """False: it is another node's, or there is no room."""
    cdef uint32_t at = 0
    cdef uint64_t hash = hash_word(address, fha.seed)
    cdef uint32_t tag = table_find(&fha.outside, hash, &at)
    return tag == tag_of(owner) if tag != NO_ROW else table_insert(&fha.outside, hash, tag_of(owner))


cdef bint leave_outside(Fha* fha, uint32_t address, uint64_t owner) noexcept nogil:
    """False: it was not this node's, or is one of the pool."""
    return fha.outside.count and table_remove(&fha.outside, hash_word(address, fha.seed), tag_of(owner))


cdef void give_address(Fha* fha, uint32_t address, uint64_t owner) noexcept nogil:
    """One of the pool begins to rest; another is at the AAAH's disposal."""
    cdef Pool* pool
    if not leave_outside(fha, address, owner):
        pool = pool_of(fha, address)
        if pool:
            pool_give(pool, address, owner, fha.now.monotonic)


cdef void drop_binding(Fha* fha, Binding* binding) noexcept nogil:
    """The last that is known of it; its address in the pool has rested, or rests on its own."""
    note_end(fha, binding.hash, binding.identification)
    leave_outside(fha, binding.address, binding.hash)
    remove_binding(&fha.bindings, binding)


cdef void note_end(Fha* fha, uint64_t hash, uint64_t identification) noexcept nogil:
    """A copy of its last request must not bring back what is over, as long as its timestamp would still do."""
    ended_note(&fha.ended, hash, identification, ntp_of(fha.now.wall) - (<uint64_t> fha.window_s << 32))
