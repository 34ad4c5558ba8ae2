/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/explain_inside.h"

/* Evaluation may use as much memory as it may in an exchange, and no more: what does not fit reads
 * as missing, there and here. */
#define SCRATCH_MAX ((size_t)4 << 20)
#define VALUES_MAX  ((size_t)4096)

struct tracer {
    struct explain *e;
    struct explain_part *parts; /* room for EXPLAIN_PARTS_MAX */
    size_t count;
};

/* A veil finds a secret in all its spellings, but not in what these functions make of it. */
static bool is_disguised(struct gw_str expression)
{
    static const char *const makers[] = {
        "substring(",     "remove_bytes(",       "split(",
        "decode_base64(", "lookup_json_string(", "lookup_json_integer("};
    for (size_t i = 0; i < GW_COUNT(makers); i++)
        if (gw_str_find(expression, gw_str_z(makers[i])) != GW_NPOS)
            return true;
    return false;
}

static void on_step(void *ctx, const struct expr_step *step)
{
    struct tracer *t = ctx;
    if (t->e->part_count >= EXPLAIN_PARTS_MAX) {
        t->e->parts_cut = true;
        return;
    }
    t->e->part_count++;
    t->parts[t->count++] = (struct explain_part){
        .text = step->text,
        .left = gw_arena_dup(&t->e->arena, gw_str_first(step->left, EXPLAIN_LEFT_MAX)),
        .depth = (uint16_t)step->depth,
        .value = step->value,
        .decided = step->decided,
        .comparison = step->comparison,
        .missing = step->missing,
        .veiled = t->e->veil.show && is_disguised(step->text),
    };
}

static void trace(struct explain *e, struct explain_rule *r, struct explain_part *space)
{
    struct tracer t = {.e = e, .parts = space};
    struct rules_request facts;
    struct gw_arena scratch;
    gw_arena_init(&scratch, NULL, 0, SCRATCH_MAX);
    visit_rules(&e->visit, &scratch, &facts);
    (void)expr_trace(r->rule->expr, &facts, on_step, &t);
    gw_arena_clear(&scratch);
    struct explain_part *parts = gw_arena_alloc(&e->arena, (t.count + 1) * sizeof(*parts));
    memcpy(parts, space, t.count * sizeof(*parts));
    r->parts = parts;
    r->part_count = t.count;
}

/* As written: the typed form has lost what nothing here acts on. */
static void read_parameters(struct explain_rule *r)
{
    const struct gw_source source = {"rule", r->rule->json};
    struct gw_diags diags;
    gw_diags_init(&diags);
    r->doc = json_parse(&source, &diags);
    gw_diags_release(&diags);
    r->parameters = r->doc ? json_get(json_root(r->doc), "action_parameters") : NULL;
}

static void match(struct explain *e, struct explain_phase *p, struct ruleset_result *result)
{
    struct rules_request facts;
    struct gw_arena scratch;
    gw_arena_init(&scratch, NULL, 0, SCRATCH_MAX);
    visit_rules(&e->visit, &scratch, &facts);
    ruleset_match(p->ruleset, &facts, result);
    gw_arena_clear(&scratch);
}

/* How a rate limiting rule would take the request; the first that blocks ends it. */
static void look(struct explain *e, struct explain_rule *r)
{
    struct explain_rate *rate = gw_arena_zalloc(&e->arena, sizeof(*rate));
    struct rules_request facts;
    struct gw_arena scratch;
    struct gw_buf key, values;
    gw_arena_init(&scratch, NULL, 0, SCRATCH_MAX);
    gw_buf_init(&key, SCRATCH_MAX);
    gw_buf_init(&values, VALUES_MAX);
    visit_rules(&e->visit, &scratch, &facts);
    const struct rate_visit visit = {.counters = e->rate,
                                     .facts = &facts,
                                     .zone = e->visit.zone->config->id,
                                     .edge = e->visit.edge->name,
                                     .key = &key,
                                     .now_ms = e->visit.wall_ms};
    rate->look = rate_rules_look(&visit, r->rule, &values);
    rate->counted = e->rate != NULL;
    rate->values = gw_arena_dup(&e->arena, gw_buf_str(&values));
    r->rate = rate;
    if (!e->refusing && rate->look.next.over && r->rule->rate->action != RATE_LOG)
        e->refusing = r;
    gw_buf_release(&values);
    gw_buf_release(&key);
    gw_arena_clear(&scratch);
}

