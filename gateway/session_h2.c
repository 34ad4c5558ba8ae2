/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/session_h2.h"

#include "gateway/session_h2_inside.h"

#define SEND_FIELDS_MAX ((size_t)1 << 20) /* of a response: over what a step can write */
#define OUTBOUND_ACKS   256               /* answers to PING and SETTINGS that wait */
#define OUTBOUND_MAX    2048              /* all frames that wait: all streams at their busiest */

/* ---- ending ---- */

/* Says why and lets nothing new in; what has been said goes out. */
static void end_with(struct session_h2 *s, uint32_t code)
{
    nghttp2_session_terminate_session(s->h2, code);
    h2_turn_soon(s);
}

static void log_flood(void)
{
    gw_log_warn("HTTP/2 connection closed reason=\"too many frames without progress\"");
}

void h2_charge(struct session_h2 *s)
{
    if (s->calm_down || h2_guard_take(&s->guard, h2_now_ms(s)))
        return;
    s->calm_down = true;
    log_flood();
    end_with(s, NGHTTP2_ENHANCE_YOUR_CALM);
}

/* Resets that a client's mistakes make us queue are charged when they are sent: one who reads
 * nothing would never be. There is no room for a GOAWAY then. */
static bool is_choked(struct session_h2 *s)
{
    if (nghttp2_session_get_outbound_queue_size(s->h2) <= OUTBOUND_MAX)
        return false;
    log_flood();
    return true;
}

/* By the end of the connection, or when nghttp2 has nothing more to say or hear. It still names the
 * streams that are freed here, but does not run any more. */
static void close_streams(struct session_h2 *s)
{
    while (!gw_list_empty(&s->streams))
        h2_stream_close(gw_list_entry(s->streams.next, struct h2_stream, link));
}

static void finish_if_over(struct session_h2 *s)
{
    if (nghttp2_session_want_read(s->h2) || nghttp2_session_want_write(s->h2) ||
        conn_is_closing(s->session.conn))
        return;
    close_streams(s);
    conn_finish(s->session.conn);
}

/* ---- timeouts ---- */

/* When something must have happened to this stream; UINT64_MAX: we wait for somebody else. */
static uint64_t due_of(const struct session_h2 *s, const struct h2_stream *st)
{
    const struct config_timeouts *t = session_timeouts(&s->session);
    if (!st->started)
        return st->moved_ms + t->header_ms;
    if (st->pending)
        return st->moved_ms + t->write_ms;
    if (st->x && st->want_body && !st->end_told)
        return st->moved_ms + t->body_ms;
    return UINT64_MAX;
}

static uint64_t first_due(struct session_h2 *s)
{
    const struct config_timeouts *t = session_timeouts(&s->session);
    uint64_t grace = s->session.worker->draining ? SESSION_DRAIN_GRACE_MS : t->idle_ms;
    uint64_t due = s->stream_count ? UINT64_MAX : s->idle_ms + grace;
    if (s->drain_ms)
        due = gw_min_u64(due, s->drain_ms);
    if (conn_queued(s->session.conn))
        due = gw_min_u64(due, s->gone_ms + t->write_ms);
    for (struct gw_list *l = s->streams.next; l != &s->streams; l = l->next)
        due = gw_min_u64(due, due_of(s, gw_list_entry(l, struct h2_stream, link)));
    return due;
}

/* Nothing that begins from now on is due before the shortest timeout is over, so the deadline need
 * not be looked at with every frame: only when it fires. */
static void arm(struct session_h2 *s)
{
    const struct config_timeouts *t = session_timeouts(&s->session);
    uint64_t now = h2_now_ms(s), due = first_due(s);
    uint64_t shortest = gw_min_u64(gw_min_u64(t->header_ms, t->body_ms), t->write_ms);
    shortest = gw_min_u64(shortest, t->idle_ms);
    due = gw_min_u64(due, now + gw_max_u64(shortest, 1));
    gw_deadline_set(s->session.worker->loop, &s->deadline, due > now ? due - now : 1);
}

