from libc.stdint cimport uint8_t
from loadgen.load cimport Attempt, Load

cdef void begin_registration(Load* load, Attempt* attempt, const uint8_t* fha) noexcept nogil
cdef void run_bootstrap(Load* load, void** rows, int n) noexcept nogil
