/* The loop that times a run of the digest queue, ours or, for the same jobs, the scalar reference. Built by bench_digest.py. */
#include <time.h>
#include "digest/digest.h"
#include "md5.h"

/* HMAC-MD5 jobs without a tail only. */
void reference_run(digest_queue *queue) {
    for (uint32_t i = 0; i < queue->count; i++) {
        const digest_job *job = &queue->jobs[i];
        HmacKey key;
        memcpy(key.inner, job->key->inner, sizeof key.inner);
        memcpy(key.outer, job->key->outer, sizeof key.outer);
        hmac_md5(&key, job->message, job->length, job->out);
    }
    queue->count = 0;
}

/* Nanoseconds a job, the queue filled and run `times` times. */
double time_queue(void (*run)(digest_queue *), digest_job *jobs, uint32_t count, uint32_t times) {
    struct timespec from, to;
    clock_gettime(CLOCK_MONOTONIC, &from);
    for (uint32_t i = 0; i < times; i++) {
        digest_queue queue = {jobs, count, count};
        run(&queue);
    }
    clock_gettime(CLOCK_MONOTONIC, &to);
    return ((to.tv_sec - from.tv_sec) * 1e9 + (to.tv_nsec - from.tv_nsec)) / ((double) times * count);
}
