/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/session_h1.h"

#include "gateway/reply.h"
#include "gateway/session_h1_write.h"

/* What an exchange may pile up at a client that does not read before it is asked to stop. */
#define CONGESTED_BYTES ((size_t)256 * 1024)
#define DISCARD_MAX                                                                                \
    ((uint64_t)256 * 1024) /* more of an unwanted body costs more than a new connection */

/* Requests that a client has sent ahead and that are answered in one go: one when they come, more
 * when it has waited in the loop's line for it. Otherwise sixteen clients that pipeline twenty each
 * stand before a visitor who asks for one thing. */
#define SHARE_COMING  1
#define SHARE_IN_LINE 8

enum state { IDLE, HEAD, BUSY, DISCARD };

struct session_h1 {
    struct session session;
    struct h1_parser *parser;
    struct exchange *x;        /* not in IDLE and DISCARD */
    struct exchange *answered; /* in DISCARD: held, since the parser still writes into it */
    struct session_h1_writer writer;
    struct gw_deadline deadline;
    struct gw_task pump;        /* goes on with the stash in a turn of its own */
    char *stash;                /* input that nobody wants yet … */
    size_t stash_at, stash_len; /* … from here on */
    unsigned share;             /* requests that may still end in this pump_input */
    size_t queued_before;       /* output backlog when the write timeout last looked */
    uint64_t discard_left;
    enum state state;
    bool request_ended; /* the parser has seen the end of the current request */
    bool want_body;
    bool pumping; /* inside pump_input */
    bool eof;
};

static const struct conn_events conn_events;
static const struct exchange_io exchange_io;

static void close_politely(struct session_h1 *s)
{
    conn_finish(s->session.conn);
}

/* ---- timeouts ---- */

static void set_deadline(struct session_h1 *s)
{
    /* While an answer waits for its client nothing else counts: one who asks and never reads must
     * not be kept alive by what he sends. */
    if (conn_queued(s->session.conn)) {
        s->queued_before = conn_queued(s->session.conn);
        gw_deadline_set(s->session.worker->loop, &s->deadline,
                        session_timeouts(&s->session)->write_ms);
        return;
    }
    switch (s->state) {
    case IDLE:
        gw_deadline_set(s->session.worker->loop, &s->deadline,
                        s->session.worker->draining ? SESSION_DRAIN_GRACE_MS
                                                    : session_timeouts(&s->session)->idle_ms);
        return;
    case HEAD: /* set once, at the first byte: a trickle of bytes does not prolong it (slowloris) */
        return;
    case BUSY:
        if (s->request_ended || !s->want_body) {
            gw_deadline_cancel(&s->deadline); /* whom we wait for has a timeout of its own */
            return;
        }
        gw_deadline_set(s->session.worker->loop, &s->deadline,
                        session_timeouts(&s->session)->body_ms);
        return;
    case DISCARD:
        gw_deadline_set(s->session.worker->loop, &s->deadline,
                        session_timeouts(&s->session)->body_ms);
        return;
    }
}

static void start_with_error(struct session_h1 *s, int err);

/* One timer for all waits: what ran out depends on the state. Output that waits comes first, since
 * every other wait is the client's own fault then. */
static void on_deadline(struct gw_deadline *d)
{
    struct session_h1 *s = gw_container_of(d, struct session_h1, deadline);
    if (conn_queued(s->session.conn) && conn_queued(s->session.conn) < s->queued_before) {
        set_deadline(s); /* slow, but moving */
        return;
    }
    if (conn_queued(s->session.conn)) {
        conn_close(s->session.conn);
        return;
    }
    if (conn_is_closing(s->session.conn)) /* an answer was cut: its exchange is over */
        return;
    if (s->state == HEAD) {
        start_with_error(s, GW_ETIMEOUT_READ);
    } else if (s->state == BUSY && !s->x->responded) {
        s->writer.keep_alive = false;
        exchange_on_bad_body(s->x, 408);
    } else if (s->state == IDLE) {
        conn_close(s->session.conn); /* nothing is queued and nothing unread: no lingering */
    } else {
        close_politely(s);
    }
}

/* ---- requests ---- */