static void on_stream_late(struct session_h2 *s, struct h2_stream *st)
{
    if (!st->started) {
        end_with(s, NGHTTP2_NO_ERROR); /* half a header block cannot be skipped */
        return;
    }
    st->moved_ms = h2_now_ms(s);
    if (!st->pending && st->x && !st->x->responded)
        exchange_on_bad_body(st->x, 408);
    else
        h2_stream_reset(st, NGHTTP2_CANCEL);
}

/* Streams leave the list in nghttp2's callbacks alone, and nothing here calls it: `next` stays. */
static void on_streams_late(struct session_h2 *s, uint64_t now)
{
    struct gw_list *next;
    for (struct gw_list *l = s->streams.next; l != &s->streams; l = next) {
        struct h2_stream *st = gw_list_entry(l, struct h2_stream, link);
        next = l->next;
        if (due_of(s, st) <= now)
            on_stream_late(s, st);
    }
}

/* The second GOAWAY names the last stream that was taken (RFC 9113 section 6.8). */
static void refuse_new_streams(struct session_h2 *s)
{
    s->drain_ms = 0;
    nghttp2_submit_goaway(s->h2, NGHTTP2_FLAG_NONE, nghttp2_session_get_last_proc_stream_id(s->h2),
                          NGHTTP2_NO_ERROR, NULL, 0);
    h2_turn_soon(s);
}

static void on_deadline(struct gw_deadline *d)
{
    struct session_h2 *s = gw_container_of(d, struct session_h2, deadline);
    uint64_t now = h2_now_ms(s);
    uint64_t gone = s->written - conn_queued(s->session.conn);
    if (gone != s->gone || !conn_queued(s->session.conn)) {
        s->gone = gone;
        s->gone_ms = now;
    } else if (s->gone_ms + session_timeouts(&s->session)->write_ms <= now) {
        conn_close(s->session.conn);
        return;
    }
    if (s->drain_ms && s->drain_ms <= now)
        refuse_new_streams(s);
    on_streams_late(s, now);
    if (!s->stream_count && first_due(s) <= now)
        end_with(s, NGHTTP2_NO_ERROR);
    arm(s);
}

/* ---- turns ---- */

static void wake_waiting(struct session_h2 *s)
{
    struct gw_list *next;
    for (struct gw_list *l = s->streams.next; s->waiting && l != &s->streams; l = next) {
        struct h2_stream *st = gw_list_entry(l, struct h2_stream, link);
        next = l->next;
        if (!st->waiting || h2_stream_congested(st))
            continue;
        st->waiting = false;
        s->waiting--;
        if (st->x)
            exchange_on_sendable(st->x);
    }
}

/* Frames first: then those who waited may go on, and what they say leaves in the next turn, so that
 * one fast reader does not keep the loop. */
static void flush(struct session_h2 *s)
{
    h2_flush(s);
    if (s->waiting && !conn_is_closing(s->session.conn))
        wake_waiting(s);
    finish_if_over(s);
}

static void run_turn(struct gw_task *task)
{
    struct session_h2 *s = gw_container_of(task, struct session_h2, turn);
    if (conn_is_closing(s->session.conn))
        return;
    struct gw_list *next;
    for (struct gw_list *l = s->streams.next; l != &s->streams; l = next) {
        next = l->next;
        h2_stream_pump(gw_list_entry(l, struct h2_stream, link));
    }
    flush(s);
}

void h2_turn_soon(struct session_h2 *s)
{
    if (!s->busy)
        gw_loop_defer(s->session.worker->loop, &s->turn);
}

/* ---- what nghttp2 tells ---- */

static struct h2_stream *stream_of(nghttp2_session *h2, int32_t id)
{
    return nghttp2_session_get_stream_user_data(h2, id);
}

static bool is_request(const nghttp2_frame *frame)
{
    return frame->hd.type == NGHTTP2_HEADERS && frame->headers.cat == NGHTTP2_HCAT_REQUEST;
}

