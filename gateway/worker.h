/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* One thread with one loop: its listeners, client sessions, origin pools, limiter access and log
 * buffer. Workers share nothing on the request path but the cache's shards and the embedded
 * counters.
 *
 * Thread: everything here belongs to the worker's thread, but worker_start, worker_join and those
 * marked "any thread". Owns: what it points to, except server and what hangs from it. */
#include <pthread.h>

#include "cache/status.h"
#include "gateway/base/pool.h"
#include "gateway/http/h1_parse.h"
#include "gateway/net/listener.h"
#include "gateway/snapshot.h"
#include "gateway/upstream/balancer.h"
#include "limiter/limiter.h"

struct server;
struct exchange;

/* nearedge_limiter_decisions_total{decision} */
enum worker_decision {
    DECISION_ADMIT,
    DECISION_DENY,
    DECISION_SHADOW_DENY,
    DECISION_UNAVAILABLE,
    DECISION_ERROR,
    DECISION_CHALLENGE, /* of rate limiting rules, as the next one */
    DECISION_LOG,
    DECISION_COUNT
};

/* nearedge_kv_operations_total{op,result}, in the order of struct limiter_kv_facts */
enum worker_kv_operation {
    KV_GET_COPY,
    KV_GET_CENTRAL,
    KV_PUT_OK,
    KV_PUT_REFUSED,
    KV_OPERATION_COUNT
};

/* The worker's ways to each origin. They belong to a configuration: snapshots that the API
 * derived from one another share them, so a change of rules does not close connections. */
struct worker_pools {
    unsigned refs;
    size_t count;
    struct balancer *items[]; /* by their place in snapshot.origins */
};

/* A snapshot as one worker uses it, with its pools. Counted without atomics. */
struct worker_snapshot {
    unsigned refs;
    struct snapshot *snapshot;
    struct worker_pools *shared;
    struct balancer **origins; /* of `shared` */
};

struct worker {
    struct server *server;
    unsigned index;
    pthread_t thread;
    struct gw_loop *loop;
    struct worker_snapshot *current;
    struct limiter_worker *limiter;
    struct metrics_worker *metrics;
    struct access_log *log;
    struct session_door *doors;  /* one for each "listen", and the admin's behind them */
    struct listener **listeners; /* likewise; NULL: not this worker's */
    size_t door_count;           /* without the admin's */
    struct gw_list sessions;     /* struct session, by link */
    size_t session_count;
    size_t admin_count;            /* of them: all are worker 0's, which has the admin listener */
    struct gw_list fetches;        /* struct fetch, by link */
    struct gw_list free_exchanges; /* ready for reuse, a few dozen */
    size_t free_exchange_count;
    struct gw_pool pool;      /* what HTTP/2 takes and gives back with each request */
    struct gw_buf key, lines; /* scratch for one step: cache key, header lines */
    uint64_t ray_counter;
    uint32_t session_serial;
    struct h1_limits request_limits; /* of the configuration at start */
    uint16_t cache_phase_label;      /* label ids of metrics, interned once */
    uint16_t rate_phase_label;
    uint16_t no_zone_label, store_labels[4], decision_labels[DECISION_COUNT];
    struct metrics_labels kv_labels[KV_OPERATION_COUNT];
    uint16_t method_labels[METHOD_COUNT], status_labels[CACHE_STATUS_DYNAMIC + 1];
    bool started, draining, ending;
    bool backend_down; /* as last logged */
    struct gw_deadline drain_deadline;
    struct gw_deadline housekeeping; /* frees what was put off */
    struct probes *probes;           /* worker 0's: health checks of `current`; else NULL */
};

/* A session is gone: a draining worker stops after its last one. */
void worker_session_closed(struct worker *worker);

struct worker_snapshot *worker_snapshot_ref(struct worker_snapshot *ws);
void worker_snapshot_unref(struct worker_snapshot *ws);

/* Prepares the loop and everything on it; the snapshot is referenced. Main thread, before
 * worker_start. */
void worker_init(struct worker *worker, struct server *server, unsigned index,
                 struct snapshot *snapshot);
/* Binds listener `door` of the configuration, or takes `fd` for it, a socket that is bound there;
 * -1: none. The main thread, before worker_start. 0 or a negative errno. */
GW_MUST int worker_listen(struct worker *worker, size_t door, const struct net_address *at, int fd);
/* The same for the admin listener. */
GW_MUST int worker_listen_admin(struct worker *worker, const struct net_address *at, int fd);
void worker_start(struct worker *worker);
/* After its thread has ended: frees everything. Main thread. */
void worker_join(struct worker *worker);

/* Any thread. The worker takes a reference of its own on the snapshot and lets the old one go when
 * it gets there; it then posts server->switched. */
void worker_reload(struct worker *worker, struct snapshot *snapshot);
/* Stops accepting, finishes what is under way, up to the drain deadline, then ends its thread. */
void worker_drain(struct worker *worker);
/* Reopens the access log's file. */
void worker_reopen_logs(struct worker *worker);
