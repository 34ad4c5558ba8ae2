/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What a run has seen so far: groups (the whole, each phase, each request), a line of intervals
 * over time, and a short tally of every identity.
 *
 * Intervals are those of the answer: an answer that comes a second late shows where it came.
 * Thread: one. Owns: everything. Limits: STATS_INTERVALS_MAX intervals (the last one takes what
 * comes after), 16 bytes an identity. */
#include "bench/load/histogram.h"
#include "bench/load/plan.h"

#define STATS_INTERVALS_MAX 1024
#define STATS_STATUS_MIN    100
#define STATS_STATUS_MAX    999

struct stats_group {
    uint64_t requests, answers;
    struct histogram response, service;
    uint64_t status[STATS_STATUS_MAX - STATS_STATUS_MIN + 1];
    uint64_t cache[LOAD_CACHE_COUNT], errors[LOAD_ERROR_COUNT], refusals[LOAD_REFUSAL_COUNT];
    uint64_t broken_retry_after; /* 429 without a usable one */
    uint64_t first_429;          /* number in the group's own count; 0: none */
};

struct stats_interval {
    double start_s;
    uint64_t ok, limited, client, server, errors; /* 1xx to 3xx; 429; other 4xx; 5xx; no answer */
    uint64_t cache_hits, cache_answers;           /* with a CF-Cache-Status at all */
    uint64_t p50_us, p90_us, p99_us, max_us;
};

struct stats_identity {
    uint32_t requests, ok, limited, other;
};

struct stats {
    const struct load_plan *plan;
    struct stats_group whole, *phases, *requests;
    struct stats_interval *intervals;
    size_t interval_count;
    uint64_t interval_us;
    struct histogram interval; /* of the one under way */
    struct stats_identity *identities;
    struct histogram lag; /* how long after it was due the generator took a request up */
    uint64_t taken, dropped, late;
    uint64_t first_due_us, last_due_us, first_taken_us, last_taken_us;
};

void stats_init(struct stats *s, const struct load_plan *plan);
void stats_release(struct stats *s);
/* The generator took a request up. `tolerance_us`: later than this is late. */
void stats_taken(struct stats *s, uint64_t due_us, uint64_t now_us, uint64_t tolerance_us);
void stats_answer(struct stats *s, const struct load_sample *x, bool broken);
/* Closes the last interval. */
void stats_end(struct stats *s);

uint64_t stats_status(const struct stats_group *g, unsigned from, unsigned to);
/* By how much the time that sending took differs from the plan's, in percent. */
double stats_schedule_error(const struct stats *s);
/* The generator itself was the limit, so the run says nothing about its target. `why` is told. */
bool stats_inconclusive(const struct stats *s, struct gw_buf *why);