/* session_h2_guard.h says what each is. */
static bool is_suspect(const nghttp2_frame_hd *hd)
{
    switch (hd->type) {
    case NGHTTP2_HEADERS:
    case NGHTTP2_CONTINUATION:
    case NGHTTP2_WINDOW_UPDATE: /* its step is looked at once it has been read */
        return false;
    case NGHTTP2_DATA:
        if (hd->flags & NGHTTP2_FLAG_END_STREAM)
            return false;
        return hd->length == 0 ||
               (hd->flags & NGHTTP2_FLAG_PADDED && hd->length <= H2_GUARD_PADDING);
    case NGHTTP2_PING:
    case NGHTTP2_SETTINGS:
        return !(hd->flags & NGHTTP2_FLAG_ACK);
    default:
        return true;
    }
}

static int on_begin_frame(nghttp2_session *h2, const nghttp2_frame_hd *hd, void *ctx)
{
    (void)h2;
    struct session_h2 *s = ctx;
    s->continuations = hd->type == NGHTTP2_CONTINUATION ? s->continuations + 1 : 0;
    if (s->continuations > H2_CONTINUATIONS && !s->calm_down) {
        s->calm_down = true;
        end_with(s, NGHTTP2_ENHANCE_YOUR_CALM);
    } else if (is_suspect(hd)) {
        h2_charge(s);
    }
    return 0;
}

static int on_begin_headers(nghttp2_session *h2, const nghttp2_frame *frame, void *ctx)
{
    struct session_h2 *s = ctx;
    s->reading = is_request(frame) ? h2_stream_new(s, frame->hd.stream_id) : NULL;
    if (s->reading)
        nghttp2_session_set_stream_user_data(h2, frame->hd.stream_id, s->reading);
    return 0;
}

static struct gw_str text_of(nghttp2_rcbuf *counted)
{
    nghttp2_vec text = nghttp2_rcbuf_get_buf(counted);
    return gw_str((const char *)text.base, text.len);
}

static int on_header(nghttp2_session *h2, const nghttp2_frame *frame, nghttp2_rcbuf *name,
                     nghttp2_rcbuf *value, uint8_t flags, void *ctx)
{
    (void)h2, (void)frame, (void)flags;
    struct session_h2 *s = ctx;
    if (s->reading)
        h2_request_field(&s->reading->head, text_of(name), text_of(value));
    return 0;
}

/* nghttp2 would leave such a field out and go on: refused, never repaired. */
static int on_invalid_header(nghttp2_session *h2, const nghttp2_frame *frame, nghttp2_rcbuf *name,
                             nghttp2_rcbuf *value, uint8_t flags, void *ctx)
{
    (void)h2, (void)frame, (void)name, (void)value, (void)flags;
    struct session_h2 *s = ctx;
    if (s->reading)
        h2_request_refuse(&s->reading->head);
    return 0;
}

static int on_frame(nghttp2_session *h2, const nghttp2_frame *frame, void *ctx)
{
    struct session_h2 *s = ctx;
    if (frame->hd.type == NGHTTP2_WINDOW_UPDATE) {
        if (frame->window_update.window_size_increment < H2_GUARD_WINDOW_STEP)
            h2_charge(s);
        return 0;
    }
    if (frame->hd.type != NGHTTP2_HEADERS && frame->hd.type != NGHTTP2_DATA)
        return 0;
    bool ended = frame->hd.flags & NGHTTP2_FLAG_END_STREAM;
    struct h2_stream *st = s->reading;
    if (st && is_request(frame)) {
        s->reading = NULL;
        h2_stream_start(st, ended);
        return 0;
    }
    st = ended ? stream_of(h2, frame->hd.stream_id) : NULL;
    if (st)
        h2_stream_body_end(st);
    return 0;
}

static int on_data(nghttp2_session *h2, uint8_t flags, int32_t id, const uint8_t *data, size_t len,
                   void *ctx)
{
    (void)flags, (void)ctx;
    struct h2_stream *st = stream_of(h2, id);
    if (!st || h2_stream_body(st, gw_str((const char *)data, len)))
        nghttp2_session_consume(h2, id, len);
    return 0;
}

