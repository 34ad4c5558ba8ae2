/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/snapshot.h"

#include <stdatomic.h>

#include "gateway/api_rulesets_store.h"
#include "gateway/snapshot_inside.h"

/* A zone has one entry point a phase; the API refuses a second one (spec/api-v4.md section 3.6,
 * code 20217). */
static bool phase_is_taken(const struct snapshot_zone *zone, const struct ruleset *rs)
{
    struct gw_str phase = ruleset_info(rs)->phase_name;
    for (size_t i = 0; i < zone->ruleset_count; i++)
        if (gw_str_eq(ruleset_info(zone->rulesets[i])->phase_name, phase))
            return true;
    return false;
}

struct ruleset_options snapshot_ruleset_options(const struct config_zone *zone)
{
    return (struct ruleset_options){.plan = zone->plan,
                                    .hosts = zone->hosts,
                                    .host_count = zone->host_count,
                                    .any_host = zone->any_host,
                                    .missing_ne = zone->settings.missing_ne};
}

void snapshot_find_phases(struct snapshot_zone *zone)
{
    zone->cache_rules = zone->response_rules = zone->rate_rules = NULL;
    for (size_t i = 0; i < zone->ruleset_count; i++) {
        enum rules_phase phase = ruleset_info(zone->rulesets[i])->phase;
        if (phase == RULES_CACHE_REQUEST)
            zone->cache_rules = zone->rulesets[i];
        if (phase == RULES_CACHE_RESPONSE)
            zone->response_rules = zone->rulesets[i];
        if (phase == RULES_RATELIMIT && ruleset_count(zone->rulesets[i]) > 0)
            zone->rate_rules = zone->rulesets[i];
    }
}

static void load_ruleset(struct snapshot_zone *zone, struct gw_str file, struct gw_diags *diags)
{
    const struct ruleset_options options = snapshot_ruleset_options(zone->config);
    const char *path = file.ptr;
    struct json_doc *doc = json_read(path, path, diags);
    if (!doc)
        return;
    struct ruleset *rs = ruleset_load(doc, &options, diags);
    if (rs && phase_is_taken(zone, rs)) {
        gw_diag_file(diags, GW_DIAG_ERROR, path,
                     "'zone' is not a valid value for kind because exceeded maximum number of zone "
                     "rulesets for phase %.*s: put all rules of a phase into one ruleset",
                     GW_STR_ARG(ruleset_info(rs)->phase_name));
        ruleset_unref(rs);
        rs = NULL;
    }
    if (rs) {
        zone->rulesets[zone->ruleset_count++] = rs;
        api_rulesets_seed(zone->documents, zone->config->id, rs, file, gw_kernel_wall_ms());
    }
    json_doc_free(doc);
}

/* A rule without an id is one of a file that has never been through the API: its description is
 * what its author knows it by. */
static uint16_t *label_rules(const struct ruleset *rules, struct metrics *metrics)
{
    size_t count = rules ? ruleset_count(rules) : 0;
    uint16_t *labels = gw_alloc((count + 1) * sizeof(*labels));
    for (size_t i = 0; i < count; i++) {
        const struct rule *rule = ruleset_rule(rules, i);
        labels[i] = metrics_intern(metrics, rule->id.len ? rule->id : rule->description);
    }
    return labels;
}

void snapshot_label_rules(struct snapshot_zone *zone, struct metrics *metrics)
{
    zone->rule_labels = label_rules(zone->cache_rules, metrics);
    zone->rate_labels = label_rules(zone->rate_rules, metrics);
}

static void label_limiters(struct snapshot_zone *zone, struct metrics *metrics)
{
    size_t count;
    const struct limiter *all = limiter_policy_limiters(zone->limiters, &count);
    zone->limiter_labels = gw_alloc((count + 1) * sizeof(*zone->limiter_labels));
    for (size_t i = 0; i < count; i++)
        zone->limiter_labels[i] = metrics_intern(metrics, all[i].name);
}

static void build_zone(struct snapshot *s, size_t index, struct metrics *metrics,
                       struct gw_diags *diags)
{
    struct snapshot_zone *zone = &s->zones[index];
    zone->config = &s->config->zones[index];
    zone->index = index;
    zone->label = metrics_intern(metrics, zone->config->name);
    zone->rulesets = gw_zalloc((zone->config->ruleset_count + 1) * sizeof(struct ruleset *));
    zone->documents = api_rulesets_new();
    for (size_t i = 0; i < zone->config->ruleset_count; i++)
        load_ruleset(zone, zone->config->rulesets[i], diags);
    snapshot_find_phases(zone);
    snapshot_label_rules(zone, metrics);
    const char *limiters = zone->config->limiters.ptr;
    if (limiters)
        zone->limiters = limiter_policy_load(limiters, limiters, diags);
    if (zone->limiters)
        label_limiters(zone, metrics);
    for (size_t i = 0; i < zone->config->host_count; i++)
        gw_map_put(&s->hosts, zone->config->hosts[i], zone);
    if (zone->config->any_host)
        s->any_host = zone;
}

