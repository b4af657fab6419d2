/* The end of a message in memory of our own: what is left behind its last full block, its tail, and the padding
 * (RFC 1321 section 3.1, FIPS 180-4 section 5.1). Nothing beyond message + length or tail + tail_length is read. */
#ifndef MIPSTORM_PADDING_H
#define MIPSTORM_PADDING_H
#include <stddef.h>
#include <string.h>
#include "digest/digest.h"
#if defined(WIDTH) && WIDTH == 64
#include <immintrin.h>
#endif

/* Lanes take tails up to TAIL_MOST; a job with a longer one is streamed alone. Of a lane's room the first block is slack
 * for a copy that starts early; the padding's store may run into the next lane's slack. */
enum { BLOCK = 64, TAIL_MOST = 311, LAST_MOST = 6 * BLOCK, LANE_ROOM = BLOCK + LAST_MOST };

enum family { MD5, SHA1, SHA256 };
enum form { PLAIN, HMAC, KEY };

static inline uint64_t octets(const digest_job *job) { return (uint64_t) job->length + job->tail_length; }

/* 0x80, zeros to the last eight octets, the count of bits: one block, or two when fewer than nine octets are free. */
static inline uint64_t padded_blocks(uint64_t length) { return (length + 8) / BLOCK + 1; }

/* Up to 63 octets by two overlapping moves: a call of memcpy costs more than the copy. */
static inline __attribute__((always_inline)) void copy_short(uint8_t *to, const uint8_t *from, uint32_t n) {
#define TWO_MOVES(half) { uint8_t a[half], b[half]; memcpy(a, from, half); memcpy(b, from + n - half, half); \
                          memcpy(to, a, half); memcpy(to + n - half, b, half); }
    if (n >= 32) TWO_MOVES(32)
    else if (n >= 16) TWO_MOVES(16)
    else if (n >= 8) TWO_MOVES(8)
    else if (n >= 4) TWO_MOVES(4)
    else if (n) { to[0] = from[0]; to[n / 2] = from[n / 2]; to[n - 1] = from[n - 1]; }
#undef TWO_MOVES
}

static inline __attribute__((always_inline)) void copy_piece(uint8_t *to, const uint8_t *from, uint32_t n) {
    if (n < BLOCK) copy_short(to, from, n);
    else memcpy(to, from, n);
}

/* The octets behind the message's last full block, then the tail; gives the place behind them. `last` has a block of
 * slack before it: where the message has a whole block, its last 64 octets are one move without a branch. */
static inline __attribute__((always_inline)) uint8_t *put_rest(uint8_t *last, const digest_job *job) {
    uint32_t rest = job->length % BLOCK;
    if (job->length >= BLOCK) memcpy(last + rest - BLOCK, job->message + job->length - BLOCK, BLOCK);
    else copy_short(last, job->message, rest);
    if (job->tail_length) copy_piece(last + rest, job->tail, job->tail_length);
    return last + rest + job->tail_length;
}

#if defined(WIDTH) && WIDTH == 64
/* The same without a tail, in registers: octets that the mask leaves out are not touched, and both stores are aligned. */
static inline __attribute__((always_inline)) void put_last_masked(uint8_t *last, const digest_job *job, uint64_t bits) {
    uint32_t rest = job->length % BLOCK;
    __m512i block = _mm512_maskz_loadu_epi8((1ull << rest) - 1, job->message + job->length - rest);
    block = _mm512_mask_set1_epi8(block, 1ull << rest, (char) 0x80);
    block = _mm512_mask_set1_epi64(block, rest < BLOCK - 8 ? 0x80 : 0, (long long) bits);
    _mm512_store_si512(last, block);
    _mm512_store_si512(last + BLOCK, _mm512_maskz_set1_epi64(0x80, (long long) bits));
}
#endif

/* All behind the message's last full block, padded; `total` octets count as hashed. Writes LAST_MOST + BLOCK octets at
 * most from `last` on, and BLOCK before it. */
static inline __attribute__((always_inline)) void put_last_blocks(uint8_t *last, const digest_job *job, uint64_t total, int big_endian) {
    static const uint8_t PADDING[BLOCK] = {0x80};
    uint64_t bits = big_endian ? __builtin_bswap64(8 * total) : 8 * total;
#if defined(WIDTH) && WIDTH == 64
    if (!job->tail_length) {
        put_last_masked(last, job, bits);
        return;
    }
#endif
    uint8_t *end = last + BLOCK * (padded_blocks(octets(job)) - job->length / BLOCK);
    memcpy(put_rest(last, job), PADDING, BLOCK);   /* at most 64 octets lie between the data and the count */
    memcpy(end - 8, &bits, 8);
}
#endif
