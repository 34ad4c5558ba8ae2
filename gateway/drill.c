/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/drill.h"

#include "bench/load/admin.h"
#include "bench/load/lanes.h"
#include "config/json.h"
#include "gateway/net/precise_timer.h"

#define CONNECTIONS    64
#define TIMEOUT_MS     30000
#define LOOK_US        ((uint64_t)100000) /* between two looks at the servers */
#define FAULT_MAX      8192
#define ADMIN_GRACE_US ((uint64_t)5000000) /* for the admin's last answer */

const struct drill_kind drill_kinds[] = {
    {"origin-500", "\"status\":500", 0, "the origin answers 500"},
    {"origin-503", "\"status\":503", 0, "the origin answers 503"},
    {"origin-521", "\"status\":521", 0, "the origin refuses connections"},
    {"origin-522", "\"status\":522", 0, "no connection to the origin comes about"},
    {"origin-524", "\"status\":524", 0, "the origin takes requests and never answers"},
    {"origin-slow", "\"delay_ms\":2000", 1000000, "the origin takes two seconds longer"},
    {"origin-reset", "\"abort\":true", 0, "the origin resets connections"},
    {"origin-cut", "\"truncate_bytes\":0", 0, "the origin's answers end within their bodies"},
    {"redis-away", "\"where\":\"counters\",\"abort\":true", 0, "the counter backend is away"},
    {NULL, NULL, 0, NULL}};

struct drill {
    const struct drill_options *options;
    struct drill_result *result;
    struct gw_loop *loop;
    struct lanes *lanes;
    struct load_admin *admin;
    struct precise_timer *timer;
    struct gw_str request;
    enum drill_phase phase;
    uint64_t begun_us; /* this phase, real */
    uint64_t due_us, look_us, give_up_us;
    uint64_t last_bad_us, first_good_us; /* AFTER; 0: none yet */
    uint64_t under_way;
    bool calling; /* arming or disarming */
    bool armed;
};

static uint64_t now_us(const struct drill *d)
{
    return gw_loop_real_us(d->loop);
}

static void give_up(struct drill *d, const char *why)
{
    if (!d->result->error[0])
        snprintf(d->result->error, sizeof(d->result->error), "%s", why);
}

static void enter(struct drill *d, enum drill_phase phase)
{
    d->phase = phase;
    d->begun_us = now_us(d);
}

/* ---- the load ---- */

static enum http_method render(void *ctx, const struct load_flight *flight, struct gw_buf *out)
{
    (void)flight;
    gw_buf_add(out, ((struct drill *)ctx)->request);
    return METHOD_GET;
}

static void note_first(uint64_t *first, uint64_t at)
{
    if (*first == UINT64_MAX)
        *first = at;
}

/* Counted under the phase in which a request was due. */
static void on_done(void *ctx, struct load_flight *flight, const struct channel_answer *answer)
{
    struct drill *d = ctx;
    struct drill_result *r = d->result;
    enum drill_phase phase = (enum drill_phase)flight->sample.phase;
    struct drill_count *count = &r->phases[phase];
    uint64_t slow_us = d->options->kind->slow_us;
    bool failed = answer->status == 0 || answer->status >= 500;
    bool stale = answer->cache == LOAD_CACHE_STALE;
    bool slow = !failed && slow_us && answer->done_us - flight->sample.intended_us > slow_us;
    d->under_way--;
    count->requests++;
    count->failed += failed;
    count->stale += stale;
    count->slow += slow;
    if (phase == DRILL_FAULT && failed)
        r->statuses[answer->status < GW_COUNT(r->statuses) ? answer->status : 0]++;
    if (phase == DRILL_FAULT && d->phase == DRILL_FAULT) {
        uint64_t since = answer->done_us - gw_min_u64(d->begun_us, answer->done_us);
        if (failed || slow)
            note_first(&r->first_failed_us, since);
        if (stale)
            note_first(&r->first_stale_us, since);
    }
    if (phase != DRILL_AFTER)
        return;
    if (failed || stale || slow)
        d->last_bad_us = answer->done_us;
    else if (d->first_good_us <= d->last_bad_us)
        d->first_good_us = answer->done_us;
}