/* A response that is complete before its request: the rest is not wanted (RFC 9113 section 8.1). A
 * reset that the client's mistake has caused costs it as one of its own. */
static int on_frame_sent(nghttp2_session *h2, const nghttp2_frame *frame, void *ctx)
{
    struct session_h2 *s = ctx;
    if (frame->hd.type == NGHTTP2_RST_STREAM) {
        uint32_t code = frame->rst_stream.error_code;
        if (code != NGHTTP2_NO_ERROR && code != NGHTTP2_INTERNAL_ERROR && code != NGHTTP2_CANCEL)
            h2_charge(s);
        return 0;
    }
    bool response = frame->hd.type == NGHTTP2_HEADERS || frame->hd.type == NGHTTP2_DATA;
    struct h2_stream *st = response ? stream_of(h2, frame->hd.stream_id) : NULL;
    if (st && frame->hd.flags & NGHTTP2_FLAG_END_STREAM && !st->input_ended)
        h2_stream_reset(st, NGHTTP2_NO_ERROR);
    return 0;
}

static int on_stream_closed(nghttp2_session *h2, int32_t id, uint32_t code, void *ctx)
{
    (void)code, (void)ctx;
    struct h2_stream *st = stream_of(h2, id);
    if (st)
        h2_stream_close(st);
    return 0;
}

/* ---- the connection ---- */

static void on_read(void *ctx, struct gw_str data)
{
    struct session_h2 *s = ctx;
    s->busy = true;
    ssize_t n = nghttp2_session_mem_recv(s->h2, (const uint8_t *)data.ptr, data.len);
    s->busy = false; /* until here nobody needed to ask for a turn: this is one */
    if (n == NGHTTP2_ERR_FLOODED)
        end_with(s, NGHTTP2_ENHANCE_YOUR_CALM);
    else if (n < 0)
        end_with(s, NGHTTP2_PROTOCOL_ERROR);
    else if (is_choked(s))
        conn_close(s->session.conn);
    gw_task_cancel(&s->turn);
    run_turn(&s->turn);
}

/* Nothing can be asked or opened any more, and windows stay as they are: over. */
static void on_eof(void *ctx)
{
    struct session_h2 *s = ctx;
    conn_close(s->session.conn);
}

static void on_error(void *ctx, int err)
{
    (void)err;
    on_eof(ctx);
}

static void on_drain(void *ctx)
{
    struct session_h2 *s = ctx;
    flush(s);
}

/* Called once, when the connection is gone, whoever closed it. */
static void on_close(void *ctx)
{
    struct session_h2 *s = ctx;
    s->busy = true; /* no turn is wanted for what the exchanges still say */
    close_streams(s);
    gw_deadline_cancel(&s->deadline);
    gw_task_cancel(&s->turn);
    nghttp2_session_del(s->h2);
    session_end(&s->session);
    free(s);
}

static const struct conn_events conn_events = {
    .on_read = on_read,
    .on_eof = on_eof,
    .on_drain = on_drain,
    .on_error = on_error,
    .on_close = on_close,
};

/* The first of two GOAWAYs promises nothing yet: requests on their way are still taken for the time
 * of grace (RFC 9113 section 6.8), then refuse_new_streams draws the line. */
static void drain(struct session *session)
{
    struct session_h2 *s = gw_container_of(session, struct session_h2, session);
    nghttp2_submit_shutdown_notice(s->h2);
    s->idle_ms = h2_now_ms(s);
    s->drain_ms = s->idle_ms + SESSION_DRAIN_GRACE_MS;
    h2_turn_soon(s);
    arm(s);
}

