/* SPDX-License-Identifier: Apache-2.0 */
/* A Durable Object that is far away, or takes only so many requests a second (spec/limiter.md b2).
 * Half of the round trip passes before it counts, by its own clock; the other half before the
 * answer is back. Every request it is sent loads it, refused ones too; what is over the load is not
 * counted. */
#include "limiter/decision.h"
#include "limiter/store.h"

static enum decision_progress arrived(struct decision *d)
{
    (void)d; /* the verdict stands since the object gave it */
    return DECISION_DONE;
}

static enum decision_progress go_back(struct decision *d)
{
    return decision_after(d, d->object.latency_ms - d->object.latency_ms / 2, arrived);
}

static enum decision_progress counted(struct decision *d)
{
    d->verdict = d->taken;
    return go_back(d);
}

static enum decision_progress loaded(struct decision *d)
{
    if (d->taken.outcome == LIMITER_ADMIT)
        return decision_take(d, d->key, d->rule, counted);
    if (d->taken.outcome == LIMITER_DENY)
        decision_fail(d, LIMITER_OBJECT_OVERLOADED, 0);
    else
        d->verdict = d->taken;
    return go_back(d);
}

static enum decision_progress arrive(struct decision *d)
{
    if (!d->object.requests_per_second)
        return decision_take(d, d->key, d->rule, counted);
    struct window_rule load = {d->object.requests_per_second, 1000};
    return decision_take(d, d->other, load, loaded);
}

static enum decision_progress set_out(struct decision *d)
{
    return decision_after(d, d->object.latency_ms / 2, arrive);
}

enum limiter_outcome decide_object(struct limiter_worker *worker, const struct limiter_ask *ask,
                                   struct limiter_call *call, struct limiter_verdict *out)
{
    char key[STORAGE_KEY_MAX], load[STORAGE_KEY_MAX];
    struct decision *d = decision_new(worker, ask, storage_key(ask, key), load_key(ask, load), out);
    if (!d)
        return out->outcome;
    const struct config_limiter *settings = limiter_settings(worker, ask);
    d->object.latency_ms = settings->durable_object.latency_ms;
    d->object.requests_per_second = settings->durable_object.requests_per_second;
    d->step = set_out;
    return decision_start(d, call, out);
}
