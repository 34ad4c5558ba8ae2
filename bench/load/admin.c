/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/load/admin.h"

#include "bench/load/units.h"
#include "gateway/http/h1_write.h"

#define TIMEOUT_MS 10000

struct call {
    struct gw_list link;
    char *request; /* NULL: refused before it was built */
    size_t length;
    enum http_method method;
    void (*done)(void *ctx, const struct load_admin_reply *reply);
    void *ctx;
};

struct load_admin {
    struct gw_loop *loop;
    struct load_admin_at at;
    struct channel *channel;
    bool ready;
    struct gw_list calls; /* the first one is under way if the channel is busy */
    size_t count;
    bool busy, retried;
    struct gw_buf body;
    struct gw_task start;
};

/* ---- one call after the other ---- */

static void send_next(struct load_admin *a);

/* The call in front is over: answered, given up, or never sent. It leaves the line before its owner
 * hears, who may ask for the next thing at once; that goes out from the loop, since the body he is
 * looking at is still ours. He must not free us from in here. */
static void finish(struct load_admin *a, const struct load_admin_reply *reply)
{
    struct gw_list *link = gw_list_pop(&a->calls);
    if (!link)
        return;
    struct call *call = gw_list_entry(link, struct call, link);
    a->busy = a->retried = false;
    a->count--;
    call->done(call->ctx, reply);
    free(call->request);
    free(call);
    gw_buf_clear(&a->body);
    if (!gw_list_empty(&a->calls))
        gw_loop_defer(a->loop, &a->start);
}

static void on_ready(void *ctx, struct channel *c)
{
    struct load_admin *a = ctx;
    (void)c;
    a->ready = true;
    send_next(a);
}

static void on_answer(void *ctx, struct channel *c, const struct channel_answer *answer)
{
    struct load_admin *a = ctx;
    (void)c;
    if (!answer->reusable) {
        a->channel = NULL;
        a->ready = false;
    }
    /* A kept connection may have been closed under the request: once more on a fresh one (RFC 9112
     * section 9.3.1), of which `retried` makes the last. */
    if (!answer->status && answer->error == LOAD_ERROR_CLOSED && !a->retried) {
        a->retried = true;
        a->busy = false;
        gw_loop_defer(a->loop, &a->start);
        return;
    }
    const struct load_admin_reply reply = {.err = answer->status ? 0 : GW_EUNAVAILABLE,
                                           .status = answer->status,
                                           .body = gw_buf_str(&a->body)};
    finish(a, &reply);
}

/* While it was ready nobody waited for it: the next call opens another. Before that, the call in
 * front was why it was opened, and fails. */
static void on_lost(void *ctx, struct channel *c, int err)
{
    struct load_admin *a = ctx;
    const struct load_admin_reply reply = {.err = err};
    (void)c;
    bool was_ready = a->ready;
    a->channel = NULL;
    a->ready = false;
    if (!was_ready)
        finish(a, &reply);
}

static void send_next(struct load_admin *a)
{
    static const struct channel_events events = {on_ready, on_answer, on_lost};
    if (a->busy || gw_list_empty(&a->calls))
        return;
    struct call *call = gw_list_entry(a->calls.next, struct call, link);
    if (!call->request) {
        const struct load_admin_reply reply = {.err = GW_ELIMIT};
        finish(a, &reply);
        return;
    }
    if (!a->channel)
        a->channel = channel_open_tls(a->loop, &a->at.address, a->at.tls, TIMEOUT_MS, &events, a);
    if (!a->ready)
        return;
    a->busy = true;
    gw_buf_clear(&a->body);
    /* An error here has ended the channel already (channel.h): nothing is closed. */
    int err = channel_send(a->channel, gw_str(call->request, call->length), call->method, &a->body);
    if (err) {
        const struct load_admin_reply reply = {.err = err};
        a->channel = NULL;
        a->ready = false;
        finish(a, &reply);
    }
}

static void on_start(struct gw_task *task)
{
    send_next(gw_container_of(task, struct load_admin, start));
}

static char *build(const struct load_admin *a, struct gw_str method, struct gw_str path,
                   struct gw_str body, size_t *length)
{
    struct gw_buf b;
    gw_buf_init(&b, LOAD_ADMIN_BODY_MAX);
    bool fine = h1_write_request(&b, method, path);
    fine = fine && h1_write_field(&b, GW_STR("Host"), GW_STR("localhost"));
    if (fine && a->at.token.len) {
        struct gw_buf bearer;
        gw_buf_init(&bearer, 8192);
        gw_buf_printf(&bearer, "Bearer %.*s", GW_STR_ARG(a->at.token));
        fine = h1_write_field(&b, GW_STR("Authorization"), gw_buf_str(&bearer));
        gw_buf_release(&bearer);
    }
    if (body.len)
        gw_buf_printf(&b, "Content-Type: application/json\r\nContent-Length: %zu\r\n", body.len);
    gw_buf_add(&b, GW_STR("\r\n"));
    gw_buf_add(&b, body);
    *length = b.len;
    if (fine && !b.overflow)
        return b.data;
    gw_buf_release(&b);
    return NULL;
}

void load_admin_call(struct load_admin *a, struct gw_str method, struct gw_str path,
                     struct gw_str body,
                     void (*done)(void *ctx, const struct load_admin_reply *reply), void *ctx)
{
    struct call *call = gw_zalloc(sizeof(*call));
    *call = (struct call){.method = http_method_of(method), .done = done, .ctx = ctx};
    if (a->count < LOAD_ADMIN_CALLS_MAX)
        call->request = build(a, method, path, body, &call->length);
    a->count++;
    gw_list_push(&a->calls, &call->link);
    gw_loop_defer(a->loop, &a->start);
}

struct load_admin *load_admin_new(struct gw_loop *loop, const struct load_admin_at *at)
{
    struct load_admin *a = gw_zalloc(sizeof(*a));
    a->loop = loop;
    a->at = *at;
    gw_list_init(&a->calls);
    gw_buf_init(&a->body, LOAD_ADMIN_BODY_MAX);
    gw_task_init(&a->start, on_start);
    return a;
}

/* At the end of a run, after an interruption too, with calls in line and one under way: their
 * owners are about to go and are not told. The channel goes before the buffer that it fills. */
void load_admin_free(struct load_admin *a)
{
    if (!a)
        return;
    gw_task_cancel(&a->start);
    for (struct gw_list *link; (link = gw_list_pop(&a->calls));) {
        struct call *call = gw_list_entry(link, struct call, link);
        free(call->request);
        free(call);
    }
    channel_close(a->channel);
    gw_buf_release(&a->body);
    free(a);
}

/* ---- metrics ---- */

bool load_admin_origin_requests(struct gw_str metrics, uint64_t *out)
{
    static const struct gw_str name = {"nearedge_origin_requests_total", 30};
    struct gw_str line;
    double sum = 0, value;
    bool ours = gw_str_find(metrics, GW_STR("nearedge_")) != GW_NPOS;
    while (gw_str_next(&metrics, '\n', &line)) {
        if (!gw_str_starts(line, name))
            continue;
        size_t space = gw_str_rchr(line, ' ');
        struct gw_str number = gw_str_from(line, space == GW_NPOS ? line.len : space + 1);
        if (units_number(&number, &value))
            sum += value;
    }
    *out = (uint64_t)sum;
    return ours;
}
