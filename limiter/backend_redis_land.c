/* SPDX-License-Identifier: Apache-2.0 */
/* How flights end: with Redis's answer, or by the failure policy. A done callback may close the
 * worker; what follows one here touches only what lives until the backend is gone. */
#include "limiter/backend_redis_flight.h"
#include "limiter/verdict.h"

/* "memory" goes on counting in this process: while Redis is away a limit holds for each process by
 * itself. Admissions of the other policies are not counted, so that nothing of an outage is left
 * over. */
struct limiter_verdict redis_by_policy(struct redis_pool *pool, const struct redis_ask *ask)
{
    if (pool->failure != CONFIG_FAIL_MEMORY)
        return verdict_uncounted(ask->rule.limit, pool->failure == CONFIG_FAIL_ALLOW, ask->shadow);
    struct window w;
    bool admitted = embedded_take(pool->local, ask->key, ask->rule, 1, ask->now_ms, &w) > 0;
    struct limiter_verdict v = verdict_of(&w, admitted, ask->rule, ask->now_ms, ask->shadow);
    v.degraded = true;
    return v;
}

void redis_flight_free(struct redis_flight *f)
{
    gw_list_remove(&f->link);
    f->backend->flights--;
    free(f);
}

static struct limiter_call *next_call(struct redis_flight *f)
{
    struct gw_list *link = gw_list_pop(&f->calls);
    return link ? gw_list_entry(link, struct limiter_call, link) : NULL;
}

static void op_end(struct redis_flight *f, const uint64_t answer[4])
{
    struct redis_op *op = f->op;
    redis_flight_free(f); /* first: `done` may ask for the next operation at once */
    op->answered = answer != NULL;
    if (answer)
        memcpy(op->answer, answer, sizeof(op->answer));
    op->done(op);
}

void redis_flight_fail(struct redis_flight *f)
{
    struct redis_pool *pool = f->backend->pool;
    if (f->op) {
        op_end(f, NULL);
        return;
    }
    for (struct limiter_call *call; (call = next_call(f));) {
        struct redis_ask ask = {gw_str(f->key, f->key_len), f->rule, f->now_ms, call->shadow};
        struct limiter_verdict v = redis_by_policy(pool, &ask);
        call->done(call, &v);
    }
    redis_flight_free(f);
}

void redis_flights_fail(struct gw_list *flights)
{
    for (struct gw_list *link; (link = gw_list_pop(flights));)
        redis_flight_fail(redis_flight_at(link));
}

void redis_flights_fail_pending(struct redis_node *node)
{
    struct gw_list batch;
    memset(node->backend->buckets, 0, sizeof(node->backend->buckets));
    gw_list_take(&batch, &node->pending);
    redis_flights_fail(&batch);
}

/* How far the node's clock is ahead of ours, for releasing remembered refusals on time. An error
 * delays a release by that much at most: releasing early only means asking Redis. */
static void learn_offset(struct redis_node *node, uint64_t redis_ms)
{
    int64_t sample = (int64_t)(redis_ms - gw_loop_now(node->backend->loop).wall_ms);
    int64_t error = sample - node->offset_ms;
    bool stepped = !node->offset_known || error > 1000 || error < -1000;
    node->offset_ms += stepped ? error : error / 8;
    node->offset_known = true;
}

/* The first `granted` calls are admitted, and counted up to what the window holds now. */
static void land_calls(struct redis_flight *f, uint32_t granted, struct window w, uint64_t now_ms)
{
    struct redis_backend *b = f->backend;
    if (!b->pool->is_virtual)
        learn_offset(f->node, now_ms);
    bool is_current = f->node->subscribed && f->generation == b->generation;
    if (is_current && window_is_full(&w, f->rule.limit, now_ms))
        table_put(&b->denied, (struct table_key){gw_str(f->key, f->key_len), f->hash}, &w, now_ms);
    struct window at_call = {w.reset_at_ms, w.count - granted};
    for (struct limiter_call *call; (call = next_call(f));) {
        bool admitted = at_call.count < w.count;
        at_call.count += admitted;
        struct limiter_verdict v = verdict_of(&at_call, admitted, f->rule, now_ms, call->shadow);
        call->done(call, &v);
    }
    redis_flight_free(f);
}

void redis_flight_land(struct redis_flight *f, const uint64_t n[4])
{
    if (f->op)
        op_end(f, n);
    else
        land_calls(f, (uint32_t)n[0], (struct window){n[2], (uint32_t)n[1]}, n[3]);
}

/* ---- the deadline of the oldest flight ---- */

static const struct redis_flight *oldest(const struct redis_node *node)
{
    const struct gw_list *list = gw_list_empty(&node->sent) ? &node->pending : &node->sent;
    return gw_list_empty(list) ? NULL : redis_flight_at(list->next);
}

/* Of `node`'s oldest flight; the age of none is 0. */
static uint64_t age_ms(const struct redis_node *node)
{
    const struct redis_flight *f = node ? oldest(node) : NULL;
    return f ? gw_loop_real_ms(node->backend->loop) - f->born_ms : 0;
}

/* Once: if the answers are not there after the sockets were read, nobody is going to send them. */
static bool is_loop_late(struct redis_backend *b, uint64_t oldest_ms)
{
    b->overslept = oldest_ms > LIMITER_DEADLINE_MS + 2 * GW_DEADLINE_TICK_MS && !b->overslept;
    return b->overslept;
}

void redis_flights_on_deadline(struct gw_deadline *deadline)
{
    struct redis_backend *b = gw_container_of(deadline, struct redis_backend, deadline);
    uint64_t oldest_ms = age_ms(b->seed);
    for (size_t i = 0; i < REDIS_NODES_MAX; i++)
        oldest_ms = gw_max_u64(oldest_ms, age_ms(b->nodes[i]));
    if (oldest_ms >= LIMITER_DEADLINE_MS) {
        /* This loop was stopped or stalled: the answers may lie in the sockets, unread. */
        if (is_loop_late(b, oldest_ms)) {
            gw_deadline_set(b->loop, deadline, 1);
            return;
        }
        static const char reason[] = "no answer within the deadline";
        if (age_ms(b->seed) >= LIMITER_DEADLINE_MS)
            redis_link_fail(b->seed->commands, reason);
        for (size_t i = 0; i < REDIS_NODES_MAX; i++)
            if (age_ms(b->nodes[i]) >= LIMITER_DEADLINE_MS)
                redis_link_fail(b->nodes[i]->commands, reason);
        oldest_ms = 0;
    }
    if (b->flights && !b->closed)
        gw_deadline_set(b->loop, deadline, LIMITER_DEADLINE_MS - oldest_ms);
}
