/* SPDX-License-Identifier: Apache-2.0 */
#include "limiter/limiter.h"

#include "limiter/limiter_inside.h"
#include "limiter/store.h"
#include "limiter/verdict.h"

struct limiter_world *limiter_world_new(const struct config_limiter *settings,
                                        enum gw_clock_mode clock)
{
    struct limiter_world *world = gw_zalloc(sizeof(*world));
    world->counters = embedded_new(LIMITER_KEYS_MAX);
    if (settings->backend.kind == CONFIG_BACKEND_REDIS)
        world->pool = redis_pool_new(settings, clock, world->counters);
    return world;
}

void limiter_world_free(struct limiter_world *world)
{
    if (!world)
        return;
    redis_pool_free(world->pool);
    embedded_free(world->counters);
    free(world);
}

void limiter_world_health(struct limiter_world *world, struct limiter_health *out)
{
    *out = (struct limiter_health){.up = true};
    embedded_count(world->counters, &out->keys, &out->evictions);
    if (world->pool)
        redis_pool_health(world->pool, out);
}

struct limiter_worker *limiter_worker_new(struct limiter_world *world, struct gw_loop *loop)
{
    struct limiter_worker *worker = gw_zalloc(sizeof(*worker));
    worker->world = world;
    worker->loop = loop;
    if (world->pool)
        worker->redis = redis_backend_new(world->pool, loop);
    return worker;
}

static void on_closed(void *ctx)
{
    struct limiter_worker *worker = ctx;
    void (*closed)(void *) = worker->closed;
    void *closed_ctx = worker->closed_ctx;
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
    if (worker->redis) {
        redis_backend_close(worker->redis, on_closed, worker);
        return;
    }
    gw_task_init(&worker->close_task, on_closed_turn);
    gw_loop_defer(worker->loop, &worker->close_task);
}

enum limiter_outcome limiter_decide(struct limiter_worker *worker, const struct limiter_ask *ask,
                                    struct limiter_call *call, struct limiter_verdict *out)
{
    const struct limiter *limiter = ask->limiter;
    if (limiter->mode == LIMITER_OFF) {
        *out = (struct limiter_verdict){.outcome = LIMITER_ADMIT, .limit = limiter->rule.limit};
        return LIMITER_ADMIT;
    }
    char key[STORAGE_KEY_MAX];
    bool shadow = limiter->mode == LIMITER_SHADOW;
    struct redis_ask stored = {storage_key(ask, key), limiter->rule, ask->now_ms, shadow};
    if (worker->redis)
        return redis_decide(worker->redis, &stored, call, out);
    struct window w;
    bool admitted =
        embedded_take(worker->world->counters, stored.key, stored.rule, 1, stored.now_ms, &w) > 0;
    *out = verdict_of(&w, admitted, stored.rule, stored.now_ms, shadow);
    return out->outcome;
}

void limiter_cancel(struct limiter_call *call)
{
    gw_list_remove(&call->link);
}
