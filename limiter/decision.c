/* SPDX-License-Identifier: Apache-2.0 */
#include "limiter/decision.h"

#include "limiter/verdict.h"

/* ---- life ---- */

static void on_timer(struct clock_timer *timer)
{
    decision_resume(gw_container_of(timer, struct decision, timer));
}

static void on_taken(struct limiter_call *call, const struct limiter_verdict *verdict)
{
    struct decision *d = gw_container_of(call, struct decision, take);
    d->taken = *verdict;
    decision_resume(d);
}

static void on_op(struct redis_op *op)
{
    decision_resume(gw_container_of(op, struct decision, op));
}

static struct gw_str keep(char **at, struct gw_str text)
{
    struct gw_str kept = gw_str(*at, text.len);
    if (text.len)
        memcpy(*at, text.ptr, text.len);
    *at += text.len;
    return kept;
}

struct decision *decision_new(struct limiter_worker *worker, const struct limiter_ask *ask,
                              struct gw_str key, struct gw_str other, struct limiter_verdict *out)
{
    const struct limiter *limiter = ask->limiter;
    bool shadow = limiter->mode == LIMITER_SHADOW;
    if (worker->decision_count >= LIMITER_DECISIONS_MAX) {
        /* Whoever floods a slow store meets what Cloudflare has for that, an overloaded object
         * (spec/limiter.md b2), and not our memory's end. */
        *out = verdict_fault(limiter->rule.limit, LIMITER_OBJECT_QUEUE, 0);
        verdict_soften(out, shadow);
        return NULL;
    }
    struct decision *d = gw_alloc(sizeof(*d) + ask->place.edge.len + key.len + other.len);
    *d = (struct decision){
        .worker = worker,
        /* Asks bring the wall clock, timers run on the monotonic one: what lies between them is
         * fixed here, so that a step of the wall clock moves no instant of this decision. */
        .offset_ms = gw_loop_now(worker->loop).mono_ms - ask->now_ms,
        .now_ms = ask->now_ms,
        .at_ms = ask->now_ms,
        .rule = limiter->rule,
        .shadow = shadow,
        .take.done = on_taken,
        .op.done = on_op,
    };
    char *at = d->text;
    d->edge = keep(&at, ask->place.edge);
    d->key = keep(&at, key);
    d->other = keep(&at, other);
    gw_list_init(&d->calls);
    clock_timer_init(&d->timer, on_timer);
    gw_list_init(&d->link);
    gw_list_push(&worker->decisions, &d->link);
    worker->decision_count++;
    return d;
}

static void decision_free(struct decision *d)
{
    gw_list_remove(&d->link);
    d->worker->decision_count--;
    free(d);
}

/* ---- running ---- */

static bool run(struct decision *d)
{
    enum decision_progress progress;
    do {
        progress = d->step(d);
    } while (progress == DECISION_MORE);
    if (progress == DECISION_DONE) {
        verdict_soften(&d->verdict, d->shadow);
        d->verdict.took_ms = (uint32_t)gw_min_u64(d->at_ms - d->now_ms, UINT32_MAX);
    }
    return progress == DECISION_DONE;
}

void decisions_catch_up(struct limiter_worker *worker)
{
    clock_timers_run(worker->timers, gw_loop_now(worker->loop).mono_ms);
}

/* Timers whose instant has come but whose turn has not go first: they happened before this ask. */
enum limiter_outcome decision_start(struct decision *d, struct limiter_call *call,
                                    struct limiter_verdict *out)
{
    decisions_catch_up(d->worker);
    if (!run(d)) {
        if (call)
            gw_list_push(&d->calls, &call->link);
        return LIMITER_WAIT;
    }
    *out = d->verdict;
    decision_free(d);
    return out->outcome;
}

/* Off the list of those under way first: the worker's close gives up only what still is. */
static void end(struct decision *d)
{
    struct limiter_worker *worker = d->worker;
    gw_list_remove(&d->link);
    gw_list_push(&worker->ended, &d->link);
    gw_loop_defer(worker->loop, &worker->deliver);
}

/* The worker ends: nobody will know what the store would have said. */
static void give_up(struct decision *d)
{
    bool admits = d->worker->world->settings.on_backend_failure != CONFIG_FAIL_DENY;
    d->verdict = verdict_uncounted(d->rule.limit, admits, d->shadow);
    end(d);
}

void decision_resume(struct decision *d)
{
    if (d->worker->closing)
        give_up(d);
    else if (run(d))
        end(d);
}

void decisions_deliver(struct gw_task *task)
{
    struct limiter_worker *worker = gw_container_of(task, struct limiter_worker, deliver);
    struct gw_list batch;
    gw_list_take(&batch, &worker->ended);
    for (struct gw_list *link; (link = gw_list_pop(&batch));) {
        struct decision *d = gw_list_entry(link, struct decision, link);
        struct gw_list *waiting = gw_list_pop(&d->calls);
        struct limiter_verdict verdict = d->verdict;
        /* First: who is answered may ask anew, and must not find this one still counted. */
        decision_free(d);
        if (waiting) {
            struct limiter_call *call = gw_list_entry(waiting, struct limiter_call, link);
            call->done(call, &verdict);
        }
    }
}

void decisions_close(struct limiter_worker *worker)
{
    worker->closing = true;
    struct gw_list batch;
    gw_list_take(&batch, &worker->decisions);
    for (struct gw_list *link; (link = gw_list_pop(&batch));) {
        struct decision *d = gw_list_entry(link, struct decision, link);
        /* It stays listed: one that waits for Redis is ended by redis_backend_close, one that is
         * given up moves on from here. */
        gw_list_push(&worker->decisions, link);
        if (!d->timer.place)
            continue; /* it waits for Redis */
        clock_timer_cancel(worker->timers, &d->timer);
        give_up(d);
    }
}

/* ---- for steps ---- */

enum decision_progress decision_after(struct decision *d, uint64_t delay_ms,
                                      enum decision_progress (*next)(struct decision *))
{
    d->step = next;
    if (delay_ms == 0)
        return DECISION_MORE;
    d->at_ms += delay_ms;
    clock_timer_set(d->worker->timers, &d->timer, d->at_ms + d->offset_ms);
    return DECISION_WAIT;
}

enum decision_progress decision_take(struct decision *d, struct gw_str key, struct window_rule rule,
                                     enum decision_progress (*next)(struct decision *))
{
    d->step = next;
    if (d->worker->redis) {
        const struct redis_ask ask = {key, rule, d->at_ms, false};
        enum limiter_outcome outcome = redis_decide(d->worker->redis, &ask, &d->take, &d->taken);
        return outcome == LIMITER_WAIT ? DECISION_WAIT : DECISION_MORE;
    }
    struct window w;
    bool admitted = embedded_take(d->worker->world->local, key, rule, 1, d->at_ms, &w) > 0;
    d->taken = verdict_of(&w, admitted, rule, d->at_ms, false);
    return DECISION_MORE;
}

enum decision_progress decision_fail(struct decision *d, enum limiter_fault fault, uint32_t value)
{
    /* What was asked of KV was asked, and is billed, although the decision fails. */
    struct limiter_kv_facts kv = d->verdict.kv;
    d->verdict = verdict_fault(d->rule.limit, fault, value);
    d->verdict.kv = kv;
    return DECISION_DONE;
}
