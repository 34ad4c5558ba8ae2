/* SPDX-License-Identifier: Apache-2.0 */
/* Life of a request, and what its owner gives. */
#include <stdio.h>

#include "gateway/upstream/client_inside.h"

#define CONGESTED_BYTES ((size_t)256 * 1024)
#define EARLY_MAX       ((size_t)256 * 1024) /* a session stops after one read of 64 KiB */

/* ---- ending ---- */

void client_free(struct upstream_request *r)
{
    h1_parser_free(r->parser);
    gw_arena_clear(&r->arena);
    free(r->space);
    gw_buf_release(&r->early);
    balancer_unhold(r->balancer);
    free(r);
}

/* Lets go of everything but the memory: no event can come after it. */
static void detach(struct upstream_request *r)
{
    r->gone = true;
    gw_task_cancel(&r->begin);
    client_end_attempt(r);
}

void upstream_cancel(struct upstream_request *r)
{
    if (!r || r->gone)
        return;
    detach(r);
    if (!r->told)
        client_free(r);
}

/* The last event; the memory is still there for who reads on. */
void client_tell_end(struct upstream_request *r, int err)
{
    if (err)
        client_report(r, err, 0);
    detach(r);
    if (err)
        r->events->on_error(r->ctx, err);
    else
        r->events->on_end(r->ctx);
}

/* The same from anywhere but inside a read. */
void client_finish(struct upstream_request *r, int err)
{
    client_tell_end(r, err);
    client_free(r);
}

void upstream_set_owner(struct upstream_request *r, const struct upstream_events *events, void *ctx)
{
    r->events = events;
    r->ctx = ctx;
}

/* ---- timeouts ---- */

uint32_t client_read_timeout_ms(const struct upstream_request *r)
{
    return r->call.read_timeout_ms ? r->call.read_timeout_ms
                                   : pool_origin(r->pool)->read_timeout_ms;
}

/* While request bytes wait the origin must take some; once all are out it must answer. Neither
 * clock runs while the owner holds the answer back, or in a tunnel, which may be silent for hours.
 */
void client_set_timeout(struct upstream_request *r)
{
    const struct config_origin *origin = pool_origin(r->pool);
    if (r->tunnel || (r->paused && r->head_done) || (!r->sent_all && !conn_queued(r->conn)))
        gw_deadline_cancel(&r->timeout);
    else
        gw_deadline_set(balancer_loop(r->balancer), &r->timeout,
                        conn_queued(r->conn) ? origin->write_timeout_ms
                                             : client_read_timeout_ms(r));
}

static void on_timeout(struct gw_deadline *d)
{
    struct upstream_request *r = gw_container_of(d, struct upstream_request, timeout);
    client_finish(r, conn_queued(r->conn) ? GW_ETIMEOUT_WRITE : GW_ETIMEOUT_READ);
}

/* ---- sending ---- */

static bool write_parts(struct upstream_request *r, const struct iovec *parts, size_t count)
{
    if (conn_write(r->conn, parts, count, NULL) == 0)
        return true;
    /* The origin closed while we write: what it said before is read first, the reader ends the
     * request. */
    conn_resume(r->conn);
    return false;
}

void client_send_head(struct upstream_request *r)
{
    char framing[64];
    int n = 0;
    if (r->call.body_length == UPSTREAM_CHUNKED)
        n = snprintf(framing, sizeof(framing), "Transfer-Encoding: chunked\r\n\r\n");
    else if (r->call.body_length >= 0)
        n = snprintf(framing, sizeof(framing), "Content-Length: %lld\r\n\r\n",
                     (long long)r->call.body_length);
    else
        n = snprintf(framing, sizeof(framing), "\r\n");
    struct iovec parts[2] = {{(void *)r->call.head.ptr, r->call.head.len}, {framing, (size_t)n}};
    r->head_given = true;
    write_parts(r, parts, 2);
}

void upstream_send(struct upstream_request *r, struct gw_str data)
{
    if (r->gone || data.len == 0)
        return;
    if (!r->conn) {
        gw_buf_add(&r->early, data);
        return;
    }
    r->body_given = true;
    if (r->tunnel || r->call.body_length != UPSTREAM_CHUNKED) {
        struct iovec part = {(void *)data.ptr, data.len};
        write_parts(r, &part, 1);
    } else {
        char size[20];
        int n = snprintf(size, sizeof(size), "%zx\r\n", data.len);
        struct iovec parts[3] = {{size, (size_t)n}, {(void *)data.ptr, data.len}, {"\r\n", 2}};
        write_parts(r, parts, 3);
    }
    client_set_timeout(r);
}

void upstream_send_end(struct upstream_request *r)
{
    if (r->gone)
        return;
    r->body_over = true;
    if (!r->conn)
        return;
    if (r->tunnel) {
        conn_shut_write(r->conn);
        return;
    }
    if (r->sent_all)
        return;
    if (r->call.body_length == UPSTREAM_CHUNKED) {
        struct iovec part = {"0\r\n\r\n", 5};
        write_parts(r, &part, 1);
    }
    r->sent_all = true;
    client_set_timeout(r);
}

bool upstream_congested(const struct upstream_request *r)
{
    return r->conn ? conn_queued(r->conn) > CONGESTED_BYTES : r->early.len > 0;
}

/* What the owner gave while there was no connection; and the end of an empty body, which an attempt
 * before this one may have sent already: nobody else would end this one's chunks. */
void client_send_early(struct upstream_request *r)
{
    if (r->early.len)
        upstream_send(r, gw_buf_str(&r->early));
    gw_buf_release(&r->early);
    if (r->body_over)
        upstream_send_end(r);
}

/* ---- backpressure and facts ---- */

void upstream_pause(struct upstream_request *r)
{
    if (r->gone || r->paused)
        return;
    r->paused = true;
    if (r->conn) {
        conn_pause(r->conn);
        client_set_timeout(r);
    }
}

void upstream_resume(struct upstream_request *r)
{
    if (r->gone || !r->paused)
        return;
    r->paused = false;
    if (r->conn) {
        conn_resume(r->conn);
        client_set_timeout(r);
    }
}

size_t upstream_server(const struct upstream_request *r)
{
    return r->tries ? r->server : UPSTREAM_ANY;
}

uint64_t upstream_head_us(const struct upstream_request *r)
{
    return r->head_us;
}

/* ---- starting ---- */

struct upstream_request *upstream_start(struct balancer *balancer, const struct upstream_call *call,
                                        const struct upstream_events *events, void *ctx)
{
    struct upstream_request *r = gw_zalloc(sizeof(*r));
    r->balancer = balancer_hold(balancer);
    r->servers = call->server == UPSTREAM_ANY ? balancer_servers(balancer) : NULL;
    r->events = events;
    r->ctx = ctx;
    r->call = *call;
    r->started_us = gw_loop_real_us(balancer_loop(balancer));
    r->space = gw_alloc(SPACE_SIZE);
    gw_arena_init(&r->arena, r->space, SPACE_SIZE, 0);
    gw_buf_init(&r->early, EARLY_MAX);
    r->call.head = gw_arena_dup(&r->arena, call->head);
    client_attempts_init(r);
    gw_deadline_init(&r->timeout, on_timeout);
    r->parser = h1_parser_new(H1_RESPONSE, &r->call.limits);
    h1_parser_begin_response(r->parser, &r->arena, &r->message, call->method);
    client_attempt(r, r->servers ? servers_first(r->servers, client_now_ms(r)) : call->server);
    return r;
}
