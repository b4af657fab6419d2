from libc.stdint cimport uint32_t, uint64_t
from servers.roles.aaah.state cimport Aaah, Question, StateRecord
from servers.tables.subscribers cimport Subscriber

cdef void remember(Aaah* aaah, Question* question) noexcept nogil
cdef uint32_t write_state(const Aaah* aaah, const Subscriber* subscriber, uint64_t now, uint64_t wall,
                          void* octets) noexcept nogil
cdef void restore_state(Aaah* aaah, const StateRecord* record, uint64_t now, uint64_t wall) noexcept nogil
cdef void save(Aaah* aaah) noexcept nogil
