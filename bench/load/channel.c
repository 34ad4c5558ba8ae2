/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/load/channel.h"

#include "gateway/http/h1_parse.h"
#include "gateway/net/conn_tls.h"

#define HEAD_BLOCK 2048
#define ARENA_MAX  ((size_t)512 << 10)

enum channel_state { CHANNEL_CONNECTING, CHANNEL_IDLE, CHANNEL_BUSY };

struct channel {
    struct conn *conn;
    struct tls_client *tls; /* NULL: none, or the handshake has begun */
    enum channel_state state;
    const struct channel_events *events;
    void *ctx;
    uint64_t timeout_ms;
    struct gw_deadline deadline;
    struct h1_parser *parser;
    struct h1_message message;
    struct gw_arena arena;
    struct gw_buf *body;
    char peek[CHANNEL_PEEK];
    size_t peek_len;
    char head_block[HEAD_BLOCK];
};

static const struct h1_limits limits = {16 << 10, 128 << 10, 256};

/* ---- ends ---- */

/* The one end of a channel: after an answer that is its last, a failure, a send that failed, or
 * when its owner closes it. No two can meet: each returns at once without touching c, the
 * connection is abandoned (no event comes any more), and an owner who was told does not close
 * (channel.h). */
static void dispose(struct channel *c)
{
    gw_deadline_cancel(&c->deadline);
    conn_abandon(c->conn);
    h1_parser_free(c->parser);
    gw_arena_clear(&c->arena);
    free(c);
}

void channel_close(struct channel *c)
{
    if (c)
        dispose(c);
}

/* The callback may still look at the channel, so it is told first and freed afterwards. */
static void fail(struct channel *c, enum load_error error, int err)
{
    const struct channel_answer none = {.error = (uint8_t)error,
                                        .done_us = gw_loop_real_us(conn_loop(c->conn))};
    gw_deadline_cancel(&c->deadline);
    if (c->state == CHANNEL_BUSY)
        c->events->on_answer(c->ctx, c, &none);
    else
        c->events->on_lost(c->ctx, c, err);
    dispose(c);
}

static void on_deadline(struct gw_deadline *d)
{
    struct channel *c = gw_container_of(d, struct channel, deadline);
    fail(c, LOAD_ERROR_TIMEOUT, GW_ETIMEOUT_CONNECT);
}

/* ---- answers ---- */

/* The app's limiter and the edge's rate rule both say 429; their bodies tell them apart
 * (spec/limiter.md a2; error 1015). */
static enum load_refusal refusal_of(struct gw_str body)
{
    if (gw_str_find(body, GW_STR("\"Rate limit exceeded\"")) != GW_NPOS ||
        gw_str_find(body, GW_STR("rate_limit")) != GW_NPOS)
        return LOAD_REFUSAL_LIMITER;
    return gw_str_find(body, GW_STR("1015")) != GW_NPOS ? LOAD_REFUSAL_RULE : LOAD_REFUSAL_OTHER;
}

static void read_refusal(const struct channel *c, struct channel_answer *a)
{
    uint64_t seconds = 0;
    const struct gw_str *value = headers_get(&c->message.headers, HEADER_RETRY_AFTER);
    if (a->status != 429)
        return;
    a->refusal = (uint8_t)refusal_of(gw_str(c->peek, c->peek_len));
    a->retry_after_broken = !value || !gw_str_u64(*value, UINT32_MAX, &seconds) || !seconds;
    a->retry_after_s = (uint32_t)seconds;
}

/* What the owner needs is copied first: he may send the next request from inside, which begins a
 * new message in the same arena and, if that fails, frees the channel. So nothing here touches c
 * behind the call. */
static void finish(struct channel *c, bool more_bytes)
{
    const struct gw_str *cache = headers_get(&c->message.headers, HEADER_CF_CACHE_STATUS);
    struct channel_answer a = {
        .status = c->message.status,
        .cache = (uint8_t)(cache ? load_cache_of(*cache) : LOAD_CACHE_NONE),
        .reusable = c->message.keep_alive && c->message.status != 101 && !more_bytes,
        .done_us = gw_loop_real_us(conn_loop(c->conn)),
    };
    read_refusal(c, &a);
    gw_deadline_cancel(&c->deadline);
    gw_arena_clear(&c->arena);
    c->state = CHANNEL_IDLE;
    if (a.reusable) {
        c->events->on_answer(c->ctx, c, &a);
        return;
    }
    c->state = CHANNEL_BUSY; /* nobody may send on it from inside the callback */
    c->events->on_answer(c->ctx, c, &a);
    dispose(c);
}

