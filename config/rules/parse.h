/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* The parser and type checker (spec/rules-language.md section 2): recursive descent that mirrors
 * the grammar, split by level: parse.c joins operands, parse_access.c reads fields, calls and
 * indexes, parse_compare.c operators and what stands on their right.
 *
 * Every function answers NULL or false after a failure, whose reason is then in lx.err. What the
 * plan does not allow is noted at its first place and reported only when the rest parses, as the
 * edge does. Thread: one. */
#include "config/rules/functions.h"
#include "config/rules/lex.h"

struct parser {
    struct lexer lx;
    const struct expr_options *options;
    struct expr *expr;
    unsigned depth; /* of "(", not, calls */
    unsigned regexes;
    struct note_link *notes;
    struct expr_error denied; /* reason[0] == 0: nothing */
};

struct logic *parse_logic(struct parser *p);
struct access *parse_access(struct parser *p);
/* The comparison that `left` begins. */
struct logic *parse_compare(struct parser *p, struct access *left);
/* Whether a comparison operator comes next, white space skipped. */
bool parse_sees_operator(const struct parser *p);

GW_MUST bool parse_nest(struct parser *p);
void parse_note(struct parser *p, size_t offset, size_t width, const char *fmt, ...)
    GW_PRINTF(4, 5);
void parse_deny(struct parser *p, size_t offset, size_t width, const char *fmt, ...)
    GW_PRINTF(4, 5);
/* "expected value of type …, but got …"; always false. */
bool parse_mismatch(struct parser *p, size_t offset, size_t width, struct rules_type expected,
                    struct rules_type actual);
