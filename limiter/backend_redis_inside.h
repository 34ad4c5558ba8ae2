/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* The inside of the redis backend, for its own files: backend_redis (life, connections, reset
 * messages), backend_redis_flight (decisions), backend_redis_kv (values of Workers KV) and
 * backend_redis_admin (scans, resets). */
#include <pthread.h>
#include <stdatomic.h>

#include "limiter/backend_redis.h"
#include "limiter/backend_redis_link.h"

#define FLIGHT_BUCKETS  256
#define FLIGHT_ARGS_MAX 11

/* What the backends of a process share. */
struct redis_pool {
    struct redis_target target;
    enum config_backend_failure failure;
    bool is_virtual; /* decide by the asks' now */
    char channel[32];
    struct embedded *local;
    atomic_uint backends, up;
    pthread_mutex_t error_lock;
    char error[128];
};

enum redis_phase {
    REDIS_STARTING, /* the first attempt runs: calls wait for it, until their deadline */
    REDIS_UP,
    REDIS_DOWN, /* the failure policy answers at once */
};

/* One script call: the calls of one turn for one window, or one operation of KV. On pending, then
 * sent; freed by its reply. */
struct redis_flight {
    struct gw_list link;
    struct redis_backend *backend;
    struct redis_op *op;            /* of KV; NULL: the calls below */
    const char *script;             /* sent whole; NULL: the loaded one, by its hash */
    uint64_t args[FLIGHT_ARGS_MAX]; /* ARGV[2] and on */
    size_t arg_count;
    struct gw_list calls; /* struct limiter_call, in arrival order; cancelled ones are gone */
    struct redis_flight *next_in_bucket;
    struct window_rule rule;
    uint64_t now_ms, born_ms, generation;
    uint64_t hash;
    size_t key_len;
    char key[];
};

struct redis_backend {
    struct redis_pool *pool;
    struct gw_loop *loop;
    enum redis_phase phase;
    struct redis_link *commands;
    char script_sha[41];

    struct gw_list pending; /* flights of this turn, or of STARTING */
    struct gw_list sent;    /* flights under way, oldest first */
    size_t flights;
    struct redis_flight *buckets[FLIGHT_BUCKETS]; /* this turn's flights by key hash */
    struct gw_task flush;
    struct gw_deadline deadline; /* of the oldest flight */
    bool overslept;              /* the loop itself was late; one more tick was granted */

    struct redis_link *subscription;
    bool subscribed;
    uint64_t generation; /* rises with every reset heard of, and when the subscription starts */
    struct table denied; /* refusals by storage key */
    int64_t offset_ms;   /* Redis's clock minus ours, smoothed */
    bool offset_known;

    struct gw_list jobs; /* struct redis_job_handle under way */

    struct gw_task gone;
    void (*closed)(void *ctx);
    void *closed_ctx;
};

void redis_flights_init(struct redis_backend *b);
/* A flight of this turn, pending; NULL when Redis is away or there are too many. */
struct redis_flight *redis_flight_new(struct redis_backend *b, struct gw_str key, uint64_t now_ms);
/* How long what has ended stays in Redis. */
uint64_t redis_margin_ms(const struct redis_pool *pool);
/* The connection stands: what waited leaves. */
void redis_flights_go(struct redis_backend *b);
/* The failure policy answers everything that waits and is not under way. */
void redis_flights_fail_pending(struct redis_backend *b);
/* Every job ends with GW_EUNAVAILABLE. */
void redis_jobs_fail(struct redis_backend *b);
void redis_forget(struct redis_backend *b, struct gw_str key);
