/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/replay.h"

#include "gateway/exchange.h"

#define WIRE_MAX (RECORD_BYTES_MAX + 1024)

struct replay {
    struct worker *worker;
    struct exchange *x; /* NULL: over */
    struct gw_task tell;
    void (*done)(void *ctx, const struct replay_result *result);
    void *ctx;
    struct replay_result result;
    bool abandoned;
};

/* ---- what a session offers; nothing is congested where nothing is sent ---- */

static void on_informational(void *session, unsigned status, struct gw_str lines)
{
    (void)session;
    (void)status;
    (void)lines;
}

static void count(struct replay *r, const struct iovec *parts, size_t n, const struct conn_hold *h)
{
    for (size_t i = 0; i < n; i++)
        r->result.bytes += parts[i].iov_len;
    if (h && h->release)
        h->release(h->object);
}

/* The body is let go of at once: nobody reads it. */
static void on_respond(void *session, const struct response *response)
{
    struct replay *r = session;
    r->result.status = response->status;
    count(r, response->body, response->body_parts, &response->hold);
}

static void on_send(void *session, const struct iovec *parts, size_t n,
                    const struct conn_hold *hold)
{
    count(session, parts, n, hold);
}

static void on_end(void *session)
{
    (void)session;
}

static void on_cut(void *session)
{
    ((struct replay *)session)->result.cut = true;
}

static void on_want_body(void *session, bool want)
{
    (void)session;
    (void)want;
}

static bool is_congested(void *session)
{
    (void)session;
    return false;
}

/* Told in a later turn, never from inside replay_start: the request may have been answered from the
 * cache before that has returned. */
static void on_done(void *session)
{
    struct replay *r = session;
    memcpy(r->result.ray, r->x->ray, sizeof(r->result.ray));
    r->x = NULL;
    if (r->abandoned)
        free(r);
    else
        gw_loop_defer(r->worker->loop, &r->tell);
}

static const struct exchange_io io = {.informational = on_informational,
                                      .respond = on_respond,
                                      .send = on_send,
                                      .end = on_end,
                                      .cut = on_cut,
                                      .want_body = on_want_body,
                                      .congested = is_congested,
                                      .done = on_done};

static void tell(struct gw_task *task)
{
    struct replay *r = gw_container_of(task, struct replay, tell);
    r->done(r->ctx, &r->result);
    free(r);
}

/* ---- the request ---- */

/* The place is the caller's choice, not the one that the visitor had chosen. */
static bool is_place(struct gw_str name)
{
    return gw_str_ieq(name, GW_STR("X-Nearedge-Edge"));
}

static struct gw_str target_of(struct gw_str url)
{
    size_t scheme = gw_str_find(url, GW_STR("://"));
    struct gw_str rest = gw_str_from(url, scheme == GW_NPOS ? 0 : scheme + 3);
    return gw_str_from(rest, gw_str_chr(rest, '/'));
}

/* As HTTP/1.1, also what came by HTTP/2: from here on steps see no difference. */
static void write_head(const struct record *record, struct gw_buf *wire)
{
    struct gw_str target = target_of(record->url);
    gw_buf_add(wire, record->method);
    gw_buf_char(wire, ' ');
    gw_buf_add(wire, target.len ? target : GW_STR("*")); /* OPTIONS * has no path */
    gw_buf_add(wire, GW_STR(" HTTP/1.1\r\n"));
    for (size_t i = 0; i < record->request.count; i++) {
        const struct header *h = &record->request.items[i];
        if (is_place(h->name))
            continue;
        gw_buf_add(wire, h->name);
        gw_buf_add(wire, GW_STR(": "));
        gw_buf_add(wire, h->value);
        gw_buf_add(wire, GW_STR("\r\n"));
    }
    gw_buf_add(wire, GW_STR("\r\n"));
}

/* Through the parser of sessions, so that a record can cause nothing that a client could not. */
static bool read_head(struct exchange *x, const struct record *record)
{
    struct h1_parser *parser = h1_parser_new(H1_REQUEST, &x->worker->request_limits);
    struct gw_buf wire;
    struct gw_str body, input;
    gw_buf_init(&wire, WIRE_MAX);
    write_head(record, &wire);
    input = gw_buf_str(&wire);
    h1_parser_begin(parser, &x->arena, &x->request);
    bool good = h1_parser_next(parser, &input, &body) == H1_HEAD &&
                h1_parser_next(parser, &input, &body) == H1_END;
    h1_parser_free(parser);
    gw_buf_release(&wire);
    return good;
}

/* The peer is kept, not the address it spoke for: trust is decided anew, by what holds now. */
static void play_client(struct exchange *x, const struct record *record, size_t edge)
{
    x->client.peer = net_address_ip(&record->peer, 0);
    x->client.tls = record->tls;
    x->client.https = gw_str_starts(record->url, GW_STR("https:"));
    x->client.port = x->request.host.port ? x->request.host.port : x->client.https ? 443 : 80;
    x->edge = edge;
    x->isolate = record->isolate;
    x->body_ended = true;
}

struct replay *replay_start(struct worker *worker, const struct record *record, size_t edge,
                            void (*done)(void *ctx, const struct replay_result *result), void *ctx)
{
    struct replay *r = gw_zalloc(sizeof(*r));
    struct exchange *x = exchange_new(worker, &io, r);
    if (record->cut || record->has_body || record->upgraded || !read_head(x, record)) {
        exchange_discard(x);
        free(r);
        return NULL;
    }
    r->worker = worker;
    r->x = x;
    r->done = done;
    r->ctx = ctx;
    gw_task_init(&r->tell, tell);
    play_client(x, record, edge);
    exchange_start(x, STEP_NORMALISE);
    return r;
}

/* The asker went away: before the end, which then frees, or between the end and its telling. Never
 * from inside the replayed request's own steps, for its end is told in a later turn. */
void replay_abandon(struct replay *r)
{
    gw_task_cancel(&r->tell);
    r->abandoned = true;
    if (r->x)
        exchange_on_gone(r->x); /* ends in on_done */
    else
        free(r);
}
