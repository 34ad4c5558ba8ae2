/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Calls to the gateway's admin listener while a load test runs: one connection, one call after the
 * other, the loop never waits.
 *
 * Thread: the loop's. Owns: its connection, copies of the calls. Limits: answers of ADMIN_BODY_MAX,
 * ADMIN_CALLS_MAX calls in line (a further one fails at once with GW_ELIMIT). */
#include "bench/load/channel.h"

#define LOAD_ADMIN_BODY_MAX  ((size_t)8 << 20)
#define LOAD_ADMIN_CALLS_MAX 256

struct load_admin;

struct load_admin_reply {
    int err; /* 0, or there was no answer */
    unsigned status;
    struct gw_str body; /* during the callback */
};

/* Where it is and what it is told; borrowed. */
struct load_admin_at {
    struct net_address address;
    struct gw_str token;    /* empty: none is sent */
    struct tls_client *tls; /* NULL: plain HTTP */
};

struct load_admin *load_admin_new(struct gw_loop *loop, const struct load_admin_at *at);
/* Calls under way are forgotten. NULL is fine. */
void load_admin_free(struct load_admin *a);
/* done comes from a later turn. */
void load_admin_call(struct load_admin *a, struct gw_str method, struct gw_str path,
                     struct gw_str body,
                     void (*done)(void *ctx, const struct load_admin_reply *reply), void *ctx);

/* The sum of nearedge_origin_requests_total in a page of metrics, 0 before the first; false when
 * the page is not a gateway's. */
GW_MUST bool load_admin_origin_requests(struct gw_str metrics, uint64_t *out);
