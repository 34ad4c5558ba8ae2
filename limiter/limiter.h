/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Decisions: may this request pass, and if not, when? (spec/limiter.md a1 and d.)
 *
 * The world holds the counters of the process; it outlives configuration reloads, counters are
 * found by limiter name. Each worker has its own access to it, with redis its own connections. Most
 * answers are immediate; a decision waits for Redis, or when its store takes time (decision.h).
 *
 * With Redis: one atomic script decides and writes; calls of one loop turn leave in one write,
 * those for one key in one call; a refused key is refused here until its reset without asking
 * again. When Redis does not answer within LIMITER_DEADLINE_MS the configured failure policy
 * answers, at once and until it is back: a request never hangs on the limiter.
 *
 * Thread: the world any; a worker its loop's. Owns: nothing of the caller's; calls are embedded in
 * their owner. Time: the ask carries it. Limits: LIMITER_KEYS_MAX counters in the process (the
 * first to expire gives way), in a worker LIMITER_DENIED_MAX remembered refusals and
 * LIMITER_DECISIONS_MAX decisions under way. */
#include "config/sections.h"
#include "gateway/base/clock.h"
#include "gateway/base/list.h"
#include "limiter/policy.h"

#define LIMITER_KEYS_MAX      ((size_t)1 << 20)
#define LIMITER_DENIED_MAX    ((size_t)1 << 16)
#define LIMITER_DECISIONS_MAX ((size_t)1 << 16)
#define LIMITER_DEADLINE_MS   150 /* plus a tick of the loop's wheel: under 250 ms in all */

struct gw_loop;
struct limiter_world;
struct limiter_worker;

enum limiter_outcome {
    LIMITER_ADMIT,
    LIMITER_DENY,        /* the app's 429 */
    LIMITER_UNAVAILABLE, /* 503: the backend is away and the policy says deny */
    LIMITER_ERROR,       /* the store failed the app, which ends in a 500 with `fault` */
    LIMITER_WAIT,        /* only from limiter_decide: the verdict comes through call->done */
};

/* What a store fails with; limiter_fault_text has the words. */
enum limiter_fault {
    LIMITER_NO_FAULT,
    LIMITER_KV_WRITE_LIMIT,
    LIMITER_KV_KEY_LENGTH,     /* fault_value: bytes */
    LIMITER_KV_EXPIRATION,     /* fault_value: seconds */
    LIMITER_OBJECT_OVERLOADED, /* more requests than the object takes */
    LIMITER_OBJECT_QUEUE,      /* LIMITER_DECISIONS_MAX */
};

/* What one decision asked of Workers KV, for metrics: reads answered by the edge's copy, or by the
 * central store; writes taken, or refused. */
struct limiter_kv_facts {
    uint8_t copies, reads, writes, refused;
};

struct limiter_verdict {
    enum limiter_outcome outcome;
    enum limiter_fault fault; /* of an ERROR, also when shadow mode admitted it */
    uint32_t fault_value;
    struct limiter_kv_facts kv;
    uint32_t count, limit; /* admissions in the window including this one; 0 when not counted */
    uint64_t reset_at_ms, reset_in_ms; /* by the clock that judged; 0 when not counted */
    uint32_t retry_after_s;            /* of a refusal; otherwise 0 */
    bool would_deny;                   /* shadow mode admitted what enforce would refuse */
    bool local;                        /* a remembered refusal: Redis was not asked */
    bool degraded;                     /* the failure policy answered */
    uint32_t took_ms;                  /* the store's latencies, on the configured clock */
};

/* The simulated place of a request. */
struct limiter_place {
    struct gw_str edge;
    uint32_t isolate;
};

struct limiter_ask {
    const struct limiter *limiter;
    struct gw_str key; /* as limiter_key_render made it */
    struct limiter_place place;
    uint64_t now_ms;                       /* wall clock of the turn */
    const struct config_limiter *settings; /* of the stores, for this call; NULL: the world's */
};

/* Embedded in the exchange; set `done`, the rest is ours while the call waits. */
struct limiter_call {
    void (*done)(struct limiter_call *call, const struct limiter_verdict *verdict);
    struct gw_list link;
    bool shadow;
};

/* Copies what it needs of the settings. With the virtual clock Redis decides by the asks' now,
 * otherwise by its own clock, so that all machines agree. */
struct limiter_world *limiter_world_new(const struct config_limiter *settings,
                                        enum gw_clock_mode clock);
/* After all its workers are closed. */
void limiter_world_free(struct limiter_world *world);

/* Starts to connect when the backend is redis. */
struct limiter_worker *limiter_worker_new(struct limiter_world *world, struct gw_loop *loop);
/* Calls that wait are answered by the failure policy first; then, in a later turn, done(ctx) says
 * that the worker is gone. NULL is fine. */
void limiter_worker_close(struct limiter_worker *worker, void (*done)(void *ctx), void *ctx);

/* Immediate: *out is filled and `call` was not touched. LIMITER_WAIT: call->done runs exactly once
 * in a later turn, unless limiter_cancel comes first. The ask is not needed after the return. */
GW_MUST enum limiter_outcome limiter_decide(struct limiter_worker *worker,
                                            const struct limiter_ask *ask,
                                            struct limiter_call *call, struct limiter_verdict *out);
/* What was sent is counted all the same: the app too counts a client that went away. */
void limiter_cancel(struct limiter_call *call);

struct limiter_health { /* for metrics and /readyz */
    bool redis;         /* the backend is redis, not embedded */
    bool up;            /* every worker's connection stands (embedded: always) */
    bool fails_closed;  /* while down, requests get 503 */
    uint64_t keys;      /* counters held in the process */
    uint64_t evictions; /* counters that gave way although their window was still open */
    char error[128];    /* the latest reason for being down; "" when there was none */
};
void limiter_world_health(struct limiter_world *world, struct limiter_health *out);