/* All problems are told at once: what does not load leaves a hole, with which the rest is still
 * built and checked. Half a snapshot is released like a whole one. */
struct snapshot *snapshot_build(struct config *config, struct metrics *metrics,
                                struct gw_diags *diags)
{
    size_t errors_before = diags->errors;
    struct snapshot *s = gw_zalloc(sizeof(*s));
    atomic_init(&s->refs, 1);
    s->config = config;
    s->zone_count = config->zone_count;
    s->zones = gw_zalloc(s->zone_count * sizeof(*s->zones));
    s->edge_count = config->edge_count;
    s->edges = gw_zalloc(s->edge_count * sizeof(*s->edges));
    gw_map_init(&s->hosts);
    for (size_t i = 0; i < s->edge_count; i++) {
        s->edges[i].config = &config->edges[i];
        s->edges[i].label = metrics_intern(metrics, config->edges[i].name);
    }
    for (size_t i = 0; i < s->zone_count; i++)
        build_zone(s, i, metrics, diags);
    snapshot_build_origins(s, diags);
    snapshot_build_tls(s, gw_kernel_wall_ms(), diags);
    if (diags->errors == errors_before)
        return s;
    snapshot_unref(s);
    return NULL;
}

void snapshot_attach_cache(struct snapshot *s, struct cache_store *store)
{
    for (size_t i = 0; i < s->zone_count; i++) {
        struct snapshot_zone *zone = &s->zones[i];
        zone->object_max = cache_store_object_max(store, zone->config->plan);
        zone->spaces = gw_alloc(s->edge_count * sizeof(*zone->spaces));
        for (size_t edge = 0; edge < s->edge_count; edge++)
            zone->spaces[edge] =
                cache_store_space(store, zone->config->id, s->edges[edge].config->name);
    }
}

struct snapshot *snapshot_ref(struct snapshot *s)
{
    atomic_fetch_add_explicit(&s->refs, 1, memory_order_relaxed);
    return s;
}

static void free_zone(struct snapshot_zone *zone)
{
    for (size_t i = 0; i < zone->ruleset_count; i++)
        ruleset_unref(zone->rulesets[i]);
    free(zone->rulesets);
    free(zone->rule_labels);
    free(zone->rate_labels);
    free(zone->limiter_labels);
    free(zone->spaces);
    free(zone->changed.zones);
    api_rulesets_unref(zone->documents);
    limiter_policy_unref(zone->limiters);
}

/* By whichever thread lets go last: the main one or a worker whose last exchange of it has ended.
 * Everything borrows from the configuration, so that goes last; one that was derived has it from
 * its base. */
void snapshot_unref(struct snapshot *s)
{
    if (!s || atomic_fetch_sub_explicit(&s->refs, 1, memory_order_acq_rel) != 1)
        return;
    snapshot_release_tls(s);
    snapshot_release_origins(s);
    for (size_t i = 0; i < s->zone_count; i++)
        free_zone(&s->zones[i]);
    free(s->zones);
    free(s->edges);
    gw_map_release(&s->hosts);
    if (s->base)
        snapshot_unref(s->base);
    else
        config_free(s->config);
    free(s);
}

const struct snapshot_zone *snapshot_zone_of(const struct snapshot *s, struct gw_str host)
{
    const struct snapshot_zone *zone = gw_map_get(&s->hosts, host);
    return zone ? zone : s->any_host;
}

const struct snapshot_zone *snapshot_zone_with_id(const struct snapshot *s, struct gw_str id)
{
    for (size_t i = 0; i < s->zone_count; i++)
        if (gw_str_eq(s->zones[i].config->id, id))
            return &s->zones[i];
    return NULL;
}

uint16_t snapshot_limiter_label(const struct snapshot_zone *zone, const struct limiter *limiter)
{
    size_t count;
    const struct limiter *all = limiter_policy_limiters(zone->limiters, &count);
    return zone->limiter_labels[limiter - all];
}

size_t snapshot_edge_of(const struct snapshot *s, struct gw_str name)
{
    for (size_t i = 0; i < s->edge_count; i++)
        if (gw_str_eq(s->edges[i].config->name, name))
            return i;
    return GW_NPOS;
}
