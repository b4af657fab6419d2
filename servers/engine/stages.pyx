from fastcodec.digest.jobs cimport Job, Queue, run_queue
from libc.stdlib cimport calloc, free


cdef void run_stages(void* role, const Stage* stages, int count, void** rows, int n, Queue* queue) noexcept nogil:
    """Takes every row from its own stage to the end of the list, or to where it is answered, dropped or parked."""
    cdef int stage, k, first = count
    cdef Head* head
    for k in range(n):
        first = min(first, <int> (<Head*> rows[k]).stage)
    for stage in range(first, count):
        for k in range(n):
            head = <Head*> rows[k]
            if head.outcome == Outcome.GOOD and head.stage <= stage:
                stages[stage](role, rows[k])
        if queue.count:
            run_queue(queue)


cdef int queue_open(Queue* queue, uint32_t room) except -1:
    """`room`: the most jobs that one stage may queue over a whole batch."""
    queue.jobs = <Job*> calloc(room, sizeof(Job))
    queue.count, queue.room = 0, room
    if not queue.jobs:
        raise MemoryError
    return 0


cdef void queue_close(Queue* queue) noexcept nogil:
    free(queue.jobs)
    queue.jobs = NULL
