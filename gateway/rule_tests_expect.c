/* SPDX-License-Identifier: Apache-2.0 */
/* What "expect" may say, one row each. A failure stands at the value in the file that did not hold,
 * and tells what was found instead. */
#include "gateway/rule_tests_inside.h"

#define FOUND_MAX ((size_t)8 * 1024)

typedef void expect_function(const struct rule_tests_judge *j, const struct json *want);

static void fail(const struct rule_tests_judge *j, const struct json *at, const char *fmt, ...)
    GW_PRINTF(3, 4);
static void fail(const struct rule_tests_judge *j, const struct json *at, const char *fmt, ...)
{
    struct gw_buf message;
    va_list args;
    gw_buf_init(&message, FOUND_MAX);
    va_start(args, fmt);
    gw_buf_vprintf(&message, fmt, args);
    va_end(args);
    json_error(j->t->doc, at, &j->t->failures, "%.*s: %.*s", GW_STR_ARG(j->name),
               GW_STR_ARG(gw_buf_str(&message)));
    gw_buf_release(&message);
}

/* False, said: the request did not get as far as rules, limiter and cache. */
static bool reached(const struct rule_tests_judge *j, const struct json *want)
{
    if (j->e->visit.zone)
        return true;
    fail(j, want, "the request is refused with %u: %s", j->e->refused, j->e->refusal);
    return false;
}

/* ---- rules ---- */

/* A position counts in the ruleset of the cache phase; names are looked for in all. */
static bool is_named(const struct explain_phase *p, const struct explain_rule *r,
                     const struct json *name)
{
    const struct rule *rule = r->rule;
    int64_t position;
    if (json_type(name) == JSON_NUMBER)
        return ruleset_info(p->ruleset)->phase == RULES_CACHE_REQUEST &&
               json_int(name, 1, RULESET_RULES_MAX, &position) && position == rule->index + 1;
    struct gw_str text = json_str(name);
    return text.len && (gw_str_eq(text, rule->ref) || gw_str_eq(text, rule->id) ||
                        gw_str_eq(text, rule->description));
}

static const struct explain_rule *find_rule(const struct rule_tests_judge *j,
                                            const struct json *name)
{
    for (size_t p = 0; p < j->e->phase_count; p++)
        for (size_t i = 0; i < j->e->phases[p].rule_count; i++)
            if (is_named(&j->e->phases[p], &j->e->phases[p].rules[i], name))
                return &j->e->phases[p].rules[i];
    fail(j, name, "there is no rule with this position, ref, id or description");
    return NULL;
}

/* The first comparison that settled the rule. */
static void add_why(const struct explain_rule *r, struct gw_buf *out)
{
    if (!r->evaluated) {
        gw_buf_add(out, r->rule->enabled ? GW_STR("it needs the origin's response")
                                         : GW_STR("it is switched off"));
        return;
    }
    for (size_t i = 0; i < r->part_count; i++) {
        const struct explain_part *part = &r->parts[i];
        if (!part->decided || !part->comparison)
            continue;
        gw_buf_printf(out, "%.*s is %s, ", GW_STR_ARG(part->text), part->value ? "true" : "false");
        if (part->missing)
            gw_buf_add(out, GW_STR("its left side has no value"));
        else
            gw_buf_printf(out, "its left side is %.*s", GW_STR_ARG(part->left));
        return;
    }
    gw_buf_printf(out, "its expression is %s", r->matched ? "true" : "false");
}

static void judge_rule(const struct rule_tests_judge *j, const struct json *name, bool want)
{
    const struct explain_rule *r = find_rule(j, name);
    if (!r || r->matched == want)
        return;
    struct gw_buf rule, why;
    gw_buf_init(&rule, FOUND_MAX);
    gw_buf_init(&why, FOUND_MAX);
    explain_rule_name(r, &rule);
    add_why(r, &why);
    fail(j, name, "rule %.*s %s: %.*s", GW_STR_ARG(gw_buf_str(&rule)),
         want ? "does not match" : "matches", GW_STR_ARG(gw_buf_str(&why)));
    gw_buf_release(&rule);
    gw_buf_release(&why);
}

static bool is_list(const struct rule_tests_judge *j, const struct json *want)
{
    if (json_type(want) == JSON_ARRAY)
        return true;
    fail(j, want, "a list of rules is expected here");
    return false;
}

