/* SPDX-License-Identifier: Apache-2.0 */
/* The rate limiting binding (binding.h): it answers at once; for each admission a decision without
 * a caller goes on, which tells the edge's counter when the lag has passed. */
#include "limiter/decision.h"
#include "limiter/store.h"
#include "limiter/verdict.h"

static enum decision_progress told(struct decision *d)
{
    const struct binding_ask ask = {d->key, d->other, d->rule, d->now_ms};
    struct window counter = {d->taken.reset_at_ms, d->taken.count};
    if (counter.reset_at_ms)
        binding_told(d->worker->world->local->binding, &ask, &counter);
    return DECISION_DONE;
}

/* The counter is told of the instant at which the call was admitted: its window begins with the
 * first call, not with the first message. */
static enum decision_progress tell(struct decision *d)
{
    const struct binding_ask ask = {d->key, d->other, d->rule, d->now_ms};
    if (!binding_has_news(d->worker->world->local->binding, &ask))
        return DECISION_DONE;
    d->at_ms = d->now_ms;
    return decision_take(d, d->key, d->rule, told);
}

static enum decision_progress begin(struct decision *d)
{
    return decision_after(d, BINDING_LAG_MS, tell);
}

/* When there are too many, the machine goes on knowing alone. */
static void tell_later(struct limiter_worker *worker, const struct limiter_ask *ask,
                       const struct binding_ask *admission)
{
    struct limiter_verdict ignored;
    struct decision *d = decision_new(worker, ask, admission->edge, admission->machine, &ignored);
    if (!d)
        return;
    d->step = begin;
    enum limiter_outcome outcome = decision_start(d, NULL, &ignored);
    (void)outcome; /* it waits */
}

enum limiter_outcome decide_binding(struct limiter_worker *worker, const struct limiter_ask *ask,
                                    struct limiter_verdict *out)
{
    const struct limiter *limiter = ask->limiter;
    char edge[STORAGE_KEY_MAX], machine[STORAGE_KEY_MAX];
    const struct binding_ask believed = {
        .edge = storage_key(ask, edge),
        .machine = storage_key_of(limiter->name, &ask->place, ask->key, machine),
        .rule = limiter->rule,
        .now_ms = ask->now_ms,
    };
    struct window w;
    decisions_catch_up(worker);
    bool admitted = binding_take(worker->world->local->binding, &believed, &w);
    *out = verdict_of(&w, admitted, limiter->rule, ask->now_ms, limiter->mode == LIMITER_SHADOW);
    if (admitted)
        tell_later(worker, ask, &believed);
    return out->outcome;
}
