from fastcodec.radius cimport Packet
from libc.stdint cimport uint64_t
from servers.roles.fha.state cimport Fha, Registration

cdef void read_answer(Fha* fha, Registration* row) noexcept nogil
cdef void take_key(Fha* fha, Registration* row) noexcept nogil
cdef uint64_t hash_of_values(const Packet* packet, int slot) noexcept nogil
