from libc.stdint cimport uint8_t
from loadgen.load cimport Attempt, Load

cdef enum:
    STAGE_ACCEPT = 3                 # places in the list of stages (bootstrap.pyx)
    STAGE_KEY = 4
    STAGE_REPLY = 7
    STAGE_CHECK = 10
    MN_SPI = 4096                    # what a node wants to receive in a 32 (RFC 3957 6.3)

cdef void succeed(Load* load, Attempt* attempt, int state) noexcept nogil
cdef void fail(Load* load, Attempt* attempt) noexcept nogil
cdef void time_out(Load* load, Attempt* attempt) noexcept nogil
cdef uint8_t* begin_request(Load* load, Attempt* attempt) noexcept nogil
cdef void send_request(Load* load, Attempt* attempt) noexcept nogil
cdef bint may_try_again(const Load* load, const Attempt* attempt) noexcept nogil
cdef bint open_reply(Load* load, Attempt* attempt) noexcept nogil
cdef void check_reply(Load* load, Attempt* attempt) noexcept nogil
cdef void accept_reply(Load* load, Attempt* attempt) noexcept nogil
