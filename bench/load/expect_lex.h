/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Words, numbers with their units, and signs of an expectation's sentence. Private to expect_parse.
 * Thread: one. Owns: nothing; tokens are slices of the sentence. */
#include "gateway/base/str.h"

enum expect_token_kind {
    TOKEN_END,
    TOKEN_WORD,   /* letters, digits, "_", "-", ".", "/" */
    TOKEN_NUMBER, /* and the unit stuck to it: "50ms", "10%", "9/s", "2xx" */
    TOKEN_SIGN,   /* == = != < <= > >= .. +- : , */
    TOKEN_BAD,
};

struct expect_token {
    enum expect_token_kind kind;
    struct gw_str text; /* all of it */
    double number;
    struct gw_str unit;
};

struct expect_lexer {
    struct gw_str text;
    size_t at;
    struct expect_token token; /* the one to look at */
};

void expect_lex_start(struct expect_lexer *l, struct gw_str text);
void expect_lex_next(struct expect_lexer *l);
/* Offset of the token in the sentence. */
size_t expect_lex_offset(const struct expect_lexer *l);
bool expect_lex_is(const struct expect_lexer *l, const char *text);
/* Steps over the token if it reads so. */
bool expect_lex_take(struct expect_lexer *l, const char *text);
