/* SPDX-License-Identifier: Apache-2.0 */
/* Faults while the edge runs: shown, set, taken away. A write is in force on every worker when it
 * is answered (api_write.h); a reload brings back those of the file. */
#include <stdatomic.h>

#include "gateway/admin_route.h"
#include "gateway/admin_upstreams.h"
#include "gateway/api_write.h"
#include "gateway/base/json_out.h"
#include "gateway/faults.h"
#include "gateway/server.h"

/* ---- showing ---- */

static void add_effect(struct gw_buf *out, const struct config_fault *config)
{
    if (config->delay_ms)
        gw_json_u64(out, "delay_ms", config->delay_ms);
    if (config->abort)
        gw_json_bool(out, "abort", true);
    if (config->truncates)
        gw_json_u64(out, "truncate_bytes", config->truncate_bytes);
    if (config->status)
        gw_json_u64(out, "status", config->status);
    if (config->ratio != CONFIG_RATIO_WHOLE)
        gw_buf_printf(out, ",\"ratio\":0.%06u", config->ratio);
    if (config->first)
        gw_json_u64(out, "first", config->first);
    if (config->one_server)
        gw_json_u64(out, "server", config->server);
}

static void add_fault(struct gw_buf *out, const struct fault *fault)
{
    static const char *const places[] = {"origin", "edge", "counters"};
    const struct config_fault *config = &fault->config;
    gw_json_object(out, NULL);
    gw_json_text(out, "name", config->name);
    if (config->zone.len)
        gw_json_text(out, "zone", config->zone);
    if (config->expression.text.len)
        gw_json_text(out, "expression", config->expression.text);
    gw_json_text(out, "where", gw_str_z(places[config->where]));
    add_effect(out, config);
    gw_json_text(out, "source", fault->from_api ? GW_STR("api") : GW_STR("configuration"));
    gw_json_u64(out, "seen", atomic_load(&fault->seen));
    gw_json_u64(out, "injected", atomic_load(&fault->injected));
    gw_buf_char(out, '}');
}

static void add_faults(struct gw_buf *out, const struct fault_set *set)
{
    gw_buf_add(out, GW_STR("{\"faults\":["));
    for (size_t i = 0; set && i < set->count; i++)
        add_fault(out, set->items[i]);
    gw_buf_add(out, GW_STR("]}\n"));
}

enum admin_result admin_faults_get(struct admin_call *call)
{
    add_faults(&call->out, admin_snapshot(call)->faults);
    return ADMIN_DONE;
}

void admin_fault_metrics(const struct snapshot *s, struct gw_buf *out)
{
    gw_buf_add(out, GW_STR("# HELP nearedge_faults_injected_total Requests that met a fault.\n"
                           "# TYPE nearedge_faults_injected_total counter\n"));
    for (size_t i = 0; s->faults && i < s->faults->count; i++)
        gw_buf_printf(out, "nearedge_faults_injected_total{fault=\"%.*s\"} %llu\n",
                      GW_STR_ARG(s->faults->items[i]->config.name),
                      (unsigned long long)atomic_load(&s->faults->items[i]->injected));
}

/* ---- writing: on the main thread ---- */

static struct gw_str name_in(const struct api_write *w)
{
    return admin_path_segment(w->call.path, 2);
}

/* The first thing that is wrong, where it stands in the body. */
static bool refuse(struct api_write *w, const struct gw_diags *diags)
{
    const struct gw_diag *first = &diags->items[0];
    admin_fail(&w->call, 400, "%u:%u: %s", first->line, first->column, first->message);
    return false;
}

static bool has_zone(const struct snapshot *s, struct gw_str name)
{
    for (size_t i = 0; i < s->zone_count && name.len; i++)
        if (gw_str_eq(s->zones[i].config->name, name))
            return true;
    return name.len == 0;
}

static bool has_backend(const struct api_write *w)
{
    struct limiter_health health;
    limiter_world_health(w->server->limiter, &health);
    return health.redis;
}

