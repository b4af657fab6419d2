/* The journal: a record's layout, the ring between the worker and the writer thread, and what both see of each other.
 *
 * A file is a header page (image.py) and records one after another, each aligned to 8 octets, then zeros reserved ahead. */
#ifndef MIPSTORM_JOURNAL_H
#define MIPSTORM_JOURNAL_H
#include <pthread.h>
#include <stdint.h>

enum {
    JOURNAL_PAGE = 4096,             /* the file's header; the first record starts here */
    JOURNAL_PAYLOAD_MOST = 65536,    /* octets */
    JOURNAL_MAGIC = 0x314A504D,      /* "MPJ1": with the next layout of a record the digit changes */
};

typedef struct {
    uint32_t crc;                    /* CRC32C of all that follows, begun with the file's nonce: no record of another file fits */
    uint32_t length;                 /* octets of payload */
    uint64_t sequence;               /* goes on from file to file */
    uint64_t synced;                 /* file offset below which all was on disk when this was appended: tells a torn tail,
                                        whose later records may well be whole, from damage to what was durable */
    uint32_t magic;
    uint8_t type;
    uint8_t zero[3];
} journal_record;

typedef struct {
    /* the worker's */
    uint64_t appended;               /* ticket of the last record; the writer reads it */
    uint64_t sequence;               /* of the next record */
    uint64_t base;                   /* ticket at the first record of the current file */
    uint64_t room;                   /* octets of the ring, a power of two */
    uint8_t *ring;                   /* mapped twice in a row, so that nothing ever wraps */
    uint64_t refused, records;
    uint32_t nonce;
    int is_volatile;
    /* the writer's */
    uint64_t durable __attribute__((aligned(64)));
    uint64_t limit;                  /* ticket up to which the disk has room set aside */
    uint64_t zeroed;                 /* ticket up to which that room was written with zeros */
    uint64_t commits;
    int failed;                      /* errno of the write or sync that failed; final */
    int no_space;                    /* errno of the last attempt to set room aside, 0: well; tried again at every kick */
    int sleeping, stop;
    uint64_t chunk;                  /* octets to set aside at a time */
    int file, wake, done;            /* done: eventfd, readable when `durable` moved or `failed` is set */
    int started;
    pthread_t thread;
    pthread_mutex_t at_work;         /* held by the writer during a group, by whoever changes the file */
} journal;

/* Called at the steps of every commit, from the writer thread; what it returns is the errno that the step fails with. */
enum { JOURNAL_WRITING, JOURNAL_WRITTEN, JOURNAL_SYNCED };
extern int (*journal_step)(int step);

uint32_t journal_crc32c(uint32_t crc, const void *octets, uint64_t n);
journal *journal_open(uint64_t room, uint64_t chunk);           /* NULL: errno. Volatile until it gets a file */
int journal_drain(journal *j);                                  /* waits for the disk; 0, or the errno it failed with */
int journal_use(journal *j, int file, uint32_t nonce, uint64_t sequence, uint64_t reserved);  /* 0, or an errno */
uint64_t journal_put(journal *j, const void *payload, uint32_t n, uint8_t type);
void journal_wake(journal *j);
void journal_stop(journal *j);                                  /* writes what was appended, ends the thread */
void journal_shut(journal *j);                                  /* the same, and frees all */

static inline uint64_t journal_padded(uint64_t n) { return (n + 7) & ~(uint64_t)7; }

/* Octets of the record at `at` if it is whole and unchanged, else 0. */
static inline uint64_t journal_record_octets(const uint8_t *at, uint64_t left, uint32_t nonce) {
    const journal_record *r = (const journal_record *)at;
    if (left < sizeof *r || r->magic != JOURNAL_MAGIC || r->length > JOURNAL_PAYLOAD_MOST) return 0;
    uint64_t octets = sizeof *r + journal_padded(r->length);
    if (octets > left || r->crc != journal_crc32c(nonce, at + 4, octets - 4)) return 0;
    return octets;
}
#endif
