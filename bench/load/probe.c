/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/load/probe.h"

#include <inttypes.h>
#include <stdarg.h>

#include "bench/load/render.h"
#include "gateway/net/precise_timer.h"

#define REQUEST_MAX ((size_t)80 << 20)

/* What the next answer, or the end of the next wait, means. */
enum probe_step { PROBE_FILL, PROBE_EARLY, PROBE_ON_TIME };

struct probe {
    struct probe_setup setup;
    struct load_flight flight;
    enum probe_step step;
    struct channel *channel;
    bool ready; /* the channel may be used */
    bool wants; /* a request waits for that */
    bool is_virtual, told;
    unsigned tries;
    uint64_t sent_us, refused_sent_us, refused_done_us;
    uint32_t retry_after_s;
    struct precise_timer *timer;
    struct gw_buf bytes, scratch;
    struct probe_verdict verdict;
    struct gw_task tell;
};

/* ---- ends ---- */

/* The owner frees the probe in here: nothing follows. */
static void on_tell(struct gw_task *task)
{
    struct probe *p = gw_container_of(task, struct probe, tell);
    p->setup.done(p->setup.ctx, &p->verdict);
}

/* The first verdict counts. It can be found inside a callback of the channel, which is still to be
 * touched there; so it is told from the loop. */
static void GW_PRINTF(3, 4) conclude(struct probe *p, int honest, const char *fmt, ...)
{
    va_list args;
    if (p->told)
        return;
    p->told = true;
    p->verdict.honest = honest;
    va_start(args, fmt);
    vsnprintf(p->verdict.text, sizeof(p->verdict.text), fmt, args);
    va_end(args);
    gw_loop_defer(p->setup.loop, &p->tell);
}

/* ---- requests ---- */

static const struct channel_events channel_events_of_probe;

static void send_now(struct probe *p)
{
    if (p->told)
        return;
    if (!p->channel)
        p->channel =
            channel_open_tls(p->setup.loop, p->setup.to, p->setup.tls,
                             p->setup.plan->timeout_us / 1000, &channel_events_of_probe, p);
    p->wants = !p->ready;
    if (p->wants)
        return;
    gw_buf_clear(&p->bytes);
    enum http_method method = load_render(p->setup.plan, &p->flight, &p->bytes, &p->scratch);
    p->sent_us = gw_loop_real_us(p->setup.loop);
    if (channel_send(p->channel, gw_buf_str(&p->bytes), method, NULL) != 0) {
        p->channel = NULL;
        conclude(p, -1, "the connection broke");
    }
}

static void on_ready(void *ctx, struct channel *c)
{
    struct probe *p = ctx;
    (void)c;
    p->ready = true;
    if (p->wants)
        send_now(p);
}

/* An idle connection may go during a long wait: the next request opens another. */
static void on_lost(void *ctx, struct channel *c, int err)
{
    struct probe *p = ctx;
    (void)c;
    p->channel = NULL;
    if (!p->ready)
        conclude(p, -1, "no connection: %s", gw_strerror(err));
    p->ready = false;
}

/* ---- time ---- */

static void on_advanced(void *ctx, const struct load_admin_reply *reply)
{
    struct probe *p = ctx;
    if (reply->err || reply->status != 200)
        conclude(p, -1, "the gateway's clock could not be advanced");
    else
        send_now(p);
}

static void on_due(void *ctx)
{
    send_now(ctx);
}

/* Goes on at `at_us`, or on a virtual clock after advancing by `ms`. */
static void wait_until(struct probe *p, uint64_t at_us, uint64_t ms)
{
    char body[48];
    if (!p->is_virtual) {
        precise_timer_set(p->timer, at_us);
    } else if (ms) {
        snprintf(body, sizeof(body), "{\"ms\":%" PRIu64 "}", ms);
        load_admin_call(p->setup.admin, GW_STR("POST"), GW_STR("/api/clock/advance"),
                        gw_str_z(body), on_advanced, p);
    } else {
        precise_timer_set(p->timer, 0);
    }
}

static void come_on_time(struct probe *p)
{
    p->step = PROBE_ON_TIME;
    wait_until(p, p->refused_done_us + (uint64_t)p->retry_after_s * 1000000 + PROBE_MARGIN_US,
               1000); /* a virtual clock stands one second early by now */
}

