/* Many digests at once, one a lane: included once a vector width, with WIDTH (octets a vector), LANES_NAME and SIDE_BY_SIDE
 * (groups of lanes whose MD5 steps are interleaved) defined, under the machine's target.
 *
 *   up to LANES * SIDE_BY_SIDE jobs, longest first
 *     start    last blocks composed in the lane's room, states from the start values or from the keys
 *     a block at a time: load (sixteen words of each lane, transposed) -> rounds -> finished lanes keep their state
 *     HMAC     one more block over the inner digests, which already lie in lane order
 *     store    states transposed back, a digest a lane
 */
#include "digest/engine.h"
#define LANES (WIDTH / 4)
typedef uint32_t word __attribute__((vector_size(WIDTH)));
typedef uint32_t quarter __attribute__((vector_size(16)));
typedef uint32_t half __attribute__((vector_size(32)));
typedef uint64_t pairs __attribute__((vector_size(WIDTH)));
#include "digest/rounds.h"

enum { MOST = LANES * SIDE_BY_SIDE };

struct lanes {
    word state[SIDE_BY_SIDE][8], outer[SIDE_BY_SIDE][8], words[SIDE_BY_SIDE][16];
    word blocks[SIDE_BY_SIDE];                     /* how many each lane has */
    uint32_t most[SIDE_BY_SIDE], least[SIDE_BY_SIDE];   /* blocks in a group's longest and shortest lane */
    uint32_t straight[SIDE_BY_SIDE], composed[SIDE_BY_SIDE];   /* before `straight` all its lanes read their message itself,
                                                                  from `composed` on their room */
    uint32_t groups;
    const digest_job *job[MOST];
    const uint8_t *message[MOST];
    const uint8_t *last[MOST];                     /* the lane's room, less the blocks before it */
    uint32_t full[MOST];
    uint8_t room[MOST * LANE_ROOM + BLOCK] __attribute__((aligned(64)));
};

/* ---- transposition; shuffles have the machine's width, wider ones would be lowered element by element ---- */
INLINE quarter load_quarter(const uint8_t *at) { quarter q; memcpy(&q, at, 16); return q; }

