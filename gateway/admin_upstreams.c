/* SPDX-License-Identifier: Apache-2.0 */
/* The servers behind the edge: as JSON, and as metrics. The metrics are written from the snapshot
 * that serves and not counted into series that stay: a server that a reload took out of the
 * configuration must not go on as "down" for ever. */
#include "gateway/admin_upstreams.h"

#include "gateway/admin_route.h"
#include "gateway/base/json_out.h"
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
    gw_json_object(out, NULL);
    gw_json_u64(out, "server", index);
    gw_json_text(out, "url", config->url);
    gw_json_text(out, "state", gw_str_z(state_of(&view)));
    gw_json_text(out, "probe", gw_str_z(probes[view.probe]));
    gw_json_u64(out, "ejected_for_ms", view.ejected_for_ms);
    gw_json_text(out, "reason", gw_str_z(view.reason));
    gw_json_u64(out, "weight", config->weight);
    gw_json_bool(out, "backup", config->backup);
    gw_json_u64(out, "active", view.active);
    gw_json_u64(out, "attempts", view.attempts);
    gw_json_u64(out, "failures", view.failures);
    gw_json_u64(out, "ejections", view.ejections);
    gw_buf_char(out, '}');
}

enum admin_result admin_upstreams(struct admin_call *call)
{
    static const char *const balances[] = {"round_robin", "least_connections"};
    const struct snapshot *s = admin_snapshot(call);
    uint64_t now_ms = gw_loop_now(call->worker->loop).mono_ms;
    struct gw_buf *out = &call->out;
    gw_buf_add(out, GW_STR("{\"upstreams\":["));
    for (size_t i = 0; i < s->origin_count; i++) {
        const struct snapshot_origin *origin = &s->origins[i];
        gw_json_object(out, NULL);
        gw_json_text(out, "zone", origin->zone);
        gw_json_text(out, "origin", origin->name);
        gw_json_text(out, "balance", gw_str_z(balances[origin->config->balance]));
        gw_json_u64(out, "retries", servers_retries(origin->servers));
        gw_json_list(out, "servers");
        for (size_t k = 0; k < servers_count(origin->servers); k++)
            add_server(out, origin, k, now_ms);
        gw_buf_add(out, GW_STR("]}"));
    }
    gw_buf_add(out, GW_STR("]}\n"));
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
