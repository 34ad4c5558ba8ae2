/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/api_settings.h"

#include "gateway/api_write.h"
#include "gateway/exchange.h"

#define ITEMS_MAX 100

/* ---- one setting: how it is read and written ---- */

static bool is_word(const struct json *v, const char *word)
{
    return json_type(v) == JSON_STRING && gw_str_eq(json_str(v), gw_str_z(word));
}

static bool read_switch(const struct json *v, bool *out)
{
    *out = is_word(v, "on");
    return *out || is_word(v, "off");
}

/* The index of one of the first `count` names, which become `count` when it is none of them. */
static unsigned read_word(const struct json *v, const char *const *words, unsigned count)
{
    unsigned i = 0;
    while (i < count && !is_word(v, words[i]))
        i++;
    return i;
}

/* Of the configuration's levels the API takes all but bypass. */
static bool read_level(const struct json *v, enum config_cache_level *out)
{
    unsigned level = read_word(v, config_cache_level_names, CONFIG_CACHE_BYPASS);
    if (level == CONFIG_CACHE_BYPASS)
        return false;
    *out = (enum config_cache_level)level;
    return true;
}

static bool read_ssl(const struct json *v, enum config_ssl *out)
{
    unsigned mode = read_word(v, config_ssl_names, CONFIG_SSL_STRICT + 1);
    if (mode > CONFIG_SSL_STRICT)
        return false;
    *out = (enum config_ssl)mode;
    return true;
}

static bool read_browser_ttl(const struct json *v, uint32_t *out)
{
    int64_t seconds;
    if (json_type(v) != JSON_NUMBER || !json_int(v, 0, UINT32_MAX, &seconds) ||
        !config_browser_ttl_is_known((uint32_t)seconds))
        return false;
    *out = (uint32_t)seconds;
    return true;
}

static const char *const names[SETTING_COUNT] = {
    [SETTING_CACHE_LEVEL] = "cache_level",
    [SETTING_BROWSER_CACHE_TTL] = "browser_cache_ttl",
    [SETTING_DEVELOPMENT_MODE] = "development_mode",
    [SETTING_ALWAYS_ONLINE] = "always_online",
    [SETTING_SORT_QUERY] = "sort_query_string_for_cache",
    [SETTING_SSL] = "ssl",
    [SETTING_ALWAYS_USE_HTTPS] = "always_use_https",
};

static bool read_value(const struct json *v, enum snapshot_setting id, struct config_settings *out)
{
    switch (id) {
    case SETTING_CACHE_LEVEL:
        return read_level(v, &out->cache_level);
    case SETTING_BROWSER_CACHE_TTL:
        return read_browser_ttl(v, &out->browser_cache_ttl);
    case SETTING_DEVELOPMENT_MODE:
        return read_switch(v, &out->development_mode);
    case SETTING_ALWAYS_ONLINE:
        return read_switch(v, &out->always_online);
    case SETTING_SORT_QUERY:
        return read_switch(v, &out->sort_query_string_for_cache);
    case SETTING_SSL:
        return read_ssl(v, &out->ssl);
    case SETTING_ALWAYS_USE_HTTPS:
        return read_switch(v, &out->always_use_https);
    case SETTING_COUNT:
        break;
    }
    return false;
}

static void write_value(struct gw_buf *out, enum snapshot_setting id,
                        const struct config_settings *settings)
{
    const bool on[SETTING_COUNT] = {
        [SETTING_DEVELOPMENT_MODE] = settings->development_mode,
        [SETTING_ALWAYS_ONLINE] = settings->always_online,
        [SETTING_SORT_QUERY] = settings->sort_query_string_for_cache,
        [SETTING_ALWAYS_USE_HTTPS] = settings->always_use_https,
    };
    if (id == SETTING_BROWSER_CACHE_TTL)
        gw_buf_u64(out, settings->browser_cache_ttl);
    else if (id == SETTING_CACHE_LEVEL)
        gw_buf_json(out, gw_str_z(config_cache_level_names[settings->cache_level]));
    else if (id == SETTING_SSL)
        gw_buf_json(out, gw_str_z(config_ssl_names[settings->ssl]));
    else
        gw_buf_add(out, on[id] ? GW_STR("\"on\"") : GW_STR("\"off\""));
}

