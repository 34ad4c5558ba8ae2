/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* One connection to Redis that keeps itself alive: resolve, connect, greet (AUTH, SELECT), serve,
 * and after any failure try again with exponential back-off and jitter, so that a fleet does not
 * return in one wave.
 *
 *     WAITING --> RESOLVING --> GREETING --> UP
 *        ^------------ any failure ----------|
 *
 * hiredis's own libuv adapter is not used: it drops a poll error (POLLERR of a refused connect
 * never ends the attempt) and costs two epoll_ctl calls for each pipeline.
 *
 * Thread: the loop's. Owns: its hiredis context; target and events are borrowed. Limits: an attempt
 * takes at most LINK_ATTEMPT_MS. */
#include <hiredis/async.h>

#include "gateway/net/loop.h"

#define LINK_ATTEMPT_MS     1000
#define LINK_BACKOFF_MIN_MS 50
#define LINK_BACKOFF_MAX_MS 2000

/* What is written here between two attempts counts from the next one on. */
struct redis_target {
    char *host; /* or unix_path, the other NULL */
    char *unix_path;
    char *user, *password; /* NULL: none */
    uint16_t port;
    uint32_t db;
};

struct redis_link_events {
    /* AUTH and SELECT are on their way; the owner queues its own first command, whose answer calls
     * redis_link_ready. */
    void (*greet)(void *ctx, struct redisAsyncContext *ac);
    void (*up)(void *ctx);
    /* A connection or an attempt ended. Commands under way have had their NULL reply, or get it
     * before this turn of the loop ends. */
    void (*down)(void *ctx, const char *reason);
};

struct redis_link;

/* The first attempt starts later in this turn. */
struct redis_link *redis_link_new(struct gw_loop *loop, const struct redis_target *target,
                                  const struct redis_link_events *events, void *ctx);
/* Commands under way get their NULL reply; no event follows. From a reply callback too. NULL is
 * fine. */
void redis_link_free(struct redis_link *link);

void redis_link_ready(struct redis_link *link);
/* Gives the connection up, for instance because it does not answer. From a reply callback too. */
void redis_link_fail(struct redis_link *link, const char *reason);

/* NULL unless UP. Commands queued between cork and uncork leave in one write. */
struct redisAsyncContext *redis_link_cork(struct redis_link *link);
void redis_link_uncork(struct redis_link *link);
