/* SPDX-License-Identifier: Apache-2.0 */
/* Answers cached by URL although the rule itself asks who is asking: a session cookie,
 * Authorization, or several values of a header (spec/cache-behaviour.md sections 2.14, 4.4 and
 * 10.1). Only what a condition wants to be there counts; "not" turns it round. */
#include "config/rules/functions.h"
#include "config/rules/lint_parts.h"

#define VALUES_MAX 16

enum what { NOTHING, SECRET, VALUES };

/* An equality, and the "and" that it is a part of. */
struct sight {
    const struct logic *at, *chain;
};

struct search {
    struct relate *relate;
    enum what what;
    struct lint_item item;
    const struct logic *at;
    const struct logic *chain;     /* that is being walked; NULL: none */
    struct sight seen[VALUES_MAX]; /* to find a second value of one item */
    size_t seen_count;
};

static const struct rules_field *cookies(void)
{
    return rules_field_find(GW_STR("http.request.cookies"));
}

/* ---- names ---- */

static bool is_letter(char c)
{
    return gw_lower(c) >= 'a' && gw_lower(c) <= 'z';
}

/* "hub_sid", "__Host-session", "auth_token", "wordpress_logged_in": one word of the name says that
 * it holds a login. */
static bool is_session(struct gw_str name)
{
    static const char *const words[] = {"session",    "sessionid", "sessid", "phpsessid",
                                        "jsessionid", "sess",      "sid",    "auth",
                                        "token",      "jwt",       "login",  "logged"};
    for (size_t at = 0; at < name.len;) {
        size_t end = at;
        while (end < name.len && is_letter(name.ptr[end]))
            end++;
        struct gw_str word = gw_str(name.ptr + at, end - at);
        for (size_t i = 0; i < GW_COUNT(words); i++)
            if (gw_str_ieq(word, gw_str_z(words[i])))
                return true;
        at = end + 1;
    }
    return false;
}

static bool is_secret(const struct lint_item *item)
{
    if (item->field->at == RULES_COOKIES)
        return is_session(item->key);
    return item->field->at == RULES_HEADERS && gw_str_eq(item->key, GW_STR("authorization"));
}

/* ---- what a condition wants ---- */

static void find(struct search *s, enum what what, const struct lint_item *item,
                 const struct logic *l)
{
    if (s->what != NOTHING)
        return;
    s->what = what;
    s->item = *item;
    s->at = l;
}

/* "name=" and "name" ask for the cookie, "name=value" for one value. */
static void see_cookie_line(struct search *s, const struct logic *l)
{
    const struct compare *c = l->compare;
    if (c->op != COMPARE_CONTAINS)
        return;
    size_t equals = gw_str_chr(c->right.s, '=');
    struct lint_item item = {cookies(), gw_str_first(c->right.s, equals)};
    if ((equals == GW_NPOS || equals + 1 == c->right.s.len) && is_session(item.key))
        find(s, SECRET, &item, l);
}

/* Whether two values are asked for under conditions that exclude each other whatever the values
 * are, such as different paths: then they never share an answer. */
static bool are_apart(struct search *s, const struct sight *a, const struct sight *b)
{
    if (!a->chain || !b->chain)
        return false;
    for (size_t i = 0; i < a->chain->count; i++)
        for (size_t k = 0; k < b->chain->count; k++)
            if (a->chain->items[i] != a->at && b->chain->items[k] != b->at &&
                relate_excludes(s->relate, a->chain->items[i], b->chain->items[k]))
                return true;
    return false;
}

static void see_equality(struct search *s, const struct compare *c, const struct lint_item *item,
                         const struct logic *l)
{
    const struct sight sight = {l, s->chain};
    for (size_t i = 0; i < s->seen_count; i++) {
        const struct compare *other = s->seen[i].at->compare;
        if (relate_same_access(other->left, c->left) && !gw_str_eq(other->right.s, c->right.s) &&
            !are_apart(s, &s->seen[i], &sight))
            find(s, VALUES, item, l);
    }
    if (s->seen_count < VALUES_MAX)
        s->seen[s->seen_count++] = sight;
}

