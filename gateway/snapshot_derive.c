/* SPDX-License-Identifier: Apache-2.0 */
#include <stdatomic.h>

#include "gateway/api_rulesets_store.h"
#include "gateway/faults.h"
#include "gateway/snapshot_inside.h"

static void *copy_of(const void *from, size_t size)
{
    void *copy = gw_alloc(size);
    memcpy(copy, from, size);
    return copy;
}

static size_t limiter_count(const struct snapshot_zone *zone)
{
    size_t count = 0;
    if (zone->limiters)
        limiter_policy_limiters(zone->limiters, &count);
    return count;
}

/* Settings stand in the zone's configuration, which everybody reads: it is copied whole. The second
 * copy is for the time after development mode, so that its end needs neither timer nor lock. */
static void set_settings(struct snapshot_zone *zone, const struct config_zone *like,
                         const struct config_settings *settings)
{
    struct config_zone *zones = gw_alloc(2 * sizeof(*zones));
    zones[0] = *like;
    zones[0].settings = *settings;
    zones[1] = zones[0];
    zones[1].settings.development_mode = false;
    zone->changed.zones = zones;
    zone->config = zones;
}

static uint16_t *copy_labels(const uint16_t *labels, const struct ruleset *rules)
{
    size_t count = rules ? ruleset_count(rules) : 0;
    return copy_of(labels, (count + 1) * sizeof(*labels));
}

/* What a change may replace is copied or held; origins, their rules, certificates and faults of the
 * file stay the base's, which this one holds. */
static void copy_zone(struct snapshot_zone *zone, const struct snapshot_zone *old,
                      size_t edge_count)
{
    *zone = *old;
    zone->rulesets = gw_alloc((old->ruleset_count + 1) * sizeof(struct ruleset *));
    for (size_t i = 0; i < old->ruleset_count; i++)
        zone->rulesets[i] = ruleset_ref(old->rulesets[i]);
    zone->rule_labels = copy_labels(old->rule_labels, old->cache_rules);
    zone->rate_labels = copy_labels(old->rate_labels, old->rate_rules);
    if (old->limiters) {
        zone->limiters = limiter_policy_ref(old->limiters);
        zone->limiter_labels =
            copy_of(old->limiter_labels, (limiter_count(old) + 1) * sizeof(*zone->limiter_labels));
    }
    if (old->spaces)
        zone->spaces = copy_of(old->spaces, edge_count * sizeof(*zone->spaces));
    api_rulesets_ref(zone->documents);
    if (old->changed.zones)
        set_settings(zone, old->config, &old->config->settings);
}

/* The new ruleset takes the place of its phase's old one, or the last place. */
static void replace_ruleset(struct snapshot_zone *zone, const struct snapshot_change *change)
{
    size_t at = 0;
    while (at < zone->ruleset_count &&
           !gw_str_eq(ruleset_info(zone->rulesets[at])->phase_name, change->phase))
        at++;
    if (at < zone->ruleset_count)
        ruleset_unref(zone->rulesets[at]);
    else
        zone->ruleset_count++;
    zone->rulesets[at] = change->compiled ? ruleset_ref(change->compiled) : NULL;
    if (change->compiled)
        return;
    zone->ruleset_count--;
    for (size_t i = at; i < zone->ruleset_count; i++)
        zone->rulesets[i] = zone->rulesets[i + 1];
}

static void apply(struct snapshot_zone *zone, const struct snapshot_change *change,
                  struct metrics *metrics)
{
    if (change->documents) {
        api_rulesets_unref(zone->documents);
        zone->documents = api_rulesets_ref(change->documents);
    }
    if (change->documents && !change->keeps_rules) {
        replace_ruleset(zone, change);
        snapshot_find_phases(zone);
        free(zone->rule_labels);
        free(zone->rate_labels);
        snapshot_label_rules(zone, metrics);
    }
    if (change->settings) {
        const struct config_zone *like = zone->config;
        struct config_zone *old = zone->changed.zones;
        zone->changed = change->times;
        set_settings(zone, like, change->settings);
        free(old);
    }
}

/* Derived snapshots hang off the one that was built from the file and never off each other: a chain
 * would keep every state since the start alive. */
struct snapshot *snapshot_derive(struct snapshot *from, const struct snapshot_change *change,
                                 struct metrics *metrics)
{
    struct snapshot *s = gw_zalloc(sizeof(*s));
    atomic_init(&s->refs, 1);
    s->base = snapshot_ref(from->base ? from->base : from);
    s->config = from->config;
    s->zone_count = from->zone_count;
    s->zones = gw_zalloc(s->zone_count * sizeof(*s->zones));
    s->origins = from->origins;
    s->tls = from->tls;
    s->origin_count = from->origin_count;
    s->faults = fault_set_ref(change->sets_faults ? change->faults : from->faults);
    s->edge_count = from->edge_count;
    s->edges = copy_of(from->edges, s->edge_count * sizeof(*s->edges));
    gw_map_init(&s->hosts);
    for (size_t i = 0; i < s->zone_count; i++) {
        struct snapshot_zone *zone = &s->zones[i];
        copy_zone(zone, &from->zones[i], s->edge_count);
        if (i == change->zone)
            apply(zone, change, metrics);
        for (size_t h = 0; h < zone->config->host_count; h++)
            gw_map_put(&s->hosts, zone->config->hosts[h], zone);
        if (zone->config->any_host)
            s->any_host = zone;
    }
    return s;
}
