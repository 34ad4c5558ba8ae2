/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* The inside of world and worker, for the two files that serve them: limiter (decisions) and state
 * (the admin's view). */
#include "limiter/backend_redis.h"

struct limiter_world {
    struct embedded *counters; /* the backend, or what counts while Redis is away */
    struct redis_pool *pool;   /* NULL: the embedded backend */
};

struct limiter_worker {
    struct limiter_world *world;
    struct gw_loop *loop;
    struct redis_backend *redis; /* NULL: the embedded backend */
    struct gw_task close_task;
    void (*closed)(void *ctx);
    void *closed_ctx;
};
