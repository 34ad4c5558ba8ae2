/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* The inside of world and worker, for the files that serve them: limiter (immediate decisions),
 * decision (those that take time) and state (the admin's view). */
#include "gateway/net/clock_timer.h"
#include "limiter/backend_redis.h"

struct limiter_world {
    struct embedded *local;         /* the backend, or what counts while Redis is away */
    struct redis_pool *pool;        /* NULL: the embedded backend */
    struct config_limiter settings; /* for asks that bring none; without the backend's texts */
    enum gw_clock_mode clock;
};

struct limiter_worker {
    struct limiter_world *world;
    struct gw_loop *loop;
    struct redis_backend *redis; /* NULL: the embedded backend */
    struct clock_timers *timers;
    struct gw_list decisions; /* struct decision under way … */
    struct gw_list ended;     /* … and those whose answer is to be given */
    size_t decision_count;    /* of both */
    struct gw_task deliver;
    bool closing;
    struct gw_task close_task;
    void (*closed)(void *ctx);
    void *closed_ctx;
};

static inline const struct config_limiter *limiter_settings(const struct limiter_worker *worker,
                                                            const struct limiter_ask *ask)
{
    return ask->settings ? ask->settings : &worker->world->settings;
}
