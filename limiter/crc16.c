/* SPDX-License-Identifier: Apache-2.0 */
#include "limiter/crc16.h"

/* Half a byte a step: 32 bytes of table that stay in the cache, for keys of some thirty bytes. */
static const uint16_t steps[16] = {
    0x0000, 0x1021, 0x2042, 0x3063, 0x4084, 0x50a5, 0x60c6, 0x70e7,
    0x8108, 0x9129, 0xa14a, 0xb16b, 0xc18c, 0xd1ad, 0xe1ce, 0xf1ef,
};

static uint16_t step(uint16_t crc, unsigned nibble)
{
    return (uint16_t)(crc << 4 ^ steps[(crc >> 12 ^ nibble) & 15]);
}

uint16_t crc16(struct gw_str data)
{
    uint16_t crc = 0;
    for (size_t i = 0; i < data.len; i++) {
        unsigned byte = (unsigned char)data.ptr[i];
        crc = step(step(crc, byte >> 4), byte & 15);
    }
    return crc;
}
