/* SPDX-License-Identifier: Apache-2.0 */
/* The parameters of set_cache_control and set_cache_tags (spec/cache-behaviour.md section 6). */
#include "config/rules/rule_read.h"
#include "config/rules/settings_read.h"

#define FIELDS_MAX   50
#define TAGS_MAX     1000
#define TAG_SIZE_MAX 1024

const struct cache_directive_info cache_directives[] = {
#define X(id, name, argument) {{name, sizeof(name) - 1}, CACHE_ARGUMENT_##argument},
    CACHE_DIRECTIVES(X)
#undef X
};

static struct settings_reader settings_reader_of(struct rule_reader *reader)
{
    return (struct settings_reader){.report = reader->report,
                                    .arena = reader->arena,
                                    .phase = reader->phase,
                                    .plan = reader->report->options->plan};
}

static bool read_operation(struct settings_reader *s, const struct json *object,
                           const char *const *choices, unsigned *out)
{
    const struct json *v = report_member(s->report, object, "operation", JSON_STRING);
    if (v)
        return settings_choice(s, v, "operation", choices, out);
    report_error(s->report, object, REPORT_OTHER, "\"operation\" is required");
    return false;
}

/* ---- set_cache_control ---- */

static bool is_field_name(struct gw_str name)
{
    for (size_t i = 0; i < name.len; i++)
        if (name.ptr[i] <= ' ' || name.ptr[i] > '~' || name.ptr[i] == '"' || name.ptr[i] == ',')
            return false;
    return true;
}

static void read_fields(struct settings_reader *s, const struct json *v,
                        struct cache_directive_change *out)
{
    const struct names_rule rule = {.max = FIELDS_MAX};
    if (!settings_names(s, v, rule, &out->fields))
        return;
    for (size_t i = 0; i < out->fields.count; i++)
        if (!is_field_name(out->fields.items[i]))
            report_error(s->report, v, REPORT_OTHER, "a qualifier is the name of a header");
}

static void read_seconds(struct settings_reader *s, const struct json *object,
                         struct cache_directive_change *out)
{
    int64_t seconds;
    const struct json *v = report_member(s->report, object, "value", JSON_NUMBER);
    if (out->remove)
        return;
    if (v && json_int(v, 0, INT32_MAX, &seconds))
        out->seconds = (uint32_t)seconds;
    else
        report_error(s->report, v ? v : object, REPORT_OTHER,
                     "\"value\" is required, a number of seconds");
}

static void read_directive(struct settings_reader *s, const struct json *v,
                           enum cache_directive_argument argument,
                           struct cache_directive_change *out)
{
    static const char *const plain[] = {"operation", "cloudflare_only", NULL};
    static const char *const seconds[] = {"operation", "cloudflare_only", "value", NULL};
    static const char *const fields[] = {"operation", "cloudflare_only", "qualifiers", NULL};
    static const char *const operations[] = {"set", "remove", NULL};
    static const char *const *const known[] = {[CACHE_ARGUMENT_PLAIN] = plain,
                                               [CACHE_ARGUMENT_SECONDS] = seconds,
                                               [CACHE_ARGUMENT_FIELDS] = fields};
    unsigned operation;
    report_unknown(s->report, v, known[argument]);
    if (!read_operation(s, v, operations, &operation))
        return;
    out->given = true;
    out->remove = operation == 1;
    settings_flag(s, v, "cloudflare_only", &out->cloudflare_only);
    const struct json *list = report_member(s->report, v, "qualifiers", JSON_ARRAY);
    if (argument == CACHE_ARGUMENT_SECONDS)
        read_seconds(s, v, out);
    else if (argument == CACHE_ARGUMENT_FIELDS && list)
        read_fields(s, list, out);
}

static const struct cache_directive_change *read_control(struct settings_reader *s,
                                                         const struct json *params)
{
    const char *known[CACHE_DIRECTIVE_COUNT + 1] = {NULL};
    struct cache_directive_change *changes =
        gw_arena_zalloc(s->arena, CACHE_DIRECTIVE_COUNT * sizeof(*changes));
    size_t given = 0;
    for (size_t i = 0; i < CACHE_DIRECTIVE_COUNT; i++)
        known[i] = cache_directives[i].name.ptr;
    report_unknown(s->report, params, known);
    for (size_t i = 0; i < CACHE_DIRECTIVE_COUNT; i++) {
        const struct json *v = report_member(s->report, params, known[i], JSON_OBJECT);
        if (!v)
            continue;
        size_t back = report_enter(s->report, cache_directives[i].name);
        read_directive(s, v, cache_directives[i].argument, &changes[i]);
        report_leave(s->report, back);
        given++;
    }
    if (!given)
        report_error(s->report, params, REPORT_OTHER, "at least one directive is required");
    return changes;
}

/* ---- set_cache_tags ---- */

static void read_values(struct settings_reader *s, const struct json *v,
                        struct cache_tags_change *out)
{
    const struct names_rule rule = {.max = TAGS_MAX};
    if (!settings_names(s, v, rule, &out->values))
        return;
    for (size_t i = 0; i < out->values.count; i++) {
        struct gw_str tag = out->values.items[i];
        if (tag.len > TAG_SIZE_MAX || !is_field_name(tag))
            report_error(s->report, v, REPORT_OTHER,
                         "a tag is up to %d printable ASCII characters without space and comma",
                         TAG_SIZE_MAX);
    }
}

static const struct cache_tags_change *read_tags(struct rule_reader *reader,
                                                 struct settings_reader *s,
                                                 const struct json *params, struct rule *rule)
{
    static const char *const known[] = {"operation", "values", "expression", NULL};
    static const char *const operations[] = {"add", "remove", "set", NULL};
    struct cache_tags_change *tags = gw_arena_zalloc(s->arena, sizeof(*tags));
    unsigned operation;
    report_unknown(s->report, params, known);
    if (read_operation(s, params, operations, &operation))
        tags->operation = (enum cache_tags_operation)operation;
    const struct json *values = report_member(s->report, params, "values", JSON_ARRAY);
    const struct json *expression = report_member(s->report, params, "expression", JSON_STRING);
    if (!values == !expression) {
        report_error(s->report, params, REPORT_OTHER,
                     "either \"values\" or \"expression\" is required");
    } else if (values) {
        size_t back = report_enter(s->report, GW_STR("values"));
        read_values(s, values, tags);
        report_leave(s->report, back);
    } else {
        tags->expression = rule->value = rule_read_value(reader, expression, "expression");
    }
    return tags;
}

void rule_read_response(struct rule_reader *reader, const struct json *params, struct rule *out)
{
    struct settings_reader s = settings_reader_of(reader);
    struct cache_response_action *action = gw_arena_zalloc(reader->arena, sizeof(*action));
    size_t back = report_enter(reader->report, GW_STR("action_parameters"));
    out->response = action;
    if (gw_str_eq(out->action, GW_STR("set_cache_control")))
        action->control = read_control(&s, params);
    else
        action->tags = read_tags(reader, &s, params, out);
    report_leave(reader->report, back);
}
