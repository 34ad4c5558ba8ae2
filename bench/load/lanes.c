/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/load/lanes.h"

#define REQUEST_MAX ((size_t)80 << 20)

/* One connection and what it carries. */
struct lane {
    struct gw_list link; /* in `idle` or `others` */
    struct lanes *lanes;
    struct channel *channel;
    struct load_flight flight;
    bool connecting;
};

struct lanes {
    struct gw_loop *loop;
    struct net_address to;
    struct tls_client *tls;
    uint32_t max, connecting;
    uint64_t timeout_ms, zero_us;
    const struct lanes_events *events;
    void *ctx;
    struct gw_list idle, others;
    struct load_flight *line; /* a ring */
    size_t first, waiting, cap;
    struct gw_buf bytes;
    struct lanes_counts counts;
    /* Failures found while submitting are told from the loop. */
    struct gw_task tell;
    struct load_flight *failed;
    size_t failed_count, failed_cap;
};

/* ---- the line ---- */

static void line_grow(struct lanes *p)
{
    size_t cap = p->cap ? p->cap * 2 : 256;
    struct load_flight *line = gw_alloc(cap * sizeof(*line));
    for (size_t i = 0; i < p->waiting; i++)
        line[i] = p->line[(p->first + i) % p->cap];
    free(p->line);
    p->line = line;
    p->first = 0;
    p->cap = cap;
}

static bool line_push(struct lanes *p, const struct load_flight *flight)
{
    if (p->waiting == LANES_LINE_MAX)
        return false;
    if (p->waiting == p->cap)
        line_grow(p);
    p->line[(p->first + p->waiting++) % p->cap] = *flight;
    return true;
}

static bool line_pop(struct lanes *p, struct load_flight *out)
{
    if (!p->waiting)
        return false;
    *out = p->line[p->first];
    p->first = (p->first + 1) % p->cap;
    p->waiting--;
    return true;
}

/* ---- lanes ---- */

/* Its channel has ended by itself (last answer, lost, send failed); lanes_free closes those that
 * have not. */
static void lane_gone(struct lane *lane)
{
    gw_list_remove(&lane->link);
    lane->lanes->counts.open--;
    free(lane);
}

static void lane_idle(struct lane *lane)
{
    gw_list_remove(&lane->link);
    /* At the front: a hot connection is used again, the surplus of a peak stays quiet. */
    gw_list_push(lane->lanes->idle.next, &lane->link);
}

static void tell_failed(struct gw_task *task)
{
    struct lanes *p = gw_container_of(task, struct lanes, tell);
    const struct channel_answer lost = {.error = LOAD_ERROR_CLOSED,
                                        .done_us = gw_loop_real_us(p->loop)};
    /* By value, and the count asked each time: whoever hears may submit, which may fail and let the
     * array grow. */
    for (size_t i = 0; i < p->failed_count; i++) {
        struct load_flight flight = p->failed[i];
        p->events->on_done(p->ctx, &flight, &lost);
    }
    p->failed_count = 0;
}

static void fail_later(struct lanes *p, const struct load_flight *flight)
{
    if (p->failed_count == p->failed_cap) {
        p->failed_cap = p->failed_cap ? p->failed_cap * 2 : 16;
        p->failed = gw_realloc(p->failed, p->failed_cap * sizeof(*p->failed));
    }
    p->failed[p->failed_count++] = *flight;
    gw_loop_defer(p->loop, &p->tell);
}

/* The lane is idle and ready. */
static void send_on(struct lane *lane, const struct load_flight *flight)
{
    struct lanes *p = lane->lanes;
    lane->flight = *flight;
    gw_list_remove(&lane->link);
    gw_list_push(&p->others, &lane->link);
    gw_buf_clear(&p->bytes);
    enum http_method method = p->events->render(p->ctx, &lane->flight, &p->bytes);
    lane->flight.sample.sent_us = gw_loop_real_us(p->loop) - p->zero_us;
    if (channel_send(lane->channel, gw_buf_str(&p->bytes), method, NULL) == 0)
        return;
    fail_later(p, &lane->flight);
    lane_gone(lane);
}

static void open_lane(struct lanes *p);

/* Connections under way count for the line: one for each request that waits, never more, or a short
 * stall would open all that are allowed. */
static void serve_line(struct lanes *p)
{
    struct load_flight flight;
    while (!gw_list_empty(&p->idle) && line_pop(p, &flight))
        send_on(gw_list_entry(p->idle.next, struct lane, link), &flight);
    while (p->waiting > p->connecting && p->counts.open < p->max)
        open_lane(p);
}