static void begin_request(struct session_h1 *s)
{
    struct exchange *x = session_exchange(&s->session, &exchange_io, s);
    s->x = x;
    s->state = HEAD;
    s->request_ended = false;
    s->want_body = false;
    h1_parser_begin(s->parser, &x->arena, &x->request);
    gw_deadline_set(s->session.worker->loop, &s->deadline,
                    session_timeouts(&s->session)->header_ms);
}

/* The head is complete, or will never be. Whether the connection goes on is settled here, once for
 * each request (RFC 9112 section 9.3), so that the answer's head already says it. */
static void start(struct session_h1 *s, enum step first)
{
    s->state = BUSY;
    gw_deadline_cancel(&s->deadline);
    session_h1_writer_begin(&s->writer, s->session.conn, s->x->request.minor,
                            s->x->request.keep_alive && !s->session.worker->draining && !s->eof);
    exchange_start(s->x, first);
}

/* The rest of the connection cannot be trusted: one answer, then it ends. */
static void start_with_error(struct session_h1 *s, int err)
{
    s->x->error = err;
    s->x->request.keep_alive = false;
    s->request_ended = true;
    start(s, STEP_NORMALISE);
}

/* A malformed chunk in the middle of a body. What went to the origin already was complete so far;
 * it never sees an end. */
static void on_broken_body(struct session_h1 *s)
{
    s->request_ended = true;
    s->writer.keep_alive = false;
    if (s->state == DISCARD || s->x->responded) {
        conn_close(s->session.conn);
        return;
    }
    exchange_on_bad_body(s->x, 400);
}

/* True when the parser may be asked for the next piece of the request. */
static bool may_parse(const struct session_h1 *s)
{
    switch (s->state) {
    case IDLE:
    case HEAD:
    case DISCARD:
        return true;
    case BUSY:
        return s->want_body && (!s->request_ended || s->writer.tunnel);
    }
    return false;
}

static void let_answered_go(struct session_h1 *s)
{
    if (s->answered)
        exchange_unhold(s->answered);
    s->answered = NULL;
}

static void on_body_end(struct session_h1 *s)
{
    s->request_ended = true;
    if (s->state == BUSY) {
        exchange_on_body_end(s->x);
        return;
    }
    s->state = IDLE;
    let_answered_go(s);
}

static void on_body(struct session_h1 *s, struct gw_str body)
{
    if (s->state == BUSY) {
        exchange_on_body(s->x, body);
        return;
    }
    if (body.len > s->discard_left)
        close_politely(s);
    else
        s->discard_left -= body.len;
}

static void on_head(struct session_h1 *s, struct gw_str *input)
{
    struct gw_str body;
    /* A request without a body is over with its head, and the steps are told before they begin:
     * most never wait for anything then. */
    if (s->x->request.framing == H1_BODY_NONE)
        s->request_ended = h1_parser_next(s->parser, input, &body) == H1_END;
    s->x->body_ended = s->request_ended;
    start(s, s->x->admin ? STEP_ADMIN : STEP_NORMALISE);
}

/* One event of the parser; false when it needs more input. */
static bool parse_once(struct session_h1 *s, struct gw_str *input)
{
    if (s->state == IDLE)
        begin_request(s);
    struct gw_str body;
    switch (h1_parser_next(s->parser, input, &body)) {
    case H1_MORE:
        return false;
    case H1_HEAD:
        on_head(s, input);
        return true;
    case H1_BODY:
        on_body(s, body);
        return true;
    case H1_END:
        on_body_end(s);
        return true;
    case H1_ERROR:
        *input = GW_STR_EMPTY;
        if (s->state == HEAD)
            start_with_error(s, s->x->request.error);
        else
            on_broken_body(s);
        return true;
    }
    return false;
}

/* The parser has told all it may, or may not be asked: BUSY with a request whose body nobody wants
 * yet, or requests ahead of their turn. New bytes are the loop's read buffer, so they are copied;
 * what comes from the stash stays where it lies, or a thousand pipelined requests would each move
 * all that follow. The socket is not read until somebody goes on with them. */
