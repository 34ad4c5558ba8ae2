/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/load/outcome.h"

#include <inttypes.h>

#include "gateway/base/err.h"

#define SEEN_MAX 400

static const struct {
    const char *name;
    int code;
} verdicts[] = {[LOAD_DONE] = {"done", 0},
                [LOAD_PASSED] = {"passed", 0},
                [LOAD_FAILED] = {"failed", 99},
                [LOAD_INCONCLUSIVE] = {"inconclusive", 6},
                [LOAD_INTERRUPTED] = {"interrupted", 130}};

const char *load_verdict_name(enum load_verdict verdict)
{
    return verdicts[verdict].name;
}

int load_verdict_exit(enum load_verdict verdict)
{
    return verdicts[verdict].code;
}

/* ---- facts beside the samples ---- */

static double scope_seconds(const struct expectation *e, const struct load_plan *plan,
                            const struct run_result *r)
{
    double sum = 0;
    for (size_t i = 0; i < plan->phase_count; i++)
        if (e->phase == EXPECT_NONE || e->phase == i)
            sum += r->phase_seconds[i];
    return sum;
}

static void find_origin(const struct expectation *e, const struct load_plan *plan,
                        const struct run_result *r, struct expect_facts *f)
{
    size_t from = e->phase == EXPECT_NONE ? 0 : e->phase;
    size_t to = e->phase == EXPECT_NONE ? plan->phase_count : e->phase + 1;
    f->origin_known = r->origin_at[from] != UINT64_MAX && r->origin_at[to] != UINT64_MAX;
    f->origin_requests = f->origin_known ? r->origin_at[to] - r->origin_at[from] : 0;
}

/* The first "no" counts most, then the first "unknown". Without any 429 there is nothing to be
 * honest about, and an expectation about nothing fails. */
static void find_honesty(const struct expectation *e, const struct run_result *r,
                         struct expect_facts *f)
{
    const struct stats_group *g =
        e->request == EXPECT_NONE ? &r->stats.whole : &r->stats.requests[e->request];
    f->honest = 0;
    f->honest_text = "there was no 429";
    if (g->broken_retry_after) {
        f->honest_text = "429 came without a Retry-After of whole seconds above 0";
        return;
    }
    bool any = false;
    for (size_t i = 0; i < r->probe_count; i++) {
        const struct run_probe *p = &r->probes[i];
        if ((e->request != EXPECT_NONE && e->request != p->request) ||
            (any && p->verdict.honest != 0 && f->honest <= p->verdict.honest))
            continue;
        any = true;
        f->honest = p->verdict.honest;
        f->honest_text = p->verdict.text;
        if (!f->honest)
            return;
    }
}

/* ---- items ---- */

static struct outcome_item *add_item(struct outcome *o, const char *kind, struct gw_str text,
                                     struct gw_str seen, enum expect_outcome outcome)
{
    struct outcome_item *item = &o->items[o->count++];
    *item = (struct outcome_item){.text = gw_arena_dup(&o->arena, text),
                                  .seen = gw_arena_dup(&o->arena, seen),
                                  .kind = kind,
                                  .phase = EXPECT_NONE,
                                  .outcome = outcome};
    o->failed += outcome == EXPECT_FAILED;
    return item;
}

static void judge(struct outcome *o, const struct load_plan *plan, const struct run_result *r,
                  const struct expectation *e)
{
    char space[SEEN_MAX];
    struct gw_buf seen = gw_buf_over(space, sizeof(space));
    struct expect_facts facts = {.seconds = scope_seconds(e, plan, r)};
    if (e->kind == EXPECT_ORIGIN)
        find_origin(e, plan, r, &facts);
    if (e->kind == EXPECT_HONEST)
        find_honesty(e, r, &facts);
    enum expect_outcome outcome = expect_judge(e, &facts, &seen);
    add_item(o, expect_kind_name(e->kind), e->text, gw_buf_str(&seen), outcome)->phase = e->phase;
}

/* A call that the plan makes is expected to work: a purge that failed would make the rest a lie. */
static void judge_action(struct outcome *o, const struct run_action *a)
{
    char text[512], seen[128];
    bool fine = !a->err && a->status / 100 == 2;
    struct gw_buf call = gw_buf_over(text, sizeof(text)), said = gw_buf_over(seen, sizeof(seen));
    gw_buf_printf(&call, "%.*s %.*s works", GW_STR_ARG(a->action->method),
                  GW_STR_ARG(a->action->path));
    if (a->err)
        gw_buf_add(&said, gw_str_z(gw_strerror(a->err)));
    else
        gw_buf_printf(&said, "the admin listener answered %u", a->status);
    add_item(o, "call", gw_buf_str(&call), gw_buf_str(&said), fine ? EXPECT_HELD : EXPECT_FAILED)
        ->phase = a->phase;
}

/* What makes the rest meaningless comes first: a generator that was the limit neither passed
 * nor failed anything, and one promise that was broken is enough, whatever could not be checked. */
static enum load_verdict decide(struct outcome *o, const struct run_result *r)
{
    char space[SEEN_MAX];
    struct gw_buf why = gw_buf_over(space, sizeof(space));
    if (r->interrupted)
        return LOAD_INTERRUPTED;
    if (stats_inconclusive(&r->stats, &why)) {
        o->why = gw_arena_dup(&o->arena, gw_buf_str(&why));
        return LOAD_INCONCLUSIVE;
    }
    if (o->failed)
        return LOAD_FAILED;
    for (size_t i = 0; i < o->count; i++)
        if (o->items[i].outcome == EXPECT_UNKNOWN) {
            o->why = GW_STR("an expectation could not be checked");
            return LOAD_INCONCLUSIVE;
        }
    return o->count ? LOAD_PASSED : LOAD_DONE;
}

void outcome_init(struct outcome *o, const struct load_plan *plan, const struct run_result *r)
{
    *o = (struct outcome){0};
    gw_arena_init(&o->arena, NULL, 0, 0);
    size_t room = plan->expectation_count + r->action_count + 1;
    o->items = gw_arena_zalloc(&o->arena, room * sizeof(*o->items));
    for (size_t i = 0; i < plan->expectation_count; i++)
        judge(o, plan, r, &plan->expectations[i]);
    for (size_t i = 0; i < r->action_count; i++)
        judge_action(o, &r->actions[i]);
    o->verdict = decide(o, r);
}

void outcome_release(struct outcome *o)
{
    gw_arena_clear(&o->arena);
}