static void on_ready(void *ctx, struct channel *c)
{
    struct lane *lane = ctx;
    (void)c;
    lane->connecting = false;
    lane->lanes->connecting--;
    lane_idle(lane);
    serve_line(lane->lanes);
}

static void on_answer(void *ctx, struct channel *c, const struct channel_answer *answer)
{
    struct lane *lane = ctx;
    struct lanes *p = lane->lanes;
    struct load_flight flight = lane->flight;
    (void)c;
    if (answer->reusable)
        lane_idle(lane);
    else
        lane_gone(lane);
    if (p->waiting)
        serve_line(p); /* before the books: somebody is late already */
    p->events->on_done(p->ctx, &flight, answer);
}

/* A refused connection costs one waiting request its chance: the oldest hears of it, or a server
 * that is down would keep the whole line waiting for ever. */
static void on_lost(void *ctx, struct channel *c, int err)
{
    struct lane *lane = ctx;
    struct lanes *p = lane->lanes;
    struct load_flight flight;
    const struct channel_answer none = {.error = err == GW_ETIMEOUT_CONNECT ? LOAD_ERROR_TIMEOUT
                                                                            : LOAD_ERROR_CONNECT,
                                        .done_us = gw_loop_real_us(p->loop)};
    bool connecting = lane->connecting;
    (void)c;
    lane_gone(lane);
    if (!connecting)
        return;
    p->connecting--;
    if (line_pop(p, &flight)) {
        flight.sample.sent_us = none.done_us - p->zero_us;
        p->events->on_done(p->ctx, &flight, &none);
    }
    serve_line(p);
}

static void open_lane(struct lanes *p)
{
    static const struct channel_events events = {on_ready, on_answer, on_lost};
    struct lane *lane = gw_zalloc(sizeof(*lane));
    lane->lanes = p;
    lane->connecting = true;
    gw_list_init(&lane->link);
    gw_list_push(&p->others, &lane->link);
    p->connecting++;
    p->counts.opened++;
    if (++p->counts.open > p->counts.most)
        p->counts.most = p->counts.open;
    lane->channel = channel_open_tls(p->loop, &p->to, p->tls, p->timeout_ms, &events, lane);
}

/* ---- all of them ---- */

struct lanes *lanes_new(struct gw_loop *loop, const struct net_address *to, uint32_t max,
                        uint64_t timeout_ms, const struct lanes_events *events, void *ctx)
{
    struct lanes *p = gw_zalloc(sizeof(*p));
    p->loop = loop;
    p->to = *to;
    p->max = max;
    p->timeout_ms = timeout_ms;
    p->events = events;
    p->ctx = ctx;
    gw_list_init(&p->idle);
    gw_list_init(&p->others);
    gw_buf_init(&p->bytes, REQUEST_MAX);
    gw_task_init(&p->tell, tell_failed);
    return p;
}

void lanes_use_tls(struct lanes *p, struct tls_client *tls)
{
    p->tls = tls;
}

void lanes_set_zero(struct lanes *p, uint64_t zero_us)
{
    p->zero_us = zero_us;
}

static void close_all(struct gw_list *list)
{
    for (struct gw_list *link; (link = gw_list_pop(list));) {
        struct lane *lane = gw_list_entry(link, struct lane, link);
        channel_close(lane->channel);
        free(lane);
    }
}

/* When the run is over; requests may be under way (an interruption), and their ends are not told.
 */
void lanes_free(struct lanes *p)
{
    if (!p)
        return;
    gw_task_cancel(&p->tell);
    close_all(&p->idle);
    close_all(&p->others);
    gw_buf_release(&p->bytes);
    free(p->line);
    free(p->failed);
    free(p);
}

bool lanes_submit(struct lanes *p, const struct load_flight *flight)
{
    if (!p->waiting && !gw_list_empty(&p->idle)) {
        send_on(gw_list_entry(p->idle.next, struct lane, link), flight);
        return true;
    }
    /* Only where the plan's ceiling is what it waits for: a connection that is still being opened
     * is the server's time. */
    p->counts.waited += p->counts.open >= p->max;
    if (!line_push(p, flight))
        return false;
    serve_line(p);
    return true;
}

struct lanes_counts lanes_counts(const struct lanes *p)
{
    struct lanes_counts counts = p->counts;
    counts.line = p->waiting;
    return counts;
}
