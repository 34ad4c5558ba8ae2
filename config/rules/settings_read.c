/* SPDX-License-Identifier: Apache-2.0 */
#include "config/rules/settings_read.h"

#define TTL_MAX      ((int64_t)1 << 40) /* seconds: times 1000 it still fits, plus any date */
#define STATUSES_MAX 900                /* one for each status there is */
#define PORTS_MAX    100

typedef void read_setting(struct settings_reader *s, const struct json *v,
                          struct cache_settings *out);

void settings_flag(struct settings_reader *s, const struct json *object, const char *key, bool *out)
{
    const struct json *v = report_member(s->report, object, key, JSON_BOOL);
    if (v)
        *out = json_bool(v);
}

bool settings_entitled(struct settings_reader *s, const struct json *v, enum config_plan plan,
                       const char *what)
{
    static const char *const names[] = {"a Free", "a Pro", "a Business", "an Enterprise"};
    if (s->plan >= plan)
        return true;
    report_error(s->report, v, REPORT_OTHER,
                 "not entitled: the use of %s is not allowed, %s plan is required", what,
                 names[plan]);
    return false;
}

bool settings_choice(struct settings_reader *s, const struct json *v, const char *field,
                     const char *const *choices, unsigned *out)
{
    struct gw_str text = json_str(v);
    struct gw_buf list;
    for (unsigned i = 0; choices[i]; i++) {
        if (gw_str_eq(gw_str_z(choices[i]), text)) {
            *out = i;
            return true;
        }
    }
    gw_buf_init(&list, 1024);
    for (unsigned i = 0; choices[i]; i++)
        gw_buf_printf(&list, "%s%s", i ? ", " : "", choices[i]);
    report_error(s->report, v, REPORT_OTHER,
                 "'%.*s' is not a valid value for %s because it is none of %.*s", GW_STR_ARG(text),
                 field, GW_STR_ARG(gw_buf_str(&list)));
    gw_buf_release(&list);
    return false;
}

static int order_names(const void *a, const void *b)
{
    return gw_str_cmp(*(const struct gw_str *)a, *(const struct gw_str *)b);
}

static struct gw_str copy_name(struct settings_reader *s, struct gw_str name, bool lower)
{
    char *copy = gw_arena_dupz(s->arena, name);
    for (size_t i = 0; lower && i < name.len; i++)
        copy[i] = gw_lower(copy[i]);
    return gw_str(copy, name.len);
}

static bool has_name(const struct gw_str *items, size_t count, struct gw_str name)
{
    for (size_t i = 0; i < count; i++) {
        if (gw_str_eq(items[i], name))
            return true;
    }
    return false;
}

bool settings_names(struct settings_reader *s, const struct json *v, struct names_rule rule,
                    struct cache_names *out)
{
    size_t count = json_type(v) == JSON_ARRAY ? json_count(v) : 0, kept = 0;
    if (count == 0 || count > rule.max) {
        report_error(s->report, v, REPORT_OTHER, "must be a list of 1 to %zu strings", rule.max);
        return false;
    }
    struct gw_str *items = gw_arena_alloc(s->arena, count * sizeof(*items));
    for (const struct json *item = json_first(v); item; item = json_next(item)) {
        if (json_type(item) != JSON_STRING || json_str(item).len == 0) {
            report_error(s->report, item, REPORT_OTHER, "must be a string that is not empty");
            return false;
        }
        struct gw_str name = copy_name(s, json_str(item), rule.lower);
        if (!has_name(items, kept, name))
            items[kept++] = name;
    }
    if (rule.sort)
        qsort(items, kept, sizeof(*items), order_names);
    *out = (struct cache_names){items, kept};
    return true;
}

static const char *const ttl_modes[] = {"respect_origin", "override_origin", "bypass_by_default",
                                        "bypass", NULL};
static const char *const edge_modes[] = {"respect_origin", "override_origin", "bypass_by_default",
                                         NULL};

/* Seconds that the plan allows; 0 means "no-cache" and is always possible (section 2.8). */
static uint64_t least_edge_ttl(enum config_plan plan)
{
    return plan == CONFIG_PLAN_FREE ? 7200 : plan == CONFIG_PLAN_PRO ? 3600 : 1;
}

