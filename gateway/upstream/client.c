/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/upstream/client.h"

#include <errno.h>
#include <stdio.h>

#define CONGESTED_BYTES ((size_t)256 * 1024)
#define INLINE_ARENA    ((size_t)3072)

struct upstream_request {
    struct pool *pool;
    struct conn *conn;
    const struct upstream_events *events;
    void *ctx;
    struct pool_lease lease;
    struct gw_task begin;       /* an idle connection is used in a later turn, like a new one */
    struct gw_deadline timeout; /* for reading, and for writing while something is queued */
    struct h1_parser *parser;
    struct h1_message message;
    struct upstream_call call; /* head points into the arena */
    uint64_t started_us, head_us;
    bool reused;     /* the connection has answered before */
    bool retried;    /* this is the second attempt */
    bool answered;   /* a byte of an answer came */
    bool body_given; /* the owner sent body bytes: a second attempt could not send them again */
    bool sent_all;   /* the whole request has been handed to the connection */
    bool head_done;  /* on_head was called */
    bool tunnel;     /* after 101 */
    bool paused;     /* by the owner */
    bool told;       /* inside an event: the memory goes after it */
    bool gone;       /* cancelled or ended */
    struct gw_arena arena;
    char first[INLINE_ARENA] __attribute__((aligned(16)));
};

static void free_request(struct upstream_request *r)
{
    h1_parser_free(r->parser);
    gw_arena_clear(&r->arena);
    pool_unhold(r->pool);
    free(r);
}

/* Lets go of everything but the memory: no event can come after it. */
static void detach(struct upstream_request *r)
{
    r->gone = true;
    pool_connect_cancel(&r->lease);
    gw_task_cancel(&r->begin);
    gw_deadline_cancel(&r->timeout);
    if (r->conn)
        conn_abandon(r->conn);
    r->conn = NULL;
}

void upstream_cancel(struct upstream_request *r)
{
    if (!r || r->gone)
        return;
    detach(r);
    if (!r->told)
        free_request(r);
}

/* The last event; the memory is still there for who reads on. */
static void tell_end(struct upstream_request *r, int err)
{
    detach(r);
    if (err)
        r->events->on_error(r->ctx, err);
    else
        r->events->on_end(r->ctx);
}

/* The same from anywhere but inside a read. */
static void finish(struct upstream_request *r, int err)
{
    tell_end(r, err);
    free_request(r);
}

void upstream_set_owner(struct upstream_request *r, const struct upstream_events *events, void *ctx)
{
    r->events = events;
    r->ctx = ctx;
}

/* ---- timeouts ---- */

/* While request bytes wait the origin must take some; once all are out it must answer. Neither
 * clock runs while the owner holds the answer back, or in a tunnel, which may be silent for hours.
 */
static void set_timeout(struct upstream_request *r)
{
    const struct config_origin *origin = pool_origin(r->pool);
    if (r->tunnel || (r->paused && r->head_done) || (!r->sent_all && !conn_queued(r->conn)))
        gw_deadline_cancel(&r->timeout);
    else
        gw_deadline_set(pool_loop(r->pool), &r->timeout,
                        conn_queued(r->conn)      ? origin->write_timeout_ms
                        : r->call.read_timeout_ms ? r->call.read_timeout_ms
                                                  : origin->read_timeout_ms);
}

static void on_timeout(struct gw_deadline *d)
{
    struct upstream_request *r = gw_container_of(d, struct upstream_request, timeout);
    finish(r, conn_queued(r->conn) ? GW_ETIMEOUT_WRITE : GW_ETIMEOUT_READ);
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

static void send_head(struct upstream_request *r)
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
    write_parts(r, parts, 2);
}

void upstream_send(struct upstream_request *r, struct gw_str data)
{
    if (r->gone || !r->conn || data.len == 0)
        return;
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
    set_timeout(r);
}

void upstream_send_end(struct upstream_request *r)
{
    if (r->gone || !r->conn)
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
    set_timeout(r);
}

bool upstream_congested(const struct upstream_request *r)
{
    return r->conn && conn_queued(r->conn) > CONGESTED_BYTES;
}

/* ---- the answer ---- */

/* True when a request may go out once more (the header of client.h has the rule). */
static bool may_retry(const struct upstream_request *r)
{
    return r->reused && !r->retried && !r->answered && !r->body_given &&
           (r->call.idempotent || !r->sent_all);
}

static void connect_fresh(struct upstream_request *r);

static void on_lost(struct upstream_request *r, int err)
{
    if (!may_retry(r)) {
        finish(r, err);
        return;
    }
    gw_deadline_cancel(&r->timeout);
    conn_abandon(r->conn);
    r->conn = NULL;
    r->retried = true;
    r->sent_all = false;
    connect_fresh(r);
}

/* The answer is complete: the connection goes back when both sides are at the end of a message and
 * nothing more was sent (bytes behind a complete answer would be taken for the next one). */
static void on_message_end(struct upstream_request *r, struct gw_str rest)
{
    if (r->message.keep_alive && r->sent_all && rest.len == 0 && !r->tunnel &&
        conn_queued(r->conn) == 0) {
        struct conn *c = r->conn;
        r->conn = NULL;
        pool_put_idle(r->pool, c);
    }
    tell_end(r, 0);
}

static void on_message_head(struct upstream_request *r)
{
    if (r->message.status < 200 && r->message.status != 101) {
        r->events->on_informational(r->ctx, &r->message);
        return;
    }
    r->head_done = true;
    r->head_us = gw_loop_real_us(pool_loop(r->pool)) - r->started_us;
    r->tunnel = r->message.status == 101;
    r->events->on_head(r->ctx, &r->message);
}

