/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* A world with the embedded backend and one worker on a virtual clock, and calls that may wait. The
 * clock stands still until a test moves it: what is due by then happens in the order of its
 * instants, so a simulation needs no turn of the loop until it wants its answers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "gateway/base/hash.h"
#include "gateway/net/loop.h"
#include "limiter/limiter.h"

struct world {
    struct gw_clock clock;
    struct gw_loop *loop;
    struct limiter_world *limiters;
    struct limiter_worker *worker;
    struct config_limiter settings; /* of every ask */
    struct gw_deadline tick;
    size_t waiting;
};

struct call {
    struct limiter_call call; /* first: done gets it back */
    struct world *world;
    struct limiter_verdict verdict;
    bool decided;
};

/* A limiter's own kv settings: none. */
static const struct limiter_kv kv_by_configuration = {-1, -1, -1, -1, -1, -1, -1, -1, 1};

static const struct config_limiter default_settings = {
    .kv = {.cache_ttl_s = 60,
           .negative_cache = true,
           .write_limit = CONFIG_KV_STRICT,
           .writes_per_key_per_second = 1,
           .seed = 1},
};

static inline void on_world_tick(struct gw_deadline *tick)
{
    struct world *w = gw_container_of(tick, struct world, tick);
    gw_loop_stop(w->loop);
}

static inline void world_open(struct world *w)
{
    *w = (struct world){.settings = default_settings};
    gw_clock_init(&w->clock, GW_CLOCK_VIRTUAL);
    w->loop = gw_loop_new(&w->clock);
    w->limiters = limiter_world_new(&default_settings, GW_CLOCK_VIRTUAL);
    w->worker = limiter_worker_new(w->limiters, w->loop);
    gw_deadline_init(&w->tick, on_world_tick);
}

static inline void stop_loop(void *loop)
{
    gw_loop_stop(loop);
}

static inline void world_close(struct world *w)
{
    limiter_worker_close(w->worker, stop_loop, w->loop);
    gw_loop_run(w->loop);
    gw_loop_free(w->loop);
    limiter_world_free(w->limiters);
}

static inline uint64_t world_now(struct world *w)
{
    return gw_loop_now(w->loop).wall_ms;
}

static inline void world_advance(struct world *w, uint64_t ms)
{
    assert_true(gw_clock_advance(&w->clock, ms));
}

static inline void on_call_decided(struct limiter_call *c, const struct limiter_verdict *v)
{
    struct call *call = (struct call *)c;
    assert_false(call->decided);
    call->decided = true;
    call->verdict = *v;
    if (--call->world->waiting == 0)
        gw_loop_stop(call->world->loop);
}

/* True when the answer was immediate. */
static inline bool world_ask(struct world *w, struct call *call, const struct limiter *limiter,
                             const char *key, struct limiter_place place)
{
    *call = (struct call){.call.done = on_call_decided, .world = w};
    struct limiter_ask ask = {limiter, gw_str_z(key), place, world_now(w), &w->settings};
    enum limiter_outcome outcome = limiter_decide(w->worker, &ask, &call->call, &call->verdict);
    call->decided = outcome != LIMITER_WAIT;
    w->waiting += outcome == LIMITER_WAIT;
    return call->decided;
}

/* Gives the loop the time for what is due, whoever waits: some polls of the clock. */
static inline void world_turn(struct world *w)
{
    gw_deadline_set(w->loop, &w->tick, 1);
    gw_loop_run(w->loop);
}

/* Everybody who waits gets an answer, the clock as it stands. */
static inline void world_settle(struct world *w)
{
    while (w->waiting)
        gw_loop_run(w->loop);
}
