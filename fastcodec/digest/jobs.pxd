# The job queue: roles queue digests row by row, `digest_run` does them many lanes at once.
from libc.stdint cimport uint8_t, uint32_t

cdef extern from "digest/digest.h" nogil:
    enum DigestKind "digest_kind":
        DIGEST_MD5
        DIGEST_HMAC_MD5
        DIGEST_HMAC_SHA1
        DIGEST_HMAC_SHA256
        DIGEST_KEY_MD5
        DIGEST_KEY_SHA1
        DIGEST_KEY_SHA256
        DIGEST_SHA1
    ctypedef struct Key "digest_key":
        uint32_t[8] inner
        uint32_t[8] outer
    ctypedef struct Job "digest_job":
        const uint8_t* message
        const uint8_t* tail
        const Key* key
        uint8_t* out
        uint32_t length
        uint32_t tail_length
        uint32_t kind
    ctypedef struct Queue "digest_queue":
        Job* jobs
        uint32_t count
        uint32_t room
    int digest_equal(const void* a, const void* b, uint32_t length)

cdef void run_queue(Queue* queue) noexcept nogil

cdef inline void queue_job(Queue* queue, DigestKind kind, const void* message, uint32_t length, const void* tail,
                           uint32_t tail_length, const Key* key, void* out) noexcept nogil:
    """The caller never queues more than `room` jobs between two runs: rows x jobs a stage may queue."""
    cdef Job* job = &queue.jobs[queue.count]
    queue.count += 1
    job.message, job.length = <const uint8_t*> message, length
    job.tail, job.tail_length = <const uint8_t*> tail, tail_length
    job.key, job.out, job.kind = key, <uint8_t*> out, kind
