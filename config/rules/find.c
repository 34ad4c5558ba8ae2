/* SPDX-License-Identifier: Apache-2.0 */
#include "config/rules/find.h"

#if defined(__SSE2__)
#include <emmintrin.h>

/* Above this the worst case (every place looks like a match) would grow with the needle; memmem is
 * linear whatever the bytes are. */
#define NEEDLE_MAX 64

static bool match_any(const char *block, unsigned places, struct gw_str needle)
{
    for (; places; places &= places - 1) {
        const char *at = block + __builtin_ctz(places);
        if (memcmp(at + 1, needle.ptr + 1, needle.len - 1) == 0)
            return true;
    }
    return false;
}

static bool contains_sse2(struct gw_str text, struct gw_str needle)
{
    const __m128i first = _mm_set1_epi8(needle.ptr[0]);
    const __m128i last = _mm_set1_epi8(needle.ptr[needle.len - 1]);
    size_t starts = text.len - needle.len + 1, at = 0;
    for (; at + 16 <= starts; at += 16) {
        const char *block = text.ptr + at;
        __m128i a = _mm_loadu_si128((const __m128i *)block);
        __m128i b = _mm_loadu_si128((const __m128i *)(block + needle.len - 1));
        __m128i both = _mm_and_si128(_mm_cmpeq_epi8(a, first), _mm_cmpeq_epi8(b, last));
        unsigned places = (unsigned)_mm_movemask_epi8(both);
        if (gw_unlikely(places) && match_any(block, places, needle))
            return true;
    }
    for (; at < starts; at++) {
        if (text.ptr[at] == needle.ptr[0] && memcmp(text.ptr + at, needle.ptr, needle.len) == 0)
            return true;
    }
    return false;
}

bool rules_contains(struct gw_str text, struct gw_str needle)
{
    if (needle.len == 0)
        return true;
    if (needle.len > text.len)
        return false;
    if (needle.len > NEEDLE_MAX)
        return gw_str_find(text, needle) != GW_NPOS;
    return contains_sse2(text, needle);
}
#else
bool rules_contains(struct gw_str text, struct gw_str needle)
{
    return gw_str_find(text, needle) != GW_NPOS;
}
#endif
