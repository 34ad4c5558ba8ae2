/* SPDX-License-Identifier: Apache-2.0 */
/* Life of a request, and what its owner gives. */
#include <stdio.h>

#include "gateway/http/h1_write.h"
#include "gateway/upstream/client_inside.h"

#define CONGESTED_BYTES ((size_t)256 * 1024)
#define EARLY_MAX       ((size_t)256 * 1024)
#define EARLY_ENOUGH    ((size_t)64 * 1024) /* then the owner stops, a read of 64 KiB later */

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

/* Lets go of everything but the memory: no event can come after it. Once: by a cancel or before the
 * last event, whose owner finds `gone` when he cancels from inside it. */
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
    if (!r->told) /* else on_read, which called the owner, still looks at it and frees it */
        client_free(r);
}

/* The last event; the memory is still there for who reads on. */
void client_tell_end(struct upstream_request *r, int err)
{
    if (err)
        client_report(r, err, 0); /* detach leaves the server */
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

/* Set only while there is a connection: whatever takes that away cancels it. */
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
     * request. Not while the owner has paused: what is in the kernel's buffer alone is megabytes,
     * after ENOBUFS or ENOMEM the origin speaks on without end, and a pause in force is not said
     * again. Who resumes reads the rest. */
    if (!r->paused)
        conn_resume(r->conn);
    return false;
}

/* A piece of the body in its framing: adds up to three parts. `size` has room for a chunk's line.
 */
static size_t add_body(struct upstream_request *r, struct gw_str data, char size[H1_CHUNK_LINE_MAX],
                       struct iovec *parts)
{
    size_t count = 0;
    bool chunk = !r->tunnel && r->call.body_length == UPSTREAM_CHUNKED;
    if (data.len == 0)
        return 0;
    r->body_given = true;
    if (chunk)
        parts[count++] = (struct iovec){size, h1_chunk_line(size, data.len)};
    parts[count++] = (struct iovec){(void *)data.ptr, data.len};
    if (chunk)
        parts[count++] = (struct iovec){"\r\n", 2};
    return count;
}

/* After the last piece. An attempt before this one may have sent it already: each says it anew. */
static size_t add_body_end(struct upstream_request *r, struct iovec *parts)
{
    r->sent_all = true;
    if (r->call.body_length != UPSTREAM_CHUNKED)
        return 0;
    parts[0] = (struct iovec){"0\r\n\r\n", 5};
    return 1;
}

void client_send_head(struct upstream_request *r, struct gw_str body)
{
    char framing[64], size[H1_CHUNK_LINE_MAX];
    int n = 0;
    if (r->call.body_length == UPSTREAM_CHUNKED)
        n = snprintf(framing, sizeof(framing), "Transfer-Encoding: chunked\r\n\r\n");
    else if (r->call.body_length >= 0)
        n = snprintf(framing, sizeof(framing), "Content-Length: %lld\r\n\r\n",
                     (long long)r->call.body_length);
    else
        n = snprintf(framing, sizeof(framing), "\r\n");
    struct iovec parts[6] = {{(void *)r->call.head.ptr, r->call.head.len}, {framing, (size_t)n}};
    size_t count = 2;
    r->head_given = true;
    r->sent_all = r->call.body_length == UPSTREAM_NO_BODY || r->call.body_length == 0;
    count += add_body(r, body, size, parts + count);
    if (r->body_over && !r->sent_all)
        count += add_body_end(r, parts + count);
    write_parts(r, parts, count);
}

void upstream_send(struct upstream_request *r, struct gw_str data)
{
    if (r->gone || data.len == 0)
        return;
    if (!r->conn) {
        /* Behind what is kept already nothing may go ahead of it. Too much sets the buffer's
         * overflow, which fails the request once it has a connection. */
        if (r->early.len || !client_begin_with(r, data))
            gw_buf_add(&r->early, data);
        return;
    }
    char size[H1_CHUNK_LINE_MAX];
    struct iovec parts[3];
    write_parts(r, parts, add_body(r, data, size, parts));
    client_set_timeout(r);
}

void upstream_send_end(struct upstream_request *r)
{
    if (r->gone)
        return;
    r->body_over = true;
    if (!r->conn)
        return; /* client_send_head says it */
    if (r->tunnel) {
        conn_shut_write(r->conn);
        return;
    }
    if (r->sent_all)
        return;
    struct iovec part;
    if (add_body_end(r, &part))
        write_parts(r, &part, 1);
    client_set_timeout(r);
}

bool upstream_congested(const struct upstream_request *r)
{
    return r->conn ? conn_queued(r->conn) > CONGESTED_BYTES : r->early.len >= EARLY_ENOUGH;
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
