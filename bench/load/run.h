/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Runs a plan: the open-model generator.
 *
 * One thread, one loop. A precise timer wakes it when a request is due; it takes up all that are,
 * gives each the next request, identity and place, and hands it to the lanes, which sends at once
 * or when a connection is free. Phases follow each other without a gap, except where one asks to
 * begin with nothing under way: for actions before it, and so that requests at the origin can be
 * counted phase by phase. After the last: what is under way, then the checks of Retry-After.
 *
 * Thread: one; blocks until the run is over. Owns: everything during the call; the result is the
 * caller's. */
#include <signal.h>

#include "bench/load/lanes.h"
#include "bench/load/probe.h"
#include "bench/load/stats.h"

#define RUN_PROBES_MAX 8

struct run_progress {
    const struct load_plan *plan;
    const struct stats *stats;
    uint32_t phase;
    uint64_t elapsed_us;
    uint64_t under_way;
    const char *doing; /* "Retry-After of generate" and the like; NULL: sending */
};

struct run_options {
    struct net_address to;
    struct tls_client *tls;            /* NULL: plain HTTP; borrowed */
    const struct load_admin_at *admin; /* NULL: none; borrowed */
    const volatile sig_atomic_t *stop; /* not 0: end with what there is; may be NULL */
    void (*progress)(void *ctx, const struct run_progress *progress); /* may be NULL */
    void *ctx;
};

/* What became of a call to the admin listener. */
struct run_action {
    const struct load_action *action;
    uint32_t phase;
    int err;
    unsigned status;
};

struct run_probe {
    uint32_t request;
    struct probe_verdict verdict;
};

struct run_result {
    struct stats stats;
    struct lanes_counts lanes;
    bool interrupted;
    uint64_t left_under_way;
    uint64_t duration_us; /* from the first phase's beginning to the last answer */
    double *phase_seconds;
    uint32_t phases_begun;
    /* Requests that had reached an origin when phase i began, and at [phase_count] when all was
     * over; UINT64_MAX: not asked, or no answer. */
    uint64_t *origin_at;
    struct run_probe probes[RUN_PROBES_MAX];
    size_t probe_count;
    struct run_action *actions;
    size_t action_count;
};

/* 0, or a negative error that kept it from beginning. */
GW_MUST int load_run(struct load_plan *plan, const struct run_options *options,
                     struct run_result *result);
void run_result_release(struct run_result *r);
