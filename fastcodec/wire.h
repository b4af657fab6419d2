/* Unaligned network-order access, constant-time comparison, a multiply-mix hash. */
#ifndef MIPSTORM_WIRE_H
#define MIPSTORM_WIRE_H
#include <endian.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

static inline uint16_t get16(const void *p) { uint16_t v; memcpy(&v, p, 2); return be16toh(v); }
static inline uint32_t get32(const void *p) { uint32_t v; memcpy(&v, p, 4); return be32toh(v); }
static inline uint64_t get64(const void *p) { uint64_t v; memcpy(&v, p, 8); return be64toh(v); }
static inline void put16(void *p, uint16_t v) { v = htobe16(v); memcpy(p, &v, 2); }
static inline void put32(void *p, uint32_t v) { v = htobe32(v); memcpy(p, &v, 4); }
static inline void put64(void *p, uint64_t v) { v = htobe64(v); memcpy(p, &v, 8); }

/* Looks at every octet whatever it finds, eight at a time, so that timing tells nothing about where two authenticators differ;
 * the empty instruction keeps the compiler from leaving early. */
static inline int same(const void *a, const void *b, size_t n) {
    const uint8_t *p = a, *q = b;
    uint64_t differ = 0, x, y;
    for (; n >= 8; n -= 8, p += 8, q += 8) {
        memcpy(&x, p, 8);
        memcpy(&y, q, 8);
        differ |= x ^ y;
        __asm__ volatile("" : "+r"(differ));
    }
    for (; n; n--) {
        differ |= *p++ ^ *q++;
        __asm__ volatile("" : "+r"(differ));
    }
    return differ == 0;
}

static inline uint64_t mix_words(uint64_t a, uint64_t b) {
    unsigned __int128 m = (unsigned __int128) a * b;
    return (uint64_t) m ^ (uint64_t) (m >> 64);
}

static inline uint64_t mix_octets(const void *data, size_t n) {
    const uint8_t *p = data;
    uint64_t h = 0x9e3779b97f4a7c15ull ^ n, a, b = 0;
    for (; n >= 16; n -= 16, p += 16) {
        memcpy(&a, p, 8);
        memcpy(&b, p + 8, 8);
        h = mix_words(a ^ 0xd6e8feb86659fd93ull, b ^ h);
    }
    a = b = 0;
    if (n >= 8) { memcpy(&a, p, 8); memcpy(&b, p + n - 8, 8); }
    else if (n >= 4) { uint32_t x, y; memcpy(&x, p, 4); memcpy(&y, p + n - 4, 4); a = x; b = y; }
    else if (n) { a = (uint64_t) p[0] << 16 | (uint64_t) p[n / 2] << 8 | p[n - 1]; }
    h = mix_words(mix_words(a ^ 0xa0761d6478bd642full, b ^ h), 0xe7037ed1a0b428dbull);
    return h ? h : 1;
}

static inline void prefetch(const void *p) { __builtin_prefetch(p); }
#endif