/* What matches is said by the function that the step uses; the traces evaluate once more, and only
 * tell why. Rules of a response phase cannot be evaluated before there is a response. */
static void run_phase(struct explain *e, struct explain_phase *p, const struct ruleset *rs,
                      struct explain_part *space)
{
    struct ruleset_result other = {0};
    struct ruleset_result *result = rs == e->visit.zone->cache_rules ? &e->rules : &other;
    bool request_phase = !rules_phase_has_response(ruleset_info(rs)->phase);
    p->ruleset = rs;
    p->simulated = ruleset_info(rs)->phase != RULES_OTHER;
    p->rule_count = ruleset_count(rs);
    p->rules = gw_arena_zalloc(&e->arena, (p->rule_count + 1) * sizeof(*p->rules));
    if (request_phase)
        match(e, p, result);
    for (size_t i = 0; i < p->rule_count; i++) {
        struct explain_rule *r = &p->rules[i];
        r->rule = ruleset_rule(rs, i);
        read_parameters(r);
        r->evaluated = request_phase && r->rule->enabled && r->rule->expr;
        r->matched = r->evaluated && ruleset_matched(result, i);
        p->matched += r->matched;
        if (r->evaluated)
            trace(e, r, space);
        if (r->evaluated && r->rule->rate)
            look(e, r);
    }
}

/* Cloudflare's order of the phases that are known here; others run before them. */
static unsigned rank_of(const struct ruleset *rs)
{
    switch (ruleset_info(rs)->phase) {
    case RULES_OTHER:
        return 0;
    case RULES_RATELIMIT:
    case RULES_COUNTING:
        return 1;
    case RULES_CACHE_REQUEST:
        return 2;
    case RULES_CACHE_RESPONSE:
        return 3;
    }
    return 0;
}

static void merge_settings(struct explain *e, const struct explain_phase *p)
{
    const struct cache_settings_merged *merged = &e->rules.settings;
    for (unsigned key = 0; key < CACHE_SETTING_COUNT; key++) {
        if (!cache_settings_get(merged, (enum cache_setting)key))
            continue;
        const struct explain_rule *rule = &p->rules[merged->rule[key]];
        const char *name = cache_setting_name((enum cache_setting)key);
        e->settings[e->setting_count++] = (struct explain_setting){
            .key = (enum cache_setting)key,
            .rule = rule,
            .value = json_get(rule->parameters, name),
        };
    }
}

void explain_run_rules(struct explain *e)
{
    const struct snapshot_zone *zone = e->visit.zone;
    struct explain_part *space = gw_alloc(EXPLAIN_PARTS_MAX * sizeof(*space));
    e->phases = gw_arena_zalloc(&e->arena, (zone->ruleset_count + 1) * sizeof(*e->phases));
    for (unsigned rank = 0; rank <= 3; rank++)
        for (size_t i = 0; i < zone->ruleset_count; i++)
            if (rank_of(zone->rulesets[i]) == rank)
                run_phase(e, &e->phases[e->phase_count++], zone->rulesets[i], space);
    for (size_t i = 0; i < e->phase_count; i++)
        if (e->phases[i].ruleset == zone->cache_rules)
            merge_settings(e, &e->phases[i]);
    free(space);
}

void explain_release_rules(struct explain *e)
{
    for (size_t p = 0; p < e->phase_count; p++)
        for (size_t i = 0; i < e->phases[p].rule_count; i++)
            json_doc_free(e->phases[p].rules[i].doc);
}

const struct explain_setting *explain_setting_of(const struct explain *e, struct gw_str name)
{
    for (size_t i = 0; i < e->setting_count; i++)
        if (gw_str_eq(name, gw_str_z(cache_setting_name(e->settings[i].key))))
            return &e->settings[i];
    return NULL;
}