static enum snapshot_setting setting_of(struct gw_str name)
{
    unsigned i = 0;
    while (i < SETTING_COUNT && !gw_str_eq(gw_str_z(names[i]), name))
        i++;
    return (enum snapshot_setting)i;
}

/* ---- what `ssl` can change ---- */

static bool leaves_scheme_open(const struct config_origin *origin)
{
    for (size_t i = 0; i < origin->server_count; i++)
        if (origin->servers[i].scheme == CONFIG_SCHEME_OPEN)
            return true;
    return false;
}

static bool is_ssl_editable(const struct config_zone *zone)
{
    bool open = leaves_scheme_open(&zone->origin);
    for (size_t i = 0; i < zone->origin_rule_count && !open; i++)
        open = leaves_scheme_open(&zone->origin_rules[i].origin);
    return open;
}

/* Why a mode would be a promise that nobody keeps, or NULL. What is set already may be set again.
 */
static const char *ssl_problem(const struct config_zone *zone, enum config_ssl from,
                               enum config_ssl to)
{
    if (from == to)
        return NULL;
    if (!is_ssl_editable(zone))
        return "the URL of each origin of this zone says how it is spoken to; leave the scheme "
               "out (//host) in the configuration to let ssl decide";
    if (to == CONFIG_SSL_OFF)
        return "off would send visitors from https to http, which this edge does not do; flexible "
               "speaks to origins without TLS";
    return NULL;
}

/* ---- answers ---- */

static int64_t seconds_left(const struct snapshot_settings *times, bool on, uint64_t wall_ms)
{
    if (!times->development_until_ms)
        return on ? API_DEVELOPMENT_S : 0;
    return ((int64_t)times->development_until_ms - (int64_t)wall_ms) / 1000;
}

int64_t api_development_left(const struct snapshot_zone *zone, uint64_t wall_ms)
{
    return seconds_left(&zone->changed, zone->config->settings.development_mode, wall_ms);
}

/* Settings of a zone at one instant, stored or about to be. */
struct view {
    const struct config_settings *settings;
    const struct snapshot_settings *times;
    uint64_t wall_ms;
    bool ssl_editable;
};

static void write_setting(struct gw_buf *out, enum snapshot_setting id, const struct view *view)
{
    char time[API_TIME_LEN];
    gw_buf_char(out, '{');
    bool editable = id != SETTING_SSL || view->ssl_editable;
    gw_buf_printf(out, "\"editable\":%s", editable ? "true" : "false");
    api_member(out, "id", gw_str_z(names[id]));
    if (view->times->modified_ms[id]) {
        api_time(view->times->modified_ms[id], time);
        api_member(out, "modified_on", gw_str(time, sizeof(time)));
    } else {
        gw_buf_add(out, GW_STR(",\"modified_on\":null"));
    }
    if (id == SETTING_DEVELOPMENT_MODE)
        gw_buf_printf(
            out, ",\"time_remaining\":%lld",
            (long long)seconds_left(view->times, view->settings->development_mode, view->wall_ms));
    gw_buf_add(out, GW_STR(",\"value\":"));
    write_value(out, id, view->settings);
    gw_buf_char(out, '}');
}

static void write_all(struct gw_buf *out, const struct view *view)
{
    for (unsigned i = 0; i < SETTING_COUNT; i++) {
        gw_buf_char(out, i == 0 ? '[' : ',');
        write_setting(out, (enum snapshot_setting)i, view);
    }
    gw_buf_char(out, ']');
}

static void refuse_name(struct admin_call *call, struct gw_str name)
{
    admin_v4_fail(call, 400, 1006, "Undefined zone setting: %.*s", (int)gw_min_size(name.len, 100),
                  name.ptr ? name.ptr : "");
}

/* ---- GET ---- */

static struct view view_of(const struct admin_call *call, const struct snapshot_zone *zone)
{
    uint64_t now_ms = call->exchange->now.wall_ms;
    const struct config_zone *config = snapshot_zone_config(zone, now_ms);
    return (struct view){&config->settings, &zone->changed, now_ms, is_ssl_editable(config)};
}

