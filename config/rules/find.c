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

static unsigned candidates(const char *block, size_t distance, __m128i first, __m128i last)
{
    __m128i a = _mm_loadu_si128((const __m128i *)block);
    __m128i b = _mm_loadu_si128((const __m128i *)(block + distance));
    return (unsigned)_mm_movemask_epi8(
        _mm_and_si128(_mm_cmpeq_epi8(a, first), _mm_cmpeq_epi8(b, last)));
}

static bool contains_sse2(struct gw_str text, struct gw_str needle)
{
    const __m128i first = _mm_set1_epi8(needle.ptr[0]);
    const __m128i last = _mm_set1_epi8(needle.ptr[needle.len - 1]);
    size_t starts = text.len - needle.len + 1; /* places where the needle may begin */
    if (starts < 16)
        return gw_str_find(text, needle) != GW_NPOS;
    /* The last block overlaps the one before it, so that no place is left over. */
    for (size_t at = 0;; at = gw_min_size(at + 16, starts - 16)) {
        unsigned places = candidates(text.ptr + at, needle.len - 1, first, last);
        if (gw_unlikely(places) && match_any(text.ptr + at, places, needle))
            return true;
        if (at == starts - 16)
            return false;
    }
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
