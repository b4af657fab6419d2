from libc.stdint cimport uint32_t, uint64_t
from libc.stdlib cimport calloc, free
from servers.engine.ntp cimport is_newer

cdef enum:
    ANY_NODE = 0


cdef inline uint32_t key_of(uint64_t hash) noexcept nogil:
    return <uint32_t> (hash >> 32) | 1


cdef int ended_open(Ended* ended) except -1:
    ended.slots = <LastWord*> calloc(ENDED_SLOTS, sizeof(LastWord))
    if not ended.slots:
        raise MemoryError
    return 0


cdef void ended_close(Ended* ended) noexcept nogil:
    free(ended.slots)
    ended.slots = NULL


cdef void ended_note(Ended* ended, uint64_t hash, uint64_t identification, uint64_t oldest) noexcept nogil:
    """The node's binding is gone. `oldest`: what is not newer is refused anyhow. Two nodes that share a place while both
    count share the newer of their Identifications: a replay never passes, and a newcomer at worst waits for the window."""
    cdef LastWord* last = &ended.slots[hash % ENDED_SLOTS]
    if not identification or not is_newer(identification, oldest):
        return
    if not last.identification or not is_newer(last.identification, oldest):
        last.identification, last.key = identification, key_of(hash)
        return
    if last.key != key_of(hash):
        last.key = ANY_NODE
    if is_newer(identification, last.identification):
        last.identification = identification


cdef bint ended_allows(const Ended* ended, uint64_t hash, uint64_t identification) noexcept nogil:
    """False: this node, or one that it shares the place with, has been accepted with one as new before."""
    cdef const LastWord* last = &ended.slots[hash % ENDED_SLOTS]
    return (not last.identification or last.key not in (<uint32_t> ANY_NODE, key_of(hash))
            or is_newer(identification, last.identification))
