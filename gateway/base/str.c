/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE /* memrchr, memmem */
#include "gateway/base/str.h"

/* An empty slice may have no address, and the mem functions may not be given NULL even for zero
 * bytes (C17 section 7.24.1): hence the tests of lengths before them. */

bool gw_str_ieq(struct gw_str a, struct gw_str b)
{
    if (a.len != b.len)
        return false;
    for (size_t i = 0; i < a.len; i++)
        if (gw_lower(a.ptr[i]) != gw_lower(b.ptr[i]))
            return false;
    return true;
}

int gw_str_cmp(struct gw_str a, struct gw_str b)
{
    size_t common = gw_min_size(a.len, b.len);
    int order = common ? memcmp(a.ptr, b.ptr, common) : 0;
    if (order)
        return order;
    return a.len < b.len ? -1 : a.len > b.len;
}

size_t gw_str_chr(struct gw_str s, char c)
{
    const char *hit = s.len ? memchr(s.ptr, c, s.len) : NULL;
    return hit ? (size_t)(hit - s.ptr) : GW_NPOS;
}

size_t gw_str_rchr(struct gw_str s, char c)
{
    const char *hit = s.len ? memrchr(s.ptr, c, s.len) : NULL;
    return hit ? (size_t)(hit - s.ptr) : GW_NPOS;
}

size_t gw_str_find(struct gw_str s, struct gw_str needle)
{
    if (needle.len == 0)
        return 0;
    if (needle.len > s.len)
        return GW_NPOS;
    const char *hit = memmem(s.ptr, s.len, needle.ptr, needle.len);
    return hit ? (size_t)(hit - s.ptr) : GW_NPOS;
}

static bool is_ows(char c)
{
    return c == ' ' || c == '\t';
}

struct gw_str gw_str_trim(struct gw_str s)
{
    while (s.len && is_ows(s.ptr[0])) {
        s.ptr++;
        s.len--;
    }
    while (s.len && is_ows(s.ptr[s.len - 1]))
        s.len--;
    return s;
}

/* Behind the last separator there is one more item, perhaps an empty one. So the address tells the
 * end and not the length: GW_STR_EMPTY has none, an empty rest has. */
bool gw_str_next(struct gw_str *rest, char separator, struct gw_str *item)
{
    if (!rest->ptr)
        return false;
    size_t at = gw_str_chr(*rest, separator);
    if (at == GW_NPOS) {
        *item = *rest;
        *rest = GW_STR_EMPTY;
        return true;
    }
    *item = gw_str(rest->ptr, at);
    *rest = gw_str(rest->ptr + at + 1, rest->len - at - 1);
    return true;
}

size_t gw_str_digits(struct gw_str s)
{
    size_t n = 0;
    while (n < s.len && gw_is_digit(s.ptr[n]))
        n++;
    return n;
}

bool gw_str_u64(struct gw_str s, uint64_t max, uint64_t *out)
{
    if (s.len == 0)
        return false;
    uint64_t value = 0;
    for (size_t i = 0; i < s.len; i++) {
        if (!gw_is_digit(s.ptr[i]))
            return false;
        uint64_t digit = (uint64_t)(s.ptr[i] - '0');
        /* max - digit wraps when the digit alone is too large, which the second test catches. */
        if (value > (max - digit) / 10 || digit > max)
            return false;
        value = value * 10 + digit;
    }
    *out = value;
    return true;
}

int gw_hex_value(char c)
{
    if (gw_is_digit(c))
        return c - '0';
    c = gw_lower(c);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

size_t gw_utf8_length(struct gw_str s)
{
    const unsigned char *p = (const unsigned char *)s.ptr;
    size_t n = p[0] < 0x80   ? 1
               : p[0] < 0xC2 ? 0
               : p[0] < 0xE0 ? 2
               : p[0] < 0xF0 ? 3
               : p[0] < 0xF5 ? 4
                             : 0;
    if (n == 0 || n > s.len)
        return 0;
    for (size_t i = 1; i < n; i++)
        if ((p[i] & 0xC0) != 0x80)
            return 0;
    /* Shortest forms only (E0, F0), no surrogates (ED), nothing beyond U+10FFFF (F4): RFC 3629
     * section 4. A second spelling of a byte is how filters are passed. */
    if ((p[0] == 0xE0 && p[1] < 0xA0) || (p[0] == 0xED && p[1] > 0x9F) ||
        (p[0] == 0xF0 && p[1] < 0x90) || (p[0] == 0xF4 && p[1] > 0x8F))
        return 0;
    return n;
}

char *gw_str_dupz(struct gw_str s)
{
    char *copy = gw_alloc(s.len + 1);
    if (s.len)
        memcpy(copy, s.ptr, s.len);
    copy[s.len] = '\0';
    return copy;
}
