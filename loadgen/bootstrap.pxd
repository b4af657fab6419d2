from libc.stdint cimport uint8_t
from loadgen.fleet cimport Attempt, Load

cdef enum:
    STAGE_ACCEPT = 3                 # places in the list of stages
    STAGE_KEY = 4
    STAGE_REPLY = 7

cdef void begin_registration(Load* load, Attempt* attempt, const uint8_t* fha) noexcept nogil
cdef void run_bootstrap(Load* load, void** rows, int n) noexcept nogil
cdef void time_out(Load* load, Attempt* attempt, int step) noexcept nogil