/* `mode` and `default` of a TTL object. False when there is no usable mode. */
static bool read_ttl(struct settings_reader *s, const struct json *v, const char *const *modes,
                     enum cache_ttl_mode *mode, uint64_t *seconds)
{
    const struct json *name = report_member(s->report, v, "mode", JSON_STRING);
    const struct json *given = report_member(s->report, v, "default", JSON_NUMBER);
    unsigned choice;
    int64_t value;
    if (!name) {
        report_error(s->report, v, REPORT_OTHER, "\"mode\" is required");
        return false;
    }
    if (!settings_choice(s, name, "mode", modes, &choice))
        return false;
    *mode = (enum cache_ttl_mode)choice;
    if (*mode != CACHE_TTL_OVERRIDE_ORIGIN) {
        if (given)
            report_error(s->report, given, REPORT_OTHER,
                         "\"default\" is possible with mode override_origin only");
        return true;
    }
    if (!given) {
        report_error(s->report, v, REPORT_OTHER, "\"default\" is required with override_origin");
        return true;
    }
    if (!json_int(given, 0, TTL_MAX, &value))
        report_error(s->report, given, REPORT_OTHER, "\"default\" must be a number of seconds");
    else
        *seconds = (uint64_t)value;
    return true;
}

static bool status_code(struct settings_reader *s, const struct json *v, uint16_t *out)
{
    int64_t code;
    if (!json_int(v, 100, 999, &code)) {
        report_error(s->report, v, REPORT_OTHER, "a status code is a number from 100 to 999");
        return false;
    }
    *out = (uint16_t)code;
    return true;
}

static bool status_range(struct settings_reader *s, const struct json *range,
                         struct cache_status_ttl *out)
{
    static const char *const known[] = {"from", "to", NULL};
    report_unknown(s->report, range, known);
    const struct json *from = report_member(s->report, range, "from", JSON_NUMBER);
    const struct json *to = report_member(s->report, range, "to", JSON_NUMBER);
    *out = (struct cache_status_ttl){.from = 100, .to = 999};
    if (!from && !to) {
        report_error(s->report, range, REPORT_OTHER, "\"from\", \"to\" or both are required");
        return false;
    }
    if ((from && !status_code(s, from, &out->from)) || (to && !status_code(s, to, &out->to)))
        return false;
    if (out->from <= out->to)
        return true;
    report_error(s->report, range, REPORT_OTHER, "\"from\" must not be greater than \"to\"");
    return false;
}

static bool status_ttl(struct settings_reader *s, const struct json *v,
                       struct cache_status_ttl *out)
{
    static const char *const known[] = {"status_code", "status_code_range", "value", NULL};
    if (json_type(v) != JSON_OBJECT) {
        report_error(s->report, v, REPORT_OTHER, "must be an object");
        return false;
    }
    report_unknown(s->report, v, known);
    const struct json *code = report_member(s->report, v, "status_code", JSON_NUMBER);
    const struct json *range = report_member(s->report, v, "status_code_range", JSON_OBJECT);
    const struct json *value = report_member(s->report, v, "value", JSON_NUMBER);
    if (!code == !range) {
        report_error(s->report, v, REPORT_OTHER,
                     "either \"status_code\" or \"status_code_range\" is required");
        return false;
    }
    if (code ? !status_code(s, code, &out->from) : !status_range(s, range, out))
        return false;
    if (code) {
        out->to = out->from;
        out->exact = true;
    }
    if (value && json_int(value, CACHE_STATUS_NO_STORE, TTL_MAX, &out->value))
        return true;
    report_error(s->report, value ? value : v, REPORT_OTHER,
                 "\"value\" must be a number of seconds, 0 (no-cache) or -1 (no-store)");
    return false;
}

static void read_statuses(struct settings_reader *s, const struct json *v,
                          struct cache_settings *out)
{
    size_t count = json_count(v), i = 0;
    if (count == 0 || count > STATUSES_MAX) {
        report_error(s->report, v, REPORT_OTHER, "must be a list of 1 to %d entries", STATUSES_MAX);
        return;
    }
    struct cache_status_ttl *items = gw_arena_zalloc(s->arena, count * sizeof(*items));
    for (const struct json *item = json_first(v); item; item = json_next(item), i++) {
        size_t back = report_enter_item(s->report, i);
        if (status_ttl(s, item, &items[out->edge_ttl.status_count]))
            out->edge_ttl.status_count++;
        report_leave(s->report, back);
    }
    out->edge_ttl.statuses = items;
}

