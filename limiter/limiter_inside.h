/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* The inside of world and worker, for the files that serve them: limiter (immediate decisions),
 * decision (those that take time), compare (several stores at once) and state (the admin's view).
 * Thread: the world any, a worker its loop's. Owns: the world backend and pool, a worker its
 * decisions. */
#include "gateway/base/map.h"
#include "gateway/net/clock_timer.h"
#include "limiter/backend_redis.h"

struct limiter_world {
    struct embedded *local;         /* the backend, or what counts while Redis is away */
    struct redis_pool *pool;        /* NULL: the embedded backend */
    struct config_limiter settings; /* for asks that bring none; without the backend's texts */
    enum gw_clock_mode clock;
    struct matrix *matrix;
};

struct limiter_worker {
    struct limiter_world *world;
    struct gw_loop *loop;
    struct redis_backend *redis; /* NULL: the embedded backend */
    struct clock_timers *timers;
    struct gw_list decisions; /* struct decision under way … */
    struct gw_list ended;     /* … and those whose answer is to be given */
    size_t decision_count;    /* of both */
    struct gw_map tallies;    /* limiter name -> struct matrix_tally, those used last */
    size_t comparisons;       /* under way */
    struct gw_task deliver;
    bool closing;
    struct gw_task close_task;
    void (*closed)(void *ctx);
    void *closed_ctx;
};

/* By the limiter's own store alone; as limiter_decide. The mode is not off. */
GW_MUST enum limiter_outcome decide_alone(struct limiter_worker *worker,
                                          const struct limiter_ask *ask, struct limiter_call *call,
                                          struct limiter_verdict *out);

static inline const struct config_limiter *limiter_settings(const struct limiter_worker *worker,
                                                            const struct limiter_ask *ask)
{
    return ask->settings ? ask->settings : &worker->world->settings;
}
