/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Slices: a pointer and a length, passed by value, never owning and never NUL-terminated. Whoever
 * hands out a slice says how long its bytes live. An empty slice may have ptr == NULL. Comparisons
 * marked "i" fold ASCII case only: locale never matters in HTTP (RFC 9110 section 5.1). Thread:
 * any; plain values. */
#include "gateway/base/base.h"

struct gw_str {
    const char *ptr;
    size_t len;
};

#define GW_STR(literal) ((struct gw_str){("" literal ""), sizeof(literal) - 1})
#define GW_STR_EMPTY    ((struct gw_str){NULL, 0})
/* For printf("%.*s"): the arguments of one slice. */
#define GW_STR_ARG(s)   (int)(s).len, ((s).ptr ? (s).ptr : "")

static inline struct gw_str gw_str(const char *ptr, size_t len)
{
    return (struct gw_str){ptr, len};
}
static inline struct gw_str gw_str_z(const char *zero_terminated)
{
    return (struct gw_str){zero_terminated, zero_terminated ? strlen(zero_terminated) : 0};
}
static inline bool gw_str_eq(struct gw_str a, struct gw_str b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}
static inline bool gw_str_starts(struct gw_str s, struct gw_str prefix)
{
    return s.len >= prefix.len && (prefix.len == 0 || memcmp(s.ptr, prefix.ptr, prefix.len) == 0);
}
static inline bool gw_str_ends(struct gw_str s, struct gw_str suffix)
{
    return s.len >= suffix.len &&
           (suffix.len == 0 || memcmp(s.ptr + s.len - suffix.len, suffix.ptr, suffix.len) == 0);
}
/* The rest of s from offset `at` on (clamped to the end). */
static inline struct gw_str gw_str_from(struct gw_str s, size_t at)
{
    at = gw_min_size(at, s.len);
    return (struct gw_str){s.ptr ? s.ptr + at : NULL, s.len - at};
}
static inline struct gw_str gw_str_first(struct gw_str s, size_t len)
{
    return (struct gw_str){s.ptr, gw_min_size(len, s.len)};
}
static inline char gw_lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
}
static inline bool gw_is_digit(char c)
{
    return c >= '0' && c <= '9';
}

bool gw_str_ieq(struct gw_str a, struct gw_str b);
/* <0, 0, >0; bytewise, a shorter prefix sorts first. */
int gw_str_cmp(struct gw_str a, struct gw_str b);

#define GW_NPOS SIZE_MAX
/* Number of decimal digits at the start. */
size_t gw_str_digits(struct gw_str s);
/* Offset of the first match or GW_NPOS. */
size_t gw_str_chr(struct gw_str s, char c);
size_t gw_str_rchr(struct gw_str s, char c);
size_t gw_str_find(struct gw_str s, struct gw_str needle);

/* Without the spaces and tabs (RFC 9110 OWS) at both ends. */
struct gw_str gw_str_trim(struct gw_str s);

/* Cuts the text up to the next `separator` off *rest (which then starts behind it) and returns it
 * untrimmed. False when *rest is used up: `a,,b` gives "a", "", "b". */
bool gw_str_next(struct gw_str *rest, char separator, struct gw_str *item);

/* All digits, value <= max; otherwise false and *out untouched. */
GW_MUST bool gw_str_u64(struct gw_str s, uint64_t max, uint64_t *out);
/* Value of one hexadecimal digit or -1. */
int gw_hex_value(char c);
/* Length of the well-formed UTF-8 sequence at the start of s (not empty), or 0 (RFC 3629: no
 * overlong forms, no surrogates). */
size_t gw_utf8_length(struct gw_str s);

/* A NUL-terminated copy on the heap; the caller frees it. */
char *gw_str_dupz(struct gw_str s);
