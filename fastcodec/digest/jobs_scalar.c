/* One digest at a time, any lengths: for queues too short to fill lanes, and for tails too long for a lane's room. */
#include "digest/engine.h"
typedef uint32_t word;
#include "digest/rounds.h"

static const uint32_t *const STARTS[] = {[MD5] = MD5_START, [SHA1] = SHA1_START, [SHA256] = SHA256_START};
static const uint8_t WORDS[] = {[MD5] = 4, [SHA1] = 5, [SHA256] = 8};

static __attribute__((noinline)) void md5_one(uint32_t (*state)[8], uint32_t (*words)[16]) { md5_rounds(state, words, 1); }
static __attribute__((noinline)) void sha1_one(uint32_t *state, uint32_t *words) { sha1_rounds(state, words); }
static __attribute__((noinline)) void sha256_one(uint32_t *state, uint32_t *words) { sha256_rounds(state, words); }

static void rounds(enum family family, uint32_t *state, uint32_t *words) {
    if (family == MD5) md5_one((uint32_t (*)[8]) state, (uint32_t (*)[16]) words);
    else if (family == SHA1) sha1_one(state, words);
    else sha256_one(state, words);
}

static void swap_words(uint32_t *words, int count) {
    for (int i = 0; i < count; i++) words[i] = __builtin_bswap32(words[i]);
}

static void absorb(enum family family, uint32_t *state, const uint8_t *blocks, uint64_t count) {
    uint32_t words[16];
    for (; count; count--, blocks += BLOCK) {
        memcpy(words, blocks, BLOCK);
        if (family != MD5) swap_words(words, 16);
        rounds(family, state, words);
    }
}

static void put_digest(enum family family, uint8_t *out, uint32_t *state) {
    if (family != MD5) swap_words(state, 8);
    memcpy(out, state, 4 * WORDS[family]);
}

/* Hashes message || tail on top of `state`, which already stands for `before` octets. */
static void hash(enum family family, uint32_t *state, const digest_job *job, uint64_t before) {
    uint8_t room[BLOCK + LAST_MOST + BLOCK], *last = room + BLOCK;
    uint64_t total = before + octets(job), full = job->length / BLOCK;
    digest_job remainder;
    absorb(family, state, job->message, full);
    if (job->tail_length > TAIL_MOST) {            /* fill up one block, then the tail is the message */
        uint32_t rest = job->length % BLOCK, taken = BLOCK - rest;
        copy_short(last, job->message + BLOCK * full, rest);
        memcpy(last + rest, job->tail, taken);
        absorb(family, state, last, 1);
        remainder = (digest_job) {.message = job->tail + taken, .length = job->tail_length - taken};
        job = &remainder;
        full = job->length / BLOCK;
        absorb(family, state, job->message, full);
    }
    put_last_blocks(last, job, total, family != MD5);
    absorb(family, state, last, padded_blocks(octets(job)) - full);
}

static void plain(enum family family, const digest_job *job, uint8_t *out) {
    uint32_t state[8];
    memcpy(state, STARTS[family], sizeof state);
    hash(family, state, job, 0);
    put_digest(family, out, state);
}

/* RFC 2104 section 2: H(outer key || H(inner key || message)), both keys' blocks already in the states. */
static void hmac(enum family family, const digest_job *job) {
    uint32_t state[8], words[16] = {0}, size = WORDS[family];
    memcpy(state, job->key->inner, sizeof state);
    hash(family, state, job, BLOCK);
    memcpy(words, state, 4 * size);
    words[size] = family == MD5 ? 0x80 : 0x80000000;
    words[family == MD5 ? 14 : 15] = 8 * (BLOCK + 4 * size);
    memcpy(state, job->key->outer, sizeof state);
    rounds(family, state, words);
    put_digest(family, job->out, state);
}

void digest_key_block(uint8_t *block, const digest_job *job) {
    memset(block, 0, BLOCK);
    if (octets(job) > BLOCK) {
        plain(family_of(job->kind), job, block);
    } else {
        copy_piece(block, job->message, job->length);
        copy_piece(block + job->length, job->tail, job->tail_length);
    }
}

static void prepare(enum family family, const digest_job *job) {
    uint8_t block[BLOCK], padded[BLOCK];
    digest_key key;
    digest_key_block(block, job);
    for (int outer = 0; outer <= 1; outer++) {
        uint32_t *state = outer ? key.outer : key.inner;
        memcpy(state, STARTS[family], sizeof key.inner);
        for (int i = 0; i < BLOCK; i++) padded[i] = block[i] ^ (outer ? 0x5c : 0x36);
        absorb(family, state, padded, 1);
    }
    memcpy(job->out, &key, sizeof key);
}

void digest_alone(const digest_job *job) {
    enum family family = family_of(job->kind);
    switch (form_of(job->kind)) {
    case PLAIN: plain(family, job, job->out); break;
    case HMAC: hmac(family, job); break;
    case KEY: prepare(family, job); break;
    }
}
