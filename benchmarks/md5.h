/* MD5 (RFC 1321) and HMAC-MD5 (RFC 2104) for one message at a time: the scalar reference that the lanes are measured
 * against, and what the reference programs sign with. An HMAC key is prepared once: its inner and outer first block. */
#ifndef BENCH_MD5_H
#define BENCH_MD5_H
#include <endian.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

typedef struct { uint32_t inner[4], outer[4]; } HmacKey;

static const uint32_t MD5_START[4] = {0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476};

static inline uint32_t md5_rotate(uint32_t x, int n) { return x << n | x >> (32 - n); }

/* RFC 1321 section 3.4, the four auxiliary functions, written so that x, which comes last out of the step before, goes
 * through as few operations as can be: the steps are one chain, and its latency is the cost. */
#define MD5_F(x, y, z) (((x) & ((y) ^ (z))) ^ (z))
#define MD5_G(x, y, z) (((x) & (z)) + ((y) & ~(z)))
#define MD5_H(x, y, z) ((x) ^ ((y) ^ (z)))
#define MD5_I(x, y, z) (((x) | ~(z)) ^ (y))
#define MD5_STEP(f, a, b, c, d, k, s, t) a = b + md5_rotate((a + w[k] + t) + f(b, c, d), s)
#define MD5_FOUR(f, k0, k1, k2, k3, s0, s1, s2, s3, t0, t1, t2, t3) \
    MD5_STEP(f, a, b, c, d, k0, s0, t0); MD5_STEP(f, d, a, b, c, k1, s1, t1); \
    MD5_STEP(f, c, d, a, b, k2, s2, t2); MD5_STEP(f, b, c, d, a, k3, s3, t3)

static inline void md5_block(uint32_t state[4], const uint8_t *block) {
    uint32_t w[16], a = state[0], b = state[1], c = state[2], d = state[3];
    memcpy(w, block, 64);
    for (int i = 0; i < 16; i++) w[i] = le32toh(w[i]);
    MD5_FOUR(MD5_F, 0, 1, 2, 3, 7, 12, 17, 22, 0xd76aa478, 0xe8c7b756, 0x242070db, 0xc1bdceee);
    MD5_FOUR(MD5_F, 4, 5, 6, 7, 7, 12, 17, 22, 0xf57c0faf, 0x4787c62a, 0xa8304613, 0xfd469501);
    MD5_FOUR(MD5_F, 8, 9, 10, 11, 7, 12, 17, 22, 0x698098d8, 0x8b44f7af, 0xffff5bb1, 0x895cd7be);
    MD5_FOUR(MD5_F, 12, 13, 14, 15, 7, 12, 17, 22, 0x6b901122, 0xfd987193, 0xa679438e, 0x49b40821);
    MD5_FOUR(MD5_G, 1, 6, 11, 0, 5, 9, 14, 20, 0xf61e2562, 0xc040b340, 0x265e5a51, 0xe9b6c7aa);
    MD5_FOUR(MD5_G, 5, 10, 15, 4, 5, 9, 14, 20, 0xd62f105d, 0x02441453, 0xd8a1e681, 0xe7d3fbc8);
    MD5_FOUR(MD5_G, 9, 14, 3, 8, 5, 9, 14, 20, 0x21e1cde6, 0xc33707d6, 0xf4d50d87, 0x455a14ed);
    MD5_FOUR(MD5_G, 13, 2, 7, 12, 5, 9, 14, 20, 0xa9e3e905, 0xfcefa3f8, 0x676f02d9, 0x8d2a4c8a);
    MD5_FOUR(MD5_H, 5, 8, 11, 14, 4, 11, 16, 23, 0xfffa3942, 0x8771f681, 0x6d9d6122, 0xfde5380c);
    MD5_FOUR(MD5_H, 1, 4, 7, 10, 4, 11, 16, 23, 0xa4beea44, 0x4bdecfa9, 0xf6bb4b60, 0xbebfbc70);
    MD5_FOUR(MD5_H, 13, 0, 3, 6, 4, 11, 16, 23, 0x289b7ec6, 0xeaa127fa, 0xd4ef3085, 0x04881d05);
    MD5_FOUR(MD5_H, 9, 12, 15, 2, 4, 11, 16, 23, 0xd9d4d039, 0xe6db99e5, 0x1fa27cf8, 0xc4ac5665);
    MD5_FOUR(MD5_I, 0, 7, 14, 5, 6, 10, 15, 21, 0xf4292244, 0x432aff97, 0xab9423a7, 0xfc93a039);
    MD5_FOUR(MD5_I, 12, 3, 10, 1, 6, 10, 15, 21, 0x655b59c3, 0x8f0ccc92, 0xffeff47d, 0x85845dd1);
    MD5_FOUR(MD5_I, 8, 15, 6, 13, 6, 10, 15, 21, 0x6fa87e4f, 0xfe2ce6e0, 0xa3014314, 0x4e0811a1);
    MD5_FOUR(MD5_I, 4, 11, 2, 9, 6, 10, 15, 21, 0xf7537e82, 0xbd3af235, 0x2ad7d2bb, 0xeb86d391);
    state[0] += a; state[1] += b; state[2] += c; state[3] += d;
}

static inline void md5_put(const uint32_t state[4], uint8_t out[16]) {
    uint32_t octets[4];
    for (int i = 0; i < 4; i++) octets[i] = htole32(state[i]);
    memcpy(out, octets, 16);
}

/* Digests the rest of a message whose first `before` octets (a multiple of 64) are already in `state`. */
static inline void md5_finish(uint32_t state[4], const uint8_t *message, size_t n, size_t before, uint8_t out[16]) {
    uint8_t tail[128] = {0};
    size_t rest = n % 64, end = rest < 56 ? 64 : 128;
    uint64_t bits = htole64(8 * (uint64_t)(before + n));
    for (size_t i = 0; i + 64 <= n; i += 64) md5_block(state, message + i);
    memcpy(tail, message + n - rest, rest);
    tail[rest] = 0x80;
    memcpy(tail + end - 8, &bits, 8);
    for (size_t i = 0; i < end; i += 64) md5_block(state, tail + i);
    md5_put(state, out);
}

static inline void md5(const uint8_t *message, size_t n, uint8_t out[16]) {
    uint32_t state[4];
    memcpy(state, MD5_START, sizeof state);
    md5_finish(state, message, n, 0, out);
}

static inline void hmac_md5_prepare(HmacKey *key, const uint8_t *secret, size_t n) {
    uint8_t block[64] = {0};
    if (n > 64) md5(secret, n, block);
    else memcpy(block, secret, n);
    for (int i = 0; i < 64; i++) block[i] ^= 0x36;
    memcpy(key->inner, MD5_START, sizeof key->inner);
    md5_block(key->inner, block);
    for (int i = 0; i < 64; i++) block[i] ^= 0x36 ^ 0x5c;
    memcpy(key->outer, MD5_START, sizeof key->outer);
    md5_block(key->outer, block);
}

static inline void hmac_md5(const HmacKey *key, const uint8_t *message, size_t n, uint8_t out[16]) {
    uint32_t state[4];
    uint8_t inner[16];
    memcpy(state, key->inner, sizeof state);
    md5_finish(state, message, n, 64, inner);
    memcpy(state, key->outer, sizeof state);
    md5_finish(state, inner, 16, 64, out);
}
#endif
