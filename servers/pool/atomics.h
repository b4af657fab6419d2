/* Plain words shared between threads or processes, touched only through these. */
#ifndef MIPSTORM_ATOMICS_H
#define MIPSTORM_ATOMICS_H
#include <stdint.h>

static inline uint64_t load_acquire(const uint64_t *word) { return __atomic_load_n(word, __ATOMIC_ACQUIRE); }
static inline void store_release(uint64_t *word, uint64_t value) { __atomic_store_n(word, value, __ATOMIC_RELEASE); }
static inline int swap_if(uint64_t *word, uint64_t old, uint64_t now) {
    return __atomic_compare_exchange_n(word, &old, now, 0, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED);
}
static inline uint64_t fetch_add(uint64_t *word, uint64_t n) { return __atomic_fetch_add(word, n, __ATOMIC_SEQ_CST); }
static inline uint64_t fetch_or(uint64_t *word, uint64_t bits) { return __atomic_fetch_or(word, bits, __ATOMIC_ACQ_REL); }
static inline uint64_t fetch_and(uint64_t *word, uint64_t bits) { return __atomic_fetch_and(word, bits, __ATOMIC_ACQ_REL); }
static inline int lowest_bit(uint64_t word) { return __builtin_ctzll(word); } /* of a word that is not 0 */
#endif
