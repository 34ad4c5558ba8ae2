/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* A client and a server end on one loop, over a TCP port that the kernel chose; each end counts
 * what its owner hears. What an owner does at the end of the other side's bytes, at an error and at
 * the greeting is what the tests differ in: those callbacks are theirs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "gateway/base/buf.h"
#include "gateway/base/clock.h"
#include "gateway/net/listener.h"

struct tls_server;
struct tls_client;
struct tls_tickets;

struct end {
    struct pair *pair;
    struct conn *conn; /* NULL: closed, or not there yet */
    struct gw_buf got;
    int greeted, greeting_error, eofs, drains, errors, error, closes;
    bool pause_after_read;
};

struct pair {
    struct gw_clock clock;
    struct gw_loop *loop;
    struct listener *listener;
    struct tls_server *tls; /* NULL in all three: plain */
    struct tls_client *client_tls;
    struct tls_tickets *tickets;
    struct end client, server;
    size_t expect;      /* bytes at either end after which the loop stops */
    int released, lent; /* what holds were told */
};

static inline void pair_on_read(void *ctx, struct gw_str data)
{
    struct end *e = ctx;
    gw_buf_add(&e->got, data);
    if (e->pause_after_read)
        conn_pause(e->conn);
    if (e->got.len >= e->pair->expect)
        gw_loop_stop(e->pair->loop);
}

static inline void pair_on_drain(void *ctx)
{
    ((struct end *)ctx)->drains++;
}

static inline void pair_on_close(void *ctx)
{
    struct end *e = ctx;
    e->closes++;
    e->conn = NULL;
    if (!e->pair->client.conn && !e->pair->server.conn)
        gw_loop_stop(e->pair->loop);
}

static inline void pair_release_hold(void *object)
{
    ((struct pair *)object)->released++;
}

static inline void pair_lend(void *object)
{
    ((struct pair *)object)->lent++;
}

/* The pair counts what becomes of it. `mapping` may be NULL. */
static inline struct conn_hold pair_hold(struct pair *p, size_t from,
                                         const struct gw_mapping *mapping)
{
    return (struct conn_hold){.release = pair_release_hold,
                              .object = p,
                              .from = from,
                              .mapping = mapping,
                              .lend = pair_lend};
}

/* Loop, buffers and listener; nobody has connected yet. */
static inline void pair_listen(struct pair *p, void (*on_accept)(void *ctx, struct conn *c))
{
    const struct gw_ip loopback = {GW_IP_V4, {127, 0, 0, 1}};
    const struct net_address at = net_address_ip(&loopback, 0);
    int err;
    *p = (struct pair){.expect = SIZE_MAX};
    gw_clock_init(&p->clock, GW_CLOCK_SYSTEM);
    p->loop = gw_loop_new(&p->clock);
    p->client.pair = p->server.pair = p;
    gw_buf_init(&p->client.got, (size_t)64 << 20);
    gw_buf_init(&p->server.got, (size_t)64 << 20);
    p->listener = listener_open(p->loop, &at, on_accept, p, &err);
    assert_non_null(p->listener);
}

static inline void pair_connect(struct pair *p, const struct conn_events *events)
{
    struct net_address at = listener_address(p->listener);
    assert_int_not_equal(net_address_port(&at), 0);
    p->client.conn = conn_connect(p->loop, &at, events, &p->client);
}

/* Closes what is open; each end hears of its close exactly once. */
static inline void pair_close_ends(struct pair *p)
{
    int closes =
        p->client.closes + p->server.closes + (p->client.conn != NULL) + (p->server.conn != NULL);
    if (p->client.conn)
        conn_close(p->client.conn);
    if (p->server.conn)
        conn_close(p->server.conn);
    if (p->client.conn || p->server.conn)
        gw_loop_run(p->loop);
    assert_int_equal(p->client.closes + p->server.closes, closes);
}

static inline void pair_release(struct pair *p)
{
    pair_close_ends(p);
    listener_close(p->listener);
    gw_loop_free(p->loop);
    gw_buf_release(&p->client.got);
    gw_buf_release(&p->server.got);
}
