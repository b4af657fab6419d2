<<<<<<< .merge_file_xpOQLu
/* The scalar digests as a shared library: for tests against hashlib, and as what the lanes are divided by.
 * Rows are packed `stride` octets apart, as the codec holds a batch. */
#include "md5.h"

void reference_md5(const uint8_t *message, size_t n, uint8_t *out) { md5(message, n, out); }

void reference_hmac_md5_prepare(HmacKey *key, const uint8_t *secret, size_t n) { hmac_md5_prepare(key, secret, n); }

void reference_hmac_md5_rows(const HmacKey *key, const uint8_t *rows, size_t stride, const uint32_t *lengths, size_t n,
                             uint8_t *out) {
    for (size_t i = 0; i < n; i++) hmac_md5(key, rows + i * stride, lengths[i], out + 16 * i);
=======
/* What the lanes are measured against: HMAC-MD5 (RFC 1321, RFC 2104) one message at a time in plain C, its key prepared
 * (both states kept), whole blocks read in place; and the loop that times either. Built by bench_digest.py. */
#include <string.h>
#include <time.h>
#include "digest/digest.h"

#define STEP(f, a, b, c, d, word, constant, turn) \
    a += (f) + (word) + constant##u; a = (a << turn | a >> (32 - turn)) + b;
#define F(f, w0, k0, w1, k1, w2, k2, w3, k3, s0, s1, s2, s3) \
    STEP(f(b, c, d), a, b, c, d, w[w0], k0, s0) STEP(f(a, b, c), d, a, b, c, w[w1], k1, s1) \
    STEP(f(d, a, b), c, d, a, b, w[w2], k2, s2) STEP(f(c, d, a), b, c, d, a, w[w3], k3, s3)
#define SELECT_X(x, y, z) ((z) ^ ((x) & ((y) ^ (z))))
#define SELECT_Z(x, y, z) ((y) ^ ((z) & ((x) ^ (y))))
#define PARITY(x, y, z) ((x) ^ (y) ^ (z))
#define ODD(x, y, z) ((y) ^ ((x) | ~(z)))
#define ROUND1(...) F(SELECT_X, __VA_ARGS__, 7, 12, 17, 22)
#define ROUND2(...) F(SELECT_Z, __VA_ARGS__, 5, 9, 14, 20)
#define ROUND3(...) F(PARITY, __VA_ARGS__, 4, 11, 16, 23)
#define ROUND4(...) F(ODD, __VA_ARGS__, 6, 10, 15, 21)

static void block(uint32_t *state, const uint8_t *octets) {
    uint32_t w[16], a = state[0], b = state[1], c = state[2], d = state[3];
    memcpy(w, octets, sizeof w);
    ROUND1(0, 0xd76aa478, 1, 0xe8c7b756, 2, 0x242070db, 3, 0xc1bdceee)
    ROUND1(4, 0xf57c0faf, 5, 0x4787c62a, 6, 0xa8304613, 7, 0xfd469501)
    ROUND1(8, 0x698098d8, 9, 0x8b44f7af, 10, 0xffff5bb1, 11, 0x895cd7be)
    ROUND1(12, 0x6b901122, 13, 0xfd987193, 14, 0xa679438e, 15, 0x49b40821)
    ROUND2(1, 0xf61e2562, 6, 0xc040b340, 11, 0x265e5a51, 0, 0xe9b6c7aa)
    ROUND2(5, 0xd62f105d, 10, 0x02441453, 15, 0xd8a1e681, 4, 0xe7d3fbc8)
    ROUND2(9, 0x21e1cde6, 14, 0xc33707d6, 3, 0xf4d50d87, 8, 0x455a14ed)
    ROUND2(13, 0xa9e3e905, 2, 0xfcefa3f8, 7, 0x676f02d9, 12, 0x8d2a4c8a)
    ROUND3(5, 0xfffa3942, 8, 0x8771f681, 11, 0x6d9d6122, 14, 0xfde5380c)
    ROUND3(1, 0xa4beea44, 4, 0x4bdecfa9, 7, 0xf6bb4b60, 10, 0xbebfbc70)
    ROUND3(13, 0x289b7ec6, 0, 0xeaa127fa, 3, 0xd4ef3085, 6, 0x04881d05)
    ROUND3(9, 0xd9d4d039, 12, 0xe6db99e5, 15, 0x1fa27cf8, 2, 0xc4ac5665)
    ROUND4(0, 0xf4292244, 7, 0x432aff97, 14, 0xab9423a7, 5, 0xfc93a039)
    ROUND4(12, 0x655b59c3, 3, 0x8f0ccc92, 10, 0xffeff47d, 1, 0x85845dd1)
    ROUND4(8, 0x6fa87e4f, 15, 0xfe2ce6e0, 6, 0xa3014314, 13, 0x4e0811a1)
    ROUND4(4, 0xf7537e82, 11, 0xbd3af235, 2, 0x2ad7d2bb, 9, 0xeb86d391)
    state[0] += a; state[1] += b; state[2] += c; state[3] += d;
}

/* HMAC-MD5 jobs without a tail only. */
static void one(const digest_job *job) {
    uint32_t inner[4], outer[4], rest = job->length % 64, size = rest < 56 ? 64 : 128;
    const uint8_t *end = job->message + job->length - rest;
    uint8_t last[128] = {0};
    uint64_t bits = 8 * (64 + (uint64_t) job->length);
    memcpy(last, end, rest);
    last[rest] = 0x80;
    memcpy(last + size - 8, &bits, 8);
    memcpy(inner, job->key->inner, 16);
    for (const uint8_t *at = job->message; at < end; at += 64) block(inner, at);
    for (uint32_t at = 0; at < size; at += 64) block(inner, last + at);

    uint32_t digest[16] = {inner[0], inner[1], inner[2], inner[3], 0x80, [14] = 8 * (64 + 16)};
    memcpy(outer, job->key->outer, 16);
    block(outer, (const uint8_t *) digest);
    memcpy(job->out, outer, 16);
}

void reference_run(digest_queue *queue) {
    for (uint32_t i = 0; i < queue->count; i++) one(&queue->jobs[i]);
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
>>>>>>> .merge_file_WfQRRc
}
