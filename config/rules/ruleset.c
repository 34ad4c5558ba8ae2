/* SPDX-License-Identifier: Apache-2.0 */
#include "config/rules/ruleset.h"

#include <stdatomic.h>

#include "config/rules/lint_report.h"
#include "config/rules/rule_index.h"
#include "config/rules/rule_read.h"

struct ruleset {
    atomic_uint refs;
    struct gw_arena arena;
    struct ruleset_info info;
    struct expr_share *share;
    struct rule *rules;
    size_t count;
    const struct rule_index *index;
};

static const char *const envelope_keys[] = {"result",   "success",     "errors",
                                            "messages", "result_info", NULL};
static const char *const ruleset_keys[] = {
    "id",           "name",  "description", "kind",   "version",
    "last_updated", "phase", "rules",       "source", NULL};

static struct gw_str copy_text(struct ruleset *rs, struct report *r, const struct json *object,
                               const char *key)
{
    const struct json *v = report_member(r, object, key, JSON_STRING);
    return v ? gw_arena_dup(&rs->arena, json_str(v)) : GW_STR_EMPTY;
}

/* Named in the document, by the caller, or told by the actions; an empty list of rules is a cache
 * ruleset. */
static void find_phase(struct ruleset *rs, struct report *r, const struct json *v,
                       const struct json *rules)
{
    struct gw_str name = copy_text(rs, r, v, "phase");
    enum rules_phase phase = RULES_CACHE_REQUEST;
    if (name.len == 0 && r->options->phase)
        name = gw_arena_dup(&rs->arena, gw_str_z(r->options->phase));
    if (name.len) {
        rs->info.phase_name = name;
        rs->info.phase = rules_phase_of(name);
        return;
    }
    for (const struct json *rule = json_first(rules); rule; rule = json_next(rule)) {
        phase = rule_phase_of(rule);
        if (phase != RULES_OTHER)
            break;
    }
    if (phase == RULES_OTHER) {
        report_error(r, v, REPORT_OTHER,
                     "\"phase\" is required: the actions of the rules do not tell it");
        phase = RULES_CACHE_REQUEST;
    }
    rs->info.phase = phase;
    rs->info.phase_name = gw_str_z(rules_phase_name(phase));
}

static size_t most_rules(enum rules_phase phase, enum config_plan plan)
{
    static const size_t cache[] = {10, 25, 50, 300}, rate[] = {1, 2, 5, 100};
    return phase == RULES_RATELIMIT ? rate[plan]
           : phase == RULES_OTHER   ? RULESET_RULES_MAX
                                    : cache[plan];
}

static void warn_phase(const struct ruleset *rs, struct report *r, const struct json *v)
{
    const struct json *phase = json_get(v, "phase");
    if (rs->info.phase == RULES_OTHER)
        json_warn(r->doc, phase ? phase : v, r->diags,
                  "phase %.*s is accepted but not simulated: its rules have no effect",
                  GW_STR_ARG(rs->info.phase_name));
    if (rs->info.kind.len && !gw_str_eq(rs->info.kind, GW_STR("zone")))
        json_warn(r->doc, json_get(v, "kind"), r->diags,
                  "a ruleset of kind %.*s is treated as the zone's own", GW_STR_ARG(rs->info.kind));
}

/* Ids and refs name rules in the API; without a ref the id is the ref. */
static void check_names(const struct ruleset *rs, struct report *r, const struct json *v,
                        const struct rule *rule)
{
    for (size_t i = 0; i < rs->count; i++) {
        if (rule->id.len && gw_str_eq(rs->rules[i].id, rule->id))
            report_error(r, v, REPORT_OTHER, "rule id \"%.*s\" occurs twice", GW_STR_ARG(rule->id));
        if (rule->ref.len && gw_str_eq(rs->rules[i].ref, rule->ref))
            report_error(r, v, REPORT_OTHER, "rule ref \"%.*s\" occurs twice",
                         GW_STR_ARG(rule->ref));
    }
}

static void read_rules(struct ruleset *rs, struct report *r, const struct json *rules)
{
    struct rule_reader reader = {r, &rs->arena, rs->info.phase, rs->info.phase_name, rs->share};
    size_t count = json_count(rules), most = most_rules(rs->info.phase, r->options->plan);
    /* Not read at all then: a thousand rules too many would mean a thousand more messages. */
    if (count > most) {
        report_error(r, rules, REPORT_COUNT,
                     "exceeded maximum number of rules in the phase %.*s: %zu out of %zu",
                     GW_STR_ARG(rs->info.phase_name), count, most);
        return;
    }
    rs->rules = gw_arena_zalloc(&rs->arena, (count + 1) * sizeof(*rs->rules));
    for (const struct json *v = json_first(rules); v; v = json_next(v)) {
        struct rule *rule = &rs->rules[rs->count];
        size_t back = report_enter_item(r, rs->count);
        if (json_type(v) != JSON_OBJECT) {
            report_error(r, v, REPORT_OTHER, "a rule is an object");
        } else {
            rule_read(&reader, v, rule);
            if (rule->ref.len == 0)
                rule->ref = rule->id;
            check_names(rs, r, v, rule);
        }
        rule->index = (uint16_t)rs->count++;
        report_leave(r, back);
    }
    rate_limit_name_all(rs->rules, rs->count);
}

