# A role is a list of stages over a batch of rows; between two stages the queued digests are done, many lanes at once.
from libc.stdint cimport uint8_t, uint16_t, uint32_t, uint64_t
from fastcodec.digest.jobs cimport Queue

cdef enum Outcome:
    GOOD = 0                      # goes on to its next stage
    DONE = 1                      # answered, or finished otherwise
    DROPPED = 2                   # ended without an answer, its reason counted
    PARKED = 3                    # waits; whoever resumes it sets GOOD again

cdef struct Head:                 # first member of every row
    uint8_t outcome
    uint8_t stage                 # the first stage this row still has to pass
    uint16_t reason

ctypedef void (*Stage)(void* role, void* row) noexcept nogil

cdef void run_stages(void* role, const Stage* stages, int count, void** rows, int n, Queue* queue) noexcept nogil
cdef int queue_open(Queue* queue, uint32_t room) except -1
cdef void queue_close(Queue* queue) noexcept nogil
