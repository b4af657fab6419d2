from fastcodec.wire cimport get32
from libc.stdint cimport uint32_t, uint8_t
from servers.net.node cimport Datagram
from servers.roles.aaah.state cimport Aaah, Question
from servers.tables.replies cimport Replies

cdef void drop(Aaah* aaah, Question* question, int reason) noexcept nogil
cdef void give_up(Aaah* aaah, Question* question, int reason) noexcept nogil
cdef void reject(Aaah* aaah, Question* question, int reason, int denial) noexcept nogil
cdef Datagram* address_reply(Aaah* aaah, Question* question) noexcept nogil

cdef inline uint32_t integer(const Question* question, int slot) noexcept nogil:
    return get32(question.packet.octets + question.packet.offset[slot]) if question.packet.size[slot] == 4 else 0


cdef inline const uint8_t* value(const Question* question, int slot) noexcept nogil:
    return question.packet.octets + question.packet.offset[slot]


cdef inline Replies* replies_of(Aaah* aaah, const Question* question) noexcept nogil:
    return aaah.replies[question.datagram.port]