static void send_due(struct drill *d)
{
    uint64_t gap = (uint64_t)(1e6 / d->options->rate);
    for (; d->due_us <= now_us(d); d->due_us += gap) {
        struct load_flight flight = {
            .sample = {.intended_us = d->due_us, .phase = (uint32_t)d->phase}};
        d->under_way += lanes_submit(d->lanes, &flight);
    }
}

/* ---- the admin listener ---- */

static void on_armed(void *ctx, const struct load_admin_reply *reply)
{
    struct drill *d = ctx;
    d->calling = false;
    if (reply->err || reply->status != 200) {
        size_t line = gw_min_size(gw_str_chr(reply->body, '\n'), 90);
        char why[160];
        snprintf(why, sizeof(why), "the admin listener does not take the fault (%s%.*s)",
                 reply->err ? gw_strerror(reply->err) : "",
                 GW_STR_ARG(gw_str_first(reply->body, line)));
        give_up(d, why);
        return;
    }
    enter(d, DRILL_FAULT);
}

static void arm(struct drill *d)
{
    char space[FAULT_MAX];
    struct gw_buf body = gw_buf_over(space, sizeof(space));
    gw_buf_printf(&body, "{\"name\":\"drill\",%s", d->options->kind->fault);
    if (d->options->server >= 0)
        gw_buf_printf(&body, ",\"server\":%d", d->options->server);
    if (d->options->expression.len) {
        gw_buf_add(&body, GW_STR(",\"expression\":"));
        gw_buf_json(&body, d->options->expression);
    }
    gw_buf_char(&body, '}');
    d->calling = d->armed = true;
    load_admin_call(d->admin, GW_STR("PUT"), GW_STR("/api/faults/drill"), gw_buf_str(&body),
                    on_armed, d);
}

/* Of the member "drill" in the list; what has been counted until now. */
static void on_counted(void *ctx, const struct load_admin_reply *reply)
{
    struct drill *d = ctx;
    const struct gw_source source = {"answer", reply->err ? GW_STR_EMPTY : reply->body};
    struct gw_diags diags;
    gw_diags_init(&diags);
    struct json_doc *doc = json_parse(&source, &diags);
    gw_diags_release(&diags);
    const struct json *fault = doc ? json_first(json_get(json_root(doc), "faults")) : NULL;
    for (; fault; fault = json_next(fault)) {
        int64_t injected;
        if (gw_str_eq(json_str(json_get(fault, "name")), GW_STR("drill")) &&
            json_int(json_get(fault, "injected"), 0, INT64_MAX >> 11, &injected))
            d->result->injected = (uint64_t)injected;
    }
    json_doc_free(doc);
}

static void on_disarmed(void *ctx, const struct load_admin_reply *reply)
{
    struct drill *d = ctx;
    d->calling = false;
    d->armed = false;
    if (reply->err || reply->status != 200)
        give_up(d, "the fault could not be taken away: DELETE /api/faults/drill failed");
    enter(d, DRILL_AFTER);
}

static void disarm(struct drill *d)
{
    d->calling = true;
    load_admin_call(d->admin, GW_STR("GET"), GW_STR("/api/faults"), GW_STR_EMPTY, on_counted, d);
    load_admin_call(d->admin, GW_STR("DELETE"), GW_STR("/api/faults/drill"), GW_STR_EMPTY,
                    on_disarmed, d);
}

static void on_looked(void *ctx, const struct load_admin_reply *reply)
{
    struct drill *d = ctx;
    bool out =
        !reply->err && (gw_str_find(reply->body, GW_STR("\"state\":\"ejected\"")) != GW_NPOS ||
                        gw_str_find(reply->body, GW_STR("\"state\":\"down\"")) != GW_NPOS);
    if (out && d->phase == DRILL_FAULT)
        note_first(&d->result->first_ejected_us, now_us(d) - d->begun_us);
}

static void look(struct drill *d)
{
    if (now_us(d) < d->look_us)
        return;
    d->look_us = now_us(d) + LOOK_US;
    load_admin_call(d->admin, GW_STR("GET"), GW_STR("/api/upstreams"), GW_STR_EMPTY, on_looked, d);
}

