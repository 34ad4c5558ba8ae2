/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Flights: one script call each, for the calls of one turn and window, or for one operation.
 *
 *     pending --flush--> sent --reply--> landed, or failed: the policy answers
 *        ^                 |
 *        |-- MOVED, ASK, --'-- CLUSTERDOWN, TRYAGAIN --> parked
 *        '------ NOSCRIPT                                  |
 *        '------------------------- a moment later --------'
 *
 * What was sent and lost with its connection is never sent again: it may have counted. A call ends
 * within LIMITER_DEADLINE_MS and a tick of its birth, whatever the cluster does.
 *
 * Files: backend_redis_flight (deciding, sending), backend_redis_land (how flights end),
 * backend_redis_reply (errors and redirections). Thread: the loop's. */
#include "limiter/backend_redis_inside.h"

#define FLIGHT_ARGS_MAX 11

struct redis_flight {
    struct gw_list link;
    struct redis_backend *backend;
    struct redis_node *node;        /* in whose lists it is; NULL: parked */
    struct redis_op *op;            /* of KV or the admin; NULL: the calls below */
    const char *script;             /* sent whole; NULL: the loaded one, by its hash */
    uint64_t args[FLIGHT_ARGS_MAX]; /* ARGV[2] and on */
    size_t arg_count;
    struct gw_list calls; /* struct limiter_call, in arrival order; cancelled ones are gone */
    struct redis_flight *next_in_bucket;
    struct window_rule rule;
    uint64_t now_ms, born_ms, generation;
    uint64_t hash;
    unsigned detours; /* redirections followed and waits in a cluster in motion */
    bool asking;      /* the key is at `node` before its slot is */
    size_t key_len;
    char key[]; /* as in store.h, without a tag */
};

#define redis_flight_at(item) gw_list_entry(item, struct redis_flight, link)

/* ---- backend_redis_flight ---- */
void redis_flights_init(struct redis_backend *b);
/* A flight of this turn, pending; NULL when Redis is away or there are too many. */
struct redis_flight *redis_flight_new(struct redis_backend *b, struct gw_str key, uint64_t now_ms);
/* One that is in no list joins those that `node` gets next. */
void redis_flight_board(struct redis_flight *f, struct redis_node *node);
/* What waits goes to where the keys belong now. */
void redis_flights_reroute(struct redis_backend *b);
/* How long what has ended stays in Redis. */
uint64_t redis_margin_ms(const struct redis_pool *pool);

/* ---- backend_redis_land ---- */
struct limiter_verdict redis_by_policy(struct redis_pool *pool, const struct redis_ask *ask);
void redis_flight_free(struct redis_flight *f);
void redis_flight_fail(struct redis_flight *f);
void redis_flights_fail(struct gw_list *flights);
/* n: {granted, count, reset, now}, or an operation's four numbers. */
void redis_flight_land(struct redis_flight *f, const uint64_t n[4]);
/* The failure policy answers everything that waits for the node and is not under way. */
void redis_flights_fail_pending(struct redis_node *node);
void redis_flights_on_deadline(struct gw_deadline *deadline);

/* ---- backend_redis_reply ---- */
void redis_flight_on_reply(struct redisAsyncContext *ac, void *reply, void *flight);
void redis_flights_on_retry(struct gw_deadline *retry);
