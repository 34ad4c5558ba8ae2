/* SPDX-License-Identifier: Apache-2.0 */
/* One stream and its exchange. */
#include <sys/random.h>

#include "gateway/session_h2_fields.h"
#include "gateway/session_h2_inside.h"

#define OUT_MAX        ((size_t)64 * 1024) /* bytes of one body that wait before it is congested */
#define OUT_COPIED_MAX ((size_t)1 << 20)   /* the same of all streams together, copies only */

static const struct exchange_io exchange_io;

/* ---- requests ---- */

struct h2_stream *h2_stream_new(struct session_h2 *s, int32_t id)
{
    struct h2_stream *st = gw_pool_alloc(&s->session.worker->pool, sizeof(*st));
    memset(st, 0, offsetof(struct h2_stream, head));
    st->session = s;
    st->id = id;
    st->moved_ms = h2_now_ms(s);
    gw_buf_init(&st->stash, H2_STREAM_WINDOW);
    gw_list_push(&s->streams, &st->link);
    s->stream_count++;
    st->x = session_exchange(&s->session, &exchange_io, st);
    h2_request_begin(&st->head, &st->x->arena, &st->x->request, &s->session.worker->request_limits);
    return st;
}

/* 16 random bytes in base64 (RFC 6455 section 4.1): the last of 22 characters has two bits. */
static bool add_websocket_key(struct exchange *x)
{
    static const char alphabet[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    uint8_t random[22];
    char *key = gw_arena_alloc(&x->arena, 24);
    if (!key || getrandom(random, sizeof(random), 0) != sizeof(random))
        return false;
    for (size_t i = 0; i < 21; i++)
        key[i] = alphabet[random[i] & 63];
    key[21] = alphabet[random[21] & 48];
    key[22] = key[23] = '=';
    return headers_add_id(&x->request.headers, HEADER_SEC_WEBSOCKET_KEY, gw_str(key, 24));
}

void h2_stream_start(struct h2_stream *st, bool ended)
{
    struct exchange *x = st->x;
    st->started = true;
    st->input_ended = ended;
    x->error = h2_request_end(&st->head, ended);
    st->extended = st->head.protocol.ptr != NULL;
    if (!x->error && st->extended && !add_websocket_key(x))
        x->error = GW_EHEADERS;
    st->end_told = x->error || x->request.framing == H1_BODY_NONE;
    x->body_ended = st->end_told;
    exchange_start(x, x->admin && !x->error ? STEP_ADMIN : STEP_NORMALISE);
}

bool h2_stream_body(struct h2_stream *st, struct gw_str data)
{
    st->moved_ms = h2_now_ms(st->session);
    if (!st->x || (st->end_told && !st->extended))
        return true; /* an unwanted body is read away until the stream ends */
    if (st->want_body && !st->stash.len) {
        exchange_on_body(st->x, data);
        return true;
    }
    gw_buf_add(&st->stash, data); /* cannot overflow: the window is closed before */
    return false;
}

/* The end keeps its place behind the bytes and comes to who has asked for them: a step that still
 * connects to an origin has no use for it. */
static void tell_end(struct h2_stream *st)
{
    if (!st->x || !st->input_ended || st->stash.len || !st->want_body)
        return;
    if (st->tunnel) {
        st->input_ended = false; /* told once */
        exchange_on_eof(st->x);
    } else if (!st->end_told) {
        st->end_told = true;
        exchange_on_body_end(st->x);
    }
}

void h2_stream_body_end(struct h2_stream *st)
{
    st->input_ended = true;
    tell_end(st);
}

/* The stash is taken out first: the exchange may pause again while it looks at these bytes, and
 * what comes then is stashed behind nothing. */
void h2_stream_pump(struct h2_stream *st)
{
    if (st->stash.len && (st->want_body || !st->x)) {
        struct gw_buf taken = st->stash;
        gw_buf_init(&st->stash, H2_STREAM_WINDOW);
        if (st->x)
            exchange_on_body(st->x, gw_buf_str(&taken));
        nghttp2_session_consume(st->session->h2, st->id, taken.len);
        gw_buf_release(&taken);
    }
    tell_end(st);
}

/* From nghttp2 when both sides have ended or one has reset, and from the connection's end. The
 * exchange goes first, since it may still ask this stream what it thinks; then what it lent. */
void h2_stream_close(struct h2_stream *st)
{
    struct session_h2 *s = st->session;
    struct exchange *x = st->x;
    if (x && !st->started)
        exchange_discard(x);
    else if (x)
        exchange_on_gone(x);
    if (st->stash.len) /* the stream's window is gone, the connection's is not */
        nghttp2_session_consume_connection(s->h2, st->stash.len);
    gw_buf_release(&st->stash);
    h2_out_drop(st);
    s->waiting -= st->waiting;
    if (s->reading == st)
        s->reading = NULL;
    gw_list_remove(&st->link);
    if (--s->stream_count == 0)
        s->idle_ms = h2_now_ms(s);
    gw_pool_free(st);
}

/* The exchange hears of it when the stream closes, not here: it may be its own step that resets. A
 * second reset would be a frame on a closed stream (RFC 9113 section 5.1). */
void h2_stream_reset(struct h2_stream *st, uint32_t code)
{
    if (st->broken)
        return;
    st->broken = true;
    h2_out_drop(st);
    nghttp2_submit_rst_stream(st->session->h2, NGHTTP2_FLAG_NONE, st->id, code);
    h2_turn_soon(st->session);
}

/* ---- what the session offers to its exchange ---- */

static void io_informational(void *ctx, unsigned status, struct gw_str lines)
{
    struct h2_stream *st = ctx;
    struct h2_fields f;
    h2_fields_init(&f, status);
    h2_fields_lines(&f, lines);
    nghttp2_submit_headers(st->session->h2, NGHTTP2_FLAG_NONE, st->id, NULL, f.items, f.count,
                           NULL);
    h2_fields_release(&f);
    h2_turn_soon(st->session);
}

static void submit(struct h2_stream *st, const struct response *r, unsigned status)
{
    struct h2_fields f;
    h2_fields_init(&f, status);
    if (r->head.len)
        h2_fields_head(&f, r->head);
    for (size_t i = 0; i < GW_COUNT(r->lines); i++)
        h2_fields_lines(&f, r->lines[i]);
    if (r->content_length >= 0)
        h2_fields_length(&f, (uint64_t)r->content_length);
    bool empty = r->bodyless || r->content_length == 0 || status == 204 || status == 304;
    const nghttp2_data_provider body = {.source.ptr = st, .read_callback = h2_out_read};
    if (nghttp2_submit_response(st->session->h2, st->id, f.items, f.count, empty ? NULL : &body) !=
        0)
        h2_stream_reset(st, NGHTTP2_INTERNAL_ERROR);
    h2_fields_release(&f);
}

/* RFC 8441 section 5: a 2xx opens the tunnel. One that is no answer to an Upgrade may not look like
 * it. */
static void io_respond(void *ctx, const struct response *r)
{
    struct h2_stream *st = ctx;
    st->tunnel = r->tunnel;
    h2_out_add(st, r->body, r->body_parts, &r->hold);
    if (st->extended && !r->tunnel && r->status / 100 == 2)
        h2_stream_reset(st, NGHTTP2_CONNECT_ERROR);
    else
        submit(st, r, r->tunnel ? 200 : r->status);
    h2_turn_soon(st->session);
}

static void go_on(struct h2_stream *st)
{
    if (st->deferred && !st->broken) {
        st->deferred = false;
        nghttp2_session_resume_data(st->session->h2, st->id);
    }
    h2_turn_soon(st->session);
}

static void io_send(void *ctx, const struct iovec *parts, size_t count,
                    const struct conn_hold *hold)
{
    struct h2_stream *st = ctx;
    h2_out_add(st, parts, count, hold);
    go_on(st);
}

static void io_end(void *ctx)
{
    struct h2_stream *st = ctx;
    st->output_ended = true;
    go_on(st);
}

/* Never END_STREAM: a body that is cut must not look like a whole one (RFC 9113 section 8.1). */
static void io_cut(void *ctx)
{
    h2_stream_reset(ctx, NGHTTP2_INTERNAL_ERROR);
}

/* The client's time for its body runs only while somebody wants it. */
static void io_want_body(void *ctx, bool want)
{
    struct h2_stream *st = ctx;
    if (want && !st->want_body)
        h2_turn_soon(st->session);
    if (want != st->want_body)
        st->moved_ms = h2_now_ms(st->session);
    st->want_body = want;
}

bool h2_stream_congested(const struct h2_stream *st)
{
    const struct session_h2 *s = st->session;
    if (conn_is_closing(s->session.conn))
        return true; /* nobody reads, and the stream's end tells the exchange */
    return st->pending > OUT_MAX || (st->pending && s->copied > OUT_COPIED_MAX);
}

static bool io_congested(void *ctx)
{
    struct h2_stream *st = ctx;
    bool congested = h2_stream_congested(st);
    st->session->waiting += congested && !st->waiting;
    st->waiting |= congested;
    return congested;
}

static void io_done(void *ctx)
{
    struct h2_stream *st = ctx;
    st->x = NULL;
    h2_turn_soon(st->session); /* what is stashed is read away */
}

static const struct exchange_io exchange_io = {
    .informational = io_informational,
    .respond = io_respond,
    .send = io_send,
    .end = io_end,
    .cut = io_cut,
    .want_body = io_want_body,
    .congested = io_congested,
    .done = io_done,
};
