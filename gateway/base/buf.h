/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* A growable byte buffer with a ceiling (curl's dynbuf is the model): heads, log lines, JSON
 * answers, keys are built in it.
 *
 * Invariant: len <= cap <= max. Appending past max sets `overflow`, drops what does not fit and
 * leaves the rest as it is; the builder goes on and the one who uses the result asks once, at the
 * end. Data is not NUL-terminated. Thread: one. Owns: its heap block, freed by gw_buf_release. */
#include <stdarg.h>

#include "gateway/base/str.h"

struct gw_buf {
    char *data;
    size_t len, cap, max;
    bool overflow;
};

void gw_buf_init(struct gw_buf *b, size_t max);
/* A buffer over lent memory: it never grows and is not released. One byte is kept for printf's NUL.
 */
static inline struct gw_buf gw_buf_over(char *space, size_t size)
{
    return (struct gw_buf){.data = space, .cap = size - 1, .max = size - 1};
}
void gw_buf_release(struct gw_buf *b);
/* Keeps the memory. */
static inline void gw_buf_clear(struct gw_buf *b)
{
    b->len = 0;
    b->overflow = false;
}

/* The slow path of gw_buf_reserve. */
char *gw_buf_grow(struct gw_buf *b, size_t more);
/* Room for `more` bytes behind len; NULL (and overflow set) when that passes max. */
static inline char *gw_buf_reserve(struct gw_buf *b, size_t more)
{
    return gw_likely(b->data && b->cap - b->len >= more) ? b->data + b->len : gw_buf_grow(b, more);
}
static inline void gw_buf_add(struct gw_buf *b, struct gw_str s)
{
    char *at = s.len ? gw_buf_reserve(b, s.len) : NULL;
    if (at) {
        memcpy(at, s.ptr, s.len);
        b->len += s.len;
    }
}
static inline void gw_buf_char(struct gw_buf *b, char c)
{
    char *at = gw_buf_reserve(b, 1);
    if (at) {
        *at = c;
        b->len++;
    }
}
void gw_buf_u64(struct gw_buf *b, uint64_t value);
void gw_buf_printf(struct gw_buf *b, const char *fmt, ...) GW_PRINTF(2, 3);
void gw_buf_vprintf(struct gw_buf *b, const char *fmt, va_list args) GW_PRINTF(2, 0);
/* A JSON string with its quotes; bytes that are not UTF-8 become U+FFFD. */
void gw_buf_json(struct gw_buf *b, struct gw_str s);

static inline struct gw_str gw_buf_str(const struct gw_buf *b)
{
    return gw_str(b->data, b->len);
}
/* Drops `n` bytes from the front. */
void gw_buf_consume(struct gw_buf *b, size_t n);

/* Writes the decimal digits of value at `out` (room for 20) and returns their number. */
size_t gw_u64_digits(char *out, uint64_t value);