/* Sixteen octets of every fourth lane make one vector: the load ports do half of the transposition. */
#if WIDTH == 64
#define WORDS(a, b, c, d) a, b, c, d, a + 4, b + 4, c + 4, d + 4, a + 8, b + 8, c + 8, d + 8, a + 12, b + 12, c + 12, d + 12
#define PAIRS(a, b) a, b, a + 2, b + 2, a + 4, b + 4, a + 6, b + 6
INLINE half load_half(const uint8_t *low, const uint8_t *high) {
    return __builtin_shufflevector(load_quarter(low), load_quarter(high), 0, 1, 2, 3, 4, 5, 6, 7);
}
INLINE word load_fourths(const uint8_t *const *lane, uint64_t offset) {
    return __builtin_shufflevector(load_half(lane[0] + offset, lane[4] + offset), load_half(lane[8] + offset, lane[12] + offset),
                                   0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
}
#elif WIDTH == 32
#define WORDS(a, b, c, d) a, b, c, d, a + 4, b + 4, c + 4, d + 4
#define PAIRS(a, b) a, b, a + 2, b + 2
INLINE word load_fourths(const uint8_t *const *lane, uint64_t offset) {
    return __builtin_shufflevector(load_quarter(lane[0] + offset), load_quarter(lane[4] + offset), 0, 1, 2, 3, 4, 5, 6, 7);
}
#else
#define WORDS(a, b, c, d) a, b, c, d
#define PAIRS(a, b) a, b
INLINE word load_fourths(const uint8_t *const *lane, uint64_t offset) { return load_quarter(lane[0] + offset); }
#endif

#define LOW_WORDS(a, b) ((pairs) __builtin_shufflevector(a, b, WORDS(0, LANES, 1, LANES + 1)))
#define HIGH_WORDS(a, b) ((pairs) __builtin_shufflevector(a, b, WORDS(2, LANES + 2, 3, LANES + 3)))
#define LOW_PAIRS(a, b) ((word) __builtin_shufflevector(a, b, PAIRS(0, LANES / 2)))
#define HIGH_PAIRS(a, b) ((word) __builtin_shufflevector(a, b, PAIRS(1, LANES / 2 + 1)))

/* Four rows of four words in each sixteen octets become four columns; its own inverse. */
INLINE void transpose(word *to, word a, word b, word c, word d) {
    pairs ab = LOW_WORDS(a, b), cd = LOW_WORDS(c, d), ab_high = HIGH_WORDS(a, b), cd_high = HIGH_WORDS(c, d);
    to[0] = LOW_PAIRS(ab, cd);
    to[1] = HIGH_PAIRS(ab, cd);
    to[2] = LOW_PAIRS(ab_high, cd_high);
    to[3] = HIGH_PAIRS(ab_high, cd_high);
}

/* Four words of each lane, from `offset` on. */
INLINE void load_words(word *to, const uint8_t *const *lane, uint64_t offset) {
    transpose(to, load_fourths(lane, offset), load_fourths(lane + 1, offset), load_fourths(lane + 2, offset), load_fourths(lane + 3, offset));
}

/* Sixteen octets of each lane, to where `octets_of` it points. */
INLINE void store_words(uint8_t *const *lane, uint32_t offset, uint32_t length, const word *from) {
    word rows[4];
    transpose(rows, from[0], from[1], from[2], from[3]);
    UNROLL(16) for (int i = 0; i < LANES; i++) memcpy(lane[i] + offset, (const uint8_t *) &rows[i & 3] + 16 * (i >> 2), length);
}

INLINE void swap_octets(word *words, int count) {
    UNROLL(16) for (int i = 0; i < count; i++)
        words[i] = (ROTATE(words[i], 8) & 0x00ff00ff) | (ROTATE(words[i], 24) & 0xff00ff00);
}

/* ---- rounds over the groups that still have blocks ---- */
static __attribute__((noinline)) void md5_1(word (*state)[8], word (*words)[16]) { md5_rounds(state, words, 1); }
static __attribute__((noinline)) void md5_2(word (*state)[8], word (*words)[16]) { md5_rounds(state, words, 2); }
#if SIDE_BY_SIDE == 4
static __attribute__((noinline)) void md5_3(word (*state)[8], word (*words)[16]) { md5_rounds(state, words, 3); }
static __attribute__((noinline)) void md5_4(word (*state)[8], word (*words)[16]) { md5_rounds(state, words, 4); }
#endif
static __attribute__((noinline)) void sha1_1(word *state, word *words) { sha1_rounds(state, words); }
static __attribute__((noinline)) void sha256_1(word *state, word *words) { sha256_rounds(state, words); }

INLINE void rounds(enum family family, word (*state)[8], word (*words)[16], uint32_t groups) {
    if (family == MD5) {
        switch (groups) {
        case 1: md5_1(state, words); break;
        case 2: md5_2(state, words); break;
#if SIDE_BY_SIDE == 4
        case 3: md5_3(state, words); break;
        case 4: md5_4(state, words); break;
#endif
        }
    } else {
        for (uint32_t g = 0; g < groups; g++) family == SHA1 ? sha1_1(state[g], words[g]) : sha256_1(state[g], words[g]);
    }
}

INLINE int state_words(enum family family) { return family == MD5 ? 4 : family == SHA1 ? 5 : 8; }

/* ---- start ---- */
INLINE uint8_t *room_of(struct lanes *l, uint32_t lane) { return l->room + BLOCK + lane * LANE_ROOM; }

INLINE void place_messages(struct lanes *l, uint32_t g, enum family family, enum form form) {
    uint32_t most = 0, least = UINT32_MAX, straight = UINT32_MAX, composed = 0;
    for (uint32_t i = 0; i < LANES; i++) {
        uint32_t lane = g * LANES + i;
        const digest_job *job = l->job[lane];
        uint32_t full = job->length / BLOCK, blocks = padded_blocks(octets(job));
        l->message[lane] = job->message;
        l->last[lane] = room_of(l, lane) - (uint64_t) BLOCK * full;
        l->full[lane] = full;
        ((uint32_t *) &l->blocks[g])[i] = blocks;
        most = blocks > most ? blocks : most;
        least = blocks < least ? blocks : least;
        straight = full < straight ? full : straight;
        composed = full > composed ? full : composed;
        put_last_blocks(room_of(l, lane), job, octets(job) + (form == HMAC ? BLOCK : 0), family != MD5);
    }
    l->most[g] = most;
    l->least[g] = least;
    l->straight[g] = straight;
    l->composed[g] = composed;
}

INLINE void place_keys(struct lanes *l, uint32_t g) {
    for (uint32_t i = g * LANES; i < (g + 1) * LANES; i++) {
        digest_key_block(room_of(l, i), l->job[i]);
        l->message[i] = room_of(l, i);
    }
}

/* Lanes without a job repeat the last one: they cost nothing that the whole vector does not cost anyway. */
INLINE void place_jobs(struct lanes *l, const digest_job *jobs, const uint16_t *order, uint32_t count, enum family family, enum form form) {
    l->groups = (count + LANES - 1) / LANES;
    for (uint32_t i = 0; i < count; i++) l->job[i] = &jobs[order[i]];
    for (uint32_t i = count; i < l->groups * LANES; i++) l->job[i] = &jobs[order[count - 1]];
    for (uint32_t g = 0; g < l->groups; g++) {
        if (form == KEY) place_keys(l, g);
        else place_messages(l, g, family, form);
    }
}

INLINE void start_states(struct lanes *l, enum family family) {
    static const uint32_t *const STARTS[] = {[MD5] = MD5_START, [SHA1] = SHA1_START, [SHA256] = SHA256_START};
    for (uint32_t g = 0; g < l->groups; g++)
        UNROLL(8) for (int x = 0; x < 8; x++) l->state[g][x] = (word) {0} + STARTS[family][x];
}

INLINE void start_from_keys(struct lanes *l, enum family family) {
    for (uint32_t g = 0; g < l->groups; g++) {
        const uint8_t *key[LANES];
        for (int i = 0; i < LANES; i++) key[i] = (const uint8_t *) l->job[g * LANES + i]->key;
        load_words(l->state[g], key, offsetof(digest_key, inner));
        load_words(l->outer[g], key, offsetof(digest_key, outer));
        if (family == MD5) continue;
        load_words(l->state[g] + 4, key, offsetof(digest_key, inner) + 16);
        load_words(l->outer[g] + 4, key, offsetof(digest_key, outer) + 16);
    }
}

/* ---- blocks ---- */
INLINE void load_block(word *words, const uint8_t *const *lane, uint64_t offset, enum family family) {
    UNROLL(4) for (int c = 0; c < 4; c++) load_words(words + 4 * c, lane, offset + 16 * c);
    if (family != MD5) swap_octets(words, 16);
}

/* Some lanes of the group are in their room, some past their end: those read their last block again. */
INLINE void load_mixed_block(struct lanes *l, uint32_t g, uint32_t k, enum family family) {
    const uint8_t *lane[LANES];
    for (uint32_t i = 0; i < LANES; i++) {
        uint32_t x = g * LANES + i, blocks = ((uint32_t *) &l->blocks[g])[i], at = k < blocks ? k : blocks - 1;
        lane[i] = (at < l->full[x] ? l->message[x] : l->last[x]) + (uint64_t) BLOCK * at;
    }
    load_block(l->words[g], lane, 0, family);
}

INLINE void load_next_block(struct lanes *l, uint32_t g, uint32_t k, enum family family) {
    if (k < l->straight[g]) load_block(l->words[g], &l->message[g * LANES], (uint64_t) BLOCK * k, family);
    else if (k >= l->composed[g] && k < l->least[g]) load_block(l->words[g], &l->last[g * LANES], (uint64_t) BLOCK * k, family);
    else load_mixed_block(l, g, k, family);
}

/* Groups are sorted, so those that are done are the last ones; finished lanes of the others get their state back. */
INLINE void hash_blocks(struct lanes *l, enum family family) {
    const int size = state_words(family);
    uint32_t live = l->groups;
    for (uint32_t k = 0;; k++) {
        word kept[SIDE_BY_SIDE][8];
        while (live && l->most[live - 1] <= k) live--;
        if (!live) return;
        for (uint32_t g = 0; g < live; g++) {
            load_next_block(l, g, k, family);
            if (k >= l->least[g]) UNROLL(8) for (int x = 0; x < size; x++) kept[g][x] = l->state[g][x];
        }
        rounds(family, l->state, l->words, live);
        for (uint32_t g = 0; g < live; g++) {
            if (k < l->least[g]) continue;
            word runs = (word) (l->blocks[g] > k);
            UNROLL(8) for (int x = 0; x < size; x++) l->state[g][x] = (l->state[g][x] & runs) | (kept[g][x] & ~runs);
        }
    }
}

/* RFC 2104 section 2, the outer hash: its one block is the inner digest and its padding. */
INLINE void hash_outer(struct lanes *l, enum family family) {
    const int size = state_words(family);
    for (uint32_t g = 0; g < l->groups; g++) {
        UNROLL(16) for (int x = 0; x < 16; x++) l->words[g][x] = x < size ? l->state[g][x & 7] : (word) {0};
        l->words[g][size] += family == MD5 ? 0x80u : 0x80000000u;
        l->words[g][family == MD5 ? 14 : 15] += 8 * (BLOCK + 4 * size);
        memcpy(l->state[g], l->outer[g], sizeof l->state[g]);
    }
    rounds(family, l->state, l->words, l->groups);
}

/* ---- store ---- */
INLINE void store_digests(struct lanes *l, enum family family) {
    for (uint32_t g = 0; g < l->groups; g++) {
        uint8_t *out[LANES];
        for (int i = 0; i < LANES; i++) out[i] = l->job[g * LANES + i]->out;
        if (family != MD5) swap_octets(l->state[g], 8);
        store_words(out, 0, 16, l->state[g]);
        if (family != MD5) store_words(out, 16, family == SHA1 ? 4 : 16, l->state[g] + 4);
    }
}

/* The states after the key's block XOR 0x36.. or 0x5c.. (RFC 2104 section 2), into a digest_key at `offset`. */
INLINE void prepare_states(struct lanes *l, enum family family, uint32_t pad, uint32_t offset) {
    start_states(l, family);
    for (uint32_t g = 0; g < l->groups; g++) {
        load_block(l->words[g], &l->message[g * LANES], 0, family);
        UNROLL(16) for (int x = 0; x < 16; x++) l->words[g][x] ^= pad;
    }
    rounds(family, l->state, l->words, l->groups);
    for (uint32_t g = 0; g < l->groups; g++) {
        uint8_t *out[LANES];
        for (int i = 0; i < LANES; i++) out[i] = l->job[g * LANES + i]->out;
        store_words(out, offset, 16, l->state[g]);
        store_words(out, offset + 16, 16, l->state[g] + 4);
    }
}

INLINE void run_lanes(const digest_job *jobs, const uint16_t *order, uint32_t count, enum family family, enum form form) {
    struct lanes l;
    for (uint32_t part; count; order += part, count -= part) {
        part = count < MOST ? count : MOST;
        place_jobs(&l, jobs, order, part, family, form);
        if (form == KEY) {
            prepare_states(&l, family, 0x36363636, offsetof(digest_key, inner));
            prepare_states(&l, family, 0x5c5c5c5c, offsetof(digest_key, outer));
            continue;
        }
        if (form == HMAC) start_from_keys(&l, family);
        else start_states(&l, family);
        hash_blocks(&l, family);
        if (form == HMAC) hash_outer(&l, family);
        store_digests(&l, family);
    }
}

#define KIND(kind, family, form) case kind: run_lanes(jobs, order, count, family, form); break;
void LANES_NAME(const digest_job *jobs, const uint16_t *order, uint32_t count, uint32_t kind) {
    switch (kind) {
    KIND(DIGEST_MD5, MD5, PLAIN)
    KIND(DIGEST_HMAC_MD5, MD5, HMAC)
    KIND(DIGEST_HMAC_SHA1, SHA1, HMAC)
    KIND(DIGEST_HMAC_SHA256, SHA256, HMAC)
    KIND(DIGEST_SHA1, SHA1, PLAIN)
    KIND(DIGEST_KEY_MD5, MD5, KEY)
    KIND(DIGEST_KEY_SHA1, SHA1, KEY)
    KIND(DIGEST_KEY_SHA256, SHA256, KEY)
    }
}