static void read_edge_ttl(struct settings_reader *s, const struct json *v,
                          struct cache_settings *out)
{
    static const char *const known[] = {"mode", "default", "status_code_ttl", NULL};
    report_unknown(s->report, v, known);
    uint64_t least = least_edge_ttl(s->plan), *seconds = &out->edge_ttl.seconds;
    if (read_ttl(s, v, edge_modes, &out->edge_ttl.mode, seconds) && *seconds && *seconds < least)
        report_error(s->report, json_get(v, "default"), REPORT_OTHER,
                     "not entitled: an edge TTL below %llu seconds is not allowed on this plan",
                     (unsigned long long)least);
    const struct json *statuses = report_member(s->report, v, "status_code_ttl", JSON_ARRAY);
    if (!statuses)
        return;
    size_t back = report_enter(s->report, GW_STR("status_code_ttl"));
    read_statuses(s, statuses, out);
    report_leave(s->report, back);
}

static void read_browser_ttl(struct settings_reader *s, const struct json *v,
                             struct cache_settings *out)
{
    static const char *const known[] = {"mode", "default", NULL};
    report_unknown(s->report, v, known);
    (void)!read_ttl(s, v, ttl_modes, &out->browser_ttl.mode, &out->browser_ttl.seconds);
}

static void read_serve_stale(struct settings_reader *s, const struct json *v,
                             struct cache_settings *out)
{
    static const char *const known[] = {"disable_stale_while_updating", NULL};
    report_unknown(s->report, v, known);
    settings_flag(s, v, known[0], &out->disable_stale_while_updating);
}

static void read_ports(struct settings_reader *s, const struct json *v, struct cache_settings *out)
{
    size_t count = json_count(v);
    if (!settings_entitled(s, v, CONFIG_PLAN_ENTERPRISE, "additional_cacheable_ports"))
        return;
    if (count == 0 || count > PORTS_MAX) {
        report_error(s->report, v, REPORT_OTHER, "must be a list of 1 to %d ports", PORTS_MAX);
        return;
    }
    uint16_t *ports = gw_arena_alloc(s->arena, count * sizeof(*ports));
    for (const struct json *item = json_first(v); item; item = json_next(item)) {
        int64_t port;
        if (json_int(item, 1, 65535, &port))
            ports[out->port_count++] = (uint16_t)port;
        else
            report_error(s->report, item, REPORT_OTHER, "a port is a number from 1 to 65535");
    }
    out->ports = ports;
}

static void read_timeout(struct settings_reader *s, const struct json *v,
                         struct cache_settings *out)
{
    int64_t seconds;
    if (!settings_entitled(s, v, CONFIG_PLAN_ENTERPRISE, "read_timeout"))
        return;
    if (json_int(v, 100, 6000, &seconds))
        out->read_timeout = (uint16_t)seconds;
    else
        report_error(s->report, v, REPORT_OTHER, "must be 100 to 6000 seconds");
}

/* Read for its mistakes only, as the two below: not simulated, but a file that Cloudflare would
 * refuse is refused. */
static void read_reserve(struct settings_reader *s, const struct json *v,
                         struct cache_settings *out)
{
    /* "enabled" stands in the documentation's own example. */
    static const char *const known[] = {"eligible", "minimum_file_size", "enabled", NULL};
    int64_t size;
    (void)out;
    report_unknown(s->report, v, known);
    (void)report_member(s->report, v, "eligible", JSON_BOOL);
    const struct json *least = report_member(s->report, v, "minimum_file_size", JSON_NUMBER);
    if (least && !json_int(least, 0, TTL_MAX, &size))
        report_error(s->report, least, REPORT_OTHER, "must be a number of bytes");
}

static void read_range_requests(struct settings_reader *s, const struct json *v,
                                struct cache_settings *out)
{
    static const char *const known[] = {"mode", NULL};
    static const char *const modes[] = {"on", "off", "default", NULL};
    unsigned choice;
    (void)out;
    report_unknown(s->report, v, known);
    const struct json *mode = report_member(s->report, v, "mode", JSON_STRING);
    if (!mode)
        report_error(s->report, v, REPORT_OTHER, "\"mode\" is required");
    else
        (void)!settings_choice(s, mode, "mode", modes, &choice);
}

static void read_dictionary(struct settings_reader *s, const struct json *v,
                            struct cache_settings *out)
{
    static const char *const known[] = {"match_pattern", NULL};
    (void)out;
    report_unknown(s->report, v, known);
    (void)report_member(s->report, v, "match_pattern", JSON_STRING);
}

