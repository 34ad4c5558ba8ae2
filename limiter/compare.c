/* SPDX-License-Identifier: Apache-2.0 */
#include "limiter/compare.h"

#include "limiter/matrix.h"
#include "limiter/store.h"

/* One store at work on the call. */
struct judge {
    struct limiter_call call;
    struct comparison *comparison;
    enum limiter_store store;
};

/* One call before all stores; freed by its last verdict. */
struct comparison {
    struct limiter_worker *worker;
    struct matrix_arrival arrival;
    enum limiter_store own;
    struct gw_list waiting; /* the caller's call, while the own store takes its time */
    uint64_t start_ms;      /* monotonic */
    unsigned open;          /* verdicts to come, and one while asking */
    struct judge judges[LIMITER_STORES];
    char key[];
};

/* ---- the tally ---- */

/* Each worker remembers the tallies it used last: the matrix is asked again only after a reload
 * that changed the limiter. */
static struct matrix_tally *tally_of(struct limiter_worker *worker, const struct limiter *limiter)
{
    struct matrix_tally *t = gw_map_get(&worker->tallies, limiter->name);
    if (t && matrix_fits(t, limiter))
        return t;
    if (worker->tallies.count > MATRIX_LIMITERS_MAX) { /* names of limiters that are gone */
        gw_map_release(&worker->tallies);
        gw_map_init(&worker->tallies);
    }
    t = matrix_open(worker->world->matrix, limiter);
    gw_map_put(&worker->tallies, limiter->name, t);
    return t;
}

/* What the simulation says is exact, however late the loop was; a real Redis was only waited for.
 */
static uint32_t waited_ms(const struct comparison *c, const struct limiter_verdict *v)
{
    const struct limiter_worker *worker = c->worker;
    if (v->took_ms || worker->world->clock != GW_CLOCK_SYSTEM)
        return v->took_ms;
    uint64_t waited = gw_loop_now(worker->loop).mono_ms - c->start_ms;
    return (uint32_t)gw_min_u64(waited, UINT32_MAX);
}

static void record(const struct comparison *c, enum limiter_store store,
                   const struct limiter_verdict *v)
{
    if (c->worker->closing)
        return; /* given up, not judged */
    bool failed = v->outcome == LIMITER_ERROR || v->outcome == LIMITER_UNAVAILABLE ||
                  v->fault != LIMITER_NO_FAULT;
    const struct matrix_verdict verdict = {
        .store = store,
        .admitted = v->outcome == LIMITER_ADMIT && !v->would_deny,
        .failed = failed,
        .waited_ms = waited_ms(c, v),
        .kv = v->kv,
    };
    matrix_judge(&c->arrival, &verdict);
}

/* ---- life ---- */

static void comparison_close(struct comparison *c)
{
    if (--c->open)
        return;
    c->worker->comparisons--;
    free(c);
}

/* The caller is told last: its callback may do anything. */
static void on_verdict(struct limiter_call *call, const struct limiter_verdict *verdict)
{
    const struct judge *judge = gw_container_of(call, struct judge, call);
    struct comparison *c = judge->comparison;
    record(c, judge->store, verdict);
    struct gw_list *waiting = judge->store == c->own ? gw_list_pop(&c->waiting) : NULL;
    comparison_close(c);
    if (waiting) {
        struct limiter_call *caller = gw_list_entry(waiting, struct limiter_call, link);
        caller->done(caller, verdict);
    }
}

static struct comparison *comparison_new(struct limiter_worker *worker, struct matrix_tally *t,
                                         const struct limiter_ask *ask)
{
    struct comparison *c = gw_zalloc(sizeof(*c) + ask->key.len);
    if (ask->key.len)
        memcpy(c->key, ask->key.ptr, ask->key.len);
    c->worker = worker;
    c->own = ask->limiter->store;
    c->start_ms = gw_loop_now(worker->loop).mono_ms;
    c->open = 1;
    c->arrival = matrix_arrive(t, gw_str(c->key, ask->key.len), &ask->place, ask->now_ms);
    gw_list_init(&c->waiting);
    worker->comparisons++;
    return c;
}

/* ---- asking ---- */

static enum limiter_outcome ask_store(struct comparison *c, const struct limiter_ask *ask,
                                      struct limiter_verdict *out)
{
    enum limiter_store store = ask->limiter->store;
    struct judge *judge = &c->judges[store];
    *judge = (struct judge){.call.done = on_verdict, .comparison = c, .store = store};
    enum limiter_outcome outcome = decide_alone(c->worker, ask, &judge->call, out);
    if (outcome == LIMITER_WAIT)
        c->open++;
    else
        record(c, store, out);
    return outcome;
}

static void ask_shadow(struct comparison *c, const struct limiter_ask *ask,
                       enum limiter_store store)
{
    char name[STORAGE_NAME_MAX];
    struct limiter shadow = *ask->limiter;
    struct limiter_ask beside = *ask;
    struct limiter_verdict verdict;
    shadow.name = shadow_name(shadow.name, store, name);
    shadow.store = store;
    shadow.mode = LIMITER_ENFORCE;
    beside.limiter = &shadow;
    enum limiter_outcome outcome = ask_store(c, &beside, &verdict);
    (void)outcome; /* nobody acts on it */
}

static bool has_room(const struct limiter_worker *worker)
{
    return worker->comparisons < COMPARE_UNDER_WAY_MAX &&
           worker->decision_count < LIMITER_DECISIONS_MAX / 2;
}

enum limiter_outcome compare_decide(struct limiter_worker *worker, const struct limiter_ask *ask,
                                    struct limiter_call *call, struct limiter_verdict *out)
{
    const struct limiter *limiter = ask->limiter;
    struct matrix_tally *t = tally_of(worker, limiter);
    if (!has_room(worker)) {
        matrix_skip(t);
        return decide_alone(worker, ask, call, out);
    }
    struct comparison *c = comparison_new(worker, t, ask);
    enum limiter_outcome outcome = ask_store(c, ask, out);
    if (outcome == LIMITER_WAIT)
        gw_list_push(&c->waiting, &call->link);
    for (unsigned store = 0; store < LIMITER_STORES; store++)
        if (store != limiter->store && limiter->compare & UINT32_C(1) << store)
            ask_shadow(c, ask, (enum limiter_store)store);
    comparison_close(c);
    return outcome;
}
