/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Reads the syntax of Rust's regex crate in byte mode, which is what `matches` takes
 * (spec/rules-language.md sections 1.6 and 2.1), and refuses what that refuses: look-around,
 * back-references, \Z, atomic groups, recursion, Unicode classes.
 *
 * Limits: nesting REGEX_NESTING_MAX. Owns: nodes lie in the arena. Thread: any. */
#include "config/rules/regex_tree.h"

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
    struct gw_arena *arena;
    unsigned depth;
    const char *reason; /* the first error, worded as Rust's; static */
    size_t error_at, error_width;
};

/* NULL: reader->reason says why. */
GW_MUST struct regex_node *regex_read(struct regex_reader *reader, struct gw_str pattern,
                                      struct gw_arena *arena);

/* Shared by the two halves of the reader. */
static inline bool regex_done(const struct regex_reader *r)
{
    return r->at >= r->pattern.len;
}
static inline char regex_peek(const struct regex_reader *r)
{
    return regex_done(r) ? '\0' : r->pattern.ptr[r->at];
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
/* Adds the other case of every letter. */
void regex_class_fold(struct regex_class *c);
/* Behind a backslash: an escape that stands for one byte. False without a reason: it is none. */
GW_MUST bool regex_read_byte_escape(struct regex_reader *r, uint8_t *out);