/* ---- what comes when ---- */

static bool is_steady(const struct drill *d)
{
    return d->first_good_us > d->last_bad_us && now_us(d) - d->first_good_us >= DRILL_STEADY_US;
}

static void advance(struct drill *d)
{
    uint64_t in_phase = now_us(d) - d->begun_us;
    switch (d->phase) {
    case DRILL_BEFORE:
        if (in_phase < DRILL_BEFORE_US)
            return;
        if (d->result->phases[DRILL_BEFORE].failed || !d->result->phases[DRILL_BEFORE].requests)
            give_up(d, "requests fail before there is any fault; nothing can be learnt from that");
        else
            arm(d);
        return;
    case DRILL_FAULT:
        look(d);
        if (in_phase >= d->options->duration_us)
            disarm(d);
        return;
    case DRILL_AFTER:
        d->result->recovered = is_steady(d);
        if (d->result->recovered)
            d->result->recovered_us = d->first_good_us - gw_min_u64(d->begun_us, d->first_good_us);
        if (d->result->recovered || in_phase >= d->options->recover_us)
            d->phase = DRILL_END;
        return;
    case DRILL_END:
    case DRILL_PHASES:
        return;
    }
}

/* A drill that is given up still takes its fault away: the edge goes on with it otherwise, and its
 * owner has left. But not for ever, since the admin may be what has failed. True: nothing is left
 * to do. */
static bool is_over(struct drill *d)
{
    bool ending = d->phase == DRILL_END || d->result->error[0] || d->result->interrupted;
    if (!ending || (d->calling && now_us(d) < d->give_up_us))
        return false;
    if (!d->armed || now_us(d) >= d->give_up_us)
        return true;
    disarm(d);
    return false;
}

static void on_timer(void *ctx)
{
    struct drill *d = ctx;
    if (d->options->stop && *d->options->stop)
        d->result->interrupted = true;
    bool ending = d->phase == DRILL_END || d->result->error[0] || d->result->interrupted;
    if (!ending) {
        send_due(d);
        d->give_up_us = now_us(d) + ADMIN_GRACE_US;
        if (!d->calling)
            advance(d);
    }
    if (is_over(d))
        gw_loop_stop(d->loop);
    else
        precise_timer_set(d->timer, gw_min_u64(ending ? UINT64_MAX : d->due_us, now_us(d) + 20000));
}

void drill_run(const struct drill_options *options, struct drill_result *result)
{
    static const struct lanes_events events = {render, on_done};
    struct gw_clock clock;
    struct gw_buf request;
    *result = (struct drill_result){.first_failed_us = UINT64_MAX,
                                    .first_stale_us = UINT64_MAX,
                                    .first_ejected_us = UINT64_MAX};
    gw_clock_init(&clock, GW_CLOCK_SYSTEM);
    gw_buf_init(&request, (size_t)1 << 20);
    gw_buf_printf(&request,
                  "GET %.*s HTTP/1.1\r\nHost: %.*s\r\nUser-Agent: nearedge-drill\r\n"
                  "Accept: */*\r\n\r\n",
                  GW_STR_ARG(options->path), GW_STR_ARG(options->host));
    struct drill d = {.options = options, .result = result, .request = gw_buf_str(&request)};
    d.loop = gw_loop_new(&clock);
    d.lanes = lanes_new(d.loop, &options->to, CONNECTIONS, TIMEOUT_MS, &events, &d);
    d.admin = load_admin_new(d.loop, &options->admin);
    d.timer = precise_timer_new(d.loop, on_timer, &d);
    d.due_us = now_us(&d);
    enter(&d, DRILL_BEFORE);
    if (d.timer) {
        precise_timer_set(d.timer, d.due_us);
        gw_loop_run(d.loop);
    } else {
        give_up(&d, "no descriptors are left");
    }
    load_admin_free(d.admin);
    lanes_free(d.lanes);
    precise_timer_free(d.timer);
    gw_loop_free(d.loop);
    gw_buf_release(&request);
}
