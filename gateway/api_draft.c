/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/api_draft.h"

#define IDENTITY_MAX 1024

static const char *const rule_members[] = {
    "action",       "action_parameters",
    "categories",   "description",
    "enabled",      "expression",
    "id",           "logging",
    "last_updated", "exposed_credential_check",
    "ratelimit",    "ref",
    "version",      NULL,
};
static const char *const single_rule_members[] = {
    "action",       "action_parameters",
    "categories",   "description",
    "enabled",      "expression",
    "id",           "logging",
    "last_updated", "exposed_credential_check",
    "ratelimit",    "ref",
    "version",      "position",
    NULL,
};

/* A rule as it was sent; texts that were not sent are empty. */
struct sent {
    struct gw_str id, ref;
    struct api_definition definition;
};

void api_draft_init(struct api_draft *d, struct gw_arena *arena, const struct api_version *current,
                    uint64_t date_ms, struct api_problems *problems)
{
    char *now = gw_arena_alloc(arena, API_TIME_LEN);
    api_time(date_ms, now);
    size_t count = current ? current->count : 0;
    *d = (struct api_draft){.arena = arena,
                            .problems = problems,
                            .last_updated = gw_str(now, API_TIME_LEN),
                            .count = count};
    d->rules = gw_arena_alloc(arena, (count + 1) * sizeof(*d->rules)); /* room for one more */
    for (size_t i = 0; i < count; i++)
        d->rules[i] = current->rules[i];
}

static size_t find_by(const struct api_draft *d, struct gw_str text, size_t member)
{
    for (size_t i = 0; text.len && i < d->count; i++)
        if (gw_str_eq(*(const struct gw_str *)((const char *)&d->rules[i] + member), text))
            return i;
    return GW_NPOS;
}

size_t api_draft_find(const struct api_draft *d, struct gw_str id)
{
    return find_by(d, id, offsetof(struct api_rule, id));
}

/* ---- one rule as sent ---- */

static bool refuse_member(struct api_draft *d, struct gw_str pointer, const char *name,
                          struct gw_str value, const char *why)
{
    char space[300];
    struct gw_buf at = gw_buf_over(space, sizeof(space));
    gw_buf_printf(&at, "%.*s/%s", GW_STR_ARG(pointer), name);
    api_problem(d->problems, 0, gw_buf_str(&at), "'%.*s' is not a valid value for %s because %s",
                (int)gw_min_size(value.len, 100), value.ptr ? value.ptr : "", name, why);
    return false;
}

/* An identity: absent, null, or a string that is not empty. */
static bool read_identity(struct api_draft *d, const struct json *rule, const char *name,
                          struct gw_str pointer, struct gw_str *out)
{
    const struct json *v = json_get(rule, name);
    *out = GW_STR_EMPTY;
    if (!v || json_type(v) == JSON_NULL)
        return true;
    *out = json_str(v);
    return (out->len > 0 && out->len <= IDENTITY_MAX) ||
           refuse_member(d, pointer, name, *out, "it must be a string of 1 to 1024 bytes");
}

static bool read_sent(struct api_draft *d, const struct json *rule, struct gw_str pointer,
                      const char *const *known, struct sent *out)
{
    if (json_type(rule) != JSON_OBJECT) {
        api_problem(d->problems, 0, pointer, "invalid JSON: a rule is an object");
        return false;
    }
    if (!api_known_members(d->problems, rule, pointer, known) ||
        !read_identity(d, rule, "id", pointer, &out->id) ||
        !read_identity(d, rule, "ref", pointer, &out->ref))
        return false;
    if (api_definition_read(rule, d->arena, &out->definition))
        return true;
    api_problem(d->problems, 0, pointer, "a member of the rule exceeds the maximum of %zu bytes",
                API_RULE_MAX);
    return false;
}

static bool new_rule(struct api_draft *d, const struct sent *sent, struct gw_str pointer,
                     struct api_rule *out)
{
    struct gw_str id = sent->id;
    if (id.len && !api_is_id(id))
        return refuse_member(d, pointer, "id", id, "it is not an identifier");
    if (!id.len) {
        char *fresh = gw_arena_alloc(d->arena, API_ID_LEN);
        api_new_id(fresh);
        id = gw_str(fresh, API_ID_LEN);
    }
    *out = (struct api_rule){.id = id,
                             .ref = sent->ref.len ? sent->ref : id,
                             .last_updated = d->last_updated,
                             .version = 1,
                             .definition = sent->definition};
    return true;
}

/* The rule `old` with what was sent for it. */
static struct api_rule next_of(const struct api_draft *d, const struct api_rule *old,
                               const struct sent *sent)
{
    struct api_rule next = *old;
    next.definition = sent->definition;
    if (sent->ref.len)
        next.ref = sent->ref;
    if (api_definition_eq(&old->definition, &next.definition) && gw_str_eq(old->ref, next.ref))
        return next;
    next.version++;
    next.last_updated = d->last_updated;
    return next;
}