static void read_ruleset(struct ruleset *rs, struct report *r, const struct json *v)
{
    report_unknown(r, v, ruleset_keys);
    rs->info.id = copy_text(rs, r, v, "id");
    rs->info.name = copy_text(rs, r, v, "name");
    rs->info.description = copy_text(rs, r, v, "description");
    rs->info.kind = copy_text(rs, r, v, "kind");
    rs->info.version = copy_text(rs, r, v, "version");
    rs->info.last_updated = copy_text(rs, r, v, "last_updated");
    const struct json *rules = report_member(r, v, "rules", JSON_ARRAY);
    find_phase(rs, r, v, rules);
    warn_phase(rs, r, v);
    size_t back = report_enter(r, GW_STR("rules"));
    if (rules)
        read_rules(rs, r, rules);
    if (rules && r->errors == 0)
        lint_report_rules(r, rules, rs->rules, rs->count, rs->info.phase);
    report_leave(r, back);
}

/* A GET answer wraps the ruleset in "result". */
static const struct json *unwrap(struct report *r, const struct json *v)
{
    const struct json *result = json_get(v, "result");
    if (json_type(v) == JSON_OBJECT && result) {
        report_unknown(r, v, envelope_keys);
        v = result;
    }
    if (json_type(v) == JSON_OBJECT)
        return v;
    report_error(r, v, REPORT_OTHER, "a ruleset is an object, not %s",
                 json_type_name(json_type(v)));
    return NULL;
}

/* By the last reference, in whatever thread that is (a worker that leaves an old snapshot), or by
 * the loader after an error, with rules that are filled in part: what was not read is NULL.
 * Expressions before the arena, where the rules that name them lie. */
static void destroy(struct ruleset *rs)
{
    for (size_t i = 0; i < rs->count; i++) {
        expr_free((struct expr *)rs->rules[i].expr);
        expr_free((struct expr *)rs->rules[i].counting);
        expr_free((struct expr *)rs->rules[i].value);
        rate_limit_release(rs->rules[i].rate);
    }
    expr_share_free(rs->share);
    gw_arena_clear(&rs->arena);
    free(rs);
}

struct ruleset *ruleset_load_value(const struct json_doc *doc, const struct json *value,
                                   const struct ruleset_options *options, struct gw_diags *diags)
{
    struct report report = {.doc = doc, .diags = diags, .options = options};
    const struct json *v = unwrap(&report, value);
    if (!v)
        return NULL;
    struct ruleset *rs = gw_zalloc(sizeof(*rs));
    atomic_init(&rs->refs, 1);
    gw_arena_init(&rs->arena, NULL, 0, 0);
    rs->share = expr_share_new();
    read_ruleset(rs, &report, v);
    if (report.errors == 0) {
        rs->index = rule_index_new(rs->rules, rs->count, &rs->arena);
        return rs;
    }
    destroy(rs);
    return NULL;
}

struct ruleset *ruleset_load(const struct json_doc *doc, const struct ruleset_options *options,
                             struct gw_diags *diags)
{
    return ruleset_load_value(doc, json_root(doc), options, diags);
}

struct ruleset *ruleset_ref(struct ruleset *rs)
{
    atomic_fetch_add_explicit(&rs->refs, 1, memory_order_relaxed);
    return rs;
}

/* acq_rel: whoever frees has seen what the others did with it before they let go. */
void ruleset_unref(struct ruleset *rs)
{
    if (rs && atomic_fetch_sub_explicit(&rs->refs, 1, memory_order_acq_rel) == 1)
        destroy(rs);
}

const struct ruleset_info *ruleset_info(const struct ruleset *rs)
{
    return &rs->info;
}

size_t ruleset_count(const struct ruleset *rs)
{
    return rs->count;
}

const struct rule *ruleset_rule(const struct ruleset *rs, size_t index)
{
    return &rs->rules[index];
}

static void match_rule(const struct ruleset *rs, size_t i, struct rules_request *r,
                       struct ruleset_result *result)
{
    const struct rule *rule = &rs->rules[i];
    if (!expr_eval_shared(rule->expr, r))
        return;
    result->matched[i / 64] |= 1ull << (i % 64);
    if (rule->settings)
        cache_settings_merge(&result->settings, rule->settings, rule->index);
}

void ruleset_match(const struct ruleset *rs, struct rules_request *r, struct ruleset_result *result)
{
    /* `from` and `rule` keep what they held: without its bit nobody reads them. */
    result->settings.present = 0;
    memset(result->matched, 0, sizeof(result->matched));
    expr_share_reset(r);
    struct rule_set candidates;
    rule_index_find(rs->index, r, &candidates);
    for (size_t word = 0; word < RULE_SET_WORDS; word++) {
        for (uint64_t bits = candidates.words[word]; bits; bits &= bits - 1)
            match_rule(rs, word * 64 + (size_t)__builtin_ctzll(bits), r, result);
    }
}