static void keep_body(struct channel *c, struct gw_str piece)
{
    size_t n = gw_min_size(piece.len, CHANNEL_PEEK - c->peek_len);
    memcpy(c->peek + c->peek_len, piece.ptr, n);
    c->peek_len += n;
    if (c->body)
        gw_buf_add(c->body, piece);
}

static void on_read(void *ctx, struct gw_str data)
{
    struct channel *c = ctx;
    struct gw_str body;
    /* Bytes that nobody asked for would be taken for the next answer (response splitting): the
     * connection cannot be trusted with one. */
    if (c->state != CHANNEL_BUSY) {
        fail(c, LOAD_ERROR_PROTOCOL, GW_EPARSE);
        return;
    }
    for (;;) {
        switch (h1_parser_next(c->parser, &data, &body)) {
        case H1_MORE:
            return;
        case H1_HEAD:
            break;
        case H1_BODY:
            keep_body(c, body);
            break;
        case H1_END:
            finish(c, data.len > 0);
            return;
        case H1_ERROR:
            fail(c, LOAD_ERROR_PROTOCOL, c->message.error);
            return;
        }
    }
}

static void on_eof(void *ctx)
{
    struct channel *c = ctx;
    if (c->state == CHANNEL_BUSY && h1_parser_eof(c->parser) == H1_END) {
        c->message.keep_alive = false;
        finish(c, false);
        return;
    }
    fail(c, LOAD_ERROR_CLOSED, GW_ECLOSED);
}

static void on_error(void *ctx, int err)
{
    fail(ctx, LOAD_ERROR_CLOSED, err);
}

static void on_drain(void *ctx)
{
    (void)ctx;
}

static void on_connect(void *ctx, int err)
{
    struct channel *c = ctx;
    if (err) {
        fail(c, LOAD_ERROR_CONNECT, err);
        return;
    }
    if (c->tls) { /* comes back here when it is over */
        conn_tls_connect(c->conn, c->tls);
        c->tls = NULL;
        return;
    }
    gw_deadline_cancel(&c->deadline);
    c->state = CHANNEL_IDLE;
    conn_resume(c->conn);
    c->events->on_ready(c->ctx, c);
}

/* ---- requests ---- */

struct channel *channel_open(struct gw_loop *loop, const struct net_address *to,
                             uint64_t timeout_ms, const struct channel_events *events, void *ctx)
{
    return channel_open_tls(loop, to, NULL, timeout_ms, events, ctx);
}

struct channel *channel_open_tls(struct gw_loop *loop, const struct net_address *to,
                                 struct tls_client *tls, uint64_t timeout_ms,
                                 const struct channel_events *events, void *ctx)
{
    static const struct conn_events own = {on_connect, on_read, on_eof, on_drain, on_error, NULL};
    struct channel *c = gw_zalloc(sizeof(*c));
    c->events = events;
    c->ctx = ctx;
    c->timeout_ms = timeout_ms;
    c->tls = tls;
    gw_deadline_init(&c->deadline, on_deadline);
    gw_arena_init(&c->arena, c->head_block, sizeof(c->head_block), ARENA_MAX);
    c->parser = h1_parser_new(H1_RESPONSE, &limits);
    c->conn = conn_connect(loop, to, &own, c);
    gw_deadline_set(loop, &c->deadline, timeout_ms);
    return c;
}

int channel_send(struct channel *c, struct gw_str request, enum http_method method,
                 struct gw_buf *body)
{
    const struct iovec part = {(void *)request.ptr, request.len};
    c->peek_len = 0;
    c->body = body;
    h1_parser_begin_response(c->parser, &c->arena, &c->message, method);
    int err = conn_write(c->conn, &part, 1, NULL);
    if (err) {
        dispose(c);
        return err;
    }
    c->state = CHANNEL_BUSY;
    gw_deadline_set(conn_loop(c->conn), &c->deadline, c->timeout_ms);
    return 0;
}

const char *channel_handshake_failure(const struct channel *c)
{
    return conn_tls_facts(c->conn).failure;
}

void *channel_ctx(const struct channel *c)
{
    return c->ctx;
}