static void keep(struct session_h1 *s, struct gw_str rest)
{
    if (s->stash) {
        s->stash_at = (size_t)(rest.ptr - s->stash);
    } else {
        s->stash = gw_alloc(rest.len);
        s->stash_at = 0;
        memcpy(s->stash, rest.ptr, rest.len);
    }
    s->stash_len = rest.len;
    conn_pause(s->session.conn);
}

static void go_on_reading(struct session_h1 *s)
{
    free(s->stash);
    s->stash = NULL;
    s->stash_at = s->stash_len = 0;
    if (!s->eof)
        conn_resume(s->session.conn);
    else if (s->state != BUSY)
        close_politely(s);
}

/* Feeds the parser as long as somebody wants what it yields and the share lasts. */
static void pump_input(struct session_h1 *s, struct gw_str input, unsigned share)
{
    s->pumping = true;
    s->share = share;
    while (!conn_is_closing(s->session.conn) && may_parse(s) && (s->share || s->state != IDLE)) {
        /* The parser may have an event left that takes no bytes (the end of a body), but none
         * before a request has begun, and none in a tunnel. */
        if (!input.len && (s->state == IDLE || s->state == HEAD || s->writer.tunnel))
            break;
        if (s->state == BUSY && s->writer.tunnel) {
            struct gw_str raw = input;
            input = GW_STR_EMPTY;
            exchange_on_body(s->x, raw);
        } else if (!parse_once(s, &input)) {
            break;
        }
    }
    s->pumping = false;
    if (conn_is_closing(s->session.conn))
        return;
    if (input.len)
        keep(s, input);
    else
        go_on_reading(s);
    if (input.len && s->state == IDLE) /* its share is used up */
        gw_loop_queue(s->session.worker->loop, &s->pump);
    set_deadline(s);
}

static void pump_stash(struct gw_task *task)
{
    struct session_h1 *s = gw_container_of(task, struct session_h1, pump);
    if (conn_is_closing(s->session.conn))
        return;
    struct gw_str input = gw_str(s->stash, s->stash_at + s->stash_len);
    pump_input(s, gw_str_from(input, s->stash_at), SHARE_IN_LINE);
}

/* Goes on with the input, in a turn of its own unless it is being pumped right now. Of its own,
 * because the exchange that is done is still on the stack, and because a thousand pipelined
 * requests are not to be one turn. */
static void pump_soon(struct session_h1 *s)
{
    if (!s->pumping)
        gw_loop_defer(s->session.worker->loop, &s->pump);
}

/* ---- what the session offers to its exchange ---- */

/* An unwanted body is read away when it is small and sure to come; otherwise the connection ends
 * after the answer. With `Expect` the client may have given up sending it: then the next bytes
 * could be anything (RFC 9110 section 10.1.1). */
static bool can_discard(const struct session_h1 *s)
{
    const struct h1_message *request = &s->x->request;
    if (request->expect_continue && !s->x->body_received)
        return false;
    return request->framing == H1_BODY_CHUNKED ||
           request->content_length - s->x->body_received <= DISCARD_MAX;
}

static void io_informational(void *session, unsigned status, struct gw_str lines)
{
    struct session_h1 *s = session;
    session_h1_informational(&s->writer, status, lines);
}

static void io_respond(void *session, const struct response *response)
{
    struct session_h1 *s = session;
    /* Said with this head or never: a client that is not told sends its next request into a
     * connection that is being closed (RFC 9112 section 9.6). */
    if (s->session.worker->draining || (!s->request_ended && !can_discard(s)))
        s->writer.keep_alive = false;
    session_h1_respond(&s->writer, response);
    if (!s->pumping)
        set_deadline(s);
}

static void io_send(void *session, const struct iovec *parts, size_t count,
                    const struct conn_hold *hold)
{
    struct session_h1 *s = session;
    size_t before = conn_queued(s->session.conn);
    session_h1_send(&s->writer, parts, count, hold);
    if (!before && conn_queued(s->session.conn) && !conn_is_closing(s->session.conn))
        set_deadline(s);
}

static void io_end(void *session)
{
    struct session_h1 *s = session;
    session_h1_end(&s->writer);
}

static void io_cut(void *session)
{
    struct session_h1 *s = session;
    session_h1_cut(&s->writer);
}

