/* SPDX-License-Identifier: Apache-2.0 */
/* What a zone's configuration says about where requests go, ready to serve. All of it belongs to
 * the snapshot that was built from the file; those derived from it share it. */
#include "gateway/faults.h"
#include "gateway/snapshot_inside.h"
#include "gateway/upstream/servers.h"

static size_t add_origin(struct snapshot *s, const struct snapshot_zone *zone,
                         const struct config_origin *config, struct gw_str name)
{
    s->origins[s->origin_count] =
        (struct snapshot_origin){.config = config,
                                 .servers = servers_new(config),
                                 .zone = zone->config->name,
                                 .name = name,
                                 .number = s->origin_count - zone->first_origin};
    return s->origin_count++;
}

static void build_rules(struct snapshot *s, struct snapshot_zone *zone, struct gw_diags *diags)
{
    const struct config_zone *config = zone->config;
    const struct expr_options options = {.phase = RULES_OTHER,
                                         .plan = config->plan,
                                         .missing_ne = config->settings.missing_ne,
                                         .cookie_array_as_first = true};
    zone->origin_rules = gw_zalloc((config->origin_rule_count + 1) * sizeof(*zone->origin_rules));
    for (size_t i = 0; i < config->origin_rule_count; i++) {
        const struct config_origin_rule *rule = &config->origin_rules[i];
        struct snapshot_origin_rule *out = &zone->origin_rules[zone->origin_rule_count];
        out->config = rule;
        out->expr = snapshot_compile(&rule->expression, s->config->doc, &options, diags);
        if (!out->expr)
            continue;
        zone->origin_rule_count++;
        out->origin = zone->first_origin;
        if (rule->has_origin)
            out->origin = add_origin(s, zone, &rule->origin, rule->name);
    }
}

struct expr *snapshot_compile(const struct config_expression *expression,
                              const struct json_doc *doc, const struct expr_options *options,
                              struct gw_diags *diags)
{
    struct expr_error err;
    struct expr *e = expr_compile(expression->text, options, &err);
    if (e)
        return e;
    /* A variable may have brought other words than those in the file. */
    bool literal = gw_str_eq(json_str(expression->place), expression->text);
    size_t start = 0, width = 1;
    if (literal) {
        start = json_string_offset(doc, expression->place, err.offset);
        size_t end = json_string_offset(doc, expression->place, err.offset + err.width);
        width = end > start ? end - start : 1;
    } else {
        json_place(doc, expression->place, &start, &width);
    }
    gw_diag_at(diags, GW_DIAG_ERROR, json_source(doc), start, width, "expression: %s", err.reason);
    return NULL;
}

static size_t count_origins(const struct config *config)
{
    size_t count = 0;
    for (size_t i = 0; i < config->zone_count; i++)
        count += 1 + config->zones[i].origin_rule_count;
    return count;
}

void snapshot_build_origins(struct snapshot *s, struct gw_diags *diags)
{
    s->origins = gw_zalloc(count_origins(s->config) * sizeof(*s->origins));
    for (size_t i = 0; i < s->zone_count; i++) {
        struct snapshot_zone *zone = &s->zones[i];
        zone->first_origin = s->origin_count;
        add_origin(s, zone, &zone->config->origin, GW_STR("origin"));
        build_rules(s, zone, diags);
    }
    s->faults = fault_set_build(s->config, diags);
}

void snapshot_release_origins(struct snapshot *s)
{
    fault_set_unref(s->faults); /* each snapshot's own: the API changes them */
    if (s->base)
        return;
    for (size_t i = 0; i < s->origin_count; i++)
        servers_free(s->origins[i].servers);
    free(s->origins);
    for (size_t i = 0; i < s->zone_count; i++) {
        for (size_t r = 0; r < s->zones[i].origin_rule_count; r++)
            expr_free(s->zones[i].origin_rules[r].expr);
        free(s->zones[i].origin_rules);
    }
}
