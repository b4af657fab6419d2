/* What the files of the digest engine share: one job alone, and the lanes of each vector width. */
#ifndef MIPSTORM_ENGINE_H
#define MIPSTORM_ENGINE_H
#include "digest/padding.h"

static inline enum family family_of(uint32_t kind) {
    return kind == DIGEST_HMAC_SHA1 || kind == DIGEST_KEY_SHA1 || kind == DIGEST_SHA1 ? SHA1
         : kind == DIGEST_HMAC_SHA256 || kind == DIGEST_KEY_SHA256 ? SHA256 : MD5;
}

static inline enum form form_of(uint32_t kind) {
    return kind == DIGEST_MD5 || kind == DIGEST_SHA1 ? PLAIN : kind >= DIGEST_KEY_MD5 ? KEY : HMAC;
}

void digest_alone(const digest_job *job);

/* The raw key of a KEY job as one block (RFC 2104 section 2): zero-filled, hashed first when longer than a block. */
void digest_key_block(uint8_t *block, const digest_job *job);

/* Jobs of one kind, jobs[order[0]], jobs[order[1]], ...: longest first wastes least. */
typedef void digest_lanes(const digest_job *jobs, const uint16_t *order, uint32_t count, uint32_t kind);
digest_lanes digest_lanes_16, digest_lanes_32, digest_lanes_64;
#endif
