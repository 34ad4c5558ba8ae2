/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Is Retry-After honest? For one request as one identity: ask until 429 says "Retry-After: R", come
 * back one second early, which must be refused, and at the time named, which must be admitted.
 *
 * Early is measured from when the refused request left and on time from when its answer came, with
 * PROBE_MARGIN_US to either side, so that the network's time is never held against the gateway. A
 * gateway on the virtual clock is told to advance instead of being waited for. An R of 1 on the
 * system clock leaves no instant that is surely early, and only the second half is checked.
 *
 * Thread: the loop's. Owns: one connection, kept throughout: the isolate follows it. Limits:
 * PROBE_TRIES_MAX requests to be refused, waits of PROBE_WAIT_MAX_S. */
#include "bench/load/admin.h"
#include "bench/load/lanes.h"
#include "bench/load/plan.h"

#define PROBE_TRIES_MAX  5000
#define PROBE_WAIT_MAX_S 300
#define PROBE_MARGIN_US  20000

struct probe_verdict {
    int honest; /* 1: yes, 0: no, -1: it could not be found out */
    char text[160];
};

struct probe;

struct probe_setup {
    struct gw_loop *loop;
    const struct load_plan *plan;
    const struct net_address *to;
    struct tls_client *tls;   /* NULL: plain HTTP */
    struct load_admin *admin; /* may be NULL */
    void (*done)(void *ctx, const struct probe_verdict *verdict);
    void *ctx;
};

/* `flight` is a request that was refused in the run. done comes once, from a later turn, unless
 * probe_free comes first; free it then. */
struct probe *probe_start(const struct probe_setup *setup, const struct load_flight *flight);
void probe_free(struct probe *p);
