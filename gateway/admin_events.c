/* SPDX-License-Identifier: Apache-2.0 */
/* GET /api/events: one server-sent event for each finished request, with the access log's JSON line
 * as its data (HTML standard, section 9.2). Event ids are the recorder's numbers: a client that
 * reconnects with Last-Event-ID, or asks ?since=N, goes on where it was as far as the recorder
 * remembers; a number that was not given yet is another process's, and all is news then.
 *
 * The stream looks for news every EVENTS_TICK_MS rather than being told of each exchange: workers
 * then owe a watcher nothing but the record. It never falls silent: `missed` says how many events
 * went by while the client did not read, and with ?rate=N, which lets through N events a second,
 * `sampled` how many were left out. */
#include "gateway/admin_route.h"
#include "gateway/exchange.h"
#include "gateway/server.h"

#define EVENTS_TICK_MS     50
#define EVENTS_BATCH       100
#define EVENTS_PIECE       ((size_t)256 << 10) /* then what the client takes is asked first */
#define EVENTS_STREAMS_MAX 64                  /* at once: each looks for itself */
#define EVENTS_SILENT_MS   15000 /* a comment then: proxies cut silent streams after a minute */

struct events {
    struct admin_stream stream;
    struct exchange *exchange;
    struct gw_deadline tick;
    uint64_t next;      /* number of the next event to send */
    uint64_t rate;      /* events a second; 0: all */
    uint64_t second;    /* the one that is counted */
    uint64_t in_second; /* sent in it */
    uint64_t left_out;  /* not told yet */
    uint64_t last_ms;   /* when something was written */
    struct record *batch[EVENTS_BATCH];
};

static void on_tick(struct gw_deadline *d)
{
    exchange_resume(gw_container_of(d, struct events, tick)->exchange);
}

static void add_count(struct gw_buf *out, const char *event, uint64_t count)
{
    gw_buf_printf(out, "event: %s\ndata: {\"count\":%llu}\n\n", event, (unsigned long long)count);
}

static void add_event(const struct record *r, struct gw_buf *out)
{
    gw_buf_printf(out, "id: %llu\nevent: request\ndata: ", (unsigned long long)r->number);
    gw_buf_add(out, r->line);
    gw_buf_add(out, GW_STR("\n\n"));
}

static bool passes(struct events *e, uint64_t now_ms)
{
    if (!e->rate)
        return true;
    if (e->second != now_ms / 1000) {
        e->second = now_ms / 1000;
        e->in_second = 0;
    }
    return e->in_second++ < e->rate;
}

/* The number of records taken: fewer than EVENTS_BATCH when there are no more. */
static size_t add_batch(struct events *e, uint64_t now_ms, struct gw_buf *out)
{
    uint64_t missed;
    size_t count = recorder_list(&e->exchange->worker->server->recorder, e->next, e->batch,
                                 EVENTS_BATCH, &missed);
    if (missed)
        add_count(out, "missed", missed);
    e->next += missed + count;
    for (size_t i = 0; i < count; i++) {
        if (passes(e, now_ms))
            add_event(e->batch[i], out);
        else
            e->left_out++;
        record_unref(e->batch[i]);
    }
    return count;
}

static void add_news(struct events *e, uint64_t now_ms, struct gw_buf *out)
{
    if (e->left_out && e->second != now_ms / 1000) { /* the second that was too full is over */
        add_count(out, "sampled", e->left_out);
        e->left_out = 0;
    }
    while (add_batch(e, now_ms, out) == EVENTS_BATCH && out->len < EVENTS_PIECE)
        ;
}

static bool pump(struct admin_stream *stream, struct gw_buf *out)
{
    struct events *e = gw_container_of(stream, struct events, stream);
    struct worker *worker = e->exchange->worker;
    uint64_t now_ms = gw_loop_real_ms(worker->loop);
    recorder_look(&worker->server->recorder, now_ms);
    add_news(e, now_ms, out);
    if (out->len)
        e->last_ms = now_ms;
    if (now_ms - e->last_ms >= EVENTS_SILENT_MS) {
        gw_buf_add(out, GW_STR(": nothing new\n\n"));
        e->last_ms = now_ms;
    }
    gw_deadline_set(worker->loop, &e->tick, EVENTS_TICK_MS);
    return !atomic_load(&worker->server->draining);
}

/* With its exchange, in whose arena it lies: by the client, by the end of the worker, or after the
 * last piece when the server drains. */
static void release(struct admin_stream *stream)
{
    struct events *e = gw_container_of(stream, struct events, stream);
    gw_deadline_cancel(&e->tick);
    e->exchange->worker->server->event_streams--;
}

static bool read_number(struct admin_call *call, struct gw_str name, uint64_t *out)
{
    struct gw_str text;
    return !admin_query(call, name, &text) || gw_str_u64(text, UINT64_MAX - RECORDER_MAX, out);
}

enum admin_result admin_events(struct admin_call *call)
{
    struct exchange *x = call->exchange;
    const struct gw_str *last = headers_find(&call->request->headers, GW_STR("Last-Event-ID"));
    struct events *e = gw_arena_zalloc(&x->arena, sizeof(*e));
    uint64_t newest = recorder_next(&call->server->recorder) - 1, since = newest;
    if (last && !gw_str_u64(*last, UINT64_MAX - RECORDER_MAX, &since))
        last = NULL; /* not one of our ids: from now on */
    if (!read_number(call, GW_STR("since"), &since) ||
        !read_number(call, GW_STR("rate"), &e->rate)) {
        admin_fail(call, 400, "\"since\" and \"rate\" are whole numbers");
        return ADMIN_DONE;
    }
    if (call->server->event_streams == EVENTS_STREAMS_MAX) {
        admin_fail(call, 503, "%d event streams are open, the most there may be",
                   EVENTS_STREAMS_MAX);
        return ADMIN_DONE;
    }
    call->server->event_streams++;
    e->stream = (struct admin_stream){pump, release};
    e->exchange = x;
    e->next = since > newest ? 1 : since + 1;
    e->last_ms = gw_loop_real_ms(call->worker->loop);
    gw_deadline_init(&e->tick, on_tick);
    call->content_type = "text/event-stream";
    gw_buf_add(&call->lines, GW_STR("X-Accel-Buffering: no\r\n"));
    call->stream = &e->stream;
    return ADMIN_STREAM;
}