static void see_item(struct search *s, const struct compare *c, const struct lint_item *item,
                     const struct logic *l)
{
    bool several = c->op == COMPARE_IN && c->set_count > 1;
    if (item->field->at != RULES_COOKIES && item->field->at != RULES_HEADERS)
        return;
    bool open = (c->op == COMPARE_NE && !c->right.s.len) || c->op == COMPARE_STARTS;
    if (open && is_secret(item))
        find(s, SECRET, item, l);
    if (several)
        find(s, VALUES, item, l);
    if (c->op == COMPARE_EQ && l->compare == c)
        see_equality(s, c, item, l);
}

/* has_key(map, "k") and len(map["k"]) >= 0. */
static void see_call(struct search *s, const struct compare *c, const struct logic *l)
{
    const struct call *call = c->left->call;
    struct lint_item item = {0};
    if (!call || !call->count || call->args[0].kind != ARG_ACCESS)
        return;
    const struct access *first = call->args[0].access;
    struct gw_str name = gw_str_z(call->function->name);
    bool len = gw_str_eq(name, GW_STR("len")) && lint_item_of(first, &item) &&
               (c->op == COMPARE_GE || c->op == COMPARE_GT);
    bool has = gw_str_eq(name, GW_STR("has_key")) && call->args[1].kind == ARG_LITERAL &&
               first->field && !first->index_count;
    if (has)
        item = (struct lint_item){first->field, call->args[1].literal.s};
    if ((len || has) && item.field->source == FIELD_DERIVED && is_secret(&item))
        find(s, SECRET, &item, l);
}

/* any(map["k"][*] ne ""): what any item wants, the whole does. */
static const struct compare *inside_any(const struct compare *c)
{
    const struct call *call = c->left->call;
    if (!call || !gw_str_eq(gw_str_z(call->function->name), GW_STR("any")) ||
        call->args[0].kind != ARG_LOGIC || !logic_is_compare(call->args[0].logic->kind))
        return c;
    return call->args[0].logic->compare;
}

static void see(struct search *s, const struct logic *l)
{
    const struct compare *c = inside_any(l->compare);
    struct lint_item item;
    if (c->left->field && c->left->field->source == FIELD_DERIVED && !c->left->index_count &&
        c->left->field->at == RULES_COOKIE_LINE)
        see_cookie_line(s, l);
    else if (lint_item_of(c->left, &item) && c->base == RULES_BYTES && !c->right_access)
        see_item(s, c, &item, l);
    else
        see_call(s, c, l);
}

static void walk(struct search *s, const struct logic *l, bool wanted);

static void walk_items(struct search *s, const struct logic *l, bool wanted)
{
    const struct logic *outside = s->chain;
    if (l->kind == LOGIC_AND && wanted)
        s->chain = l;
    for (size_t i = 0; i < l->count; i++)
        walk(s, l->items[i], wanted);
    s->chain = outside;
}

static void walk(struct search *s, const struct logic *l, bool wanted)
{
    switch ((enum logic_kind)l->kind) {
    case LOGIC_AND:
    case LOGIC_OR:
        walk_items(s, l, wanted);
        return;
    case LOGIC_NOT:
        walk(s, l->inner, !wanted);
        return;
    case LOGIC_XOR:
        return;
    case LOGIC_COMPARE:
    case LOGIC_TEXT_EQ:
    case LOGIC_TEXT_STARTS:
        if (wanted)
            see(s, l);
        return;
    }
}

/* ---- what else the ruleset does about it ---- */

static bool has(const struct cache_names *names, struct gw_str name)
{
    for (size_t i = 0; i < names->count; i++)
        if (gw_str_ieq(names->items[i], name))
            return true;
    return false;
}