static void io_want_body(void *session, bool want)
{
    struct session_h1 *s = session;
    if (s->want_body == want)
        return;
    s->want_body = want;
    if (want)
        pump_soon(s);
}

/* A closing connection counts as congested: nobody reads, and on_close tells the exchange. */
static bool io_congested(void *session)
{
    const struct session_h1 *s = session;
    return conn_queued(s->session.conn) > CONGESTED_BYTES || conn_is_closing(s->session.conn);
}

/* Whoever asked for the end sends nothing behind his request (RFC 9112 section 9.6). When the end
 * was our idea the next one may be on its way. */
static bool has_said_all(const struct session_h1 *s, const struct exchange *x)
{
    return s->request_ended && !s->writer.tunnel && !x->request.keep_alive && !x->error;
}

static void io_done(void *session)
{
    struct session_h1 *s = session;
    struct exchange *x = s->x;
    s->x = NULL;
    s->share -= s->share > 0;
    if (conn_is_closing(s->session.conn))
        return;
    if (!s->writer.keep_alive) {
        s->state = IDLE;
        if (has_said_all(s, x))
            conn_end(s->session.conn);
        else
            close_politely(s);
        return;
    }
    s->state = s->request_ended ? IDLE : DISCARD;
    if (s->state == DISCARD) {
        exchange_hold(x);
        s->answered = x;
        s->discard_left = DISCARD_MAX;
    }
    pump_soon(s);
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

/* ---- the connection ---- */

static void on_read(void *ctx, struct gw_str data)
{
    struct session_h1 *s = ctx;
    if (!s->stash_len) {
        pump_input(s, data, SHARE_COMING);
        return;
    }
    /* Reading was not paused in time: what came is put behind what waits. */
    size_t end = s->stash_at + s->stash_len;
    s->stash = gw_realloc(s->stash, end + data.len);
    memcpy(s->stash + end, data.ptr, data.len);
    s->stash_len += data.len;
    conn_pause(s->session.conn);
}

static void on_eof(void *ctx)
{
    struct session_h1 *s = ctx;
    s->eof = true;
    s->writer.keep_alive = false;
    if (s->state != BUSY) {
        close_politely(s);
        return;
    }
    bool request_cut = !s->request_ended && s->want_body;
    if (request_cut || !exchange_on_eof(s->x))
        conn_close(s->session.conn);
}

static void on_drain(void *ctx)
{
    struct session_h1 *s = ctx;
    set_deadline(s);
    if (s->x)
        exchange_on_sendable(s->x);
}

static void on_error(void *ctx, int err)
{
    (void)err;
    struct session_h1 *s = ctx;
    conn_close(s->session.conn);
}

/* Called once, when the connection is gone, whoever closed it: by the peer, a timeout, an answer
 * that ends the connection, or the end of the worker. */
static void on_close(void *ctx)
{
    struct session_h1 *s = ctx;
    /* Half a head is no request: nothing is logged of it. */
    if (s->x && s->state == HEAD)
        exchange_discard(s->x);
    else if (s->x)
        exchange_on_gone(s->x);
    let_answered_go(s);
    gw_deadline_cancel(&s->deadline);
    gw_task_cancel(&s->pump);
    h1_parser_free(s->parser);
    free(s->stash);
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

/* Nothing is told to the client: HTTP/1 has no word for it but the next answer's "Connection:
 * close". Only who is idle gets another deadline. */
static void drain(struct session *session)
{
    set_deadline(gw_container_of(session, struct session_h1, session));
}

void session_h1_accept(const struct session_door *door, struct conn *c, struct gw_str seen,
                       struct gw_str data)
{
    static const struct session_ops ops = {.drain = drain};
    struct session_h1 *s = gw_zalloc(sizeof(*s));
    session_begin(&s->session, &ops, door, c);
    s->parser = h1_parser_new(H1_REQUEST, &door->worker->request_limits);
    s->writer.keep_alive = true;
    gw_deadline_init(&s->deadline, on_deadline);
    gw_task_init(&s->pump, pump_stash);
    conn_set_owner(c, &conn_events, s);
    set_deadline(s);
    conn_resume(c);
    if (seen.len)
        on_read(s, seen);
    if (data.len && !conn_is_closing(c))
        on_read(s, data);
}
