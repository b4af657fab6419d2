/* The queue: jobs of a kind together, longest first, through the widest lanes that this machine has. */
#include "digest/engine.h"

/* A counting sort by blocks, and within them by whether the message's own blocks end one before the last or earlier (so
 * that a group's lanes leave their messages together): exact up to 31 blocks, then in steps of a quarter of the power of
 * two below. */
enum { CHUNK = 1024, EXACT = 32, STEPS = 4, CLASSES = 2 * EXACT + (28 - 5) * STEPS, FEWEST_IN_LANES = 4 };

static uint32_t width;                             /* octets a vector; 1: no lanes; 0: not chosen yet */

uint32_t digest_widest(void) {
#if defined(__x86_64__)
    __builtin_cpu_init();
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw")) return 64;
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi2")) return 32;
#endif
    return 16;
}

uint32_t digest_width(void) {
    return width;
}

int digest_use_width(uint32_t octets_a_vector) {
    int known = octets_a_vector == 1 || octets_a_vector == 16 || octets_a_vector == 32 || octets_a_vector == 64;
    if (!known || octets_a_vector > digest_widest()) return -1;
    width = octets_a_vector;
    return 0;
}

static digest_lanes *lanes(void) {
    if (!width) width = digest_widest();
#if defined(__x86_64__)
    if (width == 64) return digest_lanes_64;
    if (width == 32) return digest_lanes_32;
#endif
    return width == 16 ? digest_lanes_16 : NULL;
}

/* The longest jobs have the lowest class. */
static inline uint32_t class_of(const digest_job *job) {
    uint64_t blocks = padded_blocks(octets(job));
    if (blocks < EXACT) return CLASSES - 1 - (2 * blocks + (job->length / BLOCK + 1 == blocks));
    int power = 63 - __builtin_clzll(blocks);
    return CLASSES - 1 - (2 * EXACT + (power - 5) * STEPS + (blocks >> (power - 2)) % STEPS);
}

/* A stable counting sort of `members` by their classes, all between `longest` and `shortest`; start[class + 1] counts. */
static void sort_members(uint16_t *order, const uint16_t *members, const uint8_t *classes, uint32_t count,
                         uint16_t *start, uint32_t longest, uint32_t shortest) {
    for (uint32_t c = longest; c < shortest; c++) start[c + 1] += start[c];
    for (uint32_t i = 0; i < count; i++) order[start[classes[i]]++] = members[i];
}

/* Does the jobs whose tail is too long for a lane's room, and gives how many are left at the start of `order`. */
static uint32_t run_long_tails(const digest_job *jobs, uint16_t *order, uint32_t count) {
    uint32_t kept = 0;
    for (uint32_t i = 0; i < count; i++) {
        if (jobs[order[i]].tail_length > TAIL_MOST) digest_alone(&jobs[order[i]]);
        else order[kept++] = order[i];
    }
    return kept;
}

/* Puts the jobs of one kind into lanes. Keys are fetched ahead: one of a million is in no cache. */
static void run_kind(const digest_job *jobs, uint16_t *members, uint32_t count, uint32_t kind, digest_lanes *run) {
    uint16_t order[CHUNK], start[CLASSES + 1] = {0}, *sorted = members;
    uint8_t classes[CHUNK];
    uint32_t longest = CLASSES, shortest = 0, tail = 0;
    for (uint32_t i = 0; i < count; i++) {
        const digest_job *job = &jobs[members[i]];
        uint32_t class = classes[i] = class_of(job);
        start[class + 1]++;
        __builtin_prefetch(job->key);
        if (class < longest) longest = class;
        if (class > shortest) shortest = class;
        if (job->tail_length > tail) tail = job->tail_length;
    }
    if (longest < shortest) sort_members(sorted = order, members, classes, count, start, longest, shortest);
    if (tail > TAIL_MOST) count = run_long_tails(jobs, sorted, count);
    run(jobs, sorted, count, kind);
}

/* Keys come first: a queue may hold a key's preparation and, behind it, the jobs that use it. */
static const uint8_t TURNS[DIGEST_KINDS] = {DIGEST_KEY_MD5, DIGEST_KEY_SHA1, DIGEST_KEY_SHA256, DIGEST_MD5, DIGEST_SHA1,
                                            DIGEST_HMAC_MD5, DIGEST_HMAC_SHA1, DIGEST_HMAC_SHA256};

static void run_members(const digest_job *jobs, uint16_t *members, uint32_t count, uint32_t kind, digest_lanes *run) {
    if (run && count >= FEWEST_IN_LANES) run_kind(jobs, members, count, kind, run);
    else for (uint32_t i = 0; i < count; i++) digest_alone(&jobs[members[i]]);
}

static void run_mixed(const digest_job *jobs, uint32_t count, digest_lanes *run) {
    uint16_t members[CHUNK], found[DIGEST_KINDS] = {0}, end[DIGEST_KINDS];
    for (uint32_t i = 0; i < count; i++) found[jobs[i].kind]++;
    for (uint32_t turn = 0, before = 0; turn < DIGEST_KINDS; before += found[TURNS[turn++]]) end[TURNS[turn]] = before;
    for (uint32_t i = 0; i < count; i++) members[end[jobs[i].kind]++] = i;
    for (uint32_t turn = 0, before = 0; turn < DIGEST_KINDS; before += found[TURNS[turn++]])
        run_members(jobs, members + before, found[TURNS[turn]], TURNS[turn], run);
}

/* Most queues hold one kind: nothing to count then. */
static void run_chunk(const digest_job *jobs, uint32_t count, digest_lanes *run) {
    uint16_t members[CHUNK];
    uint32_t kind = jobs[0].kind, others = 0;
    for (uint32_t i = 0; i < count; i++) others |= jobs[i].kind ^ kind;
    if (others) {
        run_mixed(jobs, count, run);
        return;
    }
    for (uint32_t i = 0; i < count; i++) members[i] = i;
    run_members(jobs, members, count, kind, run);
}

void digest_run(digest_queue *queue) {
    digest_lanes *run = lanes();
    for (uint32_t done = 0, part; done < queue->count; done += part) {
        part = queue->count - done < CHUNK ? queue->count - done : CHUNK;
        run_chunk(queue->jobs + done, part, run);
    }
    queue->count = 0;
}

int digest_equal(const void *a, const void *b, uint32_t length) {
    const volatile uint8_t *x = a, *y = b;
    uint8_t different = 0;
    for (uint32_t i = 0; i < length; i++) different |= x[i] ^ y[i];
    return different == 0;
}