static void come_early(struct probe *p)
{
    uint64_t early_s = p->retry_after_s - 1;
    if (early_s == 0 && !p->is_virtual) {
        come_on_time(p);
        return;
    }
    p->step = PROBE_EARLY;
    wait_until(p, p->refused_sent_us + early_s * 1000000 - PROBE_MARGIN_US, early_s * 1000);
}

/* ---- steps ---- */

static void after_fill(struct probe *p, const struct channel_answer *a)
{
    if (a->status != 429) {
        if (++p->tries == PROBE_TRIES_MAX)
            conclude(p, -1, "not refused again in %d requests", PROBE_TRIES_MAX);
        else
            send_now(p);
        return;
    }
    p->tries++;
    p->retry_after_s = a->retry_after_s;
    p->refused_sent_us = p->sent_us;
    p->refused_done_us = a->done_us;
    if (a->retry_after_broken)
        conclude(p, 0, "429 without a Retry-After of whole seconds above 0");
    else if (!p->is_virtual && p->retry_after_s > PROBE_WAIT_MAX_S)
        conclude(p, -1, "Retry-After: %" PRIu32 " is too long to wait for", p->retry_after_s);
    else
        come_early(p);
}

static void after_early(struct probe *p, const struct channel_answer *a)
{
    if (a->status == 429)
        come_on_time(p);
    else
        conclude(p, 0, "Retry-After: %" PRIu32 ", but one second early it was %u", p->retry_after_s,
                 a->status);
}

static void after_on_time(struct probe *p, const struct channel_answer *a)
{
    if (a->status == 429)
        conclude(p, 0, "refused when the time that Retry-After: %" PRIu32 " named had come",
                 p->retry_after_s);
    else if (p->retry_after_s == 1 && !p->is_virtual)
        conclude(p, 1, "Retry-After: 1, admitted on time (too short to come early)");
    else
        conclude(p, 1, "Retry-After: %" PRIu32 ", refused one second early, admitted on time",
                 p->retry_after_s);
}

static void on_answer(void *ctx, struct channel *c, const struct channel_answer *answer)
{
    static void (*const after[])(struct probe *, const struct channel_answer *) = {
        after_fill, after_early, after_on_time};
    struct probe *p = ctx;
    (void)c;
    if (!answer->reusable) {
        p->channel = NULL;
        p->ready = false;
    }
    if (answer->status)
        after[p->step](p, answer);
    else
        conclude(p, -1, "%s", load_error_name(answer->error));
}

static const struct channel_events channel_events_of_probe = {on_ready, on_answer, on_lost};

/* ---- life ---- */

static void on_clock(void *ctx, const struct load_admin_reply *reply)
{
    struct probe *p = ctx;
    if (!reply->err && reply->status == 200)
        p->is_virtual = gw_str_find(reply->body, GW_STR("\"virtual\"")) != GW_NPOS;
    send_now(p);
}

struct probe *probe_start(const struct probe_setup *setup, const struct load_flight *flight)
{
    struct probe *p = gw_zalloc(sizeof(*p));
    p->setup = *setup;
    p->flight = *flight;
    gw_buf_init(&p->bytes, REQUEST_MAX);
    gw_buf_init(&p->scratch, REQUEST_MAX);
    gw_task_init(&p->tell, on_tell);
    p->timer = precise_timer_new(setup->loop, on_due, p);
    if (!p->timer)
        conclude(p, -1, "no descriptor is left");
    else if (setup->admin)
        load_admin_call(setup->admin, GW_STR("GET"), GW_STR("/api/clock"), GW_STR_EMPTY, on_clock,
                        p);
    else
        precise_timer_set(p->timer, 0);
    return p;
}

/* After the verdict, or when the run is interrupted, in any step. A call at the admin listener may
 * hold p then; run.c ends that one first. */
void probe_free(struct probe *p)
{
    if (!p)
        return;
    gw_task_cancel(&p->tell);
    precise_timer_free(p->timer);
    channel_close(p->channel);
    gw_buf_release(&p->bytes);
    gw_buf_release(&p->scratch);
    free(p);
}