/* ---- all rules ---- */

/* By id, else by ref: an export of another zone finds the rules of the same refs here. */
static bool place_sent(struct api_draft *d, const struct sent *sent, struct gw_str pointer,
                       struct api_rule *out)
{
    size_t old = api_draft_find(d, sent->id);
    if (old == GW_NPOS)
        old = find_by(d, sent->ref, offsetof(struct api_rule, ref));
    if (old == GW_NPOS)
        return new_rule(d, sent, pointer, out);
    *out = next_of(d, &d->rules[old], sent);
    return true;
}

bool api_draft_replace(struct api_draft *d, const struct json *rules)
{
    size_t count = json_count(rules), filled = 0, before = d->problems->count;
    if (json_type(rules) != JSON_ARRAY || count > RULESET_RULES_MAX) {
        api_problem(d->problems, 0, GW_STR("/rules"),
                    "\"rules\" must be a list of at most %d rules", RULESET_RULES_MAX);
        return false;
    }
    struct api_rule *next = gw_arena_zalloc(d->arena, (count + 1) * sizeof(*next));
    for (const struct json *v = json_first(rules); v; v = json_next(v), filled++) {
        char at[32];
        struct sent sent;
        int len = snprintf(at, sizeof(at), "/rules/%zu", filled);
        struct gw_str pointer = gw_str(at, (size_t)len);
        if (read_sent(d, v, pointer, rule_members, &sent) &&
            !place_sent(d, &sent, pointer, &next[filled]))
            return false;
    }
    d->rules = next;
    d->count = count;
    return d->problems->count == before;
}

/* ---- one rule ---- */

static void insert(struct api_draft *d, size_t at, struct api_rule rule)
{
    for (size_t i = d->count; i > at; i--)
        d->rules[i] = d->rules[i - 1];
    d->rules[at] = rule;
    d->count++;
}

void api_draft_remove(struct api_draft *d, size_t index)
{
    d->count--;
    for (size_t i = index; i < d->count; i++)
        d->rules[i] = d->rules[i + 1];
}

static bool refuse_position(struct api_draft *d, const char *why)
{
    api_problem(d->problems, 0, GW_STR("/position"), "the position is not valid because %s", why);
    return false;
}

/* "before" or "after" a rule; "" is the end that the word names. */
static bool relative_position(struct api_draft *d, const struct json *id, bool after, size_t *at)
{
    if (json_type(id) != JSON_STRING)
        return refuse_position(d, "a rule is named by its id");
    if (json_str(id).len == 0) {
        *at = after ? d->count : 0;
        return true;
    }
    size_t found = api_draft_find(d, json_str(id));
    if (found == GW_NPOS)
        return refuse_position(d, "it could not find the other rule");
    *at = found + after;
    return true;
}

/* Where the rule goes in a list that does not hold it. No position: *at stays. */
static bool read_position(struct api_draft *d, const struct json *rule, size_t *at)
{
    static const char *const known[] = {"before", "after", "index", NULL};
    const struct json *position = json_get(rule, "position");
    if (!position || json_type(position) == JSON_NULL)
        return true;
    const struct json *before = json_get(position, "before");
    const struct json *after = json_get(position, "after");
    const struct json *index = json_get(position, "index");
    if (!api_known_members(d->problems, position, GW_STR("/position"), known))
        return false;
    if (!before + !after + !index != 2)
        return refuse_position(d, "it must hold one of before, after and index");
    if (!index)
        return relative_position(d, before ? before : after, after != NULL, at);
    int64_t place;
    if (json_type(index) != JSON_NUMBER || !json_int(index, 1, (int64_t)d->count + 1, &place))
        return refuse_position(d, "the index is outside the list");
    *at = (size_t)place - 1;
    return true;
}

bool api_draft_add(struct api_draft *d, const struct json *rule, size_t *index)
{
    struct sent sent;
    struct api_rule added;
    *index = d->count;
    if (!read_sent(d, rule, GW_STR_EMPTY, single_rule_members, &sent) ||
        !read_position(d, rule, index) || !new_rule(d, &sent, GW_STR_EMPTY, &added))
        return false;
    insert(d, *index, added);
    return true;
}

bool api_draft_change(struct api_draft *d, const struct json *rule, size_t *index)
{
    struct sent sent;
    struct api_rule changed = d->rules[*index];
    if (!read_sent(d, rule, GW_STR_EMPTY, single_rule_members, &sent))
        return false;
    if (sent.id.len && !gw_str_eq(sent.id, changed.id))
        return refuse_member(d, GW_STR_EMPTY, "id", sent.id, "it cannot be changed");
    /* A body with nothing in it replaces the definition by nothing, which then is refused. */
    if (api_definition_is_in(rule) || !json_get(rule, "position"))
        changed = next_of(d, &changed, &sent);
    api_draft_remove(d, *index);
    if (!read_position(d, rule, index))
        return false;
    insert(d, *index, changed);
    return true;
}
