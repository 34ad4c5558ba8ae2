/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/api_rule.h"

#define X(id, name) [API_RULE_##id] = name,
static const char *const member_names[API_RULE_MEMBER_COUNT] = {API_RULE_MEMBERS(X)};
#undef X

/* ---- reading ---- */

static bool is_null(const struct json *v)
{
    return !v || json_type(v) == JSON_NULL;
}

/* Like json_write, but members that are null are left out. Depth is bounded by the parser. */
static void write_present(const struct json *v, struct gw_buf *out)
{
    bool object = json_type(v) == JSON_OBJECT;
    if (!object && json_type(v) != JSON_ARRAY) {
        json_write(v, out);
        return;
    }
    const char *separator = "";
    gw_buf_char(out, object ? '{' : '[');
    for (const struct json *child = json_first(v); child; child = json_next(child)) {
        if (object && is_null(child))
            continue;
        gw_buf_add(out, gw_str_z(separator));
        separator = ",";
        if (object) {
            gw_buf_json(out, json_key(child));
            gw_buf_char(out, ':');
        }
        write_present(child, out);
    }
    gw_buf_char(out, object ? '}' : ']');
}

/* The two defaults seen on the real API (spec/api-v4.md section 3.3, http_ratelimit). */
static void add_ratelimit_defaults(const struct json *ratelimit, struct gw_buf *out)
{
    static const char *const defaults[][2] = {{"mitigation_timeout", "0"},
                                              {"requests_to_origin", "false"}};
    for (size_t i = 0; i < GW_COUNT(defaults); i++) {
        if (!is_null(json_get(ratelimit, defaults[i][0])))
            continue;
        out->len--; /* back into the object */
        if (out->data[out->len - 1] != '{')
            gw_buf_char(out, ',');
        gw_buf_printf(out, "\"%s\":%s}", defaults[i][0], defaults[i][1]);
    }
}

static struct gw_str default_of(enum api_rule_member member, const struct json *rule)
{
    bool skips = gw_str_eq(json_str(json_get(rule, "action")), GW_STR("skip"));
    if (member == API_RULE_ENABLED)
        return GW_STR("true");
    if (member == API_RULE_LOGGING && skips)
        return GW_STR("{\"enabled\":true}");
    return GW_STR_EMPTY;
}

bool api_definition_read(const struct json *rule, struct gw_arena *arena,
                         struct api_definition *out)
{
    struct gw_buf text;
    gw_buf_init(&text, API_RULE_MAX);
    bool fits = true;
    for (size_t i = 0; i < API_RULE_MEMBER_COUNT; i++) {
        const struct json *v = json_get(rule, member_names[i]);
        if (is_null(v)) {
            out->text[i] = default_of((enum api_rule_member)i, rule);
            continue;
        }
        gw_buf_clear(&text);
        write_present(v, &text);
        if (i == API_RULE_RATELIMIT && json_type(v) == JSON_OBJECT)
            add_ratelimit_defaults(v, &text);
        fits = fits && !text.overflow;
        out->text[i] = gw_arena_dup(arena, gw_buf_str(&text));
    }
    gw_buf_release(&text);
    return fits;
}

bool api_definition_is_in(const struct json *rule)
{
    for (size_t i = 0; i < API_RULE_MEMBER_COUNT; i++)
        if (!is_null(json_get(rule, member_names[i])))
            return true;
    return false;
}

bool api_definition_eq(const struct api_definition *a, const struct api_definition *b)
{
    for (size_t i = 0; i < API_RULE_MEMBER_COUNT; i++)
        if (!gw_str_eq(a->text[i], b->text[i]))
            return false;
    return true;
}

struct api_rule api_rule_copy(const struct api_rule *rule, struct gw_arena *arena)
{
    struct api_rule copy = {.id = gw_arena_dup(arena, rule->id),
                            .ref = gw_arena_dup(arena, rule->ref),
                            .last_updated = gw_arena_dup(arena, rule->last_updated),
                            .version = rule->version};
    for (size_t i = 0; i < API_RULE_MEMBER_COUNT; i++)
        copy.definition.text[i] = gw_arena_dup(arena, rule->definition.text[i]);
    return copy;
}

/* ---- writing ---- */

static void write_members(const struct api_rule *rule, size_t from, size_t to, struct gw_buf *out)
{
    for (size_t i = from; i < to; i++) {
        if (!rule->definition.text[i].len)
            continue;
        if (out->data[out->len - 1] != '{')
            gw_buf_char(out, ',');
        gw_buf_json(out, gw_str_z(member_names[i]));
        gw_buf_char(out, ':');
        gw_buf_add(out, rule->definition.text[i]);
    }
}

void api_rule_write(const struct api_rule *rule, struct gw_buf *out)
{
    char digits[20];
    gw_buf_char(out, '{');
    write_members(rule, 0, API_RULE_LOGGING, out);
    api_member(out, "id", rule->id);
    api_member(out, "last_updated", rule->last_updated);
    write_members(rule, API_RULE_LOGGING, API_RULE_MEMBER_COUNT, out);
    api_member(out, "ref", rule->ref);
    api_member(out, "version", gw_str(digits, gw_u64_digits(digits, rule->version)));
    gw_buf_char(out, '}');
}
