/* The digest engine's C face: prepared keys, jobs, one call that runs a queue over many lanes at once. */
#ifndef MIPSTORM_DIGEST_H
#define MIPSTORM_DIGEST_H
#include <stdint.h>

enum digest_kind {
    DIGEST_MD5,           /* out: 16 octets = MD5(message || tail)                          RFC 1321 */
    DIGEST_HMAC_MD5,      /* out: 16 octets, key prepared by DIGEST_KEY_MD5                 RFC 2104 */
    DIGEST_HMAC_SHA1,     /* out: 20 octets, key prepared by DIGEST_KEY_SHA1                RFC 2104 */
    DIGEST_HMAC_SHA256,   /* out: 32 octets, key prepared by DIGEST_KEY_SHA256              RFC 2104 */
    DIGEST_KEY_MD5,       /* out: a struct digest_key; message || tail is the raw key       RFC 2104 */
    DIGEST_KEY_SHA1,
    DIGEST_KEY_SHA256,
    DIGEST_SHA1,          /* out: 20 octets = SHA1(message || tail)                         FIPS 180-4 6.1 */
    DIGEST_KINDS
};

typedef struct { uint32_t inner[8], outer[8]; } digest_key;   /* states after the padded key's block */

typedef struct {
    const uint8_t *message;   /* most of the octets */
    const uint8_t *tail;      /* a second piece behind them, e.g. the shared secret; may be NULL when tail_length is 0 */
    const digest_key *key;    /* HMAC only */
    uint8_t *out;
    uint32_t length, tail_length;
    uint32_t kind;            /* enum digest_kind */
} digest_job;

typedef struct { digest_job *jobs; uint32_t count, room; } digest_queue;

void digest_run(digest_queue *queue);     /* does every job, empties the queue. No job may read what another one writes, but
                                             for a KEY job that stands before the jobs that use its key. */
int digest_equal(const void *a, const void *b, uint32_t length);   /* in constant time */

/* Lanes: 16, 32 or 64 octets a vector, or 1 for one message at a time. The widest is chosen by itself. */
uint32_t digest_widest(void);
uint32_t digest_width(void);
int digest_use_width(uint32_t octets_a_vector);   /* -1 when this machine has no such vectors; not while a queue runs */
#endif