static void expect_rules(const struct rule_tests_judge *j, const struct json *want)
{
    for (const struct json *name = is_list(j, want) && reached(j, want) ? json_first(want) : NULL;
         name; name = json_next(name))
        judge_rule(j, name, true);
}

static void expect_not_rules(const struct rule_tests_judge *j, const struct json *want)
{
    for (const struct json *name = is_list(j, want) && reached(j, want) ? json_first(want) : NULL;
         name; name = json_next(name))
        judge_rule(j, name, false);
}

static bool is_listed(const struct explain_phase *p, const struct explain_rule *r,
                      const struct json *list)
{
    for (const struct json *name = json_first(list); name; name = json_next(name))
        if (is_named(p, r, name))
            return true;
    return false;
}

/* These and no others. */
static void expect_only_rules(const struct rule_tests_judge *j, const struct json *want)
{
    if (!is_list(j, want) || !reached(j, want))
        return;
    expect_rules(j, want);
    for (size_t p = 0; p < j->e->phase_count; p++)
        for (size_t i = 0; i < j->e->phases[p].rule_count; i++) {
            const struct explain_rule *r = &j->e->phases[p].rules[i];
            if (!r->matched || is_listed(&j->e->phases[p], r, want))
                continue;
            struct gw_buf name;
            gw_buf_init(&name, FOUND_MAX);
            explain_rule_name(r, &name);
            fail(j, want, "rule %.*s matches too", GW_STR_ARG(gw_buf_str(&name)));
            gw_buf_release(&name);
        }
}

/* ---- cache ---- */

/* "bypass" and "dynamic" both end in CF-Cache-Status: DYNAMIC; whether a rule wanted that is what a
 * test of rules is about. */
static const char *cache_word(const struct explain *e)
{
    return e->eligibility.eligible                          ? "eligible"
           : e->eligibility.reason == CACHE_REASON_RULE_OFF ? "bypass"
                                                            : "dynamic";
}

static void expect_cache(const struct rule_tests_judge *j, const struct json *want)
{
    static const char *const words[] = {"eligible", "bypass", "dynamic", NULL};
    bool known = false;
    for (size_t i = 0; words[i]; i++)
        known |= gw_str_eq(json_str(want), gw_str_z(words[i]));
    if (!known)
        fail(j, want, "\"cache\" is \"eligible\", \"bypass\" or \"dynamic\"");
    else if (reached(j, want) && !gw_str_eq(json_str(want), gw_str_z(cache_word(j->e))))
        fail(j, want, "the request is %s: %.*s", cache_word(j->e),
             GW_STR_ARG(cache_reason_text(j->e->eligibility.reason)));
}

/* The key's lines, see cache/key.h: "header:x-test=1". */
static void expect_key(const struct rule_tests_judge *j, const struct json *want)
{
    bool list = json_type(want) == JSON_ARRAY;
    if (!reached(j, want))
        return;
    for (const struct json *line = list ? json_first(want) : want; line;
         line = list ? json_next(line) : NULL) {
        struct gw_str rest = gw_buf_str(&j->e->key), have;
        bool found = false;
        while (!found && gw_str_next(&rest, '\n', &have))
            found = have.len && gw_str_eq(have, json_str(line));
        if (!found)
            fail(j, line, "the cache key has no such line; it is\n%.*s",
                 GW_STR_ARG(gw_buf_str(&j->e->key)));
    }
}

/* Numbers, texts and lists must be equal; an object may have more members than are wanted, which
 * the edge added or the test does not care about. */
static bool holds(const struct json *want, const struct json *have)
{
    if (!have || json_type(want) != json_type(have))
        return false;
    switch (json_type(want)) {
    case JSON_NULL:
        return true;
    case JSON_BOOL:
        return json_bool(want) == json_bool(have);
    case JSON_NUMBER:
        return !(json_number(want) < json_number(have)) && !(json_number(want) > json_number(have));
    case JSON_STRING:
        return gw_str_eq(json_str(want), json_str(have));
    case JSON_ARRAY: {
        const struct json *item = json_first(have);
        for (const struct json *w = json_first(want); w; w = json_next(w)) {
            if (!holds(w, item))
                return false;
            item = json_next(item);
        }
        return !item;
    }
    case JSON_OBJECT:
        for (const struct json *w = json_first(want); w; w = json_next(w)) {
            struct gw_str key = json_key(w);
            const struct json *h = json_first(have);
            while (h && !gw_str_eq(json_key(h), key))
                h = json_next(h);
            if (!holds(w, h))
                return false;
        }
        return true;
    }
    return false;
}

