/* The compression functions of MD5 (RFC 1321), SHA-1 and SHA-256 (FIPS 180-4), written once over `word`: uint32_t for one
 * message, a vector of uint32_t for one message a lane. `groups` independent messages (or vectors of them) go side by
 * side, because one chain of dependent steps leaves most of a core's ports idle. Includers define `word` first. */
#ifndef MIPSTORM_ROUNDS_H
#define MIPSTORM_ROUNDS_H
#include <stdint.h>

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "the digest engine reads words as little-endian machines hold them"
#endif

#define INLINE static inline __attribute__((always_inline))
#define UNROLL(n) _Pragma(UNROLL_TEXT(GCC unroll n))
#define UNROLL_TEXT(x) #x

/* GCC reorders the additions of a step so that the newest word waits for one more of them; pinning a partial sum keeps
 * it off the chain (12 to 22 % of MD5, measured). */
#if !defined(__x86_64__)
#define PIN(x) ((void) 0)
#elif !defined(WIDTH)
#define PIN(x) __asm__("" : "+r"(x))
#elif WIDTH == 64
#define PIN(x) __asm__("" : "+v"(x))
#else
#define PIN(x) __asm__("" : "+x"(x))
#endif

/* Round constants are read from memory, one broadcast each: as immediates they cost 6 % more. */
#define FROM_MEMORY(name, table) const uint32_t *name = table; __asm__("" : "+r"(name))

#define ROTATE(x, n) ((x) << (n) | (x) >> (32 - (n)))
#define CHOOSE(x, y, z) ((z) ^ ((x) & ((y) ^ (z))))
#define MAJORITY(x, y, z) (((x) & (y)) | ((z) & ((x) | (y))))

static const uint32_t MD5_START[8] = {0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476};
static const uint32_t SHA1_START[8] = {0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0};
static const uint32_t SHA256_START[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                         0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};

static const uint32_t MD5_CONSTANTS[64] = {
    0xd76aa478, 0xe8c7b756, 0x242070db, 0xc1bdceee, 0xf57c0faf, 0x4787c62a, 0xa8304613, 0xfd469501,
    0x698098d8, 0x8b44f7af, 0xffff5bb1, 0x895cd7be, 0x6b901122, 0xfd987193, 0xa679438e, 0x49b40821,
    0xf61e2562, 0xc040b340, 0x265e5a51, 0xe9b6c7aa, 0xd62f105d, 0x02441453, 0xd8a1e681, 0xe7d3fbc8,
    0x21e1cde6, 0xc33707d6, 0xf4d50d87, 0x455a14ed, 0xa9e3e905, 0xfcefa3f8, 0x676f02d9, 0x8d2a4c8a,
    0xfffa3942, 0x8771f681, 0x6d9d6122, 0xfde5380c, 0xa4beea44, 0x4bdecfa9, 0xf6bb4b60, 0xbebfbc70,
    0x289b7ec6, 0xeaa127fa, 0xd4ef3085, 0x04881d05, 0xd9d4d039, 0xe6db99e5, 0x1fa27cf8, 0xc4ac5665,
    0xf4292244, 0x432aff97, 0xab9423a7, 0xfc93a039, 0x655b59c3, 0x8f0ccc92, 0xffeff47d, 0x85845dd1,
    0x6fa87e4f, 0xfe2ce6e0, 0xa3014314, 0x4e0811a1, 0xf7537e82, 0xbd3af235, 0x2ad7d2bb, 0xeb86d391};