static nghttp2_session_callbacks *callbacks_new(void)
{
    nghttp2_session_callbacks *c;
    if (nghttp2_session_callbacks_new(&c) != 0)
        abort();
    nghttp2_session_callbacks_set_on_begin_frame_callback(c, on_begin_frame);
    nghttp2_session_callbacks_set_on_begin_headers_callback(c, on_begin_headers);
    nghttp2_session_callbacks_set_on_header_callback2(c, on_header);
    nghttp2_session_callbacks_set_on_invalid_header_callback2(c, on_invalid_header);
    nghttp2_session_callbacks_set_on_frame_recv_callback(c, on_frame);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(c, on_data);
    nghttp2_session_callbacks_set_on_frame_send_callback(c, on_frame_sent);
    nghttp2_session_callbacks_set_on_stream_close_callback(c, on_stream_closed);
    nghttp2_session_callbacks_set_send_data_callback(c, h2_out_send);
    return c;
}

static void *pool_malloc(size_t size, void *pool)
{
    return gw_pool_alloc(pool, size);
}

static void pool_free(void *ptr, void *pool)
{
    (void)pool;
    gw_pool_free(ptr);
}

static void *pool_calloc(size_t count, size_t size, void *pool)
{
    return memset(gw_pool_alloc(pool, count * size), 0, count * size);
}

static void *pool_realloc(void *ptr, size_t size, void *pool)
{
    return gw_pool_realloc(pool, ptr, size);
}

static nghttp2_session *h2_new(struct session_h2 *s)
{
    nghttp2_session_callbacks *callbacks = callbacks_new();
    nghttp2_option *option;
    nghttp2_session *h2;
    if (nghttp2_option_new(&option) != 0)
        abort();
    /* Windows are our backpressure: they open when an exchange has taken the bytes, not when they
     * have arrived. */
    nghttp2_option_set_no_auto_window_update(option, 1);
    nghttp2_option_set_max_outbound_ack(option, OUTBOUND_ACKS);
    nghttp2_option_set_max_send_header_block_length(option, SEND_FIELDS_MAX);
    nghttp2_mem memory = {&s->session.worker->pool, pool_malloc, pool_free, pool_calloc,
                          pool_realloc};
    if (nghttp2_session_server_new3(&h2, callbacks, s, option, &memory) != 0)
        abort();
    nghttp2_option_del(option);
    nghttp2_session_callbacks_del(callbacks);
    return h2;
}

static void say_settings(struct session_h2 *s)
{
    const nghttp2_settings_entry settings[] = {
        {NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, H2_STREAMS_MAX},
        {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, H2_STREAM_WINDOW},
        {NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE,
         (uint32_t)s->session.worker->request_limits.head_max},
        {NGHTTP2_SETTINGS_ENABLE_CONNECT_PROTOCOL, 1},
        {NGHTTP2_SETTINGS_NO_RFC7540_PRIORITIES, 1},
    };
    if (nghttp2_submit_settings(s->h2, NGHTTP2_FLAG_NONE, settings, GW_COUNT(settings)) != 0 ||
        nghttp2_session_set_local_window_size(s->h2, NGHTTP2_FLAG_NONE, 0, H2_CONNECTION_WINDOW) !=
            0)
        abort();
}

void session_h2_accept(const struct session_door *door, struct conn *c, struct gw_str seen,
                       struct gw_str data)
{
    static const struct session_ops ops = {.drain = drain};
    struct session_h2 *s = gw_zalloc(sizeof(*s));
    session_begin(&s->session, &ops, door, c);
    s->h2 = h2_new(s);
    gw_list_init(&s->streams);
    gw_task_init(&s->turn, run_turn);
    gw_deadline_init(&s->deadline, on_deadline);
    s->idle_ms = s->gone_ms = h2_now_ms(s);
    h2_guard_init(&s->guard, s->idle_ms);
    conn_set_owner(c, &conn_events, s);
    conn_resume(c);
    say_settings(s);
    arm(s);
    if (s->session.worker->draining) /* the order went out while it shook hands */
        drain(&s->session);
    if (seen.len)
        on_read(s, seen);
    if (!conn_is_closing(c))
        on_read(s, data);
}
