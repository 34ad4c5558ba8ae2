/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Counters in Redis: one world for several processes and machines (spec/limiter.md d).
 *
 * A counter is a hash {c, r}: admissions and the instant of the reset. The reset is stored and
 * compared, never left to key expiry, because Redis still returns a key in the very millisecond it
 * expires, one later than rule 2 allows; the expiry only cleans up. One script decides and writes
 * with Redis's own clock, so all gateways agree; a refused call writes nothing.
 *
 * Calls of one turn become flights: one per key, with the number of calls as its cost. A flight
 * leaves with the others of its turn in one write. A refused key is remembered until its reset. A
 * reset through the admin is published to all processes; what was refused by a flight under way at
 * that moment is not remembered, since it may have been decided before the reset. While the
 * subscription is down refusals are neither remembered nor trusted.
 *
 * The server may be a node of a Redis Cluster: keys then carry a hash tag (redis_slots.h), each
 * master has connections of its own, and the loss of one concerns the keys of its slots alone.
 *
 * Thread: one backend for each worker; the pool (what they share) any. Owns: its connections and
 * copies of keys. Limits: REDIS_FLIGHTS_MAX flights, beyond them the failure policy answers;
 * REDIS_NODES_MAX masters. */
#include "gateway/net/loop.h"
#include "limiter/backend_embedded.h"
#include "limiter/limiter.h"

#define REDIS_FLIGHTS_MAX ((size_t)1 << 15)

struct redis_pool;
struct redis_backend;

/* `local` counts for the failure policy "memory"; it is borrowed. */
struct redis_pool *redis_pool_new(const struct config_limiter *settings, enum gw_clock_mode clock,
                                  struct embedded *local);
void redis_pool_free(struct redis_pool *pool);
/* Fills redis, up, fails_closed and error. */
void redis_pool_health(struct redis_pool *pool, struct limiter_health *out);

/* Connections stand and are not used: what is decided meanwhile is decided by the failure policy.
 */
void redis_pool_cut_off(struct redis_pool *pool, bool cut_off);

struct redis_backend *redis_backend_new(struct redis_pool *pool, struct gw_loop *loop);
/* Answers what waits by the failure policy; freed in a later turn, then done(ctx). */
void redis_backend_close(struct redis_backend *backend, void (*done)(void *ctx), void *ctx);

struct redis_ask {
    struct gw_str key; /* storage key */
    struct window_rule rule;
    uint64_t now_ms;
    bool shadow;
};
/* As limiter_decide. */
GW_MUST enum limiter_outcome redis_decide(struct redis_backend *backend,
                                          const struct redis_ask *ask, struct limiter_call *call,
                                          struct limiter_verdict *out);

/* ---- Workers KV ---- */

/* One operation on a value; embedded in its owner, who stays until `done`. */
struct redis_op {
    void (*done)(struct redis_op *op); /* from a later turn, once */
    bool answered;                     /* false: Redis is away */
    uint64_t answer[4]; /* of a read {found, count, reset}, of a write {taken, -, next} */
};

/* kv_key_read and kv_key_write in Redis. False: Redis is away already, `done` never runs. */
GW_MUST bool redis_kv_read(struct redis_backend *backend, struct redis_op *op, struct gw_str key,
                           uint64_t place, uint64_t at_ms);
GW_MUST bool redis_kv_write(struct redis_backend *backend, struct redis_op *op, struct gw_str key,
                            const struct kv_settings *settings, const struct kv_write *write);

/* ---- for the admin ---- */

/* One page of a scan, or one reset; embedded in its owner. */
struct redis_job {
    /* A counter of the page. */
    void (*entry)(struct redis_job *job, struct gw_str key, const struct window *w);
    /* err 0: `cursor` continues the scan, 0 when it is through; `removed` counts resets. From a
     * later turn, once, unless cancelled. */
    void (*done)(struct redis_job *job, int err);
    uint64_t cursor;
    uint64_t removed;

    struct redis_job_handle *handle; /* ours from here on */
    struct gw_deadline deadline;
    size_t node; /* of a cluster: which one is being scanned */
};

/* Counters whose storage key fits the glob pattern, from job->cursor on, in a cluster node by node.
 * SCAN may name a key twice, and so may two nodes while its slot moves from one to the other. */
void redis_scan(struct redis_backend *backend, struct redis_job *job, struct gw_str pattern);
/* Removes one storage key, or (glob) a page of those that fit, and tells every process. */
void redis_reset(struct redis_backend *backend, struct redis_job *job, struct gw_str key,
                 bool is_pattern);
/* Makes cancelling safe before the first use. */
void redis_job_init(struct redis_job *job);
void redis_job_cancel(struct redis_job *job);
