/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/upstream/prober.h"

#include <stdio.h>

#include "config/json.h"
#include "gateway/upstream/client.h"

#define WHY_MAX 96

struct probe {
    struct prober *prober;
    size_t server;
    struct clock_timer timer;
    struct gw_deadline timeout;
    struct upstream_request *request; /* under way, or NULL */
    unsigned status;
    struct gw_buf body;
};

struct prober {
    struct balancer *balancer;
    struct clock_timers *timers;
    const struct config_health *health;
    enum servers_speech speech;
    size_t count;
    struct probe probes[];
};

/* ---- what is good ---- */

static bool status_ok(const struct config_health *health, unsigned status)
{
    for (size_t i = 0; i < health->expect_status_count; i++)
        if (health->expect_status[i] == status)
            return true;
    return health->expect_status_count == 0 && status >= 200 && status < 400;
}

bool prober_body_ok(const struct config_health *health, struct gw_str body, char *why, size_t size)
{
    if (health->json_status_count == 0)
        return true;
    const struct gw_source source = {"health", body};
    struct gw_diags diags;
    gw_diags_init(&diags);
    struct json_doc *doc = json_parse(&source, &diags);
    gw_diags_release(&diags);
    struct gw_str word = doc ? json_str(json_get(json_root(doc), "status")) : GW_STR_EMPTY;
    bool ok = false;
    for (size_t i = 0; i < health->json_status_count && word.len; i++)
        ok = ok || gw_str_eq(word, health->json_status[i]);
    if (!ok && word.len)
        snprintf(why, size, "health status \"%.*s\"", GW_STR_ARG(gw_str_first(word, 40)));
    else if (!ok)
        snprintf(why, size, "health answer without a \"status\"");
    json_doc_free(doc);
    return ok;
}

/* ---- one probe ---- */

static uint64_t now_ms(const struct prober *p)
{
    return gw_loop_now(balancer_loop(p->balancer)).mono_ms;
}

/* Counted from now: after a jump of the clock one probe is made, not one for each interval. The end
 * and the error of a request have taken it away themselves; only a timeout finds one to cancel. */
static void finish(struct probe *probe, bool ok, const char *why)
{
    struct prober *p = probe->prober;
    upstream_cancel(probe->request);
    probe->request = NULL;
    gw_deadline_cancel(&probe->timeout);
    gw_buf_release(&probe->body);
    servers_probed(balancer_servers(p->balancer), probe->server, ok, why);
    clock_timer_set(p->timers, &probe->timer, now_ms(p) + p->health->interval_ms);
}

static void on_timeout(struct gw_deadline *d)
{
    finish(gw_container_of(d, struct probe, timeout), false, "health check timed out");
}

static void on_head(void *ctx, const struct h1_message *answer)
{
    ((struct probe *)ctx)->status = answer->status;
}

static void on_body(void *ctx, struct gw_str data)
{
    struct probe *probe = ctx;
    if (probe->prober->health->json_status_count)
        gw_buf_add(&probe->body, data);
}

static void on_end(void *ctx)
{
    struct probe *probe = ctx;
    const struct config_health *health = probe->prober->health;
    char why[WHY_MAX] = "";
    probe->request = NULL;
    bool ok = status_ok(health, probe->status);
    if (!ok)
        snprintf(why, sizeof(why), "health status %u", probe->status);
    else
        ok = prober_body_ok(health, gw_buf_str(&probe->body), why, sizeof(why));
    finish(probe, ok, why);
}

static void on_error(void *ctx, int err)
{
    struct probe *probe = ctx;
    probe->request = NULL;
    finish(probe, false, gw_strerror(err));
}

static void on_nothing(void *ctx)
{
    (void)ctx; /* a probe has no body and nobody to hurry for */
}

static void on_informational(void *ctx, const struct h1_message *answer)
{
    (void)ctx;
    (void)answer;
}

static const struct upstream_events probe_events = {
    .on_informational = on_informational,
    .on_head = on_head,
    .on_body = on_body,
    .on_end = on_end,
    .on_error = on_error,
    .on_batch = on_nothing,
    .on_sendable = on_nothing,
};

static void begin(struct clock_timer *timer)
{
    struct probe *probe = gw_container_of(timer, struct probe, timer);
    struct prober *p = probe->prober;
    const struct config_origin *server =
        &servers_origin(balancer_servers(p->balancer))->servers[probe->server];
    struct gw_str host = p->health->host.len       ? p->health->host
                         : server->host_header.len ? server->host_header
                                                   : server->authority;
    char head[2048];
    struct gw_buf out = gw_buf_over(head, sizeof(head));
    /* A connection of its own for each probe: whether new ones can be made is half the question. */
    gw_buf_printf(&out,
                  "GET %.*s HTTP/1.1\r\nHost: %.*s\r\nUser-Agent: nearedge-health\r\n"
                  "Accept: */*\r\nConnection: close\r\n",
                  GW_STR_ARG(p->health->path), GW_STR_ARG(host));
    const struct upstream_call call = {.head = gw_buf_str(&out),
                                       .body_length = UPSTREAM_NO_BODY,
                                       .idempotent = true,
                                       .method = METHOD_GET,
                                       .limits = H1_LIMITS_DEFAULT,
                                       .read_timeout_ms = p->health->timeout_ms,
                                       .server = probe->server,
                                       .speech = p->speech};
    /* An answer that is cut here is no JSON any more, and so is not well. */
    gw_buf_init(&probe->body, PROBER_BODY_MAX);
    /* Beside the request's own timeouts, each of which is for one wait: a server that sends a byte
     * a second is not well. */
    gw_deadline_set(balancer_loop(p->balancer), &probe->timeout, p->health->timeout_ms);
    probe->request = upstream_start(p->balancer, &call, &probe_events, probe);
}

/* ---- life ---- */

struct prober *prober_new(struct balancer *balancer, struct clock_timers *timers)
{
    const struct config_origin *origin = servers_origin(balancer_servers(balancer));
    if (!origin->health.enabled)
        return NULL;
    struct prober *p = gw_zalloc(sizeof(*p) + origin->server_count * sizeof(p->probes[0]));
    p->balancer = balancer_hold(balancer);
    p->timers = timers;
    p->health = &origin->health;
    p->count = origin->server_count;
    for (size_t i = 0; i < p->count; i++) {
        p->probes[i] = (struct probe){.prober = p, .server = i};
        gw_deadline_init(&p->probes[i].timeout, on_timeout);
        clock_timer_init(&p->probes[i].timer, begin);
        clock_timer_set(timers, &p->probes[i].timer, now_ms(p));
    }
    return p;
}

void prober_speak(struct prober *p, enum servers_speech speech)
{
    if (p)
        p->speech = speech;
}

void prober_free(struct prober *p)
{
    if (!p)
        return;
    for (size_t i = 0; i < p->count; i++) {
        clock_timer_cancel(p->timers, &p->probes[i].timer);
        gw_deadline_cancel(&p->probes[i].timeout);
        upstream_cancel(p->probes[i].request);
        gw_buf_release(&p->probes[i].body);
    }
    balancer_unhold(p->balancer);
    free(p);
}
