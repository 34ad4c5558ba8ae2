/* SPDX-License-Identifier: Apache-2.0 */
/* Zones and the one account (spec/api-v4.md section 2). A page past the end is an empty list: the
 * SDKs go on until they get one. */
#include "gateway/api.h"
#include "gateway/api_settings.h"
#include "gateway/exchange.h"
#include "gateway/server.h"

/* ---- what a zone looks like ---- */

static const struct {
    const char *id, *name;
} plans[] = {
    [CONFIG_PLAN_FREE] = {"0feeeeeeeeeeeeeeeeeeeeeeeeeeeeee", "Free Website"},
    [CONFIG_PLAN_PRO] = {"1feeeeeeeeeeeeeeeeeeeeeeeeeeeeee", "Pro Website"},
    [CONFIG_PLAN_BUSINESS] = {"2feeeeeeeeeeeeeeeeeeeeeeeeeeeeee", "Business Website"},
    [CONFIG_PLAN_ENTERPRISE] = {"3feeeeeeeeeeeeeeeeeeeeeeeeeeeeee", "Enterprise Website"},
};

static void write_plan(struct gw_buf *out, enum config_plan plan)
{
    gw_buf_add(out, GW_STR(",\"plan\":{"));
    api_member(out, "id", gw_str_z(plans[plan].id));
    gw_buf_add(out, GW_STR(",\"is_subscribed\":true"));
    api_member(out, "legacy_id", gw_str_z(config_plan_names[plan]));
    api_member(out, "name", gw_str_z(plans[plan].name));
    gw_buf_char(out, '}');
}

static void write_zone(struct admin_call *call, const struct snapshot_zone *zone)
{
    struct gw_buf *out = &call->out;
    char time[API_TIME_LEN];
    api_time(call->server->started_ms, time);
    struct gw_str since = gw_str(time, sizeof(time));
    gw_buf_add(out, GW_STR("{\"account\":{\"id\":\"" API_ACCOUNT_ID
                           "\",\"name\":\"" API_ACCOUNT_NAME "\"}"));
    api_member(out, "activated_on", since);
    api_member(out, "created_on", since);
    gw_buf_printf(out, ",\"development_mode\":%lld",
                  (long long)api_development_left(zone, call->exchange->now.wall_ms));
    api_member(out, "id", zone->config->id);
    gw_buf_add(out, GW_STR(",\"meta\":{}"));
    api_member(out, "modified_on", since);
    api_member(out, "name", zone->config->name);
    gw_buf_add(out, GW_STR(",\"name_servers\":[],\"original_dnshost\":null,"
                           "\"original_name_servers\":null,\"original_registrar\":null,"
                           "\"owner\":{\"email\":null,\"id\":null,\"type\":\"user\"},"
                           "\"paused\":false,\"permissions\":[\"#zone:edit\",\"#zone:read\"]"));
    write_plan(out, zone->config->plan);
    api_member(out, "status", GW_STR("active"));
    api_member(out, "type", GW_STR("full"));
    gw_buf_char(out, '}');
}

/* ---- filters ---- */

enum { FILTER_NAME, FILTER_STATUS, FILTER_ACCOUNT_ID, FILTER_ACCOUNT_NAME, FILTER_COUNT };
static const char *const filter_names[FILTER_COUNT] = {"name", "status", "account.id",
                                                       "account.name"};

struct filters {
    struct gw_str value[FILTER_COUNT];
    bool given[FILTER_COUNT];
    bool any; /* match=any */
};

static void read_filters(const struct admin_call *call, struct filters *f)
{
    struct gw_str match;
    *f = (struct filters){0};
    for (size_t i = 0; i < FILTER_COUNT; i++)
        f->given[i] = admin_query(call, gw_str_z(filter_names[i]), &f->value[i]);
    f->any = admin_query(call, GW_STR("match"), &match) && gw_str_eq(match, GW_STR("any"));
}

/* "contains:x" and its like; without an operator the text is compared whole. */
static bool text_fits(struct gw_str text, struct gw_str filter)
{
    size_t colon = gw_str_chr(filter, ':');
    struct gw_str op = gw_str_first(filter, colon == GW_NPOS ? 0 : colon);
    struct gw_str value = gw_str_from(filter, op.len + 1);
    if (gw_str_eq(op, GW_STR("contains")))
        return gw_str_find(text, value) != GW_NPOS;
    if (gw_str_eq(op, GW_STR("starts_with")))
        return gw_str_starts(text, value);
    if (gw_str_eq(op, GW_STR("ends_with")))
        return gw_str_ends(text, value);
    if (gw_str_eq(op, GW_STR("equal")))
        return gw_str_ieq(text, value);
    if (gw_str_eq(op, GW_STR("not_equal")))
        return !gw_str_ieq(text, value);
    return gw_str_ieq(text, filter);
}

