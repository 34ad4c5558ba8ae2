/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/base/buf.h"

#include <stdio.h>

void gw_buf_init(struct gw_buf *b, size_t max)
{
    *b = (struct gw_buf){.max = max};
}

void gw_buf_release(struct gw_buf *b)
{
    free(b->data);
    *b = (struct gw_buf){.max = b->max};
}

char *gw_buf_grow(struct gw_buf *b, size_t more)
{
    /* By subtraction: len + more could wrap, and a length that a stranger sent would pass. */
    if (more > b->max - b->len) {
        b->overflow = true;
        return NULL;
    }
    size_t cap = b->cap ? b->cap : 256;
    while (cap < b->len + more)
        cap *= 2;
    b->cap = gw_min_size(cap, b->max);
    b->data = gw_realloc(b->data, b->cap + 1); /* one spare byte for the NUL of vsnprintf */
    return b->data + b->len;
}

/* Not printf: every head and every log line has numbers in it. */
size_t gw_u64_digits(char *out, uint64_t value)
{
    char reversed[20];
    size_t n = 0;
    do {
        reversed[n++] = (char)('0' + value % 10);
        value /= 10;
    } while (value);
    for (size_t i = 0; i < n; i++)
        out[i] = reversed[n - 1 - i];
    return n;
}

void gw_buf_u64(struct gw_buf *b, uint64_t value)
{
    char digits[20];
    gw_buf_add(b, gw_str(digits, gw_u64_digits(digits, value)));
}

/* Formats twice, once for the length: a text that does not fit is left out whole. Half a number or
 * half an address would be a wrong one. */
void gw_buf_vprintf(struct gw_buf *b, const char *fmt, va_list args)
{
    va_list again;
    va_copy(again, args);
    int need = vsnprintf(NULL, 0, fmt, args);
    char *at = need >= 0 ? gw_buf_reserve(b, (size_t)need) : NULL;
    if (at) {
        vsnprintf(at, (size_t)need + 1, fmt, again);
        b->len += (size_t)need;
    }
    va_end(again);
}

void gw_buf_printf(struct gw_buf *b, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    gw_buf_vprintf(b, fmt, args);
    va_end(args);
}

void gw_buf_json(struct gw_buf *b, struct gw_str s)
{
    gw_buf_char(b, '"');
    while (s.len) {
        size_t plain = 0;
        while (plain < s.len && (unsigned char)s.ptr[plain] >= 0x20 &&
               (unsigned char)s.ptr[plain] < 0x7F && s.ptr[plain] != '"' && s.ptr[plain] != '\\')
            plain++;
        gw_buf_add(b, gw_str(s.ptr, plain));
        s = gw_str_from(s, plain);
        if (!s.len)
            break;
        unsigned char c = (unsigned char)s.ptr[0];
        size_t n = gw_utf8_length(s);
        if (c == '"' || c == '\\') {
            gw_buf_char(b, '\\');
            gw_buf_char(b, (char)c);
        } else if (c < 0x20 || c == 0x7F) {
            gw_buf_printf(b, "\\u%04x", c);
        } else {
            gw_buf_add(b, n ? gw_str(s.ptr, n) : GW_STR("\xEF\xBF\xBD"));
        }
        s = gw_str_from(s, n ? n : 1);
    }
    gw_buf_char(b, '"');
}

void gw_buf_consume(struct gw_buf *b, size_t n)
{
    n = gw_min_size(n, b->len);
    b->len -= n;
    if (b->len)
        memmove(b->data, b->data + n, b->len);
}
