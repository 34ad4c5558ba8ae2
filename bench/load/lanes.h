/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* The generator's connections: as many as it needs up to a ceiling, kept alive, the most recently
 * used first. A request that finds none waits in line; it is late then, and says so.
 *
 * Thread: the loop's. Owns: connections and the line. Limits: `max` connections, LANES_LINE_MAX
 * waiting requests: what comes on top is dropped and counted, since a line that only grows would
 * measure itself. */
#include "bench/load/channel.h"

#define LANES_LINE_MAX ((size_t)1 << 18)

/* A request on its way: what it is, and who asks from where. */
struct load_flight {
    struct load_sample sample;
    uint32_t group, index; /* the identity within its group */
    uint64_t round;
};

struct lanes_events {
    /* Appends the request's bytes; returns its method. */
    enum http_method (*render)(void *ctx, const struct load_flight *flight, struct gw_buf *out);
    /* It has been sent, answered or lost; never from inside lanes_submit. */
    void (*on_done)(void *ctx, struct load_flight *flight, const struct channel_answer *answer);
};

struct lanes_counts {
    uint64_t waited;     /* requests that found no free connection */
    uint64_t opened;     /* connections */
    uint32_t open, most; /* now; at the highest */
    size_t line;         /* requests waiting now */
};

struct lanes;

/* `zero_us` is taken from the clock's instants for samples. */
struct lanes *lanes_new(struct gw_loop *loop, const struct net_address *to, uint32_t max,
                        uint64_t timeout_ms, const struct lanes_events *events, void *ctx);
/* All connections over TLS, before the first; the client is borrowed. NULL: without. */
void lanes_use_tls(struct lanes *p, struct tls_client *tls);
void lanes_set_zero(struct lanes *p, uint64_t zero_us);
/* Closes everything; nothing is told any more. */
void lanes_free(struct lanes *p);
/* Sends now or when a connection is free. False: dropped. */
GW_MUST bool lanes_submit(struct lanes *p, const struct load_flight *flight);
struct lanes_counts lanes_counts(const struct lanes *p);
