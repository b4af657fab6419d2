/* The scalar digests as a shared library: for tests against hashlib, and as what the lanes are divided by.
 * Rows are packed `stride` octets apart, as the codec holds a batch. */
#include "md5.h"

void reference_md5(const uint8_t *message, size_t n, uint8_t *out) { md5(message, n, out); }

void reference_hmac_md5_prepare(HmacKey *key, const uint8_t *secret, size_t n) { hmac_md5_prepare(key, secret, n); }

void reference_hmac_md5_rows(const HmacKey *key, const uint8_t *rows, size_t stride, const uint32_t *lengths, size_t n,
                             uint8_t *out) {
    for (size_t i = 0; i < n; i++) hmac_md5(key, rows + i * stride, lengths[i], out + 16 * i);
}
