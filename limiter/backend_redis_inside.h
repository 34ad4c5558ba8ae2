/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* The inside of the redis backend, for its own files: backend_redis (pool, life), _node (a server
 * and its connections), _cluster (whose a key is), _flight, _land and _reply (decisions), _kv
 * (values of Workers KV), _admin (scans, resets). Thread: the backend's loop; the pool's counters
 * are atomic, its error has a lock. */
#include <pthread.h>
#include <stdatomic.h>

#include "limiter/backend_redis.h"
#include "limiter/backend_redis_node.h"
#include "limiter/redis_slots.h"
#include "limiter/store.h"

#define FLIGHT_BUCKETS 256
#define WIRE_KEY_MAX   (STORAGE_KEY_MAX + 2)

/* What the backends of a process share. */
struct redis_pool {
    struct redis_target *seeds; /* the server, or where to ask for a cluster's map */
    size_t seed_count;
    bool must_be_cluster; /* the URL says so; otherwise the server does */
    enum config_backend_failure failure;
    bool is_virtual; /* decide by the asks' now */
    uint32_t db;
    struct embedded *local;
    atomic_uint backends, up, serving; /* up: all of Redis; serving: at least a part */
    atomic_bool cut_off;               /* nobody asks Redis */
    pthread_mutex_t error_lock;
    char error[128];
};

enum redis_shape {
    REDIS_UNKNOWN, /* nobody has answered yet: the seed stands for all keys */
    REDIS_SINGLE,  /* the seed is the server */
    REDIS_CLUSTER, /* slots and nodes say where keys are */
};

struct redis_flight;

struct redis_backend {
    struct redis_pool *pool;
    struct gw_loop *loop;
    enum redis_shape shape;
    struct redis_node *seed; /* of a cluster: NULL unless it is needed */
    size_t seed_at;          /* in pool->seeds */
    bool complete, serving;  /* as the pool has counted us */

    struct redis_slots slots;
    struct redis_node *nodes[REDIS_NODES_MAX]; /* of the cluster; NULL: a free place */
    struct redis_node *asked;                  /* who was asked for the map */
    struct gw_deadline refresh;                /* of the map: when to ask, or of the answer */
    uint64_t refreshed_ms, gap_ms;

    size_t flights;
    struct redis_flight *buckets[FLIGHT_BUCKETS]; /* this turn's flights by key hash */
    struct gw_task flush;
    struct gw_deadline deadline; /* of the oldest flight */
    bool overslept;              /* the loop itself was late; one more tick was granted */
    struct gw_list parked;       /* flights that a cluster in motion sent away */
    struct gw_deadline retry;    /* of those */

    uint64_t generation; /* rises with every reset heard of, and when a subscription starts */
    struct table denied; /* refusals by storage key */

    struct gw_list jobs; /* struct redis_job_handle under way */

    struct gw_task gone;
    void (*closed)(void *ctx); /* set: closing */
    void *closed_ctx;
};

/* ---- backend_redis ---- */
void redis_set_error(struct redis_node *node, const char *what, const char *reason);
void redis_forget(struct redis_backend *b, struct gw_str key);
/* Tells the pool how much of Redis is there, after something came or went. */
void redis_count_up(struct redis_backend *b);

/* ---- backend_redis_cluster ---- */
void redis_map_init(struct redis_backend *b);
/* Asks the node for the map, on a connection that greets or stands. */
void redis_map_ask(struct redis_node *node, struct redisAsyncContext *ac);
/* The map may be wrong: it is asked for soon, with back-off. Nothing without a cluster. */
void redis_map_doubt(struct redis_backend *b);
/* Whose the key is; NULL: nobody's at the moment. */
struct redis_node *redis_node_of(const struct redis_backend *b, struct gw_str key);
/* The node that a redirection names, which was said `by` another; NULL: there are too many. */
struct redis_node *redis_node_named(struct redis_backend *b, const struct redis_redirect *to,
                                    const struct redis_node *by);
/* The first at or behind place *at, which moves there; NULL at the end. The seed alone, unless
 * there is a cluster. */
struct redis_node *redis_node_from(const struct redis_backend *b, size_t *at);
/* The key as servers know it, in `out`. */
struct gw_str redis_wire_key(const struct redis_backend *b, struct gw_str key, char *out);
/* And back. */
struct gw_str redis_own_key(const struct redis_backend *b, struct gw_str wire, char *out);

/* ---- backend_redis_admin ---- */
/* Every job ends with GW_EUNAVAILABLE. */
void redis_jobs_fail(struct redis_backend *b);
