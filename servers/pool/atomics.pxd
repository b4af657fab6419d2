from libc.stdint cimport uint64_t

cdef extern from "pool/atomics.h" nogil:
    uint64_t load_acquire(const uint64_t* word)
    void store_release(uint64_t* word, uint64_t value)
    bint swap_if(uint64_t* word, uint64_t old, uint64_t now)
    uint64_t fetch_add(uint64_t* word, uint64_t n)
    uint64_t fetch_or(uint64_t* word, uint64_t bits)
    uint64_t fetch_and(uint64_t* word, uint64_t bits)
    int lowest_bit(uint64_t word)          # of a word that is not 0
