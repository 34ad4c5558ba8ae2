/* SPDX-License-Identifier: Apache-2.0 */
#include "limiter/limiter.h"

#include "limiter/compare.h"
#include "limiter/decision.h"
#include "limiter/matrix.h"
#include "limiter/store.h"
#include "limiter/verdict.h"

struct limiter_world *limiter_world_new(const struct config_limiter *settings,
                                        enum gw_clock_mode clock)
{
    struct limiter_world *world = gw_zalloc(sizeof(*world));
    world->local = embedded_new(LIMITER_KEYS_MAX);
    world->matrix = matrix_new();
    world->clock = clock;
    world->settings = *settings;
    world->settings.backend = (struct config_backend){.kind = settings->backend.kind};
    if (settings->backend.kind == CONFIG_BACKEND_REDIS)
        world->pool = redis_pool_new(settings, clock, world->local);
    return world;
}

void limiter_world_free(struct limiter_world *world)
{
    if (!world)
        return;
    redis_pool_free(world->pool);
    embedded_free(world->local);
    matrix_free(world->matrix);
    free(world);
}

void limiter_world_health(struct limiter_world *world, struct limiter_health *out)
{
    *out = (struct limiter_health){.up = true};
    embedded_count(world->local, &out->keys, &out->evictions);
    if (world->pool)
        redis_pool_health(world->pool, out);
}

struct limiter_worker *limiter_worker_new(struct limiter_world *world, struct gw_loop *loop)
{
    struct limiter_worker *worker = gw_zalloc(sizeof(*worker));
    worker->world = world;
    worker->loop = loop;
    worker->timers = clock_timers_new(loop, world->clock);
    gw_list_init(&worker->decisions);
    gw_list_init(&worker->ended);
    gw_map_init(&worker->tallies);
    gw_task_init(&worker->deliver, decisions_deliver);
    if (world->pool)
        worker->redis = redis_backend_new(world->pool, loop);
    return worker;
}

/* Last: with Redis its connections are gone by now. Answers that are due are still given, for their
 * owners wait for exactly one. */
static void on_closed(void *ctx)
{
    struct limiter_worker *worker = ctx;
    void (*closed)(void *) = worker->closed;
    void *closed_ctx = worker->closed_ctx;
    gw_task_cancel(&worker->deliver);
    decisions_deliver(&worker->deliver);
    clock_timers_free(worker->timers);
    gw_map_release(&worker->tallies);
    free(worker);
    if (closed)
        closed(closed_ctx);
}

static void on_closed_turn(struct gw_task *task)
{
    on_closed(gw_container_of(task, struct limiter_worker, close_task));
}

void limiter_worker_close(struct limiter_worker *worker, void (*done)(void *ctx), void *ctx)
{
    if (!worker)
        return;
    worker->closed = done;
    worker->closed_ctx = ctx;
    decisions_close(worker);
    if (worker->redis) {
        redis_backend_close(worker->redis, on_closed, worker);
        return;
    }
    gw_task_init(&worker->close_task, on_closed_turn);
    gw_loop_defer(worker->loop, &worker->close_task);
}

/* Without latency and without a ceiling an object is one window, judged at once (spec/limiter.md
 * b2). */
static bool object_takes_time(const struct config_limiter *settings)
{
    return settings->durable_object.latency_ms || settings->durable_object.requests_per_second;
}

/* One window, here or in Redis. */
static enum limiter_outcome decide_at_once(struct limiter_worker *worker,
                                           const struct limiter_ask *ask, struct limiter_call *call,
                                           struct limiter_verdict *out)
{
    const struct limiter *limiter = ask->limiter;
    char key[STORAGE_KEY_MAX];
    bool shadow = limiter->mode == LIMITER_SHADOW;
    struct redis_ask stored = {storage_key(ask, key), limiter->rule, ask->now_ms, shadow};
    if (worker->redis)
        /* Redis judges by its own clock, which all gateways share, unless ours is virtual. */
        return redis_decide(worker->redis, &stored, call, out);
    struct window w;
    bool admitted =
        embedded_take(worker->world->local, stored.key, stored.rule, 1, stored.now_ms, &w) > 0;
    *out = verdict_of(&w, admitted, stored.rule, stored.now_ms, shadow);
    return out->outcome;
}

enum limiter_outcome decide_alone(struct limiter_worker *worker, const struct limiter_ask *ask,
                                  struct limiter_call *call, struct limiter_verdict *out)
{
    switch (ask->limiter->store) {
    case LIMITER_KV:
        return decide_kv(worker, ask, call, out);
    case LIMITER_BINDING:
        return decide_binding(worker, ask, out);
    case LIMITER_DURABLE_OBJECT:
        return object_takes_time(limiter_settings(worker, ask))
                   ? decide_object(worker, ask, call, out)
                   : decide_at_once(worker, ask, call, out);
    case LIMITER_MEMORY:
        break;
    }
    return decide_at_once(worker, ask, call, out);
}

enum limiter_outcome limiter_decide(struct limiter_worker *worker, const struct limiter_ask *ask,
                                    struct limiter_call *call, struct limiter_verdict *out)
{
    const struct limiter *limiter = ask->limiter;
    if (limiter->mode == LIMITER_OFF) {
        *out = (struct limiter_verdict){.outcome = LIMITER_ADMIT, .limit = limiter->rule.limit};
        return LIMITER_ADMIT;
    }
    return limiter->compare ? compare_decide(worker, ask, call, out)
                            : decide_alone(worker, ask, call, out);
}

/* Whoever holds the list of calls (a flight, a decision, a comparison) goes on without this one:
 * what was sent is counted. */
void limiter_cancel(struct limiter_call *call)
{
    gw_list_remove(&call->link);
}

struct matrix *limiter_world_matrix(struct limiter_world *world)
{
    return world->matrix;
}