/* Part of every key (section 2.14), handled by the edge, or told by the browser about the URL. */
static bool is_harmless(struct gw_str header)
{
    static const char *const names[] = {
        "origin",
        "x-http-method-override",
        "x-http-method",
        "x-method-override",
        "x-forwarded-host",
        "x-host",
        "x-original-url",
        "x-forwarded-scheme",
        "x-rewrite-url",
        "forwarded",
        "host",
        "accept-encoding",
        "content-type",
        "x-requested-with",
        "cookie",
        "x-forwarded-proto",
    };
    if (gw_str_starts(header, GW_STR("sec-")) || gw_str_starts(header, GW_STR("cf-")))
        return true;
    for (size_t i = 0; i < GW_COUNT(names); i++)
        if (gw_str_eq(header, gw_str_z(names[i])))
            return true;
    return false;
}

static bool is_keyed(const struct cache_custom_key *key, const struct lint_item *item)
{
    if (!key)
        return false;
    if (item->field->at == RULES_COOKIES)
        return has(&key->cookie_include, item->key) || has(&key->cookie_presence, item->key);
    for (size_t i = 0; i < key->header_contains_count; i++)
        if (gw_str_eq(key->header_contains[i].name, item->key))
            return true;
    return has(&key->header_include, item->key) || has(&key->header_presence, item->key) ||
           key->user_lang || key->user_device_type || key->user_geo;
}

/* Whatever another rule may do about this header or cookie excuses this one: which of them match
 * together is not known. */
static bool is_excused(struct lint_set *set, size_t index, const struct lint_item *item)
{
    for (size_t i = 0; i < set->count; i++) {
        const struct rule *rule = &set->rules[i];
        const struct cache_settings *s = rule->settings;
        if (!rule->enabled || !s || !rule->expr)
            continue;
        if (cache_settings_has(s, CACHE_SETTING_VARY) ||
            (cache_settings_has(s, CACHE_SETTING_CACHE_KEY) && is_keyed(s->key.custom, item)))
            return true;
        bool off = cache_settings_has(s, CACHE_SETTING_CACHE) && !s->cache && i > index;
        if (off && (gw_str_find(rule->expression, item->key) != GW_NPOS ||
                    relate_implies(&set->relate, set->rules[index].expr->root, rule->expr->root)))
            return true;
    }
    return false;
}

/* Headers with too many values may not be in a key as they are (section 4.4). */
static bool is_many_valued(struct gw_str header)
{
    return gw_str_eq(header, GW_STR("referer")) || gw_str_eq(header, GW_STR("user-agent")) ||
           gw_str_starts(header, GW_STR("accept"));
}

static void tell_search(const struct search *s, struct gw_buf *out)
{
    const char *noun = lint_item_noun(&s->item);
    bool cookie = s->item.field->at == RULES_COOKIES;
    gw_buf_printf(out, "this rule caches answers to %s the %s ",
                  s->what == SECRET ? "requests that have" : "several values of", noun);
    gw_buf_json(out, gw_str_first(s->item.key, 60));
    gw_buf_add(out, s->what == SECRET
                        ? GW_STR(", which is not in the cache key: one visitor gets another's "
                                 "page; write \"cache\": false, or add ")
                        : GW_STR(", which is not in the cache key: all get the first one's "
                                 "answer; add "));
    bool contains = !cookie && is_many_valued(s->item.key);
    gw_buf_printf(out, "cache_key.custom_key.%s.%s: ", noun, contains ? "contains" : "include");
    gw_buf_add(out, contains ? GW_STR("{") : GW_STR("["));
    gw_buf_json(out, gw_str_first(s->item.key, 60));
    gw_buf_add(out, contains ? GW_STR(": […]}") : GW_STR("]"));
}

bool lint_unkeyed(struct lint_set *set, size_t index, const struct logic **l, struct gw_buf *out)
{
    const struct rule *rule = &set->rules[index];
    struct search s = {.relate = &set->relate};
    if (!rule->settings || !cache_settings_has(rule->settings, CACHE_SETTING_CACHE) ||
        !rule->settings->cache)
        return false;
    walk(&s, rule->expr->root, true);
    if (s.what == NOTHING)
        return false;
    if ((s.item.field->at == RULES_HEADERS && is_harmless(s.item.key)) ||
        is_excused(set, index, &s.item))
        return false;
    tell_search(&s, out);
    *l = s.at;
    return true;
}
