/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Host name → addresses, through the system's resolver on libuv's thread pool. Cancellable; the
 * caller caches. Thread: the loop's. Limits: RESOLVER_ADDRESSES_MAX addresses a name. */
#include "gateway/net/address.h"
#include "gateway/net/loop.h"

#define RESOLVER_ADDRESSES_MAX 8

struct resolver_query;

struct resolver_answer {
    int err; /* 0 or a negative number; then no addresses */
    size_t count;
    struct net_address addresses[RESOLVER_ADDRESSES_MAX];
};

/* done is called from a later turn, unless resolver_cancel came first. The name is copied. A
 * numeric address needs no system call. */
struct resolver_query *resolver_start(struct gw_loop *loop, const char *host, uint16_t port,
                                      void (*done)(void *ctx, const struct resolver_answer *answer),
                                      void *ctx);
void resolver_cancel(struct resolver_query *q);