enum admin_result api_settings_list(struct admin_call *call)
{
    const struct snapshot_zone *zone = api_zone(call);
    if (!zone)
        return ADMIN_DONE;
    const struct view view = view_of(call, zone);
    api_begin(&call->out);
    write_all(&call->out, &view);
    api_end(&call->out);
    return ADMIN_DONE;
}

enum admin_result api_setting_get(struct admin_call *call)
{
    const struct snapshot_zone *zone = api_zone(call);
    struct gw_str name = admin_path_segment(call->path, 5);
    enum snapshot_setting id = setting_of(name);
    if (!zone)
        return ADMIN_DONE;
    if (id == SETTING_COUNT) {
        refuse_name(call, name);
        return ADMIN_DONE;
    }
    const struct view view = view_of(call, zone);
    api_begin(&call->out);
    write_setting(&call->out, id, &view);
    api_end(&call->out);
    return ADMIN_DONE;
}

/* ---- PATCH ---- */

/* The settings as they are now: a development mode that has ended is off. */
static struct config_settings *begin_change(struct api_write *w)
{
    struct config_settings *settings = gw_arena_alloc(&w->arena, sizeof(*settings));
    *settings = snapshot_zone_config(w->zone, w->now.wall_ms)->settings;
    w->change.settings = settings;
    w->change.times = w->zone->changed;
    return settings;
}

/* False after an answer. */
static bool set(struct api_write *w, struct config_settings *settings, struct gw_str name,
                const struct json *value)
{
    enum snapshot_setting id = setting_of(name);
    struct snapshot_settings *times = &w->change.times;
    if (id == SETTING_COUNT) {
        refuse_name(&w->call, name);
        return false;
    }
    const struct config_settings was = *settings;
    if (!value || !read_value(value, id, settings)) {
        admin_v4_fail(&w->call, 400, 1007, "Invalid value for zone setting %s", names[id]);
        return false;
    }
    const char *problem = ssl_problem(w->zone->config, was.ssl, settings->ssl);
    if (problem) {
        admin_v4_fail(&w->call, 400, 1007, "Invalid value for zone setting ssl: %s", problem);
        return false;
    }
    times->modified_ms[id] = w->now.date_ms;
    /* Switched off, its remaining time counts on below 0, as in the API (spec/cache-behaviour.md
     * section 2.17). */
    if (id == SETTING_DEVELOPMENT_MODE && settings->development_mode)
        times->development_until_ms = w->now.wall_ms + (uint64_t)API_DEVELOPMENT_S * 1000;
    else if (id == SETTING_DEVELOPMENT_MODE && was.development_mode)
        times->development_until_ms = w->now.wall_ms;
    return true;
}

static struct view view_of_change(const struct api_write *w)
{
    return (struct view){w->change.settings, &w->change.times, w->now.wall_ms,
                         is_ssl_editable(w->zone->config)};
}

static bool change_one(struct api_write *w)
{
    struct config_settings *settings = begin_change(w);
    struct gw_str name = admin_path_segment(w->call.path, 5);
    if (!set(w, settings, name, json_get(json_root(w->body), "value")))
        return false;
    const struct view view = view_of_change(w);
    api_begin(&w->call.out);
    write_setting(&w->call.out, setting_of(name), &view);
    api_end(&w->call.out);
    return true;
}

/* All items or none. */
static bool change_items(struct api_write *w)
{
    const struct json *items = json_get(json_root(w->body), "items");
    struct config_settings *settings = begin_change(w);
    if (!items || json_type(items) != JSON_ARRAY || json_count(items) > ITEMS_MAX) {
        admin_v4_fail(&w->call, 400, 0, "\"items\" must be a list of settings");
        return false;
    }
    for (const struct json *item = json_first(items); item; item = json_next(item))
        if (!set(w, settings, json_str(json_get(item, "id")), json_get(item, "value")))
            return false;
    const struct view view = view_of_change(w);
    api_begin(&w->call.out);
    write_all(&w->call.out, &view);
    api_end(&w->call.out);
    return true;
}

enum admin_result api_setting_patch(struct admin_call *call)
{
    return api_write_start(call, API_BODY_OBJECT, change_one);
}

enum admin_result api_settings_patch(struct admin_call *call)
{
    return api_write_start(call, API_BODY_OBJECT, change_items);
}
