# A batch of datagrams at the client's ports: through the four stages, each that fails is dropped and counted.
from libc.stdint cimport uint32_t
from libc.string cimport memset
from servers.engine.stages cimport GOOD, Head, Stage, run_stages
from servers.roles.client.answers cimport (
    accept_answer, check_message_authenticator, check_response_authenticator, match_answer,
)

cdef Stage[4] STAGES = [
    <Stage> match_answer, <Stage> check_response_authenticator, <Stage> check_message_authenticator, <Stage> accept_answer,
]


cdef uint32_t client_receive(RadiusClient* client, Datagram* datagrams, uint32_t n, Answer* answers, void** good) noexcept nogil:
    """Fills in the answers that somebody waits for (`transaction.owner` says who) and returns their number. `answers` has
    room for `n`, `good` too."""
    cdef uint32_t k, count = 0
    for k in range(n):
        memset(&answers[k].head, 0, sizeof(Head))
        answers[k].datagram = &datagrams[k]
        good[k] = &answers[k]
    run_stages(client, STAGES, 4, good, <int> n, client.queue)
    for k in range(n):
        if answers[k].head.outcome == GOOD:
            good[count] = &answers[k]
            count += 1
    return count
