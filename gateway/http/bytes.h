/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Byte classes and many-bytes-at-a-time tests that the parsers of this folder share. Private to
 * gateway/http. Thread: any. */
#include <endian.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include "gateway/base/str.h"

#define BYTES_ALL(byte) (0x0101010101010101u * (uint64_t)(byte))

enum byte_class {
    BYTE_TOKEN = 1 << 0,      /* tchar, RFC 9110 section 5.6.2 */
    BYTE_METHOD = 1 << 1,     /* A-Z, "-", "_" */
    BYTE_HOST = 1 << 2,       /* letters, digits, "-", ".", "_" */
    BYTE_UNRESERVED = 1 << 3, /* RFC 3986 section 2.3 */
    BYTE_RESERVED = 1 << 4,   /* RFC 3986 section 2.2 */
    BYTE_HEX = 1 << 5,
};
extern const uint8_t byte_classes[256];

static inline bool byte_is(char c, unsigned class_mask)
{
    return byte_classes[(uint8_t)c] & class_mask;
}
static inline bool bytes_are(struct gw_str s, unsigned class_mask)
{
    for (size_t i = 0; i < s.len; i++)
        if (!byte_is(s.ptr[i], class_mask))
            return false;
    return true;
}
/* Eight bytes, the first in the lowest place on every machine. */
static inline uint64_t bytes_load(const char *p)
{
    uint64_t word;
    memcpy(&word, p, sizeof(word));
    return le64toh(word);
}
/* Nonzero iff the word holds a byte under 0x20 or 0x7f; the lowest set bit is bit 7 of the first.
 */
static inline uint64_t bytes_control(uint64_t word)
{
    uint64_t low = (word - BYTES_ALL(0x20)) & ~word;
    uint64_t del = word ^ BYTES_ALL(0x7f);
    return (low | ((del - BYTES_ALL(1)) & ~del)) & BYTES_ALL(0x80);
}
static inline bool byte_is_control(char c)
{
    return (uint8_t)c < 0x20 || c == 0x7f;
}
/* Offset of the first control byte at or behind `at`, or len. */
static inline size_t bytes_find_control(const char *data, size_t len, size_t at)
{
#ifdef __SSE2__
    const __m128i last_control = _mm_set1_epi8(0x1f), del = _mm_set1_epi8(0x7f);
    for (; len - at >= 16; at += 16) {
        __m128i b = _mm_loadu_si128((const __m128i *)(const void *)(data + at));
        __m128i low = _mm_cmpeq_epi8(_mm_min_epu8(b, last_control), b);
        int hit = _mm_movemask_epi8(_mm_or_si128(low, _mm_cmpeq_epi8(b, del)));
        if (hit)
            return at + (size_t)__builtin_ctz((unsigned)hit);
    }
#endif
    for (; len - at >= 8; at += 8) {
        uint64_t hit = bytes_control(bytes_load(data + at));
        if (hit)
            return at + (size_t)__builtin_ctzll(hit) / 8;
    }
    while (at < len && !byte_is_control(data[at]))
        at++;
    return at;
}