static bool zone_fits(const struct snapshot_zone *zone, const struct filters *f)
{
    const struct gw_str has[FILTER_COUNT] = {zone->config->name, GW_STR("active"),
                                             GW_STR(API_ACCOUNT_ID), GW_STR(API_ACCOUNT_NAME)};
    size_t given = 0, fit = 0;
    for (size_t i = 0; i < FILTER_COUNT; i++) {
        given += f->given[i];
        fit += f->given[i] && text_fits(has[i], f->value[i]);
    }
    return given == 0 || (f->any ? fit > 0 : fit == given);
}

/* ---- handlers ---- */

static int order_by_name(const void *a, const void *b)
{
    const struct snapshot_zone *left = *(const struct snapshot_zone *const *)a;
    const struct snapshot_zone *right = *(const struct snapshot_zone *const *)b;
    return gw_str_cmp(left->config->name, right->config->name);
}

/* By name, the one order in which zones of a gateway differ; or as configured. */
static void order_zones(const struct admin_call *call, const struct snapshot_zone **zones,
                        size_t count)
{
    struct gw_str text;
    if (admin_query(call, GW_STR("order"), &text) && gw_str_eq(text, GW_STR("name")))
        qsort(zones, count, sizeof(struct snapshot_zone *), order_by_name);
    if (!admin_query(call, GW_STR("direction"), &text) || !gw_str_eq(text, GW_STR("desc")))
        return;
    for (size_t i = 0; i < count / 2; i++) {
        const struct snapshot_zone *other = zones[i];
        zones[i] = zones[count - 1 - i];
        zones[count - 1 - i] = other;
    }
}

enum admin_result api_zones_list(struct admin_call *call)
{
    const struct snapshot *s = admin_snapshot(call);
    struct api_page page;
    struct filters filters;
    size_t total = 0, count = 0;
    if (!api_page_read(call, &page))
        return ADMIN_DONE;
    read_filters(call, &filters);
    const struct snapshot_zone **zones = gw_alloc((s->zone_count + 1) * sizeof(*zones));
    for (size_t i = 0; i < s->zone_count; i++)
        if (zone_fits(&s->zones[i], &filters))
            zones[total++] = &s->zones[i];
    order_zones(call, zones, total);
    api_begin(&call->out);
    gw_buf_char(&call->out, '[');
    for (size_t i = 0; i < total; i++) {
        if (!api_page_has(&page, i))
            continue;
        if (count++ > 0)
            gw_buf_char(&call->out, ',');
        write_zone(call, zones[i]);
    }
    gw_buf_char(&call->out, ']');
    api_page_end(&call->out, &page, count, total);
    free(zones);
    return ADMIN_DONE;
}

enum admin_result api_zone_get(struct admin_call *call)
{
    const struct snapshot_zone *zone = api_zone(call);
    if (!zone)
        return ADMIN_DONE;
    api_begin(&call->out);
    write_zone(call, zone);
    api_end(&call->out);
    return ADMIN_DONE;
}

static void write_account(struct admin_call *call)
{
    char time[API_TIME_LEN];
    api_time(call->server->started_ms, time);
    gw_buf_char(&call->out, '{');
    api_member(&call->out, "created_on", gw_str(time, sizeof(time)));
    api_member(&call->out, "id", GW_STR(API_ACCOUNT_ID));
    api_member(&call->out, "name", GW_STR(API_ACCOUNT_NAME));
    gw_buf_add(&call->out, GW_STR(",\"settings\":{\"enforce_twofactor\":false}"));
    api_member(&call->out, "type", GW_STR("standard"));
    gw_buf_char(&call->out, '}');
}

enum admin_result api_accounts_list(struct admin_call *call)
{
    struct api_page page;
    struct gw_str name;
    if (!api_page_read(call, &page))
        return ADMIN_DONE;
    bool fits =
        !admin_query(call, GW_STR("name"), &name) || text_fits(GW_STR(API_ACCOUNT_NAME), name);
    bool shown = fits && api_page_has(&page, 0);
    api_begin(&call->out);
    gw_buf_char(&call->out, '[');
    if (shown)
        write_account(call);
    gw_buf_char(&call->out, ']');
    api_page_end(&call->out, &page, shown, fits);
    return ADMIN_DONE;
}

enum admin_result api_account_get(struct admin_call *call)
{
    if (!gw_str_eq(admin_path_segment(call->path, 3), GW_STR(API_ACCOUNT_ID))) {
        admin_v4_unroutable(call, false);
        return ADMIN_DONE;
    }
    api_begin(&call->out);
    write_account(call);
    api_end(&call->out);
    return ADMIN_DONE;
}