/* How each key is read: flags by the place of their bool, the rest by function. */
static const struct {
    enum json_type type;
    read_setting *read;
    size_t flag;
    enum config_plan plan; /* of flags */
} settings[CACHE_SETTING_COUNT] = {
#define FLAG(member, plan)                                                                         \
    {                                                                                              \
        JSON_BOOL, NULL, offsetof(struct cache_settings, member), plan                             \
    }
    [CACHE_SETTING_CACHE] = FLAG(cache, CONFIG_PLAN_FREE),
    [CACHE_SETTING_EDGE_TTL] = {JSON_OBJECT, read_edge_ttl, 0, 0},
    [CACHE_SETTING_BROWSER_TTL] = {JSON_OBJECT, read_browser_ttl, 0, 0},
    [CACHE_SETTING_CACHE_KEY] = {JSON_OBJECT, settings_read_key, 0, 0},
    [CACHE_SETTING_SERVE_STALE] = {JSON_OBJECT, read_serve_stale, 0, 0},
    [CACHE_SETTING_RESPECT_STRONG_ETAGS] = FLAG(respect_strong_etags, CONFIG_PLAN_FREE),
    [CACHE_SETTING_ORIGIN_ERROR_PAGE_PASSTHRU] = FLAG(origin_error_page_passthru, CONFIG_PLAN_FREE),
    [CACHE_SETTING_ORIGIN_CACHE_CONTROL] = FLAG(origin_cache_control, CONFIG_PLAN_ENTERPRISE),
    [CACHE_SETTING_ADDITIONAL_CACHEABLE_PORTS] = {JSON_ARRAY, read_ports, 0, 0},
    [CACHE_SETTING_READ_TIMEOUT] = {JSON_NUMBER, read_timeout, 0, 0},
    [CACHE_SETTING_CACHE_RESERVE] = {JSON_OBJECT, read_reserve, 0, 0},
    [CACHE_SETTING_VARY] = {JSON_OBJECT, settings_read_vary, 0, 0},
    [CACHE_SETTING_ORIGIN_RANGE_REQUESTS] = {JSON_OBJECT, read_range_requests, 0, 0},
    [CACHE_SETTING_SHARED_DICTIONARY] = {JSON_OBJECT, read_dictionary, 0, 0},
    [CACHE_SETTING_STRIP_ETAGS] = FLAG(strip_etags, CONFIG_PLAN_FREE),
    [CACHE_SETTING_STRIP_SET_COOKIE] = FLAG(strip_set_cookie, CONFIG_PLAN_FREE),
    [CACHE_SETTING_STRIP_LAST_MODIFIED] = FLAG(strip_last_modified, CONFIG_PLAN_FREE),
#undef FLAG
};

static const struct {
    const char *name;
    bool simulated;
} keys[] = {
#define X(id, name, simulated) {name, simulated},
    CACHE_SETTINGS(X)
#undef X
        {NULL, false},
};

const char *cache_setting_name(enum cache_setting key)
{
    return keys[key].name;
}

bool cache_setting_simulated(enum cache_setting key)
{
    return keys[key].simulated;
}

/* The strip settings belong to response rules, all others to request rules. */
static bool fits_phase(enum cache_setting key, enum rules_phase phase)
{
    return (key >= CACHE_SETTING_STRIP_ETAGS) == (phase == RULES_CACHE_RESPONSE);
}

static void read_one(struct settings_reader *s, enum cache_setting key, const struct json *v,
                     struct cache_settings *out)
{
    const char *name = keys[key].name;
    if (!fits_phase(key, s->phase)) {
        report_error(s->report, v, REPORT_OTHER, "%s is not possible in phase %s", name,
                     rules_phase_name(s->phase));
        return;
    }
    if (settings[key].read)
        settings[key].read(s, v, out);
    else if (settings_entitled(s, v, settings[key].plan, name))
        *(bool *)((char *)out + settings[key].flag) = json_bool(v);
    out->present |= 1u << key;
    if (!keys[key].simulated)
        json_warn(s->report->doc, v, s->report->diags, "%s is accepted but not simulated", name);
}

void settings_read(struct settings_reader *s, const struct json *params, struct cache_settings *out)
{
    const char *known[CACHE_SETTING_COUNT + 1] = {NULL};
    for (size_t i = 0; i < CACHE_SETTING_COUNT; i++)
        known[i] = keys[i].name;
    report_unknown(s->report, params, known);
    for (size_t i = 0; i < CACHE_SETTING_COUNT; i++) {
        const struct json *v = report_member(s->report, params, keys[i].name, settings[i].type);
        if (!v)
            continue;
        size_t back = report_enter(s->report, gw_str_z(keys[i].name));
        read_one(s, (enum cache_setting)i, v, out);
        report_leave(s->report, back);
    }
}
