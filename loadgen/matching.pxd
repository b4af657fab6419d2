from loadgen.load cimport Attempt, Load
from servers.net.node cimport Datagram

cdef Attempt* match_reply(Load* load, Datagram* datagram) noexcept nogil
