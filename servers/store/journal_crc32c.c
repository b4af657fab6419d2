/* CRC32C (Castagnoli, reflected 0x82F63B78), by the processor's instruction where there is one. */
#include "journal.h"
#include <string.h>

static uint32_t table[256];

__attribute__((constructor)) static void fill_table(void) {
    for (uint32_t octet = 0; octet < 256; octet++) {
        uint32_t crc = octet;
        for (int bit = 0; bit < 8; bit++) crc = crc & 1 ? crc >> 1 ^ 0x82F63B78u : crc >> 1;
        table[octet] = crc;
    }
}

static uint32_t by_table(uint32_t crc, const uint8_t *p, uint64_t n) {
    while (n--) crc = crc >> 8 ^ table[(crc ^ *p++) & 0xFF];
    return crc;
}

#if defined(__x86_64__)
__attribute__((target("sse4.2"))) static uint32_t by_instruction(uint32_t crc, const uint8_t *p, uint64_t n) {
    uint64_t wide = crc, eight;
    for (; n >= 8; n -= 8, p += 8) {
        memcpy(&eight, p, 8);
        wide = __builtin_ia32_crc32di(wide, eight);
    }
    for (crc = (uint32_t)wide; n; n--) crc = __builtin_ia32_crc32qi(crc, *p++);
    return crc;
}
#endif

uint32_t journal_crc32c(uint32_t crc, const void *octets, uint64_t n) {
#if defined(__x86_64__)
    if (__builtin_cpu_supports("sse4.2")) return ~by_instruction(~crc, octets, n);
#endif
    return ~by_table(~crc, octets, n);
}
