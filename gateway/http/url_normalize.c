/* SPDX-License-Identifier: Apache-2.0 */
/* URL normalisation and percent-decoding. Order matters: escapes first, so that "%2e%2e" is a dot
 * segment too (else a rule on /admin is passed with /x/%2e%2e/admin); then dot segments. */
#include "gateway/http/bytes.h"
#include "gateway/http/url.h"

#define BYTE_PLAIN (BYTE_UNRESERVED | BYTE_RESERVED)

/* What a text is normalised as. */
struct shape {
    bool path;  /* dot segments */
    bool merge; /* "\" and runs of "/" */
};

/* The byte that the escape at text[at] stands for, or -1. */
static int escape_value(struct gw_str text, size_t at)
{
    if (text.len - at < 3)
        return -1;
    int high = gw_hex_value(text.ptr[at + 1]), low = gw_hex_value(text.ptr[at + 2]);
    return high < 0 || low < 0 ? -1 : high << 4 | low;
}

/* Normal: of a byte that needs its escape, in upper case ("a" is behind every digit and capital).
 */
static bool escape_is_normal(struct gw_str text, size_t at)
{
    int value = escape_value(text, at);
    return value >= 0 && !byte_is((char)value, BYTE_UNRESERVED) && text.ptr[at + 1] < 'a' &&
           text.ptr[at + 2] < 'a';
}

/* May say no where nothing will change ("/.well-known"): then a copy is made for nothing. */
static bool is_normal(struct gw_str text, struct shape shape)
{
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        if (byte_is(c, BYTE_UNRESERVED)) /* nearly all of them */
            continue;
        char next = i + 1 < text.len ? text.ptr[i + 1] : 0;
        if (c == '%') {
            if (!escape_is_normal(text, i))
                return false;
            i += 2;
        } else if (!byte_is(c, BYTE_RESERVED)) {
            return false;
        } else if (c == '/' && ((shape.path && next == '.') || (shape.merge && next == '/'))) {
            return false;
        }
    }
    return true;
}

static size_t write_escape(char *out, int value)
{
    static const char digits[] = "0123456789ABCDEF";
    out[0] = '%';
    out[1] = digits[value >> 4];
    out[2] = digits[value & 15];
    return 3;
}

/* Writes at most 3 * text.len bytes. */
static size_t rewrite_bytes(struct gw_str text, struct shape shape, char *out)
{
    size_t len = 0;
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        /* Before anything looks at slashes: "/a\..\b" has dot segments, too. */
        if (shape.merge && c == '\\')
            c = '/';
        int value = c == '%' ? escape_value(text, i) : -1;
        if (value >= 0)
            i += 2;
        if (value >= 0 && byte_is((char)value, BYTE_UNRESERVED))
            out[len++] = (char)value;
        else if (value >= 0)
            len += write_escape(out + len, value);
        else if (!byte_is(c, BYTE_PLAIN))
            len += write_escape(out + len, (uint8_t)c);
        else if (!(shape.merge && c == '/' && len && out[len - 1] == '/'))
            out[len++] = c;
    }
    return len;
}

/* RFC 3986 section 5.2.4, in place; the path begins with "/". */
static size_t remove_dot_segments(char *path, size_t len)
{
    size_t out = 0, end;
    for (size_t at = 0; at < len; at = end) {
        for (end = at + 1; end < len && path[end] != '/';)
            end++;
        struct gw_str segment = gw_str(path + at + 1, end - at - 1);
        bool up = gw_str_eq(segment, GW_STR(".."));
        if (!up && !gw_str_eq(segment, GW_STR("."))) {
            memmove(path + out, path + at, end - at);
            out += end - at;
            continue;
        }
        /* One segment back, and never before the root: "/../a" is "/a" (RFC 3986 section 5.2.4).
         * What is written never overtakes what is read, so one buffer is enough. */
        while (up && out > 0 && path[--out] != '/')
            ;
        if (end == len)
            path[out++] = '/';
    }
    return out;
}

static bool normalize(struct gw_str text, struct shape shape, struct gw_arena *arena,
                      struct gw_str *out)
{
    if (is_normal(text, shape)) {
        *out = text;
        return true;
    }
    char *copy = gw_arena_alloc(arena, 3 * text.len);
    if (!copy)
        return false;
    size_t len = rewrite_bytes(text, shape, copy);
    *out = gw_str(copy, shape.path ? remove_dot_segments(copy, len) : len);
    return true;
}

bool url_normalize_path(struct gw_str path, enum url_normalization mode, struct gw_arena *arena,
                        struct gw_str *out)
{
    /* "*" and the empty path of a CONNECT have no normal form. */
    if (mode == URL_AS_IS || !path.len || path.ptr[0] != '/') {
        *out = path;
        return true;
    }
    return normalize(path, (struct shape){.path = true, .merge = mode == URL_CLOUDFLARE}, arena,
                     out);
}

bool url_normalize_query(struct gw_str query, enum url_normalization mode, struct gw_arena *arena,
                         struct gw_str *out)
{
    if (mode == URL_AS_IS) {
        *out = query;
        return true;
    }
    return normalize(query, (struct shape){0}, arena, out);
}

bool url_decode(struct gw_str text, bool plus_is_space, struct gw_arena *arena, struct gw_str *out)
{
    bool plain = gw_str_chr(text, '%') == GW_NPOS;
    if (plain && !(plus_is_space && gw_str_chr(text, '+') != GW_NPOS)) {
        *out = text;
        return true;
    }
    char *copy = gw_arena_alloc(arena, text.len);
    if (!copy)
        return false;
    size_t len = 0;
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        int value = c == '%' ? escape_value(text, i) : -1;
        if (value >= 0)
            i += 2;
        copy[len++] = value >= 0 ? (char)value : plus_is_space && c == '+' ? ' ' : c;
    }
    *out = gw_str(copy, len);
    return true;
}