/* 101 without having been asked for it is no answer to our request (RFC 9110 section 15.2.2). */
static bool is_unasked_upgrade(const struct upstream_request *r)
{
    return r->message.status == 101 && !r->call.upgrade;
}

/* Handles one event of the parser; false when reading of this input is over. */
static bool handle_event(struct upstream_request *r, enum h1_event event, struct gw_str input,
                         struct gw_str body)
{
    switch (event) {
    case H1_MORE:
        return false;
    case H1_HEAD:
        if (is_unasked_upgrade(r))
            tell_end(r, GW_EPARSE);
        else
            on_message_head(r);
        return !r->gone && !r->tunnel;
    case H1_BODY:
        r->events->on_body(r->ctx, body);
        return !r->gone;
    case H1_END:
        on_message_end(r, input);
        return false;
    case H1_ERROR:
        tell_end(r, r->head_done ? GW_ETRUNCATED : r->message.error);
        return false;
    }
    return false;
}

static void on_read(void *ctx, struct gw_str data)
{
    struct upstream_request *r = ctx;
    r->answered = true;
    r->told = true;
    struct gw_str body = GW_STR_EMPTY;
    if (!r->tunnel)
        while (handle_event(r, h1_parser_next(r->parser, &data, &body), data, body))
            ;
    if (r->tunnel && !r->gone && data.len)
        r->events->on_body(r->ctx, data);
    if (!r->gone)
        r->events->on_batch(r->ctx);
    r->told = false;
    if (r->gone)
        free_request(r);
    else
        set_timeout(r);
}

static void on_eof(void *ctx)
{
    struct upstream_request *r = ctx;
    if (r->tunnel) { /* half-closed tunnels are rare enough to end the whole */
        finish(r, 0);
        return;
    }
    if (!r->head_done) {
        on_lost(r, GW_ECLOSED);
        return;
    }
    finish(r, h1_parser_eof(r->parser) == H1_END ? 0 : GW_ETRUNCATED);
}

static void on_conn_error(void *ctx, int err)
{
    struct upstream_request *r = ctx;
    if (r->tunnel)
        finish(r, 0);
    else if (r->head_done)
        finish(r, GW_ETRUNCATED);
    else
        on_lost(r, err == -ECONNRESET || err == -EPIPE ? GW_ECLOSED : err);
}

static void on_drain(void *ctx)
{
    struct upstream_request *r = ctx;
    set_timeout(r);
    if (!r->sent_all || r->tunnel)
        r->events->on_sendable(r->ctx);
}

void upstream_pause(struct upstream_request *r)
{
    if (r->gone || r->paused)
        return;
    r->paused = true;
    if (r->conn) {
        conn_pause(r->conn);
        set_timeout(r);
    }
}

void upstream_resume(struct upstream_request *r)
{
    if (r->gone || !r->paused)
        return;
    r->paused = false;
    if (r->conn) {
        conn_resume(r->conn);
        set_timeout(r);
    }
}

uint64_t upstream_head_us(const struct upstream_request *r)
{
    return r->head_us;
}

/* ---- starting ---- */

static const struct conn_events client_events = {
    .on_read = on_read, .on_eof = on_eof, .on_drain = on_drain, .on_error = on_conn_error};

static void use_conn(struct upstream_request *r, struct conn *c)
{
    r->conn = c;
    conn_set_owner(c, &client_events, r);
    send_head(r);
    r->sent_all = r->call.body_length == UPSTREAM_NO_BODY || r->call.body_length == 0;
    set_timeout(r);
    if (!r->paused)
        conn_resume(c);
    if (!r->sent_all || r->call.upgrade)
        r->events->on_sendable(r->ctx);
}

static void on_lease_ready(struct pool_lease *lease, struct conn *c, int err)
{
    struct upstream_request *r = gw_container_of(lease, struct upstream_request, lease);
    if (err)
        finish(r, err);
    else
        use_conn(r, c);
}

static void connect_fresh(struct upstream_request *r)
{
    r->reused = false;
    r->lease.ready = on_lease_ready;
    pool_connect(r->pool, &r->lease);
}

static void begin(struct gw_task *task)
{
    struct upstream_request *r = gw_container_of(task, struct upstream_request, begin);
    struct conn *idle = pool_take_idle(r->pool);
    if (!idle) {
        connect_fresh(r);
        return;
    }
    r->reused = true;
    use_conn(r, idle);
}

struct upstream_request *upstream_start(struct pool *pool, const struct upstream_call *call,
                                        const struct upstream_events *events, void *ctx)
{
    struct upstream_request *r = gw_alloc(sizeof(*r));
    memset(r, 0, offsetof(struct upstream_request, first));
    r->pool = pool_hold(pool);
    r->events = events;
    r->ctx = ctx;
    r->call = *call;
    r->started_us = gw_loop_real_us(pool_loop(pool));
    gw_arena_init(&r->arena, r->first, sizeof(r->first), 0);
    r->call.head = gw_arena_dup(&r->arena, call->head);
    gw_task_init(&r->begin, begin);
    gw_deadline_init(&r->timeout, on_timeout);
    r->parser = h1_parser_new(H1_RESPONSE, &r->call.limits);
    h1_parser_begin_response(r->parser, &r->arena, &r->message, call->method);
    gw_loop_defer(pool_loop(pool), &r->begin);
    return r;
}
