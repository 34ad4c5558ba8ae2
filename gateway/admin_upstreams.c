/* SPDX-License-Identifier: Apache-2.0 */
/* The servers behind the edge: as JSON, and as metrics. The metrics are written from the snapshot
 * that serves and not counted into series that stay: a server that a reload took out of the
 * configuration must not go on as "down" for ever. */
#include "gateway/admin_upstreams.h"

#include "gateway/admin_route.h"
#include "gateway/upstream/servers.h"
#include "gateway/worker.h"

static const char *state_of(const struct servers_view *view)
{
    return view->probe == SERVERS_PROBE_DOWN ? "down" : view->ejected ? "ejected" : "up";
}

static void add_server(struct gw_buf *out, const struct snapshot_origin *origin, size_t index,
                       uint64_t now_ms)
{
    static const char *const probes[] = {"none", "up", "down"};
    const struct config_origin *config = &origin->config->servers[index];
    struct servers_view view;
    servers_view(origin->servers, index, now_ms, &view);
    gw_buf_printf(out, "%s{\"server\":%zu,\"url\":", index ? "," : "", index);
    gw_buf_json(out, config->url);
    gw_buf_printf(out, ",\"state\":\"%s\",\"probe\":\"%s\",\"ejected_for_ms\":%llu,\"reason\":",
                  state_of(&view), probes[view.probe], (unsigned long long)view.ejected_for_ms);
    gw_buf_json(out, gw_str_z(view.reason));
    gw_buf_printf(out,
                  ",\"weight\":%u,\"backup\":%s,\"active\":%u,\"attempts\":%llu,"
                  "\"failures\":%llu,\"ejections\":%llu}",
                  config->weight, config->backup ? "true" : "false", view.active,
                  (unsigned long long)view.attempts, (unsigned long long)view.failures,
                  (unsigned long long)view.ejections);
}

enum admin_result admin_upstreams(struct admin_call *call)
{
    static const char *const balances[] = {"round_robin", "least_connections"};
    const struct snapshot *s = admin_snapshot(call);
    uint64_t now_ms = gw_loop_now(call->worker->loop).mono_ms;
    gw_buf_add(&call->out, GW_STR("{\"upstreams\":["));
    for (size_t i = 0; i < s->origin_count; i++) {
        const struct snapshot_origin *origin = &s->origins[i];
        gw_buf_add(&call->out, i ? GW_STR(",{\"zone\":") : GW_STR("{\"zone\":"));
        gw_buf_json(&call->out, origin->zone);
        gw_buf_add(&call->out, GW_STR(",\"origin\":"));
        gw_buf_json(&call->out, origin->name);
        gw_buf_printf(&call->out, ",\"balance\":\"%s\",\"retries\":%llu,\"servers\":[",
                      balances[origin->config->balance],
                      (unsigned long long)servers_retries(origin->servers));
        for (size_t k = 0; k < servers_count(origin->servers); k++)
            add_server(&call->out, origin, k, now_ms);
        gw_buf_add(&call->out, GW_STR("]}"));
    }
    gw_buf_add(&call->out, GW_STR("]}\n"));
    return ADMIN_DONE;
}

/* ---- metrics ---- */

enum upstream_metric { UPSTREAM_UP, UPSTREAM_ACTIVE, UPSTREAM_ATTEMPTS, UPSTREAM_FAILURES };

static uint64_t value_of(const struct servers_view *view, enum upstream_metric metric)
{
    switch (metric) {
    case UPSTREAM_UP:
        return view->up;
    case UPSTREAM_ACTIVE:
        return view->active;
    case UPSTREAM_ATTEMPTS:
        return view->attempts;
    case UPSTREAM_FAILURES:
        return view->failures;
    }
    return 0;
}

/* Origins by number: what they are called is for people and may be an expression. */
static void add_family(struct gw_buf *out, const struct snapshot *s, enum upstream_metric metric,
                       uint64_t now_ms)
{
    static const struct {
        const char *name, *type, *help;
    } families[] = {
        {"nearedge_upstream_up", "gauge", "1 while requests may go to the server."},
        {"nearedge_upstream_active", "gauge", "Attempts under way at the server."},
        {"nearedge_upstream_attempts_total", "counter", "Attempts at the server."},
        {"nearedge_upstream_failures_total", "counter", "Attempts at the server that failed."},
    };
    const char *name = families[metric].name;
    gw_buf_printf(out, "# HELP %s %s\n# TYPE %s %s\n", name, families[metric].help, name,
                  families[metric].type);
    for (size_t i = 0; i < s->origin_count; i++)
        for (size_t k = 0; k < servers_count(s->origins[i].servers); k++) {
            struct servers_view view;
            servers_view(s->origins[i].servers, k, now_ms, &view);
            gw_buf_printf(out, "%s{zone=\"%.*s\",origin=\"%zu\",server=\"%zu\"} %llu\n", name,
                          GW_STR_ARG(s->origins[i].zone), s->origins[i].number, k,
                          (unsigned long long)value_of(&view, metric));
        }
}

void admin_upstream_metrics(const struct snapshot *s, uint64_t now_ms, struct gw_buf *out)
{
    for (enum upstream_metric metric = UPSTREAM_UP; metric <= UPSTREAM_FAILURES; metric++)
        add_family(out, s, metric, now_ms);
    gw_buf_add(out, GW_STR("# HELP nearedge_upstream_retries_total Attempts at another server "
                           "after a first one failed.\n"
                           "# TYPE nearedge_upstream_retries_total counter\n"));
    for (size_t i = 0; i < s->origin_count; i++)
        gw_buf_printf(out, "nearedge_upstream_retries_total{zone=\"%.*s\",origin=\"%zu\"} %llu\n",
                      GW_STR_ARG(s->origins[i].zone), s->origins[i].number,
                      (unsigned long long)servers_retries(s->origins[i].servers));
}
