/* SPDX-License-Identifier: Apache-2.0 */
#include "config/rules/rule_read.h"

#include "config/rules/lint_report.h"
#include "config/rules/settings_read.h"

#define RULE_JSON_MAX (256 * 1024)

static const char *const rule_keys[] = {
    "id",
    "ref",
    "version",
    "last_updated",
    "action",
    "enabled",
    "description",
    "expression",
    "action_parameters",
    "ratelimit",
    "logging",
    "categories",
    "exposed_credential_check",
    NULL,
};

/* Which actions a phase has. */
static const struct {
    enum rules_phase phase;
    const char *action;
} actions[] = {
    {RULES_CACHE_REQUEST, "set_cache_settings"},
    {RULES_CACHE_RESPONSE, "set_cache_settings"},
    {RULES_CACHE_RESPONSE, "set_cache_control"},
    {RULES_CACHE_RESPONSE, "set_cache_tags"},
    {RULES_RATELIMIT, "block"},
    {RULES_RATELIMIT, "challenge"},
    {RULES_RATELIMIT, "js_challenge"},
    {RULES_RATELIMIT, "managed_challenge"},
    {RULES_RATELIMIT, "log"},
};

static struct gw_str copy_text(struct rule_reader *reader, const struct json *object,
                               const char *key)
{
    const struct json *v = report_member(reader->report, object, key, JSON_STRING);
    return v ? gw_arena_dup(reader->arena, json_str(v)) : GW_STR_EMPTY;
}

static void note_warnings(struct rule_reader *reader, const struct json *v, const struct expr *e)
{
    struct report *r = reader->report;
    size_t count;
    const struct expr_note *notes = expr_notes(e, &count);
    for (size_t i = 0; i < count; i++) {
        size_t start = json_string_offset(r->doc, v, notes[i].offset);
        size_t end = json_string_offset(r->doc, v, notes[i].offset + notes[i].width);
        gw_diag_at(r->diags, GW_DIAG_WARNING, json_source(r->doc), start,
                   end > start ? end - start : 1, "%s", notes[i].text);
    }
}

static bool zone_has(const struct ruleset_options *o, struct gw_str host)
{
    for (size_t i = 0; i < o->host_count; i++) {
        if (gw_str_eq(o->hosts[i], host))
            return true;
    }
    return false;
}

/* A rule for hosts that the zone does not have is dead; most often it was copied from another
 * environment. */
static void warn_hosts(struct rule_reader *reader, const struct json *v, const struct expr *e)
{
    const struct ruleset_options *o = reader->report->options;
    const struct gw_str *hosts;
    size_t count;
    if (!expr_hosts(e, &hosts, &count))
        return;
    if (count == 0) {
        json_warn(reader->report->doc, v, reader->report->diags,
                  "this rule can never match: no host satisfies all of its http.host comparisons");
        return;
    }
    if (!o->hosts || o->any_host)
        return;
    for (size_t i = 0; i < count; i++) {
        if (zone_has(o, hosts[i]))
            return;
    }
    json_warn(reader->report->doc, v, reader->report->diags,
              "this rule can never match: \"%.*s\" is no host of the zone", GW_STR_ARG(hosts[0]));
}

static struct expr_options options_for(const struct rule_reader *reader, enum rules_phase phase)
{
    const struct ruleset_options *o = reader->report->options;
    return (struct expr_options){
        .phase = phase,
        .plan = o->plan,
        .lists = o->lists,
        .share = reader->share,
        .missing_ne = o->missing_ne,
        .cookie_array_as_first = true,
    };
}

/* Tells what compiling has found; e is NULL after an error. */
static struct expr *tell(struct rule_reader *reader, const struct json *v, const char *field,
                         struct expr *e, const struct expr_error *err)
{
    if (e) {
        note_warnings(reader, v, e);
        return e;
    }
    size_t back = report_enter(reader->report, gw_str_z(field));
    report_expression(reader->report, v, err, field);
    report_leave(reader->report, back);
    return NULL;
}

struct expr *rule_read_value(struct rule_reader *reader, const struct json *v, const char *field)
{
    struct expr_options options = options_for(reader, reader->phase);
    struct expr_error err;
    struct expr *e = expr_compile_value(json_str(v), &options, &err);
    return tell(reader, v, field, e, &err);
}

/* Plans ration characteristics by a list of their own (rule_ratelimit.c), which has spoken already.
 */
struct expr *rule_read_key(struct rule_reader *reader, const struct json *v, const char *field)
{
    struct expr_options options = options_for(reader, reader->phase);
    struct expr_error err;
    options.key = true;
    options.plan = CONFIG_PLAN_ENTERPRISE;
    struct expr *e = expr_compile_value(json_str(v), &options, &err);
    if (e)
        note_warnings(reader, v, e);
    else
        report_expression(reader->report, v, &err, field);
    return e;
}

struct expr *rule_read_expression(struct rule_reader *reader, const struct json *v,
                                  enum rules_phase phase, const char *field)
{
    struct expr_options options = options_for(reader, phase);
    struct expr_error err;
    struct expr *e = expr_compile(json_str(v), &options, &err);
    if (!tell(reader, v, field, e, &err))
        return NULL;
    /* A rule that is dead already is not told a second reason. */
    if (!lint_report_expression(reader->report, v, e))
        warn_hosts(reader, v, e);
    return e;
}

