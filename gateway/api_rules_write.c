/* SPDX-License-Identifier: Apache-2.0 */
/* Writing one rule of a ruleset: the answer is the whole ruleset after the change
 * (spec/api-v4.md fact 7, section 3.5). */
#include "gateway/api_draft.h"
#include "gateway/api_rulesets.h"

struct rule_write {
    const struct api_ruleset *ruleset;
    struct api_draft draft;
    size_t index; /* of the rule in the path */
};

/* False after an answer. POST names no rule. */
static bool begin(struct api_write *w, struct rule_write *out)
{
    const struct api_ruleset_path path = api_ruleset_path(w->call.path);
    out->ruleset = api_ruleset_at(&w->call, w->zone->documents, &path);
    if (!out->ruleset)
        return false;
    api_draft_init(&out->draft, &w->arena, api_newest(out->ruleset), w->now.date_ms, &w->problems);
    out->index = path.rule.len ? api_draft_find(&out->draft, path.rule) : 0;
    if (out->index != GW_NPOS)
        return true;
    admin_v4_fail(&w->call, 404, 0, "could not find rule");
    return false;
}

/* Problems of the rule itself point into the body, which is that rule. */
static bool finish(struct api_write *w, const struct rule_write *rule, bool drafted)
{
    if (!drafted) {
        api_fail_problems(&w->call, 400, &w->problems);
        return false;
    }
    char own[32];
    int len = snprintf(own, sizeof(own), "/rules/%zu", rule->index);
    w->problems.strip = gw_str(own, (size_t)len);
    const struct api_version *current = api_newest(rule->ruleset);
    const struct api_version next = {.number = current->number + 1,
                                     .last_updated = rule->draft.last_updated,
                                     .description = current->description,
                                     .rules = rule->draft.rules,
                                     .count = rule->draft.count};
    bool done = api_commit(w, rule->ruleset, &next);
    w->problems.strip = GW_STR_EMPTY;
    return done;
}

static bool add(struct api_write *w)
{
    struct rule_write rule;
    return begin(w, &rule) &&
           finish(w, &rule, api_draft_add(&rule.draft, json_root(w->body), &rule.index));
}

static bool edit(struct api_write *w)
{
    struct rule_write rule;
    return begin(w, &rule) &&
           finish(w, &rule, api_draft_change(&rule.draft, json_root(w->body), &rule.index));
}

static bool drop(struct api_write *w)
{
    struct rule_write rule;
    if (!begin(w, &rule))
        return false;
    api_draft_remove(&rule.draft, rule.index);
    return finish(w, &rule, true);
}

enum admin_result api_rule_post(struct admin_call *call)
{
    return api_write_start(call, API_BODY_OBJECT, add);
}

enum admin_result api_rule_patch(struct admin_call *call)
{
    return api_write_start(call, API_BODY_OBJECT, edit);
}

enum admin_result api_rule_delete(struct admin_call *call)
{
    return api_write_start(call, API_BODY_NONE, drop);
}
