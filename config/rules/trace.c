/* SPDX-License-Identifier: Apache-2.0 */
/* Explains an evaluation: every sub-expression with its value and which of them settled the whole.
 * Each part is evaluated on its own, so a trace costs more than an answer; only people ask for it.
 */
#include "config/rules/eval.h"

#define LEFT_MAX 1024

struct trace {
    const struct expr *expr;
    struct rules_request *r;
    expr_step_fn *on_step;
    void *ctx;
};

/* A fresh allowance for every part: what evaluation would have had left does not matter here. */
static bool value_of(const struct trace *t, const struct logic *l)
{
    struct eval ev = {.r = t->r, .work = EVAL_WORK_MAX};
    return l->array ? eval_has(&ev, l, true) : eval_bool(&ev, l);
}

/* Whether part `at` of a chain is what settled it. */
static bool settles(const struct trace *t, const struct logic *l, size_t at, bool value)
{
    if (l->array || l->kind == LOGIC_XOR || value == (l->kind == LOGIC_AND))
        return true;
    for (size_t i = 0; i < at; i++) {
        if (value_of(t, l->items[i]) == value)
            return false;
    }
    return value_of(t, l->items[at]) == value;
}

static void visit(const struct trace *t, const struct logic *l, unsigned depth, bool decided);

/* any() and all() are functions: what they speak of is their argument. */
static void visit_compare(const struct trace *t, const struct compare *c, unsigned depth,
                          bool decided)
{
    const struct call *call = c->left->call;
    for (size_t i = 0; call && i < call->count; i++) {
        if (call->args[i].kind == ARG_LOGIC)
            visit(t, call->args[i].logic, depth, decided);
    }
}

static void describe_left(const struct trace *t, const struct logic *l, struct expr_step *step,
                          struct gw_buf *text)
{
    struct eval ev = {.r = t->r, .work = EVAL_WORK_MAX};
    struct rules_value left = eval_access(&ev, l->compare->left);
    rules_value_text(left, text);
    step->comparison = true;
    step->missing = left.kind == RULES_MISSING;
    step->left = gw_buf_str(text);
}

static void visit(const struct trace *t, const struct logic *l, unsigned depth, bool decided)
{
    struct gw_buf text;
    struct expr_step step = {.text = gw_str(t->expr->text.ptr + l->offset, l->width),
                             .depth = depth,
                             .value = value_of(t, l),
                             .decided = decided};
    gw_buf_init(&text, LEFT_MAX);
    if (logic_is_compare(l->kind))
        describe_left(t, l, &step, &text);
    t->on_step(t->ctx, &step);
    gw_buf_release(&text);
    if (logic_is_compare(l->kind)) {
        visit_compare(t, l->compare, depth + 1, decided);
    } else if (l->kind == LOGIC_NOT) {
        visit(t, l->inner, depth + 1, decided);
    } else {
        for (size_t i = 0; i < l->count; i++)
            visit(t, l->items[i], depth + 1, decided && settles(t, l, i, step.value));
    }
}

bool expr_trace(const struct expr *e, struct rules_request *r, expr_step_fn *on_step, void *ctx)
{
    struct trace t = {e, r, on_step, ctx};
    expr_share_reset(r);
    visit(&t, e->root, 0, true);
    return value_of(&t, e->root);
}
