/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* One expression of Cloudflare's Rules language: compiled once, evaluated for every request.
 *
 * Compiling checks everything the edge checks when a rule is saved: grammar, types, fields of the
 * phase, what the plan may use (spec/rules-language.md sections 2 to 6). Evaluating neither
 * allocates nor copies for usual expressions; functions that build text use the request's scratch
 * arena. Tests joined by and/or run cheapest first: they have no side effects, so order is speed
 * only. `expr_trace` walks them in the order written.
 *
 * Invariants: an evaluation ends within a fixed amount of work whatever the request holds; what
 * would pass that reads as missing. Thread: a compiled expression is immutable, any number may
 * evaluate it. Owns: a copy of its text. Limits: 4096 characters, nesting 128, 64 regexes. */
#include "config/rules/lists.h"
#include "config/rules/phase.h"
#include "config/rules/request.h"
#include "config/zone.h"
#include "gateway/base/buf.h"

#define EXPR_LENGTH_MAX  4096
#define EXPR_NESTING_MAX 128

struct expr;
struct expr_share; /* tests that several expressions of a ruleset have in common */

struct expr_options {
    enum rules_phase phase;
    enum config_plan plan;
    const struct rules_lists *lists; /* NULL: none defined; outlives the expression */
    struct expr_share *share;        /* NULL: nothing is shared */
    bool missing_ne;                 /* what `ne` gives on a missing value; the docs say false */
    bool cookie_array_as_first;      /* http.request.cookies["x"] ne "" means …["x"][0], noted */
    bool key; /* of a value: anything but maps and arrays of arrays, instead of text */
};

enum expr_failure { EXPR_BLANK, EXPR_TOO_LONG, EXPR_UNPARSABLE, EXPR_NOT_ENTITLED };

struct expr_error {
    enum expr_failure kind;
    size_t offset, width; /* of the offending text in the expression; width may be 0 */
    char reason[512];     /* one sentence; a regex report may have several lines */
};

/* NULL on failure; then *err says why. */
GW_MUST struct expr *expr_compile(struct gw_str text, const struct expr_options *options,
                                  struct expr_error *err);
/* An expression that gives Bytes or Array<Bytes>, for parameters; options->share is not used. */
GW_MUST struct expr *expr_compile_value(struct gw_str text, const struct expr_options *options,
                                        struct expr_error *err);
/* Of such a one; may be missing. Lives in the request's scratch. */
struct rules_value expr_value(const struct expr *e, struct rules_request *r);
void expr_free(struct expr *e);
struct gw_str expr_text(const struct expr *e);
/* Whether it names a field of the response. */
bool expr_needs_response(const struct expr *e);
bool expr_eval(const struct expr *e, struct rules_request *r);
/* As expr_eval, but keeps what shared tests gave since expr_share_reset. */
bool expr_eval_shared(const struct expr *e, struct rules_request *r);

/* Appends "Filter parsing error (1:11):" with the line and carets, as the engine prints it. */
void expr_error_report(const struct expr_error *err, struct gw_str text, struct gw_buf *out);
/* Appends the API's sentence about member `field` ("expression", "counting_expression"). */
void expr_error_message(const struct expr_error *err, struct gw_str text, const char *field,
                        struct gw_buf *out);
/* The API's error number for it. */
int expr_error_code(const struct expr_error *err);

/* Things accepted here that a person should know. */
struct expr_note {
    size_t offset, width;
    char text[256];
};
const struct expr_note *expr_notes(const struct expr *e, size_t *count);

/* The hosts for which the expression can be true, as its http.host comparisons say. False: they do
 * not restrict it. True with *count 0: no host satisfies them. */
bool expr_hosts(const struct expr *e, const struct gw_str **hosts, size_t *count);

/* One sub-expression while a trace walks the tree, outermost first, in the order written. */
struct expr_step {
    struct gw_str text; /* its part of the expression, inside expr_text() */
    unsigned depth;     /* 0: the whole */
    bool value;         /* for [*]: whether any element gave true */
    bool decided;       /* it settled the whole: the first false part of an "and", the first true
                           part of an "or", or each part where all were needed */
    bool comparison;    /* a leaf: `left` is what stood on its left side */
    bool missing;       /* the left side had no value */
    struct gw_str left; /* as text; valid during the call */
};
typedef void expr_step_fn(void *ctx, const struct expr_step *step);
/* Evaluates everything, also what evaluation would skip. Returns the whole's value. */
bool expr_trace(const struct expr *e, struct rules_request *r, expr_step_fn *on_step, void *ctx);

GW_MUST struct expr_share *expr_share_new(void);
void expr_share_free(struct expr_share *s); /* only after its expressions */
static inline void expr_share_reset(struct rules_request *r)
{
    r->shared_known = 0;
}
