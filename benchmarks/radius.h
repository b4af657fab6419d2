/* As much RADIUS as the reference programs need (RFC 2865, RFC 3579 section 3.2): attributes written one after another,
 * Message-Authenticator first, Request and Response Authenticator. */
#ifndef BENCH_RADIUS_H
#define BENCH_RADIUS_H
#include "md5.h"
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>

enum { ACCESS_REQUEST = 1, ACCESS_ACCEPT = 2, ACCESS_REJECT = 3, HEADER = 20, MOST_SECRET = 128, VENDOR = 32473 };
enum { USER_NAME = 1, CHAP_PASSWORD = 3, NAS_IP_ADDRESS = 4, SERVICE_TYPE = 6, FRAMED_IP_ADDRESS = 8, CLASS = 25,
       VENDOR_SPECIFIC = 26, SESSION_TIMEOUT = 27, NAS_IDENTIFIER = 32, CHAP_CHALLENGE = 60, NAS_PORT_TYPE = 61,
       MESSAGE_AUTHENTICATOR = 80 };
enum { REQUESTER_ROLE = 1, FHA_IP_ADDRESS = 2, COA_TYPE = 6 };          /* sub-attributes of the vendor */

typedef struct { uint8_t octets[MOST_SECRET]; size_t n; HmacKey key; } Secret;

/* The secret is the first line of a file, without its end. */
static inline Secret secret_read(const char *path) {
    Secret s = {0};
    FILE *f = fopen(path, "r");
    if (!f || !fgets((char *)s.octets, sizeof s.octets, f)) { fprintf(stderr, "%s: no secret there\n", path); exit(2); }
    fclose(f);
    s.n = strcspn((char *)s.octets, "\r\n");
    hmac_md5_prepare(&s.key, s.octets, s.n);
    return s;
}

static inline uint32_t length_of(const uint8_t *p) { return (uint32_t)p[2] << 8 | p[3]; }
static inline void length_put(uint8_t *p, uint32_t n) { p[2] = n >> 8; p[3] = n; }

static inline void header_put(uint8_t *p, int code, int id) {
    memset(p, 0, HEADER);
    p[0] = code;
    p[1] = id;
    length_put(p, HEADER);
}

static inline void attribute(uint8_t *p, int type, const void *value, size_t n) {
    uint32_t at = length_of(p);
    p[at] = type;
    p[at + 1] = n + 2;
    memcpy(p + at + 2, value, n);
    length_put(p, at + 2 + n);
}

static inline void attribute_number(uint8_t *p, int type, uint32_t value) {
    value = htonl(value);
    attribute(p, type, &value, 4);
}

/* RFC 2865 section 5.26: vendor, then one sub-attribute */
static inline void attribute_vendor(uint8_t *p, int type, uint32_t value) {
    uint32_t vendor = htonl(VENDOR);
    uint8_t octets[10];
    value = htonl(value);
    memcpy(octets, &vendor, 4);
    octets[4] = type;
    octets[5] = 6;
    memcpy(octets + 6, &value, 4);
    attribute(p, VENDOR_SPECIFIC, octets, sizeof octets);
}

/* Both begin with this one, so its value stands at octet 22. */
static inline void attribute_authenticator(uint8_t *p) {
    static const uint8_t zero[16];
    attribute(p, MESSAGE_AUTHENTICATOR, zero, 16);
}

/* RFC 3579 section 3.2: over the packet with the Request Authenticator in its place and the attribute's value zero */
static inline void request_sign(uint8_t *p, const Secret *s, const uint8_t random[16]) {
    memcpy(p + 4, random, 16);
    memset(p + HEADER + 2, 0, 16);
    hmac_md5(&s->key, p, length_of(p), p + HEADER + 2);
}

/* RFC 2865 section 3: MD5 over the reply with the request's authenticator in its place, and the secret */
static inline void response_authenticator(const uint8_t *reply, const uint8_t request[16], const Secret *s,
                                          uint8_t out[16]) {
    uint8_t whole[4096 + MOST_SECRET];
    uint32_t n = length_of(reply);
    memcpy(whole, reply, n);
    memcpy(whole + 4, request, 16);
    memcpy(whole + n, s->octets, s->n);
    md5(whole, n + s->n, out);
}

static inline void reply_sign(uint8_t *reply, const uint8_t request[16], const Secret *s) {
    memcpy(reply + 4, request, 16);
    memset(reply + HEADER + 2, 0, 16);
    hmac_md5(&s->key, reply, length_of(reply), reply + HEADER + 2);
    response_authenticator(reply, request, s, reply + 4);
}
#endif
