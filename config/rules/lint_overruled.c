/* SPDX-License-Identifier: Apache-2.0 */
/* Rules that do nothing: per setting, and per directive of a Cache Response Rule, the last matching
 * rule wins (spec/cache-behaviour.md sections 4.1 and 6). */
#include "config/rules/lint_parts.h"

#define NAMED_MAX 3

/* What a rule does, a bit each: settings, or directives, or tags. */
static uint32_t effects_of(const struct rule *rule)
{
    uint32_t bits = 0;
    if (rule->settings)
        return rule->settings->present;
    if (!rule->response)
        return 0;
    if (rule->response->tags)
        return 1;
    for (size_t i = 0; i < CACHE_DIRECTIVE_COUNT; i++)
        bits |= (uint32_t)rule->response->control[i].given << i;
    return bits;
}

/* What of it a later rule replaces, if that matches too. */
static uint32_t replaced_by(const struct rule *rule, const struct rule *later)
{
    uint32_t bits = 0;
    if (rule->settings || later->settings)
        return rule->settings && later->settings ? later->settings->present : 0;
    const struct cache_response_action *a = rule->response, *b = later->response;
    if (!a || !b || a->tags || b->tags)
        return a && b && a->tags && b->tags && b->tags->operation == CACHE_TAGS_SET;
    /* A change for the edge alone leaves the clients' view, and the other way round it moves it. */
    for (size_t i = 0; i < CACHE_DIRECTIVE_COUNT; i++)
        bits |= (uint32_t)(b->control[i].given &&
                           a->control[i].cloudflare_only == b->control[i].cloudflare_only)
                << i;
    return bits;
}

static void write_names(struct gw_buf *out, const struct rule *const *rules, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        gw_buf_printf(out, "%srule %u",
                      i == 0          ? ""
                      : i + 1 < count ? ", "
                                      : " and ",
                      rules[i]->index + 1u);
        if (rules[i]->description.len)
            gw_buf_printf(out, " (\"%.*s\")", GW_STR_ARG(gw_str_first(rules[i]->description, 60)));
    }
}

bool lint_overruled(struct lint_set *set, size_t index, struct gw_buf *out)
{
    const struct rule *rule = &set->rules[index], *named[NAMED_MAX];
    uint32_t left = effects_of(rule);
    size_t count = 0;
    if (!left)
        return false;
    /* From the end: the last rule is the one that wins. */
    for (size_t i = set->count; left && i-- > index + 1;) {
        const struct rule *later = &set->rules[i];
        uint32_t replaced = later->enabled && later->expr ? replaced_by(rule, later) & left : 0;
        if (!replaced || count == NAMED_MAX ||
            !relate_implies(&set->relate, rule->expr->root, later->expr->root))
            continue;
        left &= ~replaced;
        named[count++] = later;
    }
    if (left)
        return false;
    gw_buf_add(out, GW_STR("this rule has no effect: whenever it matches, "));
    write_names(out, named, count);
    gw_buf_printf(out, " below %s too and override%s all it sets: move it behind, or delete it",
                  count == 1 ? "matches" : "match", count == 1 ? "s" : "");
    return true;
}