static const uint8_t MD5_ROTATIONS[16] = {7, 12, 17, 22, 5, 9, 14, 20, 4, 11, 16, 23, 6, 10, 15, 21};
static const uint32_t SHA1_CONSTANTS[4] = {0x5a827999, 0x6ed9eba1, 0x8f1bbcdc, 0xca62c1d6};
static const uint32_t SHA256_CONSTANTS[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

/* The word that step i reads (RFC 1321 section 3.4). */
INLINE int md5_word(int i) {
    return i < 16 ? i : i < 32 ? (5 * i + 1) & 15 : i < 48 ? (3 * i + 5) & 15 : (7 * i) & 15;
}

/* a + F(b, c, d) of RFC 1321 section 3.4 for step i; b is the newest word, so all that does not need it comes first. */
INLINE word md5_mix(int i, word a, word b, word c, word d) {
    if (i < 16) return a + CHOOSE(b, c, d);
    if (i < 32) {
#if defined(WIDTH) && WIDTH == 64
        return a + CHOOSE(d, b, c);                /* one three-operand instruction */
#else
        a += c & ~d;                               /* the two halves of CHOOSE have no bit in common */
        PIN(a);
        return a + (b & d);
#endif
    }
    if (i < 48) {
        word f = c ^ d;
#if !(defined(WIDTH) && WIDTH == 64)
        PIN(f);
#endif
        return a + (f ^ b);
    }
    return a + (c ^ (b | ~d));
}

INLINE void md5_rounds(word (*state)[8], word (*words)[16], int groups) {
    word v[4][4];
    FROM_MEMORY(constants, MD5_CONSTANTS);
    UNROLL(4) for (int g = 0; g < groups; g++) UNROLL(4) for (int x = 0; x < 4; x++) v[g][x] = state[g][x];
    UNROLL(64) for (int i = 0; i < 64; i++) {
        UNROLL(4) for (int g = 0; g < groups; g++) {
            word b = v[g][(65 - i) & 3], c = v[g][(66 - i) & 3], d = v[g][(67 - i) & 3];
            word a = v[g][(64 - i) & 3] + (words[g][md5_word(i)] + constants[i]);
            PIN(a);
            a = md5_mix(i, a, b, c, d);
            v[g][(64 - i) & 3] = ROTATE(a, MD5_ROTATIONS[i / 16 * 4 + i % 4]) + b;
        }
    }
    UNROLL(4) for (int g = 0; g < groups; g++) UNROLL(4) for (int x = 0; x < 4; x++) state[g][x] += v[g][x];
}

/* f(t; B, C, D) of FIPS 180-4 section 4.1.1. */
INLINE word sha1_mix(int i, word b, word c, word d) {
    return i < 20 ? CHOOSE(b, c, d) : i >= 40 && i < 60 ? MAJORITY(b, c, d) : b ^ c ^ d;
}

/* `words` in machine order; the message schedule overwrites them. */
INLINE void sha1_rounds(word *state, word *words) {
    word v[5];
    FROM_MEMORY(constants, SHA1_CONSTANTS);
    UNROLL(5) for (int x = 0; x < 5; x++) v[x] = state[x];
    UNROLL(80) for (int i = 0; i < 80; i++) {
        word *a = &v[(80 - i) % 5], *b = &v[(81 - i) % 5], c = v[(82 - i) % 5], d = v[(83 - i) % 5], *e = &v[(84 - i) % 5];
        word *w = &words[i & 15];
        if (i >= 16) *w = ROTATE(words[(i + 13) & 15] ^ words[(i + 8) & 15] ^ words[(i + 2) & 15] ^ *w, 1);
        word sum = *e + (*w + constants[i / 20]);
        PIN(sum);
        sum += sha1_mix(i, *b, c, d);
        PIN(sum);
        *e = sum + ROTATE(*a, 5);
        *b = ROTATE(*b, 30);
    }
    UNROLL(5) for (int x = 0; x < 5; x++) state[x] += v[x];
}

#define BIG_SIGMA(x, p, q, r) (ROTATE(x, p) ^ ROTATE(x, q) ^ ROTATE(x, r))
#define SMALL_SIGMA(x, p, q, r) (ROTATE(x, p) ^ ROTATE(x, q) ^ ((x) >> (r)))

/* `words` in machine order; the message schedule overwrites them. */
INLINE void sha256_rounds(word *state, word *words) {
    word v[8];
    FROM_MEMORY(constants, SHA256_CONSTANTS);
    UNROLL(8) for (int x = 0; x < 8; x++) v[x] = state[x];
    UNROLL(64) for (int i = 0; i < 64; i++) {
        word a = v[(64 - i) & 7], b = v[(65 - i) & 7], c = v[(66 - i) & 7], *d = &v[(67 - i) & 7];
        word e = v[(68 - i) & 7], f = v[(69 - i) & 7], g = v[(70 - i) & 7], *h = &v[(71 - i) & 7];
        word *w = &words[i & 15];
        if (i >= 16)
            *w += SMALL_SIGMA(words[(i + 1) & 15], 25, 14, 3) + words[(i + 9) & 15] +
                  SMALL_SIGMA(words[(i + 14) & 15], 15, 13, 10);
        word sum = *h + (*w + constants[i]) + CHOOSE(e, f, g) + BIG_SIGMA(e, 26, 21, 7);
        *d += sum;
        *h = sum + MAJORITY(a, b, c) + BIG_SIGMA(a, 30, 19, 10);
    }
    UNROLL(8) for (int x = 0; x < 8; x++) state[x] += v[x];
}
#endif