static void read_expression(struct rule_reader *reader, const struct json *rule, struct rule *out)
{
    const struct json *v = report_member(reader->report, rule, "expression", JSON_STRING);
    if (v) {
        out->expression = gw_arena_dup(reader->arena, json_str(v));
        out->expr = rule_read_expression(reader, v, reader->phase, "expression");
        return;
    }
    size_t back = report_enter(reader->report, GW_STR("expression"));
    report_error(reader->report, rule, 20125,
                 "'' is not a valid value for expression because the expression cannot be blank");
    report_leave(reader->report, back);
}

static bool read_action(struct rule_reader *reader, const struct json *rule, struct rule *out)
{
    struct report *r = reader->report;
    const struct json *v = report_member(r, rule, "action", JSON_STRING);
    size_t back = report_enter(r, GW_STR("action"));
    out->action = v ? gw_arena_dup(reader->arena, json_str(v)) : GW_STR_EMPTY;
    bool fits = false;
    for (size_t i = 0; i < GW_COUNT(actions); i++)
        fits = fits || (actions[i].phase == reader->phase &&
                        gw_str_eq(gw_str_z(actions[i].action), out->action));
    if (!fits)
        report_error(r, v ? v : rule, REPORT_ACTION,
                     "'%.*s' is not a valid value for action because it is not possible to use the "
                     "%.*s action in a ruleset with phase %.*s and kind zone",
                     GW_STR_ARG(out->action), GW_STR_ARG(out->action),
                     GW_STR_ARG(reader->phase_name));
    report_leave(r, back);
    return fits;
}

static void read_settings(struct rule_reader *reader, const struct json *params, struct rule *out)
{
    struct cache_settings *settings = gw_arena_zalloc(reader->arena, sizeof(*settings));
    struct settings_reader sr = {.report = reader->report,
                                 .arena = reader->arena,
                                 .phase = reader->phase,
                                 .plan = reader->report->options->plan};
    size_t back = report_enter(reader->report, GW_STR("action_parameters"));
    settings_read(&sr, params, settings);
    report_leave(reader->report, back);
    out->settings = settings;
}

static void read_parameters(struct rule_reader *reader, const struct json *rule, struct rule *out)
{
    struct report *r = reader->report;
    const struct json *params = report_member(r, rule, "action_parameters", JSON_OBJECT);
    if (!params && !json_get(rule, "action_parameters")) {
        size_t back = report_enter(r, GW_STR("action_parameters"));
        report_error(r, rule, REPORT_PARAMETERS,
                     "action parameters are required for the %.*s action", GW_STR_ARG(out->action));
        report_leave(r, back);
    }
    if (!params)
        return;
    if (gw_str_eq(out->action, GW_STR("set_cache_settings")))
        read_settings(reader, params, out);
    else if (reader->phase == RULES_CACHE_RESPONSE)
        rule_read_response(reader, params, out);
}

static void read_checked(struct rule_reader *reader, const struct json *v, struct rule *out)
{
    const struct json *logging = json_get(v, "logging");
    read_expression(reader, v, out);
    if (!read_action(reader, v, out))
        return;
    if (logging && json_type(logging) != JSON_NULL)
        report_error(reader->report, logging, REPORT_LOGGING,
                     "logging options are only allowed with the skip action");
    if (reader->phase == RULES_RATELIMIT)
        rule_read_ratelimit(reader, v, out);
    else
        read_parameters(reader, v, out);
}

void rule_read(struct rule_reader *reader, const struct json *v, struct rule *out)
{
    struct gw_buf text;
    report_unknown(reader->report, v, rule_keys);
    out->id = copy_text(reader, v, "id");
    out->ref = copy_text(reader, v, "ref");
    out->version = copy_text(reader, v, "version");
    out->last_updated = copy_text(reader, v, "last_updated");
    out->description = copy_text(reader, v, "description");
    const struct json *enabled = report_member(reader->report, v, "enabled", JSON_BOOL);
    out->enabled = !enabled || json_bool(enabled);
    gw_buf_init(&text, RULE_JSON_MAX);
    json_write(v, &text);
    if (text.overflow)
        report_error(reader->report, v, REPORT_OTHER, "a rule is larger than 256 KiB");
    out->json = gw_arena_dup(reader->arena, gw_buf_str(&text));
    gw_buf_release(&text);
    /* Rules of other phases speak of fields and actions that are not ours to judge. */
    if (reader->phase == RULES_OTHER) {
        out->action = copy_text(reader, v, "action");
        out->expression = copy_text(reader, v, "expression");
    } else {
        read_checked(reader, v, out);
    }
}

enum rules_phase rule_phase_of(const struct json *rule)
{
    struct gw_str action = json_str(json_get(rule, "action"));
    const struct json *params = json_get(rule, "action_parameters");
    if (gw_str_eq(action, GW_STR("set_cache_settings")))
        return json_get(params, "strip_etags") || json_get(params, "strip_set_cookie") ||
                       json_get(params, "strip_last_modified")
                   ? RULES_CACHE_RESPONSE
                   : RULES_CACHE_REQUEST;
    for (size_t i = 0; i < GW_COUNT(actions); i++) {
        if (gw_str_eq(gw_str_z(actions[i].action), action) && actions[i].phase != RULES_RATELIMIT)
            return actions[i].phase;
    }
    return json_get(rule, "ratelimit") ? RULES_RATELIMIT : RULES_OTHER;
}
