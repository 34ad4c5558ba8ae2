/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Checks a pattern against the syntax of Rust's regex crate in byte mode, which is what `matches`
 * takes (spec/rules-language.md sections 1.6 and 2.1), and rewrites it in the small subset of PCRE2
 * where both engines mean the same.
 *
 * PCRE2 knows far more: what Rust refuses (look-around, back-references, \Z, possessive and atomic
 * groups, recursion, verbs) never reaches it, and what reads the same but differs ("$" before a
 * final newline, "a++", class operators, "[[:word:]&&\d]") is spelled out. The rewritten pattern
 * has no captures, no flags and no lazy repetition: only whether there is a match counts.
 *
 * Limits: group nesting REGEX_NESTING_MAX. Thread: any. */
#include "gateway/base/buf.h"

#define REGEX_NESTING_MAX 100

struct regex_flags {
    bool fold;       /* i */
    bool multi_line; /* m */
    bool dot_all;    /* s */
    bool verbose;    /* x */
};

struct regex_reader {
    struct gw_str pattern;
    size_t at;
    struct gw_buf *out;
    unsigned depth;
    const char *reason; /* the first error, worded as Rust's; static */
    size_t error_at, error_width;
};

/* Rewrites pattern into *out. False: reader->reason says why. */
GW_MUST bool regex_translate(struct regex_reader *reader, struct gw_str pattern,
                             struct gw_buf *out);

/* Shared by the two halves of the reader. */
struct regex_class {
    uint64_t bits[4]; /* bit per byte value */
};

static inline char regex_peek(const struct regex_reader *r)
{
    return r->at < r->pattern.len ? r->pattern.ptr[r->at] : '\0';
}
static inline bool regex_done(const struct regex_reader *r)
{
    return r->at >= r->pattern.len;
}
/* Always false. */
bool regex_fail(struct regex_reader *r, size_t at, size_t width, const char *reason);
/* White space and comments, in verbose mode. */
void regex_skip(struct regex_reader *r, struct regex_flags flags);
/* Behind "[": reads up to the closing bracket. */
GW_MUST bool regex_read_class(struct regex_reader *r, struct regex_flags flags,
                              struct regex_class *out);
/* \d \D \s \S \w \W; false when `letter` is none of them. */
bool regex_perl_class(char letter, struct regex_class *out);
/* Behind a backslash: an escape that stands for one byte. False without a reason: it is none. */
GW_MUST bool regex_read_byte_escape(struct regex_reader *r, uint8_t *out);
void regex_class_add(struct regex_class *c, unsigned low, unsigned high);
static inline bool regex_class_has(const struct regex_class *c, unsigned byte)
{
    return c->bits[byte / 64] >> (byte % 64) & 1;
}