static bool is_setting(struct gw_str name)
{
    for (unsigned key = 0; key < CACHE_SETTING_COUNT; key++)
        if (gw_str_eq(name, gw_str_z(cache_setting_name((enum cache_setting)key))))
            return true;
    return false;
}

static void judge_setting(const struct rule_tests_judge *j, const struct json *want)
{
    const struct explain_setting *have = explain_setting_of(j->e, json_key(want));
    if (!is_setting(json_key(want))) {
        fail(j, want, "there is no cache setting of this name");
        return;
    }
    if (json_type(want) == JSON_NULL ? !have : have && holds(want, have->value))
        return;
    if (!have) {
        fail(j, want, "no rule that matched sets it");
        return;
    }
    struct gw_buf value, rule;
    gw_buf_init(&value, FOUND_MAX);
    gw_buf_init(&rule, FOUND_MAX);
    if (have->value)
        json_write(have->value, &value);
    explain_rule_name(have->rule, &rule);
    fail(j, want, "it is %.*s, from rule %.*s", GW_STR_ARG(gw_buf_str(&value)),
         GW_STR_ARG(gw_buf_str(&rule)));
    gw_buf_release(&value);
    gw_buf_release(&rule);
}

static void expect_settings(const struct rule_tests_judge *j, const struct json *want)
{
    if (json_type(want) != JSON_OBJECT)
        fail(j, want, "\"settings\" is an object: cache settings by name, null for none");
    else if (reached(j, want))
        for (const struct json *setting = json_first(want); setting; setting = json_next(setting))
            judge_setting(j, setting);
}

/* ---- limiter, and the end of it ---- */

static void expect_limiter(const struct rule_tests_judge *j, const struct json *want)
{
    const struct limiter *have = j->e->limit.limiter;
    struct gw_str name = json_type(want) == JSON_NULL ? GW_STR_EMPTY : json_str(want);
    if (!reached(j, want) || gw_str_eq(name, have ? have->name : GW_STR_EMPTY))
        return;
    if (have)
        fail(j, want, "it is counted by \"%.*s\", by its route %.*s", GW_STR_ARG(have->name),
             GW_STR_ARG(j->e->limit.route->path));
    else
        fail(j, want, "no limiter counts it: %s",
             j->e->limit.route ? "its route is exempt" : "no route fits");
}

static void expect_limiter_key(const struct rule_tests_judge *j, const struct json *want)
{
    if (reached(j, want) && !gw_str_eq(json_str(want), j->e->limit.key))
        fail(j, want, "the limiter's key is \"%.*s\"", GW_STR_ARG(j->e->limit.key));
}

/* Of a request that the edge refuses before any rule. */
static void expect_refused(const struct rule_tests_judge *j, const struct json *want)
{
    int64_t status;
    if (json_int(want, 0, 999, &status) && status == j->e->refused)
        return;
    if (j->e->refused)
        fail(j, want, "it is refused with %u: %s", j->e->refused, j->e->refusal);
    else
        fail(j, want, "it is not refused");
}

static const struct {
    const char *name;
    expect_function *judge;
} expectations[] = {
    {"rules", expect_rules},             /* these match; others may */
    {"not_rules", expect_not_rules},     /* these do not */
    {"only_rules", expect_only_rules},   /* these match and no others */
    {"cache", expect_cache},             /* eligible, bypass (a rule says so), dynamic */
    {"settings", expect_settings},       /* what the rules set together; null: nothing */
    {"key", expect_key},                 /* a line of the cache key, or several */
    {"limiter", expect_limiter},         /* its name; null: none */
    {"limiter_key", expect_limiter_key}, /* what it counts by */
    {"refused", expect_refused},         /* the status */
};

void rule_tests_expect(const struct rule_tests_judge *j, const struct json *expect)
{
    const char *names[GW_COUNT(expectations) + 1] = {NULL};
    for (size_t i = 0; i < GW_COUNT(expectations); i++)
        names[i] = expectations[i].name;
    json_unknown_keys(j->t->doc, expect, names, &j->t->failures);
    for (size_t i = 0; i < GW_COUNT(expectations); i++) {
        const struct json *want = json_get(expect, expectations[i].name);
        if (want)
            expectations[i].judge(j, want);
    }
    if (!json_first(expect))
        fail(j, expect, "nothing is expected: the case tests nothing");
}