/* NULL after a refusal. */
static struct fault *read_fault(struct api_write *w, const struct json *v)
{
    struct gw_diags diags;
    gw_diags_init(&diags);
    struct fault *fault = fault_read(w->body, v, w->snapshot->config->faults_seed, &diags);
    if (!fault)
        refuse(w, &diags);
    gw_diags_release(&diags);
    if (!fault)
        return NULL;
    if (fault->config.where == CONFIG_FAULT_COUNTERS && !has_backend(w))
        admin_fail(&w->call, 400,
                   "the counters are in this process: there is no backend to take away");
    else if (!has_zone(w->snapshot, fault->config.zone))
        admin_fail(&w->call, 400, "there is no zone \"%.*s\"", GW_STR_ARG(fault->config.zone));
    else
        return fault;
    fault_unref(fault);
    return NULL;
}

/* Adds one to the change; false after a refusal. Sets are shared with the workers and never
 * changed: each fault makes a new one, which is no loop to mind at 32 of them. */
static bool put(struct api_write *w, struct fault *fault)
{
    struct fault_set *with = fault_set_with(w->change.faults, fault);
    fault_unref(fault);
    if (!with) {
        admin_fail(&w->call, 400, "there are %d faults already, which is the most",
                   CONFIG_FAULTS_MAX);
        return false;
    }
    fault_set_unref(w->change.faults);
    w->change.faults = with;
    return true;
}

static bool answer(struct api_write *w)
{
    w->change.sets_faults = true;
    add_faults(&w->call.out, w->change.faults);
    return true;
}

/* The list in the body takes the place of all there are: what is left of a change that is refused
 * halfway goes with the write, and nobody has met it. */
static bool put_all(struct api_write *w)
{
    const struct json *list = json_get(json_root(w->body), "faults");
    if (!list || json_type(list) != JSON_ARRAY) {
        admin_fail(&w->call, 400, "The body must be {\"faults\":[...]}");
        return false;
    }
    for (const struct json *v = json_first(list); v; v = json_next(v)) {
        struct fault *fault = read_fault(w, v);
        if (!fault)
            return false;
        if (fault_set_find(w->change.faults, fault->config.name)) {
            admin_fail(&w->call, 400, "the fault \"%.*s\" is there twice",
                       GW_STR_ARG(fault->config.name));
            fault_unref(fault);
            return false;
        }
        if (!put(w, fault))
            return false;
    }
    return answer(w);
}

static bool put_one(struct api_write *w)
{
    struct fault *fault = read_fault(w, json_root(w->body));
    if (!fault)
        return false;
    if (!gw_str_eq(fault->config.name, name_in(w))) {
        admin_fail(&w->call, 400, "\"name\" must be the one in the path");
        fault_unref(fault);
        return false;
    }
    w->change.faults = fault_set_ref(w->snapshot->faults);
    return put(w, fault) && answer(w);
}

/* The change is empty as it stands, and that is what is asked for. */
static bool delete_all(struct api_write *w)
{
    return answer(w);
}

static bool delete_one(struct api_write *w)
{
    if (!fault_set_find(w->snapshot->faults, name_in(w))) {
        admin_fail(&w->call, 404, "there is no such fault");
        return false;
    }
    w->change.faults = fault_set_without(w->snapshot->faults, name_in(w));
    return answer(w);
}

enum admin_result admin_faults_put(struct admin_call *call)
{
    return api_write_start_all(call, API_BODY_OBJECT, put_all);
}

enum admin_result admin_fault_put(struct admin_call *call)
{
    return api_write_start_all(call, API_BODY_OBJECT, put_one);
}

enum admin_result admin_faults_delete(struct admin_call *call)
{
    return api_write_start_all(call, API_BODY_NONE, delete_all);
}

enum admin_result admin_fault_delete(struct admin_call *call)
{
    return api_write_start_all(call, API_BODY_NONE, delete_one);
}
