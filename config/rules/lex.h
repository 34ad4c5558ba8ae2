/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Tokens of the Rules language, read straight from the text: the grammar has no token boundaries of
 * its own ("eq" needs no space behind it, digits are taken greedily as hexadecimal), so the parser
 * asks for what it expects next (spec/rules-language.md section 2).
 *
 * Invariant: after a failure err holds the first reason and its place; nothing is read any more.
 * Owns: nothing; unescaped literals go to the arena. Thread: one. */
#include "config/rules/expr.h"

struct lexer {
    struct gw_str text; /* the whole expression; offsets count from its start */
    size_t at, end;     /* end: without trailing white space */
    struct gw_arena *arena;
    struct expr_error *err;
};

/* Records the reason; always false, so that callers can return it. */
bool lex_fail(struct lexer *lx, size_t offset, size_t width, const char *fmt, ...) GW_PRINTF(4, 5);

static inline struct gw_str lex_rest(const struct lexer *lx)
{
    return gw_str(lx->text.ptr + lx->at, lx->end - lx->at);
}
/* The next byte, or 0 at the end. */
static inline char lex_peek(const struct lexer *lx)
{
    return lx->at < lx->end ? lx->text.ptr[lx->at] : '\0';
}
/* Space, CR and LF; a tab is no white space. */
void lex_space(struct lexer *lx);
/* Takes the word if it comes next. */
bool lex_accept(struct lexer *lx, const char *word);
GW_MUST bool lex_expect(struct lexer *lx, const char *word);

/* name = [A-Za-z0-9_]+ { "." [A-Za-z0-9_]+ }, the longest. */
GW_MUST bool lex_name(struct lexer *lx, struct gw_str *name);
/* The name behind "$". */
GW_MUST bool lex_list_name(struct lexer *lx, struct gw_str *name);

GW_MUST bool lex_int(struct lexer *lx, int64_t *value);
GW_MUST bool lex_int_range(struct lexer *lx, int64_t *low, int64_t *high);
GW_MUST bool lex_ip(struct lexer *lx, struct gw_ip *ip);
GW_MUST bool lex_ip_range(struct lexer *lx, struct gw_ip *low, struct gw_ip *high);

/* "…", r"…" or 47:45:54. */
GW_MUST bool lex_bytes(struct lexer *lx, struct gw_str *value);
/* The first two only. */
GW_MUST bool lex_string(struct lexer *lx, struct gw_str *value);
/* The inside of a quoted string; the opening quote is taken already. */
GW_MUST bool lex_quoted(struct lexer *lx, struct gw_str *value);
/* A regex literal: quoted ones keep their backslashes. *start is where its text begins. */
GW_MUST bool lex_regex(struct lexer *lx, struct gw_str *pattern, size_t *start);
