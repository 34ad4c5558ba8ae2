/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* The admin's view of the counters, in the app's own shapes (spec/limiter.md a5): list what a
 * limiter has counted, and forget one key, in every process that shares the backend; or play that
 * the backend is lost, in this process alone.
 *
 * With either backend `done` runs exactly once, in a later turn, unless limiter_state_cancel came
 * first. Thread: the worker's. Owns: nothing; the job is embedded in its caller, and items, key and
 * buffer are borrowed until its end. Limits: LIMITER_STATE_ENTRIES entries a limiter (the app lists
 * one KV page of 1000) and the ceiling of `out`; Redis is asked in at most LIMITER_STATE_PAGES
 * pages. */
#include "gateway/base/buf.h"
#include "limiter/backend_redis.h"
#include "limiter/limiter.h"

#define LIMITER_STATE_ENTRIES 1000
#define LIMITER_STATE_PAGES   10000 /* of 1000 keys in Redis, ours or not */

/* A limiter to list. An unknown one is a name with zeroes: the app answers 0, 0, no entries. */
struct limiter_state_item {
    struct gw_str name;
    uint32_t limit;
    uint64_t window_ms;
    enum limiter_store store;
    uint32_t compare; /* of the limiter: a reset covers those stores, too */
};

struct limiter_state {
    /* err: 0, GW_EUNAVAILABLE (Redis), or GW_ELIMIT (`out` was too small). */
    void (*done)(struct limiter_state *state, int err);
    bool found; /* of a reset: there was something to forget */

    struct limiter_worker *worker; /* ours from here on */
    const struct limiter_state_item *items;
    struct gw_time now;
    size_t count, at; /* at: the item being listed */
    size_t entries;   /* written for it */
    struct gw_buf *out;
    size_t out_start; /* what `out` held before; an error leaves just that */
    struct gw_str key;
    unsigned pages;
    int err;
    struct gw_str limiter; /* of a reset: its name, and … */
    uint32_t shadows;      /* … the stores beside it that are still to be reset */
    struct limiter_state_item shadow;
    char shadow_name[LIMITER_NAME_MAX + 2];
    struct gw_task end;
    struct redis_job job;
};

/* Set state->done first. Appends {"success":true,"data":{"state":{"<name>":{"maxRequests":n,
 * "windowMs":n,"entries":[{"key":"ip:user","count":n,"resetAt":ms}]}}}} to out. Entries of memory
 * limiters also say their "edge" and "isolate". */
void limiter_state_list(struct limiter_worker *worker, struct limiter_state *state,
                        const struct limiter_state_item *items, size_t count, struct gw_buf *out);
/* Forgets the logical key (a memory limiter's in all places) and the refusals remembered for it; in
 * the stores that judge beside the limiter, too. */
void limiter_state_reset(struct limiter_worker *worker, struct limiter_state *state,
                         const struct limiter_state_item *item, struct gw_str key);
/* Only while the job runs. */
void limiter_state_cancel(struct limiter_state *state);

/* As if Redis had gone, from the next decision on, or as if it were back: for drills. Nothing
 * without Redis. Any thread. */
void limiter_world_cut_off(struct limiter_world *world, bool cut_off);
