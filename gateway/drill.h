/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* A drill: a running gateway gets a fault through its admin listener while a modest load goes
 * through it, and loses it again; what visitors saw is timed.
 *
 *   BEFORE ──arm──► FAULT ──disarm──► AFTER ──DRILL_STEADY_US without a bad answer──► END
 *
 * Bad is an answer of 5xx, none, a stale one, and, where the fault is slowness, one that takes
 * longer than the drill allows. The load is open: requests leave on time whatever becomes of the
 * others, so a gateway that stalls cannot hide what it held up. The fault is taken away in any
 * case, also when the drill is given up.
 *
 * Thread: one; blocks until it is over. Owns: everything during the call. */
#include <signal.h>

#include "bench/load/admin.h"

#define DRILL_BEFORE_US ((uint64_t)1000000)
#define DRILL_STEADY_US ((uint64_t)1000000)

struct drill_kind {
    const char *name;
    const char *fault; /* members of the fault's JSON */
    uint64_t slow_us;  /* answers that take longer are bad; 0: any may */
    const char *summary;
};

/* Ends with a NULL name. */
extern const struct drill_kind drill_kinds[];

struct drill_options {
    const struct drill_kind *kind;
    struct net_address to;
    struct gw_str host, path; /* of the requests */
    struct load_admin_at admin;
    struct gw_str expression;         /* of the fault; empty: all requests */
    double rate;                      /* requests a second */
    uint64_t duration_us, recover_us; /* of the fault; the longest time to wait afterwards */
    int server;                       /* only this one; -1: all */
    const volatile sig_atomic_t *stop;
};

enum drill_phase { DRILL_BEFORE, DRILL_FAULT, DRILL_AFTER, DRILL_END, DRILL_PHASES };

struct drill_count {
    uint64_t requests, failed, slow, stale;
};

/* Instants are microseconds since the fault was armed or taken away; UINT64_MAX: never. */
struct drill_result {
    struct drill_count phases[DRILL_PHASES];
    uint64_t statuses[600]; /* of answers of 5xx, while the fault was there; [0]: no answer */
    uint64_t first_failed_us, first_stale_us, first_ejected_us;
    uint64_t injected; /* requests that met the fault */
    uint64_t recovered_us;
    bool recovered, interrupted;
    char error[160]; /* why the drill could not be made; empty: it was */
};

void drill_run(const struct drill_options *options, struct drill_result *result);
