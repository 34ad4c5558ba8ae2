/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* A decision whose store takes time, or several steps: a small state machine for each, run as far
 * as it goes at once and continued by a timer on the configured clock or by an answer of Redis.
 *
 *     decision_kv.c      READ -(read_ms)-> JUDGE -(write_ms)-> WRITE -> admitted
 *                                            |                  | refused: +15, +30 ms, then 500
 *                                            +-> refused
 *     decision_object.c  ARRIVE (half the round trip) -> [overloaded?] -> COUNT -> the way back
 *     decision_binding.c answers at once, then -(lag)-> TELL
 *
 * `at_ms` is the instant the decision has reached, on the asks' clock: what it does happens at that
 * instant however late the loop is and however far the clock has jumped, and decisions act in the
 * order of their instants. So a run can be replayed, and a test may skip through it.
 *
 * Whoever asked may go away (limiter_cancel); the decision goes on, because what the app has sent
 * is counted all the same. Answers that come later are given by a task of the loop, never from
 * inside another ask.
 *
 * Thread: the worker's. Owns: copies of the texts it needs; it is freed when it has answered.
 * Limits: LIMITER_DECISIONS_MAX in a worker. */
#include "gateway/net/clock_timer.h"
#include "limiter/kv_store.h"
#include "limiter/limiter_inside.h"

enum decision_progress {
    DECISION_MORE, /* `step` is the next one */
    DECISION_WAIT, /* decision_resume continues with `step` */
    DECISION_DONE, /* the verdict stands */
};

struct decision {
    struct gw_list link;  /* in worker->decisions, at the end in ->ended */
    struct gw_list calls; /* struct limiter_call: the one that waits, or nobody */
    struct limiter_worker *worker;
    enum decision_progress (*step)(struct decision *d);
    struct clock_timer timer;
    uint64_t offset_ms; /* the loop's monotonic clock minus the asks' */

    uint64_t now_ms; /* when it was asked: the app's `now` */
    uint64_t at_ms;
    struct window_rule rule;
    bool shadow;
    struct limiter_verdict verdict;

    struct limiter_call take; /* a window in Redis … */
    struct limiter_verdict taken;
    struct redis_op op; /* … or a value of KV */

    union {
        struct {
            struct kv_settings settings;
            struct window value; /* read; then what is to be written */
            uint64_t epoch;      /* of the copies, before that */
            uint32_t ttl_s;
            unsigned failures;
        } kv;
        struct {
            uint32_t latency_ms, requests_per_second;
        } object;
    };
    struct gw_str edge, key, other; /* in text: the place, the storage key, one more for the kind */
    char text[];
};

/* With `key` and `other` (may be empty) copied; NULL and *out filled when there are too many. */
struct decision *decision_new(struct limiter_worker *worker, const struct limiter_ask *ask,
                              struct gw_str key, struct gw_str other, struct limiter_verdict *out);
/* Runs it from `step` on; as limiter_decide. `call` NULL: nobody waits for the answer. */
enum limiter_outcome decision_start(struct decision *d, struct limiter_call *call,
                                    struct limiter_verdict *out);
/* From the loop: what it waited for has happened. */
void decision_resume(struct decision *d);

/* ---- for steps ---- */

/* Goes on with `next` that much later. */
enum decision_progress decision_after(struct decision *d, uint64_t delay_ms,
                                      enum decision_progress (*next)(struct decision *));
/* Takes one from a window, here or in Redis, at at_ms; `next` finds the answer in d->taken. */
enum decision_progress decision_take(struct decision *d, struct gw_str key, struct window_rule rule,
                                     enum decision_progress (*next)(struct decision *));
/* Sets the verdict. */
enum decision_progress decision_fail(struct decision *d, enum limiter_fault fault, uint32_t value);

/* ---- for the worker ---- */

/* For who is about to read a store: what was to happen before now has happened when this returns,
 * whatever the loop has had time for. */
void decisions_catch_up(struct limiter_worker *worker);
/* Ends all that wait for their time, and those that wait for Redis as soon as it lets go. */
void decisions_close(struct limiter_worker *worker);
/* Gives the answers that are due. */
void decisions_deliver(struct gw_task *task);

/* The stores; as limiter_decide. */
enum limiter_outcome decide_kv(struct limiter_worker *worker, const struct limiter_ask *ask,
                               struct limiter_call *call, struct limiter_verdict *out);
enum limiter_outcome decide_object(struct limiter_worker *worker, const struct limiter_ask *ask,
                                   struct limiter_call *call, struct limiter_verdict *out);
/* Never waits. */
enum limiter_outcome decide_binding(struct limiter_worker *worker, const struct limiter_ask *ask,
                                    struct limiter_verdict *out);
